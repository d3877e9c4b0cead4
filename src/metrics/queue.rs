//! How the outbox stands.

use diesel::dsl::{count_star, min};
use diesel::prelude::*;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::ids;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::mails;

/// Failures are counted for so long; older ones are nobody's task any more.
const FAILED_DAYS: i64 = 7;

pub struct Counts {
    due: i64,
    later: i64,
    failed: i64,
    /// In seconds.
    oldest: i64,
}

pub fn counts(db: &mut Db) -> Result<Counts, Problem> {
    let now = ids::now();
    let queued = mails::table.filter(mails::state.eq("QUEUED"));
    let recent = mails::table.filter(mails::key.gt(ids::first_key_at(now - chrono::Duration::days(FAILED_DAYS))));
    let oldest: Option<chrono::NaiveDateTime> =
        queued.filter(mails::due_at.le(now)).select(min(mails::due_at)).first(db)?;
    Ok(Counts {
        due: queued.filter(mails::due_at.le(now)).select(count_star()).first(db)?,
        later: queued.filter(mails::due_at.gt(now)).select(count_star()).first(db)?,
        failed: recent.filter(mails::state.eq("FAILED")).select(count_star()).first(db)?,
        oldest: oldest.map_or(0, |at| (now - at).num_seconds()),
    })
}

impl Counts {
    pub fn register(&self, registry: &mut Registry) {
        let family = Family::<[(&str, &str); 1], Gauge>::default();
        for (state, n) in [("due", self.due), ("later", self.later), ("failed", self.failed)] {
            family.get_or_create(&[("state", state)]).set(n);
        }
        registry.register("mails", "Mails of the outbox; failed ones of the last seven days", family);
        let oldest: Gauge = Gauge::default();
        oldest.set(self.oldest);
        registry.register("mails_oldest_seconds", "For how long the longest waiting mail has been due", oldest);
    }
}
