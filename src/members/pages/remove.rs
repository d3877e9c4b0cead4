//! Removing a member, and leaving: each a page of its own that says first what stays by inheritance and whether it is
//! possible at all, and carries out only the answer to what it showed.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::change::{SEEN, is_last};
use super::view::{self, RoleLine};
use crate::access::policy::{Action, DeleteMembers, LeaveAccount, Needs, ReadMembers};
use crate::access::{Grant, In, lookup};
use crate::members::store::list;
use crate::members::{Held, Person, changing, held_at};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::web::site::Keep;
use crate::web::{Filled, Reply, Section, Sent, Shell, Site, once};

#[derive(Template)]
#[template(path = "members/remove.html")]
struct RemovePage {
    shell: Shell,
    account_name: String,
    form: Filled,
    seen: String,
    /// Who goes, and how the sentences call them: "Ann", or "You".
    who: String,
    own: Vec<RoleLine>,
    inherited: Vec<RoleLine>,
    /// Why it cannot be done, in words; empty when it can.
    refusal: String,
    verb: String,
    keep: String,
    back: String,
    is_me: bool,
    again: bool,
}

/// What goes and what stays, read at one moment.
struct Read {
    person: Person,
    held: Vec<Held>,
    own: Vec<RoleLine>,
    inherited: Vec<RoleLine>,
    last_administrator: bool,
}

fn read<A: Action>(db: &mut Db, by: &In<A>, member: &str) -> Result<Read, Problem> {
    let account = by.frame().account();
    let (person, held) = changing::member(db, by.frame(), member)?;
    let (own, inherited) = view::split(by.frame(), &list::reaching(db, account.key, &[person.key])?);
    let last_administrator = is_last(db, account.depth, account.key, person.key)?;
    Ok(Read { person, held, own, inherited, last_administrator })
}

/// GET /a/{account}/members/{member}/remove
pub async fn confirm(by: In<DeleteMembers>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    page(&by, &site, &path.1, false, false).await
}

/// GET /a/{account}/members/leave
pub async fn confirm_leave(by: In<LeaveAccount>, site: Site) -> Result<HttpResponse, Problem> {
    let me = by.actor().id.clone();
    page(&by, &site, &me, true, false).await
}

async fn page<A: Action>(
    by: &In<A>,
    site: &Site,
    member: &str,
    is_me: bool,
    again: bool,
) -> Result<HttpResponse, Problem> {
    let (grant, id) = (by.clone(), member.to_owned());
    let Read { person, held, own, inherited, last_administrator } =
        site.pool.read(move |db| read(db, &grant, &id)).await?;
    if held.is_empty() {
        let home = home(by);
        let words = if is_me { "!Your roles here come from an account above; they end there." } else { NOT_DIRECT };
        return Ok(site.see(&Reply::to(home, words)));
    }
    let beyond = held.iter().any(|one| one.is_live() && !by.frame().covers(one.permissions, one.scope));
    let account_name = by.account().name.clone();
    let name = person.name();
    let refusal = if last_administrator {
        Reason::AdminAccessMustExist
    } else if beyond && !is_me {
        Reason::MoreThanHeld
    } else {
        Reason::Unconfirmed
    };
    let heading = if is_me { format!("Leave {account_name}?") } else { format!("Remove {name} from {account_name}?") };
    let page = RemovePage {
        shell: site.shell(by, if is_me && !reads(by) { Section::Dashboard } else { Section::Members }, &heading),
        form: Filled::with([]),
        seen: changing::stamp(&held),
        refusal: match refusal {
            Reason::AdminAccessMustExist if is_me => {
                "You are the last administrator of this account, and somebody must stay in charge. Make somebody else an administrator without an end date first.".to_owned()
            }
            Reason::AdminAccessMustExist => {
                format!("{name} is the last administrator of this account, and somebody must stay in charge. Make somebody else an administrator without an end date first.")
            }
            Reason::MoreThanHeld => format!("{name} may do more here than you. Ask somebody who may do as much."),
            _ => String::new(),
        },
        verb: if is_me { "Leave this account".to_owned() } else { format!("Remove {name}") },
        keep: if is_me { "Stay".to_owned() } else { format!("Keep {name}") },
        who: if is_me { "You".to_owned() } else { name },
        account_name,
        own,
        inherited,
        back: home(by),
        is_me,
        again,
    };
    let status = if again { StatusCode::CONFLICT } else { StatusCode::OK };
    site.page_with(status, &page, Keep::Nothing)
}

const NOT_DIRECT: &str = "!They have no role at this account itself any more.";

fn reads<A: Action>(by: &In<A>) -> bool {
    by.frame().may::<ReadMembers>()
}

fn home<A: Action>(by: &In<A>) -> String {
    if by.frame().held().is_empty() {
        // Where roles hold below only, the account itself has no page.
        return "/profile".to_owned();
    }
    let section = if reads(by) { Section::Members } else { Section::Dashboard };
    format!("/a/{}/{}", by.account().id, section.slug())
}

/// Where somebody lands who changed members: the list, unless they may not see it, or the account, any more.
pub fn after<A: Action>(db: &mut Db, by: &Grant<A>) -> Result<String, Problem> {
    let id = &by.account().id;
    let held = lookup::frame(db, by.actor().key, id)?.held();
    Ok(match (ReadMembers::NEEDS.met_by(held), Needs::Sight.met_by(held)) {
        (true, _) => format!("/a/{id}/members"),
        (false, true) => format!("/a/{id}/dashboard"),
        (false, false) => "/".to_owned(),
    })
}

/// POST /a/{account}/members/{member}/remove
pub async fn remove(
    by: In<DeleteMembers>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[SEEN])?;
    form.check().finish()?;
    let (grant, member) = (by.clone(), path.1.clone());
    let outcome = site.pool.write(move |db: &mut Db| {
        once(db, grant.actor().key, &form.receipt(), |db| {
            let name = changing::member(db, grant.frame(), &member)?.0.name();
            changing::remove(db, &grant, &member, Some(form.value(SEEN)))?;
            Ok(Reply::to(after(db, &grant)?, format!("{name} is removed.")))
        })
    });
    match outcome.await {
        // Somebody else was quicker; what was wanted is so.
        Err(Problem::NotFound) => Ok(site.see(&Reply::to(home(&by), NOT_DIRECT))),
        Err(Problem::Conflict(Reason::Unconfirmed | Reason::AdminAccessMustExist | Reason::MoreThanHeld)) => {
            page(&by, &site, &path.1, false, true).await
        }
        other => Ok(site.see(&other?)),
    }
}

/// POST /a/{account}/members/leave
pub async fn leave(by: In<LeaveAccount>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[SEEN])?;
    form.check().finish()?;
    let grant = by.clone();
    let outcome = site.pool.write(move |db: &mut Db| {
        once(db, grant.actor().key, &form.receipt(), |db| {
            if held_at(db, grant.account().key, grant.actor().key)?.is_empty() {
                return Err(Problem::NotFound);
            }
            changing::leave(db, &grant, Some(form.value(SEEN)))?;
            Ok(Reply::to(after(db, &grant)?, format!("You left {}.", grant.account().name)))
        })
    });
    match outcome.await {
        Err(Problem::NotFound) => Ok(site.see(&Reply::to("/", "!You have no role at that account itself any more."))),
        Err(Problem::Conflict(Reason::Unconfirmed | Reason::AdminAccessMustExist)) => {
            let me = by.actor().id.clone();
            page(&by, &site, &me, true, true).await
        }
        other => Ok(site.see(&other?)),
    }
}
