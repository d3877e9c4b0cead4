//! Rows of authenticator apps, passkeys and recovery codes, and the challenges that were answered.

use std::collections::HashSet;

use chrono::{Duration, NaiveDateTime};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, one_of};
use crate::store::schema::{authenticator_apps, passkeys, recovery_codes, spent_challenges, users};

/// The authenticator app of somebody.
#[derive(Debug, Clone, Queryable)]
pub struct AppRow {
    pub sealed: String,
    pub created_at: NaiveDateTime,
    pub last_used_at: Option<NaiveDateTime>,
}

pub fn app(db: &mut Db, user: Key) -> Result<Option<AppRow>, Problem> {
    use authenticator_apps::{created_at, last_used_at, sealed};
    Ok(authenticator_apps::table.find(user).select((sealed, created_at, last_used_at)).first_row(db).optional()?)
}

/// Puts the app in place of the one before; whether there was one.
pub fn put_app(db: &mut Db, user: Key, sealed: &str, step: i64) -> Result<bool, Problem> {
    let replaced = delete_app(db, user)?;
    diesel::insert_into(authenticator_apps::table)
        .values((
            authenticator_apps::user_key.eq(user),
            authenticator_apps::sealed.eq(sealed),
            authenticator_apps::last_step.eq(step),
            authenticator_apps::created_at.eq(ids::now()),
        ))
        .execute(db)?;
    Ok(replaced)
}

pub fn delete_app(db: &mut Db, user: Key) -> Result<bool, Problem> {
    Ok(diesel::delete(authenticator_apps::table.find(user)).execute(db)? > 0)
}

/// Marks the step as used; false when it, or a later one, was used before.
pub fn use_step(db: &mut Db, user: Key, step: i64) -> Result<bool, Problem> {
    let unused = authenticator_apps::table.find(user).filter(authenticator_apps::last_step.lt(step));
    let set = (authenticator_apps::last_step.eq(step), authenticator_apps::last_used_at.eq(ids::now()));
    Ok(diesel::update(unused).set(set).execute(db)? > 0)
}

/// A passkey of somebody.
#[derive(Debug, Clone, Queryable)]
pub struct PasskeyRow {
    pub key: Key,
    pub id: String,
    pub name: String,
    pub credential: String,
    pub created_at: NaiveDateTime,
    pub last_used_at: Option<NaiveDateTime>,
}

pub fn passkeys(db: &mut Db, user: Key) -> Result<Vec<PasskeyRow>, Problem> {
    use passkeys::{created_at, credential, id, key, last_used_at, name};
    let rows = passkeys::table.filter(passkeys::user_key.eq(user)).order(key);
    Ok(rows.select((key, id, name, credential, created_at, last_used_at)).rows(db)?)
}

pub fn put_passkey(db: &mut Db, user: Key, name: &str, id: &str, credential: &str) -> Result<(), Problem> {
    diesel::insert_into(passkeys::table)
        .values((
            passkeys::key.eq(ids::next_key()),
            passkeys::id.eq(ids::new_id("passkey")),
            passkeys::user_key.eq(user),
            passkeys::name.eq(name),
            passkeys::credential_id.eq(id),
            passkeys::credential.eq(credential),
            passkeys::created_at.eq(ids::now()),
        ))
        .execute(db)
        .map_err(|error| match error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => {
                Problem::invalid("", "This passkey is registered already. Use another device or password manager")
            }
            other => other.into(),
        })?;
    Ok(())
}

/// A passkey was used: its counter and the like may have changed.
pub fn note_use(db: &mut Db, key: Key, credential: &str) -> Result<(), Problem> {
    diesel::update(passkeys::table.find(key))
        .set((passkeys::credential.eq(credential), passkeys::last_used_at.eq(ids::now())))
        .execute(db)?;
    Ok(())
}

pub fn delete_passkey(db: &mut Db, user: Key, id: &str) -> Result<bool, Problem> {
    let row = passkeys::table.filter(passkeys::user_key.eq(user)).filter(passkeys::id.eq(id));
    Ok(diesel::delete(row).execute(db)? > 0)
}

/// The hashes in place of those before.
pub fn put_codes(db: &mut Db, user: Key, hashes: &[String]) -> Result<(), Problem> {
    delete_codes(db, user)?;
    for hash in hashes {
        diesel::insert_into(recovery_codes::table)
            .values((
                recovery_codes::user_key.eq(user),
                recovery_codes::code_hash.eq(hash),
                recovery_codes::created_at.eq(ids::now()),
            ))
            .execute(db)?;
    }
    Ok(())
}

pub fn delete_codes(db: &mut Db, user: Key) -> Result<(), Problem> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_key.eq(user))).execute(db)?;
    Ok(())
}

/// Takes everything away; whether there was a second factor.
pub fn delete_all(db: &mut Db, user: Key) -> Result<bool, Problem> {
    delete_codes(db, user)?;
    let app = delete_app(db, user)?;
    let keys = diesel::delete(passkeys::table.filter(passkeys::user_key.eq(user))).execute(db)?;
    Ok(app || keys > 0)
}

/// Takes the code away; false when there is none with this hash.
pub fn use_code(db: &mut Db, user: Key, hash: &str) -> Result<bool, Problem> {
    Ok(diesel::delete(recovery_codes::table.find((user, hash))).execute(db)? > 0)
}

pub fn codes_left(db: &mut Db, user: Key) -> Result<i64, Problem> {
    Ok(recovery_codes::table.filter(recovery_codes::user_key.eq(user)).select(count_star()).first_row(db)?)
}

/// Which of these have a second factor, in two statements whatever their number.
pub fn enabled_for(db: &mut Db, of: &[Key]) -> Result<HashSet<Key>, Problem> {
    let apps = authenticator_apps::table.filter(one_of(authenticator_apps::user_key, of));
    let mut found: HashSet<Key> = apps.select(authenticator_apps::user_key).rows(db)?.into_iter().collect();
    let keys = passkeys::table.filter(one_of(passkeys::user_key, of));
    found.extend(keys.select(passkeys::user_key).distinct().rows::<Key>(db)?);
    Ok(found)
}

/// The user with this public id, and their e-mail.
pub fn user_by_id(db: &mut Db, id: &str) -> Result<Option<(Key, String)>, Problem> {
    Ok(users::table.filter(users::id.eq(id)).select((users::key, users::email)).first_row(db).optional()?)
}

/// For how long it is known what was spent: longer than anything can be sent.
const SPENT_MINUTES: i64 = 120;

/// Marks a challenge, or a ticket that is good once, as answered; false when it was before. Old marks go.
pub fn spend(db: &mut Db, digest: &str) -> Result<bool, Problem> {
    let old = ids::now() - Duration::minutes(SPENT_MINUTES);
    diesel::delete(spent_challenges::table.filter(spent_challenges::spent_at.lt(old))).execute(db)?;
    let first = diesel::sql_query(
        "INSERT INTO spent_challenges (digest, spent_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
    )
    .bind::<diesel::sql_types::Text, _>(digest)
    .bind::<diesel::sql_types::Timestamp, _>(ids::now())
    .execute(db)?;
    Ok(first > 0)
}
