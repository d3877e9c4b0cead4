//! Where somebody may look for accounts, and how many there are: what the plan of a search goes by.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamp};

use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;

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
        #[derive(QueryableByName)]
        struct Place {
            #[diesel(sql_type = BigInt)]
            key: Key,
            /// -1: the account alone.
            #[diesel(sql_type = BigInt)]
            below: i64,
            /// 0: only what is below.
            #[diesel(sql_type = BigInt)]
            here: i64,
        }
        let places: Vec<Place> = diesel::sql_query(
            "SELECT s.account_key AS key, MAX(CASE s.scope WHEN 'here' THEN -1 ELSE a.below_count END) AS below,
                 CAST(MAX(CASE s.scope WHEN 'below' THEN 0 ELSE 1 END) AS BIGINT) AS here
             FROM assignments s JOIN accounts a ON a.key = s.account_key
             WHERE s.user_key = $1 AND s.ends_at > $2 AND NOT EXISTS (
                 SELECT 1 FROM account_ancestry v JOIN assignments t ON t.account_key = v.ancestor_key
                 WHERE v.descendant_key = s.account_key AND v.distance > 0 AND t.user_key = $1 AND t.ends_at > $2
                   AND t.scope <> 'here')
             GROUP BY s.account_key ORDER BY s.account_key",
        )
        .bind::<BigInt, _>(user)
        .bind::<Timestamp, _>(ids::now())
        .load(db)?;
        let accounts = places.iter().map(|place| place.below.max(0) + 1).sum();
        let hidden = places.iter().filter(|place| place.here == 0).map(|place| place.key).collect();
        let (wide, single): (Vec<Place>, Vec<Place>) = places.into_iter().partition(|place| place.below >= 0);
        let keys = |places: Vec<Place>| places.into_iter().map(|place| place.key).collect();
        Ok(Reach { wide: keys(wide), hidden, single: keys(single), accounts })
    }

    /// Keys and names of all that the person may see; `end`: order and limit of what is below.
    pub fn range(&self, end: &str) -> String {
        self.with_single(&format!("{} {end}", self.below()), &self.single)
    }

    /// Keys and names of those whose name begins so: `from` and `to` are the first and the last name.
    pub fn beginning(&self, from: &str, to: &str) -> String {
        format!("{} AND name_key >= {from} AND name_key < {to}", self.below())
    }

    /// Keys and names of those of `keys` that the person may see.
    pub fn of_these(&self, keys: &[Key]) -> String {
        let single: Vec<Key> = self.single.iter().filter(|key| keys.contains(key)).copied().collect();
        self.with_single(&format!("{} AND descendant_key IN ({})", self.below(), list(keys)), &single)
    }

    /// Whether the person may see the account `key`, which is above one that they may see.
    pub fn sees(&self, key: &str) -> String {
        format!(
            "({key} IN ({}) OR ({key} NOT IN ({}) AND EXISTS (SELECT 1 FROM account_ancestry v
                WHERE v.descendant_key = {key} AND v.ancestor_key IN ({}))))",
            list(&self.single),
            list(&self.hidden),
            list(&self.wide)
        )
    }

    fn below(&self) -> String {
        let mut below = format!(
            "SELECT descendant_key AS key, name_key FROM account_ancestry WHERE ancestor_key IN ({})",
            list(&self.wide)
        );
        if !self.hidden.is_empty() {
            below.push_str(&format!(" AND descendant_key NOT IN ({})", list(&self.hidden)));
        }
        below
    }

    fn with_single(&self, below: &str, single: &[Key]) -> String {
        if single.is_empty() {
            return below.to_owned();
        }
        format!(
            "SELECT * FROM ({below}) wide UNION ALL SELECT key, name_key FROM accounts WHERE key IN ({})",
            list(single)
        )
    }
}

/// Numbers of ours: no text of anybody's is in the statement. No key is -1; PostgreSQL takes no empty list, and nothing is
/// outside of one that holds NULL.
fn list(keys: &[Key]) -> String {
    if keys.is_empty() {
        return "-1".to_owned();
    }
    keys.iter().map(Key::to_string).collect::<Vec<_>>().join(", ")
}
