//! Accounts with a text in their names, where there are very many: a rare text is looked up. For one that very many
//! accounts of the installation have, or a short one, so many names are looked through for a page; where that finds too
//! few, the page says where to go on.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::list::{self, COUNTED, Filter, Listed, Row, Scope};
use crate::access::Place;
use crate::access::below::LARGE;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{self, Run, Said, Value, list_of, said};
use crate::store::sql::is_open;
use crate::text::{like_anywhere, name_key};
use crate::web::paging::{Cursor, Want, is_backward};

/// Accounts that have a rare text in their name are looked at one by one, up to so many.
const MOST_CANDIDATES: usize = 5_000;
/// Names that are looked through for a page, which says how many.
const LOOKED_THROUGH: i64 = 20_000;
/// The last of them, among which one is looked for to go on from.
const LAST: i64 = 10;

/// Whether the accounts are so many that they are not all looked through.
pub fn is_apart(account: &Place, filter: &Filter) -> bool {
    !filter.text.is_empty() && list::size(account, filter.scope) > LARGE
}

/// A page in the order of names: at most `limit + 1` rows, turned round when the page before is wanted.
pub fn page(db: &mut Db, account: &Place, filter: &Filter, want: &Want, limit: usize) -> Result<Listed, Problem> {
    Ok(page_and_count(db, account, filter, want, limit)?.0)
}

/// The same with how many match, and whether there may be more: what is looked through name by name is not counted.
pub fn page_and_count(
    db: &mut Db,
    account: &Place,
    filter: &Filter,
    want: &Want,
    limit: usize,
) -> Result<(Listed, (i64, bool)), Problem> {
    let look = Look::new(account, filter, want);
    if let Some(candidates) = dialect::with_text(db, &look.text, MOST_CANDIDATES)? {
        let all = look.all_among(db, &candidates)?;
        let found = i64::try_from(all.len()).unwrap_or(COUNTED);
        let rows = in_order(db, &look.part(all, limit + 1))?;
        return Ok((Listed { rows, more: None }, (found, false)));
    }
    let keys = look.matching(db, limit + 1)?;
    let more = if keys.len() > limit { None } else { look.end(db)? };
    let all = look.from.is_none() && more.is_none() && keys.len() <= limit;
    let found = i64::try_from(keys.len()).unwrap_or(COUNTED);
    let rows = in_order(db, &keys)?;
    Ok((Listed { rows, more }, if all { (found, false) } else { (0, true) }))
}

/// The place before the first name that begins with the text of the filter.
pub fn beginning(filter: &Filter) -> Cursor {
    Cursor(name_key(&filter.text), 0)
}

/// The accounts in the order of their keys here.
fn in_order(db: &mut Db, keys: &[Key]) -> Result<Vec<Row>, Problem> {
    let mut rows = list::by_keys(db, keys)?;
    rows.sort_by_key(|row| keys.iter().position(|key| *key == row.key));
    Ok(rows)
}

/// A look through names in their order, from a place on.
struct Look<'a> {
    account: Key,
    scope: Scope,
    /// Folded.
    text: String,
    up: bool,
    from: Option<&'a Cursor>,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    key: Key,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = BigInt)]
    key: Key,
    #[diesel(sql_type = Text)]
    name_key: String,
}

/// One of the last names that are looked through.
#[derive(QueryableByName)]
struct Ending {
    #[diesel(sql_type = BigInt)]
    key: Key,
    #[diesel(sql_type = Text)]
    name_key: String,
    #[diesel(sql_type = Bool)]
    open: bool,
}

