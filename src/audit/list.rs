//! Reading the log, the newest entry first. Without a filter a page is one range of an index, however long the log is.
//! With one, a page costs what is looked through to fill it: at most [`LOOKED_AT_ONCE`] entries, along the index that
//! fits the filter best; then the answer says how far it came, and the next page goes on from there.

use chrono::{Duration, NaiveDateTime};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::Bool;

pub use super::row::Row;
use super::row::rows;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{self, MultiBackend, Run};
use crate::store::schema::{audit_entries, audit_scope, users};
use crate::web::paging::{Want, is_backward};

/// Entries that one page looks through; few in tests, so that they meet the end of it.
pub const LOOKED_AT_ONCE: i64 = if cfg!(test) { 25 } else { 25_000 };
/// A key is drawn a moment before or after the time that its row says.
const KEYS_LEAD: Duration = Duration::hours(1);
/// People whose e-mail contains what was asked for that are looked up; one in tests, so that they meet more.
const MOST_ACTORS: i64 = if cfg!(test) { 1 } else { 1_000 };

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub below: bool,
    /// For whom sees this account only: nothing that its people did in accounts below.
    pub inside: bool,
    pub event_type: Option<&'static str>,
    /// Part of the e-mail or the whole id of the actor.
    pub actor: String,
    /// The id of what was changed.
    pub subject: String,
    /// Everything that one request did, or one run of many.
    pub request: String,
    pub result: Option<&'static str>,
    pub from: Option<NaiveDateTime>,
    /// The first moment that is not wanted any more.
    pub until: Option<NaiveDateTime>,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// In the order of the query: against time when the page before is wanted. At most `limit + 1`.
    pub rows: Vec<Row>,
    /// The last key looked at, when the page is not full and there is more to look through.
    pub looked_to: Option<Key>,
}

/// Who did it.
enum Actors {
    Few(Vec<Key>),
    /// More than are looked up: everybody whose e-mail is like this.
    Like(String),
}

/// The filter with its people looked up.
struct Asked<'a> {
    filter: &'a Filter,
    actors: Option<Actors>,
    account: Key,
    backward: bool,
}

/// Keys from `low` up to, without, `high`.
#[derive(Debug, Clone, Copy)]
struct Range {
    low: Key,
    high: Key,
}

/// What is walked along to find entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Along {
    Log,
    Subject,
    Actor(Key),
    Event,
}

