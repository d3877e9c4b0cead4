//! One invoice: makes a payment at the provider, notes it, confirms it, and looks what became of it. Each of these may
//! get lost; the next one who takes the invoice in hand looks at the payment that was noted before doing anything. A
//! payment that nobody noted was never confirmed.

use chrono::{Duration, NaiveDateTime};
use futures_util::future::join_all;

use super::letters;
use super::store::{self, By, Outcome, Row};
use crate::audit::{self, Event, EventType, Subject};
use crate::billing;
use crate::billing::provider::{self, Fault};
use crate::ids::{self, Key};
use crate::ledger::issue::{self, number_words};
use crate::ledger::{money, run};
use crate::payments::{Collected, Demand, Payment, Payments, Trouble};
use crate::problem::{Problem, Reason};
use crate::store::{self as database, dialect};
use crate::store::{Db, Pool};

/// Invoices that one process has in hand at once.
const AT_ONCE: i64 = 8;
/// Days after a refusal until the next try; after the last one somebody has to do something.
const TRIES: [i64; 3] = [1, 3, 7];
/// The provider tells by itself when a bank has paid; this is for when that got lost.
const UNDERWAY_HOURS: i64 = 6;
/// Without a card or bank account that could be charged, one is looked for so often.
const WITHOUT_MEANS_HOURS: i64 = 24;
/// Giving up a payment and making the next one, a few times at most.
const MOST_STEPS: usize = 6;

/// A payment that was noted is not there any more: somebody has to look.
const UNKNOWN_HOURS: i64 = 24;

const NO_MEANS: &str = "There is no card or bank account that could be charged.";
const UNKNOWN: &str =
    "The payment provider does not know the payment that was begun; whoever runs this console has to look.";
const GONE: &str = "The payment provider does not know this card or bank account any more.";

/// Tries what is due, a few at a time; answers how many were in hand. Nothing where no provider is set up.
pub async fn collect_due(pool: &Pool, payments: &Payments, grace_days: i64) -> Result<usize, Problem> {
    if !payments.is_on() {
        return Ok(0);
    }
    let taken = pool.write(|db| store::take(db, AT_ONCE)).await?;
    let tries = taken.iter().map(|key| collect(pool, payments, grace_days, *key));
    let mut first = Ok(taken.len());
    for outcome in join_all(tries).await {
        match outcome {
            Ok(()) => {}
            Err(Fault::Provider(trouble)) => {
                tracing::warn!(%trouble, "an invoice was not collected; it is tried again")
            }
            Err(Fault::Here(problem)) => first = first.and(Err(problem)),
        }
    }
    first
}

/// Collects an invoice that this process took in hand.
async fn collect(pool: &Pool, payments: &Payments, grace_days: i64, key: Key) -> Result<(), Fault> {
    for _ in 0..MOST_STEPS {
        let row = pool.read(move |db| store::find(db, By::Key(key))).await?.ok_or(Problem::NotFound)?;
        if row.is_settled() {
            return Ok(());
        }
        if row.provider_id.is_empty() {
            if row.provider_state == "FAILED" {
                // The last try was refused before there was a payment.
                pool.write(move |db| store::drop_payment(db, &row)).await?;
                continue;
            }
            if !begin(pool, payments, row).await? {
                return Ok(());
            }
            continue;
        }
        let payment = match payments.provider()?.payment(&row.provider_id).await {
            Err(Trouble::Unknown) => {
                let until = ids::now() + Duration::hours(UNKNOWN_HOURS);
                return Ok(pool.write(move |db| store::put_off(db, &row, until, UNKNOWN)).await?);
            }
            other => other?,
        };
        match &payment.collected {
            // Known to have failed before this try: it makes room for the next.
            Collected::Failed(_) | Collected::Fresh if row.provider_state == "FAILED" => {
                give_up(pool, payments, row).await?;
            }
            Collected::Underway if row.provider_state == "UNDERWAY" => {
                let until = ids::now() + Duration::hours(UNDERWAY_HOURS);
                return Ok(pool.write(move |db| store::put_off(db, &row, until, "")).await?);
            }
            Collected::Fresh if !fits(pool, &row, &payment).await? => give_up(pool, payments, row).await?,
            Collected::Cancelled => pool.write(move |db| store::drop_payment(db, &row)).await?,
            Collected::Fresh => {
                let confirmed = payments.provider()?.confirm(&row.provider_id).await;
                if let Err(trouble @ Trouble::Away(_)) = confirmed {
                    return Err(trouble.into());
                }
                let payment = payments.provider()?.payment(&row.provider_id).await?;
                let refused = confirmed.err().map(|refusal| refusal.to_string());
                return took(pool, payments, grace_days, row, settled(payment, refused)).await;
            }
            _ => return took(pool, payments, grace_days, row, payment).await,
        }
    }
    Err(Problem::bug("an invoice's payments are given up again and again").into())
}

