//! Reading the accounts below one: a page of them by keyset in any sort order, how many there are, their paths, and
//! what is below each. A page costs the same at 10 accounts and at a million.

use chrono::{DateTime, Datelike, NaiveDateTime};
use diesel::prelude::*;
use diesel::sql_types::Bool;

pub use super::filter::{Filter, Scope, Sort, size};
use super::matching;
use crate::access::Place;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{MultiBackend, Run, one_of};
use crate::store::schema::{account_ancestry, accounts};
use crate::text::{like_anywhere, name_key};
use crate::web::paging::{Cursor, Want, is_backward};

/// One account of a list.
#[derive(Debug, Clone, Queryable)]
pub struct Row {
    pub key: Key,
    pub id: String,
    pub name: String,
    pub name_key: String,
    pub description: String,
    pub contacts: String,
    pub parent_key: Option<Key>,
    pub depth: i64,
    pub children_count: i64,
    /// Open accounts at any level below.
    pub below_count: i64,
    pub created_at: NaiveDateTime,
    pub reference: Option<String>,
}

impl Row {
    /// Where the row stands in this order.
    pub fn cursor(&self, sort: Sort) -> Cursor {
        let value = match sort {
            Sort::Name => self.name_key.clone(),
            Sort::Children => self.children_count.to_string(),
            Sort::Created => self.created_at.and_utc().timestamp_micros().to_string(),
        };
        Cursor(value, self.key)
    }
}

/// Matches are counted up to here.
pub const COUNTED: i64 = 1_000;

/// A page of rows.
pub struct Listed {
    /// At most one more than fits, turned round when the page before is wanted.
    pub rows: Vec<Row>,
    /// Where to go on looking, although the page is not full.
    pub more: Option<Cursor>,
}

type Condition = Box<dyn BoxableExpression<accounts::table, MultiBackend, SqlType = Bool>>;

fn belongs(account: Key, filter: &Filter) -> Condition {
    let place: Condition = match filter.scope {
        Scope::Direct => Box::new(accounts::parent_key.assume_not_null().eq(account)),
        Scope::Below => Box::new(
            accounts::key.eq_any(
                account_ancestry::table
                    .filter(account_ancestry::ancestor_key.eq(account))
                    .filter(account_ancestry::distance.gt(0))
                    .select(account_ancestry::descendant_key),
            ),
        ),
    };
    let open: Condition = Box::new(place.and(accounts::closed_at.is_null()));
    if filter.text.is_empty() {
        return open;
    }
    Box::new(open.and(accounts::name_key.like(like_anywhere(&name_key(&filter.text))).escape('\\')))
}

/// Rows after the cursor (`up`) or before it, by the column sorted by and then by key.
fn beyond(cursor: &Cursor, sort: Sort, up: bool) -> Option<Condition> {
    let key = cursor.1;
    if cursor.0.contains('\0') {
        return None;
    }
    Some(match (sort, up) {
        // The first half of each is what an index can be entered by.
        (Sort::Name, true) => {
            let v = cursor.0.clone();
            let after =
                accounts::name_key.gt(v.clone()).or(accounts::name_key.eq(v.clone()).and(accounts::key.gt(key)));
            Box::new(accounts::name_key.ge(v).and(after))
        }
        (Sort::Name, false) => {
            let v = cursor.0.clone();
            let before =
                accounts::name_key.lt(v.clone()).or(accounts::name_key.eq(v.clone()).and(accounts::key.lt(key)));
            Box::new(accounts::name_key.le(v).and(before))
        }
        (Sort::Children, true) => {
            let v: i64 = cursor.0.parse().ok()?;
            let (at, by) = (accounts::children_count, accounts::key);
            Box::new(at.ge(v).and(at.gt(v).or(at.eq(v).and(by.gt(key)))))
        }
        (Sort::Children, false) => {
            let v: i64 = cursor.0.parse().ok()?;
            let (at, by) = (accounts::children_count, accounts::key);
            Box::new(at.le(v).and(at.lt(v).or(at.eq(v).and(by.lt(key)))))
        }
        (Sort::Created, up) => {
            let v = DateTime::from_timestamp_micros(cursor.0.parse().ok()?)?.naive_utc();
            if !(1..=9999).contains(&v.year()) {
                return None;
            }
            if up {
                let after = accounts::created_at.gt(v).or(accounts::created_at.eq(v).and(accounts::key.gt(key)));
                Box::new(accounts::created_at.ge(v).and(after))
            } else {
                let before = accounts::created_at.lt(v).or(accounts::created_at.eq(v).and(accounts::key.lt(key)));
                Box::new(accounts::created_at.le(v).and(before))
            }
        }
    })
}

/// A page of the accounts below `account`.
pub fn page(db: &mut Db, account: &Place, filter: &Filter, want: &Want, limit: usize) -> Result<Listed, Problem> {
    if matching::is_apart(account, filter) {
        return matching::page(db, account, filter, want, limit);
    }
    Ok(Listed { rows: rows(db, account.key, filter, want, limit)?, more: None })
}

