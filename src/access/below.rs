//! How much is below an account: kept in its row, and what decides how pages about all of it are made.

use diesel::prelude::*;

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::accounts;

/// With more accounts below than this, nobody counts and nobody sorts all of them for a page.
pub const LARGE: i64 = 10_000;

/// How many open accounts are below, at any level.
pub fn below_count(db: &mut Db, account: Key) -> Result<i64, Problem> {
    Ok(accounts::table.find(account).select(accounts::below_count).first(db)?)
}

/// Whether so much is below that one asks of each candidate whether it is, rather than listing all that are.
pub fn is_large(db: &mut Db, account: Key) -> Result<bool, Problem> {
    Ok(below_count(db, account)? > LARGE)
}
