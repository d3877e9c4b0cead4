//! Ports that an account can use: its own, and those that accounts above offer to it, each with what is left for it.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::caps::{self, Along};
use super::state::State;
use super::store::{self, Port};
use crate::access::Frame;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, one_of, said};
use crate::store::schema::{facilities, locations, ports};

/// Ports that are offered to choose from.
const MOST: i64 = 500;

/// A port as an account that may use it sees it.
#[derive(Debug, Clone)]
pub struct Choice {
    pub port: Key,
    pub id: String,
    pub name: String,
    pub own: bool,
    /// Empty for its own; "an account above" where the owner may not be seen.
    pub owner: String,
    pub facility: Key,
    pub facility_name: String,
    pub location: Key,
    pub location_name: String,
    pub provider: String,
    /// `PRIMARY` or `SECONDARY`.
    pub availability_domain: String,
    /// Mbit/s.
    pub speed: i64,
    pub allowance: Allowance,
}

/// What an account may still do with a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Mbit/s.
    pub free: i64,
    /// None for any number.
    pub connections: Option<i64>,
    /// The first and the last that may be used.
    pub vlans: (i64, i64),
    /// Accounts below may use it as well.
    pub may_share: bool,
}

impl Allowance {
    /// Of the port's own free capacity, through every cap between its account and this one.
    pub fn of(free: i64, caps: &[Along]) -> Allowance {
        let open = Allowance { free, connections: None, vlans: (1, 4094), may_share: true };
        caps.iter().fold(open, |so_far, cap| {
            let left = |most: Option<i64>, used: i64| most.map(|most| (most - used).max(0));
            let least = |one: Option<i64>, other: Option<i64>| one.into_iter().chain(other).min();
            Allowance {
                free: left(cap.most_speed, cap.used_speed).map_or(so_far.free, |left| left.min(so_far.free)),
                connections: least(so_far.connections, left(cap.most_connections, cap.used_connections)),
                vlans: (
                    cap.first_vlan.unwrap_or(1).max(so_far.vlans.0),
                    cap.last_vlan.unwrap_or(4094).min(so_far.vlans.1),
                ),
                may_share: so_far.may_share && cap.may_share,
            }
        })
    }
}

/// Which rows of `ports p` the account `$1` has to do with at the moment `$2`: its own, those that are offered to it,
/// and those that it uses.
pub const WITHIN_REACH: &str =
    "p.account_key IN (SELECT x.ancestor_key FROM account_ancestry x WHERE x.descendant_key = $1)
     AND (p.account_key = $1
          OR (p.state = 'ACTIVE' AND p.available_to_child_accounts
              AND (p.no_new_use_from IS NULL OR p.no_new_use_from > $2)
              AND NOT EXISTS (SELECT 1 FROM port_caps c
                              JOIN account_ancestry y ON y.ancestor_key = c.account_key
                              WHERE c.port_key = p.key AND y.descendant_key = $1 AND y.distance > 0
                                AND NOT c.may_share))
          OR EXISTS (SELECT 1 FROM port_uses o WHERE o.port_key = p.key AND o.account_key = $1))";

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    key: Key,
}

/// A port within reach of the account: its own or one from above, that is offered to it or that it uses.
pub fn within_reach(db: &mut Db, account: Key, id: &str) -> Result<Port, Problem> {
    if !ids::looks_like_id("port", id) {
        return Err(Problem::NotFound);
    }
    let found: Found = said(format!("SELECT p.key FROM ports p WHERE {WITHIN_REACH} AND p.id = $3"))
        .bind(account)
        .bind(ids::now())
        .bind(id)
        .row(db)?;
    store::by_key(db, found.key)
}

/// What is left of the port for the account.
pub fn allowance(db: &mut Db, account: Key, port: &Port) -> Result<Allowance, Problem> {
    let along = caps::along(db, account)?.remove(&port.key).unwrap_or_default();
    Ok(Allowance::of(port.free(), &along))
}

/// Every port that a new connection of the account can use now: active ones of its own, and those that are offered to
/// it. Its own first, then by place and name.
pub fn choices(db: &mut Db, frame: &Frame) -> Result<Vec<Choice>, Problem> {
    let account = frame.account().key;
    let now = ids::now();
    let reach: Vec<Found> =
        said(format!("SELECT p.key FROM ports p WHERE {WITHIN_REACH} AND p.state = 'ACTIVE' LIMIT {MOST}"))
            .bind(account)
            .bind(now)
            .rows(db)?;
    let keys: Vec<Key> = reach.iter().map(|one| one.key).collect();
    let rows: Vec<(Port, String, Key, String)> = ports::table
        .inner_join(facilities::table.on(facilities::key.eq(ports::facility_key)))
        .inner_join(locations::table.on(locations::key.eq(facilities::location_key)))
        .filter(one_of(ports::key, &keys))
        .order((locations::name, facilities::name, ports::name_key, ports::key))
        .select((Port::as_select(), facilities::name, locations::key, locations::name))
        .load(db)?;
    let mut along = caps::along(db, account)?;
    let mut found = Vec::new();
    for (port, facility_name, location, location_name) in rows {
        let caps = along.remove(&port.key).unwrap_or_default();
        let own = port.account == account;
        if !own && !takes_new(&port, &caps, now) {
            continue;
        }
        found.push(Choice {
            allowance: Allowance::of(port.free(), &caps),
            own,
            owner: owner(frame, port.account),
            port: port.key,
            id: port.id,
            name: port.name,
            facility: port.facility,
            facility_name,
            location,
            location_name,
            provider: port.provider,
            availability_domain: port.availability_domain,
            speed: port.speed,
        });
    }
    found.sort_by_key(|one| !one.own);
    Ok(found)
}

/// Whether the port of an account above takes something that begins at this moment; one that is in use may not.
pub fn takes_new(port: &Port, caps: &[Along], at: NaiveDateTime) -> bool {
    port.state == State::Active && port.is_offered(at) && caps.iter().all(|cap| cap.may_share || cap.distance == 0)
}

/// The one of this id among them.
pub fn choice(db: &mut Db, frame: &Frame, id: &str) -> Result<Choice, Problem> {
    choices(db, frame)?.into_iter().find(|one| one.id == id).ok_or(Problem::NotFound)
}

/// The name of the account a port belongs to, as far as this person may know it; empty for the account in the address.
pub fn owner(frame: &Frame, account: Key) -> String {
    match frame.step(account) {
        _ if account == frame.account().key => String::new(),
        Some(step) if !step.held.is_empty() => step.place.name.clone(),
        _ => "an account above".to_owned(),
    }
}
