//! The last page of an order: everything that was answered, with links to change it, what it costs, the keys of a tunnel
//! and the button. Keys are asked for here alone, as what is sent from here goes into the order and into no address.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::order::{self, Start, Way, purpose};
use crate::access::In;
use crate::access::policy::CreateNetworks;
use crate::catalogue::Term;
use crate::connections::asking::{Answers, FieldView, Progress, Question, fields};
use crate::connections::lines::Offer;
use crate::connections::{self};
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::text;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Shell, Site, once};

#[derive(Template)]
#[template(path = "connections/check.html")]
struct CheckPage {
    shell: Shell,
    network: String,
    form: Filled,
    order: String,
    rows: Vec<Row>,
    /// Fields for the keys of a tunnel.
    views: Vec<FieldView>,
    price: String,
    approval: bool,
    back: String,
    cancel: String,
}

/// One answer.
struct Row {
    label: String,
    value: String,
    field: &'static str,
    /// What is wrong with it, when the order was refused for that.
    error: Option<String>,
    /// Where it is changed; empty where it follows from another.
    change: String,
}

/// What is said of the keys after somebody had to sign in again, as nothing keeps them meanwhile.
pub fn keys_are_new(progress: &Progress) -> Errors {
    let new = "Keys are not kept while you sign in. This one is new: copy it, or put yours in its place";
    Errors(progress.key_fields().into_iter().map(|(_, field)| (field.to_owned(), new.to_owned())).collect())
}

/// The page with the answers. `form`: what was sent from it, with what is wrong.
pub fn page(way: &Way, progress: &Progress, mut form: Filled, status: StatusCode) -> Result<HttpResponse, Problem> {
    let ticket = way.ticket()?;
    let rows = rows(way, progress, &ticket, &form);
    let mut views = fields::keys(progress);
    for view in &mut views {
        if !form.value(view.name).is_empty() {
            view.value = form.value(view.name).to_owned();
        }
        view.error = form.error(view.name).map(str::to_owned);
    }
    // A complaint leads to the row or the field that it is about, where the page has one.
    let shown = |field: &String| rows.iter().any(|row| row.field == field) || views.iter().any(|v| v.name == field);
    form.errors.0.iter_mut().filter(|(field, _)| !shown(field)).for_each(|(field, _)| field.clear());
    let line = progress.line(&way.offer);
    let code = line.zip(Term::of_code(progress.answer("term"))).and_then(|(line, term)| line.prices.code(term));
    let last = progress.path.last().copied().unwrap_or(Question::Details);
    let page = CheckPage {
        shell: way.site.shell(&way.by, Section::Networks, "Check your answers").failing(form.failed()),
        network: way.network.name.clone(),
        rows,
        views,
        price: code.map_or_else(String::new, |code| way.offer.price(code)),
        approval: line.is_some_and(|line| line.requires_approval),
        back: way.at(last.slug(), &ticket),
        cancel: way.cancel(),
        order: ticket,
        form,
    };
    way.site.page_with(status, &page, Keep::Nothing)
}

fn rows(way: &Way, progress: &Progress, ticket: &str, form: &Filled) -> Vec<Row> {
    let double = progress.narrowed.is_double();
    let change = |field: &str| {
        let asked = progress.path.iter().find(|one| one.fields(progress.kind, double).contains(&field));
        asked.map_or_else(String::new, |question| way.at(question.slug(), ticket))
    };
    let row = |label: &str, value: String, field: &'static str| {
        let error = form.error(field).map(str::to_owned);
        Row { label: label.to_owned(), value, field, error, change: change(field) }
    };
    let line = progress.line(&way.offer);
    let name = |id: &str| {
        let port = way.offer.port(id).map(|port| format!("{} ({})", port.name, port.facility_name));
        port.or_else(|| way.offer.regions.get(id).cloned()).unwrap_or_else(|| id.to_owned())
    };
    let mut rows = vec![row("Kind", progress.kind.words().to_owned(), "kind")];
    if let Some(line) = line {
        rows.push(row("Location", line.location_name.clone(), "location"));
        let gateways = if line.high_availability { "Two, for high availability" } else { "One" };
        rows.push(row("Gateways", gateways.to_owned(), "availability"));
        rows.push(row("Speed", text::speed(line.speed), "speed"));
    }
    rows.extend(progress.settings.facts(name).into_iter().map(|fact| row(fact.label, fact.value, fact.field)));
    let term = Term::of_code(progress.answer("term")).map_or("", Term::words);
    rows.push(row("Term", term.to_owned(), "term"));
    rows.push(row("Name", progress.answer("name").to_owned(), "name"));
    for (label, field) in [("Description", "description"), ("Tags", "tags")] {
        rows.push(row(label, progress.answer(field).to_owned(), field));
    }
    rows
}

/// POST with `step=check`: places the order, once.
pub async fn place(by: In<CreateNetworks>, site: Site, network: String, form: Form) -> Result<HttpResponse, Problem> {
    let vault = order::vault(&site)?;
    let Some(answers) = Answers::open(&vault, &purpose(&by, &network), form.value("order")) else {
        let to = format!("/a/{}/networks/{network}/connections/new", by.account().id);
        return Ok(site.see(&Reply::to(to, "!Your answers are kept for a day and are gone. Begin again.")));
    };
    let (grant, copy, id) = (by.clone(), form.clone(), network.clone());
    let done = site.pool.write(move |db: &mut Db| {
        copy.check().finish()?;
        once(db, grant.actor().key, &copy.receipt(), |db| {
            // The network first: what is not the account's is not found.
            crate::networks::open_to_orders(db, grant.account().key, &id)?;
            connections::acts::must_be_ready(db, grant.account().key)?;
            let offer = Offer::read(db, grant.frame(), answers.kind())?;
            let progress =
                Progress::of(&answers, &offer).ok_or_else(|| incomplete("Choose what you want to connect"))?;
            let new = progress.order(&id, &|field| copy.value(field).to_owned())?;
            let made = connections::order(db, &vault, &grant, &new)?;
            let to = format!("/a/{}/connections/{}", grant.account().id, made.id);
            Ok(Reply::to(to, "Order placed. This page shows how it goes on."))
        })
    });
    let (errors, status) = match done.await {
        Err(Problem::Invalid(errors)) => (errors, StatusCode::UNPROCESSABLE_ENTITY),
        Err(Problem::Conflict(Reason::FormReused)) => return Err(Problem::Conflict(Reason::FormReused)),
        Err(Problem::Conflict(reason)) => {
            let words = reason.words();
            let message = format!("{}. {} {}", words.heading, words.happened, words.advice);
            (Errors::one("", message), StatusCode::CONFLICT)
        }
        other => return Ok(site.see(&other?)),
    };
    match order::start(by, site, network, form.value("order")).await? {
        Start::Blocked(page) => Ok(page),
        Start::Open(way) => match way.progress() {
            Some(progress) => page(&way, &progress, form.filled(errors), status),
            None => Err(incomplete("Choose what you want to connect")),
        },
    }
}

fn incomplete(why: &str) -> Problem {
    Problem::invalid("kind", why)
}
