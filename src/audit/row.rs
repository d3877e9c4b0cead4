//! Entries of the log as they are read, by their keys.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::one_of;
use crate::store::schema::{audit_entries, users};

/// One entry as it is read.
#[derive(Debug, Clone, Queryable)]
pub struct Row {
    pub key: Key,
    pub id: String,
    pub at: NaiveDateTime,
    pub event_type: String,
    pub subject_type: String,
    pub subject_id: String,
    pub subject_name: String,
    pub before: String,
    pub after: String,
    pub result: String,
    pub source: String,
    pub address: String,
    pub user_agent: String,
    pub request_id: String,
    pub acting_from: Option<Key>,
    pub acting_role: String,
    pub account: Option<Key>,
    pub actor: Option<(String, String, String, String)>,
}

/// The entries with these keys, in this order.
pub(super) fn rows(db: &mut Db, keys: &[Key]) -> Result<Vec<Row>, Problem> {
    let rows = audit_entries::table
        .left_join(users::table.on(audit_entries::actor_key.eq(users::key.nullable())))
        .filter(one_of(audit_entries::key, keys))
        .select((
            audit_entries::key,
            audit_entries::id,
            audit_entries::at,
            audit_entries::event_type,
            audit_entries::subject_type,
            audit_entries::subject_id,
            audit_entries::subject_name,
            audit_entries::before,
            audit_entries::after,
            audit_entries::result,
            audit_entries::source,
            audit_entries::address,
            audit_entries::user_agent,
            audit_entries::request_id,
            audit_entries::acting_from_key,
            audit_entries::acting_role,
            audit_entries::account_key,
            (users::id, users::first_name, users::last_name, users::email).nullable(),
        ))
        .load::<Row>(db)?;
    let mut by_key: HashMap<Key, Row> = rows.into_iter().map(|row| (row.key, row)).collect();
    Ok(keys.iter().filter_map(|key| by_key.remove(key)).collect())
}
