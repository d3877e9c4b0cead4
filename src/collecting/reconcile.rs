//! Brings everything that the provider knows better up to date, whatever notices were lost: those of the last 30 days,
//! every set-up, every method in force, every payment in hand. May be run at any time, beside a running console, and twice.

use super::{notices, payment, store};
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
}

/// `say`: how much is done, of what is known so far. NotFound where no provider is set up.
pub async fn reconcile(
    pool: &Pool,
    payments: &Payments,
    grace_days: i64,
    say: impl Fn(u64, u64),
) -> Result<Sums, Fault> {
    let mut sums = Sums::default();
    let (mut done, mut known) = (0, 0);
    let mut before: Option<String> = None;
    loop {
        let notices: Vec<Notice> = payments.provider()?.notices(before.as_deref()).await?;
        let Some(oldest) = notices.last() else { break };
        before = Some(oldest.id.clone());
        known += notices.len() as u64;
        for notice in notices {
            sums.notices += 1;
            sums.missed += u64::from(notices::apply(pool, payments, grace_days, notice).await?);
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
            provider::refresh_setup(pool, payments, grace_days, &intent).await?;
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
            provider::refresh_means(pool, payments, grace_days, &id).await?;
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
            payment::refresh(pool, payments, &id).await?;
            (done, sums.payments) = (done + 1, sums.payments + 1);
            say(done, known);
        }
    }
    Ok(sums)
}
