//! Reading the accounts below one: a page of them by keyset in any sort order, how many there are, their paths, and
//! what is below each. A page costs the same at 10 accounts and at a million.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, NaiveDateTime};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::store::schema::{account_ancestry, accounts};
use crate::text::{like_anywhere, name_key};
use crate::web::paging::{Cursor, Want, is_backward};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Direct,
    Below,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Name,
    Children,
    Created,
}

/// Which accounts, in which order.
#[derive(Debug, Clone)]
pub struct Filter {
    pub scope: Scope,
    /// Part of the name; empty for all.
    pub text: String,
    pub sort: Sort,
    pub descending: bool,
}

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
        (Sort::Name, true) => {
            let v = cursor.0.clone();
            Box::new(accounts::name_key.gt(v.clone()).or(accounts::name_key.eq(v).and(accounts::key.gt(key))))
        }
        (Sort::Name, false) => {
            let v = cursor.0.clone();
            Box::new(accounts::name_key.lt(v.clone()).or(accounts::name_key.eq(v).and(accounts::key.lt(key))))
        }
        (Sort::Children, true) => {
            let v: i64 = cursor.0.parse().ok()?;
            Box::new(accounts::children_count.gt(v).or(accounts::children_count.eq(v).and(accounts::key.gt(key))))
        }
        (Sort::Children, false) => {
            let v: i64 = cursor.0.parse().ok()?;
            Box::new(accounts::children_count.lt(v).or(accounts::children_count.eq(v).and(accounts::key.lt(key))))
        }
        (Sort::Created, up) => {
            let v = DateTime::from_timestamp_micros(cursor.0.parse().ok()?)?.naive_utc();
            if !(1..=9999).contains(&v.year()) {
                return None;
            }
            if up {
                Box::new(accounts::created_at.gt(v).or(accounts::created_at.eq(v).and(accounts::key.gt(key))))
            } else {
                Box::new(accounts::created_at.lt(v).or(accounts::created_at.eq(v).and(accounts::key.lt(key))))
            }
        }
    })
}

/// A page of the accounts below `account`: at most `limit + 1` rows, turned round when the page before is wanted.
pub fn page(db: &mut Db, account: Key, filter: &Filter, want: &Want, limit: usize) -> Result<Vec<Row>, Problem> {
    let up = filter.descending == is_backward(want);
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
    accounts::created_at,
    accounts::external_reference,
);

/// How many accounts match.
pub fn count(db: &mut Db, account: Key, filter: &Filter) -> Result<i64, Problem> {
    Ok(accounts::table.filter(belongs(account, filter)).select(count_star()).first(db)?)
}

/// How many open accounts are below each of these, at any level. Accounts with none are left out.
pub fn totals_below(db: &mut Db, keys: &[Key]) -> Result<HashMap<Key, i64>, Problem> {
    let rows: Vec<(Key, i64)> = account_ancestry::table
        .inner_join(accounts::table.on(accounts::key.eq(account_ancestry::descendant_key)))
        .filter(account_ancestry::ancestor_key.eq_any(keys.to_vec()))
        .filter(account_ancestry::distance.gt(0))
        .filter(accounts::closed_at.is_null())
        .group_by(account_ancestry::ancestor_key)
        .select((account_ancestry::ancestor_key, count_star()))
        .load(db)?;
    Ok(rows.into_iter().collect())
}

/// The first `limit` open accounts below, level by level and by name: what a tree shows before its branches get pages
/// of their own.
pub fn levels(db: &mut Db, account: Key, limit: i64) -> Result<Vec<Row>, Problem> {
    Ok(account_ancestry::table
        .inner_join(accounts::table.on(accounts::key.eq(account_ancestry::descendant_key)))
        .filter(account_ancestry::ancestor_key.eq(account))
        .filter(account_ancestry::distance.gt(0))
        .filter(accounts::closed_at.is_null())
        .order((account_ancestry::distance, accounts::name_key, accounts::key))
        .limit(limit)
        .select(COLUMNS)
        .load::<Row>(db)?)
}
