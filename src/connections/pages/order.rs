//! The way to an order. Before it starts, everything that blocks the account is said at once; then one question to a
//! page. The answers so far are in the address, sealed: going back finds them, and nothing half done is stored.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use super::placing;
use crate::access::policy::CreateNetworks;
use crate::access::{Grant, In};
use crate::connections::asking::{Answers, FieldView, Progress, Question, every_field, fields};
use crate::connections::lines::Offer;
use crate::connections::settings::Kind;
use crate::factor::vault::Vault;
use crate::limits::{self, Resource};
use crate::networks::{self, Network};
use crate::problem::{Errors, Problem};
use crate::readiness::{self, Failing};
use crate::store::Db;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site};

/// What the address says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct StepQuery {
    step: String,
    order: String,
}

/// The page that asks whether all is right.
pub const CHECK: &str = "check";

#[derive(Template)]
#[template(path = "connections/blocked.html")]
struct BlockedPage {
    shell: Shell,
    network: Network,
    back: String,
    failing: Vec<Failing>,
}

#[derive(Template)]
#[template(path = "connections/ask.html")]
struct AskPage {
    shell: Shell,
    network: String,
    form: Filled,
    step: &'static str,
    order: String,
    views: Vec<FieldView>,
    /// The answers of the ticket could not be read any more.
    lost: bool,
    back: String,
    cancel: String,
}

/// One order on its way.
pub struct Way {
    pub by: In<CreateNetworks>,
    pub site: Site,
    pub vault: Data<Vault>,
    pub network: Network,
    pub offer: Offer,
    pub answers: Answers,
    pub lost: bool,
}

/// What stands in the way before the first question, or the way.
pub enum Start {
    Open(Box<Way>),
    Blocked(HttpResponse),
}

/// For whom a ticket is sealed.
pub fn purpose(by: &Grant<CreateNetworks>, network: &str) -> String {
    format!("order by {} in {} {network}", by.actor().key, by.account().id)
}

pub fn vault(site: &Site) -> Result<Data<Vault>, Problem> {
    site.req.app_data::<Data<Vault>>().cloned().ok_or_else(|| Problem::bug("the app has no vault"))
}

