//! Which accounts a text may mean, by the indexes of texts and ids; whether one of them does is compared again.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::wanted::Wanted;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect;
use crate::store::dialect::{Run, said_once};
use crate::text::like_anywhere;

/// A text that fewer accounts have is rare.
const RARE: usize = 2_000;
/// Accounts with a text in a tag that are listed in a statement.
const MOST_TAGGED: usize = 5_000;
/// Accounts whose id begins with the text; more than some mean none.
pub const MOST_IDS: usize = 100;

#[derive(QueryableByName)]
pub struct Found {
    #[diesel(sql_type = BigInt)]
    pub key: Key,
}

/// For words that an account above may have: which accounts of those that the person may see are called so. A word that
/// is missing is in too many names, or too short to be looked up.
pub type Above = HashMap<String, Vec<Key>>;

/// For words that a name or a tag may have: which accounts have them in a tag. A word that is missing is looked for in the
/// tags of each account that is looked at.
pub type Tagged = HashMap<String, Vec<Key>>;

/// Accounts that are looked at in great number are not each asked for their tags, where the tags can be looked up.
pub fn tagged(db: &mut Db, wanted: &Wanted) -> Result<Tagged, Problem> {
    let mut tagged = Tagged::new();
    for word in wanted.own.iter().chain(&wanted.any) {
        tagged.extend(dialect::with_tag(db, word, MOST_TAGGED)?.map(|keys| (word.clone(), keys)));
    }
    Ok(tagged)
}

/// The accounts of the range that have the word in their name; None where they are too many.
pub fn named(db: &mut Db, range: &str, word: &str) -> Result<Option<Vec<Key>>, Problem> {
    let text = format!("SELECT r.key AS key FROM ({range}) r WHERE r.name_key LIKE $1 ESCAPE '\\' LIMIT {}", RARE + 1);
    let rows: Vec<Found> = said_once(text).bind(like_anywhere(word)).rows(db)?;
    Ok((rows.len() <= RARE).then(|| rows.into_iter().map(|row| row.key).collect()))
}

/// The accounts that have a text in their names or tags, each text looked up once.
#[derive(Default)]
pub struct Texts(HashMap<String, Option<Vec<Key>>>);

impl Texts {
    /// None where it is in too many.
    pub fn with(&mut self, db: &mut Db, word: &str) -> Result<Option<Vec<Key>>, Problem> {
        if let Some(known) = self.0.get(word) {
            return Ok(known.clone());
        }
        let found = dialect::with_text(db, word, RARE)?;
        self.0.insert(word.to_owned(), found.clone());
        Ok(found)
    }
}

/// The accounts that can match at all; None where they are too many to be looked at.
pub fn candidates(db: &mut Db, wanted: &Wanted, texts: &mut Texts) -> Result<Option<Vec<Key>>, Problem> {
    let mut found = Vec::new();
    if wanted.any.is_empty() {
        // All of these words must be there: the first that is rare will do.
        let mut words: Vec<&String> = wanted.own.iter().collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
        let mut rare = None;
        for word in words {
            rare = texts.with(db, word)?;
            if rare.is_some() {
                break;
            }
        }
        match rare {
            Some(keys) => found.extend(keys),
            // Everything below what is called so.
            None if wanted.own.is_empty() && !wanted.above.is_empty() => return Ok(None),
            None if wanted.own.is_empty() => {}
            None => return Ok(None),
        }
    } else {
        for word in &wanted.any {
            match texts.with(db, word)? {
                Some(keys) => found.extend(keys),
                None => return Ok(None),
            }
        }
    }
    if !begins_id(wanted).is_empty() {
        found.extend(dialect::with_id(db, begins_id(wanted), MOST_IDS)?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(Some(found))
}

/// Fewer are in too many ids to mean one.
const SHORTEST_ID: usize = 3;

/// The text where it may be the beginning of an id; else nothing.
pub fn begins_id(wanted: &Wanted) -> &str {
    let may = wanted.id.chars().count() > SHORTEST_ID && !wanted.id.contains(char::is_whitespace);
    if may { &wanted.id } else { "" }
}
