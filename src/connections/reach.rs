//! Ports that a connection of the account can use, with what is left of each.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use crate::access::Frame;
use crate::ids::{self, Key};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::schema::{account_ancestry, facilities, port_uses, ports};

/// A port as an order sees it.
#[derive(Debug, Clone)]
pub struct Usable {
    pub key: Key,
    pub id: String,
    pub name: String,
    pub own: bool,
    /// Whose it is, where it is not the account's own.
    pub owner: String,
    pub facility: Key,
    pub facility_name: String,
    pub location: Key,
    pub speed: i64,
    /// Mbit/s that the account may still use.
    pub free: i64,
    /// The first VLAN and the last that it may use.
    pub vlans: (i64, i64),
    /// Those that are taken.
    pub taken: HashSet<i64>,
}

impl Usable {
    /// The first VLAN that is free for it.
    pub fn suggested(&self) -> Option<i64> {
        (self.vlans.0..=self.vlans.1).find(|vlan| !self.taken.contains(vlan))
    }
}

/// Every port that a new connection of the account can use now.
pub fn usable(db: &mut Db, frame: &Frame) -> Result<Vec<Usable>, Problem> {
    let account = frame.account().key;
    let now = ids::now();
    type Row = (Key, String, String, Key, Key, String, Key, i64, i64);
    let rows: Vec<Row> = ports::table
        .inner_join(account_ancestry::table.on(account_ancestry::ancestor_key.eq(ports::account_key)))
        .inner_join(facilities::table.on(facilities::key.eq(ports::facility_key)))
        .filter(account_ancestry::descendant_key.eq(account))
        .filter(ports::state.eq("ACTIVE"))
        .filter(
            ports::account_key.eq(account).or(ports::available_to_child_accounts
                .eq(true)
                .and(ports::no_new_use_from.is_null().or(ports::no_new_use_from.assume_not_null().gt(now)))),
        )
        .order((account_ancestry::distance, ports::name_key, ports::key))
        .limit(500)
        .select((
            ports::key,
            ports::id,
            ports::name,
            ports::account_key,
            facilities::key,
            facilities::name,
            facilities::location_key,
            ports::speed,
            ports::used_speed,
        ))
        .load(db)?;
    let usable = |(key, id, name, owner, facility, facility_name, location, speed, used): Row| Usable {
        own: owner == account,
        owner: match frame.step(owner) {
            _ if owner == account => String::new(),
            Some(step) if !step.held.is_empty() => step.place.name.clone(),
            _ => "an account above".to_owned(),
        },
        key,
        id,
        name,
        facility,
        facility_name,
        location,
        speed,
        free: speed - used,
        vlans: (1, 4094),
        taken: HashSet::new(),
    };
    let mut found: Vec<Usable> = rows.into_iter().map(usable).collect();
    let keys: Vec<Key> = found.iter().map(|port| port.key).collect();
    let mut taken = taken(db, &keys)?;
    for port in &mut found {
        port.taken = taken.remove(&port.key).unwrap_or_default();
    }
    Ok(found)
}

/// Key, facility, location and speed of a port, whoever may use it: [`crate::ports::reserve`] says who may.
pub fn port(db: &mut Db, id: &str) -> Result<(Key, Key, Key, i64), Problem> {
    ports::table
        .inner_join(facilities::table.on(facilities::key.eq(ports::facility_key)))
        .filter(ports::id.eq(id))
        .select((ports::key, facilities::key, facilities::location_key, ports::speed))
        .first(db)
        .optional()?
        .ok_or(Problem::Conflict(Reason::PortNotAvailable))
}

/// The VLANs of these ports that are taken.
pub fn taken(db: &mut Db, ports: &[Key]) -> Result<HashMap<Key, HashSet<i64>>, Problem> {
    let rows: Vec<(Key, i64)> = port_uses::table
        .filter(port_uses::port_key.eq_any(ports.to_vec()))
        .select((port_uses::port_key, port_uses::vlan))
        .load(db)?;
    let mut taken: HashMap<Key, HashSet<i64>> = HashMap::new();
    for (port, vlan) in rows {
        taken.entry(port).or_default().insert(vlan);
    }
    Ok(taken)
}
