//! Who else could do it: people to be named where somebody may not, as far as the asking person may know of them.

use std::collections::HashSet;

use diesel::prelude::*;

use super::Frame;
use super::lookup::scope;
use super::policy::{Action, Permission, Permissions, Resource, Verb};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, one_of};
use crate::store::schema::{assignments, roles, users};

/// Up to three people whose roles at the account or above let them do `A` in it.
pub fn holders<A: Action>(db: &mut Db, frame: &Frame) -> Result<Vec<String>, Problem> {
    able(db, frame, |one| one.reaches_here() && A::NEEDS.met_by(one.held))
}

/// Up to three people who may do `A` at an account above this one of the chain, and in everything below that.
pub fn holders_above<A: Action>(db: &mut Db, frame: &Frame, of: Key) -> Result<Vec<String>, Problem> {
    let level = |key: Key| frame.chain.iter().position(|step| step.place.key == key);
    let Some(top) = level(of) else { return Ok(Vec::new()) };
    able(db, frame, |one| {
        let above = match (level(one.at), one.scope) {
            (Some(at), scope::HERE_AND_BELOW) => at < top,
            // It begins one level further down.
            (Some(at), scope::BELOW) => at + 1 < top,
            _ => false,
        };
        above && A::NEEDS.met_by(one.held)
    })
}

/// Up to three people whose role lets them give somebody this power in the account: nobody gives what they lack.
pub fn givers(db: &mut Db, frame: &Frame, power: Permission) -> Result<Vec<String>, Problem> {
    let gives = |held: Permissions| held.allow(Permission(Resource::Members, Verb::Update)) && held.allow(power);
    able(db, frame, |one| one.reaches_here() && gives(one.held))
}

/// Assignments looked through for people to name.
const LOOKED_THROUGH: i64 = 500;
const NAMED: usize = 3;

/// One assignment along the chain.
struct One<'a> {
    at: Key,
    /// The account in the address.
    here: Key,
    scope: &'a str,
    held: Permissions,
}

impl One<'_> {
    fn reaches_here(&self) -> bool {
        if self.at == self.here { self.scope != scope::BELOW } else { self.scope != scope::HERE }
    }
}

/// Nearest first, never the asking actor; only people whose role was given at an account that the actor may see.
fn able(db: &mut Db, frame: &Frame, enough: impl Fn(One<'_>) -> bool) -> Result<Vec<String>, Problem> {
    let here = frame.account().key;
    let visible: Vec<Key> =
        frame.chain.iter().rev().filter(|step| !step.held.is_empty()).map(|step| step.place.key).collect();
    let mut rows = assignments::table
        .inner_join(users::table.on(users::key.eq(assignments::user_key)))
        .inner_join(roles::table.on(roles::key.eq(assignments::role_key)))
        .filter(one_of(assignments::account_key, &visible))
        .filter(users::key.ne(frame.actor.key))
        .filter(assignments::ends_at.gt(ids::now()))
        .order((assignments::created_at, assignments::key))
        .limit(LOOKED_THROUGH)
        .select((
            (assignments::account_key, assignments::scope, roles::permissions),
            (users::key, users::first_name, users::last_name),
        ))
        .rows::<((Key, String, i64), (Key, String, String))>(db)?;
    rows.retain(|((at, scope, bits), _)| enough(One { at: *at, here, scope, held: Permissions(*bits) }));
    rows.sort_by_key(|((at, ..), _)| visible.iter().position(|key| key == at));
    let mut seen = HashSet::new();
    let people = rows.into_iter().filter(|(_, (user, ..))| seen.insert(*user));
    Ok(people.take(NAMED).map(|(_, (_, first, last))| format!("{first} {last}")).collect())
}