/// A page of the account's log, or the whole of it in pieces.
pub fn entries(db: &mut Db, account: Key, filter: &Filter, want: &Want, limit: usize) -> Result<Found, Problem> {
    let actors = if filter.actor.is_empty() { None } else { Some(people(db, &filter.actor)?) };
    if matches!(&actors, Some(Actors::Few(keys)) if keys.is_empty()) {
        return Ok(Found { rows: Vec::new(), looked_to: None });
    }
    let asked = Asked { filter, actors, account, backward: is_backward(want) };
    let range = range(filter, want);
    let (along, bound) = plan(db, &asked, range)?;
    let within = match bound {
        // The last one is looked at as well, in either direction.
        Some(key) if asked.backward => Range { high: key.saturating_add(1), ..range },
        Some(key) => Range { low: key, ..range },
        None => range,
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    let keys = if along == Along::Log {
        along_log(&asked, within, limit, db)?
    } else {
        along_entries(&asked, within, limit, db)?
    };
    let full = keys.len() as i64 == limit;
    Ok(Found { rows: rows(db, &keys)?, looked_to: bound.filter(|_| !full) })
}

fn people(db: &mut Db, part: &str) -> Result<Actors, Problem> {
    let like = crate::text::like_anywhere(&crate::text::email_key(part));
    let known = users::table.filter(users::email_key.like(like.clone()).escape('\\').or(users::id.eq(part)));
    let keys: Vec<Key> = known.select(users::key).limit(MOST_ACTORS + 1).rows(db)?;
    Ok(if keys.len() as i64 > MOST_ACTORS { Actors::Like(like) } else { Actors::Few(keys) })
}

/// Key order is time order but for a moment: the range of keys finds the place, the times themselves decide.
fn range(filter: &Filter, want: &Want) -> Range {
    let mut range = Range { low: 0, high: Key::MAX };
    if let Some(from) = filter.from {
        range.low = ids::first_key_at(from - KEYS_LEAD);
    }
    if let Some(until) = filter.until {
        range.high = ids::first_key_at(until + KEYS_LEAD);
    }
    match want {
        Want::After(cursor) => range.high = range.high.min(cursor.1),
        Want::Before(cursor) => range.low = range.low.max(cursor.1.saturating_add(1)),
        Want::First | Want::Last => {}
    }
    range
}

/// The way through the log, and the key where to stop if the end is too far.
fn plan(db: &mut Db, asked: &Asked<'_>, range: Range) -> Result<(Along, Option<Key>), Problem> {
    let filter = asked.filter;
    let narrow = filter.inside
        || filter.event_type.is_some()
        || filter.result.is_some()
        || asked.actors.is_some()
        || !filter.subject.is_empty()
        || !filter.request.is_empty();
    if !narrow {
        return Ok((Along::Log, None));
    }
    dialect::plan_for_values(db)?;
    let Some(bound) = far(asked, Along::Log, range, db)? else { return Ok((Along::Log, None)) };
    let along = match &asked.actors {
        _ if !filter.subject.is_empty() => Along::Subject,
        Some(Actors::Few(keys)) if keys.len() == 1 => Along::Actor(keys[0]),
        _ if filter.event_type.is_some() => Along::Event,
        _ => return Ok((Along::Log, Some(bound))),
    };
    let far = far(asked, along, range, db)?;
    // What is rare in this log may be frequent elsewhere: the way that reaches further is taken.
    let nearer = far.is_some_and(|key| if asked.backward { key <= bound } else { key >= bound });
    Ok(if nearer { (Along::Log, Some(bound)) } else { (along, far) })
}

/// The key of the last entry to look at on this way; none when the end is nearer.
fn far(asked: &Asked<'_>, along: Along, range: Range, db: &mut Db) -> Result<Option<Key>, Problem> {
    if along == Along::Log {
        let mut log = audit_scope::table
            .filter(audit_scope::account_key.eq(asked.account))
            .filter(audit_scope::entry_key.ge(range.low))
            .filter(audit_scope::entry_key.lt(range.high))
            .select(audit_scope::entry_key)
            .into_boxed::<MultiBackend>();
        if !asked.filter.below {
            log = log.filter(audit_scope::own.eq(true));
        }
        log = if asked.backward {
            log.order(audit_scope::entry_key.asc())
        } else {
            log.order(audit_scope::entry_key.desc())
        };
        return Ok(log.offset(LOOKED_AT_ONCE).limit(1).first(db).optional()?);
    }
    let mut entries = audit_entries::table
        .filter(audit_entries::key.ge(range.low))
        .filter(audit_entries::key.lt(range.high))
        .select(audit_entries::key)
        .into_boxed::<MultiBackend>();
    entries = match along {
        Along::Actor(user) => entries.filter(audit_entries::actor_key.eq(user)),
        Along::Subject => entries.filter(audit_entries::subject_id.eq(&asked.filter.subject)),
        _ => entries.filter(audit_entries::event_type.eq(asked.filter.event_type.unwrap_or_default())),
    };
    entries =
        if asked.backward { entries.order(audit_entries::key.asc()) } else { entries.order(audit_entries::key.desc()) };
    Ok(entries.offset(LOOKED_AT_ONCE).limit(1).first(db).optional()?)
}

/// Everything that an entry must meet; the same words for both ways to walk.
macro_rules! narrowed {
    ($query:expr, $asked:expr) => {{
        let mut query = $query;
        let filter = $asked.filter;
        if filter.inside {
            let here = audit_entries::account_key.eq($asked.account);
            query = query.filter(here.or(audit_entries::account_key.is_null()));
        }
        if let Some(event_type) = filter.event_type {
            query = query.filter(audit_entries::event_type.eq(event_type));
        }
        if let Some(actors) = &$asked.actors {
            query = match actors {
                Actors::Few(keys) if keys.len() == 1 => query.filter(audit_entries::actor_key.eq(keys[0])),
                Actors::Few(keys) => query.filter(audit_entries::actor_key.eq_any(keys.clone())),
                Actors::Like(like) => query.filter(audit_entries::actor_key.eq_any(
                    users::table.filter(users::email_key.like(like.clone()).escape('\\')).select(users::key.nullable()),
                )),
            };
        }
        if !filter.subject.is_empty() {
            query = query.filter(audit_entries::subject_id.eq(&filter.subject));
        }
        if !filter.request.is_empty() {
            query = query.filter(audit_entries::request_id.eq(&filter.request));
        }
        if let Some(result) = filter.result {
            query = query.filter(audit_entries::result.eq(result));
        }
        if let Some(from) = filter.from {
            query = query.filter(audit_entries::at.ge(from));
        }
        if let Some(until) = filter.until {
            query = query.filter(audit_entries::at.lt(until));
        }
        query
    }};
}

fn along_log(asked: &Asked<'_>, range: Range, limit: i64, db: &mut Db) -> Result<Vec<Key>, Problem> {
    let log = audit_scope::table
        .inner_join(audit_entries::table)
        .filter(audit_scope::account_key.eq(asked.account))
        .filter(audit_scope::entry_key.ge(range.low))
        .filter(audit_scope::entry_key.lt(range.high))
        .select(audit_scope::entry_key)
        .limit(limit)
        .into_boxed::<MultiBackend>();
    let mut log = narrowed!(log, asked);
    if !asked.filter.below {
        log = log.filter(audit_scope::own.eq(true));
    }
    log =
        if asked.backward { log.order(audit_scope::entry_key.asc()) } else { log.order(audit_scope::entry_key.desc()) };
    Ok(log.load(db)?)
}

fn along_entries(asked: &Asked<'_>, range: Range, limit: i64, db: &mut Db) -> Result<Vec<Key>, Problem> {
    let seen = audit_scope::table
        .filter(audit_scope::account_key.eq(asked.account))
        .filter(audit_scope::entry_key.eq(audit_entries::key))
        .filter(audit_scope::own.eq(true).or(asked.filter.below.into_sql::<Bool>()));
    let entries = audit_entries::table
        .filter(audit_entries::key.ge(range.low))
        .filter(audit_entries::key.lt(range.high))
        .filter(exists(seen))
        .select(audit_entries::key)
        .limit(limit)
        .into_boxed::<MultiBackend>();
    let entries = narrowed!(entries, asked);
    let entries =
        if asked.backward { entries.order(audit_entries::key.asc()) } else { entries.order(audit_entries::key.desc()) };
    Ok(entries.load(db)?)
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
