//! Rows of connections and their history. Each query takes the account.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::Told;
use super::state::State;
use crate::catalogue::{SupportedConnection, Term};
use crate::ids::{self, Key};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::schema::{connection_history, connection_keys, connections};
use crate::text::name_key;

/// A connection as it is stored.
#[derive(Debug, Clone)]
pub struct Connection {
    pub key: Key,
    pub id: String,
    pub account: Key,
    pub network: Option<Key>,
    pub name: String,
    pub description: String,
    /// `PORT`, `SITE_IPSEC_VPN` …
    pub kind: String,
    pub location: Option<Key>,
    /// The line of the catalogue it was ordered by.
    pub supported: Option<Key>,
    /// Mbit/s.
    pub speed: i64,
    pub high_availability: bool,
    pub term: String,
    /// A code of the price list; empty where nothing is charged.
    pub price_code: String,
    /// What its kind asks for, as JSON without any secret.
    pub settings: String,
    pub state: State,
    pub state_since: NaiveDateTime,
    pub error_code: String,
    pub error_message: String,
    /// Codes of what holds the order up, with blanks between them.
    pub waits_for: String,
    pub created_at: NaiveDateTime,
    pub active_at: Option<NaiveDateTime>,
    pub deleted_at: Option<NaiveDateTime>,
    pub version: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = connections)]
pub(super) struct Row {
    key: Key,
    id: String,
    account_key: Key,
    network_key: Option<Key>,
    name: String,
    description: String,
    kind: String,
    location_key: Option<Key>,
    supported_key: Option<Key>,
    speed: i64,
    high_availability: bool,
    term: String,
    price_code: String,
    settings: String,
    state: String,
    state_since: NaiveDateTime,
    error_code: String,
    error_message: String,
    waits_for: String,
    created_at: NaiveDateTime,
    active_at: Option<NaiveDateTime>,
    deleted_at: Option<NaiveDateTime>,
    version: i64,
}

pub(super) fn connection_of(row: Row) -> Result<Connection, Problem> {
    let state = State::of_code(&row.state).ok_or_else(|| Problem::bug("a connection in no known state"))?;
    Ok(Connection {
        key: row.key,
        id: row.id,
        account: row.account_key,
        network: row.network_key,
        name: row.name,
        description: row.description,
        kind: row.kind,
        location: row.location_key,
        supported: row.supported_key,
        speed: row.speed,
        high_availability: row.high_availability,
        term: row.term,
        price_code: row.price_code,
        settings: row.settings,
        state,
        state_since: row.state_since,
        error_code: row.error_code,
        error_message: row.error_message,
        waits_for: row.waits_for,
        created_at: row.created_at,
        active_at: row.active_at,
        deleted_at: row.deleted_at,
        version: row.version,
    })
}

/// The account's connection of this id; NotFound for every other.
pub fn find(db: &mut Db, account: Key, id: &str) -> Result<Connection, Problem> {
    if !ids::looks_like_id("conn", id) {
        return Err(Problem::NotFound);
    }
    let row = connections::table
        .filter(connections::account_key.eq(account))
        .filter(connections::id.eq(id))
        .select(Row::as_select())
        .first(db)?;
    connection_of(row)
}

/// The connection of this key, for what the background does.
pub fn by_key(db: &mut Db, key: Key) -> Result<Connection, Problem> {
    connection_of(connections::table.find(key).select(Row::as_select()).first(db)?)
}

/// Writes the next state over the version that was read, and a line of history. Conflict(Stale) when it is not that
/// version any more.
pub fn set_state(db: &mut Db, before: &Connection, to: State, told: &Told) -> Result<Connection, Problem> {
    let now = ids::now();
    let after = Connection {
        state: to,
        state_since: now,
        error_code: told.error_code.clone(),
        error_message: if told.error_code.is_empty() { String::new() } else { told.message.clone() },
        waits_for: String::new(),
        active_at: before.active_at.or((to == State::Active).then_some(now)),
        deleted_at: (to == State::Deleted).then_some(now),
        version: before.version + 1,
        ..before.clone()
    };
    let look_at = if to.is_under_way() { now } else { ids::never() };
    let row = connections::table.filter(connections::key.eq(before.key));
    let written = diesel::update(row.filter(connections::version.eq(before.version)))
        .set((
            connections::state.eq(to.code()),
            connections::state_since.eq(now),
            connections::error_code.eq(&after.error_code),
            connections::error_message.eq(&after.error_message),
            connections::waits_for.eq(""),
            connections::look_at.eq(look_at),
            connections::active_at.eq(after.active_at),
            connections::deleted_at.eq(after.deleted_at),
            connections::version.eq(after.version),
        ))
        .execute(db)?;
    if written != 1 {
        return Err(Problem::Conflict(Reason::Stale));
    }
    note(db, &after, told)?;
    Ok(after)
}