/// A payment that was refused without a word of it in the payment counts as failed.
fn settled(payment: Payment, refused: Option<String>) -> Payment {
    match (&payment.collected, refused) {
        (Collected::Fresh, Some(words)) => Payment { collected: Collected::Failed(words), ..payment },
        _ => payment,
    }
}

/// What the payer has to be charged now.
fn demand(db: &mut Db, row: &Row) -> Result<Option<Demand>, Problem> {
    let own = billing::own(db, row.payer)?.filter(|own| own.verified);
    let Some((own, customer)) = own.zip(billing::customer(db, row.payer)?) else { return Ok(None) };
    let kind = own.entries.collection_method.at_provider().filter(|_| !own.stored.provider_id.is_empty());
    Ok(kind.map(|kind| Demand {
        customer,
        means: own.stored.provider_id,
        kind,
        amount: row.total,
        currency: row.currency.clone(),
        invoice: row.id.clone(),
    }))
}

/// Whether the payment that was made and not confirmed is of the card or bank account that pays now.
async fn fits(pool: &Pool, row: &Row, payment: &Payment) -> Result<bool, Problem> {
    let row = row.clone();
    let wanted = pool.read(move |db| demand(db, &row)).await?;
    Ok(wanted.is_some_and(|demand| demand.means == payment.means))
}

/// Makes a payment and notes it. False when there is nothing to charge, or the invoice was settled meanwhile.
async fn begin(pool: &Pool, payments: &Payments, row: Row) -> Result<bool, Fault> {
    let copy = row.clone();
    let Some(demand) = pool.read(move |db| demand(db, &copy)).await? else {
        pool.write(move |db| without_means(db, &row)).await?;
        return Ok(false);
    };
    // The method stands in the key: whoever makes one with another method gets another payment, not a refusal. So does
    // the hour: the answer to a key, even an error, is the same for a day.
    let key = format!("{}-{}-{}-{}", row.id, row.round, demand.means, ids::now().format("%Y%m%d%H"));
    let made = match payments.provider()?.open_payment(&key, &demand).await {
        Ok(made) => made,
        Err(refusal @ (Trouble::Refused { .. } | Trouble::Unknown)) => {
            let words = if let Trouble::Refused { words, .. } = refusal { words } else { GONE.to_owned() };
            let Demand { means, invoice, .. } = demand;
            let failed = Payment { id: String::new(), means, invoice, collected: Collected::Failed(words) };
            pool.write(move |db| take_over(db, &row, &failed)).await?;
            return Ok(false);
        }
        Err(trouble) => return Err(trouble.into()),
    };
    let id = made.id.clone();
    if pool.write(move |db| store::set_payment(db, &row, &id)).await? {
        return Ok(true);
    }
    // Another one came before it: this one was never confirmed and never will be.
    payments.provider()?.cancel(&made.id).await?;
    Ok(false)
}

/// Puts the invoice off until there is something to charge; the first time a mail says so.
fn without_means(db: &mut Db, row: &Row) -> Result<(), Problem> {
    let until = ids::now() + Duration::hours(WITHOUT_MEANS_HOURS);
    database::write(db, |db| {
        store::put_off(db, row, until, NO_MEANS)?;
        if row.trouble == NO_MEANS { Ok(()) } else { letters::without_means(db, row, NO_MEANS) }
    })
}

async fn give_up(pool: &Pool, payments: &Payments, row: Row) -> Result<(), Fault> {
    match payments.provider()?.cancel(&row.provider_id).await {
        Ok(payment) if payment.collected == Collected::Cancelled => {
            pool.write(move |db| store::drop_payment(db, &row)).await?;
        }
        // It is being charged, or cancelled by now: the next look says which.
        Ok(_) | Err(Trouble::Refused { .. }) => {}
        Err(trouble) => return Err(trouble.into()),
    }
    Ok(())
}

/// Takes over what became of the payment, for the invoice and for the method that was charged.
async fn took(pool: &Pool, payments: &Payments, grace_days: i64, row: Row, payment: Payment) -> Result<(), Fault> {
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
    let (looked, invoice) = (id.to_owned(), payment.invoice.clone());
    let charged = matches!(payment.collected, Collected::Paid | Collected::Underway);
    let found = pool.write(move |db| {
        if let Some(row) = store::find(db, By::Provider(&looked))? {
            return Ok(Some(row));
        }
        let row = store::find(db, By::Id(&invoice))?.filter(|row| charged && row.provider_id.is_empty());
        match row {
            Some(row) if store::set_payment(db, &row, &looked)? => store::find(db, By::Key(row.key)),
            _ => Ok(None),
        }
    });
    let Some(row) = found.await? else { return Ok(()) };
    pool.write(move |db| take_over(db, &row, &payment)).await?;
    Ok(())
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
fn take_over(db: &mut Db, seen: &Row, payment: &Payment) -> Result<(), Problem> {
    let Some(outcome) = outcome(seen, &payment.collected) else { return Ok(()) };
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
