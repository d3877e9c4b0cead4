//! What became of a payment: for its invoice, for the method that was charged, in the log and by mail. Also a payment
//! that nobody here knows of, because a backup was restored.

use chrono::{Duration, NaiveDateTime};

use super::store::{self, By, Outcome, Row};
use super::{letters, settling};
use crate::audit::{self, Event, EventType, Subject};
use crate::billing::provider::{self, Fault};
use crate::ids;
use crate::ledger::issue::{self, number_words};
use crate::ledger::{money, run};
use crate::payments::{Collected, Payment, Payments, Trouble, at_provider};
use crate::problem::{Problem, Reason};
use crate::store::{Db, Pool, dialect};

/// Days after a refusal until the next try; after the last one somebody has to do something.
const TRIES: [i64; 3] = [1, 3, 7];
/// The provider tells by itself when a bank has paid; this is for when that got lost.
pub const UNDERWAY_HOURS: i64 = 6;
/// Something about the payment is not as it should be: somebody has to look.
pub const UNKNOWN_HOURS: i64 = 24;

const OTHER_SUM: &str =
    "The payment provider has a payment of another sum for this invoice; whoever runs this console has to look.";

/// Takes over what became of the payment, for the invoice and for the method that was charged.
pub async fn took(pool: &Pool, payments: &Payments, grace_days: i64, row: Row, payment: Payment) -> Result<(), Fault> {
    // First the method, then the invoice: what gets lost between the two is done again.
    if matches!(payment.collected, Collected::Paid | Collected::Failed(_)) {
        provider::refresh_charge(pool, payments, grace_days, &payment.id).await?;
    }
    Ok(pool.write(move |db| take_over(db, &row, &payment)).await?)
}

/// Brings an invoice to where the provider says that its payment is. What is not ours is left alone. A payment that
/// was charged and is not known here, because a backup was restored, is taken for its invoice's.
pub async fn refresh(pool: &Pool, payments: &Payments, id: &str) -> Result<(), Fault> {
    let payment = match payments.provider()?.payment(id).await {
        Ok(payment) => payment,
        Err(Trouble::Unknown) => return Ok(()),
        Err(trouble) => return Err(trouble.into()),
    };
    let looked = id.to_owned();
    let row = match pool.read(move |db| store::find(db, By::Provider(&looked))).await? {
        Some(row) => Some(row),
        None if matches!(payment.collected, Collected::Paid | Collected::Underway) => {
            adopt(pool, payments, &payment).await?
        }
        None => None,
    };
    let Some(row) = row else { return Ok(()) };
    pool.write(move |db| take_over(db, &row, &payment)).await?;
    Ok(())
}

/// Puts a payment that was charged in the place of the one that this database takes for its invoice's, once that one
/// can never be charged any more. None when there is no such invoice, or it is settled, or both were charged.
async fn adopt(pool: &Pool, payments: &Payments, payment: &Payment) -> Result<Option<Row>, Fault> {
    let invoice = payment.invoice.clone();
    let row = pool.read(move |db| store::find(db, By::Id(&invoice))).await?;
    let Some(row) = row.filter(|row| !row.is_settled()) else { return Ok(None) };
    if !row.provider_id.is_empty() {
        if let Some(other) = settling::give_up(payments, &row.provider_id).await? {
            let (this, in_hand, invoice) = (&payment.id, &row.provider_id, &row.id);
            tracing::error!(invoice, this, in_hand, ?other, "an invoice has two payments: somebody has to look");
            return Ok(None);
        }
        let given_up = row.clone();
        pool.write(move |db| store::drop_payment(db, &given_up)).await?;
    }
    let id = payment.id.clone();
    let write = move |db: &mut Db| {
        let row = store::find(db, By::Key(row.key))?.filter(|row| !row.is_settled() && row.provider_id.is_empty());
        match row {
            Some(row) if store::set_payment(db, &row, &id)? => store::find(db, By::Key(row.key)),
            _ => Ok(None),
        }
    };
    Ok(pool.write(write).await?)
}

