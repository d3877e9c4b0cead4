//! The audit log. [`change`] is how anything is changed: one transaction that takes the tree's lock, checks the right
//! again, acts, and must return its event. No entry is edited or deleted (the database refuses).
//!
//! A change without its event does not compile:
//! ```compile_fail,E0308
//! # use subtenant::{access::{Grant, policy::UpdateAccounts}, audit, problem::Problem, store::Db};
//! fn silent(db: &mut Db, by: &Grant<UpdateAccounts>) -> Result<(), Problem> { audit::change(db, by, |_db, _by| Ok(())) }
//! ```

pub mod event;
mod export;
mod filter;
pub mod list;
pub mod pages;
pub mod refused;
mod row;
mod store;
mod view;

use crate::access::policy::Action;
use crate::access::{Actor, Grant, Origin};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::{self as database, Db, dialect};
pub use event::{Event, EventType, Subject};
use store::NewEntry;

/// Changes something in the grant's account (or below it, when the event says so). The closure gets the grant as it
/// is after the lock; it may read what it needs and must return what happened.
pub fn change<A: Action, T>(
    db: &mut Db,
    by: &Grant<A>,
    act: impl FnOnce(&mut Db, &Grant<A>) -> Result<(T, Event), Problem>,
) -> Result<T, Problem> {
    database::write(db, |db| {
        dialect::lock_tree(db, by.account().root_key)?;
        let root = by.account().root_key;
        let by = by.check_again(db)?;
        if by.account().root_key != root {
            return Err(Problem::Unavailable(anyhow::anyhow!("the account moved to another tree just now")));
        }
        let (value, event) = act(db, &by)?;
        let entry = NewEntry {
            event: &event,
            actor: Some(by.actor().key),
            acting: Some(by.acting()),
            account: Some(event.account.unwrap_or(by.account().key)),
            origin: by.origin(),
            source: "CONSOLE",
        };
        store::insert(db, &entry)?;
        Ok(value)
    })
}

/// Changes something of the person's own, in no account.
pub fn change_own<T>(
    db: &mut Db,
    actor: &Actor,
    origin: &Origin,
    act: impl FnOnce(&mut Db) -> Result<(T, Event), Problem>,
) -> Result<T, Problem> {
    database::write(db, |db| {
        let (value, event) = act(db)?;
        record_for(db, actor.key, origin, &event)?;
        Ok(value)
    })
}

/// Somebody new or not yet known: signing up and signing in. The event's subject names the person.
pub fn record_for(db: &mut Db, user: Key, origin: &Origin, event: &Event) -> Result<(), Problem> {
    let entry = NewEntry { event, actor: Some(user), acting: None, account: event.account, origin, source: "CONSOLE" };
    store::insert(db, &entry)
}

/// What a command of the operator changes.
pub fn change_by_system<T>(
    db: &mut Db,
    act: impl FnOnce(&mut Db) -> Result<(T, Event), Problem>,
) -> Result<T, Problem> {
    database::write(db, |db| {
        let (value, event) = act(db)?;
        let origin = Origin { request_id: ids::token(), ..Origin::default() };
        let entry = NewEntry {
            event: &event,
            actor: None,
            acting: None,
            account: event.account,
            origin: &origin,
            source: "SYSTEM",
        };
        store::insert(db, &entry)?;
        Ok(value)
    })
}
