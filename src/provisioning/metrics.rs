//! How provisioning stands, for monitoring. Everything is counted in the database when it is asked, so that it is the
//! same at every process.

use diesel::dsl::count_star;
use diesel::prelude::*;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::connections::{State, work};
use crate::ids;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{connections, intents, ports};

const PORT_STATES: [&str; 3] = ["REQUESTED", "ACTIVE", "DELETED"];

type Labels = Vec<(String, String)>;

/// Puts what was counted among the other figures.
pub fn register(registry: &mut Registry, counts: &Counts) {
    let by_state = |counts: &[(String, i64)]| {
        let family = Family::<Labels, Gauge>::default();
        for (state, n) in counts {
            family.get_or_create(&vec![("state".to_owned(), state.clone())]).set(*n);
        }
        family
    };
    registry.register("connections", "Connections by state", by_state(&counts.connections));
    registry.register("ports", "Ports by state", by_state(&counts.ports));
    registry.register("intents_open", "What the fabric has not done yet, by state", by_state(&counts.intents));
    for (name, help, value) in [
        ("intents_oldest_seconds", "Age of the oldest open intent", counts.oldest),
        ("provisioning_waiting", "Connections and ports whose gate is shut", counts.waiting),
        ("provisioning_stuck", "Connections and ports that do not come on", counts.stuck),
    ] {
        let gauge: Gauge = Gauge::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    }
}

/// What there is now, of every state also where there is none.
pub struct Counts {
    pub connections: Vec<(String, i64)>,
    pub ports: Vec<(String, i64)>,
    pub intents: Vec<(String, i64)>,
    /// In seconds.
    pub oldest: i64,
    pub waiting: i64,
    pub stuck: i64,
}

pub fn counts(db: &mut Db) -> Result<Counts, Problem> {
    let of_connections: Vec<(String, i64)> =
        connections::table.group_by(connections::state).select((connections::state, count_star())).load(db)?;
    let of_ports: Vec<(String, i64)> =
        ports::table.group_by(ports::state).select((ports::state, count_star())).load(db)?;
    let open = intents::table.filter(intents::finished_at.is_null());
    let of_intents: Vec<(String, i64)> =
        open.group_by(intents::state).select((intents::state, count_star())).load(db)?;
    let oldest = open.order(intents::key).select(intents::created_at).first(db).optional()?;
    let held_up: i64 = connections::table.filter(connections::waits_for.ne("")).count().get_result(db)?;
    let ports_held_up: i64 = ports::table.filter(ports::waits_for.ne("")).count().get_result(db)?;
    Ok(Counts {
        connections: with_all(State::EVERY.map(State::code), &of_connections),
        ports: with_all(PORT_STATES, &of_ports),
        intents: with_all(["WAITING", "ACCEPTED"], &of_intents),
        oldest: oldest.map_or(0, |at: chrono::NaiveDateTime| (ids::now() - at).num_seconds()),
        waiting: held_up + ports_held_up,
        stuck: work::count_stuck(db)?,
    })
}

fn with_all<const N: usize>(states: [&str; N], found: &[(String, i64)]) -> Vec<(String, i64)> {
    let count = |state: &str| found.iter().find(|(one, _)| one == state).map_or(0, |(_, n)| *n);
    states.into_iter().map(|state| (state.to_owned(), count(state))).collect()
}
