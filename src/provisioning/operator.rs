//! What whoever runs the console decides and asks about provisioning, from the command line.

use diesel::prelude::*;

use super::connection::happen;
use super::metrics::{self, Counts};
use super::port;
use super::store::{self, Kind};
use crate::connections::store::by_key;
use crate::connections::{Happening, State, Told, state, work};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::schema::{connections, ports};
use crate::store::{self as database, Db};

/// What the operator says of a connection that needs an approval.
#[derive(Debug, Clone, Copy)]
pub enum Decision<'a> {
    Approve,
    /// With a reason, which the customer reads.
    Refuse(&'a str),
}

const LONGEST_REASON: usize = 256;

/// A sentence, or why it cannot be.
pub fn decide(db: &mut Db, id: &str, decision: Decision<'_>) -> Result<Result<String, String>, Problem> {
    if let Decision::Refuse(reason) = decision
        && !(1..=LONGEST_REASON).contains(&reason.trim().chars().count())
    {
        return Ok(Err(format!("the reason must have 1 to {LONGEST_REASON} characters")));
    }
    let Some(key) = connection_key(db, id)? else { return Ok(Err(format!("{id}: there is no such connection"))) };
    database::write(db, |db| {
        let account = store::account_of(db, Kind::Connection, key)?;
        store::lock(db, account)?;
        let connection = by_key(db, key)?;
        let (what, told) = match decision {
            Decision::Approve => (Happening::Approve, Told::default()),
            Decision::Refuse(reason) => {
                let message = format!("Not approved: {}", reason.trim());
                (Happening::Refuse, Told { error_code: "FORBIDDEN".to_owned(), message, user: None })
            }
        };
        if connection.state != State::PendingApproval || state::next(connection.state, what).is_none() {
            let state = connection.state.words().to_lowercase();
            return Ok(Err(format!("{id} is not waiting for an approval: its state is “{state}”")));
        }
        let after = happen(db, &connection, what, &told)?;
        Ok(Ok(format!("{id} “{}”: {}.", after.name, after.state.words())))
    })
}

/// Tries a port again that the fabric refused.
pub fn retry(db: &mut Db, id: &str) -> Result<Result<String, String>, Problem> {
    let key: Option<Key> = ports::table.filter(ports::id.eq(id)).select(ports::key).first(db).optional()?;
    let Some(key) = key else { return Ok(Err(format!("{id}: there is no such port"))) };
    Ok(match port::retry(db, key)? {
        true => Ok(format!("{id} is tried again.")),
        false => Err(format!("{id}: there is nothing to try again")),
    })
}

fn connection_key(db: &mut Db, id: &str) -> Result<Option<Key>, Problem> {
    Ok(connections::table.filter(connections::id.eq(id)).select(connections::key).first(db).optional()?)
}

/// Stuck ones that are listed.
const MOST_LISTED: i64 = 50;

/// How provisioning stands, line by line.
pub fn status(db: &mut Db) -> Result<Vec<String>, Problem> {
    let Counts { connections, ports, intents, oldest, waiting, stuck } = metrics::counts(db)?;
    let mut lines = Vec::new();
    for (what, counts) in [("Connections", connections), ("Ports", ports), ("Open intents", intents)] {
        let some: Vec<String> =
            counts.iter().filter(|(_, n)| *n > 0).map(|(state, n)| format!("{state} {n}")).collect();
        lines.push(format!("{what}: {}", if some.is_empty() { "none".to_owned() } else { some.join(", ") }));
    }
    lines.push(format!("Oldest open intent: {oldest} seconds"));
    lines.push(format!("Waiting at the gate: {waiting}"));
    lines.push(format!("Stuck: {stuck}"));
    for one in work::stuck(db, MOST_LISTED)? {
        let error = if one.last_error.is_empty() { "no answer yet" } else { &one.last_error };
        lines.push(format!("  {} {} since {}, {} attempts: {error}", one.id, one.what, one.since, one.attempts));
    }
    Ok(lines)
}
