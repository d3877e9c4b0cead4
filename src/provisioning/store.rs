//! Rows of ports and connections as a queue: what is due, who has it, when it is looked at next.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::schema::{accounts, connection_history, connections, ports, supported_connections};
use crate::store::{Db, dialect};

/// For how long a claim holds; a step takes a moment.
const CLAIM_SECONDS: i64 = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Port,
    Connection,
}

impl Kind {
    /// As it is stored.
    pub fn code(self) -> &'static str {
        match self {
            Kind::Port => "PORT",
            Kind::Connection => "CONNECTION",
        }
    }

    pub fn of_code(code: &str) -> Option<Kind> {
        [Kind::Port, Kind::Connection].into_iter().find(|kind| kind.code() == code)
    }

    fn table(self) -> &'static str {
        match self {
            Kind::Port => "ports",
            Kind::Connection => "connections",
        }
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    key: Key,
}

/// What is due to be looked at, the longest waiting first.
pub fn due(db: &mut Db, kind: Kind, most: i64) -> Result<Vec<Key>, Problem> {
    let table = kind.table();
    // The second condition is the index's own.
    let found: Vec<Found> = diesel::sql_query(format!(
        "SELECT key FROM {table} WHERE look_at <= $1 AND look_at < '9999-01-01' ORDER BY look_at, key LIMIT {most}"
    ))
    .bind::<Timestamp, _>(ids::now())
    .load(db)?;
    Ok(found.into_iter().map(|found| found.key).collect())
}

/// Takes it for this process for a while; false when another one was faster.
pub fn claim(db: &mut Db, kind: Kind, key: Key) -> Result<bool, Problem> {
    let (table, now) = (kind.table(), ids::now());
    let done = diesel::sql_query(format!("UPDATE {table} SET look_at = $1 WHERE key = $2 AND look_at <= $3"))
        .bind::<Timestamp, _>(now + Duration::seconds(CLAIM_SECONDS))
        .bind::<BigInt, _>(key)
        .bind::<Timestamp, _>(now)
        .execute(db)?;
    Ok(done == 1)
}

/// Looked at next at this moment; until then it waits for what these codes say.
pub fn wait(db: &mut Db, kind: Kind, key: Key, codes: &str, until: NaiveDateTime) -> Result<(), Problem> {
    let table = kind.table();
    diesel::sql_query(format!("UPDATE {table} SET look_at = $1, waits_for = $2 WHERE key = $3"))
        .bind::<Timestamp, _>(until)
        .bind::<Text, _>(codes)
        .bind::<BigInt, _>(key)
        .execute(db)?;
    Ok(())
}

/// There is nothing to do for it until something happens.
pub fn rest(db: &mut Db, kind: Kind, key: Key) -> Result<(), Problem> {
    wait(db, kind, key, "", ids::never())
}

/// What waited for so long is looked at again after as long, at least a minute, at most an hour.
pub fn again(since: NaiveDateTime) -> NaiveDateTime {
    let now = ids::now();
    now + (now - since).clamp(Duration::minutes(1), Duration::minutes(60))
}

/// The account's tree is ours until the transaction ends. An account that moves to another tree at this very moment is
/// looked at later.
pub fn lock(db: &mut Db, account: Key) -> Result<(), Problem> {
    let root = accounts::table.find(account).select(accounts::root_key);
    let before: Key = root.first(db)?;
    dialect::lock_tree(db, before)?;
    let now: Key = root.first(db)?;
    if now == before { Ok(()) } else { Err(Problem::Unavailable(anyhow::anyhow!("the account moved just now"))) }
}

pub fn account_of(db: &mut Db, kind: Kind, key: Key) -> Result<Key, Problem> {
    Ok(match kind {
        Kind::Port => ports::table.find(key).select(ports::account_key).first(db)?,
        Kind::Connection => connections::table.find(key).select(connections::account_key).first(db)?,
    })
}

