//! Collecting: what an invoice asks of a card or a bank account is charged through the payment provider, once. One
//! payment at the provider is in hand for an invoice; it is confirmed at most once, and only after it was given up
//! there for good does another take its place ([`payment`]). So whatever gets lost on the way, and however many
//! processes do the same, an invoice is charged once or not at all. Nothing is called inside a transaction.

mod debts;
mod letters;
mod notices;
mod outcome;
mod pages;
mod payment;
pub mod reconcile;
pub mod settling;
mod store;
mod webhook;

use crate::access::Grant;
use crate::access::policy::UpdateBilling;
use crate::audit::{self, Event, EventType, Subject};
use crate::billing::store::tries::{self, What};
use crate::ledger::{issue, run};
use crate::problem::{Problem, Reason};
use crate::store::Db;

pub use debts::mark as mark_overdue;
pub use notices::apply;
pub use pages::routes;
pub use payment::collect_due;
pub use store::count_due;

/// Asks for another try at once. NotFound for another account's invoice; Conflict(Stale) when there is nothing to try,
/// because it was settled or its payment is under way.
pub fn again(db: &mut Db, by: &Grant<UpdateBilling>, invoice: &str) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        run::lock(db)?;
        let row = store::find(db, store::By::Id(invoice))?.filter(|row| row.payer == by.account().key);
        let row = row.ok_or(Problem::NotFound)?;
        if row.is_settled() || row.provider_state != "FAILED" {
            return Err(Problem::Conflict(Reason::Stale));
        }
        tries::count(db, What::Payment, row.payer, Some(by.actor().key))?;
        store::try_now(db, row.key)?;
        let subject = Subject::new(issue::SUBJECT, &row.id, &issue::number_words(row.number));
        Ok(((), Event::new(EventType::InvoiceUpdate, subject).with("payment", "another try asked for")))
    })
}
