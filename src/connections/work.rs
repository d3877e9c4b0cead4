//! What the background work has in hand for a connection, as far as its page, the metrics and the operator look at it,
//! and what the fabric told about it. The work itself is the room `provisioning`, higher up.

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{connections, intents};

/// In the hands of the fabric, or of the work before that, for longer than this: somebody should look.
const STUCK_MINUTES: i64 = 15;
/// The same after so many attempts to tell the fabric that came to nothing.
const STUCK_ATTEMPTS: i64 = 5;

/// For what a pre-shared key is sealed: this connection and this side of it (`PRIMARY`, `SECONDARY`).
pub fn key_purpose(connection: &str, side: &str) -> String {
    format!("pre-shared key of {connection} {side}")
}

/// What the fabric is to do for a connection and has not done yet.
#[derive(Debug, Clone)]
pub struct Work {
    /// PROVISION, UPDATE, DELETE
    pub act: String,
    /// The fabric said that it has it in hand.
    pub accepted: bool,
    /// Attempts to tell the fabric since it was last heard of.
    pub attempts: i64,
    /// Why the last attempt came to nothing; empty when none did.
    pub last_error: String,
    pub since: NaiveDateTime,
    pub next_try_at: NaiveDateTime,
    pub is_stuck: bool,
}

/// The work that is open for this connection of the account.
pub fn open(db: &mut Db, account: Key, connection_id: &str) -> Result<Option<Work>, Problem> {
    type Row = (String, String, i64, String, NaiveDateTime, NaiveDateTime);
    let row: Option<Row> = intents::table
        .filter(intents::account_key.eq(account))
        .filter(intents::subject_id.eq(connection_id))
        .filter(intents::finished_at.is_null())
        .select((
            intents::act,
            intents::state,
            intents::attempts,
            intents::last_error,
            intents::created_at,
            intents::next_try_at,
        ))
        .first(db)
        .optional()?;
    Ok(row.map(|(act, state, attempts, last_error, since, next_try_at)| Work {
        act,
        accepted: state == "ACCEPTED",
        attempts,
        last_error,
        since,
        next_try_at,
        is_stuck: attempts >= STUCK_ATTEMPTS || since < ids::now() - Duration::minutes(STUCK_MINUTES),
    }))
}

/// A port or connection that does not come on.
#[derive(Debug, Clone, QueryableByName)]
pub struct Stuck {
    #[diesel(sql_type = Text)]
    pub id: String,
    /// What is to be done, or the state in which nothing is.
    #[diesel(sql_type = Text)]
    pub what: String,
    #[diesel(sql_type = BigInt)]
    pub attempts: i64,
    #[diesel(sql_type = Text)]
    pub last_error: String,
    #[diesel(sql_type = Timestamp)]
    pub since: NaiveDateTime,
}

/// Intents that are open for too long or were told in vain too often, connections in a state that asks for work which
/// nobody does, and ports whose work failed.
const STUCK: &str = "SELECT i.subject_id AS id, i.act AS what, i.attempts, i.last_error, i.created_at AS since
     FROM intents i WHERE i.finished_at IS NULL AND (i.created_at < $1 OR i.attempts >= $2)
     UNION ALL
     SELECT c.id, c.state AS what, CAST(0 AS BIGINT) AS attempts, '' AS last_error, c.state_since AS since
     FROM connections c
     WHERE c.state IN ('INITIALIZING', 'PROVISIONING', 'UPDATING', 'DELETING') AND c.state_since < $1
       AND NOT EXISTS (SELECT 1 FROM intents o WHERE o.subject_id = c.id AND o.finished_at IS NULL)
     UNION ALL
     SELECT p.id, p.state AS what, CAST(0 AS BIGINT) AS attempts, p.error_message AS last_error, p.created_at AS since
     FROM ports p WHERE p.error_code <> ''";

/// The longest stuck first.
pub fn stuck(db: &mut Db, most: i64) -> Result<Vec<Stuck>, Problem> {
    Ok(diesel::sql_query(format!("SELECT * FROM ({STUCK}) s ORDER BY since, id LIMIT {most}"))
        .bind::<Timestamp, _>(ids::now() - Duration::minutes(STUCK_MINUTES))
        .bind::<BigInt, _>(STUCK_ATTEMPTS)
        .load(db)?)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

pub fn count_stuck(db: &mut Db) -> Result<i64, Problem> {
    let count: Count = diesel::sql_query(format!("SELECT COUNT(*) AS n FROM ({STUCK}) s"))
        .bind::<Timestamp, _>(ids::now() - Duration::minutes(STUCK_MINUTES))
        .bind::<BigInt, _>(STUCK_ATTEMPTS)
        .get_result(db)?;
    Ok(count.n)
}

/// What the fabric told about the connection, by name.
pub fn attributes(db: &mut Db, connection: Key) -> Result<BTreeMap<String, String>, Problem> {
    let text: String = connections::table.find(connection).select(connections::attributes).first(db)?;
    Ok(serde_json::from_str(&text)?)
}

pub fn set_attributes(db: &mut Db, connection: Key, all: &BTreeMap<String, String>) -> Result<(), Problem> {
    let text = serde_json::to_string(all)?;
    diesel::update(connections::table.find(connection)).set(connections::attributes.eq(text)).execute(db)?;
    Ok(())
}
