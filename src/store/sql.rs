//! Pieces of SQL that several rooms say, for statements that are texts.

use crate::ids::Key;

/// Keys as the inside of `IN (…)`: numbers of ours, no text of anybody's. No key is -1; PostgreSQL takes no empty list, and
/// nothing is outside of one that holds NULL.
pub fn list(keys: &[Key]) -> String {
    if keys.is_empty() {
        return "-1".to_owned();
    }
    keys.iter().map(Key::to_string).collect::<Vec<_>>().join(", ")
}

/// Whether there is a row, looked up by its key for each row that is asked. Said as EXISTS, PostgreSQL would make a join
/// of it and read tables whole, as it takes a few accounts for many.
pub fn there_is(from: &str) -> String {
    format!("(SELECT 1 FROM {from} LIMIT 1) IS NOT NULL")
}

/// Whether the account of the row `r` is open.
pub fn is_open() -> String {
    there_is("accounts a WHERE a.key = r.key AND a.closed_at IS NULL")
}