/// A line of the connection's history: the state it is in now.
pub fn note(db: &mut Db, connection: &Connection, told: &Told) -> Result<(), Problem> {
    diesel::insert_into(connection_history::table)
        .values((
            connection_history::key.eq(ids::next_key()),
            connection_history::connection_key.eq(connection.key),
            connection_history::account_key.eq(connection.account),
            connection_history::at.eq(ids::now()),
            connection_history::state.eq(connection.state.code()),
            connection_history::error_code.eq(&told.error_code),
            connection_history::message.eq(&told.message),
            connection_history::user_key.eq(told.user),
        ))
        .execute(db)?;
    Ok(())
}

/// Nothing secret outlives the connection.
pub fn forget_keys(db: &mut Db, connection: Key) -> Result<(), Problem> {
    diesel::delete(connection_keys::table.filter(connection_keys::connection_key.eq(connection))).execute(db)?;
    Ok(())
}

/// An order to be.
pub struct NewRow<'a> {
    pub account: Key,
    pub network: Key,
    pub name: &'a str,
    pub description: &'a str,
    pub line: &'a SupportedConnection,
    pub term: Term,
    pub price_code: &'a str,
    /// JSON.
    pub settings: &'a str,
    pub ordered_by: Key,
}

/// Writes the order, for the background work to look at now, with the first line of its history.
pub fn insert(db: &mut Db, new: &NewRow<'_>) -> Result<Connection, Problem> {
    let (key, now) = (ids::next_key(), ids::now());
    diesel::insert_into(connections::table)
        .values((
            connections::key.eq(key),
            connections::id.eq(ids::new_id("conn")),
            connections::account_key.eq(new.account),
            connections::network_key.eq(new.network),
            connections::name.eq(new.name),
            connections::name_key.eq(name_key(new.name)),
            connections::description.eq(new.description),
            connections::kind.eq(&new.line.kind),
            connections::location_key.eq(new.line.location),
            connections::supported_key.eq(new.line.key),
            connections::speed.eq(new.line.speed),
            connections::high_availability.eq(new.line.high_availability),
            connections::term.eq(new.term.code()),
            connections::price_code.eq(new.price_code),
            connections::settings.eq(new.settings),
            connections::state.eq(State::Initializing.code()),
            connections::state_since.eq(now),
            connections::look_at.eq(now),
            connections::ordered_by.eq(new.ordered_by),
            connections::created_at.eq(now),
        ))
        .execute(db)?;
    let connection = by_key(db, key)?;
    note(db, &connection, &Told { user: Some(new.ordered_by), ..Told::default() })?;
    Ok(connection)
}

/// Writes what the fabric shall know, over the version that was read. The step to UPDATING counts the version up.
pub fn set_settings(db: &mut Db, old: &Connection, new: &Connection) -> Result<(), Problem> {
    let row = connections::table.filter(connections::key.eq(old.key)).filter(connections::version.eq(old.version));
    let written = diesel::update(row)
        .set((
            connections::settings.eq(&new.settings),
            connections::supported_key.eq(new.supported),
            connections::speed.eq(new.speed),
            connections::price_code.eq(&new.price_code),
        ))
        .execute(db)?;
    if written == 1 { Ok(()) } else { Err(Problem::Conflict(Reason::Stale)) }
}

/// Writes what is only for people, over the version that was read.
pub fn describe(db: &mut Db, old: &Connection, name: &str, description: &str) -> Result<(), Problem> {
    let row = connections::table.filter(connections::key.eq(old.key)).filter(connections::version.eq(old.version));
    let written = diesel::update(row)
        .set((
            connections::name.eq(name),
            connections::name_key.eq(name_key(name)),
            connections::description.eq(description),
            connections::version.eq(old.version + 1),
        ))
        .execute(db)?;
    if written == 1 { Ok(()) } else { Err(Problem::Conflict(Reason::Stale)) }
}
