//! Rows of users, and of their sessions as their owner sees them.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::{Names, NewUser};
use crate::access::{Actor, lookup, session};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{accounts, assignments, sessions, users};
use crate::text::{email_key, name_key};

pub fn insert(db: &mut Db, new: &NewUser) -> Result<(Key, String), Problem> {
    let (key, id) = (ids::next_key(), ids::new_id("user"));
    diesel::insert_into(users::table)
        .values((
            users::key.eq(key),
            users::id.eq(&id),
            users::email.eq(&new.email),
            users::email_key.eq(email_key(&new.email)),
            users::first_name.eq(&new.first_name),
            users::last_name.eq(&new.last_name),
            users::name_key.eq(name_key(&format!("{} {}", new.first_name, new.last_name))),
            users::company.eq(&new.company),
            users::password_hash.eq(&new.password_hash),
            users::created_at.eq(ids::now()),
        ))
        .execute(db)
        .map_err(|error| match error {
            // Somebody signs up with the same address at this very moment.
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => taken(),
            other => other.into(),
        })?;
    Ok((key, id))
}

/// What is said where somebody has that address already.
pub fn taken() -> Problem {
    Problem::invalid("email", "This email address cannot be used. If it is yours, sign in instead")
}

/// The user with this address: key and password hash.
pub fn by_email(db: &mut Db, email: &str) -> Result<Option<(Key, String)>, Problem> {
    let found = users::table.filter(users::email_key.eq(email_key(email)));
    Ok(found.select((users::key, users::password_hash)).first(db).optional()?)
}

pub fn password_hash(db: &mut Db, user: Key) -> Result<String, Problem> {
    Ok(users::table.find(user).select(users::password_hash).first(db)?)
}

/// The address as it is on record.
pub fn email(db: &mut Db, user: Key) -> Result<String, Problem> {
    Ok(users::table.find(user).select(users::email).first(db)?)
}

pub fn id_and_name(db: &mut Db, user: Key) -> Result<(String, String), Problem> {
    let row = users::table.find(user).select((users::id, users::first_name, users::last_name));
    let (id, first, last) = row.first::<(String, String, String)>(db)?;
    Ok((id, format!("{first} {last}")))
}

/// Mail to this person's address reached them: they followed a link that was sent there.
pub fn mark_verified(db: &mut Db, user: Key) -> Result<(), Problem> {
    let open = users::table.find(user).filter(users::email_verified_at.is_null());
    diesel::update(open).set(users::email_verified_at.eq(ids::now())).execute(db)?;
    Ok(())
}

pub fn names(db: &mut Db, user: Key) -> Result<(Names, i64), Problem> {
    let row = users::table.find(user).select((users::first_name, users::last_name, users::company, users::version));
    let (first_name, last_name, company, version) = row.first::<(String, String, String, i64)>(db)?;
    Ok((Names { first_name, last_name, company }, version))
}

pub fn update_names(db: &mut Db, user: Key, names: &Names, version: i64) -> Result<usize, Problem> {
    let row = users::table.filter(users::key.eq(user)).filter(users::version.eq(version));
    Ok(diesel::update(row)
        .set((
            users::first_name.eq(&names.first_name),
            users::last_name.eq(&names.last_name),
            users::name_key.eq(name_key(&format!("{} {}", names.first_name, names.last_name))),
            users::company.eq(&names.company),
            users::version.eq(version + 1),
        ))
        .execute(db)?)
}

pub fn set_password(db: &mut Db, user: Key, hash: &str) -> Result<(), Problem> {
    diesel::update(users::table.find(user)).set(users::password_hash.eq(hash)).execute(db)?;
    Ok(())
}

pub fn set_theme(db: &mut Db, user: Key, theme: &str) -> Result<(), Problem> {
    diesel::update(users::table.find(user)).set(users::theme.eq(theme)).execute(db)?;
    Ok(())
}

/// One of a person's sessions.
#[derive(Debug, Clone, Queryable)]
pub struct SessionRow {
    pub id: String,
    pub address: String,
    pub user_agent: String,
    pub created_at: NaiveDateTime,
    pub last_used_at: NaiveDateTime,
    pub second_factor: bool,
}

pub fn live_sessions(db: &mut Db, user: Key) -> Result<Vec<SessionRow>, Problem> {
    Ok(sessions::table
        .filter(sessions::user_key.eq(user))
        .filter(sessions::expires_at.gt(ids::now()))
        .order(sessions::last_used_at.desc())
        .select((
            sessions::id,
            sessions::address,
            sessions::user_agent,
            sessions::created_at,
            sessions::last_used_at,
            sessions::second_factor,
        ))
        .load(db)?)
}

pub fn end_session(db: &mut Db, user: Key, session_id: &str) -> Result<usize, Problem> {
    if ids::looks_like_token(session_id) { session::end(db, user, session_id) } else { Ok(0) }
}

/// The id of the account to land in: the last one used if it can still be seen, else the topmost membership, else the
/// first account below one whose own door is closed.
pub fn home_account(db: &mut Db, actor: &Actor) -> Result<Option<String>, Problem> {
    if let Some(last) = actor.last_account {
        let id = accounts::table.find(last).select(accounts::id).first::<String>(db).optional()?;
        if let Some(id) = id
            && lookup::frame(db, actor.key, &id).is_ok_and(|frame| !frame.held().is_empty())
        {
            return Ok(Some(id));
        }
    }
    let own = assignments::table
        .inner_join(accounts::table.on(accounts::key.eq(assignments::account_key)))
        .filter(assignments::user_key.eq(actor.key))
        .filter(assignments::ends_at.gt(crate::ids::now()))
        .filter(accounts::closed_at.is_null())
        .filter(assignments::scope.ne(lookup::scope::BELOW))
        .order((accounts::depth, accounts::name_key, accounts::key))
        .select(accounts::id)
        .first::<String>(db)
        .optional()?;
    if own.is_some() {
        return Ok(own);
    }
    // An open account has an open parent: if anything is open below, something directly below is.
    Ok(assignments::table
        .inner_join(accounts::table.on(accounts::parent_key.eq(assignments::account_key.nullable())))
        .filter(assignments::user_key.eq(actor.key))
        .filter(assignments::ends_at.gt(crate::ids::now()))
        .filter(accounts::closed_at.is_null())
        .filter(assignments::scope.eq(lookup::scope::BELOW))
        .order((accounts::depth, accounts::name_key, accounts::key))
        .select(accounts::id)
        .first(db)
        .optional()?)
}
