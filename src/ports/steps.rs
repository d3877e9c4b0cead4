//! What the background does with a port: each in the caller's transaction, which has the tree's lock, and each with the
//! event for the audit log.

use diesel::prelude::*;

use super::state::State;
use super::store::{self, Port};
use crate::audit::{Event, EventType};
use crate::ids::{self, Key};
use crate::ledger::{self, Kind, NewItem};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::schema::ports;

/// What the fabric says of a port that it made; empty for what it does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    pub device_id: String,
    pub interface_id: String,
    pub patch_panel_id: String,
}

fn requested(db: &mut Db, key: Key) -> Result<Port, Problem> {
    let port = store::by_key(db, key)?;
    if port.state == State::Requested { Ok(port) } else { Err(Problem::Conflict(Reason::PortState(port.state.code()))) }
}

/// The fabric made it: from REQUESTED to ACTIVE, and charged from now on.
pub fn activate(db: &mut Db, key: Key, made: &Made) -> Result<(Port, Event), Problem> {
    let before = requested(db, key)?;
    diesel::update(ports::table.find(key))
        .set((
            ports::state.eq(State::Active.code()),
            ports::active_at.eq(ids::now()),
            ports::device_id.eq(&made.device_id),
            ports::interface_id.eq(&made.interface_id),
            ports::patch_panel_id.eq(&made.patch_panel_id),
            ports::error_code.eq(""),
            ports::error_message.eq(""),
            ports::waits_for.eq(""),
            ports::look_at.eq(ids::never()),
            ports::version.eq(ports::version + 1),
        ))
        .execute(db)?;
    if !before.price_code.is_empty() {
        let item = NewItem {
            account: before.account,
            kind: Kind::Port,
            subject_id: before.id.clone(),
            name: before.name.clone(),
            price_code: before.price_code.clone(),
        };
        ledger::start_item(db, &item, ids::now())?;
    }
    told(db, &before)
}

/// The fabric could not make it: it stays REQUESTED, with what was said, until somebody tries again.
pub fn fail(db: &mut Db, key: Key, code: &str, message: &str) -> Result<(Port, Event), Problem> {
    let before = requested(db, key)?;
    diesel::update(ports::table.find(key))
        .set((
            ports::error_code.eq(code),
            ports::error_message.eq(message),
            ports::waits_for.eq(""),
            ports::look_at.eq(ids::never()),
            ports::version.eq(ports::version + 1),
        ))
        .execute(db)?;
    let (after, event) = told(db, &before)?;
    Ok((after, event.failing()))
}

/// The port as it is now, and what changed about it.
fn told(db: &mut Db, before: &Port) -> Result<(Port, Event), Problem> {
    let after = store::by_key(db, before.key)?;
    let event = Event::new(EventType::PortStateChange, after.subject())
        .changed("state", before.state.code(), after.state.code())
        .changed("deviceId", &before.device_id, &after.device_id)
        .changed("interfaceId", &before.interface_id, &after.interface_id)
        .changed("patchPanelId", &before.patch_panel_id, &after.patch_panel_id)
        .changed("errorCode", &before.error_code, &after.error_code)
        .changed("errorMessage", &before.error_message, &after.error_message)
        .in_account(before.account);
    Ok((after, event))
}
