//! The accounts above several at once, read once for all that is inherited: who pays, what suspends, which limits hold.
//! Whoever asks for the rows of a table by these keys asks for each once, however many accounts are below it.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, one_of};
use crate::store::schema::account_ancestry;

/// Accounts, each with those above it.
#[derive(Debug, Clone, Default)]
pub struct Above {
    /// From the account itself up to its root.
    chains: HashMap<Key, Vec<Key>>,
    every: Vec<Key>,
}

impl Above {
    /// Each of the accounts with itself and those above it, the nearest first.
    pub fn chains(&self) -> impl Iterator<Item = (Key, &[Key])> {
        self.chains.iter().map(|(account, chain)| (*account, chain.as_slice()))
    }

    /// All of them, each once, in the order of keys.
    pub fn every(&self) -> &[Key] {
        &self.every
    }
}

/// What is above these accounts, in one statement.
pub fn above(db: &mut Db, accounts: &[Key]) -> Result<Above, Problem> {
    if accounts.is_empty() {
        return Ok(Above::default());
    }
    let rows: Vec<(Key, i64, Key)> = account_ancestry::table
        .filter(one_of(account_ancestry::descendant_key, accounts))
        .select((account_ancestry::descendant_key, account_ancestry::distance, account_ancestry::ancestor_key))
        .rows(db)?;
    Ok(arranged(rows))
}

/// Rows of (account, levels up, account there), in any order.
fn arranged(mut rows: Vec<(Key, i64, Key)>) -> Above {
    rows.sort_unstable();
    let mut above = Above { chains: HashMap::new(), every: rows.iter().map(|row| row.2).collect() };
    above.every.sort_unstable();
    above.every.dedup();
    for same in rows.chunk_by(|one, other| one.0 == other.0) {
        above.chains.insert(same[0].0, same.iter().map(|row| row.2).collect());
    }
    above
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_go_up_from_the_account_and_each_key_is_told_once() {
        let above = arranged(vec![(7, 1, 3), (5, 0, 5), (7, 2, 1), (5, 1, 1), (7, 0, 7)]);
        assert_eq!(above.every(), [1, 3, 5, 7]);
        let mut chains: Vec<(Key, &[Key])> = above.chains().collect();
        chains.sort_unstable();
        assert_eq!(chains, [(5, &[5, 1][..]), (7, &[7, 3, 1][..])]);
    }
}
