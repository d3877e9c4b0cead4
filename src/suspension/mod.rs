//! Suspending a branch: one act at one account, which stops everything new there and below. What is suspended below for
//! itself stays so when the branch is resumed, because each act is a row of its own.

use diesel::prelude::*;

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{account_ancestry, suspensions};

/// Where an account is suspended: at itself, or at an account above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspended {
    /// The suspended account that is nearest to this one.
    pub at: Key,
    /// Levels above this one; 0 is itself.
    pub distance: i64,
}

/// Whether the account, or one above it, is suspended.
pub fn of(db: &mut Db, account: Key) -> Result<Option<Suspended>, Problem> {
    let nearest: Option<(Key, i64)> = account_ancestry::table
        .inner_join(suspensions::table.on(suspensions::account_key.eq(account_ancestry::ancestor_key)))
        .filter(account_ancestry::descendant_key.eq(account))
        .order(account_ancestry::distance)
        .select((account_ancestry::ancestor_key, account_ancestry::distance))
        .first(db)
        .optional()?;
    Ok(nearest.map(|(at, distance)| Suspended { at, distance }))
}
