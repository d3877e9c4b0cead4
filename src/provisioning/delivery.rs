//! Telling the fabric what is due. An intent is claimed in a short transaction, told without one, and what became of it
//! is written down in another, so that any number of processes may do this at once. One that was told and whose outcome
//! was lost is told again, with the same id.

use actix_web::web::Data;
use chrono::Duration;
use futures_util::future::join_all;
use rand::Rng;

use super::fabric::{Fabric, Outcome, words};
use super::intents::{self, Intent};
use super::{outcome, payload};
use crate::factor::vault::Vault;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::{self as database, Pool};

/// Intents that one process tells at once.
const AT_ONCE: i64 = 8;
/// For how long a claim holds; longer than the fabric is waited for.
const CLAIM_SECONDS: i64 = 150;
/// One that is in hand is asked about after as long as it is old, within these.
const ASKED_AFTER_SECONDS: (i64, i64) = (10, 600);
/// After an attempt that came to nothing: a second, then two, four …, at most this.
const LONGEST_WAIT_SECONDS: i64 = 600;

/// Tells what is due; answers how many intents were told.
pub async fn deliver_due(pool: &Pool, fabric: &dyn Fabric, vault: &Data<Vault>) -> Result<usize, Problem> {
    let due = pool.read_long(|db| intents::due(db, AT_ONCE)).await?;
    let mut done = Ok(0);
    for told in join_all(due.into_iter().map(|key| deliver(pool, fabric, vault, key))).await {
        done = match told {
            Ok(told) => done.map(|sum| sum + usize::from(told)),
            Err(problem) => done.and(Err(problem)),
        };
    }
    done
}

/// False when another process has it.
async fn deliver(pool: &Pool, fabric: &dyn Fabric, vault: &Data<Vault>, key: Key) -> Result<bool, Problem> {
    let hold = Duration::seconds(CLAIM_SECONDS);
    let claimed = pool.write(move |db| database::write(db, |db| intents::claim(db, key, hold))).await?;
    let Some(intent) = claimed else { return Ok(false) };
    let (copy, vault) = (intent.clone(), vault.clone());
    let outcome = match pool.read_long(move |db| payload::order(db, &vault, &copy)).await {
        Ok(order) => fabric.deliver(&order).await,
        Err(problem) => {
            tracing::error!(intent = %intent.id, %problem, "an intent cannot be put into words");
            Outcome::Retry("This console could not put it into words; its log says why.".to_owned())
        }
    };
    if let Outcome::Retry(why) = &outcome {
        tracing::warn!(intent = %intent.id, %why, "the fabric was not told; it is told again");
    }
    settle(pool, intent, outcome).await?;
    Ok(true)
}

async fn settle(pool: &Pool, intent: Intent, outcome: Outcome) -> Result<(), Problem> {
    let (wait, error) = match &outcome {
        Outcome::Done(_) | Outcome::Failed { .. } => {
            pool.write(move |db| outcome::apply(db, intent.key, &outcome)).await?;
            return Ok(());
        }
        Outcome::Accepted => {
            let (least, most) = ASKED_AFTER_SECONDS;
            ((ids::now() - intent.created_at).clamp(Duration::seconds(least), Duration::seconds(most)), String::new())
        }
        Outcome::Retry(why) => (after(intent.attempts), words(why)),
    };
    let wait = wait + jitter(wait);
    pool.write(move |db| database::write(db, |db| intents::put_off(db, &intent, wait, &error))).await
}

/// How long to wait after so many attempts.
fn after(attempts: i64) -> Duration {
    Duration::seconds((1 << (attempts - 1).clamp(0, 16)).min(LONGEST_WAIT_SECONDS))
}

/// Up to a quarter more, so that not all come back at once.
fn jitter(wait: Duration) -> Duration {
    let most = (wait.num_milliseconds() / 4).max(1);
    Duration::milliseconds(rand::rng().random_range(0..most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_ten_minutes() {
        let waits: Vec<i64> = [1, 2, 3, 4, 10, 11, 40, 400].map(|n| after(n).num_seconds()).into();
        assert_eq!(waits, [1, 2, 4, 8, 512, 600, 600, 600]);
        assert!((0..200).all(|_| jitter(Duration::seconds(4)) < Duration::seconds(1)));
    }
}
