//! The calls to the payment provider and what follows from its answers. Nothing here is called inside a transaction:
//! first the database is read, then the provider asked, then the change made, which looks at the state of things again.

use chrono::DateTime;

use super::method::Stored;
use super::setup::{self, Outcome, Settled};
use super::store::setups::{self, Setup, State};
use super::store::tries::{self, What};
use super::{SUBJECT, letters, store};
use crate::audit::{Event, EventType, Subject};
use crate::ids::{self, Key};
use crate::payments::{Charge, Intent, Kind, Means, Notice, Payments, Progress, Trouble};
use crate::problem::{Problem, Reason};
use crate::store::{Db, Pool};

/// Why it did not come to an end.
#[derive(Debug)]
pub enum Fault {
    Provider(Trouble),
    Here(Problem),
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Fault {
        Fault::Provider(trouble)
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Fault {
        Fault::Here(problem)
    }
}

/// Tells the provider of a set-up that it does not know yet, or of one whose intent ended. `account`: its public id.
pub async fn open(pool: &Pool, payments: &Payments, account: &str, setup: &Setup) -> Result<(), Fault> {
    let provider = payments.provider()?;
    let kind = setup.entries.collection_method.at_provider().ok_or_else(|| Problem::bug("an invoice's set-up"))?;
    let key = setup.account;
    if setup.round > 0 {
        // The first one was counted when it was begun.
        let deposits = kind == Kind::BankAccount;
        let count = move |db: &mut Db| {
            tries::count(db, What::Setup, key, None)?;
            if deposits { tries::count(db, What::Deposits, key, None) } else { Ok(()) }
        };
        pool.write(count).await?;
    }
    let customer = match pool.read(move |db| setups::customer(db, key)).await? {
        Some(customer) => customer,
        None => {
            let made = provider
                .open_customer(&customer_key(account, &setup.entries.email), account, &setup.entries.email)
                .await?;
            pool.write(move |db| setups::keep_customer(db, key, &made)).await?
        }
    };
    let made = provider.open_intent(&format!("{}-{}", setup.id, setup.round), &customer, kind).await?;
    let setup = setup.clone();
    pool.write(move |db| setups::set_intent(db, &setup, &made.id)).await?;
    Ok(())
}

/// A key is good for the same entries only: a corrected address makes another one.
fn customer_key(account: &str, email: &str) -> String {
    format!("customer-{account}-{}", &ids::sha256_hex(email.as_bytes())[..16])
}

/// What the provider says of a set-up. NotFound when it is not this account's: the browser's word is never enough.
pub async fn look(pool: &Pool, payments: &Payments, setup: &Setup) -> Result<Intent, Fault> {
    let mut intent = payments.provider()?.intent(&setup.intent).await?;
    let account = setup.account;
    let customer = pool.read(move |db| setups::customer(db, account)).await?;
    let foreign = customer.is_none_or(|id| id != intent.customer);
    let means = intent.means.as_ref().and_then(|means| means.customer.as_ref());
    if foreign || intent.id != setup.intent || means.is_some_and(|id| *id != intent.customer) {
        return Err(Problem::NotFound.into());
    }
    if intent.progress == Progress::Done
        && let Some(means) = intent.means.as_mut().filter(|means| means.customer.is_none())
    {
        // What belongs to no customer can be used once only.
        payments.provider()?.attach(&means.id, &intent.customer).await?;
        means.customer = Some(intent.customer.clone());
    }
    Ok(intent)
}

/// What an intent comes to, where it has come to something.
pub fn outcome(setup: &Setup, intent: &Intent, grace_days: i64) -> Option<Outcome> {
    let works = match intent.progress {
        Progress::Done => true,
        Progress::Deposits => false,
        _ => return None,
    };
    let means = intent.means.clone()?;
    let right = Some(means.kind) == setup.entries.collection_method.at_provider();
    right.then(|| Outcome { setup: setup.id.clone(), means, works, grace_days })
}

/// Gives a method back to the provider when no account uses it any more. A failure is said in the process's log: it
/// can be charged by nobody who does not know its id.
pub async fn release(pool: &Pool, payments: &Payments, id: &str) {
    let Ok(provider) = payments.provider() else { return };
    if id.is_empty() {
        return;
    }
    let looked = id.to_owned();
    match pool.read(move |db| store::holders(db, &looked)).await {
        Ok(holders) if holders.is_empty() => {
            if let Err(trouble) = provider.detach(id).await {
                tracing::warn!(%trouble, "a payment method that is not used any more was not detached");
            }
        }
        Ok(_) => {}
        Err(problem) => tracing::warn!(%problem, "a payment method that is not used any more was not detached"),
    }
}

/// Takes a notice to heart: looks at the object as it is now, whatever the notice says, so that order and number of
/// deliveries do not matter.
pub async fn heed(pool: &Pool, payments: &Payments, grace_days: i64, notice: &Notice) -> Result<(), Fault> {
    let object = notice.object.as_str();
    match notice.kind.as_str() {
        kind if kind.starts_with("setup_intent.") => refresh_setup(pool, payments, grace_days, object).await?,
        kind if kind.starts_with("payment_method.") => refresh_means(pool, payments, grace_days, object).await?,
        "charge.failed" | "charge.succeeded" | "payment_intent.payment_failed" | "payment_intent.succeeded" => {
            refresh_charge(pool, payments, grace_days, object).await?;
        }
        _ => {}
    }
    Ok(())
}

/// Brings a set-up to where the provider says it is. What is not ours, or is done already, is left alone.
pub async fn refresh_setup(pool: &Pool, payments: &Payments, grace_days: i64, intent: &str) -> Result<(), Fault> {
    let looked = intent.to_owned();
    let Some((setup, root)) = pool.read(move |db| setups::of_intent(db, &looked)).await? else { return Ok(()) };
    let found = match look(pool, payments, &setup).await {
        Ok(found) => found,
        Err(Fault::Provider(Trouble::Unknown)) | Err(Fault::Here(Problem::NotFound)) => return Ok(()),
        Err(fault) => return Err(fault),
    };
    let account = setup.account;
    if let Some(outcome) = outcome(&setup, &found, grace_days) {
        if !outcome.works && setup.state != State::Open {
            return Ok(());
        }
        let settled = pool.write(move |db| setup::finish_by_system(db, account, root, &outcome)).await;
        return match settled {
            Ok(Settled { replaced, .. }) => {
                release(pool, payments, &replaced).await;
                Ok(())
            }
            // Somebody has to look at what it would do.
            Err(Problem::Conflict(Reason::Unconfirmed | Reason::BillingCannotBeRemoved { .. })) => {
                Ok(pool.write(move |db| setup::note_entered(db, &setup, found.means.as_ref())).await?)
            }
            // The browser was faster.
            Err(Problem::Conflict(_)) => Ok(()),
            Err(problem) => Err(problem.into()),
        };
    }
    if setup.state == State::Verifying && matches!(found.progress, Progress::Waiting(_) | Progress::Cancelled) {
        pool.write(move |db| {
            setup::by_system(db, account, root, |db| {
                setups::set_state(db, &setup, State::Spent, None)?;
                let subject = Subject::new(SUBJECT, &setup.id, "Bank account");
                Ok(((), Event::new(EventType::BillingVerify, subject).failing()))
            })
        })
        .await?;
    }
    Ok(())
}

/// Takes over what the provider says of a method in force: another expiry, or that it is gone.
pub async fn refresh_means(pool: &Pool, payments: &Payments, grace_days: i64, id: &str) -> Result<(), Fault> {
    let looked = id.to_owned();
    let holders = pool.read(move |db| store::holders(db, &looked)).await?;
    if holders.is_empty() {
        return Ok(());
    }
    let found = match payments.provider()?.means(id).await {
        Ok(means) => Some(means).filter(|means| means.customer.is_some()),
        Err(Trouble::Unknown) => None,
        Err(trouble) => return Err(trouble.into()),
    };
    for (account, root) in holders {
        let (found, id) = (found.clone(), id.to_owned());
        pool.write(move |db| told(db, account, root, &id, |old| renewed(old, found.as_ref(), grace_days)).map(|_| ()))
            .await?;
    }
    Ok(())
}

fn renewed(old: &Stored, found: Option<&Means>, grace_days: i64) -> Stored {
    match found {
        Some(means) => Stored::of(means, grace_days).failing_since(old.failed_at, grace_days),
        None => old.clone().failing_since(old.failed_at.or_else(|| Some(ids::now())), grace_days),
    }
}

/// Takes over how a charge ended; one that was made before the newest that is known says nothing any more.
pub async fn refresh_charge(pool: &Pool, payments: &Payments, grace_days: i64, id: &str) -> Result<(), Fault> {
    let charge = match payments.provider()?.charge(id).await {
        Ok(charge) => charge,
        Err(Trouble::Unknown) => return Ok(()),
        Err(trouble) => return Err(trouble.into()),
    };
    let Charge { means, paid, created } = charge;
    let at = DateTime::from_timestamp(created, 0).map_or_else(ids::now, |at| at.naive_utc());
    let looked = means.clone();
    for (account, root) in pool.read(move |db| store::holders(db, &looked)).await? {
        let means = means.clone();
        pool.write(move |db| {
            if store::events::is_newer_charge(db, account, at, paid)? {
                let failing = |old: &Stored| {
                    let since = if paid { None } else { old.failed_at.or_else(|| Some(ids::now())) };
                    old.clone().failing_since(since, grace_days)
                };
                told(db, account, root, &means, failing)?;
                store::events::note_charge(db, account, at)?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// Writes what the provider tells of an account's own method, with its entry in the log, if it is news. When it begins
/// to fail, its people are told.
fn told(db: &mut Db, account: Key, root: Key, id: &str, change: impl Fn(&Stored) -> Stored) -> Result<bool, Problem> {
    let changed = setup::by_system(db, account, root, |db| {
        let own = store::own(db, account)?.filter(|own| own.stored.provider_id == id);
        let own = own.ok_or(Problem::Conflict(Reason::Stale))?;
        let new = change(&own.stored);
        if new == own.stored {
            return Err(Problem::Conflict(Reason::Stale));
        }
        store::store(db, account, own.verified, &new)?;
        if own.stored.failed_at.is_none() && new.failed_at.is_some() {
            letters::failed(db, &own, new.pays_until)?;
        }
        let subject = Subject::new(SUBJECT, &own.id, own.entries.collection_method.words());
        Ok(((), setup::told(Event::new(EventType::AccountBillingUpdate, subject), &own.stored, &new)))
    });
    match changed {
        Ok(()) => Ok(true),
        // Nothing new, or another method by now: no entry is written.
        Err(Problem::Conflict(Reason::Stale)) => Ok(false),
        Err(problem) => Err(problem),
    }
}
