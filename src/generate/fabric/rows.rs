//! The rows of ports and connections that were planned: themselves, what they went through, what they use and what is
//! charged for them.

use chrono::{Duration, NaiveTime};
use rand::rngs::StdRng;

use super::{Connection, Lines, Port, SPEED, code};
use crate::catalogue::Term;
use crate::generate::people::People;
use crate::generate::{Keys, Say, Steps, World, id, this_month};
use crate::ids;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::bulk::Rows;
use crate::text::name_key;

const PORTS: [&str; 20] = [
    "key",
    "id",
    "account_key",
    "name",
    "name_key",
    "description",
    "loa_customer_name",
    "facility_key",
    "provider",
    "availability_domain",
    "speed",
    "used_speed",
    "media_type",
    "term",
    "price_code",
    "state",
    "available_to_child_accounts",
    "created_at",
    "active_at",
    "version",
];
const CONNECTIONS: [&str; 22] = [
    "key",
    "id",
    "account_key",
    "network_key",
    "name",
    "name_key",
    "kind",
    "location_key",
    "supported_key",
    "speed",
    "high_availability",
    "term",
    "price_code",
    "settings",
    "state",
    "state_since",
    "error_code",
    "error_message",
    "ordered_by",
    "created_at",
    "active_at",
    "deleted_at",
];
const HISTORY: [&str; 8] = ["key", "connection_key", "account_key", "at", "state", "error_code", "message", "user_key"];
const USES: [&str; 7] = ["port_key", "vlan", "port_account_key", "connection_key", "account_key", "side", "speed"];
const ITEMS: [&str; 11] = [
    "key",
    "id",
    "account_key",
    "kind",
    "subject_id",
    "name",
    "price_code",
    "starts_at",
    "ends_at",
    "next_month",
    "created_at",
];

const FAILED: (&str, &str) = ("CONNECTION_PROVISIONING_ERROR", "The far end did not answer.");

pub fn ports(db: &mut Db, world: &World, lines: &Lines, ports: &[Port]) -> Result<(), Problem> {
    let mut rows = Rows::into(db, "ports", &PORTS);
    for port in ports {
        rows.push([
            port.key.into(),
            port.id.as_str().into(),
            world.key[port.root as usize].into(),
            port.name.as_str().into(),
            name_key(&port.name).into(),
            "For all customers.".into(),
            world.forest.name[port.root as usize].as_str().into(),
            lines.port.facility.key.into(),
            lines.port.provider.as_str().into(),
            lines.port.domains.first().cloned().unwrap_or_default().into(),
            lines.port.speed.into(),
            (port.uses * SPEED).into(),
            lines.port.media_types.first().cloned().unwrap_or_default().into(),
            Term::Monthly.code().into(),
            code(&lines.port.prices).into(),
            "ACTIVE".into(),
            true.into(),
            port.at.into(),
            (port.at + Duration::hours(2)).into(),
            1.into(),
        ])?;
    }
    Ok(rows.end()?)
}

pub fn connections(
    db: &mut Db,
    world: &World,
    people: &People,
    lines: &Lines,
    connections: &[Connection],
    say: Say<'_>,
) -> Result<(), Problem> {
    let mut steps = Steps::new(say, "Connections", connections.len());
    let mut rows = Rows::into(db, "connections", &CONNECTIONS);
    for made in connections {
        let line = lines.of_connection(made);
        let failed = made.state == "FAILED_TO_PROVISION";
        let since = made.ordered + Duration::minutes(40);
        rows.push([
            made.key.into(),
            made.id.as_str().into(),
            world.key[made.account as usize].into(),
            made.network.into(),
            made.name.as_str().into(),
            name_key(&made.name).into(),
            line.kind.as_str().into(),
            line.location.into(),
            line.key.into(),
            line.speed.into(),
            line.high_availability.into(),
            Term::Monthly.code().into(),
            code(&line.prices).into(),
            made.settings.as_str().into(),
            made.state.into(),
            since.into(),
            if failed { FAILED.0 } else { "" }.into(),
            if failed { FAILED.1 } else { "" }.into(),
            people.administrator(world.root_of(made.account)).into(),
            made.ordered.into(),
            (!failed).then_some(since).into(),
            (made.state == "DELETED").then_some(since).into(),
        ])?;
        steps.one();
    }
    Ok(rows.end()?)
}

pub fn history(db: &mut Db, world: &World, people: &People, connections: &[Connection]) -> Result<(), Problem> {
    let mut keys = Keys::default();
    let mut rows = Rows::into(db, "connection_history", &HISTORY);
    for made in connections {
        for (n, state) in ["INITIALIZING", "WAITING_TO_PROVISION", "PROVISIONING", made.state].into_iter().enumerate() {
            let failed = state == "FAILED_TO_PROVISION";
            let by = (n == 0).then(|| people.administrator(world.root_of(made.account)));
            rows.push([
                keys.at(world.start).into(),
                made.key.into(),
                world.key[made.account as usize].into(),
                (made.ordered + Duration::minutes(n as i64 * 13)).into(),
                state.into(),
                if failed { FAILED.0 } else { "" }.into(),
                if failed { FAILED.1 } else { "" }.into(),
                by.into(),
            ])?;
        }
    }
    Ok(rows.end()?)
}

pub fn uses(db: &mut Db, world: &World, ports: &[Port], connections: &[Connection]) -> Result<(), Problem> {
    let mut rows = Rows::into(db, "port_uses", &USES);
    for made in connections {
        if let Some((port, vlan)) = made.over {
            let port = &ports[port];
            rows.push([
                port.key.into(),
                vlan.into(),
                world.key[port.root as usize].into(),
                made.key.into(),
                world.key[made.account as usize].into(),
                "PRIMARY".into(),
                SPEED.into(),
            ])?;
        }
    }
    Ok(rows.end()?)
}

/// What is charged from this month on: the past is billed.
pub fn items(
    db: &mut Db,
    world: &World,
    lines: &Lines,
    ports: &[Port],
    connections: &[Connection],
    rng: &mut StdRng,
) -> Result<(), Problem> {
    let mut keys = Keys::default();
    let month = this_month(world);
    let mut rows = Rows::into(db, "ledger_items", &ITEMS);
    let on = connections.iter().filter(|made| matches!(made.state, "ACTIVE" | "DOWN"));
    let charged = ports
        .iter()
        .map(|port| ("PORT", port.root, &port.id, &port.name, code(&lines.port.prices), port.at))
        .chain(on.map(|made| {
            let price = code(&lines.of_connection(made).prices);
            ("CONNECTION", made.account, &made.id, &made.name, price, made.ordered)
        }));
    for (kind, account, subject, name, price, from) in charged {
        let starts_at = from.date().and_time(NaiveTime::MIN);
        rows.push([
            keys.at(world.start).into(),
            id("item", rng).into(),
            world.key[account as usize].into(),
            kind.into(),
            subject.as_str().into(),
            name.as_str().into(),
            price.into(),
            starts_at.into(),
            ids::never().into(),
            month.as_str().into(),
            from.into(),
        ])?;
    }
    Ok(rows.end()?)
}
