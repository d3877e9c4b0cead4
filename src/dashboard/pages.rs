//! The dashboard's one page.

use actix_web::HttpResponse;
use askama::Template;

use super::store::{self, Latest};
use crate::access::policy::{
    CreateAccounts, CreateBilling, ReadAccounts, ReadAudit, ReadBilling, ReadMembers, SeeAccount, UpdateAccounts,
};
use crate::access::{Frame, In};
use crate::audit::EventType;
use crate::consent::Document;
use crate::mail;
use crate::problem::Problem;
use crate::readiness::{self, Below, Readiness};
use crate::store::Db;
use crate::text;
use crate::web::route::{Route, get};
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Section, Shell, Site};

pub fn routes() -> Vec<Route> {
    vec![get("/a/{account}/dashboard", show)]
}

/// Entries of the audit log shown.
const LATEST: i64 = 10;

#[derive(Template)]
#[template(path = "dashboard/show.html")]
struct ShowPage {
    shell: Shell,
    lede: String,
    ready: bool,
    blockers: Vec<String>,
    payer: String,
    reads_billing: bool,
    agreements: String,
    below: Option<BelowView>,
    latest: Option<Vec<Change>>,
    links: Vec<(&'static str, String)>,
    mail_notice: Option<String>,
}

/// The figures about the accounts below.
struct BelowView {
    direct: i64,
    sums: Below,
    lists_children: bool,
    /// As of when the sums are, where it is not now.
    note: String,
    blocked: String,
    why: String,
}

/// One line of the latest changes.
struct Change {
    what: &'static str,
    subject: String,
    account: String,
    href: String,
    who: String,
    at: When,
}

/// GET /a/{account}/dashboard
pub async fn show(by: In<SeeAccount>, site: Site) -> Result<HttpResponse, Problem> {
    let (grant, config) = (by.clone(), site.config.clone());
    let (readiness, sums, latest, mail_notice) = site
        .read_late(move |db| {
            let account = grant.account();
            let readiness = readiness::of(db, account.key)?;
            let has_below = !grant.frame().below.is_empty() && account.children_count > 0;
            let sums = if has_below { Some(readiness.sums_below(db)?) } else { None };
            let mail_notice = mail::notice(db, &config, grant.frame())?;
            Ok((readiness, sums, latest(db, grant.frame())?, mail_notice))
        })
        .await?;
    let frame = by.frame();
    let blockers = readiness.blockers();
    let page = ShowPage {
        shell: site.shell(&by, Section::Dashboard, Section::Dashboard.label()),
        lede: lede(frame, sums.as_ref()),
        ready: blockers.is_empty(),
        payer: readiness.payer.sentence(frame),
        reads_billing: frame.may::<ReadBilling>(),
        agreements: agreements(&readiness),
        links: links(frame, &readiness),
        blockers: blockers.iter().map(readiness::Blocker::words).collect(),
        below: sums.map(|sums| below(sums, frame)),
        mail_notice,
        latest: latest.map(|entries| entries.into_iter().map(|entry| change(entry, frame)).collect()),
    };
    site.page(&page, Keep::Private)
}

fn lede(frame: &Frame, sums: Option<&Below>) -> String {
    let name = &frame.account().name;
    match sums {
        Some(sums) => format!("{name} and {} below it", text::count(sums.accounts, "account", "accounts")),
        None => name.clone(),
    }
}

/// The log's latest entries, for those who may read it; with everything below for those who may read it there too.
fn latest(db: &mut Db, frame: &Frame) -> Result<Option<Vec<Latest>>, Problem> {
    if !frame.may::<ReadAudit>() {
        return Ok(None);
    }
    store::latest(db, frame.account().key, frame.may_below::<ReadAudit>(), LATEST).map(Some)
}

fn agreements(readiness: &Readiness) -> String {
    let short = |document: &Document| format!("{} {}", document.kind.code(), document.version);
    let accepted: Vec<String> = readiness.accepted().map(short).collect();
    let missing: Vec<String> = readiness.missing.iter().map(short).collect();
    match (accepted.join(" and "), missing.join(" and ")) {
        (accepted, missing) if missing.is_empty() => format!("{accepted}, accepted"),
        (accepted, missing) if accepted.is_empty() => format!("{missing}, not accepted"),
        (accepted, missing) => format!("{accepted}, accepted; {missing}, not accepted"),
    }
}

fn below(sums: Below, frame: &Frame) -> BelowView {
    let mut why = Vec::new();
    if sums.awaiting_agreements > 0 {
        why.push(text::count(sums.awaiting_agreements, "awaits its agreements", "await their agreements"));
    }
    if sums.awaiting_payment > 0 {
        why.push(text::count(sums.awaiting_payment, "awaits a payment method", "await a payment method"));
    }
    if sums.suspended > 0 {
        why.push(text::count(sums.suspended, "is suspended", "are suspended"));
    }
    if sums.over_limit > 0 {
        why.push(text::count(sums.over_limit, "is over a limit", "are over a limit"));
    }
    BelowView {
        direct: frame.account().children_count,
        note: sums.note(),
        sums,
        lists_children: frame.may::<ReadAccounts>(),
        blocked: text::count(sums.not_ready(), "account below cannot provision", "accounts below cannot provision"),
        why: format!("{}.", why.join(", ")),
    }
}

fn change(entry: Latest, frame: &Frame) -> Change {
    let (id, mut account, closed) = entry.account.unwrap_or_default();
    if entry.still_below.is_none() && id != frame.account().id {
        // It moved away: what it is called now is not for this account's people.
        account = "An account that was below".to_owned();
    }
    let here = id == frame.account().id;
    let href = if here || closed.is_some() || entry.still_below.is_none() {
        String::new()
    } else {
        format!("/a/{id}/dashboard")
    };
    let kind = EventType::of_code(&entry.event_type);
    // An entry about the account itself would name it twice.
    let subject = if entry.subject_name == account { String::new() } else { entry.subject_name };
    Change {
        what: kind.map_or("Changed", EventType::words),
        subject,
        account,
        href,
        who: entry.actor.map_or_else(|| "System".to_owned(), |(first, last)| format!("{first} {last}")),
        at: entry.at.into(),
    }
}

/// What the person may do from here, most needed first.
fn links(frame: &Frame, readiness: &Readiness) -> Vec<(&'static str, String)> {
    let agreed = readiness.missing.is_empty();
    let all = [
        (!agreed && frame.may::<UpdateAccounts>(), "Review and accept the agreements", "consent"),
        (!readiness.payer.exists() && frame.may::<CreateBilling>(), "Add a new payment method", "billing/new"),
        (frame.may::<CreateAccounts>(), "Add a new child account…", "child-accounts/new"),
        (frame.may::<ReadAccounts>(), "Child Accounts", "child-accounts"),
        (frame.may::<ReadBilling>(), "Billing", "billing"),
        (frame.may::<UpdateAccounts>(), "Account Settings", "settings"),
        (frame.may::<ReadAudit>(), "Audit Log", "audit-log"),
        (frame.may::<ReadMembers>(), "Who can reach this account", "reach"),
        (true, "Your roles here", "your-roles"),
    ];
    let id = &frame.account().id;
    let open = all.into_iter().filter(|(may, ..)| *may);
    open.map(|(_, label, section)| (label, format!("/a/{id}/{section}"))).collect()
}
