//! Connections: ordering them in a network, changing and deleting them. What the fabric does with them is the room
//! `provisioning`; every step from one state to another goes through [`step`].

pub mod acts;
pub mod advice;
pub mod asking;
pub mod editing;
pub mod history;
pub mod keys;
pub mod lines;
pub mod list;
pub mod order;
mod pages;
pub mod reach;
pub mod settings;
pub mod state;
pub mod store;
pub mod work;

use crate::audit::{Event, EventType, Subject};
use crate::ids::{self, Key};
use crate::ledger::{self, Kind, NewItem};
use crate::live;
use crate::ports;
use crate::problem::{Problem, Reason};
use crate::store::Db;
pub use order::{NewOrder, order};
pub use pages::routes;
pub use state::{Happening, State};
pub use store::Connection;

/// What entries of the audit log call a connection.
pub fn subject(connection: &Connection) -> Subject {
    Subject::new("CONNECTION", &connection.id, &connection.name)
}

/// What the fabric, or whoever else, has to say to a step.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// A code of the published interface; empty for none.
    pub error_code: String,
    /// For people; empty for none.
    pub message: String,
    /// Who asked for it, where somebody did.
    pub user: Option<Key>,
}

/// Takes the connection from its state to the one that the happening leads to, in the caller's transaction, which has
/// the tree's lock: the row, its history, what is charged, and the ports it has. Answers the connection as it is then
/// and the event for the audit log. Conflict(ConnectionState) where it cannot happen.
pub fn step(
    db: &mut Db,
    connection: &Connection,
    happening: Happening,
    told: &Told,
) -> Result<(Connection, Event), Problem> {
    let conflict = Problem::Conflict(Reason::ConnectionState(connection.state.code()));
    let to = state::next(connection.state, happening).ok_or(conflict)?;
    let after = store::set_state(db, connection, to, told)?;
    if to.is_under_way() {
        live::ring();
    }
    match to {
        State::Active if connection.active_at.is_none() && !connection.price_code.is_empty() => {
            ledger::start_item(db, &item(connection), ids::now())?;
        }
        State::Deleted => {
            ports::release(db, connection.key)?;
            store::forget_keys(db, connection.key)?;
            if connection.active_at.is_some() && !connection.price_code.is_empty() {
                ledger::end_item(db, connection.account, &connection.id, ids::now())?;
            }
        }
        _ => {}
    }
    let event = Event::new(EventType::ConnectionStateChange, subject(connection))
        .changed("state", connection.state.code(), to.code())
        .changed("errorCode", &connection.error_code, &after.error_code)
        .changed("errorMessage", &connection.error_message, &after.error_message)
        .in_account(connection.account);
    Ok((after, event))
}

fn item(connection: &Connection) -> NewItem {
    NewItem {
        account: connection.account,
        kind: Kind::Connection,
        subject_id: connection.id.clone(),
        name: connection.name.clone(),
        price_code: connection.price_code.clone(),
    }
}
