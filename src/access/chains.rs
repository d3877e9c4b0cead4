//! The chains of several accounts at once, for lists and searches: two queries for them with all above them. They are
//! followed from parent to parent, each account once: rows of ancestry are as many as the accounts times their depth.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::frame::{Place, Step};
use super::lookup::{GIVEN_COLUMNS, Given, GivenRow, given_of, steps};
use super::policy::Permissions;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, one_of, said_once};
use crate::store::schema::{accounts, assignments, roles};
use crate::store::sql::list;

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
    let Above { places, given, at } = above(db, user, keys)?;
    let reached = |key: &Key| {
        let known = *at.get(key).filter(|known| places[**known].open)?;
        let chain = chain(&places, known);
        let along: Vec<&Given> = chain.iter().flat_map(|known| &given[*known]).collect();
        let places = chain.iter().map(|known| places[*known].place.clone()).collect();
        Some((*key, steps(places, &along)))
    };
    let seen =
        |(_, (chain, _)): &(Key, (Vec<Step>, Permissions))| chain.last().is_some_and(|step| !step.held.is_empty());
    Ok(keys.iter().filter_map(reached).filter(seen).collect())
}

/// Accounts with all above them. They are numbered, as a chain may go through a thousand of them for each of fifty hits.
struct Above {
    places: Vec<Known>,
    /// What the user was given at each.
    given: Vec<Vec<Given>>,
    at: HashMap<Key, usize>,
}

struct Known {
    place: Arc<Place>,
    /// Which of the places.
    parent: Option<usize>,
    open: bool,
}

fn above(db: &mut Db, user: Key, keys: &[Key]) -> Result<Above, Problem> {
    let rows = rows(db, keys)?;
    let at: HashMap<Key, usize> = rows.iter().enumerate().map(|(n, row)| (row.place.key, n)).collect();
    let mut given: Vec<Vec<Given>> = rows.iter().map(|_| Vec::new()).collect();
    for (key, row) in given_at(db, user, rows.iter().map(|row| row.place.key).collect())? {
        given[at[&key]].push(given_of(key, row));
    }
    let known = |Row { place, parent_key, closed_at }: Row| {
        let parent = parent_key.and_then(|parent| at.get(&parent).copied());
        Known { place: Arc::new(place), parent, open: closed_at.is_none() }
    };
    Ok(Above { places: rows.into_iter().map(known).collect(), given, at })
}

/// The accounts and all above them.
fn rows(db: &mut Db, keys: &[Key]) -> Result<Vec<Row>, Problem> {
    let listed = list(keys);
    const COLUMNS: &str = "a.key, a.id, a.name, a.depth, a.root_key, a.children_count, a.below_count, a.version,
         a.requires_second_factor, a.parent_key, a.closed_at";
    Ok(said_once(format!(
        "WITH RECURSIVE up AS (
             SELECT {COLUMNS} FROM accounts a WHERE a.key IN ({listed})
             UNION SELECT {COLUMNS} FROM up JOIN accounts a ON a.key = up.parent_key)
         SELECT * FROM up"
    ))
    .rows(db)?)
}

#[derive(QueryableByName)]
#[diesel(table_name = accounts)]
struct Row {
    #[diesel(embed)]
    place: Place,
    parent_key: Option<Key>,
    closed_at: Option<NaiveDateTime>,
}

/// From the root down to the account, as numbers.
fn chain(places: &[Known], account: usize) -> Vec<usize> {
    let mut chain = Vec::new();
    let mut next = Some(account);
    while let Some(known) = next {
        chain.push(known);
        next = places[known].parent;
    }
    chain.reverse();
    chain
}

/// What the user was given at each of these accounts.
fn given_at(db: &mut Db, user: Key, mut keys: Vec<Key>) -> Result<Vec<(Key, GivenRow)>, Problem> {
    keys.sort_unstable();
    Ok(assignments::table
        .inner_join(roles::table.on(roles::key.eq(assignments::role_key)))
        .filter(assignments::user_key.eq(user))
        .filter(one_of(assignments::account_key, &keys))
        .filter(assignments::ends_at.gt(ids::now()))
        .order(assignments::key)
        .select((assignments::account_key, GIVEN_COLUMNS))
        .rows(db)?)
}
