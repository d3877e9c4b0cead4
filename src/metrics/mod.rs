//! GET /metrics: what a monitoring system asks for, in the text format of Prometheus and OpenMetrics. What is stored is
//! counted when it is asked, so that it is the same at every instance; what a process counts is its own. Only with the
//! token. docs/operations.md has the table.

mod process;
mod queue;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use subtle::ConstantTimeEq;

use crate::meters::meters;
use crate::problem::Problem;
use crate::provisioning::metrics as provisioning;
use crate::store::Pool;
use crate::web::Site;
use crate::web::route::{Route, get};

const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub fn routes() -> Vec<Route> {
    vec![get("/metrics", show)]
}

/// GET /metrics. Not found without a token in the settings, and for whoever does not have it.
async fn show(req: HttpRequest, site: Site) -> Result<HttpResponse, Problem> {
    let token = site.config.provisioning.metrics_token.as_ref().ok_or(Problem::NotFound)?;
    let given = req.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if !bool::from(given.as_bytes().ct_eq(token.0.as_bytes())) {
        return Err(Problem::NotFound);
    }
    let mut registry = Registry::default();
    process::register(&mut registry);
    let ours = registry.sub_registry_with_prefix("subtenant");
    let build = vec![("version", env!("CARGO_PKG_VERSION"))];
    ours.register("build", "What runs here", Info::new(build));
    meters().register(ours);
    of_pool(ours, &site.pool);
    // While the database is away, the process still says how it fares itself.
    let stored = site.pool.read_long(|db| Ok((provisioning::counts(db)?, queue::counts(db)?))).await;
    gauge(ours, "database_up", "Whether the database answered just now", i64::from(stored.is_ok()));
    if let Ok((provisioned, mails)) = stored {
        provisioning::register(ours, &provisioned);
        mails.register(ours);
    }
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| Problem::Bug(error.into()))?;
    Ok(HttpResponse::Ok().content_type(FORMAT).body(text))
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: i64) {
    let gauge: Gauge = Gauge::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

fn of_pool(registry: &mut Registry, pool: &Pool) {
    let (reading, writing, waiting) = pool.connections();
    let family = Family::<[(&str, &str); 2], Gauge>::default();
    for (what, connections) in [("read", reading), ("write", writing)] {
        family.get_or_create(&[("for", what), ("state", "in_use")]).set(connections.in_use);
        family.get_or_create(&[("for", what), ("state", "idle")]).set(connections.idle);
    }
    registry.register("database_connections", "Connections of this process to the database", family);
    gauge(registry, "database_waiting", "Threads that wait for a connection now", waiting);
    let Some(replica) = pool.replica() else { return };
    gauge(registry, "replica_in_step", "Whether the replica is used", i64::from(replica.in_step));
    let lag: Gauge<f64, std::sync::atomic::AtomicU64> = Gauge::default();
    lag.set(replica.lag.as_secs_f64());
    registry.register("replica_lag_seconds", "How old what the replica shows is", lag);
    gauge(registry, "replica_lag_bytes", "What of the log the replica has not taken over", replica.bytes);
    let reads = Family::<[(&str, &str); 1], prometheus_client::metrics::counter::Counter>::default();
    reads.get_or_create(&[("at", "replica")]).inc_by(replica.at_replica);
    reads.get_or_create(&[("at", "database")]).inc_by(replica.at_database);
    registry.register("late_reads", "Reads that may be a second old, by where they were answered", reads);
}
