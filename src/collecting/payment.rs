//! One invoice: makes a payment at the provider, notes it, confirms it, and looks what became of it. Each of these may
//! get lost; the next one who takes the invoice in hand looks at the payment that was noted before doing anything. A
//! payment that nobody noted was never confirmed.

use chrono::Duration;
use futures_util::future::join_all;

use super::letters;
use super::outcome::{UNDERWAY_HOURS, UNKNOWN_HOURS, take_over, took};
use super::store::{self, By, Row};
use crate::billing;
use crate::billing::provider::Fault;
use crate::ids::{self, Key};
use crate::payments::{Collected, Demand, Payment, Payments, Trouble};
use crate::problem::Problem;
use crate::store::{self as database, Db, Pool};

/// Invoices that one process has in hand at once.
const AT_ONCE: i64 = 8;
/// Without a card or bank account that could be charged, one is looked for so often.
const WITHOUT_MEANS_HOURS: i64 = 24;
/// Giving up a payment and making the next one, a few times at most.
const MOST_STEPS: usize = 6;

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
            let collected = Collected::Failed(words);
            let failed = Payment { id: String::new(), means, invoice, asked: None, collected };
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
