//! Offering a port to the accounts below, and taking the offer back: a question that first names what uses it. While
//! something does, only new use can be stopped, from a day on.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime};

use super::edit::current;
use super::show::{Line, offer_words};
use super::view;
use crate::access::In;
use crate::access::policy::UpdatePorts;
use crate::ids;
use crate::ports::changing::{self, Offer};
use crate::ports::store::{self, Port};
use crate::ports::using::{self, Of};
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::text;
use crate::web::form::Check;
use crate::web::paging::{PAGE, Want};
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};

/// "": the form with the check box; "withdraw" and "until": the question's buttons.
const ACT: &str = "act";
const FIELDS: [&str; 3] = ["offered", "from", ACT];
/// Days ahead that a day may be.
const MOST_AHEAD: i64 = 3660;

#[derive(Template)]
#[template(path = "ports/share.html")]
struct SharePage {
    shell: Shell,
    form: Filled,
    back: String,
    free: String,
    used_below: String,
    now: (&'static str, String),
    is_active: bool,
    has_children: bool,
    /// After a stale save: field, what is stored now, what was typed.
    versions: Vec<(&'static str, String, String)>,
}

#[derive(Template)]
#[template(path = "ports/unshare.html")]
struct QuestionPage {
    shell: Shell,
    form: Filled,
    back: String,
    here: String,
    name: String,
    /// Connections of accounts below; nothing can be withdrawn while there are some.
    below: i64,
    connections: String,
    lines: Vec<Line>,
    more: bool,
    /// From when nothing new begins as it is stored now.
    until: Option<When>,
    again: bool,
}

fn filled(port: &Port) -> Filled {
    let from = port.no_new_use_from.map(|from| When::day(from).iso).unwrap_or_default();
    let mut form =
        Filled::with([("offered", if port.available_to_child_accounts { "yes" } else { "" }), ("from", &from)]);
    form.set_version(port.version);
    form
}

/// GET /a/{account}/ports/{port}/sharing
pub async fn show(by: In<UpdatePorts>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let port = current(&by, &site, &path.1).await?;
    let form = site.start_form(by.actor().key, filled(&port)).await?;
    let page = page(&by, &site, &port, form).await?;
    site.page(&page, Keep::Private)
}

async fn page(by: &In<UpdatePorts>, site: &Site, port: &Port, form: Filled) -> Result<SharePage, Problem> {
    let copy = port.clone();
    let (_, below) = site.pool.read(move |db| store::uses(db, &copy)).await?;
    Ok(SharePage {
        shell: site.shell(by, Section::Ports, &format!("Share {}", port.name)).failing(form.failed()),
        back: format!("/a/{}/ports/{}", by.account().id, port.id),
        free: format!("{} of {}", view::speed(port.free()), text::speed(port.speed)),
        used_below: text::count(below, "connection", "connections"),
        now: offer_words(port),
        is_active: port.active_at.is_some(),
        has_children: by.account().children_count > 0,
        form,
        versions: Vec::new(),
    })
}

/// POST /a/{account}/ports/{port}/sharing
pub async fn save(
    by: In<UpdatePorts>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &FIELDS)?;
    let port = current(&by, &site, &path.1).await?;
    let wanted = match wanted(&form) {
        Ok(wanted) => wanted,
        Err(Problem::Invalid(errors)) if form.value(ACT) == "until" => {
            return question(&by, &site, &port, form.filled(errors), StatusCode::UNPROCESSABLE_ENTITY).await;
        }
        Err(Problem::Invalid(errors)) => {
            let page = page(&by, &site, &port, form.filled(errors)).await?;
            return site.refused(&page);
        }
        Err(other) => return Err(other),
    };
    if wanted == Offer::Withdrawn && form.value(ACT) != "withdraw" && Offer::of(&port) != Offer::Withdrawn {
        return question(&by, &site, &port, fresh(&port), StatusCode::OK).await;
    }
    let (grant, copy, id) = (by.clone(), form.clone(), path.1.clone());
    let done = site.pool.write(move |db| {
        once(db, grant.actor().key, &copy.receipt(), |db| {
            changing::offer(db, &grant, &id, wanted, copy.version())?;
            Ok(Reply::to(format!("/a/{}/ports/{id}", grant.account().id), said(wanted)))
        })
    });
    match done.await {
        Err(Problem::Conflict(Reason::PortUsedBelow(_))) => {
            question(&by, &site, &port, fresh(&port), StatusCode::CONFLICT).await
        }
        Err(Problem::Conflict(Reason::Stale)) => stale(&by, &site, &path.1, &form, wanted).await,
        other => Ok(site.see(&other?)),
    }
}

fn said(offer: Offer) -> String {
    match offer {
        Offer::Open => "All accounts below may use the port now.".to_owned(),
        Offer::Until(from) => {
            format!("Nothing new begins on the port from {}. What uses it keeps it.", When::day(from).words)
        }
        Offer::Withdrawn => "The port is not offered to accounts below any more.".to_owned(),
    }
}

async fn stale(
    by: &In<UpdatePorts>,
    site: &Site,
    id: &str,
    form: &Form,
    wanted: Offer,
) -> Result<HttpResponse, Problem> {
    let port = current(by, site, id).await?;
    if !form.value(ACT).is_empty() {
        return question(by, site, &port, fresh(&port), StatusCode::CONFLICT).await;
    }
    let mut filled = form.filled(Errors::default());
    filled.set_version(port.version);
    let mut page = page(by, site, &port, filled).await?;
    let word = |offer: Offer| match offer {
        Offer::Open => "Yes".to_owned(),
        Offer::Until(from) => format!("Yes, nothing new from {}", When::day(from).words),
        Offer::Withdrawn => "No".to_owned(),
    };
    page.versions = vec![("Available to child accounts", word(Offer::of(&port)), word(wanted))];
    page.shell = page.shell.failing(true);
    site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
}

/// What the form asks for.
fn wanted(form: &Form) -> Result<Offer, Problem> {
    let mut check = form.check();
    let ticked = check.ticked("offered");
    let act = check.raw(ACT).to_owned();
    let from = if act == "withdraw" { None } else { day(&mut check, act == "until") };
    check.finish()?;
    Ok(match (act.as_str(), ticked, from) {
        ("withdraw", ..) | ("", false, _) => Offer::Withdrawn,
        (_, _, Some(from)) => Offer::Until(from),
        _ => Offer::Open,
    })
}

/// The day from which nothing new begins.
fn day(check: &mut Check<'_>, needed: bool) -> Option<NaiveDateTime> {
    let typed = check.raw("from").trim().to_owned();
    if typed.is_empty() {
        check.note("from", needed.then(|| "Enter the day from which nothing new begins".to_owned()));
        return None;
    }
    let day = NaiveDate::parse_from_str(&typed, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN));
    let today = ids::now().date().and_time(NaiveTime::MIN);
    let last = today + Duration::days(MOST_AHEAD);
    let fine = day.filter(|day| (today..=last).contains(day));
    check.note("from", fine.is_none().then(|| "Enter today or a later day, such as 2027-01-31".to_owned()));
    fine
}

