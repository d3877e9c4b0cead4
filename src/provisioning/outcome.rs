//! The end of an intent, whoever brings it: the answer to its delivery, or the fabric by itself. It is applied once, in
//! one transaction with what it means for the port or connection; what comes later, or again, changes nothing.

use super::fabric::Outcome;
use super::intents;
use super::store::{self, Kind};
use super::{connection, port};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::{self as database, Db};

/// Ends the intent; false when it was ended before, or this is no end.
pub fn apply(db: &mut Db, intent: Key, outcome: &Outcome) -> Result<bool, Problem> {
    let (done, error) = match outcome {
        Outcome::Done(_) => (true, ""),
        Outcome::Failed { code, message } => (false, if message.is_empty() { code.as_str() } else { message.as_str() }),
        Outcome::Accepted | Outcome::Retry(_) => return Ok(false),
    };
    database::write(db, |db| {
        let account = intents::find(db, intent)?.account;
        store::lock(db, account)?;
        let open = intents::find(db, intent)?;
        if open.finished || !intents::finish(db, intent, done, error)? {
            return Ok(false);
        }
        match open.kind {
            Kind::Connection => connection::finished(db, &open, outcome)?,
            Kind::Port => port::finished(db, &open, outcome)?,
        }
        Ok(true)
    })
}