/// At most `limit + 1` rows.
fn rows(db: &mut Db, account: Key, filter: &Filter, want: &Want, limit: usize) -> Result<Vec<Row>, Problem> {
    let up = filter.descending == is_backward(want);
    if (filter.scope, filter.sort) == (Scope::Below, Sort::Name) {
        return below_by_name(db, below(account, &filter.text), want, up, limit);
    }
    let mut query = accounts::table.filter(belongs(account, filter)).into_boxed::<MultiBackend>();
    if let Want::After(cursor) | Want::Before(cursor) = want
        && let Some(condition) = beyond(cursor, filter.sort, up)
    {
        query = query.filter(condition);
    }
    query = match (filter.sort, up) {
        (Sort::Name, true) => query.order((accounts::name_key.asc(), accounts::key.asc())),
        (Sort::Name, false) => query.order((accounts::name_key.desc(), accounts::key.desc())),
        (Sort::Children, true) => query.order((accounts::children_count.asc(), accounts::key.asc())),
        (Sort::Children, false) => query.order((accounts::children_count.desc(), accounts::key.desc())),
        (Sort::Created, true) => query.order((accounts::created_at.asc(), accounts::key.asc())),
        (Sort::Created, false) => query.order((accounts::created_at.desc(), accounts::key.desc())),
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    Ok(query.limit(limit).select(COLUMNS).load::<Row>(db)?)
}

/// Everything below in the order of names: one index range, however much there is.
fn below_by_name(db: &mut Db, mut query: Below<'_>, want: &Want, up: bool, limit: usize) -> Result<Vec<Row>, Problem> {
    if let Want::After(cursor) | Want::Before(cursor) = want
        && !cursor.0.contains('\0')
    {
        let (name, key) = (account_ancestry::name_key, account_ancestry::descendant_key);
        let v = &cursor.0;
        query = if up {
            query.filter(name.ge(v.clone()).and(name.gt(v.clone()).or(name.eq(v.clone()).and(key.gt(cursor.1)))))
        } else {
            query.filter(name.le(v.clone()).and(name.lt(v.clone()).or(name.eq(v.clone()).and(key.lt(cursor.1)))))
        };
    }
    let (name, key) = (account_ancestry::name_key, account_ancestry::descendant_key);
    query = if up { query.order((name.asc(), key.asc())) } else { query.order((name.desc(), key.desc())) };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    Ok(query.limit(limit).select(COLUMNS).load::<Row>(db)?)
}

#[diesel::dsl::auto_type]
fn with_accounts() -> _ {
    account_ancestry::table.inner_join(accounts::table.on(accounts::key.eq(account_ancestry::descendant_key)))
}

type Below<'a> = diesel::dsl::IntoBoxed<'a, with_accounts, MultiBackend>;

/// Open accounts below, with the text in their names.
fn below<'a>(account: Key, text: &str) -> Below<'a> {
    let mut query = with_accounts()
        .into_boxed::<MultiBackend>()
        .filter(account_ancestry::ancestor_key.eq(account))
        .filter(account_ancestry::descendant_key.ne(account))
        .filter(accounts::closed_at.is_null());
    if !text.is_empty() {
        query = query.filter(account_ancestry::name_key.like(like_anywhere(&name_key(text))).escape('\\'));
    }
    query
}

type Columns = (
    accounts::key,
    accounts::id,
    accounts::name,
    accounts::name_key,
    accounts::description,
    accounts::contacts,
    accounts::parent_key,
    accounts::depth,
    accounts::children_count,
    accounts::below_count,
    accounts::created_at,
    accounts::external_reference,
);

const COLUMNS: Columns = (
    accounts::key,
    accounts::id,
    accounts::name,
    accounts::name_key,
    accounts::description,
    accounts::contacts,
    accounts::parent_key,
    accounts::depth,
    accounts::children_count,
    accounts::below_count,
    accounts::created_at,
    accounts::external_reference,
);

/// The same with how many accounts match, counted up to [`COUNTED`], and whether there may be more.
pub fn page_and_count(
    db: &mut Db,
    account: &Place,
    filter: &Filter,
    want: &Want,
    limit: usize,
) -> Result<(Listed, (i64, bool)), Problem> {
    if matching::is_apart(account, filter) {
        return matching::page_and_count(db, account, filter, want, limit);
    }
    Ok((page(db, account, filter, want, limit)?, count(db, account, filter)?))
}

fn count(db: &mut Db, account: &Place, filter: &Filter) -> Result<(i64, bool), Problem> {
    if filter.text.is_empty() {
        return Ok((size(account, filter.scope), false));
    }
    let found: Vec<Key> = match filter.scope {
        Scope::Direct => {
            accounts::table.filter(belongs(account.key, filter)).limit(COUNTED).select(accounts::key).load(db)?
        }
        Scope::Below => below(account.key, &filter.text).limit(COUNTED).select(accounts::key).load(db)?,
    };
    let found = i64::try_from(found.len()).unwrap_or(COUNTED);
    Ok((found, found >= COUNTED))
}

/// These accounts.
pub(super) fn by_keys(db: &mut Db, keys: &[Key]) -> Result<Vec<Row>, Problem> {
    Ok(accounts::table.filter(one_of(accounts::key, keys)).select(COLUMNS).rows::<Row>(db)?)
}

/// The first `limit` open accounts below, level by level and by name: what a tree shows before its branches get pages
/// of their own.
pub fn levels(db: &mut Db, account: Key, limit: i64) -> Result<Vec<Row>, Problem> {
    Ok(account_ancestry::table
        .inner_join(accounts::table.on(accounts::key.eq(account_ancestry::descendant_key)))
        .filter(account_ancestry::ancestor_key.eq(account))
        .filter(account_ancestry::distance.gt(0))
        .filter(accounts::closed_at.is_null())
        .order((account_ancestry::distance, account_ancestry::name_key, account_ancestry::descendant_key))
        .limit(limit)
        .select(COLUMNS)
        .rows::<Row>(db)?)
}
