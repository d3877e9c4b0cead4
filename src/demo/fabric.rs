//! What the demonstration has ordered: ports of the provider that it offers to its customers, networks, and connections in
//! every state. Ordered by the same operations as everything else; the fabric that makes them only pretends.

use diesel::prelude::*;

use super::World;
use crate::access::policy::{CreateNetworks, CreatePorts, SuspendAccounts};
use crate::access::{self, Grant};
use crate::catalogue::{self, SupportedConnection, Term};
use crate::connections::keys::PreSharedKey;
use crate::connections::settings::{Esp, Ike, IkeConfig, PortSettings, Settings, VpnSettings};
use crate::connections::{self, NewOrder};
use crate::factor::vault::Vault;
use crate::ids::Key;
use crate::networks::{self, NewNetwork};
use crate::ports::{self, NewPort, Side};
use crate::problem::Problem;
use crate::provisioning::{self, Attributes, Outcome};
use crate::store::Db;
use crate::store::schema::{accounts, connections as connection_rows, intents, ports as port_rows};
use crate::suspension;

/// The customer whose last order fails, and the one whose waits for the operator.
const FAILS: &str = "Office uplink";

/// Facility, domain, Mbit/s, name.
const PORTS: [(&str, &str, i64, &str); 5] = [
    ("eu-fra-a", "PRIMARY", 10_000, "Frankfurt core 1"),
    ("eu-fra-a", "SECONDARY", 10_000, "Frankfurt core 2"),
    ("eu-rtm-a", "PRIMARY", 1_000, "Rotterdam edge"),
    ("us-wdc-a", "PRIMARY", 10_000, "Ashburn core"),
    ("ap-sin-a", "PRIMARY", 1_000, "Singapore edge"),
];

/// Which port the sites of a region come in by, by the region's account.
const HOMES: [(&str, &str); 3] = [
    ("Customers EMEA", "Frankfurt core 1"),
    ("Customers Americas", "Ashburn core"),
    ("Customers APAC", "Singapore edge"),
];

/// A site that gets a network and a connection: its account, its name, its region's account.
pub struct Site {
    pub id: String,
    pub name: String,
    pub region: String,
}

pub fn fill(world: &World<'_>, vault: &Vault, sites: &[Site]) -> Result<(), Problem> {
    for port in PORTS {
        world.pool.write_here(|db| order_port(db, world, port))?;
    }
    settle(world)?;
    for (n, site) in sites.iter().enumerate() {
        world.pool.write_here(|db| connect(db, world, vault, site, 100 + n as i64))?;
    }
    settle(world)?;
    world.pool.write_here(|db| {
        let id: String = accounts::table.filter(accounts::name.eq("Line 2")).select(accounts::id).first(db)?;
        let by = grant::<SuspendAccounts>(db, world, &world.root)?;
        suspension::suspend(db, &by, &id, "Unpaid since September; see the letter of the 12th.", None)
    })
}

fn grant<A: access::policy::Action>(db: &mut Db, world: &World<'_>, account: &str) -> Result<Grant<A>, Problem> {
    access::grant::<A>(db, world.owner, account, world.origin.clone())
}

fn order_port(db: &mut Db, world: &World<'_>, port: (&str, &str, i64, &str)) -> Result<(), Problem> {
    let (facility, domain, speed, name) = port;
    let by = grant::<CreatePorts>(db, world, &world.root)?;
    let lines = catalogue::supported_ports(db)?;
    let line = lines.into_iter().find(|line| line.facility.id == facility && line.speed == speed);
    let line = line.ok_or_else(|| Problem::bug("the catalogue has no such port"))?;
    let new = NewPort {
        supported: line.key,
        availability_domain: domain.to_owned(),
        media_type: line.media_types.first().cloned().unwrap_or_default(),
        term: Term::OneYear,
        name: name.to_owned(),
        description: "For all customers of the region.".to_owned(),
        loa_customer_name: "Northwind Managed Services".to_owned(),
        available_to_child_accounts: true,
    };
    ports::order(db, &by, &new).map(|_| ())
}

fn connect(db: &mut Db, world: &World<'_>, vault: &Vault, site: &Site, vlan: i64) -> Result<(), Problem> {
    let by = grant::<CreateNetworks>(db, world, &site.id)?;
    let tags = vec![("site".to_owned(), site.name.clone())];
    let network = NewNetwork { name: "Backbone".to_owned(), description: String::new(), tags: tags.clone() };
    let network = networks::create(db, &by, &network)?;
    let home = HOMES.iter().find(|(region, _)| *region == site.region).map_or("Frankfurt core 1", |(_, port)| port);
    let by_vpn = vlan % 4 == 3;
    let (line, settings, keys) = if by_vpn { vpn(db, vlan)? } else { over_port(db, home, vlan)? };
    let new = NewOrder {
        network: network.id,
        name: format!("{} uplink", site.name),
        description: if by_vpn { "Through the internet." } else { "Over Northwind's port." }.to_owned(),
        tags,
        line: line.key,
        term: if vlan % 2 == 0 { Term::OneYear } else { Term::Monthly },
        settings,
        keys,
    };
    connections::order(db, vault, &by, &new).map(|_| ())
}

