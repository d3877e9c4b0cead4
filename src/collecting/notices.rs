//! What the payment provider tells, each notice once: about methods it is for [`provider`], about invoices for
//! [`outcome`].

use super::outcome;
use crate::billing::provider::{self, Fault};
use crate::billing::store::events;
use crate::payments::{Notice, Payments};
use crate::store::Pool;

/// Applies a notice, unless it was applied before. True when it was not.
pub async fn apply(pool: &Pool, payments: &Payments, grace_days: i64, notice: Notice) -> Result<bool, Fault> {
    let id = notice.id.clone();
    if pool.read(move |db| events::is_known(db, &id)).await? {
        return Ok(false);
    }
    provider::heed(pool, payments, grace_days, &notice).await?;
    if notice.kind.starts_with("payment_intent.") {
        outcome::refresh(pool, payments, &notice.object).await?;
    }
    Ok(pool.write(move |db| events::note(db, &notice.id, &notice.kind)).await?)
}
