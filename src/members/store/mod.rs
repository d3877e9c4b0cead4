//! Rows of members: who somebody is, and what they were given at one account. No permission is decided here.

pub mod invitations;
pub mod list;

use chrono::NaiveDateTime;
use diesel::dsl::{count as counted, count_star, exists, select};
use diesel::prelude::*;

use super::NewAssignment;
use crate::access::lookup::scope;
use crate::access::policy::Permissions;
use crate::access::{Frame, Scope};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::Run;
use crate::store::schema::{assignments, roles, users};

/// Somebody, as members know each other.
#[derive(Debug, Clone, Queryable)]
pub struct Person {
    pub key: Key,
    pub id: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
}

impl Person {
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }
}

/// One role that somebody has at the account itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub key: Key,
    pub role: Key,
    pub role_id: String,
    pub role_name: String,
    pub permissions: Permissions,
    pub scope: Scope,
    pub ends_at: NaiveDateTime,
}

impl Held {
    pub fn is_live(&self) -> bool {
        self.ends_at > ids::now()
    }
}

pub fn person(db: &mut Db, user_id: &str) -> Result<Person, Problem> {
    if !ids::looks_like_id("user", user_id) {
        return Err(Problem::NotFound);
    }
    let row = users::table.filter(users::id.eq(user_id));
    Ok(row.select((users::key, users::id, users::first_name, users::last_name, users::email)).first_row(db)?)
}

/// Everything somebody has at the account itself, also what ended, by the role's name.
pub fn held_at(db: &mut Db, account: Key, user: Key) -> Result<Vec<Held>, Problem> {
    type Row = (Key, Key, String, String, i64, String, NaiveDateTime);
    let rows: Vec<Row> = assignments::table
        .inner_join(roles::table.on(roles::key.eq(assignments::role_key)))
        .filter(assignments::account_key.eq(account))
        .filter(assignments::user_key.eq(user))
        .order((roles::name_key, roles::key))
        .select((
            assignments::key,
            roles::key,
            roles::id,
            roles::name,
            roles::permissions,
            assignments::scope,
            assignments::ends_at,
        ))
        .rows(db)?;
    let held = |(key, role, role_id, role_name, bits, code, ends_at): Row| {
        let scope = Scope::of_code(&code).ok_or_else(|| Problem::bug("an assignment has a scope of its own"))?;
        Ok(Held { key, role, role_id, role_name, permissions: Permissions(bits), scope, ends_at })
    };
    rows.into_iter().map(held).collect()
}

/// Whether something that was given at an account above reaches the account.
pub fn inherits(db: &mut Db, frame: &Frame, user: Key) -> Result<bool, Problem> {
    let here = frame.account().key;
    let above: Vec<Key> = frame.chain.iter().map(|step| step.place.key).filter(|key| *key != here).collect();
    let given = assignments::table
        .filter(assignments::account_key.eq_any(above))
        .filter(assignments::user_key.eq(user))
        .filter(assignments::scope.ne(scope::HERE))
        .filter(assignments::ends_at.gt(ids::now()));
    Ok(select(exists(given)).row(db)?)
}

pub fn insert(db: &mut Db, new: &NewAssignment) -> Result<(), Problem> {
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

/// Takes the role away if it ended.
pub fn delete_ended(db: &mut Db, account: Key, user: Key, role: Key) -> Result<(), Problem> {
    let same = assignments::table
        .filter(assignments::account_key.eq(account))
        .filter(assignments::user_key.eq(user))
        .filter(assignments::role_key.eq(role));
    diesel::delete(same.filter(assignments::ends_at.le(ids::now()))).execute(db)?;
    Ok(())
}

pub fn delete(db: &mut Db, account: Key, keys: &[Key]) -> Result<(), Problem> {
    let here = assignments::table.filter(assignments::account_key.eq(account));
    diesel::delete(here.filter(assignments::key.eq_any(keys.to_vec()))).execute(db)?;
    Ok(())
}

/// How many assignments at the account itself hold now.
pub fn count(db: &mut Db, account: Key) -> Result<i64, Problem> {
    let live = assignments::table.filter(assignments::ends_at.gt(ids::now()));
    Ok(live.filter(assignments::account_key.eq(account)).select(count_star()).first_row(db)?)
}

/// How many people have a role at the account itself that holds now.
pub fn people(db: &mut Db, account: Key) -> Result<i64, Problem> {
    let live = assignments::table.filter(assignments::ends_at.gt(ids::now()));
    let of_account = live.filter(assignments::account_key.eq(account));
    Ok(of_account.select(counted(assignments::user_key).aggregate_distinct()).first_row(db)?)
}

/// What somebody is called.
pub fn name(db: &mut Db, user: Key) -> Result<String, Problem> {
    let names = users::table.find(user).select((users::first_name, users::last_name));
    let (first, last) = names.first_row::<(String, String)>(db)?;
    Ok(format!("{first} {last}"))
}