/// Looks whether an order can be placed at all, and reads what it can be.
pub async fn start(by: In<CreateNetworks>, site: Site, network: String, ticket: &str) -> Result<Start, Problem> {
    let vault = vault(&site)?;
    let opened = Answers::open(&vault, &purpose(&by, &network), ticket);
    let lost = opened.is_none() && !ticket.is_empty();
    let answers = opened.unwrap_or_default();
    let (grant, kind) = (by.clone(), answers.kind());
    let read = move |db: &mut Db| {
        let frame = grant.frame();
        let account = frame.account().key;
        let network = networks::open_to_orders(db, account, &network)?;
        let blockers = readiness::blockers(db, account)?;
        let who = readiness::who_can(db, frame, &blockers)?;
        let mut failing: Vec<Failing> =
            blockers.iter().zip(&who).map(|(blocker, who)| readiness::failing(blocker, who, frame)).collect();
        if let Err(Problem::Conflict(reason)) = limits::room_for_one(db, account, Resource::Connection) {
            let words = reason.words();
            let (words, who) = (format!("{}. {}", words.heading, words.happened), words.advice);
            failing.push(Failing { words, who, label: "", href: String::new() });
        }
        Ok((network, failing, Offer::read(db, frame, kind)?))
    };
    let (network, failing, offer) = site.pool.read(read).await?;
    if failing.is_empty() {
        return Ok(Start::Open(Box::new(Way { by, site, vault, network, offer, answers, lost })));
    }
    let page = BlockedPage {
        shell: site.shell(&by, Section::Networks, "Before you can order"),
        back: format!("/a/{}/networks/{}", by.account().id, network.id),
        network,
        failing,
    };
    let status = if site.req.method() == "POST" { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok(Start::Blocked(site.page_with(status, &page, Keep::Nothing)?))
}

impl Way {
    pub fn progress(&self) -> Option<Progress> {
        Progress::of(&self.answers, &self.offer)
    }

    fn address(&self) -> String {
        format!("/a/{}/networks/{}/connections/new", self.by.account().id, self.network.id)
    }

    pub fn cancel(&self) -> String {
        format!("/a/{}/networks/{}", self.by.account().id, self.network.id)
    }

    pub fn ticket(&self) -> Result<String, Problem> {
        self.answers.seal(&self.vault, &purpose(&self.by, &self.network.id))
    }

    /// Where a question is asked with the answers so far.
    pub fn at(&self, step: &str, ticket: &str) -> String {
        format!("{}?step={step}&order={ticket}", self.address())
    }

    /// The page of a question; `returned`: what was answered wrongly.
    fn page(&self, question: Question, returned: Option<Filled>) -> Result<HttpResponse, Problem> {
        let progress = self.progress();
        let kind = progress.as_ref().map_or(Kind::Port, |progress| progress.kind);
        let ticket = self.ticket()?;
        let mut views = match &progress {
            Some(progress) => fields::of(question, progress, &self.offer),
            None => fields::of_kind(&self.offer),
        };
        let form = returned.unwrap_or_else(|| Filled::with([]));
        for view in &mut views {
            if form.failed() {
                view.value = form.value(view.name).to_owned();
            } else if self.answers.has(view.name) {
                view.value = self.answers.get(view.name).to_owned();
            }
            view.error = form.error(view.name).map(str::to_owned);
        }
        let before = progress.as_ref().and_then(|progress| progress.before(question));
        let page = AskPage {
            shell: self.site.shell(&self.by, Section::Networks, question.heading(kind)).failing(form.failed()),
            network: self.network.name.clone(),
            step: question.slug(),
            views,
            lost: self.lost,
            back: before.map_or_else(|| self.cancel(), |before| self.at(before.slug(), &ticket)),
            cancel: self.cancel(),
            order: ticket,
            form,
        };
        if page.form.failed() { self.site.refused(&page) } else { self.site.page(&page, Keep::Nothing) }
    }
}

/// GET /a/{account}/networks/{network}/connections/new?step=&order=
pub async fn ask(
    by: In<CreateNetworks>,
    site: Site,
    path: Path<(String, String)>,
    query: Query<StepQuery>,
) -> Result<HttpResponse, Problem> {
    let restored = site.restored(by.actor().key).await?;
    let kept = |name: &str, asked: &str| {
        restored.as_ref().map_or_else(|| asked.to_owned(), |form| form.value(name).to_owned())
    };
    let (step, ticket) = (kept("step", &query.step), kept("order", &query.order));
    let mut way = match start(by, site, path.into_inner().1, &ticket).await? {
        Start::Blocked(page) => return Ok(page),
        Start::Open(way) => way,
    };
    if let (Some(form), Some(question)) = (&restored, Question::of_slug(&step)) {
        way.answers.take(question, &|name| form.value(name).to_owned());
    }
    let Some(progress) = way.progress() else { return way.page(Question::Kind, None) };
    let asked = Question::of_slug(&step).filter(|question| progress.path.contains(question));
    match (asked, progress.next()) {
        (Some(question), _) => way.page(question, None),
        (None, Some(question)) => way.page(question, None),
        (None, None) => {
            let mut form = Filled::with([]);
            if restored.is_some() {
                form.errors = placing::keys_are_new(&progress);
            }
            placing::page(&way, &progress, form, StatusCode::OK)
        }
    }
}

/// Every field that any of the pages sends.
fn sendable() -> Vec<&'static str> {
    ["step", "order"].into_iter().chain(every_field()).collect()
}

/// POST /a/{account}/networks/{network}/connections/new
pub async fn answer(
    by: In<CreateNetworks>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &sendable())?;
    let network = path.into_inner().1;
    if form.value("step") == CHECK {
        return placing::place(by, site, network, form).await;
    }
    let mut way = match start(by, site, network, form.value("order")).await? {
        Start::Blocked(page) => return Ok(page),
        Start::Open(way) => way,
    };
    let question = Question::of_slug(form.value("step")).unwrap_or(Question::Kind);
    let known = way.answers.kind();
    way.answers.take(question, &|name| form.value(name).to_owned());
    // What can be ordered depends on the kind.
    if way.answers.kind() != known {
        let (grant, kind) = (way.by.clone(), way.answers.kind());
        way.offer = way.site.pool.read(move |db| Offer::read(db, grant.frame(), kind)).await?;
    }
    let errors = wrong(&way, question, &form);
    if !errors.is_empty() {
        return way.page(question, Some(form.filled(errors)));
    }
    let next = way.progress().and_then(|progress| progress.next()).map_or(CHECK, Question::slug);
    let to = way.at(next, &way.ticket()?);
    Ok(way.site.see(&Reply::to(to, "")))
}

/// What is wrong with the answers to this question.
fn wrong(way: &Way, question: Question, form: &Form) -> Errors {
    let mut errors = form.check().errors;
    let Some(progress) = way.progress() else {
        errors.add("kind", "Choose what you want to connect");
        return errors;
    };
    let fields = question.fields(progress.kind, progress.narrowed.is_double());
    let of_question = progress.errors.0.into_iter().filter(|(field, _)| fields.contains(&field.as_str()));
    errors.0.extend(of_question);
    errors
}
