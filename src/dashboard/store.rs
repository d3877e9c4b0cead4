//! The latest entries of the audit log, as few words as a dashboard has room for.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::audit::EventType;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::store::schema::{account_ancestry, accounts, audit_entries, audit_scope, users};

/// One entry: what happened to what, where, by whom, when.
#[derive(Debug, Clone, Queryable)]
pub struct Latest {
    pub at: NaiveDateTime,
    pub event_type: String,
    pub subject_name: String,
    /// Id and name of the account it happened in, and when it was closed, if it is.
    pub account: Option<(String, String, Option<NaiveDateTime>)>,
    /// Whether that account is still here or below; one that moved away cannot be promised to open.
    pub still_below: Option<i64>,
    pub actor: Option<(String, String)>,
}

/// Entries among which the latest changes are looked for.
const LOOKED_THROUGH: i64 = 1_000;

/// The latest changes of the account, newest first; with everything that was below it when it happened, or without.
/// Sign-ins and what was refused changed nothing.
pub fn latest(db: &mut Db, account: Key, below: bool, most: i64) -> Result<Vec<Latest>, Problem> {
    // Where to stop; the log is walked along only until enough is found.
    let mut log = audit_scope::table
        .filter(audit_scope::account_key.eq(account))
        .order(audit_scope::entry_key.desc())
        .select(audit_scope::entry_key)
        .into_boxed::<MultiBackend>();
    if !below {
        log = log.filter(audit_scope::own.eq(true));
    }
    let stop: Option<Key> = log.offset(LOOKED_THROUGH).limit(1).first(db).optional()?;
    let mut query = audit_scope::table
        .inner_join(audit_entries::table)
        .left_join(accounts::table.on(audit_entries::account_key.eq(accounts::key.nullable())))
        .left_join(users::table.on(audit_entries::actor_key.eq(users::key.nullable())))
        .left_join(
            account_ancestry::table.on(audit_entries::account_key
                .eq(account_ancestry::descendant_key.nullable())
                .and(account_ancestry::ancestor_key.eq(account))),
        )
        .filter(audit_scope::account_key.eq(account))
        .filter(audit_scope::entry_key.gt(stop.unwrap_or_default()))
        .filter(audit_entries::account_key.is_not_null())
        .filter(audit_entries::event_type.ne(EventType::AccessRefused.code()))
        .into_boxed::<MultiBackend>();
    if !below {
        query = query.filter(audit_scope::own.eq(true)).filter(audit_entries::account_key.eq(account));
    }
    Ok(query
        .order(audit_scope::entry_key.desc())
        .limit(most)
        .select((
            audit_entries::at,
            audit_entries::event_type,
            audit_entries::subject_name,
            (accounts::id, accounts::name, accounts::closed_at).nullable(),
            account_ancestry::distance.nullable(),
            (users::first_name, users::last_name).nullable(),
        ))
        .load(db)?)
}
