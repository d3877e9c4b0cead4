//! Where somebody may look for accounts, and how many there are: what the plan of a search goes by.

use std::collections::{BTreeMap, HashSet};

use diesel::prelude::*;

use super::texts::Found;
use crate::access::lookup::scope;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, said_once};
use crate::store::schema::{accounts, assignments};
use crate::store::sql::{list, there_is};

/// Where a person holds roles, without what is below another such place.
pub struct Reach {
    /// With everything below; none is below another.
    pub wide: Vec<Key>,
    /// Those of `wide` that the person may not see: their roles hold below only.
    hidden: Vec<Key>,
    /// By themselves.
    single: Vec<Key>,
    pub accounts: i64,
}

impl Reach {
    pub fn of(db: &mut Db, user: Key) -> Result<Reach, Problem> {
        let mut places: BTreeMap<Key, Place> = BTreeMap::new();
        let rows: Vec<(Key, String, i64)> = assignments::table
            .inner_join(accounts::table.on(accounts::key.eq(assignments::account_key)))
            .filter(assignments::user_key.eq(user))
            .filter(assignments::ends_at.gt(ids::now()))
            .select((assignments::account_key, assignments::scope, accounts::below_count))
            .rows(db)?;
        for (key, scope, below) in rows {
            let place = places.entry(key).or_insert(Place { here: false, below: None });
            place.here |= scope != scope::BELOW;
            place.below = place.below.or((scope != scope::HERE).then_some(below));
        }
        for key in nested(db, &places)? {
            places.remove(&key);
        }
        let wide = || places.iter().filter(|(_, place)| place.below.is_some());
        Ok(Reach {
            wide: wide().map(|(key, _)| *key).collect(),
            hidden: wide().filter(|(_, place)| !place.here).map(|(key, _)| *key).collect(),
            single: places.iter().filter(|(_, place)| place.below.is_none()).map(|(key, _)| *key).collect(),
            accounts: places.values().map(|place| place.below.unwrap_or(0) + 1).sum(),
        })
    }

    /// Keys and names of all that the person may see; `end`: order and limit of what is below.
    pub fn range(&self, end: &str) -> String {
        with_single(&format!("{} {end}", self.below()), &self.single)
    }

    /// Keys and names of those whose name begins so: `from` and `to` are the first and the last name.
    pub fn beginning(&self, from: &str, to: &str) -> String {
        let begins = format!("name_key >= {from} AND name_key < {to}");
        let below = format!("{} AND {begins}", self.below());
        if self.single.is_empty() {
            return below;
        }
        format!("{} AND {begins}", with_single(&below, &self.single))
    }

    /// Keys and names of those of `keys` that the person may see: each is looked up, however much is below the places.
    pub fn of_these(&self, keys: &[Key]) -> String {
        // + 0: of many places, what is above an account is compared with them, not each of them looked up for it.
        let above = if self.wide.len() <= MOST_LOOKED_UP { "x.ancestor_key" } else { "x.ancestor_key + 0" };
        let seen = there_is(&format!(
            "account_ancestry x WHERE x.descendant_key = a.key AND {above} IN ({})",
            list(&self.wide)
        ));
        let below = format!(
            "SELECT a.key, a.name_key FROM accounts a WHERE a.key IN ({}) AND {seen} AND a.key NOT IN ({})",
            list(keys),
            list(&self.hidden)
        );
        let wanted: HashSet<&Key> = keys.iter().collect();
        let single: Vec<Key> = self.single.iter().filter(|key| wanted.contains(key)).copied().collect();
        with_single(&below, &single)
    }

    /// Whether the person may see the account `key`, which is above one that they may see.
    pub fn sees(&self, key: &str) -> String {
        let below = there_is(&format!(
            "account_ancestry v WHERE v.descendant_key = {key} AND v.ancestor_key IN ({})",
            list(&self.wide)
        ));
        format!("({key} IN ({}) OR ({key} NOT IN ({}) AND {below}))", list(&self.single), list(&self.hidden))
    }

    fn below(&self) -> String {
        format!("{COLUMNS} WHERE ancestor_key IN ({}){}", list(&self.wide), self.not_hidden())
    }

    fn not_hidden(&self) -> String {
        if self.hidden.is_empty() {
            return String::new();
        }
        format!(" AND descendant_key NOT IN ({})", list(&self.hidden))
    }
}

/// Places whose rows are each looked up by place and account.
const MOST_LOOKED_UP: usize = 8;

const COLUMNS: &str = "SELECT descendant_key AS key, name_key FROM account_ancestry";

fn with_single(below: &str, single: &[Key]) -> String {
    if single.is_empty() {
        return below.to_owned();
    }
    format!("SELECT * FROM ({below}) wide UNION ALL SELECT key, name_key FROM accounts WHERE key IN ({})", list(single))
}

/// What a person holds at one account.
struct Place {
    /// In the account itself.
    here: bool,
    /// How many accounts are below, where the role holds there.
    below: Option<i64>,
}

/// Those of the places that are below another from which roles go on.
fn nested(db: &mut Db, places: &BTreeMap<Key, Place>) -> Result<Vec<Key>, Problem> {
    let wide: Vec<Key> = places.iter().filter(|(_, place)| place.below.is_some()).map(|(key, _)| *key).collect();
    if places.len() < 2 || wide.is_empty() {
        return Ok(Vec::new());
    }
    // + 0: from the accounts up. PostgreSQL would read everything below those of `wide`.
    let rows: Vec<Found> = said_once(format!(
        "SELECT DISTINCT descendant_key AS key FROM account_ancestry
         WHERE descendant_key IN ({}) AND ancestor_key + 0 IN ({}) AND distance > 0",
        list(&places.keys().copied().collect::<Vec<_>>()),
        list(&wide)
    ))
    .rows(db)?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}
