//! Which process has which import in hand: a moment in its row, moved forward by whoever takes it and with every step.
//! One that dies lets it pass, and the next process goes on.

use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;

use super::State;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::account_imports as imports;

/// How long one step may take.
const HELD: Duration = Duration::seconds(30);
/// Imports taken on in one go.
const AT_ONCE: i64 = 10;

/// An import that is in the hands of this process until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hand {
    pub import: Key,
    until: NaiveDateTime,
}

/// Imports that nobody has in hand, the oldest first.
pub fn due(db: &mut Db) -> Result<Vec<Key>, Problem> {
    let due = imports::table.filter(imports::state.eq(State::Running.code()));
    let due = due.filter(imports::claimed_until.le(ids::now())).order(imports::key);
    Ok(due.limit(AT_ONCE).select(imports::key).load(db)?)
}

/// Takes it; none when another one was faster.
pub fn take(db: &mut Db, import: Key) -> Result<Option<Hand>, Problem> {
    let (now, until) = (ids::now(), ids::now() + HELD);
    let due = imports::table.find(import).filter(imports::state.eq(State::Running.code()));
    let due = due.filter(imports::claimed_until.le(now));
    let taken = diesel::update(due).set(imports::claimed_until.eq(until)).execute(db)?;
    Ok((taken == 1).then_some(Hand { import, until }))
}

/// Holds on to it for another step; none when it was stopped, or taken over.
pub fn hold(db: &mut Db, hand: Hand) -> Result<Option<Hand>, Problem> {
    // Never the same moment twice, so that it tells one hand from another.
    let until = (ids::now() + HELD).max(hand.until + Duration::microseconds(1));
    let mine = imports::table.find(hand.import).filter(imports::claimed_until.eq(hand.until));
    let mine = mine.filter(imports::state.eq(State::Running.code()));
    let held = diesel::update(mine).set(imports::claimed_until.eq(until)).execute(db)?;
    Ok((held == 1).then_some(Hand { until, ..hand }))
}

/// The import begins: whoever looks next takes it.
pub fn begin(db: &mut Db, import: Key, second_factor: bool, address: &str, user_agent: &str) -> Result<(), Problem> {
    let now = ids::now();
    diesel::update(imports::table.find(import))
        .set((
            imports::state.eq(State::Running.code()),
            imports::started_at.eq(now),
            imports::claimed_until.eq(now),
            imports::second_factor.eq(second_factor),
            imports::address.eq(address),
            imports::user_agent.eq(user_agent),
        ))
        .execute(db)?;
    Ok(())
}

/// Nothing is left to do, or to be done.
pub fn end(db: &mut Db, import: Key, state: State) -> Result<(), Problem> {
    diesel::update(imports::table.find(import))
        .set((imports::state.eq(state.code()), imports::finished_at.eq(ids::now())))
        .execute(db)?;
    Ok(())
}
