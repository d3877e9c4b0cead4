//! Ordering a port: the facility, then what it offers, then all answers once more. What stands in the way is said before
//! the start, all of it, and then there is no button to order.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use super::check::{self, ACT, FIELDS};
use super::questions::{blocked, form, monthly, places};
use crate::access::policy::CreatePorts;
use crate::access::{Frame, In};
use crate::catalogue::{self, SupportedPort, Term};
use crate::ids;
use crate::ledger::money;
use crate::ledger::month::day_of;
use crate::ledger::prices::{Plan, Prices};
use crate::ledger::showing::Sight;
use crate::limits::{self, Resource};
use crate::ports;
use crate::problem::{Errors, Problem, Reason};
use crate::readiness::{self, Blocker};
use crate::store::Db;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};

/// Which facility.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct OrderQuery {
    facility: String,
}

#[derive(Template)]
#[template(path = "ports/order_check.html")]
struct CheckPage {
    shell: Shell,
    form: Filled,
    facts: Vec<(&'static str, String)>,
    price: Option<(String, String)>,
    carried: Vec<(String, String)>,
}

/// What the pages of an order are made of.
pub struct Read {
    pub blockers: Vec<Blocker>,
    pub who: Vec<Vec<String>>,
    pub limit: String,
    pub lines: Vec<SupportedPort>,
    /// None where prices are not for this person.
    pub prices: Option<Prices>,
}

impl Read {
    fn is_blocked(&self) -> bool {
        !(self.blockers.is_empty() && self.limit.is_empty())
    }

    pub fn at(&self, facility: &str) -> Vec<&SupportedPort> {
        self.lines.iter().filter(|line| line.facility.id == facility).collect()
    }

    /// The price in force of a line for a term, if it may be seen.
    pub fn plan(&self, line: &SupportedPort, term: Term) -> Option<&Plan> {
        self.prices.as_ref()?.on(line.prices.code(term)?, day_of(ids::now()))
    }
}

fn read(db: &mut Db, frame: &Frame) -> Result<Read, Problem> {
    let account = frame.account().key;
    let blockers = readiness::blockers(db, account)?;
    let who = readiness::who_can(db, frame, &blockers)?;
    let limit = match limits::room_for_one(db, account, Resource::Port) {
        Err(Problem::Conflict(reason @ Reason::LimitReached { .. })) => {
            let words = reason.words();
            format!("{} {}", words.happened, words.advice)
        }
        other => other.map(|()| String::new())?,
    };
    let lines = catalogue::supported_ports(db)?;
    let prices = if Sight::of(db, frame)?.now() {
        Some(Prices::of(db, lines.iter().flat_map(|line| line.prices.offered().map(|(_, code)| code)))?)
    } else {
        None
    };
    Ok(Read { blockers, who, limit, lines, prices })
}

async fn look(by: &In<CreatePorts>, site: &Site) -> Result<Read, Problem> {
    let grant = by.clone();
    site.pool.read_long(move |db| read(db, grant.frame())).await
}

/// GET /a/{account}/ports/new?facility=
pub async fn new(by: In<CreatePorts>, site: Site, query: Query<OrderQuery>) -> Result<HttpResponse, Problem> {
    let read = look(&by, &site).await?;
    if read.is_blocked() {
        return blocked(&by, &site, &read, StatusCode::OK);
    }
    if let Some(kept) = site.restored(by.actor().key).await? {
        return form(&by, &site, &read, kept, StatusCode::OK);
    }
    if read.at(&query.facility).is_empty() {
        return places(&by, &site, &read);
    }
    let fresh = Filled::with([("facility", &*query.facility), ("term", Term::Monthly.code())]);
    form(&by, &site, &read, fresh, StatusCode::OK)
}

/// POST /a/{account}/ports/new: first all answers once more, then the order.
pub async fn take(by: In<CreatePorts>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let sent = site.open(&by, sent, &FIELDS)?;
    if sent.value(ACT) == "place" {
        return place(&by, &site, sent).await;
    }
    let read = look(&by, &site).await?;
    if read.is_blocked() {
        return blocked(&by, &site, &read, StatusCode::CONFLICT);
    }
    if sent.value(ACT) == "back" {
        return form(&by, &site, &read, sent.filled(Errors::default()), StatusCode::OK);
    }
    match check::entered(&sent, &read.lines) {
        Ok((new, line)) => {
            let price = read.plan(line, new.term).map(|plan| {
                let setup = money::words(plan.setup_amount, &plan.currency);
                (monthly(plan), if plan.setup_amount == 0 { String::new() } else { setup })
            });
            let page = CheckPage {
                shell: site.shell(&by, Section::Ports, "Check your answers"),
                facts: check::facts(&new, line, &by.account().name),
                price,
                carried: check::carried(&sent),
                form: sent.filled(Errors::default()),
            };
            site.page(&page, Keep::Nothing)
        }
        Err(Problem::Invalid(errors)) => form(&by, &site, &read, sent.filled(errors), StatusCode::UNPROCESSABLE_ENTITY),
        Err(other) => Err(other),
    }
}

async fn place(by: &In<CreatePorts>, site: &Site, sent: Form) -> Result<HttpResponse, Problem> {
    let (grant, copy) = (by.clone(), sent.clone());
    let done = site.pool.write(move |db| {
        once(db, grant.actor().key, &copy.receipt(), |db| {
            let lines = catalogue::supported_ports(db)?;
            let (new, _) = check::entered(&copy, &lines)?;
            let port = ports::order(db, &grant, &new)?;
            let said = "Port ordered. It is active as soon as the fabric has made it.";
            Ok(Reply::to(format!("/a/{}/ports/{}", grant.account().id, port.id), said))
        })
    });
    match done.await {
        Err(Problem::Invalid(errors)) => {
            let read = look(by, site).await?;
            form(by, site, &read, sent.filled(errors), StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(Problem::Conflict(Reason::NotReady(_) | Reason::LimitReached { .. })) => {
            let read = look(by, site).await?;
            blocked(by, site, &read, StatusCode::CONFLICT)
        }
        Err(Problem::Conflict(Reason::NotSupported(why))) => {
            let read = look(by, site).await?;
            form(by, site, &read, sent.filled(Errors::one("", why)), StatusCode::CONFLICT)
        }
        other => Ok(site.see(&other?)),
    }
}
