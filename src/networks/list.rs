//! Pages of networks, of one account or of everything below it, by name.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::query::Filter;
use super::store::{COLUMNS, Row, network_of};
use super::{Network, State};
use crate::access::below::is_large;
use crate::access::lookup;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{MultiBackend, Run, one_of};
use crate::store::schema::{account_ancestry, accounts, connections, networks, resource_tags};
use crate::tags::{self, Tags};
use crate::text::{like_anywhere, name_key};
use crate::web::paging::{Cursor, Want, is_backward};

type Condition = Box<dyn BoxableExpression<networks::table, MultiBackend, SqlType = Bool>>;

/// Where something is, for a list over many accounts.
#[derive(Debug, Clone, Default)]
pub struct Whereabouts {
    pub id: String,
    pub name: String,
    /// From below the list's account down to it, with itself.
    pub path: String,
}

/// One network of a list.
#[derive(Debug, Clone)]
pub struct Listed {
    pub network: Network,
    pub connections: i64,
    pub tags: Tags,
    pub at: Whereabouts,
}

impl Listed {
    pub fn cursor(&self) -> Cursor {
        Cursor(name_key(&self.network.name), self.network.key)
    }
}

/// `large`: a great deal is below, of which the first in order are wanted.
fn belongs(account: Key, filter: &Filter, large: bool) -> Condition {
    let mut condition: Condition = if large {
        // Of EXISTS, PostgreSQL may make a join that reads everything below.
        let above = account_ancestry::table
            .filter(account_ancestry::ancestor_key.eq(account))
            .filter(account_ancestry::descendant_key.eq(networks::account_key))
            .select(account_ancestry::ancestor_key)
            .limit(1)
            .single_value();
        Box::new(networks::account_key.ne(account).and(above.is_not_null()))
    } else if filter.below {
        Box::new(
            networks::account_key.eq_any(
                account_ancestry::table
                    .filter(account_ancestry::ancestor_key.eq(account))
                    .filter(account_ancestry::distance.gt(0))
                    .select(account_ancestry::descendant_key),
            ),
        )
    } else {
        Box::new(networks::account_key.eq(account))
    };
    condition = match State::of_code(&filter.state) {
        Some(state) => Box::new(condition.and(networks::state.eq(state.code()))),
        None => Box::new(condition.and(networks::state.ne(State::Deleted.code()))),
    };
    if !filter.text.is_empty() {
        let text = like_anywhere(&name_key(&filter.text));
        condition = Box::new(condition.and(networks::name_key.like(text).escape('\\')));
    }
    if let Some((name, value)) = filter.tag_parts() {
        let tagged = resource_tags::table.filter(resource_tags::name.eq(name));
        condition = match value {
            Some(value) => Box::new(condition.and(
                networks::id.eq_any(tagged.filter(resource_tags::value.eq(value)).select(resource_tags::subject_id)),
            )),
            None => Box::new(condition.and(networks::id.eq_any(tagged.select(resource_tags::subject_id)))),
        };
    }
    condition
}

/// A page of networks: at most `limit + 1`, turned round when the page before is wanted.
pub fn page(
    db: &mut Db,
    account: Key,
    depth: i64,
    filter: &Filter,
    want: &Want,
    limit: usize,
) -> Result<Vec<Listed>, Problem> {
    let up = !is_backward(want);
    let large = filter.below && is_large(db, account)?;
    let mut query = networks::table.filter(belongs(account, filter, large)).into_boxed::<MultiBackend>();
    if let Want::After(Cursor(name, key)) | Want::Before(Cursor(name, key)) = want {
        let (name, key) = (name.clone(), *key);
        let (at, by) = (networks::name_key, networks::key);
        query = if up {
            query.filter(at.ge(name.clone()).and(at.gt(name.clone()).or(at.eq(name).and(by.gt(key)))))
        } else {
            query.filter(at.le(name.clone()).and(at.lt(name.clone()).or(at.eq(name).and(by.lt(key)))))
        };
    }
    query = if up {
        query.order((networks::name_key.asc(), networks::key.asc()))
    } else {
        query.order((networks::name_key.desc(), networks::key.desc()))
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    let rows = query.limit(limit).select(COLUMNS).load::<Row>(db)?;
    let found = rows.into_iter().map(network_of).collect::<Result<Vec<_>, _>>()?;
    let keys: Vec<Key> = found.iter().map(|network| network.key).collect();
    let ids: Vec<String> = found.iter().map(|network| network.id.clone()).collect();
    let counts = counts(db, &keys)?;
    let mut tags = tags::of_many(db, &ids)?;
    let places: Vec<Key> = found.iter().map(|network| network.account).collect();
    let places = whereabouts(db, &places, depth)?;
    let listed = |network: Network| Listed {
        connections: counts.get(&network.key).copied().unwrap_or(0),
        tags: tags.remove(&network.id).unwrap_or_default(),
        at: places.get(&network.account).cloned().unwrap_or_default(),
        network,
    };
    Ok(found.into_iter().map(listed).collect())
}

/// Connections that are not deleted, by network.
fn counts(db: &mut Db, networks: &[Key]) -> Result<HashMap<Key, i64>, Problem> {
    let rows: Vec<(Option<Key>, i64)> = connections::table
        .filter(one_of(connections::network_key.assume_not_null(), networks))
        .filter(connections::state.ne("DELETED"))
        .group_by(connections::network_key)
        .select((connections::network_key, count_star()))
        .rows(db)?;
    Ok(rows.into_iter().filter_map(|(key, n)| key.map(|key| (key, n))).collect())
}

/// Id, name and path of each of these accounts, of which the reader may know.
pub fn whereabouts(db: &mut Db, accounts: &[Key], depth: i64) -> Result<HashMap<Key, Whereabouts>, Problem> {
    let mut keys = accounts.to_vec();
    keys.sort_unstable();
    keys.dedup();
    let mut paths = lookup::paths(db, &keys, depth)?;
    let rows: Vec<(Key, String, String)> = accounts::table
        .filter(one_of(accounts::key, &keys))
        .select((accounts::key, accounts::id, accounts::name))
        .rows(db)?;
    let place = |(key, id, name): (Key, String, String)| {
        let mut path = paths.remove(&key).unwrap_or_default();
        path.push(name.clone());
        (key, Whereabouts { id, name, path: path.join(" / ") })
    };
    Ok(rows.into_iter().map(place).collect())
}

/// Whether the account has, or had, any network.
pub fn any(db: &mut Db, account: Key) -> Result<bool, Problem> {
    let first = networks::table
        .filter(networks::account_key.eq(account))
        .filter(networks::state.ne(State::Deleted.code()))
        .select(networks::key);
    Ok(first.first_row::<Key>(db).optional()?.is_some())
}
