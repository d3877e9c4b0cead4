//! Accounts with a text in their names, where there are very many: a rare text is looked up. For one that very many
//! accounts of the installation have, or a short one, so many names are looked through for a page; where that finds too
//! few, the page says where to go on.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::list::{self, COUNTED, Filter, Listed, Scope};
use crate::access::Place;
use crate::access::below::LARGE;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{self, MultiBackend};
use crate::store::sql::{self, is_open, there_is};
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
    Look::new(db, account, filter, want)?.page(db, limit)
}

/// The same with how many match, and whether there may be more: what is looked through name by name is not counted.
pub fn page_and_count(
    db: &mut Db,
    account: &Place,
    filter: &Filter,
    want: &Want,
    limit: usize,
) -> Result<(Listed, (i64, bool)), Problem> {
    let look = Look::new(db, account, filter, want)?;
    let listed = look.page(db, limit)?;
    if look.among.is_none() {
        let all = look.from.is_none() && listed.more.is_none() && listed.rows.len() <= limit;
        let found = i64::try_from(listed.rows.len()).unwrap_or(COUNTED);
        return Ok((listed, if all { (found, false) } else { (0, true) }));
    }
    let found = Look { from: None, ..look }.matching(db, usize::try_from(COUNTED).unwrap_or(usize::MAX))?;
    let found = i64::try_from(found.len()).unwrap_or(COUNTED);
    Ok((listed, (found, found >= COUNTED)))
}

/// The place before the first name that begins with the text of the filter.
pub fn beginning(filter: &Filter) -> Cursor {
    Cursor(name_key(&filter.text), 0)
}

fn direction(up: bool) -> &'static str {
    if up { "ASC" } else { "DESC" }
}

/// A look through names in their order, from a place on.
struct Look<'a> {
    account: Key,
    scope: Scope,
    /// Folded.
    text: String,
    /// The accounts that can match, where they are known.
    among: Option<Vec<Key>>,
    up: bool,
    from: Option<&'a Cursor>,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = BigInt)]
    key: Key,
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
    fn new(db: &mut Db, account: &Place, filter: &Filter, want: &'a Want) -> Result<Look<'a>, Problem> {
        let text = name_key(&filter.text);
        let from = match want {
            Want::After(cursor) | Want::Before(cursor) if !cursor.0.contains('\0') => Some(cursor),
            _ => None,
        };
        let up = filter.descending == is_backward(want);
        let among = dialect::with_text(db, &text, MOST_CANDIDATES)?;
        Ok(Look { account: account.key, scope: filter.scope, text, among, up, from })
    }

    fn page(&self, db: &mut Db, limit: usize) -> Result<Listed, Problem> {
        let keys = self.matching(db, limit + 1)?;
        let more = if keys.len() > limit { None } else { self.end(db)? };
        let mut rows = list::by_keys(db, &keys)?;
        rows.sort_by_key(|row| keys.iter().position(|key| *key == row.key));
        Ok(Listed { rows, more })
    }

    fn direction(&self) -> &'static str {
        direction(self.up)
    }

    /// So many names in their order: `$1` is the account, and `$2` and `$3` where to begin.
    fn names(&self, most: i64) -> String {
        let keys = self.among.as_deref().map(sql::list).unwrap_or_default();
        let (names, key) = match (self.scope, &self.among) {
            (Scope::Direct, None) => ("key, name_key FROM accounts WHERE parent_key = $1".to_owned(), "key"),
            (Scope::Direct, Some(_)) => {
                // + 0: from the accounts up.
                (format!("key, name_key FROM accounts WHERE parent_key + 0 = $1 AND key IN ({keys})"), "key")
            }
            (Scope::Below, None) => (
                "descendant_key AS key, name_key FROM account_ancestry WHERE ancestor_key = $1 AND descendant_key <> $1"
                    .to_owned(),
                "descendant_key",
            ),
            (Scope::Below, Some(_)) => {
                let below = there_is("account_ancestry x WHERE x.descendant_key = accounts.key AND x.ancestor_key = $1");
                (format!("key, name_key FROM accounts WHERE key <> $1 AND {below} AND key IN ({keys})"), "key")
            }
        };
        let than = if self.up { ">" } else { "<" };
        // The first half is what the index is entered by.
        let from = format!(" AND name_key {than}= $2 AND (name_key {than} $2 OR {key} {than} $3)");
        let from = if self.from.is_some() { from.as_str() } else { "" };
        let direction = self.direction();
        format!("SELECT {names}{from} ORDER BY name_key {direction}, {key} {direction} LIMIT {most}")
    }

    fn query<T>(&self, db: &mut Db, sql: String, text: Option<&str>) -> Result<Vec<T>, Problem>
    where
        T: QueryableByName<MultiBackend> + 'static,
    {
        let mut query = diesel::sql_query(sql).into_boxed::<MultiBackend>().bind::<BigInt, _>(self.account);
        if let Some(Cursor(name, key)) = self.from {
            query = query.bind::<Text, _>(name.clone()).bind::<BigInt, _>(*key);
        }
        if let Some(text) = text {
            query = query.bind::<Text, _>(like_anywhere(text));
        }
        Ok(query.load(db)?)
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
        let found: Vec<Named> = self.query(db, sql, Some(&self.text))?;
        Ok(found.into_iter().map(|named| named.key).collect())
    }

    /// The last open account of those that are looked through, where there are more names beyond. A closed one is told by
    /// no address, but where all the last ones are closed.
    fn end(&self, db: &mut Db) -> Result<Option<Cursor>, Problem> {
        if self.among.is_some() {
            return Ok(None);
        }
        // In the order of the names inside, which both databases keep; sorted once more, all would be asked whether they
        // are open.
        let sql = format!(
            "SELECT r.key, r.name_key, {} AS open FROM ({}) r LIMIT {} OFFSET {}",
            is_open(),
            self.names(LOOKED_THROUGH + 1),
            LAST + 1,
            LOOKED_THROUGH - LAST
        );
        let mut last: Vec<Ending> = self.query(db, sql, None)?;
        if i64::try_from(last.len()).unwrap_or(0) <= LAST {
            return Ok(None);
        }
        last.pop();
        let at = last.iter().rposition(|one| one.open).unwrap_or(last.len() - 1);
        let Ending { key, name_key, .. } = last.swap_remove(at);
        Ok(Some(Cursor(name_key, key)))
    }
}
