//! Rows of networks. Each query takes the account.

use chrono::NaiveDateTime;
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::{NAME_TAKEN, Network, NewNetwork, State};
use crate::ids::{self, Key};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::dialect::Run;
use crate::store::schema::{connections, networks};
use crate::text::name_key;

pub(super) type Row = (Key, String, Key, String, String, String, NaiveDateTime, Option<NaiveDateTime>, i64);

pub(super) type Columns = (
    networks::key,
    networks::id,
    networks::account_key,
    networks::name,
    networks::description,
    networks::state,
    networks::created_at,
    networks::deleted_at,
    networks::version,
);

pub(super) const COLUMNS: Columns = (
    networks::key,
    networks::id,
    networks::account_key,
    networks::name,
    networks::description,
    networks::state,
    networks::created_at,
    networks::deleted_at,
    networks::version,
);

pub(super) fn network_of(row: Row) -> Result<Network, Problem> {
    let (key, id, account, name, description, state, created_at, deleted_at, version) = row;
    let state = State::of_code(&state).ok_or_else(|| Problem::bug("a network in no known state"))?;
    Ok(Network { key, id, account, name, description, state, created_at, deleted_at, version })
}

/// The account's network of this id, deleted or not; NotFound for every other.
pub fn find(db: &mut Db, account: Key, id: &str) -> Result<Network, Problem> {
    if !ids::looks_like_id("network", id) {
        return Err(Problem::NotFound);
    }
    let row = networks::table.filter(networks::account_key.eq(account)).filter(networks::id.eq(id)).select(COLUMNS);
    network_of(row.first_row::<Row>(db)?)
}

/// The networks of the account that are not deleted, by name: id and name of each, at most `limit`.
pub fn choices(db: &mut Db, account: Key, limit: i64) -> Result<Vec<(String, String)>, Problem> {
    Ok(networks::table
        .filter(networks::account_key.eq(account))
        .filter(networks::state.ne(State::Deleted.code()))
        .order((networks::name_key, networks::key))
        .limit(limit)
        .select((networks::id, networks::name))
        .rows(db)?)
}

/// Whether another network of the account has this name.
pub fn is_taken(db: &mut Db, account: Key, name: &str, except: Option<Key>) -> Result<bool, Problem> {
    let same: Option<Key> = networks::table
        .filter(networks::account_key.eq(account))
        .filter(networks::name_key.eq(name_key(name)))
        .filter(networks::state.ne(State::Deleted.code()))
        .select(networks::key)
        .first_row(db)
        .optional()?;
    Ok(same.is_some_and(|key| Some(key) != except))
}

/// The unique index says the same as [`is_taken`].
fn or_taken(error: DieselError) -> Problem {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Problem::invalid("name", NAME_TAKEN),
        other => other.into(),
    }
}

pub(super) fn insert(db: &mut Db, account: Key, new: &NewNetwork) -> Result<Network, Problem> {
    let network = Network {
        key: ids::next_key(),
        id: ids::new_id("network"),
        account,
        name: new.name.clone(),
        description: new.description.clone(),
        state: State::Active,
        created_at: ids::now(),
        deleted_at: None,
        version: 1,
    };
    diesel::insert_into(networks::table)
        .values((
            networks::key.eq(network.key),
            networks::id.eq(&network.id),
            networks::account_key.eq(account),
            networks::name.eq(&network.name),
            networks::name_key.eq(name_key(&network.name)),
            networks::description.eq(&network.description),
            networks::state.eq(network.state.code()),
            networks::created_at.eq(network.created_at),
            networks::version.eq(network.version),
        ))
        .execute(db)
        .map_err(or_taken)?;
    Ok(network)
}

pub(super) fn update(db: &mut Db, old: &Network, new: &NewNetwork) -> Result<(), Problem> {
    let row = networks::table.filter(networks::key.eq(old.key)).filter(networks::version.eq(old.version));
    let written = diesel::update(row)
        .set((
            networks::name.eq(&new.name),
            networks::name_key.eq(name_key(&new.name)),
            networks::description.eq(&new.description),
            networks::version.eq(old.version + 1),
        ))
        .execute(db)
        .map_err(or_taken)?;
    if written == 1 { Ok(()) } else { Err(Problem::Conflict(Reason::Stale)) }
}

pub(super) fn set_deleted(db: &mut Db, network: &Network) -> Result<(), Problem> {
    let row = networks::table.filter(networks::key.eq(network.key)).filter(networks::version.eq(network.version));
    let written = diesel::update(row)
        .set((
            networks::state.eq(State::Deleted.code()),
            networks::deleted_at.eq(ids::now()),
            networks::version.eq(network.version + 1),
        ))
        .execute(db)?;
    if written == 1 { Ok(()) } else { Err(Problem::Conflict(Reason::Stale)) }
}

/// Connections in the network that are not deleted.
pub fn connections(db: &mut Db, network: Key) -> Result<i64, Problem> {
    Ok(connections::table
        .filter(connections::network_key.eq(network))
        .filter(connections::state.ne("DELETED"))
        .select(count_star())
        .first_row(db)?)
}
