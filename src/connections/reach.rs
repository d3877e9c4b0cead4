//! Ports that a connection of the account can use, with what is left of each.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use crate::access::Frame;
use crate::ids::Key;
use crate::ports::{self, Choice};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::dialect::{Run, one_of};
use crate::store::schema::{facilities, port_uses, ports as rows};

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
    let mut choices = ports::choices(db, frame)?;
    choices.retain(|one| one.allowance.connections != Some(0));
    let keys: Vec<Key> = choices.iter().map(|one| one.port).collect();
    let mut taken = taken(db, &keys)?;
    let usable = |one: Choice| Usable {
        taken: taken.remove(&one.port).unwrap_or_default(),
        key: one.port,
        id: one.id,
        name: one.name,
        own: one.own,
        owner: one.owner,
        facility: one.facility,
        facility_name: one.facility_name,
        location: one.location,
        speed: one.speed,
        free: one.allowance.free,
        vlans: one.allowance.vlans,
    };
    Ok(choices.into_iter().map(usable).collect())
}

/// Key, facility, location and speed of a port, whoever may use it: [`crate::ports::reserve`] says who may.
pub fn port(db: &mut Db, id: &str) -> Result<(Key, Key, Key, i64), Problem> {
    rows::table
        .inner_join(facilities::table.on(facilities::key.eq(rows::facility_key)))
        .filter(rows::id.eq(id))
        .select((rows::key, facilities::key, facilities::location_key, rows::speed))
        .first_row(db)
        .optional()?
        .ok_or(Problem::Conflict(Reason::PortNotAvailable))
}

/// The VLANs of these ports that are taken.
pub fn taken(db: &mut Db, ports: &[Key]) -> Result<HashMap<Key, HashSet<i64>>, Problem> {
    let rows: Vec<(Key, i64)> = port_uses::table
        .filter(one_of(port_uses::port_key, ports))
        .select((port_uses::port_key, port_uses::vlan))
        .rows(db)?;
    let mut taken: HashMap<Key, HashSet<i64>> = HashMap::new();
    for (port, vlan) in rows {
        taken.entry(port).or_default().insert(vlan);
    }
    Ok(taken)
}
