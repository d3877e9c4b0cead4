//! A port, one step at a time, as [`super::connection`] does it. A port has no state for being made or for having failed: it
//! stays requested until the fabric has it, with what went wrong beside it; one that is deleted is taken down behind
//! the scenes.

use diesel::prelude::*;

use super::fabric::{Attributes, Outcome};
use super::gate;
use super::intents::{self, Act, Intent, NewIntent};
use super::store::{self, Kind};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::{self, Key};
use crate::limits::Resource;
use crate::ports::{self, Made};
use crate::problem::Problem;
use crate::store::schema::ports as rows;
use crate::store::{self as database, Db};

/// A port as far as making it asks.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = rows)]
struct Port {
    key: Key,
    id: String,
    account_key: Key,
    name: String,
    state: String,
    waits_for: String,
    error_code: String,
    error_message: String,
    created_at: chrono::NaiveDateTime,
}

fn find(db: &mut Db, key: Key) -> Result<Port, Problem> {
    Ok(rows::table.find(key).select(Port::as_select()).first(db)?)
}

fn event(port: &Port) -> Event {
    Event::new(EventType::PortStateChange, Subject::new("PORT", &port.id, &port.name)).in_account(port.account_key)
}

/// Takes the port as far as it can come now.
pub fn look(db: &mut Db, key: Key, can_provision: bool) -> Result<(), Problem> {
    database::write(db, |db| {
        let account = store::account_of(db, Kind::Port, key)?;
        store::lock(db, account)?;
        let port = find(db, key)?;
        match port.state.as_str() {
            "REQUESTED" => begin(db, &port, can_provision),
            "DELETED" => take_down(db, &port),
            _ => store::rest(db, Kind::Port, key),
        }
    })
}

fn begin(db: &mut Db, port: &Port, can_provision: bool) -> Result<(), Problem> {
    // In hand, or refused: then somebody has to do something.
    if !port.error_code.is_empty() || intents::is_open(db, &port.id)? {
        return store::rest(db, Kind::Port, port.key);
    }
    let reasons = gate::reasons(db, port.account_key, Resource::Port, can_provision)?;
    let codes = reasons.codes();
    if codes != port.waits_for || reasons.is_empty() {
        audit::change_by_system(db, |db| {
            if reasons.is_empty() {
                tell(db, port, Act::Provision)?;
                return Ok(((), event(port).with("fabric", "told to make it")));
            }
            Ok(((), event(port).changed("waitsFor", &port.waits_for, &codes)))
        })?;
    }
    if reasons.is_empty() {
        return store::rest(db, Kind::Port, port.key);
    }
    store::wait(db, Kind::Port, port.key, &codes, store::again(port.created_at))
}

fn take_down(db: &mut Db, port: &Port) -> Result<(), Problem> {
    if let Some(last) = intents::last(db, &port.id)? {
        let untold = !last.finished && intents::take_back(db, &last)?;
        let ended = untold || last.finished;
        // Gone, or it could not be taken down: then the operator tries again.
        let tried = last.act == Act::Delete;
        // What went wrong while it was made is of no interest any more.
        if !tried && !port.error_code.is_empty() {
            set_error(db, port, "", "")?;
        }
        if ended && !tried && intents::was_sent(db, &port.id)? {
            audit::change_by_system(db, |db| {
                tell(db, port, Act::Delete)?;
                Ok(((), event(port).with("fabric", "told to take it down")))
            })?;
        }
    }
    store::rest(db, Kind::Port, port.key)
}

fn tell(db: &mut Db, port: &Port, act: Act) -> Result<(), Problem> {
    let (account, subject) = (port.account_key, port.key);
    intents::open(db, &NewIntent { account, kind: Kind::Port, subject, subject_id: &port.id, act })
}

/// What the end of its intent means for the port, in the transaction that ends it.
pub fn finished(db: &mut Db, intent: &Intent, outcome: &Outcome) -> Result<(), Problem> {
    let port = find(db, intent.subject)?;
    match (outcome, port.state.as_str()) {
        (Outcome::Done(attributes), "REQUESTED") => activate(db, &port, attributes)?,
        (Outcome::Failed { code, message }, state) if state == "REQUESTED" || intent.act == Act::Delete => {
            let usual = if intent.act == Act::Delete { "PORT_DELETING_ERROR" } else { "PORT_PROVISIONING_ERROR" };
            let code = if code.is_empty() { usual } else { code };
            if state == "REQUESTED" {
                let failed = |db: &mut Db| ports::fail(db, port.key, code, message).map(|(_, event)| ((), event));
                return audit::change_by_system(db, failed);
            }
            set_error(db, &port, code, message)?;
        }
        (Outcome::Done(_), _) if intent.act == Act::Delete => {
            audit::change_by_system(db, |_| Ok(((), event(&port).with("fabric", "took it down"))))?;
        }
        // It was deleted while it was being made: now it can be taken down.
        _ => store::wait(db, Kind::Port, port.key, "", ids::now())?,
    }
    Ok(())
}

fn activate(db: &mut Db, port: &Port, attributes: &Attributes) -> Result<(), Problem> {
    let told = |name: &str| attributes.get(name).cloned().unwrap_or_default();
    let made =
        Made { device_id: told("deviceId"), interface_id: told("interfaceId"), patch_panel_id: told("patchPanelId") };
    audit::change_by_system(db, |db| ports::activate(db, port.key, &made).map(|(_, event)| ((), event)))
}

/// What went wrong, or nothing any more.
fn set_error(db: &mut Db, port: &Port, code: &str, message: &str) -> Result<(), Problem> {
    audit::change_by_system(db, |db| {
        diesel::update(rows::table.find(port.key))
            .set((rows::error_code.eq(code), rows::error_message.eq(message)))
            .execute(db)?;
        let event = event(port).changed("errorCode", &port.error_code, code).changed(
            "errorMessage",
            &port.error_message,
            message,
        );
        Ok(((), event))
    })
}

/// Tries again what the fabric refused; false when there is nothing to try.
pub fn retry(db: &mut Db, key: Key) -> Result<bool, Problem> {
    database::write(db, |db| {
        let account = store::account_of(db, Kind::Port, key)?;
        store::lock(db, account)?;
        let port = find(db, key)?;
        if port.error_code.is_empty() || intents::is_open(db, &port.id)? {
            return Ok(false);
        }
        set_error(db, &port, "", "")?;
        if port.state == "DELETED" {
            tell(db, &port, Act::Delete)?;
        } else {
            store::wait(db, Kind::Port, key, "", ids::now())?;
        }
        Ok(true)
    })
}
