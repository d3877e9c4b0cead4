//! Members: users with roles at an account. Today what signing up needs, and removing one under the rule that every
//! root account keeps an administrator; inviting and the pages come next.

use chrono::NaiveDateTime;
use diesel::dsl::count_star;
use diesel::prelude::*;

use crate::access::policy::{DeleteMembers, Permissions};
use crate::access::{Grant, Scope};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::{self, Key};
use crate::problem::{Problem, Reason};
use crate::roles::administrators;
use crate::store::Db;
use crate::store::schema::{assignments, roles, users};

/// A role to be given.
#[derive(Debug, Clone)]
pub struct NewAssignment {
    pub account: Key,
    pub user: Key,
    pub role: Key,
    /// The account that owns the role: the account itself or one above it.
    pub role_account: Key,
    pub scope: Scope,
    /// [`ids::never`] where it has no end.
    pub ends_at: NaiveDateTime,
    pub granted_by: Option<Key>,
}

/// Gives a role. Whoever calls this has checked that it may be given. One that ran out is replaced.
pub fn assign(db: &mut Db, new: &NewAssignment) -> Result<(), Problem> {
    let same = assignments::table
        .filter(assignments::account_key.eq(new.account))
        .filter(assignments::user_key.eq(new.user))
        .filter(assignments::role_key.eq(new.role));
    diesel::delete(same.filter(assignments::ends_at.le(ids::now()))).execute(db)?;
    diesel::insert_into(assignments::table)
        .values((
            assignments::key.eq(ids::next_key()),
            assignments::account_key.eq(new.account),
            assignments::user_key.eq(new.user),
            assignments::role_key.eq(new.role),
            assignments::role_account_key.eq(new.role_account),
            assignments::scope.eq(new.scope.code()),
            assignments::ends_at.eq(new.ends_at),
            assignments::granted_by.eq(new.granted_by),
            assignments::created_at.eq(ids::now()),
        ))
        .execute(db)?;
    Ok(())
}

/// Takes every role that a user has at the account itself. Conflict(AdminAccessMustExist) when a root account would
/// lose its last direct administrator; Forbidden when the member holds more than the one who removes.
pub fn remove(db: &mut Db, by: &Grant<DeleteMembers>, user_id: &str) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let account = by.account();
        let (user, first, last) = users::table
            .filter(users::id.eq(user_id))
            .select((users::key, users::first_name, users::last_name))
            .first::<(Key, String, String)>(db)?;
        let held = permissions_at(db, account.key, user)?.ok_or(Problem::NotFound)?;
        if !by.frame().held().cover(held) {
            let permission = "everything the member may do".to_owned();
            return Err(Problem::Forbidden { permission, helpers: Vec::new() });
        }
        let here = assignments::table.filter(assignments::account_key.eq(account.key));
        diesel::delete(here.filter(assignments::user_key.eq(user))).execute(db)?;
        if account.depth == 0 && administrators(db, account.key)? == 0 {
            return Err(Problem::Conflict(Reason::AdminAccessMustExist));
        }
        let subject = Subject::new("ACCOUNT_MEMBER", user_id, &format!("{first} {last}"));
        Ok(((), Event::new(EventType::AccountMemberDelete, subject)))
    })
}

/// What a direct member's roles at this account add up to; none when they are no direct member.
fn permissions_at(db: &mut Db, account: Key, user: Key) -> Result<Option<Permissions>, Problem> {
    let sets: Vec<i64> = assignments::table
        .inner_join(roles::table.on(roles::key.eq(assignments::role_key)))
        .filter(assignments::account_key.eq(account))
        .filter(assignments::user_key.eq(user))
        .select(roles::permissions)
        .load(db)?;
    Ok(sets.into_iter().map(Permissions).reduce(Permissions::and))
}

/// How many assignments at the account itself hold now.
pub fn count(db: &mut Db, account: Key) -> Result<i64, Problem> {
    let live = assignments::table.filter(assignments::ends_at.gt(ids::now()));
    Ok(live.filter(assignments::account_key.eq(account)).select(count_star()).first(db)?)
}
