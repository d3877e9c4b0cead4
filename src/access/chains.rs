//! The chains of several accounts at once, for lists and searches: two queries, whatever the number and however deep.

use std::collections::HashMap;

use diesel::prelude::*;

use super::frame::{Place, Step};
use super::lookup::{GIVEN_COLUMNS, Given, GivenRow, PLACE_COLUMNS, PlaceRow, given_of, place_of, steps};
use super::policy::Permissions;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{account_ancestry, accounts, assignments, roles};

/// Each from its root down, with what this user holds at every step. Closed accounts and those where the user holds
/// nothing are left out.
pub fn chains(db: &mut Db, user: Key, keys: &[Key]) -> Result<HashMap<Key, Vec<Step>>, Problem> {
    Ok(reached(db, user, keys)?.into_iter().map(|(key, (chain, _))| (key, chain)).collect())
}

/// The same, each with what the user holds in the accounts below it.
pub fn reached(db: &mut Db, user: Key, keys: &[Key]) -> Result<HashMap<Key, (Vec<Step>, Permissions)>, Problem> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let above = account_ancestry::table
        .filter(account_ancestry::descendant_key.eq_any(keys.to_vec()))
        .select(account_ancestry::ancestor_key);
    // Each account once: deep chains share most of what is above them.
    let rows = accounts::table
        .filter(accounts::key.eq_any(above))
        .select((PLACE_COLUMNS, accounts::parent_key, accounts::closed_at.is_null()))
        .load::<(PlaceRow, Option<Key>, bool)>(db)?;
    let places: HashMap<Key, Known> =
        rows.into_iter().map(|(row, parent, open)| (row.0, Known { place: place_of(row), parent, open })).collect();
    let given = given(db, user, keys)?;
    let nothing = Vec::new();
    let reached = |key: &Key| {
        let places = chain(&places, *key);
        (*key, steps(places, given.get(key).unwrap_or(&nothing)))
    };
    Ok(keys
        .iter()
        .filter(|key| places.get(key).is_some_and(|known| known.open))
        .map(reached)
        .filter(|(_, (chain, _))| chain.last().is_some_and(|step| !step.held.is_empty()))
        .collect())
}

struct Known {
    place: Place,
    parent: Option<Key>,
    open: bool,
}

/// From the root down to the account.
fn chain(places: &HashMap<Key, Known>, account: Key) -> Vec<Place> {
    let mut chain = Vec::new();
    let mut next = places.get(&account);
    while let Some(known) = next {
        chain.push(known.place.clone());
        next = known.parent.and_then(|parent| places.get(&parent));
    }
    chain.reverse();
    chain
}

/// What the user was given at or above each of the accounts.
fn given(db: &mut Db, user: Key, keys: &[Key]) -> Result<HashMap<Key, Vec<Given>>, Problem> {
    // + 0: from the accounts up. PostgreSQL would read everything below an account where the user holds a role.
    let at = assignments::account_key.eq(account_ancestry::ancestor_key + 0_i64);
    let rows = account_ancestry::table
        .inner_join(assignments::table.on(at))
        .inner_join(roles::table.on(roles::key.eq(assignments::role_key)))
        .filter(account_ancestry::descendant_key.eq_any(keys.to_vec()))
        .filter(assignments::user_key.eq(user))
        .filter(assignments::ends_at.gt(ids::now()))
        .select((account_ancestry::descendant_key, assignments::account_key, GIVEN_COLUMNS))
        .load::<(Key, Key, GivenRow)>(db)?;
    let mut given: HashMap<Key, Vec<Given>> = HashMap::new();
    for (of, at, row) in rows {
        given.entry(of).or_default().push(given_of(at, row));
    }
    Ok(given)
}
