//! Where somebody may look for accounts, and how many there are: what the plan of a search goes by.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamp};

use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;

/// Where a person holds roles, without what is below another such place.
pub struct Reach {
    /// With everything below.
    pub wide: Vec<Key>,
    /// By themselves.
    pub single: Vec<Key>,
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
        }
        let places: Vec<Place> = diesel::sql_query(
            "SELECT s.account_key AS key, MAX(CASE s.scope WHEN 'here' THEN -1 ELSE a.below_count END) AS below
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
        let (wide, single): (Vec<Place>, Vec<Place>) = places.into_iter().partition(|place| place.below >= 0);
        let keys = |places: Vec<Place>| places.into_iter().map(|place| place.key).collect();
        Ok(Reach { wide: keys(wide), single: keys(single), accounts })
    }

    /// Keys and names of all in reach; `end`: order and limit of what is below.
    pub fn range(&self, end: &str) -> String {
        let below = format!(
            "SELECT descendant_key AS key, name_key FROM account_ancestry WHERE ancestor_key IN ({}) {end}",
            list(&self.wide)
        );
        if self.single.is_empty() {
            return below;
        }
        let single = list(&self.single);
        format!("SELECT * FROM ({below}) wide UNION ALL SELECT key, name_key FROM accounts WHERE key IN ({single})")
    }
}

/// Numbers of ours: no text of anybody's is in the statement. PostgreSQL takes no empty list.
pub fn list(keys: &[Key]) -> String {
    if keys.is_empty() {
        return "NULL".to_owned();
    }
    keys.iter().map(Key::to_string).collect::<Vec<_>>().join(", ")
}
