//! Brings everything that the provider knows better up to date, whatever notices were lost: those of the last 30 days,
//! every set-up, every method in force, every payment in hand. May be run at any time, beside a running console, and twice.

use super::{notices, outcome, store};
use crate::billing::provider::{self, Fault};
use crate::billing::store::{events, setups};
use crate::payments::{Notice, Payments};
use crate::store::Pool;

const AT_ONCE: i64 = 100;

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    pub notices: u64,
    /// Notices that had been missed.
    pub missed: u64,
    pub setups: u64,
    pub methods: u64,
    /// Payments of invoices that are not settled.
    pub payments: u64,
    /// Of all these, what could not be looked at: the log says why.
    pub failed: u64,
}

/// Without an answer to so many in a row the rest is not asked for.
const MOST_IN_A_ROW: u64 = 20;

/// What did not work so far.
#[derive(Default)]
struct Faults {
    all: u64,
    in_a_row: u64,
}

impl Faults {
    /// One bad object is in nobody's way. An error when nothing works any more.
    fn count<T>(&mut self, what: &str, id: &str, outcome: Result<T, Fault>) -> Result<Option<T>, Fault> {
        match outcome {
            Ok(value) => {
                self.in_a_row = 0;
                Ok(Some(value))
            }
            Err(fault) => {
                tracing::error!(what, id, ?fault, "could not be compared with the payment provider");
                self.all += 1;
                self.in_a_row += 1;
                if self.in_a_row < MOST_IN_A_ROW { Ok(None) } else { Err(fault) }
            }
        }
    }
}

/// `say`: how much is done, of what is known so far. NotFound where no provider is set up.
pub async fn reconcile(
    pool: &Pool,
    payments: &Payments,
    grace_days: i64,
    say: impl Fn(u64, u64),
) -> Result<Sums, Fault> {
    let mut sums = Sums::default();
    let mut faults = Faults::default();
    let (mut done, mut known) = (0, 0);
    let mut before: Option<String> = None;
    loop {
        let listed = payments.provider()?.notices(before.as_deref()).await.map_err(Fault::from);
        let notices: Vec<Notice> = faults.count("notices", "", listed)?.unwrap_or_default();
        let Some(oldest) = notices.last() else { break };
        before = Some(oldest.id.clone());
        known += notices.len() as u64;
        for notice in notices {
            sums.notices += 1;
            let id = notice.id.clone();
            let applied = notices::apply(pool, payments, grace_days, notice).await;
            sums.missed += u64::from(faults.count("notice", &id, applied)?.unwrap_or(false));
            done += 1;
            say(done, known);
        }
    }
    let mut after = String::new();
    loop {
        let from = after.clone();
        let intents = pool.read(move |db| setups::intents(db, &from, AT_ONCE)).await?;
        let Some(last) = intents.last() else { break };
        after.clone_from(last);
        known += intents.len() as u64;
        for intent in intents {
            faults.count("set-up", &intent, provider::refresh_setup(pool, payments, grace_days, &intent).await)?;
            (done, sums.setups) = (done + 1, sums.setups + 1);
            say(done, known);
        }
    }
    let mut after = String::new();
    loop {
        let from = after.clone();
        let means = pool.read(move |db| events::means_in_force(db, &from, AT_ONCE)).await?;
        let Some(last) = means.last() else { break };
        after.clone_from(last);
        known += means.len() as u64;
        for id in means {
            faults.count("method", &id, provider::refresh_means(pool, payments, grace_days, &id).await)?;
            (done, sums.methods) = (done + 1, sums.methods + 1);
            say(done, known);
        }
    }
    let mut after = String::new();
    loop {
        let from = after.clone();
        let ids = pool.read(move |db| store::payments_in_hand(db, &from, AT_ONCE)).await?;
        let Some(last) = ids.last() else { break };
        after.clone_from(last);
        known += ids.len() as u64;
        for id in ids {
            faults.count("payment", &id, outcome::refresh(pool, payments, &id).await)?;
            (done, sums.payments) = (done + 1, sums.payments + 1);
            say(done, known);
        }
    }
    sums.failed = faults.all;
    Ok(sums)
}
