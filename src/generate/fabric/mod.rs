//! Ports of the providers that they offer to everybody below, networks, and connections in their usual states: a third
//! of them over those ports, the others to a cloud.

mod rows;

use std::collections::HashMap;

use chrono::NaiveDateTime;
use rand::Rng;
use rand::rngs::StdRng;

use super::people::People;
use super::{Keys, Say, Steps, World, id, names};
use crate::catalogue::{self, SupportedConnection, SupportedPort, Term};
use crate::connections::settings::{AwsSettings, Peering, PortSettings, Settings};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::bulk::Rows;
use crate::text::name_key;

const NETWORKS: [&str; 9] =
    ["key", "id", "account_key", "name", "name_key", "description", "state", "created_at", "version"];

const NETWORK_SHARE: f64 = 0.2;
/// Of the accounts with a network.
const CONNECTED: f64 = 0.6;
const OVER_PORT: f64 = 0.33;
/// Mbit/s of a connection and of a provider's port.
const SPEED: i64 = 50;
const PORT_SPEED: i64 = 10_000;

/// Id and name of one connection of an account, for its log.
pub type Orders = HashMap<u32, (String, String)>;

/// A port of a root account with what is used of it.
struct Port {
    key: Key,
    id: String,
    name: String,
    root: u32,
    at: NaiveDateTime,
    uses: i64,
}

struct Connection {
    key: Key,
    id: String,
    name: String,
    account: u32,
    network: Key,
    /// Among the ports of its root, and the VLAN there.
    over: Option<(usize, i64)>,
    state: &'static str,
    ordered: NaiveDateTime,
    settings: String,
}

pub fn fill(db: &mut Db, world: &World, people: &People, say: Say<'_>) -> Result<Orders, Problem> {
    let lines = Lines::of(db)?;
    let mut rng = world.dice(9);
    let mut ports = plan_ports(world, &mut rng);
    let connections = networks(db, world, &lines, &mut ports, &mut rng, say)?;
    rows::ports(db, world, &lines, &ports)?;
    rows::connections(db, world, people, &lines, &connections, say)?;
    rows::history(db, world, people, &connections)?;
    rows::uses(db, world, &ports, &connections)?;
    rows::items(db, world, &lines, &ports, &connections, &mut rng)?;
    Ok(connections.into_iter().map(|made| (made.account, (made.id, made.name))).collect())
}

/// The lines of the catalogue that everything here is ordered by.
struct Lines {
    port: SupportedPort,
    over_port: SupportedConnection,
    cloud: SupportedConnection,
}

impl Lines {
    fn of(db: &mut Db) -> Result<Lines, Problem> {
        let missing = || Problem::bug("the catalogue that is shipped lacks what is generated");
        let port =
            catalogue::supported_ports(db)?.into_iter().find(|line| line.speed == PORT_SPEED).ok_or_else(missing)?;
        let mut line = |kind: &str, place: Key| -> Result<SupportedConnection, Problem> {
            let lines = catalogue::supported_connections(db, kind)?;
            let fits =
                |line: &SupportedConnection| line.speed == SPEED && !line.high_availability && line.location == place;
            lines.into_iter().find(fits).ok_or_else(missing)
        };
        let place = port.facility.location;
        Ok(Lines { over_port: line("PORT", place)?, cloud: line("AWS_DIRECT_CONNECT", place)?, port })
    }

    fn of_connection(&self, made: &Connection) -> &SupportedConnection {
        if made.over.is_some() { &self.over_port } else { &self.cloud }
    }
}

fn code(prices: &catalogue::Terms) -> &str {
    prices.code(Term::Monthly).unwrap_or_default()
}

/// As many ports for each root as its branch will use.
fn plan_ports(world: &World, rng: &mut StdRng) -> Vec<Port> {
    let (mut ports, mut keys) = (Vec::new(), Keys::default());
    let per_port = (PORT_SPEED / SPEED) as f64;
    for root in world.roots() {
        let wanted = f64::from(world.forest.size[root as usize]) * NETWORK_SHARE * CONNECTED * OVER_PORT / per_port;
        for n in 1..=(wanted * 1.3) as i64 + 1 {
            let at = world.created[root as usize];
            let name = format!("Core {n}");
            ports.push(Port { key: keys.at(at), id: id("port", rng), name, root, at, uses: 0 });
        }
    }
    ports
}

/// Writes the networks and answers the connections to be.
fn networks(
    db: &mut Db,
    world: &World,
    lines: &Lines,
    ports: &mut [Port],
    rng: &mut StdRng,
    say: Say<'_>,
) -> Result<Vec<Connection>, Problem> {
    let (mut keys, mut connection_keys, mut made) = (Keys::default(), Keys::default(), Vec::new());
    let mut steps = Steps::new(say, "Networks", world.forest.len());
    let mut rows = Rows::into(db, "networks", &NETWORKS);
    for n in &world.by_age {
        steps.one();
        let at = *n as usize;
        if world.closed[at] || !rng.random_bool(NETWORK_SHARE) {
            continue;
        }
        let created = world.later(*n, rng);
        let network = keys.at(world.created[at]);
        let name = format!("{} backbone", names::city(rng));
        rows.push([
            network.into(),
            id("network", rng).into(),
            world.key[at].into(),
            name.as_str().into(),
            name_key(&name).into(),
            "".into(),
            "ACTIVE".into(),
            created.into(),
            1.into(),
        ])?;
        if !rng.random_bool(CONNECTED) {
            continue;
        }
        let port = if rng.random_bool(OVER_PORT) { free_port(ports, world.root_of(*n)) } else { None };
        let over = port.map(|port| {
            ports[port].uses += 1;
            (port, 100 + ports[port].uses)
        });
        let settings = match over {
            Some((port, vlan)) => over_port(&ports[port].id, vlan),
            None => cloud(lines, rng),
        };
        let state = match (over, rng.random_range(0..100)) {
            (None, 0..3) => "DELETED",
            (None, 3..6) => "FAILED_TO_PROVISION",
            (_, 6..8) => "DOWN",
            _ => "ACTIVE",
        };
        made.push(Connection {
            key: connection_keys.at(world.created[at]),
            id: id("conn", rng),
            name: format!("{} uplink", names::city(rng)),
            account: *n,
            network,
            over,
            state,
            ordered: created,
            settings: settings.stored()?,
        });
    }
    rows.end()?;
    Ok(made)
}

fn free_port(ports: &[Port], root: u32) -> Option<usize> {
    let most = PORT_SPEED / SPEED;
    let first = ports.partition_point(|port| port.root < root);
    (first..ports.len()).take_while(|n| ports[*n].root == root).find(|n| ports[*n].uses < most)
}

fn over_port(port: &str, vlan: i64) -> Settings {
    Settings::Port(PortSettings {
        primary_port: port.to_owned(),
        primary_customer_vlan: vlan,
        secondary_port: None,
        secondary_customer_vlan: None,
        routing_type: "BGP".to_owned(),
        customer_asn: Some(64_512 + vlan),
        static_routes: Vec::new(),
        customer_networks: Vec::new(),
    })
}

fn cloud(lines: &Lines, rng: &mut StdRng) -> Settings {
    Settings::Aws(AwsSettings {
        aws_account_id: format!("{:012}", rng.random_range(0..1_000_000_000_000_u64)),
        cloud_region: lines.cloud.cloud_regions.first().cloned().unwrap_or_default(),
        peering: Peering { kind: lines.cloud.peering.clone() },
        customer_networks: Vec::new(),
    })
}
