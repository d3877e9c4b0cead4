//! The accounts that are there, asked of the database some hundreds at once: never line by line, and each question is a
//! seek in an index, however many accounts there are. What this person may not see is not there.

use std::collections::HashMap;

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::forest::Ground;
use crate::access::lookup;
use crate::access::permissions::Permissions;
use crate::access::policy::CreateAccounts;
use crate::access::{Grant, Step};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::store::schema::{account_ancestry, accounts};

/// Ids, references or names asked for in one statement.
const AT_ONCE: usize = 300;

/// An account that is there: the way down to it, and what is held in those below it.
pub struct Known {
    pub chain: Vec<Step>,
    pub below: Permissions,
}

impl Known {
    pub fn here(&self) -> Option<&Step> {
        self.chain.last()
    }
}

pub struct Accounts<'a> {
    db: &'a mut Db,
    user: Key,
    top: Key,
    root: Key,
    known: HashMap<Key, Known>,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = BigInt)]
    parent_key: Key,
    #[diesel(sql_type = Text)]
    name_key: String,
    #[diesel(sql_type = BigInt)]
    key: Key,
}

impl<'a> Accounts<'a> {
    pub fn of(db: &'a mut Db, by: &Grant<CreateAccounts>) -> Accounts<'a> {
        let (user, top) = (by.actor().key, by.account());
        let here = Known { chain: by.frame().chain.clone(), below: by.frame().below };
        Accounts { db, user, top: top.key, root: top.root_key, known: HashMap::from([(top.key, here)]) }
    }

    /// Everything that was learned about them.
    pub fn into_known(self) -> HashMap<Key, Known> {
        self.known
    }

    /// Learns about these; those that may not be seen stay unknown.
    fn learn(&mut self, keys: impl IntoIterator<Item = Key>) -> Result<(), Problem> {
        let mut new: Vec<Key> = keys.into_iter().filter(|key| !self.known.contains_key(key)).collect();
        new.sort_unstable();
        new.dedup();
        for some in new.chunks(AT_ONCE) {
            let reached = lookup::reached(self.db, self.user, some)?;
            self.known.extend(reached.into_iter().map(|(key, (chain, below))| (key, Known { chain, below })));
        }
        Ok(())
    }

    /// Open children of these accounts with these folded names, whoever may see them.
    fn named(&mut self, wanted: &[(Key, String)]) -> Result<Vec<Named>, Problem> {
        let mut found = Vec::new();
        for some in wanted.chunks(AT_ONCE) {
            let places: Vec<String> = (0..some.len()).map(|n| format!("(${}, ${})", 2 * n + 1, 2 * n + 2)).collect();
            let text = format!(
                "WITH wanted (parent_key, name_key) AS (VALUES {})
                 SELECT w.parent_key, w.name_key, a.key FROM wanted w
                 JOIN accounts a ON a.parent_key = w.parent_key AND a.name_key = w.name_key
                 WHERE a.closed_at IS NULL",
                places.join(", ")
            );
            let mut query = diesel::sql_query(text).into_boxed::<MultiBackend>();
            for (parent, name) in some {
                query = query.bind::<BigInt, _>(*parent).bind::<Text, _>(name.clone());
            }
            found.extend(query.load::<Named>(self.db)?);
        }
        Ok(found)
    }

    /// Which of these names are taken by an open child of the account they stand with.
    pub fn taken(&mut self, wanted: &[(Key, String)]) -> Result<HashMap<(Key, String), Key>, Problem> {
        let rows = self.named(wanted)?;
        Ok(rows.into_iter().map(|row| ((row.parent_key, row.name_key), row.key)).collect())
    }
}

impl Ground for Accounts<'_> {
    fn top(&self) -> Key {
        self.top
    }

    fn by_id(&mut self, ids: &[String]) -> Result<HashMap<String, Key>, Problem> {
        let mut found: Vec<(String, Key)> = Vec::new();
        for some in ids.chunks(AT_ONCE) {
            // Not a join: there is an index by the ancestor as well, and reading everything below the top to find a few is
            // what must not happen.
            let within = account_ancestry::table
                .filter(account_ancestry::descendant_key.eq(accounts::key))
                .filter(account_ancestry::ancestor_key.eq(self.top));
            found.extend(
                accounts::table
                    .filter(accounts::id.eq_any(some.to_vec()))
                    .filter(exists(within))
                    .filter(accounts::closed_at.is_null())
                    .select((accounts::id, accounts::key))
                    .load::<(String, Key)>(self.db)?,
            );
        }
        self.learn(found.iter().map(|(_, key)| *key))?;
        Ok(found.into_iter().filter(|(_, key)| self.known.contains_key(key)).collect())
    }

    fn by_reference(&mut self, references: &[String]) -> Result<HashMap<String, Vec<(Key, Key)>>, Problem> {
        let mut found: Vec<(String, Key, Key)> = Vec::new();
        for some in references.chunks(AT_ONCE) {
            let below = account_ancestry::table
                .filter(account_ancestry::descendant_key.eq(accounts::key))
                .filter(account_ancestry::ancestor_key.eq(self.top))
                .filter(account_ancestry::distance.gt(0));
            found.extend(
                accounts::table
                    .filter(accounts::root_key.eq(self.root))
                    .filter(accounts::external_reference.assume_not_null().eq_any(some.to_vec()))
                    .filter(exists(below))
                    .filter(accounts::closed_at.is_null())
                    .order(accounts::key)
                    .select((
                        accounts::external_reference.assume_not_null(),
                        accounts::key,
                        accounts::parent_key.assume_not_null(),
                    ))
                    .load::<(String, Key, Key)>(self.db)?,
            );
        }
        self.learn(found.iter().map(|(_, key, _)| *key))?;
        let mut all: HashMap<String, Vec<(Key, Key)>> = HashMap::new();
        for (reference, key, parent) in found.into_iter().filter(|(_, key, _)| self.known.contains_key(key)) {
            all.entry(reference).or_default().push((key, parent));
        }
        Ok(all)
    }

    fn children(&mut self, wanted: &[(Key, String)]) -> Result<HashMap<(Key, String), Vec<Key>>, Problem> {
        let rows = self.named(wanted)?;
        self.learn(rows.iter().map(|row| row.key))?;
        let mut all: HashMap<(Key, String), Vec<Key>> = HashMap::new();
        for row in rows.into_iter().filter(|row| self.known.contains_key(&row.key)) {
            all.entry((row.parent_key, row.name_key)).or_default().push(row.key);
        }
        Ok(all)
    }

    fn id_of(&self, account: Key) -> String {
        self.known.get(&account).and_then(Known::here).map_or_else(String::new, |step| step.place.id.clone())
    }
}
