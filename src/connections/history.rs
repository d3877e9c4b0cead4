//! The history of a connection as it is shown: every state with its moment, the message, and who asked for it.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::State;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{connection_history, users};

/// One line of it.
#[derive(Debug, Clone)]
pub struct Step {
    pub at: NaiveDateTime,
    pub state: State,
    pub error_code: String,
    pub message: String,
    /// Empty for the background work.
    pub who: String,
}

type Row = (NaiveDateTime, String, String, String, Option<(String, String)>);

/// The newest first, at most `limit`.
pub fn of(db: &mut Db, account: Key, connection: Key, limit: i64) -> Result<Vec<Step>, Problem> {
    let rows: Vec<Row> = connection_history::table
        .left_join(users::table.on(connection_history::user_key.eq(users::key.nullable())))
        .filter(connection_history::connection_key.eq(connection))
        .filter(connection_history::account_key.eq(account))
        .order(connection_history::key.desc())
        .limit(limit)
        .select((
            connection_history::at,
            connection_history::state,
            connection_history::error_code,
            connection_history::message,
            (users::first_name, users::last_name).nullable(),
        ))
        .load(db)?;
    let step = |(at, state, error_code, message, who): Row| {
        let state = State::of_code(&state).ok_or_else(|| Problem::bug("a history with no known state"))?;
        let who = who.map_or_else(String::new, |(first, last)| format!("{first} {last}"));
        Ok(Step { at, state, error_code, message, who })
    };
    rows.into_iter().map(step).collect()
}
