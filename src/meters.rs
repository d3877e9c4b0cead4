//! What this process counts about itself while it runs, for `/metrics`: answers by route, and rounds of the background
//! work. Nothing here decides anything. Every label has a closed set of values, so that no visitor makes a new series.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

type Labels<const N: usize> = [(&'static str, String); N];

pub struct Meters {
    answers: Family<Labels<1>, Counter>,
    durations: Family<Labels<3>, Histogram, fn() -> Histogram>,
    work: Family<Labels<2>, Counter>,
}

static METERS: LazyLock<Meters> = LazyLock::new(|| Meters {
    answers: Family::default(),
    durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
    work: Family::default(),
});

pub fn meters() -> &'static Meters {
    &METERS
}

impl Meters {
    /// One answer. `route`: the template of the address, not the address.
    pub fn answered(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        self.answers.get_or_create(&[("status", status.to_string())]).inc();
        let labels =
            [("route", route.to_owned()), ("method", method.to_owned()), ("status", format!("{}xx", status / 100))];
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// One step of the background work.
    pub fn worked(&self, step: &'static str, well: bool) {
        let outcome = if well { "done" } else { "failed" };
        self.work.get_or_create(&[("step", step.to_owned()), ("outcome", outcome.to_owned())]).inc();
    }

    pub fn register(&self, registry: &mut Registry) {
        registry.register("http_answers", "Answers by status", self.answers.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time from request to answer by route, method and class of status",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register("worker_steps", "Steps of the background work of this process", self.work.clone());
    }
}
