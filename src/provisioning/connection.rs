//! A connection, one step at a time: what its state asks for is done in one transaction under the tree's lock. Safe to
//! repeat, and to be done by several at once: each reads the state anew.

use super::fabric::{Attributes, Outcome};
use super::gate;
use super::intents::{self, Act, Intent, NewIntent};
use super::store::{self, Kind};
use crate::audit::{self, Event, EventType};
use crate::connections::store::{by_key, note};
use crate::connections::{self, Connection, Happening, State, Told, state, work};
use crate::ids::{self, Key};
use crate::limits::Resource;
use crate::problem::Problem;
use crate::store::{self as database, Db};

/// From its order to its intent there are three.
const MOST_STEPS: usize = 6;

/// Takes the connection as far as it can come now.
pub fn look(db: &mut Db, key: Key, can_provision: bool) -> Result<(), Problem> {
    for _ in 0..MOST_STEPS {
        if !database::write(db, |db| step(db, key, can_provision))? {
            break;
        }
    }
    Ok(())
}

/// One step; whether there may be another at once.
fn step(db: &mut Db, key: Key, can_provision: bool) -> Result<bool, Problem> {
    let account = store::account_of(db, Kind::Connection, key)?;
    store::lock(db, account)?;
    let connection = by_key(db, key)?;
    match connection.state {
        State::Initializing | State::WaitingToProvision if lacks_approval(db, &connection)? => {
            happen(db, &connection, Happening::NeedsApproval, &Told::default())?;
        }
        State::Initializing => {
            happen(db, &connection, Happening::Checked, &Told::default())?;
            return Ok(true);
        }
        State::WaitingToProvision | State::Approved => return begin(db, &connection, can_provision),
        State::Provisioning => tell(db, &connection, Act::Provision)?,
        State::Updating => tell(db, &connection, Act::Update)?,
        // The fabric never heard of it.
        State::Deleting if connection.active_at.is_none() && !intents::was_sent(db, &connection.id)? => {
            happen(db, &connection, Happening::Done, &Told::default())?;
        }
        State::Deleting => tell(db, &connection, Act::Delete)?,
        State::Active if store::link(db, key)?.0 => {
            happen(db, &connection, Happening::GoDown, &Told::default())?;
        }
        State::Down if !store::link(db, key)?.0 => {
            happen(db, &connection, Happening::ComeUp, &Told::default())?;
        }
        _ => {}
    }
    store::rest(db, Kind::Connection, key)?;
    Ok(false)
}

fn lacks_approval(db: &mut Db, connection: &Connection) -> Result<bool, Problem> {
    Ok(store::asks_for_approval(db, connection.supported)? && !store::was_approved(db, connection.key)?)
}

/// One step from state to state, with its entry in the log.
pub fn happen(db: &mut Db, connection: &Connection, what: Happening, told: &Told) -> Result<Connection, Problem> {
    audit::change_by_system(db, |db| connections::step(db, connection, what, told))
}

/// The gate: open, the work begins and the fabric is told in the same transaction; shut, it is said why.
fn begin(db: &mut Db, connection: &Connection, can_provision: bool) -> Result<bool, Problem> {
    let reasons = gate::reasons(db, connection.account, Resource::Connection, can_provision)?;
    if reasons.is_empty() {
        let started = happen(db, connection, Happening::Start, &Told::default())?;
        tell(db, &started, Act::Provision)?;
        store::rest(db, Kind::Connection, connection.key)?;
        return Ok(false);
    }
    let codes = reasons.codes();
    if codes != connection.waits_for {
        audit::change_by_system(db, |db| {
            note(db, connection, &Told { message: reasons.words(), ..Told::default() })?;
            let event = Event::new(EventType::ConnectionStateChange, connections::subject(connection))
                .changed("waitsFor", &connection.waits_for, &codes)
                .in_account(connection.account);
            Ok(((), event))
        })?;
    }
    store::wait(db, Kind::Connection, connection.key, &codes, store::again(connection.state_since))?;
    Ok(false)
}

fn tell(db: &mut Db, connection: &Connection, act: Act) -> Result<(), Problem> {
    let (account, subject) = (connection.account, connection.key);
    intents::open(db, &NewIntent { account, kind: Kind::Connection, subject, subject_id: &connection.id, act })
}

/// What the end of its intent means for the connection, in the transaction that ends it.
pub fn finished(db: &mut Db, intent: &Intent, outcome: &Outcome) -> Result<(), Problem> {
    let connection = by_key(db, intent.subject)?;
    let (what, told) = match outcome {
        Outcome::Failed { code, message } => {
            let code = if code.is_empty() { usual_code(intent.act) } else { code };
            (Happening::Fail, Told { error_code: code.to_owned(), message: message.clone(), user: None })
        }
        _ => (Happening::Done, Told::default()),
    };
    if state::next(connection.state, what).is_none() {
        tracing::warn!(connection = %connection.id, state = connection.state.code(), "an intent ended out of place");
        return Ok(());
    }
    let after = happen(db, &connection, what, &told)?;
    if let Outcome::Done(attributes) = outcome {
        keep(db, &after, attributes)?;
    }
    // Where the link went down meanwhile, that is the next step.
    if after.state == State::Active && store::link(db, after.key)?.0 {
        store::wait(db, Kind::Connection, after.key, "", ids::now())?;
    }
    Ok(())
}

fn keep(db: &mut Db, connection: &Connection, attributes: &Attributes) -> Result<(), Problem> {
    if attributes.is_empty() {
        return Ok(());
    }
    let mut all = work::attributes(db, connection.key)?;
    all.extend(attributes.clone());
    work::set_attributes(db, connection.key, &all)
}

fn usual_code(act: Act) -> &'static str {
    match act {
        Act::Provision => "CONNECTION_PROVISIONING_ERROR",
        Act::Update => "CONNECTION_UPDATING_ERROR",
        Act::Delete => "CONNECTION_DELETING_ERROR",
    }
}
