//! What the operator says of an invoice: that it was paid in another way, or that it is void. A payment that is in hand
//! at the provider is given up there first, so that nothing is charged afterwards.

use super::outcome;
use super::store::{self, By};
use crate::billing::provider::Fault;
use crate::ledger::operator::{self, Settled};
use crate::payments::{Collected, Payments, Trouble};
use crate::store::Pool;

/// Notes it; answers a sentence, or why it cannot be.
pub async fn settle(
    pool: &Pool,
    payments: &Payments,
    id: &str,
    settled: Settled,
) -> Result<Result<String, String>, Fault> {
    let looked = id.trim().to_owned();
    let row = pool.read(move |db| store::find(db, By::Id(&looked))).await?;
    let mut in_hand = String::new();
    if let Some(row) = row.filter(|row| !row.is_settled() && !row.provider_id.is_empty()) {
        if !payments.is_on() {
            let why =
                "a payment of it is in hand at the payment provider: set STRIPE_SECRET_KEY, so that it can be given up";
            return Ok(Err(why.to_owned()));
        }
        match give_up(payments, &row.provider_id).await {
            Ok(None) => {}
            Ok(Some(Collected::Paid)) => {
                outcome::refresh(pool, payments, &row.provider_id).await?;
                let key = row.key;
                let now = pool.read(move |db| store::find(db, By::Key(key))).await?;
                if now.is_none_or(|now| now.is_settled()) {
                    return Ok(Err("it was paid through the payment provider and is PAID now".to_owned()));
                }
                // Another sum was paid: what to make of it is the operator's to say.
            }
            Ok(Some(_)) => {
                let why = "its payment is under way at the payment provider; try again when it has ended";
                return Ok(Err(why.to_owned()));
            }
            Err(Fault::Provider(Trouble::Unknown)) => {
                let payment = &row.provider_id;
                let why =
                    format!("the payment provider does not know its payment {payment}: use the keys it was made with");
                return Ok(Err(why));
            }
            Err(fault) => return Err(fault),
        }
        in_hand = row.provider_id;
    }
    let id = id.to_owned();
    Ok(pool.write(move |db| operator::settle(db, &id, settled, &in_hand)).await?)
}

/// None when it can never be charged any more.
pub(super) async fn give_up(payments: &Payments, payment: &str) -> Result<Option<Collected>, Fault> {
    let provider = payments.provider()?;
    match provider.cancel(payment).await {
        Ok(_) | Err(Trouble::Refused { .. } | Trouble::Unknown) => {}
        Err(trouble) => return Err(trouble.into()),
    }
    let now = provider.payment(payment).await?.collected;
    Ok((now != Collected::Cancelled).then_some(now))
}