/// Whether it asked for what the invoice comes to.
fn covers(payment: &Payment, row: &Row) -> bool {
    payment.asked.as_ref().is_none_or(|(amount, currency)| {
        *currency == row.currency && at_provider(row.total, &row.currency) == Some(*amount)
    })
}

/// When the next try is, after so many that failed.
fn next_try(tries: i64, now: NaiveDateTime) -> NaiveDateTime {
    let days = usize::try_from(tries).ok().and_then(|tries| TRIES.get(tries.saturating_sub(1)));
    days.map_or_else(ids::never, |days| now + Duration::days(*days))
}

fn outcome<'a>(row: &'a Row, collected: &'a Collected) -> Option<Outcome<'a>> {
    let now = ids::now();
    let still = Outcome {
        state: "OPEN",
        provider_state: "",
        trouble: "",
        tries: row.tries,
        next_try_at: now,
        settled_at: None,
    };
    Some(match collected {
        Collected::Paid => {
            let never = ids::never();
            Outcome { state: "PAID", provider_state: "PAID", next_try_at: never, settled_at: Some(now), ..still }
        }
        Collected::Underway => {
            let later = now + Duration::hours(UNDERWAY_HOURS);
            Outcome { provider_state: "UNDERWAY", next_try_at: later, ..still }
        }
        Collected::Failed(words) => {
            let tries = row.tries + 1;
            let next_try_at = next_try(tries, now);
            Outcome { state: "FAILED", provider_state: "FAILED", trouble: words, tries, next_try_at, ..still }
        }
        // Of one that was given up, or not begun, there is nothing to say.
        Collected::Cancelled | Collected::Fresh => return None,
    })
}

/// Writes what became of the payment in hand, with its entry in the log and, when it failed, a mail. Nothing, when that
/// is known already or another payment is in hand.
pub fn take_over(db: &mut Db, seen: &Row, payment: &Payment) -> Result<(), Problem> {
    let Some(outcome) = outcome(seen, &payment.collected) else { return Ok(()) };
    if payment.collected == Collected::Paid && !covers(payment, seen) {
        tracing::error!(invoice = seen.id, payment = payment.id, asked = ?payment.asked, "a payment is of another sum");
        return store::put_off(db, seen, ids::now() + Duration::hours(UNKNOWN_HOURS), OTHER_SUM);
    }
    let done = audit::change_by_system(db, |db| {
        dialect::lock_tree(db, seen.root)?;
        run::lock(db)?;
        let now = store::find(db, By::Key(seen.key))?.ok_or(Problem::NotFound)?;
        let known = now.provider_id != payment.id || now.provider_state == outcome.provider_state;
        if now.is_settled() || known || now.tries != seen.tries {
            return Err(Problem::Conflict(Reason::Stale));
        }
        store::set_outcome(db, now.key, &outcome)?;
        if outcome.state == "FAILED" {
            letters::failed(db, &now, &outcome)?;
        }
        let subject = Subject::new(issue::SUBJECT, &now.id, &number_words(now.number));
        let event = Event::new(EventType::InvoiceUpdate, subject).in_account(now.payer);
        let event = event
            .changed("state", &now.state, outcome.state)
            .changed("payment", words(&now.provider_state), words(outcome.provider_state))
            .with("total", money::words(now.total, &now.currency))
            .with("paymentId", &payment.id);
        Ok(((), if outcome.trouble.is_empty() { event } else { event.with("reason", outcome.trouble) }))
    });
    match done {
        Err(Problem::Conflict(Reason::Stale)) => Ok(()),
        other => other,
    }
}

/// What is known of a payment, as the log says it.
fn words(provider_state: &str) -> &'static str {
    match provider_state {
        "UNDERWAY" => "being collected",
        "PAID" => "paid",
        "FAILED" => "failed",
        _ => "",
    }
}
