//! Ordering a connection, and changing what the fabric knows of one: each one transaction that asks the gate, the
//! limits, the catalogue and the ports, and leaves the rest to the background work.

use super::keys::{self, PreSharedKey};
use super::settings::{Kind, Settings};
use super::store::{self, NewRow};
use super::{Connection, acts, reach, subject};
use crate::access::Grant;
use crate::access::policy::CreateNetworks;
use crate::audit::{self, Event, EventType};
use crate::catalogue::{self, SupportedConnection, Term};
use crate::factor::vault::Vault;
use crate::ids::{self, Key};
use crate::ledger::prices::Prices;
use crate::limits::{self, Resource};
use crate::live;
use crate::networks;
use crate::ports::{self, NewUse, Side};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::tags::{self, Tags};

/// What somebody orders. Ports, VLANs and all else that the kind asks for are in `settings`.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// The id of the network.
    pub network: String,
    pub name: String,
    pub description: String,
    pub tags: Tags,
    /// The line of the catalogue.
    pub line: Key,
    pub term: Term,
    pub settings: Settings,
    /// Pre-shared keys of a tunnel.
    pub keys: Vec<(Side, PreSharedKey)>,
}

/// Places the order. Conflict(NotReady) while anything blocks the account, whatever page the order came from;
/// Conflict(LimitReached); Conflict(NotSupported) where the catalogue does not offer it (any more); what
/// [`ports::reserve`] refuses.
pub fn order(db: &mut Db, vault: &Vault, by: &Grant<CreateNetworks>, new: &NewOrder) -> Result<Connection, Problem> {
    audit::change(db, by, |db, by| {
        let account = by.account().key;
        acts::must_be_ready(db, account)?;
        limits::room_for_one(db, account, Resource::Connection)?;
        let network = networks::open_to_orders(db, account, &new.network)?;
        let line = offered(db, new.line, new.settings.kind())?;
        let price_code = priced(db, &line, new.term)?;
        fits(&line, &new.settings)?;
        let row = NewRow {
            account,
            network: network.key,
            name: &new.name,
            description: &new.description,
            line: &line,
            term: new.term,
            price_code: &price_code,
            settings: &new.settings.stored()?,
            ordered_by: by.actor().key,
        };
        let connection = store::insert(db, &row)?;
        live::ring();
        reserve(db, &connection, &new.settings, line.location, line.speed)?;
        tags::replace(db, account, &connection.id, &new.tags)?;
        for (side, key) in &new.keys {
            keys::store(db, vault, &connection, *side, key)?;
        }
        let event = Event::new(EventType::ConnectionCreate, subject(&connection))
            .with("name", &new.name)
            .with("description", &new.description)
            .with("tags", tags::line(&new.tags))
            .with("network", &network.name)
            .with("type", &connection.kind)
            .with("location", &line.location_name)
            .with("speed", line.speed.to_string())
            .with("highAvailability", line.high_availability.to_string())
            .with("billingTerm", new.term.code())
            .with("state", connection.state.code());
        Ok((connection, event))
    })
}

/// The line of the catalogue, as long as this kind can be ordered by it.
pub fn offered(db: &mut Db, line: Key, kind: Kind) -> Result<SupportedConnection, Problem> {
    let (line, offered) = match catalogue::supported_connection(db, line) {
        Err(Problem::NotFound) => return Err(gone()),
        found => found?,
    };
    if line.pending {
        return Err(Problem::Conflict(Reason::NotSupported("It is announced, and cannot be ordered yet.")));
    }
    if !offered || line.kind != kind.code() { Err(gone()) } else { Ok(line) }
}

fn gone() -> Problem {
    Problem::Conflict(Reason::NotSupported("It is not offered any more."))
}

/// The price code of the line for the term, which must have a price today.
pub fn priced(db: &mut Db, line: &SupportedConnection, term: Term) -> Result<String, Problem> {
    let code = line.prices.code(term);
    let code = code.ok_or(Problem::Conflict(Reason::NotSupported("It is not offered for this term.")))?;
    if Prices::of(db, [code])?.on(code, ids::now()).is_none() {
        return Err(Problem::Conflict(Reason::NotSupported("There is no price for it now.")));
    }
    Ok(code.to_owned())
}

/// Whether the settings are of the kind of thing that the line offers.
fn fits(line: &SupportedConnection, settings: &Settings) -> Result<(), Problem> {
    let double = match settings {
        Settings::Port(port) => Some(port.secondary_port.is_some()),
        Settings::Vpn(vpn) => Some(vpn.secondary_customer_router_ip.is_some()),
        Settings::Google(google) => Some(google.secondary_pairing_key.is_some()),
        Settings::Oracle(oracle) => Some(oracle.secondary_ocid.is_some()),
        Settings::Aws(_) | Settings::Azure(_) => None,
    };
    let peering = match settings {
        Settings::Aws(aws) => Some(&aws.peering.kind),
        Settings::Azure(azure) => Some(&azure.peering.kind),
        Settings::Oracle(oracle) => Some(&oracle.peering.kind),
        _ => None,
    };
    let region = match settings {
        Settings::Aws(aws) => Some(&aws.cloud_region),
        Settings::Oracle(oracle) => Some(&oracle.cloud_region),
        _ => None,
    };
    let refuse = |why| Err(Problem::Conflict(Reason::NotSupported(why)));
    match () {
        () if double.is_some_and(|double| double != line.high_availability) => {
            refuse("High availability is not offered like this.")
        }
        () if peering.is_some_and(|peering| *peering != line.peering) => refuse("This peering is not offered here."),
        () if region.is_some_and(|region| !line.cloud_regions.contains(region)) => {
            refuse("This cloud region is not reached from here.")
        }
        () => Ok(()),
    }
}

/// Gives the connection its VLANs. PORT_CONNECTION_LOCATION_MISMATCH,
/// SECONDARY_PORT_NOT_IN_SAME_FACILITY_AS_PRIMARY_PORT and CONNECTION_SPEED_GREATER_THAN_PORT_SPEED are refused first.
pub fn reserve(
    db: &mut Db,
    connection: &Connection,
    settings: &Settings,
    location: Key,
    speed: i64,
) -> Result<(), Problem> {
    let Settings::Port(settings) = settings else { return Ok(()) };
    let primary = (Side::Primary, settings.primary_port.as_str(), settings.primary_customer_vlan);
    let secondary = settings.secondary_port.as_deref().zip(settings.secondary_customer_vlan);
    let sides = [Some(primary), secondary.map(|(port, vlan)| (Side::Secondary, port, vlan))];
    let mut first: Option<(Key, Key)> = None;
    for (side, id, vlan) in sides.into_iter().flatten() {
        let (port, facility, place, port_speed) = reach::port(db, id)?;
        let refuse = |why| Err(Problem::Conflict(Reason::NotSupported(why)));
        if place != location {
            return refuse("The port is at another location.");
        }
        if speed > port_speed {
            return refuse("The connection would be faster than its port.");
        }
        match first {
            Some((primary, _)) if primary == port => return refuse("The second port must be another one."),
            Some((_, at)) if at != facility => return refuse("The second port must be in the facility of the first."),
            _ => first = Some((port, facility)),
        }
        let new = NewUse { port, vlan, connection: connection.key, account: connection.account, side, speed };
        ports::reserve(db, &new)?;
    }
    Ok(())
}
