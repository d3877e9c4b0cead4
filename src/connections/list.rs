//! Pages of connections, of one account or of everything below it, by name.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::store::{Connection, Row, connection_of};
use super::{State, settings};
use crate::access::below::is_large;
use crate::ids::Key;
use crate::networks::list::{Whereabouts, whereabouts};
use crate::networks::query::Filter;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{MultiBackend, Run, one_of};
use crate::store::schema::{account_ancestry, connections, locations, networks, resource_tags};
use crate::tags::{self, Tags};
use crate::text::{like_anywhere, name_key};
use crate::web::paging::{Cursor, Want, is_backward};

type Condition = Box<dyn BoxableExpression<connections::table, MultiBackend, SqlType = Bool>>;

/// One connection of a list.
#[derive(Debug, Clone)]
pub struct Listed {
    pub connection: Connection,
    /// Id and name.
    pub network: (String, String),
    pub location: String,
    pub tags: Tags,
    pub at: Whereabouts,
}

impl Listed {
    pub fn cursor(&self) -> Cursor {
        Cursor(name_key(&self.connection.name), self.connection.key)
    }

    pub fn kind(&self) -> String {
        settings::Kind::label(&self.connection.kind)
    }
}

/// `large`: a great deal is below, of which the first in order are wanted.
fn belongs(account: Key, filter: &Filter, large: bool) -> Condition {
    let mut condition: Condition = if large {
        // Of EXISTS, PostgreSQL may make a join that reads everything below.
        let above = account_ancestry::table
            .filter(account_ancestry::ancestor_key.eq(account))
            .filter(account_ancestry::descendant_key.eq(connections::account_key))
            .select(account_ancestry::ancestor_key)
            .limit(1)
            .single_value();
        Box::new(connections::account_key.ne(account).and(above.is_not_null()))
    } else if filter.below {
        Box::new(
            connections::account_key.eq_any(
                account_ancestry::table
                    .filter(account_ancestry::ancestor_key.eq(account))
                    .filter(account_ancestry::distance.gt(0))
                    .select(account_ancestry::descendant_key),
            ),
        )
    } else {
        Box::new(connections::account_key.eq(account))
    };
    condition = match State::of_code(&filter.state) {
        Some(state) => Box::new(condition.and(connections::state.eq(state.code()))),
        None => Box::new(condition.and(connections::state.ne(State::Deleted.code()))),
    };
    if !filter.text.is_empty() {
        let text = like_anywhere(&name_key(&filter.text));
        condition = Box::new(condition.and(connections::name_key.like(text).escape('\\')));
    }
    if !filter.kind.is_empty() {
        condition = Box::new(condition.and(connections::kind.eq(filter.kind.clone())));
    }
    if !filter.network.is_empty() {
        let network = networks::table.filter(networks::id.eq(filter.network.clone())).select(networks::key.nullable());
        condition = Box::new(condition.and(connections::network_key.eq_any(network).assume_not_null()));
    }
    if let Some((name, value)) = filter.tag_parts() {
        let tagged = resource_tags::table.filter(resource_tags::name.eq(name));
        condition = match value {
            Some(value) => {
                let tagged = tagged.filter(resource_tags::value.eq(value)).select(resource_tags::subject_id);
                Box::new(condition.and(connections::id.eq_any(tagged)))
            }
            None => Box::new(condition.and(connections::id.eq_any(tagged.select(resource_tags::subject_id)))),
        };
    }
    condition
}

/// A page of connections: at most `limit + 1`, turned round when the page before is wanted.
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
    let mut query = connections::table.filter(belongs(account, filter, large)).into_boxed::<MultiBackend>();
    if let Want::After(Cursor(name, key)) | Want::Before(Cursor(name, key)) = want {
        let (name, key) = (name.clone(), *key);
        let (at, by) = (connections::name_key, connections::key);
        query = if up {
            query.filter(at.ge(name.clone()).and(at.gt(name.clone()).or(at.eq(name).and(by.gt(key)))))
        } else {
            query.filter(at.le(name.clone()).and(at.lt(name.clone()).or(at.eq(name).and(by.lt(key)))))
        };
    }
    query = if up {
        query.order((connections::name_key.asc(), connections::key.asc()))
    } else {
        query.order((connections::name_key.desc(), connections::key.desc()))
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    let rows = query.limit(limit).select(Row::as_select()).load(db)?;
    let found = rows.into_iter().map(connection_of).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<String> = found.iter().map(|one| one.id.clone()).collect();
    let networks = network_names(db, found.iter().filter_map(|one| one.network).collect())?;
    let locations = location_names(db, found.iter().filter_map(|one| one.location).collect())?;
    let mut tags = tags::of_many(db, &ids)?;
    let places: Vec<Key> = found.iter().map(|one| one.account).collect();
    let places = whereabouts(db, &places, depth)?;
    let listed = |connection: Connection| Listed {
        network: connection.network.and_then(|key| networks.get(&key).cloned()).unwrap_or_default(),
        location: connection.location.and_then(|key| locations.get(&key).cloned()).unwrap_or_default(),
        tags: tags.remove(&connection.id).unwrap_or_default(),
        at: places.get(&connection.account).cloned().unwrap_or_default(),
        connection,
    };
    Ok(found.into_iter().map(listed).collect())
}

/// Id and name of each of these networks.
pub fn network_names(db: &mut Db, keys: Vec<Key>) -> Result<HashMap<Key, (String, String)>, Problem> {
    let rows: Vec<(Key, String, String)> = networks::table
        .filter(one_of(networks::key, &keys))
        .select((networks::key, networks::id, networks::name))
        .rows(db)?;
    Ok(rows.into_iter().map(|(key, id, name)| (key, (id, name))).collect())
}

/// The name of each of these locations.
pub fn location_names(db: &mut Db, keys: Vec<Key>) -> Result<HashMap<Key, String>, Problem> {
    let rows = locations::table.filter(one_of(locations::key, &keys)).select((locations::key, locations::name));
    Ok(rows.rows::<(Key, String)>(db)?.into_iter().collect())
}

/// Whether the account has any connection that is not deleted.
pub fn any(db: &mut Db, account: Key) -> Result<bool, Problem> {
    let first = connections::table
        .filter(connections::account_key.eq(account))
        .filter(connections::state.ne(State::Deleted.code()))
        .select(connections::key);
    Ok(first.first_row::<Key>(db).optional()?.is_some())
}