fn fresh(port: &Port) -> Filled {
    let mut form = Filled::with([("from", &*When::day(ids::now()).iso)]);
    form.set_version(port.version);
    form
}

async fn question(
    by: &In<UpdatePorts>,
    site: &Site,
    port: &Port,
    form: Filled,
    status: StatusCode,
) -> Result<HttpResponse, Problem> {
    let (grant, copy) = (by.clone(), port.clone());
    let read = move |db: &mut Db| {
        let (_, below) = store::uses(db, &copy)?;
        let uses = using::page(db, &copy, Of::Below, &Want::First, PAGE)?;
        Ok((below, using::seen(db, grant.frame(), uses)?))
    };
    let (below, mut uses) = site.pool.read_long(read).await?;
    let more = uses.len() > PAGE;
    uses.truncate(PAGE);
    let heading = format!("Stop offering {} to child accounts?", port.name);
    let mut form = form;
    form.set_version(port.version);
    let page = QuestionPage {
        shell: site.shell(by, Section::Ports, &heading).failing(form.failed()),
        back: format!("/a/{}/ports/{}/sharing", by.account().id, port.id),
        here: format!("/a/{}/ports/{}", by.account().id, port.id),
        name: port.name.clone(),
        below,
        connections: text::count(below, "connection", "connections"),
        lines: uses.into_iter().map(Line::of).collect(),
        more,
        until: port.no_new_use_from.map(When::day),
        again: status == StatusCode::CONFLICT,
        form,
    };
    site.page_with(status, &page, Keep::Nothing)
}
