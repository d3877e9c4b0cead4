//! Debts: an invoice that is not paid when its grace period is over is overdue. Then the accounts with items on it, and
//! no others, start nothing new until it is settled.

use chrono::Duration;

use super::letters;
use super::store::{self, By};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids;
use crate::ledger::issue::{self, number_words};
use crate::ledger::month::day_of;
use crate::ledger::run;
use crate::problem::{Problem, Reason};
use crate::store::{Pool, dialect};

const AT_ONCE: i64 = 100;

/// Marks what became overdue, each invoice once, with its entry in the log and a mail; answers how many.
pub async fn mark(pool: &Pool, grace_days: i64) -> Result<usize, Problem> {
    let mut all = 0;
    loop {
        let marked = mark_some(pool, grace_days).await?;
        if marked == 0 {
            return Ok(all);
        }
        all += marked;
    }
}

async fn mark_some(pool: &Pool, grace_days: i64) -> Result<usize, Problem> {
    pool.write(move |db| {
        let day = day_of(ids::now()) - Duration::days(grace_days);
        let mut marked = 0;
        for key in store::newly_overdue(db, day, AT_ONCE)? {
            let row = store::find(db, By::Key(key))?.ok_or(Problem::NotFound)?;
            let done = audit::change_by_system(db, |db| {
                dialect::lock_tree(db, row.root)?;
                run::lock(db)?;
                if !store::set_overdue(db, key)? {
                    return Err(Problem::Conflict(Reason::Stale));
                }
                letters::overdue(db, &row)?;
                let subject = Subject::new(issue::SUBJECT, &row.id, &number_words(row.number));
                let event = Event::new(EventType::InvoiceUpdate, subject).in_account(row.payer);
                Ok(((), event.with("overdue", "true")))
            });
            match done {
                Ok(()) => marked += 1,
                // Settled, or marked by another process.
                Err(Problem::Conflict(Reason::Stale)) => {}
                Err(problem) => return Err(problem),
            }
        }
        Ok(marked)
    })
    .await
}
