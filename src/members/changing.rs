//! What somebody has at an account: giving it, taking it away, leaving. Nobody gives more than they hold, nobody
//! touches somebody who holds more than they do, and a root account keeps an administrator.

use chrono::NaiveDateTime;

use super::store::{self, Held, Person, list};
use super::{NewAssignment, assign};
use crate::access::policy::{Action, DeleteMembers, LeaveAccount, UpdateMembers};
use crate::access::{Frame, Grant, Scope};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids;
use crate::limits::{self, Resource};
use crate::problem::{Problem, Reason};
use crate::roles::{self, Role};
use crate::store::Db;

/// A role that somebody shall have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub role_id: String,
    pub scope: Scope,
    /// [`ids::never`] where it has no end.
    pub ends_at: NaiveDateTime,
}

/// What a page showed before somebody decided: the operation refuses (Conflict(Unconfirmed)) when it is not so any
/// more. None for callers that looked at nothing.
pub type Seen<'a> = Option<&'a str>;

/// What somebody has at the account in one line, to tell whether it changed since it was looked at.
pub fn stamp(held: &[Held]) -> String {
    let line = |one: &Held| format!("{} {} {}", one.role_id, one.scope.code(), one.ends_at);
    ids::sha256_hex(held.iter().map(line).collect::<Vec<_>>().join("\n").as_bytes())[..32].to_owned()
}

/// Makes these the roles that somebody has at the account itself, in place of those they had. For people who are in
/// its list of members already, directly or from above; others are invited. NotFound for anybody else, Invalid when
/// no role is wanted or an end is past, Conflict(MoreThanHeld), Conflict(AdminAccessMustExist), Conflict(LimitReached).
pub fn give(
    db: &mut Db,
    by: &Grant<UpdateMembers>,
    user_id: &str,
    wanted: &[Wanted],
    seen: Seen<'_>,
) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let (person, held) = member(db, by.frame(), user_id)?;
        confirmed(&held, seen)?;
        let live: Vec<&Held> = held.iter().filter(|one| one.is_live()).collect();
        commands(by, &live)?;
        let chosen = choose(db, by.frame(), wanted, &live)?;
        if live.is_empty() {
            limits::room_for_one(db, by.account().key, Resource::Member)?;
        }
        let is_kept = |one: &Held| {
            chosen.iter().any(|(role, w)| role.key == one.role && w.scope == one.scope && w.ends_at == one.ends_at)
        };
        let gone: Vec<_> = live.iter().filter(|one| !is_kept(one)).map(|one| one.key).collect();
        store::delete(db, by.account().key, &gone)?;
        for (role, wanted) in &chosen {
            if !live.iter().any(|one| one.role == role.key && is_kept(one)) {
                assign(db, &new_assignment(by, person.key, role, wanted))?;
            }
        }
        keeps_administrator(db, by)?;
        let after: Vec<Held> =
            store::held_at(db, by.account().key, person.key)?.into_iter().filter(Held::is_live).collect();
        let kind = if live.is_empty() { EventType::AccountMemberCreate } else { EventType::AccountMemberUpdate };
        Ok(((), told(Event::new(kind, subject(&person)), &live, &after.iter().collect::<Vec<_>>())))
    })
}

/// Takes every role that somebody has at the account itself. NotFound when they have none, so that a second removal
/// does nothing; Conflict(MoreThanHeld) when the member holds more than the one who removes;
/// Conflict(AdminAccessMustExist) when a root account would lose its last direct administrator.
pub fn remove(db: &mut Db, by: &Grant<DeleteMembers>, user_id: &str, seen: Seen<'_>) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let person = store::person(db, user_id)?;
        take_all(db, by, &person, seen, true)
    })
}

/// Takes every role that the actor has at the account itself.
pub fn leave(db: &mut Db, by: &Grant<LeaveAccount>, seen: Seen<'_>) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let person = store::person(db, &by.actor().id)?;
        take_all(db, by, &person, seen, false)
    })
}

fn take_all<A: Action>(
    db: &mut Db,
    by: &Grant<A>,
    person: &Person,
    seen: Seen<'_>,
    from_another: bool,
) -> Result<((), Event), Problem> {
    let held = store::held_at(db, by.account().key, person.key)?;
    if held.is_empty() {
        return Err(Problem::NotFound);
    }
    confirmed(&held, seen)?;
    let live: Vec<&Held> = held.iter().filter(|one| one.is_live()).collect();
    if from_another {
        commands(by, &live)?;
    }
    store::delete(db, by.account().key, &held.iter().map(|one| one.key).collect::<Vec<_>>())?;
    keeps_administrator(db, by)?;
    Ok(((), told(Event::new(EventType::AccountMemberDelete, subject(person)), &live, &[])))
}

fn confirmed(held: &[Held], seen: Seen<'_>) -> Result<(), Problem> {
    match seen {
        Some(seen) if seen != stamp(held) => Err(Problem::Conflict(Reason::Unconfirmed)),
        _ => Ok(()),
    }
}

