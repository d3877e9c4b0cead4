//! Rows of suspensions, one for each suspended account, and whether one is at an account or above it.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::Suspended;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, one_of};
use crate::store::schema::{account_ancestry, suspensions};

/// Whether the account, or one above it, is suspended.
pub fn of(db: &mut Db, account: Key) -> Result<Option<Suspended>, Problem> {
    let nearest: Option<(Key, i64)> = account_ancestry::table
        .inner_join(suspensions::table.on(suspensions::account_key.eq(account_ancestry::ancestor_key)))
        .filter(account_ancestry::descendant_key.eq(account))
        .order(account_ancestry::distance)
        .select((account_ancestry::ancestor_key, account_ancestry::distance))
        .first_row(db)
        .optional()?;
    Ok(nearest.map(|(at, distance)| Suspended { at, distance }))
}

/// Those of the accounts that are suspended, or below one that is: true for those that are so themselves.
pub fn among(db: &mut Db, accounts: &[Key]) -> Result<HashMap<Key, bool>, Problem> {
    if accounts.is_empty() {
        return Ok(HashMap::new());
    }
    // + 0: from the accounts up. SQLite would ask each of a few suspended ones for each account.
    let above = account_ancestry::ancestor_key + 0_i64;
    let rows: Vec<(Key, i64)> = account_ancestry::table
        .inner_join(suspensions::table.on(suspensions::account_key.eq(above)))
        .filter(one_of(account_ancestry::descendant_key, accounts))
        .select((account_ancestry::descendant_key, account_ancestry::distance))
        .rows(db)?;
    let mut found = HashMap::new();
    for (account, distance) in rows {
        *found.entry(account).or_insert(false) |= distance == 0;
    }
    Ok(found)
}

/// Those of the accounts that are suspended themselves.
pub fn themselves(db: &mut Db, accounts: &[Key]) -> Result<HashSet<Key>, Problem> {
    let rows: Vec<Key> = suspensions::table
        .filter(one_of(suspensions::account_key, accounts))
        .select(suspensions::account_key)
        .rows(db)?;
    Ok(rows.into_iter().collect())
}

/// Whether the account is below a suspended one that would not be above it any more under `new_parent`.
pub fn leaves_suspended(db: &mut Db, account: Key, new_parent: Key) -> Result<bool, Problem> {
    let left: Vec<Key> = account_ancestry::table
        .inner_join(suspensions::table.on(suspensions::account_key.eq(account_ancestry::ancestor_key)))
        .filter(account_ancestry::descendant_key.eq(account))
        .filter(account_ancestry::distance.gt(0))
        .select(account_ancestry::ancestor_key)
        .rows(db)?;
    let stays: Vec<Key> = account_ancestry::table
        .filter(account_ancestry::descendant_key.eq(new_parent))
        .filter(account_ancestry::ancestor_key.eq_any(left.clone()))
        .select(account_ancestry::ancestor_key)
        .rows(db)?;
    Ok(left.len() > stays.len())
}

/// `by`: nobody where the operator does it.
pub fn insert(db: &mut Db, account: Key, reason: &str, by: Option<Key>) -> Result<(), Problem> {
    diesel::insert_into(suspensions::table)
        .values((
            suspensions::account_key.eq(account),
            suspensions::suspended_at.eq(ids::now()),
            suspensions::reason.eq(reason),
            suspensions::user_key.eq(by),
        ))
        .execute(db)?;
    Ok(())
}

pub fn delete(db: &mut Db, account: Key) -> Result<(), Problem> {
    diesel::delete(suspensions::table.find(account)).execute(db)?;
    Ok(())
}
