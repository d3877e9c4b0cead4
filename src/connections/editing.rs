//! Changing what the fabric knows of a connection: VLANs, routing, routers, IKE, pre-shared keys, speed. The term, the
//! kind, the ports and what identifies a circuit at a cloud provider stay.

use super::keys::{self, PreSharedKey};
use super::order::{offered, priced, reserve};
use super::settings::{Kind, Settings};
use super::{Connection, Happening, State, Told, acts, item, step, store, subject};
use crate::access::Grant;
use crate::access::policy::UpdateNetworks;
use crate::audit::{self, Event, EventType};
use crate::catalogue::{self, SupportedConnection, Term};
use crate::factor::vault::Vault;
use crate::ids::{self, Key};
use crate::ports::Side;
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::{ledger, ports};

/// What is to be from now on.
#[derive(Debug, Clone)]
pub struct Change {
    pub settings: Settings,
    /// The line of the catalogue with the new speed; None to keep it.
    pub line: Option<Key>,
    /// New pre-shared keys; a side that is not named keeps its own.
    pub keys: Vec<(Side, PreSharedKey)>,
}

/// Changes the connection and hands it to the background work. Answers whether there was anything to change.
/// CONNECTION_UPDATE_STATE_CONFLICT in a state that does not allow it; Conflict(NotReady) while the account may not
/// provision; what [`ports::reserve`] refuses.
pub fn change(
    db: &mut Db,
    vault: &Vault,
    by: &Grant<UpdateNetworks>,
    id: &str,
    change: &Change,
    version: i64,
) -> Result<State, Problem> {
    audit::change(db, by, |db, by| {
        let old = store::find(db, by.account().key, id)?;
        if old.version != version {
            return Err(Problem::Conflict(Reason::Stale));
        }
        if super::state::next(old.state, Happening::Edit).is_none() {
            return Err(Problem::Conflict(Reason::ConnectionUpdate(old.state.words())));
        }
        acts::must_be_ready(db, old.account)?;
        let before = Settings::of_stored(&old.settings).filter(|before| before.kind() == change.settings.kind());
        let before = before.ok_or(Problem::Conflict(Reason::ConnectionUpdate(old.state.words())))?;
        must_keep(&before, &change.settings)?;
        let new = with_line(db, &old, change)?;
        store::set_settings(db, &old, &new)?;
        if vlans(&before) != vlans(&change.settings) || old.speed != new.speed {
            ports::release(db, old.key)?;
            let location = old.location.ok_or_else(|| Problem::bug("a connection without a location"))?;
            reserve(db, &new, &change.settings, location, new.speed)?;
        }
        for (side, key) in &change.keys {
            keys::store(db, vault, &old, *side, key)?;
        }
        if new.price_code != old.price_code && old.active_at.is_some() {
            if !old.price_code.is_empty() {
                ledger::end_item(db, old.account, &old.id, ids::now())?;
            }
            ledger::start_item(db, &item(&new), ids::now())?;
        }
        let told = Told { user: Some(by.actor().key), ..Told::default() };
        let (after, _) = step(db, &new, Happening::Edit, &told)?;
        Ok((after.state, event(&old, &new, &before, change)))
    })
}

/// The lines of the catalogue whose speed the connection could have instead: of its kind, place and terms. A term of a
/// year or two is not left for a lower speed, and AWS changes no speed (AWS_CONNECTION_SPEED_IMMUTABLE).
pub fn other_lines(db: &mut Db, connection: &Connection) -> Result<Vec<SupportedConnection>, Problem> {
    let (Some(kind), Some(term)) = (Kind::of_code(&connection.kind), Term::of_code(&connection.term)) else {
        return Ok(Vec::new());
    };
    let mut lines = catalogue::supported_connections(db, kind.code())?;
    let now = lines.iter().find(|line| Some(line.key) == connection.supported).cloned();
    let (Some(now), false) = (now, kind == Kind::Aws) else { return Ok(Vec::new()) };
    lines.retain(|line| {
        line.location == now.location
            && line.high_availability == now.high_availability
            && line.peering == now.peering
            && line.cloud_regions == now.cloud_regions
            && line.speed != now.speed
            && (term == Term::Monthly || line.speed > now.speed)
            && !line.pending
            && line.prices.code(term).is_some()
    });
    Ok(lines)
}

/// The connection as it will be.
fn with_line(db: &mut Db, old: &Connection, change: &Change) -> Result<Connection, Problem> {
    let settings = change.settings.stored()?;
    let Some(key) = change.line.filter(|line| Some(*line) != old.supported) else {
        return Ok(Connection { settings, ..old.clone() });
    };
    let refused = Problem::Conflict(Reason::NotSupported("The speed cannot be changed to this one."));
    if !other_lines(db, old)?.iter().any(|line| line.key == key) {
        return Err(refused);
    }
    let line = offered(db, key, change.settings.kind())?;
    let term = Term::of_code(&old.term).ok_or(refused)?;
    let price_code = priced(db, &line, term)?;
    Ok(Connection { settings, supported: Some(line.key), speed: line.speed, price_code, ..old.clone() })
}

/// What cannot change without another order.
fn must_keep(before: &Settings, after: &Settings) -> Result<(), Problem> {
    let fixed = |settings: &Settings| -> Vec<String> {
        let double = |other: &Option<String>| other.is_some().to_string();
        match settings {
            Settings::Port(port) => {
                vec![port.primary_port.clone(), port.secondary_port.clone().unwrap_or_default()]
            }
            Settings::Vpn(vpn) => vec![double(&vpn.secondary_customer_router_ip)],
            Settings::Aws(aws) => vec![aws.aws_account_id.clone(), aws.cloud_region.clone(), aws.peering.kind.clone()],
            Settings::Azure(azure) => vec![azure.service_key.clone(), azure.peering.kind.clone()],
            Settings::Google(google) => {
                vec![google.primary_pairing_key.clone(), google.secondary_pairing_key.clone().unwrap_or_default()]
            }
            Settings::Oracle(oracle) => vec![
                oracle.primary_ocid.clone(),
                oracle.secondary_ocid.clone().unwrap_or_default(),
                oracle.cloud_region.clone(),
                oracle.peering.kind.clone(),
            ],
        }
    };
    let kept = fixed(before) == fixed(after);
    if kept { Ok(()) } else { Err(Problem::Conflict(Reason::NotSupported("That can be had by another order only."))) }
}

fn vlans(settings: &Settings) -> Option<(i64, Option<i64>)> {
    match settings {
        Settings::Port(port) => Some((port.primary_customer_vlan, port.secondary_customer_vlan)),
        _ => None,
    }
}

fn event(old: &Connection, new: &Connection, before: &Settings, change: &Change) -> Event {
    let mut event = Event::new(EventType::ConnectionUpdate, subject(new))
        .changed("speed", &old.speed.to_string(), &new.speed.to_string())
        .changed("priceCode", &old.price_code, &new.price_code)
        .changed("state", old.state.code(), State::Updating.code());
    let words = |settings: &Settings| -> Vec<(&'static str, String)> {
        settings.facts(str::to_owned).into_iter().map(|fact| (fact.label, fact.value)).collect()
    };
    let (was, is) = (words(before), words(&change.settings));
    for (label, value) in &was {
        let now = is.iter().find(|(other, _)| other == label).map_or("", |(_, value)| value);
        event = event.changed(label, value, now);
    }
    for (label, value) in is.iter().filter(|(label, _)| !was.iter().any(|(other, _)| other == label)) {
        event = event.with(label, value);
    }
    if change.keys.is_empty() { event } else { event.with("sharedSecret", "changed") }
}
