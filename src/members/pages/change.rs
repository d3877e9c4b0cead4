//! Giving a member other roles, another reach or another end. The page shows what they have now, what comes from
//! above, and what each choice reaches and allows; a page that is out of date comes back.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::choice::{self, Choice};
use super::view::{self, RoleLine};
use crate::access::In;
use crate::access::policy::{Permissions, UpdateMembers};
use crate::ids::Key;
use crate::members::changing::{self, Wanted};
use crate::members::store::list;
use crate::members::{Held, Person};
use crate::problem::{Errors, Problem, Reason};
use crate::roles::{self, Role};
use crate::store::Db;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};

/// What the page showed of the member's roles, as a stamp.
pub const SEEN: &str = "seen";

#[derive(Template)]
#[template(path = "members/change.html")]
struct ChangePage {
    shell: Shell,
    account: String,
    person: String,
    email: String,
    first: String,
    form: Filled,
    choice: Choice,
    seen: String,
    own: Vec<RoleLine>,
    inherited: Vec<RoleLine>,
    /// The roles differ in reach or end, which one form cannot say.
    differ: bool,
    last_administrator: bool,
    /// The member was given more than the actor holds.
    out_of_reach: bool,
    /// Somebody changed it meanwhile.
    stale: bool,
}

/// Everything the page shows, read at one moment.
struct Read {
    person: Person,
    held: Vec<Held>,
    own: Vec<RoleLine>,
    inherited: Vec<RoleLine>,
    /// What accounts above give the member here.
    from_above: Permissions,
    roles: Vec<Role>,
    below: i64,
    last_administrator: bool,
}

fn read(db: &mut Db, by: &In<UpdateMembers>, member: &str) -> Result<Read, Problem> {
    let frame = by.frame();
    let account = frame.account();
    let (person, held) = changing::member(db, frame, member)?;
    let reaching = list::reaching(db, account.key, &[person.key])?;
    let above = reaching.iter().filter(|one| one.at != account.key).map(|one| one.permissions);
    let from_above = above.fold(Permissions::NONE, Permissions::and);
    let (own, inherited) = view::split(frame, &reaching);
    let (roles, below) = choice::read(db, frame)?;
    let last_administrator = is_last(db, account.depth, account.key, person.key)?;
    Ok(Read { person, held, own, inherited, from_above, roles, below, last_administrator })
}

/// Whether nobody else could be in charge of the root account without this person.
pub fn is_last(db: &mut Db, depth: i64, account: Key, user: Key) -> Result<bool, Problem> {
    Ok(depth == 0 && !roles::administrator_besides(db, account, user)?)
}

/// The form as the member's roles are now.
fn fill(held: &[Held]) -> Filled {
    let live: Vec<&Held> = held.iter().filter(|one| one.is_live()).collect();
    let scope = live.first().map_or("", |one| one.scope.code());
    let end = live.iter().map(|one| one.ends_at).max().map(view::date).unwrap_or_default();
    let mut form = Filled::with([(choice::SCOPE, scope), (choice::ENDS_ON, &*end)]);
    for one in live {
        form.set(&format!("role_{}", one.role_id), "yes");
    }
    form
}

/// GET /a/{account}/members/{member}/change
pub async fn edit(by: In<UpdateMembers>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let restored = site.restored(by.actor().key).await?;
    page(&by, &site, &path.1, restored, false).await
}

async fn page(
    by: &In<UpdateMembers>,
    site: &Site,
    member: &str,
    returned: Option<Filled>,
    stale: bool,
) -> Result<HttpResponse, Problem> {
    let (grant, id) = (by.clone(), member.to_owned());
    let Read { person, held, own, inherited, from_above, roles, below, last_administrator } =
        site.pool.read_long(move |db| read(db, &grant, &id)).await?;
    let live: Vec<&Held> = held.iter().filter(|one| one.is_live()).collect();
    let differ = live.windows(2).any(|two| (two[0].scope, two[0].ends_at) != (two[1].scope, two[1].ends_at));
    let out_of_reach = live.iter().any(|one| !by.frame().covers(one.permissions, one.scope));
    let form = returned.filter(|_| !stale).unwrap_or_else(|| fill(&held));
    let failed = form.failed() || stale;
    let page = ChangePage {
        shell: site.shell(by, Section::Members, &format!("Change {}", person.name())).failing(failed),
        account: by.account().id.clone(),
        person: person.name(),
        email: person.email,
        choice: Choice::of(by.frame(), &roles, below, &form).adding_to(&person.first_name, from_above, &roles),
        first: person.first_name,
        seen: changing::stamp(&held),
        form,
        own,
        inherited,
        differ,
        last_administrator,
        out_of_reach,
        stale,
    };
    match (stale, failed) {
        (true, _) => site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing),
        (_, true) => site.refused(&page),
        _ => site.page(&page, Keep::Nothing),
    }
}

/// POST /a/{account}/members/{member}/change
pub async fn update(
    by: In<UpdateMembers>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let (grant, member) = (by.clone(), path.1.clone());
    let read = move |db: &mut Db| {
        let person = changing::member(db, grant.frame(), &member)?.0;
        Ok((roles::available(db, grant.frame())?, person))
    };
    let (roles, person) = site.pool.read(read).await?;
    let names: Vec<String> = roles.iter().map(choice::field).collect();
    let form = site.open(&by, sent, &choice::fields(&names, &[SEEN]))?;
    let (grant, copy) = (by.clone(), form.clone());
    let outcome = site.pool.write(move |db: &mut Db| {
        let wanted = checked(&copy, &grant, &roles)?;
        once(db, grant.actor().key, &copy.receipt(), |db| {
            changing::give(db, &grant, &person.id, &wanted, Some(copy.value(SEEN)))?;
            Ok(Reply::to(super::remove::after(db, &grant)?, format!("{} is changed.", person.name())))
        })
    });
    match outcome.await {
        Ok(reply) => Ok(site.see(&reply)),
        Err(Problem::Invalid(errors)) => page(&by, &site, &path.1, Some(form.filled(errors)), false).await,
        Err(Problem::Conflict(Reason::Unconfirmed)) => page(&by, &site, &path.1, None, true).await,
        Err(Problem::Conflict(reason @ (Reason::MoreThanHeld | Reason::AdminAccessMustExist))) => {
            let words = reason.words();
            let errors = Errors::one("roles", format!("{}. {}", words.heading, words.happened));
            page(&by, &site, &path.1, Some(form.filled(errors)), false).await
        }
        Err(Problem::Conflict(reason @ Reason::LimitReached { .. })) => {
            let errors = Errors::one("roles", reason.in_form());
            page(&by, &site, &path.1, Some(form.filled(errors)), false).await
        }
        Err(other) => Err(other),
    }
}

fn checked(form: &Form, by: &In<UpdateMembers>, roles: &[Role]) -> Result<Vec<Wanted>, Problem> {
    let mut check = form.check();
    let chosen = choice::check(&mut check, by.frame(), roles);
    check.finish()?;
    let wanted = |role_id| Wanted { role_id, scope: chosen.scope, ends_at: chosen.ends_at };
    Ok(chosen.role_ids.into_iter().map(wanted).collect())
}
