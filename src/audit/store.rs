//! Rows of the audit log. An entry is visible in every account that was its account or an ancestor when it happened:
//! one small row each, so that a log with everything below is one index range.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamp};

use super::event::Event;
use crate::access::{Acting, Origin};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::one_of;
use crate::store::schema::{account_ancestry, accounts, audit_entries};

/// Ancestors beyond this many levels above the account do not get the entry in their own log, except the root:
/// a chain of a thousand accounts would write a thousand rows for each change.
const NEAREST_ANCESTORS: i64 = 256;

/// Accounts of which somebody is a member whose logs show their signing in: those nearest to the root.
const MOST_MEMBERSHIPS: i64 = 100;
/// Rows that one entry makes at most.
const MOST_LOGS: i64 = 1_000;

/// An entry to be: the event with who did it, as what, and where.
pub(super) struct NewEntry<'a> {
    pub event: &'a Event,
    pub actor: Option<Key>,
    pub acting: Option<&'a Acting>,
    pub account: Option<Key>,
    pub origin: &'a Origin,
    pub source: &'static str,
}

pub(super) fn insert(db: &mut Db, new: &NewEntry<'_>) -> Result<(), Problem> {
    let NewEntry { event, actor, acting, account, origin, source } = *new;
    let key = ids::next_key();
    let json = |pairs: &[(&'static str, String)]| serde_json::to_string(pairs);
    diesel::insert_into(audit_entries::table)
        .values((
            audit_entries::key.eq(key),
            audit_entries::id.eq(ids::new_id("audit")),
            audit_entries::at.eq(ids::now()),
            audit_entries::actor_key.eq(actor),
            audit_entries::acting_from_key.eq(acting.map(|acting| acting.from)),
            audit_entries::acting_role.eq(acting.map_or("", |acting| &acting.role)),
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
    match (account, actor) {
        (Some(account), _) => into_logs_above(db, key, account, acting.map(|acting| acting.from), event.left),
        (None, Some(user)) if event.kind.is_sign_in() => into_logs_of_member(db, key, user),
        _ => Ok(()),
    }
}

/// Into the logs of the account and of everything above it, now and, for one that moved, until now. The account acted
/// from has it as its own, too.
fn into_logs_above(db: &mut Db, key: Key, account: Key, from: Option<Key>, left: Option<Key>) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO audit_scope (account_key, entry_key, own)
         SELECT an.ancestor_key, $1, an.ancestor_key IN ($2, $3) FROM account_ancestry an
         JOIN accounts a ON a.key = an.ancestor_key
         WHERE an.descendant_key IN ($2, $4) AND (an.distance < $5 OR a.depth = 0 OR an.ancestor_key = $3)
         GROUP BY an.ancestor_key",
    )
    .bind::<BigInt, _>(key)
    .bind::<BigInt, _>(account)
    .bind::<BigInt, _>(from.unwrap_or(account))
    .bind::<BigInt, _>(left.unwrap_or(account))
    .bind::<BigInt, _>(NEAREST_ANCESTORS)
    .execute(db)?;
    Ok(())
}

/// Into the logs of the accounts of which somebody is a member now, and of everything above those.
fn into_logs_of_member(db: &mut Db, key: Key, user: Key) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO audit_scope (account_key, entry_key, own)
         SELECT an.ancestor_key, $1, MIN(an.distance) = 0 FROM account_ancestry an
         JOIN accounts a ON a.key = an.ancestor_key
         WHERE an.descendant_key IN (
             SELECT m.account_key FROM assignments m JOIN accounts t ON t.key = m.account_key
             WHERE m.user_key = $2 AND m.ends_at > $3 AND t.closed_at IS NULL
             GROUP BY m.account_key, t.depth ORDER BY t.depth, m.account_key LIMIT $4)
           AND (an.distance < $5 OR a.depth = 0)
         GROUP BY an.ancestor_key ORDER BY MIN(an.distance), an.ancestor_key LIMIT $6",
    )
    .bind::<BigInt, _>(key)
    .bind::<BigInt, _>(user)
    .bind::<Timestamp, _>(ids::now())
    .bind::<BigInt, _>(MOST_MEMBERSHIPS)
    .bind::<BigInt, _>(NEAREST_ANCESTORS)
    .bind::<BigInt, _>(MOST_LOGS)
    .execute(db)?;
    Ok(())
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
    // Each is asked. A join, PostgreSQL may plan for all accounts, and read everything below this one.
    let below = account_ancestry::table
        .filter(account_ancestry::descendant_key.eq(accounts::key))
        .filter(account_ancestry::ancestor_key.eq(top))
        .select(account_ancestry::ancestor_key)
        .limit(1)
        .single_value();
    let rows = accounts::table
        .filter(one_of(accounts::key, keys))
        .filter(below.is_not_null())
        .select((accounts::key, accounts::id, accounts::name, accounts::closed_at))
        .load::<(Key, String, String, Option<NaiveDateTime>)>(db)?;
    Ok(rows.into_iter().map(|(key, id, name, closed)| (key, Near { id, name, closed: closed.is_some() })).collect())
}
