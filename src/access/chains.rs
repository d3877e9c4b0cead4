//! The chains of several accounts at once, for lists and searches: two queries for up to 10,000 accounts with all above
//! them. They are followed from parent to parent, each account once: rows of ancestry are as many as the accounts times
//! their depth.

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
use crate::store::schema::{accounts, assignments, roles};

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
    let places = places(db, keys)?;
    let given = given(db, user, &places)?;
    let reached = |key: &Key| {
        let places = chain(&places, *key);
        let along: Vec<&Given> = places.iter().filter_map(|place| given.get(&place.key)).flatten().collect();
        (*key, steps(places, &along))
    };
    Ok(keys
        .iter()
        .filter(|key| places.get(key).is_some_and(|known| known.open))
        .map(reached)
        .filter(|(_, (chain, _))| chain.last().is_some_and(|step| !step.held.is_empty()))
        .collect())
}

struct Known {
    place: Arc<Place>,
    parent: Option<Key>,
    open: bool,
}

/// The accounts and all above them.
fn places(db: &mut Db, keys: &[Key]) -> Result<HashMap<Key, Known>, Problem> {
    let listed = keys.iter().map(Key::to_string).collect::<Vec<_>>().join(", ");
    const COLUMNS: &str =
        "a.key, a.id, a.name, a.depth, a.root_key, a.children_count, a.version, a.requires_second_factor, a.parent_key,
         a.closed_at";
    let rows: Vec<Above> = diesel::sql_query(format!(
        "WITH RECURSIVE up AS (
             SELECT {COLUMNS} FROM accounts a WHERE a.key IN ({listed})
             UNION SELECT {COLUMNS} FROM up JOIN accounts a ON a.key = up.parent_key)
         SELECT * FROM up"
    ))
    .load(db)?;
    let known = |Above { place, parent_key, closed_at }: Above| {
        (place.key, Known { place: Arc::new(place), parent: parent_key, open: closed_at.is_none() })
    };
    Ok(rows.into_iter().map(known).collect())
}

#[derive(QueryableByName)]
#[diesel(table_name = accounts)]
struct Above {
    #[diesel(embed)]
    place: Place,
    parent_key: Option<Key>,
    closed_at: Option<NaiveDateTime>,
}

/// From the root down to the account.
fn chain(places: &HashMap<Key, Known>, account: Key) -> Vec<Arc<Place>> {
    let mut chain = Vec::new();
    let mut next = places.get(&account);
    while let Some(known) = next {
        chain.push(known.place.clone());
        next = known.parent.and_then(|parent| places.get(&parent));
    }
    chain.reverse();
    chain
}

/// Keys asked for at once; a statement takes 32,766 values.
const AT_ONCE: usize = 10_000;

/// What the user was given at each of these accounts.
fn given(db: &mut Db, user: Key, places: &HashMap<Key, Known>) -> Result<HashMap<Key, Vec<Given>>, Problem> {
    let mut keys: Vec<Key> = places.keys().copied().collect();
    keys.sort_unstable();
    let mut given: HashMap<Key, Vec<Given>> = HashMap::new();
    for some in keys.chunks(AT_ONCE) {
        let rows = assignments::table
            .inner_join(roles::table.on(roles::key.eq(assignments::role_key)))
            .filter(assignments::user_key.eq(user))
            .filter(assignments::account_key.eq_any(some.to_vec()))
            .filter(assignments::ends_at.gt(ids::now()))
            .order(assignments::key)
            .select((assignments::account_key, GIVEN_COLUMNS))
            .load::<(Key, GivenRow)>(db)?;
        for (at, row) in rows {
            given.entry(at).or_default().push(given_of(at, row));
        }
    }
    Ok(given)
}