/// Somebody in the account's list of members with everything they have at the account itself.
pub fn member(db: &mut Db, frame: &Frame, user_id: &str) -> Result<(Person, Vec<Held>), Problem> {
    let person = store::person(db, user_id)?;
    let held = store::held_at(db, frame.account().key, person.key)?;
    let since = list::shown_since();
    if !held.iter().any(|one| one.ends_at > since) && !store::inherits(db, frame, person.key)? {
        return Err(Problem::NotFound);
    }
    Ok((person, held))
}

/// Nobody changes or removes somebody who was given more here than they hold themselves.
fn commands<A: Action>(by: &Grant<A>, live: &[&Held]) -> Result<(), Problem> {
    let covered = live.iter().all(|one| by.frame().covers(one.permissions, one.scope));
    if covered { Ok(()) } else { Err(Problem::Conflict(Reason::MoreThanHeld)) }
}

fn keeps_administrator<A: Action>(db: &mut Db, by: &Grant<A>) -> Result<(), Problem> {
    if by.account().depth > 0 { Ok(()) } else { roles::keeps_administrator(db, by.account().key) }
}

/// The roles as they can be given here by this person. `had`: what stays as it is needs no giving.
pub(super) fn choose(
    db: &mut Db,
    frame: &Frame,
    wanted: &[Wanted],
    had: &[&Held],
) -> Result<Vec<(Role, Wanted)>, Problem> {
    if wanted.is_empty() {
        return Err(Problem::invalid("roles", "Choose at least one role"));
    }
    if wanted.iter().any(|one| one.ends_at <= ids::now()) {
        return Err(Problem::invalid("ends_on", "The end must be in the future"));
    }
    let available = roles::available(db, frame)?;
    let mut chosen: Vec<(Role, Wanted)> = Vec::with_capacity(wanted.len());
    for one in wanted {
        let Some(role) = available.iter().find(|role| role.id == one.role_id) else {
            return Err(Problem::invalid("roles", "One of these roles does not exist any more. Choose again"));
        };
        if chosen.iter().any(|(known, _)| known.key == role.key) {
            return Err(Problem::invalid("roles", "The same role is there twice. Choose again"));
        }
        chosen.push((role.clone(), one.clone()));
    }
    let covered = |(role, one): &(Role, Wanted)| {
        let stays = |held: &&Held| (held.role, held.scope, held.ends_at) == (role.key, one.scope, one.ends_at);
        had.iter().any(stays) || frame.covers_until(role.permissions, one.scope, one.ends_at)
    };
    if chosen.iter().all(covered) { Ok(chosen) } else { Err(Problem::Conflict(Reason::MoreThanHeld)) }
}

fn new_assignment<A: Action>(by: &Grant<A>, user: ids::Key, role: &Role, wanted: &Wanted) -> NewAssignment {
    NewAssignment {
        account: by.account().key,
        user,
        role: role.key,
        role_account: role.account,
        scope: wanted.scope,
        ends_at: wanted.ends_at,
        granted_by: Some(by.actor().key),
    }
}

pub(super) fn subject(person: &Person) -> Subject {
    Subject::new("ACCOUNT_MEMBER", &person.id, &person.name())
}

/// What somebody had and has, as the log tells it.
fn told(event: Event, before: &[&Held], after: &[&Held]) -> Event {
    let names = |held: &[&Held]| held.iter().map(|one| one.role_name.clone()).collect::<Vec<_>>().join(", ");
    let scopes = |held: &[&Held]| each(held, |one| one.scope.words().to_owned());
    let ends = |held: &[&Held]| each(held, |one| end_words(one.ends_at));
    let one = |event: Event, field: &'static str, before: String, after: String| match (&*before, &*after) {
        ("", "") => event,
        ("", after) => event.with(field, after),
        (before, "") => event.without(field, before),
        (before, after) => event.changed(field, before, after),
    };
    let event = one(event, "roles", names(before), names(after));
    let event = one(event, "scope", scopes(before), scopes(after));
    one(event, "endsAt", ends(before), ends(after))
}

/// One text where it is the same for all roles, else one for each.
fn each(held: &[&Held], text: impl Fn(&Held) -> String) -> String {
    let texts: Vec<String> = held.iter().map(|one| text(one)).collect();
    match texts.first() {
        None => String::new(),
        Some(first) if texts.iter().all(|text| text == first) => first.clone(),
        Some(_) => held
            .iter()
            .zip(&texts)
            .map(|(one, text)| format!("{}: {text}", one.role_name))
            .collect::<Vec<_>>()
            .join("; "),
    }
}

/// The end as the log says it.
pub(super) fn end_words(ends_at: NaiveDateTime) -> String {
    if ends_at == ids::never() { "never".to_owned() } else { crate::web::when::iso(ends_at) }
}