/// Whether connections of this line of the catalogue need the operator's approval.
pub fn asks_for_approval(db: &mut Db, supported: Option<Key>) -> Result<bool, Problem> {
    let Some(supported) = supported else { return Ok(false) };
    let line = supported_connections::table.find(supported).select(supported_connections::requires_approval);
    Ok(line.first(db).optional()?.unwrap_or(false))
}

/// Whether the connection was approved once.
pub fn was_approved(db: &mut Db, connection: Key) -> Result<bool, Problem> {
    let approved = connection_history::table
        .filter(connection_history::connection_key.eq(connection))
        .filter(connection_history::state.eq("APPROVED"));
    Ok(approved.count().get_result::<i64>(db)? > 0)
}

/// What the fabric said last of the link, and as of when.
pub fn link(db: &mut Db, connection: Key) -> Result<(bool, Option<NaiveDateTime>), Problem> {
    Ok(connections::table.find(connection).select((connections::link_down, connections::link_at)).first(db)?)
}

/// Up to which entry of the log this process knows.
static SEEN_UNTIL: AtomicI64 = AtomicI64::new(0);
/// An entry may be seen some seconds after its moment.
const LATE_SECONDS: i64 = 15;
/// What happened before the process began.
const BEFORE_MINUTES: i64 = 60;

/// Accounts that are looked below at once; what waits elsewhere is looked at in its time.
const MOST_ACCOUNTS: i64 = 500;

/// What waits is looked at again at once where something happened that may have opened the gate: in its account, or in
/// one above it.
pub fn wake(db: &mut Db) -> Result<usize, Problem> {
    let now = ids::now();
    let first = ids::first_key_at(now - Duration::minutes(BEFORE_MINUTES));
    let since = SEEN_UNTIL.load(Ordering::Relaxed).max(first);
    let changed: Vec<Found> = diesel::sql_query(format!(
        "SELECT DISTINCT account_key AS key FROM audit_entries
         WHERE key > $1 AND account_key IS NOT NULL
           AND event_type IN ('ACCOUNT_CONSENT_CREATE', 'ACCOUNT_BILLING_CREATE', 'ACCOUNT_BILLING_UPDATE',
               'ACCOUNT_BILLING_DELETE', 'ACCOUNT_BILLING_VERIFY', 'ACCOUNT_RESUME', 'ACCOUNT_MOVE', 'INVOICE_UPDATE',
               'RESOURCE_LIMIT_UPDATE') LIMIT {MOST_ACCOUNTS}"
    ))
    .bind::<BigInt, _>(since)
    .load(db)?;
    let mut woken = 0;
    if !changed.is_empty() {
        let changed: Vec<String> = changed.iter().map(|found| found.key.to_string()).collect();
        for kind in [Kind::Port, Kind::Connection] {
            woken += wake_below(db, kind, &changed.join(", "), now)?;
        }
    }
    SEEN_UNTIL.store(ids::first_key_at(now - Duration::seconds(LATE_SECONDS)), Ordering::Relaxed);
    Ok(woken)
}

fn wake_below(db: &mut Db, kind: Kind, accounts: &str, now: NaiveDateTime) -> Result<usize, Problem> {
    let table = kind.table();
    let waiting: Vec<Found> = diesel::sql_query(format!(
        "SELECT w.key FROM {table} w
         WHERE w.look_at > $1 AND w.look_at < '9999-01-01' AND w.waits_for <> ''
           AND EXISTS (SELECT 1 FROM account_ancestry b
                       WHERE b.descendant_key = w.account_key AND b.ancestor_key IN ({accounts}))
         ORDER BY w.key"
    ))
    .bind::<Timestamp, _>(now)
    .load(db)?;
    let mut woken = 0;
    for Found { key } in waiting {
        woken += diesel::sql_query(format!("UPDATE {table} SET look_at = $1 WHERE key = $2 AND waits_for <> ''"))
            .bind::<Timestamp, _>(now)
            .bind::<BigInt, _>(key)
            .execute(db)?;
    }
    Ok(woken)
}
