//! Rows of the outbox. A mail is claimed by moving its due time forward: who moved it has it until then, and a process
//! that dies gives it back by doing nothing. What a mail says is taken out once nothing is to be sent any more, because
//! links in it are secrets.

use chrono::{Duration, NaiveDateTime};
use diesel::dsl::count_star;
use diesel::prelude::*;

use super::{Kind, Letter};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::mails;

/// For how long a claim holds; longer than any server is waited for.
const LEASE_MINUTES: i64 = 5;
/// A server that did not take a mail is asked again after a minute, then two, four …, at most after so many hours.
const LONGEST_WAIT_HOURS: i64 = 6;
const GIVE_UP_DAYS: i64 = 3;
/// How long it is known that a mail went out.
const REMEMBERED_DAYS: i64 = 90;

/// A mail that this process is to send now.
pub(super) struct Claimed {
    pub key: Key,
    pub id: String,
    /// None when it cannot be read any more.
    pub letter: Option<Letter>,
    pub posted_at: NaiveDateTime,
    attempts: i64,
    until: NaiveDateTime,
}

/// How an attempt ended.
pub(super) enum Outcome {
    Sent,
    Kept,
    /// Not now; later perhaps.
    Later(String),
    /// Not ever.
    Never(String),
}

pub(super) fn insert(db: &mut Db, letter: &Letter) -> Result<(), Problem> {
    let now = ids::now();
    diesel::insert_into(mails::table)
        .values((
            mails::key.eq(ids::next_key()),
            mails::id.eq(ids::new_id("mail")),
            mails::kind.eq(letter.kind.code()),
            mails::account_key.eq(letter.account),
            mails::to_address.eq(&letter.to),
            mails::subject.eq(&letter.subject),
            mails::letter.eq(serde_json::to_string(letter)?),
            mails::state.eq("QUEUED"),
            mails::due_at.eq(now),
            mails::created_at.eq(now),
        ))
        .execute(db)?;
    Ok(())
}

/// The keys of mails that are due, the longest waiting first.
pub(super) fn due(db: &mut Db, most: i64) -> Result<Vec<Key>, Problem> {
    let due = mails::table.filter(mails::state.eq("QUEUED")).filter(mails::due_at.le(ids::now()));
    Ok(due.order((mails::due_at, mails::key)).limit(most).select(mails::key).load(db)?)
}

/// Takes the mail for this process; none when another one was faster.
pub(super) fn claim(db: &mut Db, key: Key) -> Result<Option<Claimed>, Problem> {
    let now = ids::now();
    let until = now + Duration::minutes(LEASE_MINUTES);
    let due = mails::table.find(key).filter(mails::state.eq("QUEUED")).filter(mails::due_at.le(now));
    let taken = diesel::update(due).set((mails::due_at.eq(until), mails::attempts.eq(mails::attempts + 1)));
    if taken.execute(db)? == 0 {
        return Ok(None);
    }
    let columns = (mails::id, mails::letter, mails::created_at, mails::attempts);
    let (id, letter, posted_at, attempts) =
        mails::table.find(key).select(columns).first::<(String, String, NaiveDateTime, i64)>(db)?;
    let letter = serde_json::from_str(&letter).ok();
    Ok(Some(Claimed { key, id, letter, posted_at, attempts, until }))
}

/// Writes down how it went, unless the claim ran out and somebody else has the mail by now.
pub(super) fn settle(db: &mut Db, mail: &Claimed, outcome: &Outcome) -> Result<(), Problem> {
    let now = ids::now();
    let mine = mails::table.find(mail.key).filter(mails::state.eq("QUEUED")).filter(mails::due_at.eq(mail.until));
    let wait = Duration::minutes(1 << (mail.attempts - 1).clamp(0, 16)).min(Duration::hours(LONGEST_WAIT_HOURS));
    let given_up = now + wait > mail.posted_at + Duration::days(GIVE_UP_DAYS);
    let (state, error) = match outcome {
        Outcome::Later(why) if !given_up => {
            diesel::update(mine).set((mails::due_at.eq(now + wait), mails::last_error.eq(why))).execute(db)?;
            return Ok(());
        }
        Outcome::Sent => ("SENT", ""),
        Outcome::Kept => ("KEPT", ""),
        Outcome::Later(why) | Outcome::Never(why) => ("FAILED", why.as_str()),
    };
    let gone = (mails::state.eq(state), mails::last_error.eq(error), mails::letter.eq(""), mails::done_at.eq(now));
    diesel::update(mine).set(gone).execute(db)?;
    Ok(())
}

/// How many of an account's mails of the last days failed for good, and how many wait after a failed attempt.
pub(super) fn troubles(db: &mut Db, account: Key, days: i64) -> Result<(i64, i64), Problem> {
    let since = ids::first_key_at(ids::now() - Duration::days(days));
    let recent = mails::table.filter(mails::account_key.eq(account)).filter(mails::key.gt(since));
    let failed = recent.filter(mails::state.eq("FAILED"));
    let failed = failed.select(count_star()).first(db)?;
    let waiting = recent.filter(mails::state.eq("QUEUED")).filter(mails::last_error.ne(""));
    Ok((failed, waiting.select(count_star()).first(db)?))
}

/// Mails that went out long ago are forgotten, some at each call.
pub fn forget_old(db: &mut Db) -> Result<usize, Problem> {
    const AT_ONCE: i64 = 500;
    let before = ids::first_key_at(ids::now() - Duration::days(REMEMBERED_DAYS));
    let old = mails::table.filter(mails::key.lt(before)).filter(mails::state.ne("QUEUED"));
    let keys: Vec<Key> = old.order(mails::key).limit(AT_ONCE).select(mails::key).load(db)?;
    if keys.is_empty() {
        return Ok(0);
    }
    Ok(diesel::delete(mails::table.filter(mails::key.eq_any(keys))).execute(db)?)
}

/// Mails of invitations that an account addressed to somebody in the last so many seconds, sent or not.
pub fn sent_to(db: &mut Db, account: Key, to: &str, seconds: i64) -> Result<i64, Problem> {
    let mine = mails::table.filter(mails::account_key.eq(account)).filter(mails::to_address.eq(to));
    let late = mine.filter(mails::created_at.gt(ids::now() - Duration::seconds(seconds)));
    Ok(late.filter(mails::kind.eq(Kind::Invitation.code())).count().get_result(db)?)
}
