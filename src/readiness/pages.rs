//! The readiness page: every check with what to do, who can do it and where, then everything below that is not ready.
//! Whoever sees the account sees why it cannot provision; names of people and accounts only as far as they may be seen.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use super::{Below, Blocker, Counted, Missing, NotReady, Readiness, large, who};
use crate::access::below::is_large;
use crate::access::policy::{CreateBilling, ReadAccounts, ReadBilling, SeeAccount, UpdateAccounts};
use crate::access::{Frame, In};
use crate::billing;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::{Cursor, PAGE, PageQuery, Paged, Want};
use crate::web::route::{Route, get};
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Section, Shell, Site, csv};

pub fn routes() -> Vec<Route> {
    vec![get("/a/{account}/readiness", show), get("/a/{account}/readiness/below.csv", export)]
}

#[derive(Template)]
#[template(path = "readiness/show.html")]
struct ShowPage {
    shell: Shell,
    account: String,
    summary: String,
    ready: bool,
    checks: usize,
    fine: usize,
    failing: Vec<Failing>,
    passing: Vec<String>,
    now: When,
    below: Option<BelowView>,
}

/// A check that fails, as pages show it: what to do, who can, and where.
pub struct Failing {
    pub words: String,
    pub who: String,
    pub label: &'static str,
    pub href: String,
}

struct BelowView {
    sums: Below,
    list: Paged<NotReady>,
    paths: std::collections::HashMap<Key, String>,
    missing: Missing,
    csv: String,
    pager: String,
    /// There is more to look through than was for this page.
    part: bool,
    /// Pages that start after a row have no numbers to jump to.
    numbers: &'static [(String, String, bool)],
}

impl BelowView {
    /// What is shown, where that is not everything.
    fn shown(&self) -> &'static str {
        match self.missing {
            Missing::Anything => "",
            Missing::Agreements => "Awaiting agreements",
            Missing::Payment => "Awaiting payment",
            Missing::Suspended => "Suspended",
            Missing::Room => "Over a limit",
        }
    }

    fn path(&self, key: &Key) -> &str {
        self.paths.get(key).map_or("", String::as_str)
    }

    fn previous(&self) -> String {
        link(&self.list.previous)
    }

    fn next(&self) -> String {
        link(&self.list.next)
    }
}

/// Where a neighbouring page is; nothing when there is none.
fn link(query: &str) -> String {
    if query.is_empty() { String::new() } else { format!("?{query}#below") }
}

/// Which rows, of what is missing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    missing: String,
}

impl ListQuery {
    fn missing(&self) -> Missing {
        match self.missing.as_str() {
            "agreements" => Missing::Agreements,
            "payment" => Missing::Payment,
            "resuming" => Missing::Suspended,
            "room" => Missing::Room,
            _ => Missing::Anything,
        }
    }
}

fn filter_query(missing: Missing) -> &'static str {
    match missing {
        Missing::Anything => "",
        Missing::Agreements => "missing=agreements",
        Missing::Payment => "missing=payment",
        Missing::Suspended => "missing=resuming",
        Missing::Room => "missing=room",
    }
}

/// GET /a/{account}/readiness
pub async fn show(
    by: In<SeeAccount>,
    site: Site,
    page: Query<PageQuery>,
    list: Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    let (grant, page, missing) = (by.clone(), page.into_inner(), list.missing());
    let (readiness, who, below) = site
        .pool
        .read_long(move |db| {
            let account = grant.account().key;
            let readiness = super::of(db, account)?;
            let who = super::who_can(db, grant.frame(), &readiness.blockers())?;
            let below = below(db, grant.frame(), &readiness, page, missing)?;
            Ok((readiness, who, below))
        })
        .await?;
    let frame = by.frame();
    let blockers = readiness.blockers();
    let words = below.as_ref().map_or_else(String::new, |below| below.list.words());
    let page = ShowPage {
        shell: site.shell(&by, Section::Readiness, Section::Readiness.label()).noting(&words),
        account: frame.account().name.clone(),
        summary: summary(&readiness, &blockers),
        ready: blockers.is_empty(),
        checks: readiness.checks(),
        fine: readiness.checks() - blockers.len(),
        failing: blockers.iter().zip(&who).map(|(blocker, who)| failing(blocker, who, frame)).collect(),
        passing: passing(&readiness, frame),
        now: When::from(ids::now()),
        below,
    };
    site.page(&page, Keep::Private)
}

fn summary(readiness: &Readiness, blockers: &[Blocker]) -> String {
    match blockers.len() {
        0 => "Ready to provision".to_owned(),
        1 => format!("Not ready: 1 of {} checks fails", readiness.checks()),
        n => format!("Not ready: {n} of {} checks fail", readiness.checks()),
    }
}

