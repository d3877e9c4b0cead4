//! What the fabric is to do: one thing at a time for each port and connection, numbered in the order in which it is
//! told (an index of the database says so as well). An intent is claimed by moving its next try forward; it ends once.

use chrono::{Duration, NaiveDateTime};
use diesel::dsl::max;
use diesel::prelude::*;

use super::store::Kind;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::intents;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Provision,
    Update,
    Delete,
}

impl Act {
    /// As it is stored.
    pub fn code(self) -> &'static str {
        match self {
            Act::Provision => "PROVISION",
            Act::Update => "UPDATE",
            Act::Delete => "DELETE",
        }
    }

    fn of_code(code: &str) -> Option<Act> {
        [Act::Provision, Act::Update, Act::Delete].into_iter().find(|act| act.code() == code)
    }
}

/// What is to be done to what.
#[derive(Debug, Clone, Copy)]
pub struct NewIntent<'a> {
    pub account: Key,
    pub kind: Kind,
    pub subject: Key,
    pub subject_id: &'a str,
    pub act: Act,
}

#[derive(Debug, Clone)]
pub struct Intent {
    pub key: Key,
    pub id: String,
    pub account: Key,
    pub kind: Kind,
    pub subject: Key,
    pub subject_id: String,
    pub act: Act,
    /// From 1, for each port and connection.
    pub number: i64,
    /// The fabric has it in hand.
    pub accepted: bool,
    /// Since it was last heard of.
    pub attempts: i64,
    pub next_try_at: NaiveDateTime,
    pub created_at: NaiveDateTime,
    pub finished: bool,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = intents)]
struct Row {
    key: Key,
    id: String,
    account_key: Key,
    subject_kind: String,
    subject_key: Key,
    subject_id: String,
    act: String,
    number: i64,
    state: String,
    attempts: i64,
    next_try_at: NaiveDateTime,
    created_at: NaiveDateTime,
    finished_at: Option<NaiveDateTime>,
}

fn intent_of(row: Row) -> Result<Intent, Problem> {
    let unknown = || Problem::bug("an intent of no known kind");
    Ok(Intent {
        key: row.key,
        id: row.id,
        account: row.account_key,
        kind: Kind::of_code(&row.subject_kind).ok_or_else(unknown)?,
        subject: row.subject_key,
        subject_id: row.subject_id,
        act: Act::of_code(&row.act).ok_or_else(unknown)?,
        number: row.number,
        accepted: row.state == "ACCEPTED",
        attempts: row.attempts,
        next_try_at: row.next_try_at,
        created_at: row.created_at,
        finished: row.finished_at.is_some(),
    })
}

/// Begins one, unless one is open for the same thing. Under the tree's lock.
pub fn open(db: &mut Db, new: &NewIntent<'_>) -> Result<(), Problem> {
    if is_open(db, new.subject_id)? {
        return Ok(());
    }
    let of_subject = intents::table.filter(intents::subject_id.eq(new.subject_id));
    let last: Option<i64> = of_subject.select(max(intents::number)).first(db)?;
    let now = ids::now();
    diesel::insert_into(intents::table)
        .values((
            intents::key.eq(ids::next_key()),
            intents::id.eq(ids::new_id("intent")),
            intents::account_key.eq(new.account),
            intents::subject_kind.eq(new.kind.code()),
            intents::subject_key.eq(new.subject),
            intents::subject_id.eq(new.subject_id),
            intents::act.eq(new.act.code()),
            intents::number.eq(last.unwrap_or(0) + 1),
            intents::state.eq("WAITING"),
            intents::next_try_at.eq(now),
            intents::created_at.eq(now),
        ))
        .execute(db)?;
    Ok(())
}

pub fn is_open(db: &mut Db, subject_id: &str) -> Result<bool, Problem> {
    let open = intents::table.filter(intents::subject_id.eq(subject_id)).filter(intents::finished_at.is_null());
    Ok(open.count().get_result::<i64>(db)? > 0)
}

