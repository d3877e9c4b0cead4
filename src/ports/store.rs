//! Rows of ports. Each query takes the account, but for what the background does.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::state::State;
use crate::audit::Subject;
use crate::ids::{self, Key};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::dialect::{Run, said};
use crate::store::schema::ports;

/// A port as it is stored.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = ports)]
pub struct Port {
    pub key: Key,
    pub id: String,
    #[diesel(column_name = account_key)]
    pub account: Key,
    pub name: String,
    pub description: String,
    /// Who the letter of authorization names; empty for the account itself.
    pub loa_customer_name: String,
    #[diesel(column_name = facility_key)]
    pub facility: Key,
    pub provider: String,
    pub availability_domain: String,
    /// Mbit/s.
    pub speed: i64,
    /// What its connections have together.
    pub used_speed: i64,
    pub media_type: String,
    pub term: String,
    /// A code of the price list; empty where nothing is charged.
    pub price_code: String,
    #[diesel(deserialize_as = String)]
    pub state: State,
    pub available_to_child_accounts: bool,
    /// Still offered to what uses it, and to nothing that begins after this.
    pub no_new_use_from: Option<NaiveDateTime>,
    pub device_id: String,
    pub interface_id: String,
    pub patch_panel_id: String,
    /// Codes of what holds the order up, with blanks between them.
    pub waits_for: String,
    pub error_code: String,
    pub error_message: String,
    pub created_at: NaiveDateTime,
    pub active_at: Option<NaiveDateTime>,
    pub deleted_at: Option<NaiveDateTime>,
    pub version: i64,
}

impl Port {
    pub fn free(&self) -> i64 {
        self.speed - self.used_speed
    }

    /// Whether something that begins at this moment below its account may use it.
    pub fn is_offered(&self, at: NaiveDateTime) -> bool {
        self.available_to_child_accounts && self.no_new_use_from.is_none_or(|from| at < from)
    }

    /// What entries of the audit log call it.
    pub fn subject(&self) -> Subject {
        Subject::new("PORT", &self.id, &self.name)
    }
}

/// The account's own port of this id; NotFound for every other.
pub fn find(db: &mut Db, account: Key, id: &str) -> Result<Port, Problem> {
    if !ids::looks_like_id("port", id) {
        return Err(Problem::NotFound);
    }
    let own = ports::table.filter(ports::account_key.eq(account)).filter(ports::id.eq(id));
    Ok(own.select(Port::as_select()).first(db)?)
}

/// The same, unless it is deleted or not the version that was shown.
pub fn find_version(db: &mut Db, account: Key, id: &str, version: i64) -> Result<Port, Problem> {
    let port = find(db, account, id)?;
    if port.state == State::Deleted {
        return Err(Problem::Conflict(Reason::PortState(port.state.code())));
    }
    if port.version != version {
        return Err(Problem::Conflict(Reason::Stale));
    }
    Ok(port)
}

/// The port of this key, for what the background does.
pub fn by_key(db: &mut Db, key: Key) -> Result<Port, Problem> {
    Ok(ports::table.find(key).select(Port::as_select()).first(db)?)
}

/// Counts the version of the row up: what stands beside it changed.
pub fn touch(db: &mut Db, port: &Port) -> Result<(), Problem> {
    let row = ports::table.find(port.key).filter(ports::version.eq(port.version));
    let written = diesel::update(row).set(ports::version.eq(port.version + 1)).execute(db)?;
    if written == 1 { Ok(()) } else { Err(Problem::Conflict(Reason::Stale)) }
}

#[derive(QueryableByName)]
struct Uses {
    #[diesel(sql_type = BigInt)]
    everywhere: i64,
    #[diesel(sql_type = BigInt)]
    below: i64,
}

/// How many connections use the port: all of them, and those of accounts below its own.
pub fn uses(db: &mut Db, port: &Port) -> Result<(i64, i64), Problem> {
    let uses: Uses = said(
        "SELECT COUNT(DISTINCT u.connection_key) AS everywhere,
                COUNT(DISTINCT CASE WHEN u.account_key <> $1 THEN u.connection_key END) AS below
         FROM port_uses u WHERE u.port_key = $2",
    )
    .bind(port.account)
    .bind(port.key)
    .row(db)?;
    Ok((uses.everywhere, uses.below))
}