/// What this person reads about a blocker.
pub fn failing(blocker: &Blocker, who: &[String], frame: &Frame) -> Failing {
    let here = |section: &str| format!("/a/{}/{section}", frame.account().id);
    let (href, label) = match blocker {
        Blocker::Agreement(_) if frame.may::<UpdateAccounts>() => (here("consent"), "Read and accept"),
        Blocker::Agreement(_) => (here("consent"), "Read"),
        Blocker::NoPayer if frame.may::<CreateBilling>() => (here("billing/new"), "Add a payment method"),
        Blocker::Overdue { own: true } if frame.may::<ReadBilling>() => (here("invoices?state=unpaid"), "See invoices"),
        Blocker::Suspended { .. } => match frame.may_resume() {
            Some((from, child)) => (format!("/a/{from}/child-accounts/{child}/resume"), "Resume"),
            None => (String::new(), ""),
        },
        Blocker::OverLimit if frame.may::<ReadAccounts>() => (here("limits"), "See the limits"),
        Blocker::OverLimit => (String::new(), ""),
        _ if frame.may::<ReadBilling>() => (here("billing"), "See billing"),
        _ => (String::new(), ""),
    };
    let who = who::words(blocker, who::is_readers(blocker, frame), who, frame);
    Failing { words: blocker.words(), who, label, href }
}

fn passing(readiness: &Readiness, frame: &Frame) -> Vec<String> {
    let mut fine: Vec<String> =
        readiness.accepted().map(|document| format!("{}, is accepted", document.words())).collect();
    if readiness.is_paid() {
        fine.push(readiness.payer.sentence(frame));
    }
    fine
}

/// The part about the accounts below, for those who may see them.
fn below(
    db: &mut Db,
    frame: &Frame,
    readiness: &Readiness,
    page: PageQuery,
    missing: Missing,
) -> Result<Option<BelowView>, Problem> {
    let account = frame.account();
    if frame.below.is_empty() || account.children_count == 0 {
        return Ok(None);
    }
    let want = page.want();
    let (sums, rows, more) = if is_large(db, account.key)? {
        let (rows, more) = large::not_ready(db, readiness, missing, &want, PAGE + 1)?;
        (readiness.sums_below(db)?, rows, more)
    } else {
        let states = readiness.states_below(db)?;
        (Below::of(&states), super::not_ready(db, states, missing, &want, PAGE + 1)?, None)
    };
    if sums.accounts == 0 {
        return Ok(None);
    }
    let total = match missing {
        Missing::Anything => sums.not_ready(),
        Missing::Agreements => sums.awaiting_agreements,
        Missing::Payment => sums.awaiting_payment,
        Missing::Suspended => sums.suspended,
        Missing::Room => sums.over_limit,
    };
    let (rest, total) = (filter_query(missing), (sums.counted == Counted::Now).then_some(total));
    let mut list = Paged::new(rows, &page, rest, total, |row| Cursor(row.name_key.clone(), row.key));
    if let Some(cursor) = &more {
        list = list.going_on(&page, rest, cursor);
    }
    let keys: Vec<Key> = list.rows.iter().map(|row| row.key).collect();
    let paths = billing::paths(db, account, &keys)?;
    let query = filter_query(missing);
    let mark = if query.is_empty() { "" } else { "?" };
    let csv = format!("/a/{}/readiness/below.csv{mark}{query}", account.id);
    let pager = list.words();
    Ok(Some(BelowView { sums, list, paths, missing, csv, pager, part: more.is_some(), numbers: &[] }))
}

const HEAD: [&str; 7] = ["Id", "Name", "Path", "Agreements", "Payment", "Suspended", "Limits"];

/// GET /a/{account}/readiness/below.csv: every account below that is not ready.
pub async fn export(by: In<SeeAccount>, site: Site, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    if by.frame().below.is_empty() {
        return Err(Problem::NotFound);
    }
    let (account, missing) = (by.account().clone(), query.missing());
    // Decided once: the way must not change in the middle of the file.
    let key = account.key;
    let large = site.pool.read(move |db| is_large(db, key)).await?;
    let read = move |db: &mut Db, after: Option<Cursor>| {
        let readiness = super::of(db, account.key)?;
        let (rows, reached) = if large {
            let want = after.map_or(Want::First, Want::After);
            let (rows, more) = large::not_ready(db, &readiness, missing, &want, EXPORT_BATCH)?;
            let full = rows.last().filter(|_| rows.len() == EXPORT_BATCH);
            let reached = more.or_else(|| full.map(|row| Cursor(row.name_key.clone(), row.key)));
            (rows, reached)
        } else {
            let states = readiness.states_below(db)?;
            (super::not_ready(db, states, missing, &Want::First, usize::MAX)?, None)
        };
        let keys: Vec<Key> = rows.iter().map(|row| row.key).collect();
        let mut paths = billing::paths(db, &account, &keys)?;
        let line = |row: NotReady| line(paths.remove(&row.key).unwrap_or_default(), row);
        Ok((rows.into_iter().map(line).collect(), reached))
    };
    csv::stream(&site.pool, "accounts-that-are-not-ready.csv", &HEAD, read).await
}

/// Accounts that are written at once where very many are below.
const EXPORT_BATCH: usize = 500;

fn line(path: String, row: NotReady) -> Vec<String> {
    let word = |there: bool| if there { "ok" } else { "missing" }.to_owned();
    let stopped = |stops: bool, word: &str| if stops { word } else { "" }.to_owned();
    let (agreements, payment) = (word(row.agreed), word(row.paid));
    let suspended = stopped(row.stopped.suspended, "suspended");
    vec![row.id, row.name, path, agreements, payment, suspended, stopped(row.stopped.over, "over a limit")]
}
