//! Rows of the audit log. An entry is visible in every account that was its account or an ancestor when it happened:
//! one small row each, so that a log with everything below is one index range.

use std::collections::HashMap;

use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::event::Event;
use crate::access::Origin;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::store::schema::{account_ancestry, accounts, audit_entries, audit_scope, users};
use crate::web::paging::{PAGE, Want, is_backward};

/// Ancestors beyond this many levels above the account do not get the entry in their own log, except the root:
/// a chain of a thousand accounts would write a thousand rows for each change.
const NEAREST_ANCESTORS: i64 = 256;
/// A key is drawn a moment before or after the time that its row says.
const KEYS_LEAD: Duration = Duration::hours(1);

pub(super) fn insert(
    db: &mut Db,
    event: &Event,
    actor: Option<Key>,
    acting_from: Option<Key>,
    account: Option<Key>,
    origin: &Origin,
    source: &str,
) -> Result<(), Problem> {
    let key = ids::next_key();
    let json = |pairs: &[(&'static str, String)]| serde_json::to_string(pairs);
    diesel::insert_into(audit_entries::table)
        .values((
            audit_entries::key.eq(key),
            audit_entries::id.eq(ids::new_id("audit")),
            audit_entries::at.eq(ids::now()),
            audit_entries::actor_key.eq(actor),
            audit_entries::acting_from_key.eq(acting_from),
            audit_entries::account_key.eq(account),
            audit_entries::event_type.eq(event.kind.code()),
            audit_entries::subject_type.eq(event.subject.kind),
            audit_entries::subject_id.eq(&event.subject.id),
            audit_entries::subject_name.eq(&event.subject.name),
            audit_entries::before.eq(json(&event.before)?),
            audit_entries::after.eq(json(&event.after)?),
            audit_entries::result.eq(if event.failed { "FAILURE" } else { "SUCCESS" }),
            audit_entries::source.eq(source),
            audit_entries::address.eq(&origin.address),
            audit_entries::user_agent.eq(&origin.user_agent),
            audit_entries::request_id.eq(&origin.request_id),
        ))
        .execute(db)?;
    if let Some(account) = account {
        diesel::sql_query(
            "INSERT INTO audit_scope (account_key, entry_key, own)
             SELECT an.ancestor_key, $1, an.distance = 0 FROM account_ancestry an
             JOIN accounts a ON a.key = an.ancestor_key
             WHERE an.descendant_key = $2 AND (an.distance < $3 OR a.depth = 0)",
        )
        .bind::<BigInt, _>(key)
        .bind::<BigInt, _>(account)
        .bind::<BigInt, _>(NEAREST_ANCESTORS)
        .execute(db)?;
    }
    Ok(())
}

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub below: bool,
    pub event_type: Option<&'static str>,
    /// Part of the e-mail or the whole id of the actor.
    pub actor: String,
    /// The id of what was changed.
    pub subject: String,
    pub result: Option<&'static str>,
    pub from: Option<NaiveDateTime>,
    /// The first moment that is not wanted any more.
    pub until: Option<NaiveDateTime>,
}

/// One entry as it is read.
#[derive(Debug, Clone, Queryable)]
pub struct Row {
    pub key: Key,
    pub id: String,
    pub at: NaiveDateTime,
    pub event_type: String,
    pub subject_type: String,
    pub subject_id: String,
    pub subject_name: String,
    pub before: String,
    pub after: String,
    pub result: String,
    pub source: String,
    pub address: String,
    pub user_agent: String,
    pub request_id: String,
    pub acting_from: Option<Key>,
    pub account: Option<Key>,
    pub actor: Option<(String, String, String, String)>,
}

/// A page of entries, newest first; backwards when the page before is wanted. At most `limit + 1`.
pub fn entries(db: &mut Db, account: Key, filter: &Filter, want: &Want, limit: usize) -> Result<Vec<Row>, Problem> {
    let mut query = audit_scope::table
        .inner_join(audit_entries::table)
        .left_join(users::table.on(audit_entries::actor_key.eq(users::key.nullable())))
        .filter(audit_scope::account_key.eq(account))
        .into_boxed::<MultiBackend>();
    if !filter.below {
        query = query.filter(audit_scope::own.eq(true));
    }
    if let Some(event_type) = filter.event_type {
        query = query.filter(audit_entries::event_type.eq(event_type));
    }
    if !filter.actor.is_empty() {
        let part = crate::text::like_anywhere(&crate::text::email_key(&filter.actor));
        query = query.filter(users::email_key.like(part).escape('\\').or(users::id.eq(filter.actor.clone())));
    }
    if !filter.subject.is_empty() {
        query = query.filter(audit_entries::subject_id.eq(filter.subject.clone()));
    }
    if let Some(result) = filter.result {
        query = query.filter(audit_entries::result.eq(result));
    }
    // Key order is time order but for a moment: the range of keys finds the place, the time itself decides.
    if let Some(from) = filter.from {
        let first = ids::first_key_at(from - KEYS_LEAD);
        query = query.filter(audit_scope::entry_key.ge(first)).filter(audit_entries::at.ge(from));
    }
    if let Some(until) = filter.until {
        let end = ids::first_key_at(until + KEYS_LEAD);
        query = query.filter(audit_scope::entry_key.lt(end)).filter(audit_entries::at.lt(until));
    }
    query = match want {
        Want::After(cursor) => query.filter(audit_scope::entry_key.lt(cursor.1)),
        Want::Before(cursor) => query.filter(audit_scope::entry_key.gt(cursor.1)),
        Want::First | Want::Last => query,
    };
    query = if is_backward(want) {
        query.order(audit_scope::entry_key.asc())
    } else {
        query.order(audit_scope::entry_key.desc())
    };
    let rows = query
        .limit(i64::try_from(limit).unwrap_or(PAGE as i64) + 1)
        .select((
            audit_entries::key,
            audit_entries::id,
            audit_entries::at,
            audit_entries::event_type,
            audit_entries::subject_type,
            audit_entries::subject_id,
            audit_entries::subject_name,
            audit_entries::before,
            audit_entries::after,
            audit_entries::result,
            audit_entries::source,
            audit_entries::address,
            audit_entries::user_agent,
            audit_entries::request_id,
            audit_entries::acting_from_key,
            audit_entries::account_key,
            (users::id, users::first_name, users::last_name, users::email).nullable(),
        ))
        .load::<Row>(db)?;
    Ok(rows)
}

/// An account that is the reader's or below it now.
#[derive(Debug, Clone)]
pub struct Near {
    pub id: String,
    pub name: String,
    pub closed: bool,
}

/// Which of these accounts are at or below `top` today: entries stay where they happened, accounts may have moved away.
pub fn near(db: &mut Db, top: Key, keys: &[Key]) -> Result<HashMap<Key, Near>, Problem> {
    let rows = account_ancestry::table
        .inner_join(accounts::table.on(accounts::key.eq(account_ancestry::descendant_key)))
        .filter(account_ancestry::ancestor_key.eq(top))
        .filter(account_ancestry::descendant_key.eq_any(keys.to_vec()))
        .select((accounts::key, accounts::id, accounts::name, accounts::closed_at))
        .load::<(Key, String, String, Option<NaiveDateTime>)>(db)?;
    Ok(rows.into_iter().map(|(key, id, name, closed)| (key, Near { id, name, closed: closed.is_some() })).collect())
}
