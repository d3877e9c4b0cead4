//! The question before a branch is suspended or resumed, with what it touches in numbers. The form carries the stamp of
//! what was shown; when the numbers are others by then, the question comes again.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::{Effects, LONGEST_REASON, effects};
use crate::access::policy::{Action, LimitAccounts, SuspendAccounts};
use crate::access::{In, Place, lookup};
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::text;
use crate::web::route::{Route, get, post};
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};

pub fn routes() -> Vec<Route> {
    vec![
        get("/a/{account}/child-accounts/{child}/suspend", ask_suspend),
        post("/a/{account}/child-accounts/{child}/suspend", suspend),
        get("/a/{account}/child-accounts/{child}/resume", ask_resume),
        post("/a/{account}/child-accounts/{child}/resume", resume),
    ]
}

const REASON: &str = "reason";
/// The stamp of the effects that somebody saw before confirming.
const SEEN: &str = "seen";

#[derive(Template)]
#[template(path = "suspension/ask.html")]
struct AskPage {
    shell: Shell,
    account: String,
    child: Place,
    path: String,
    form: Filled,
    resume: bool,
    seen: String,
    /// The effects changed since they were shown.
    again: bool,
    effects: Effects,
    since: Option<When>,
    lines: Vec<String>,
    longest: usize,
    may_limit: bool,
}

/// GET /a/{account}/child-accounts/{child}/suspend
pub async fn ask_suspend(
    by: In<SuspendAccounts>,
    site: Site,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let form = site.start_form(by.actor().key, Filled::with([])).await?;
    page(&by, &site, &path.1, false, form, false).await
}

/// GET /a/{account}/child-accounts/{child}/resume
pub async fn ask_resume(
    by: In<SuspendAccounts>,
    site: Site,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    page(&by, &site, &path.1, true, Filled::with([]), false).await
}

async fn page(
    by: &In<SuspendAccounts>,
    site: &Site,
    child: &str,
    resume: bool,
    form: Filled,
    again: bool,
) -> Result<HttpResponse, Problem> {
    let (grant, id) = (by.clone(), child.to_owned());
    let read = move |db: &mut Db| {
        let child = lookup::below(db, &grant, &id)?;
        let effects = effects(db, child.key)?;
        let names = lookup::paths(db, &[child.key], grant.account().depth)?.remove(&child.key);
        Ok((child, effects, names.unwrap_or_default().join(" / ")))
    };
    let (child, effects, path) = site.pool.read_long(read).await?;
    let verb = if resume { "Resume" } else { "Suspend" };
    let failed = form.failed() || again;
    let page = AskPage {
        shell: site.shell(by, Section::ChildAccounts, &format!("{verb} {}?", child.name)).failing(failed),
        account: by.account().id.clone(),
        path,
        form,
        resume,
        seen: effects.stamp(),
        again,
        since: effects.own.as_ref().map(|own| own.since.into()),
        lines: if resume { resuming(&effects) } else { suspending(&effects) },
        effects,
        longest: LONGEST_REASON,
        may_limit: LimitAccounts::NEEDS.met_by(by.frame().held()),
        child,
    };
    match (again, failed) {
        (true, _) => site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing),
        (_, true) => site.refused(&page),
        _ => site.page(&page, Keep::Nothing),
    }
}

/// What suspending does, in numbers.
fn suspending(effects: &Effects) -> Vec<String> {
    let below = effects.accounts - 1;
    let mut lines = vec![match below {
        0 => "1 account starts nothing new. It has none below it.".to_owned(),
        n => {
            let all = text::count(n + 1, "account starts", "accounts start");
            format!("{all} nothing new: it and the {} below it.", text::grouped(n))
        }
    }];
    if effects.already > 0 {
        let those = text::count(effects.already, "of them is", "of them are");
        lines.push(format!("{those} suspended already, and stay so when this is resumed."));
    }
    lines.push(format!("{} running.", text::count(effects.live, "live connection keeps", "live connections keep")));
    lines.push(format!(
        "{} until it is resumed.",
        text::count(effects.waiting, "order that has not begun waits", "orders that have not begun wait")
    ));
    lines.push(format!("{} as they are.", text::count(effects.ports, "active port stays", "active ports stay")));
    lines.push("Members can enter as before; agreements, payment, members and invoices go on.".to_owned());
    lines
}

/// What resuming does, in numbers.
fn resuming(effects: &Effects) -> Vec<String> {
    let free = effects.accounts - effects.already;
    let mut lines = Vec::new();
    if effects.above {
        lines.push(
            "An account above it is suspended too: nothing new starts here before that one is resumed.".to_owned(),
        );
    } else {
        lines.push(format!("{} new work again.", text::count(free, "account may start", "accounts may start")));
        lines.push(format!("{} on.", text::count(effects.waiting, "order that waits goes", "orders that wait go")));
    }
    lines.push(match effects.already {
        0 => "0 accounts below stay suspended.".to_owned(),
        n => format!(
            "{} suspended: below is an act of its own.",
            text::count(n, "account below stays", "accounts below stay")
        ),
    });
    lines
}

/// POST /a/{account}/child-accounts/{child}/suspend
pub async fn suspend(
    by: In<SuspendAccounts>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[REASON, SEEN])?;
    let (grant, copy, child) = (by.clone(), form.clone(), path.1.clone());
    let done = site.pool.write(move |db: &mut Db| {
        let child = lookup::below(db, &grant, &child)?;
        let mut check = copy.check();
        let reason = check.line(REASON, "Reason", 0, LONGEST_REASON);
        check.finish()?;
        once(db, grant.actor().key, &copy.receipt(), |db| {
            super::suspend(db, &grant, &child.id, &reason, Some(copy.value(SEEN)))?;
            Ok(reply(&grant, format!("{} is suspended.", child.name)))
        })
    });
    answer(&by, &site, &path.1, false, form, done.await).await
}

/// POST /a/{account}/child-accounts/{child}/resume
pub async fn resume(
    by: In<SuspendAccounts>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[SEEN])?;
    let (grant, copy, child) = (by.clone(), form.clone(), path.1.clone());
    let done = site.pool.write(move |db: &mut Db| {
        let child = lookup::below(db, &grant, &child)?;
        copy.check().finish()?;
        once(db, grant.actor().key, &copy.receipt(), |db| {
            super::resume(db, &grant, &child.id, Some(copy.value(SEEN)))?;
            Ok(reply(&grant, format!("{} is resumed.", child.name)))
        })
    });
    answer(&by, &site, &path.1, true, form, done.await).await
}

fn reply<A: Action>(by: &In<A>, sentence: String) -> Reply {
    Reply::to(format!("/a/{}/child-accounts", by.account().id), sentence)
}

async fn answer(
    by: &In<SuspendAccounts>,
    site: &Site,
    child: &str,
    resume: bool,
    form: Form,
    done: Result<Reply, Problem>,
) -> Result<HttpResponse, Problem> {
    match done {
        Ok(reply) => Ok(site.see(&reply)),
        Err(Problem::Invalid(errors)) => page(by, site, child, resume, form.filled(errors), false).await,
        Err(Problem::Conflict(Reason::Unconfirmed)) => {
            page(by, site, child, resume, form.filled(Errors::default()), true).await
        }
        Err(other) => Err(other),
    }
}