impl<'a> Look<'a> {
    fn new(account: &Place, filter: &Filter, want: &'a Want) -> Look<'a> {
        let text = name_key(&filter.text);
        let from = match want {
            Want::After(cursor) | Want::Before(cursor) if !cursor.0.contains('\0') => Some(cursor),
            _ => None,
        };
        let up = filter.descending == is_backward(want);
        Look { account: account.key, scope: filter.scope, text, up, from }
    }

    /// Those of the candidates that match, open ones.
    fn all_among(&self, db: &mut Db, candidates: &[Key]) -> Result<Vec<Named>, Problem> {
        let (is_candidate, list) = list_of(db, candidates);
        let names = match self.scope {
            // + 0: from the candidates up.
            Scope::Direct => format!("key, name_key FROM accounts WHERE key {is_candidate} AND parent_key + 0 = $2"),
            Scope::Below => format!(
                "descendant_key AS key, name_key FROM account_ancestry
                 WHERE descendant_key {is_candidate} AND ancestor_key = $2 AND distance > 0"
            ),
        };
        // CASE: the name first, so that few are asked whether they are open.
        let text = format!(
            "SELECT r.key, r.name_key FROM (SELECT {names}) r
             WHERE CASE WHEN r.name_key LIKE $3 ESCAPE '\\' THEN {} ELSE 1 = 0 END",
            is_open()
        );
        Ok(said(text).bind(list).bind(self.account).bind(like_anywhere(&self.text)).rows(db)?)
    }

    /// At most so many of all, from the place on.
    fn part(&self, mut all: Vec<Named>, most: usize) -> Vec<Key> {
        all.sort_unstable_by(|a, b| (&a.name_key, a.key).cmp(&(&b.name_key, b.key)));
        if !self.up {
            all.reverse();
        }
        let beyond = |one: &Named| match self.from {
            Some(Cursor(name, key)) if self.up => (&one.name_key, one.key) > (name, *key),
            Some(Cursor(name, key)) => (&one.name_key, one.key) < (name, *key),
            None => true,
        };
        all.iter().filter(|one| beyond(one)).take(most).map(|one| one.key).collect()
    }

    fn direction(&self) -> &'static str {
        if self.up { "ASC" } else { "DESC" }
    }

    /// So many names in their order: `$1` is the account, and `$2` and `$3` where to begin.
    fn names(&self, most: i64) -> String {
        let (names, key) = match self.scope {
            Scope::Direct => ("key, name_key FROM accounts WHERE parent_key = $1", "key"),
            Scope::Below => (
                "descendant_key AS key, name_key FROM account_ancestry WHERE ancestor_key = $1 AND descendant_key <> $1",
                "descendant_key",
            ),
        };
        let than = if self.up { ">" } else { "<" };
        // The first half is what the index is entered by.
        let from = format!(" AND name_key {than}= $2 AND (name_key {than} $2 OR {key} {than} $3)");
        let from = if self.from.is_some() { from.as_str() } else { "" };
        let direction = self.direction();
        format!("SELECT {names}{from} ORDER BY name_key {direction}, {key} {direction} LIMIT {most}")
    }

    /// A statement that says [`Look::names`].
    fn query(&self, sql: String, text: Option<&str>) -> Said {
        let from = self.from.iter().flat_map(|Cursor(name, key)| [Value::from(name.as_str()), Value::from(*key)]);
        let text = text.map(|text| Value::from(like_anywhere(text)));
        said(sql).bind(self.account).bind_all(from).bind_all(text)
    }

    /// Open accounts with the text in their name, in order.
    fn matching(&self, db: &mut Db, most: usize) -> Result<Vec<Key>, Problem> {
        let (names, direction) = (self.names(LOOKED_THROUGH), self.direction());
        let like = if self.from.is_some() { "$4" } else { "$2" };
        // CASE: the name first, so that few are asked whether they are open.
        let sql = format!(
            "SELECT r.key FROM ({names}) r
             WHERE CASE WHEN r.name_key LIKE {like} ESCAPE '\\' THEN {} ELSE 1 = 0 END
             ORDER BY r.name_key {direction}, r.key {direction} LIMIT {most}",
            is_open()
        );
        let found: Vec<Found> = self.query(sql, Some(&self.text)).rows(db)?;
        Ok(found.into_iter().map(|found| found.key).collect())
    }

    /// The last open account of those that are looked through, where there are more names beyond. A closed one is told by
    /// no address, but where all the last ones are closed.
    fn end(&self, db: &mut Db) -> Result<Option<Cursor>, Problem> {
        // In the order of the names inside, which both databases keep; sorted once more, all would be asked whether they
        // are open.
        let sql = format!(
            "SELECT r.key, r.name_key, {} AS open FROM ({}) r LIMIT {} OFFSET {}",
            is_open(),
            self.names(LOOKED_THROUGH + 1),
            LAST + 1,
            LOOKED_THROUGH - LAST
        );
        let mut last: Vec<Ending> = self.query(sql, None).rows(db)?;
        if i64::try_from(last.len()).unwrap_or(0) <= LAST {
            return Ok(None);
        }
        last.pop();
        let at = last.iter().rposition(|one| one.open).unwrap_or(last.len() - 1);
        let Ending { key, name_key, .. } = last.swap_remove(at);
        Ok(Some(Cursor(name_key, key)))
    }
}