type Ordered = (SupportedConnection, Settings, Vec<(Side, PreSharedKey)>);

fn line(db: &mut Db, kind: &str, location: &str, speed: i64) -> Result<SupportedConnection, Problem> {
    let all = catalogue::supported_connections(db, kind)?;
    let fits = |line: &SupportedConnection| line.id.starts_with(location) && line.speed == speed;
    let found = all.into_iter().find(|line| fits(line) && !line.high_availability);
    found.ok_or_else(|| Problem::bug("the catalogue has no such connection"))
}

fn over_port(db: &mut Db, port: &str, vlan: i64) -> Result<Ordered, Problem> {
    let id: String = port_rows::table.filter(port_rows::name.eq(port)).select(port_rows::id).first(db)?;
    let place = match port {
        "Ashburn core" => "us-wdc",
        "Singapore edge" => "ap-sin",
        _ => "eu-fra",
    };
    let speed = if place == "ap-sin" { 100 } else { [100, 200, 500][usize::try_from(vlan % 3).unwrap_or(0)] };
    let settings = PortSettings {
        primary_port: id,
        primary_customer_vlan: vlan,
        secondary_port: None,
        secondary_customer_vlan: None,
        routing_type: "BGP".to_owned(),
        customer_asn: Some(64_512 + vlan),
        static_routes: Vec::new(),
        customer_networks: Vec::new(),
    };
    Ok((line(db, "PORT", place, speed)?, Settings::Port(settings), Vec::new()))
}

fn vpn(db: &mut Db, vlan: i64) -> Result<Ordered, Problem> {
    let settings = VpnSettings {
        auth_type: "PSK".to_owned(),
        routing_type: "ROUTE_BASED_BGP".to_owned(),
        customer_asn: Some(64_512 + vlan),
        primary_customer_router_ip: format!("203.0.113.{}", vlan % 250),
        secondary_customer_router_ip: None,
        traffic_selectors: Vec::new(),
        ike_version: "V2".to_owned(),
        ike_v1: None,
        ike_v2: Some(ike()),
        customer_networks: Vec::new(),
    };
    let keys = vec![(Side::Primary, PreSharedKey::made())];
    Ok((line(db, "SITE_IPSEC_VPN", "eu-fra", 100)?, Settings::Vpn(Box::new(settings)), keys))
}

fn ike() -> IkeConfig {
    let ike = Ike {
        encryption: "AES_256".to_owned(),
        integrity: Some("SHA256_HMAC".to_owned()),
        prf: Some("SHA_256".to_owned()),
        dh_group: "ECP_256".to_owned(),
        lifetime: 10_800,
        dpd_delay: 30,
        dpd_timeout: 150,
    };
    let esp = Esp {
        encryption: "AES_256_GCM_128".to_owned(),
        integrity: None,
        dh_group: "ECP_256".to_owned(),
        lifetime: 3_600,
    };
    IkeConfig { ike, esp }
}

/// What the fabric that only pretends says of what it made.
fn attributes(kind: &str) -> Attributes {
    if kind != "PORT" {
        return Attributes::from([("fabric".to_owned(), "simulated".to_owned())]);
    }
    let told =
        [("deviceId", "simulated-ras1"), ("interfaceId", "simulated-ras1-swp7"), ("patchPanelId", "SIM-0042|PP:0007")];
    told.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// Everything that waits is taken as far as it comes: each intent is done, but for one.
fn settle(world: &World<'_>) -> Result<(), Problem> {
    let (ports, connections): (Vec<Key>, Vec<Key>) = world.pool.read_here(|db| {
        Ok((
            port_rows::table.select(port_rows::key).load(db)?,
            connection_rows::table.select(connection_rows::key).load(db)?,
        ))
    })?;
    for key in ports {
        world.pool.write_here(|db| provisioning::look_at_port(db, key, true))?;
    }
    for key in connections {
        world.pool.write_here(|db| provisioning::look_at_connection(db, key, true))?;
    }
    let open = intents::table.filter(intents::finished_at.is_null()).order(intents::key);
    let open: Vec<(Key, Key, String)> = world
        .pool
        .read_here(|db| Ok(open.select((intents::key, intents::subject_key, intents::subject_kind)).load(db)?))?;
    let fails = connection_rows::table.filter(connection_rows::name.eq(FAILS)).order(connection_rows::key.desc());
    let fails: Option<Key> =
        world.pool.read_here(|db| Ok(fails.select(connection_rows::key).first(db).optional()?))?;
    for (intent, subject, kind) in open {
        let outcome = if fails == Some(subject) {
            Outcome::Failed {
                code: "CONNECTION_PROVISIONING_ERROR".to_owned(),
                message: "The far end did not answer. Nothing is real here: this is how a failed order looks."
                    .to_owned(),
            }
        } else {
            Outcome::Done(attributes(&kind))
        };
        world.pool.write_here(|db| provisioning::apply(db, intent, &outcome))?;
    }
    Ok(())
}