/// Whether the fabric may have heard of it.
pub fn was_sent(db: &mut Db, subject_id: &str) -> Result<bool, Problem> {
    let sent = intents::table
        .filter(intents::subject_id.eq(subject_id))
        .filter(intents::attempts.gt(0).or(intents::state.ne("WAITING")))
        .filter(intents::last_error.ne(NEVER_SENT));
    Ok(sent.count().get_result::<i64>(db)? > 0)
}

/// The latest one.
pub fn last(db: &mut Db, subject_id: &str) -> Result<Option<Intent>, Problem> {
    let row = intents::table.filter(intents::subject_id.eq(subject_id)).order(intents::number.desc());
    row.select(Row::as_select()).first(db).optional()?.map(intent_of).transpose()
}

const NEVER_SENT: &str = "Not needed any more before it was sent.";

/// Takes an open one back that nobody was told of; false when somebody may have been.
pub fn take_back(db: &mut Db, intent: &Intent) -> Result<bool, Problem> {
    let untold = intents::table
        .find(intent.key)
        .filter(intents::state.eq("WAITING"))
        .filter(intents::attempts.eq(0))
        .filter(intents::finished_at.is_null());
    let ended =
        (intents::state.eq("FAILED"), intents::last_error.eq(NEVER_SENT), intents::finished_at.eq(Some(ids::now())));
    Ok(diesel::update(untold).set(ended).execute(db)? == 1)
}

pub fn find(db: &mut Db, key: Key) -> Result<Intent, Problem> {
    intent_of(intents::table.find(key).select(Row::as_select()).first(db)?)
}

/// The key of the one with this public id.
pub fn key_of(db: &mut Db, id: &str) -> Result<Key, Problem> {
    Ok(intents::table.filter(intents::id.eq(id)).select(intents::key).first(db)?)
}

/// Open ones whose next try is due, the longest waiting first.
pub fn due(db: &mut Db, most: i64) -> Result<Vec<Key>, Problem> {
    let due = intents::table.filter(intents::finished_at.is_null()).filter(intents::next_try_at.le(ids::now()));
    Ok(due.order((intents::next_try_at, intents::key)).limit(most).select(intents::key).load(db)?)
}

/// Takes it for this process for so long; none when another one was faster.
pub fn claim(db: &mut Db, key: Key, hold: Duration) -> Result<Option<Intent>, Problem> {
    let now = ids::now();
    let due = intents::table.find(key).filter(intents::finished_at.is_null()).filter(intents::next_try_at.le(now));
    let taken = (intents::next_try_at.eq(now + hold), intents::attempts.eq(intents::attempts + 1));
    if diesel::update(due).set(taken).execute(db)? == 0 {
        return Ok(None);
    }
    Ok(Some(find(db, key)?))
}

/// When it is told again, if the claim still holds. `error`: empty when the fabric has it in hand.
pub fn put_off(db: &mut Db, claimed: &Intent, wait: Duration, error: &str) -> Result<(), Problem> {
    let mine = intents::table
        .find(claimed.key)
        .filter(intents::finished_at.is_null())
        .filter(intents::next_try_at.eq(claimed.next_try_at));
    let until = ids::now() + wait;
    if error.is_empty() {
        let accepted = (intents::state.eq("ACCEPTED"), intents::attempts.eq(0), intents::last_error.eq(""));
        diesel::update(mine).set((intents::next_try_at.eq(until), accepted)).execute(db)?;
    } else {
        diesel::update(mine).set((intents::next_try_at.eq(until), intents::last_error.eq(error))).execute(db)?;
    }
    Ok(())
}

/// Ends it; false when it was ended before. Under the tree's lock.
pub fn finish(db: &mut Db, key: Key, done: bool, error: &str) -> Result<bool, Problem> {
    let open = intents::table.find(key).filter(intents::finished_at.is_null());
    let ended = (
        intents::state.eq(if done { "DONE" } else { "FAILED" }),
        intents::last_error.eq(error),
        intents::finished_at.eq(Some(ids::now())),
    );
    Ok(diesel::update(open).set(ended).execute(db)? == 1)
}
