//! What the billing address is told about an invoice that was not paid.

use super::store::{Outcome, Row};
use crate::billing;
use crate::ids;
use crate::ledger::issue::number_words;
use crate::ledger::money;
use crate::mail::{self, Kind, Letter};
use crate::problem::Problem;
use crate::store::Db;
use crate::web::when::When;

/// A card or bank account was not charged.
pub fn failed(db: &mut Db, row: &Row, outcome: &Outcome<'_>) -> Result<(), Problem> {
    let next = if outcome.next_try_at < ids::never() {
        format!("It is tried again on {}, and at once when another payment method is entered.", day(outcome))
    } else {
        "It is not tried again by itself: enter another payment method, or ask for another try on the invoice’s page."
            .to_owned()
    };
    let opening = format!("Invoice {} was not paid: {}", number_words(row.number), outcome.trouble);
    post(db, row, "A payment failed", vec![opening], vec![next])
}

fn day(outcome: &Outcome<'_>) -> String {
    When::day(outcome.next_try_at).words
}

/// The card or bank account went away before it was charged.
pub fn without_means(db: &mut Db, row: &Row, why: &str) -> Result<(), Problem> {
    let opening = format!("Invoice {} was not paid: {why}", number_words(row.number));
    let next = "Enter one, and it is charged at once.".to_owned();
    post(db, row, "A payment cannot be collected", vec![opening], vec![next])
}

/// It was due too long ago.
pub fn overdue(db: &mut Db, row: &Row) -> Result<(), Problem> {
    let opening = format!("Invoice {} is overdue.", number_words(row.number));
    let closing = "Until it is paid, the accounts with items on it start nothing new. What they have goes on, and no \
                   other account is touched.";
    post(db, row, "An invoice is overdue", vec![opening], vec![closing.to_owned()])
}

fn post(db: &mut Db, row: &Row, subject: &str, opening: Vec<String>, closing: Vec<String>) -> Result<(), Problem> {
    let facts = [
        ("Account", row.name.clone()),
        ("Invoice", number_words(row.number)),
        ("Total", money::words(row.total, &row.currency)),
        ("Due", When::day(row.due_at).words),
    ];
    let letter = Letter {
        kind: Kind::Invoice,
        // Where it was sent may be corrected since.
        to: billing::own(db, row.payer)?.map_or_else(|| row.email.clone(), |own| own.entries.email),
        account: Some(row.payer),
        subject: format!("{subject}: invoice {} of {}", number_words(row.number), row.name),
        opening,
        facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        action: Some(("Open the invoice".to_owned(), format!("/a/{}/invoices/{}", row.account, row.id))),
        closing,
    };
    mail::post(db, &letter)
}
