//! What people do to a connection that is there: name it anew, try a failed order again, delete it.

use super::{Connection, Happening, Told, step, store, subject};
use crate::access::Grant;
use crate::access::policy::{DeleteNetworks, UpdateNetworks};
use crate::audit::{self, Event, EventType};
use crate::ids::Key;
use crate::problem::{Problem, Reason};
use crate::readiness;
use crate::store::Db;
use crate::tags::{self, Tags};

use super::state::{State, next};

/// What is only for people: it changes nothing that the fabric knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    pub name: String,
    pub description: String,
    pub tags: Tags,
}

/// Changes name, description and tags, if it still is the version that was shown. A deleted one stays as it was.
pub fn describe(
    db: &mut Db,
    by: &Grant<UpdateNetworks>,
    id: &str,
    details: &Details,
    version: i64,
) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let account = by.account().key;
        let old = store::find(db, account, id)?;
        if old.version != version {
            return Err(Problem::Conflict(Reason::Stale));
        }
        if old.state == State::Deleted {
            return Err(Problem::Conflict(Reason::ConnectionUpdate(old.state.words())));
        }
        let before = tags::of(db, account, id)?;
        store::describe(db, &old, &details.name, &details.description)?;
        tags::replace(db, account, id, &details.tags)?;
        let event =
            Event::new(EventType::ConnectionUpdate, subject(&Connection { name: details.name.clone(), ..old.clone() }))
                .changed("name", &old.name, &details.name)
                .changed("description", &old.description, &details.description)
                .changed("tags", &tags::line(&before), &tags::line(&details.tags));
        Ok(((), event))
    })
}

/// Conflict(NotReady) while anything blocks provisioning in the account.
pub fn must_be_ready(db: &mut Db, account: Key) -> Result<(), Problem> {
    let blockers = readiness::blockers(db, account)?;
    if blockers.is_empty() {
        return Ok(());
    }
    Err(Problem::Conflict(Reason::NotReady(blockers.iter().map(readiness::Blocker::code).collect())))
}

/// Has a failed order tried again; the gate is asked before. Conflict(ConnectionState) unless it failed.
pub fn retry(db: &mut Db, by: &Grant<UpdateNetworks>, id: &str, version: i64) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let connection = shown(db, by.account().key, id, version)?;
        must_be_ready(db, connection.account)?;
        let told = Told { user: Some(by.actor().key), ..Told::default() };
        let (_, event) = step(db, &connection, Happening::Retry, &told)?;
        Ok(((), event))
    })
}

/// Deletes a connection: at once when the fabric knows nothing of it, else the fabric is told first. Answers the state
/// that it is in then. CONNECTION_DELETE_STATE_CONFLICT where it cannot be deleted now.
pub fn delete(db: &mut Db, by: &Grant<DeleteNetworks>, id: &str, version: i64) -> Result<State, Problem> {
    audit::change(db, by, |db, by| {
        let connection = shown(db, by.account().key, id, version)?;
        if next(connection.state, Happening::Delete).is_none() {
            return Err(Problem::Conflict(Reason::ConnectionDelete(connection.state.words())));
        }
        let told = Told { user: Some(by.actor().key), ..Told::default() };
        let (after, mut event) = step(db, &connection, Happening::Delete, &told)?;
        event.kind = EventType::ConnectionDelete;
        Ok((after.state, event))
    })
}

fn shown(db: &mut Db, account: Key, id: &str, version: i64) -> Result<Connection, Problem> {
    let connection = store::find(db, account, id)?;
    if connection.version == version { Ok(connection) } else { Err(Problem::Conflict(Reason::Stale)) }
}
