//! Networks: what connections are ordered into. A name is unique in its account among the networks that are there; one
//! with connections that are not deleted stays.

pub mod list;
pub(crate) mod pages;
pub mod query;
mod state;
pub mod store;

use chrono::NaiveDateTime;

use crate::access::Grant;
use crate::access::policy::{CreateNetworks, DeleteNetworks, UpdateNetworks};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::Key;
use crate::limits::{self, Resource};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::tags::{self, Tags};
pub use pages::routes;
pub use state::State;

/// What entries of the audit log call a network.
pub fn subject(network: &Network) -> Subject {
    Subject::new("NETWORK", &network.id, &network.name)
}

/// A network as it is stored.
#[derive(Debug, Clone)]
pub struct Network {
    pub key: Key,
    pub id: String,
    pub account: Key,
    pub name: String,
    pub description: String,
    pub state: State,
    pub created_at: NaiveDateTime,
    pub deleted_at: Option<NaiveDateTime>,
    pub version: i64,
}

/// What somebody decides about a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNetwork {
    pub name: String,
    pub description: String,
    pub tags: Tags,
}

/// NETWORK_NAME_UNIQUE
pub const NAME_TAKEN: &str = "Another network of this account has this name";

/// Makes a network, active at once. Invalid when its name is taken; Conflict(LimitReached).
pub fn create(db: &mut Db, by: &Grant<CreateNetworks>, new: &NewNetwork) -> Result<Network, Problem> {
    audit::change(db, by, |db, by| {
        let account = by.account().key;
        if store::is_taken(db, account, &new.name, None)? {
            return Err(Problem::invalid("name", NAME_TAKEN));
        }
        limits::room_for_one(db, account, Resource::Network)?;
        let network = store::insert(db, account, new)?;
        tags::replace(db, account, &network.id, &new.tags)?;
        let event = Event::new(EventType::NetworkCreate, subject(&network))
            .with("name", &new.name)
            .with("description", &new.description)
            .with("tags", tags::line(&new.tags))
            .with("state", network.state.code());
        Ok((network, event))
    })
}

/// Changes name, description and tags, if it still is the version that was shown.
pub fn edit(
    db: &mut Db,
    by: &Grant<UpdateNetworks>,
    network_id: &str,
    new: &NewNetwork,
    version: i64,
) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let account = by.account().key;
        let old = store::find(db, account, network_id)?;
        // A deleted one is read, not changed.
        if old.version != version || old.state == State::Deleted {
            return Err(Problem::Conflict(Reason::Stale));
        }
        if store::is_taken(db, account, &new.name, Some(old.key))? {
            return Err(Problem::invalid("name", NAME_TAKEN));
        }
        let before = tags::of(db, account, &old.id)?;
        store::update(db, &old, new)?;
        tags::replace(db, account, &old.id, &new.tags)?;
        let event = Event::new(EventType::NetworkUpdate, subject(&Network { name: new.name.clone(), ..old.clone() }))
            .changed("name", &old.name, &new.name)
            .changed("description", &old.description, &new.description)
            .changed("tags", &tags::line(&before), &tags::line(&new.tags));
        Ok(((), event))
    })
}

/// Deletes a network without connections. Conflict(NetworkHasConnections), or Conflict(Stale).
pub fn delete(db: &mut Db, by: &Grant<DeleteNetworks>, network_id: &str, version: i64) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let network = store::find(db, by.account().key, network_id)?;
        if network.version != version || network.state == State::Deleted {
            return Err(Problem::Conflict(Reason::Stale));
        }
        let connections = store::connections(db, network.key)?;
        if connections > 0 {
            return Err(Problem::Conflict(Reason::NetworkHasConnections(connections)));
        }
        store::set_deleted(db, &network)?;
        let event = Event::new(EventType::NetworkDelete, subject(&network)).changed(
            "state",
            network.state.code(),
            State::Deleted.code(),
        );
        Ok(((), event))
    })
}

/// The account's network, as long as connections can be ordered into it.
pub fn open_to_orders(db: &mut Db, account: Key, network_id: &str) -> Result<Network, Problem> {
    let network = store::find(db, account, network_id)?;
    match network.state {
        State::Active => Ok(network),
        State::Deleted => Err(Problem::NotFound),
        _ => Err(Problem::Conflict(Reason::NotSupported("The network is not active."))),
    }
}
