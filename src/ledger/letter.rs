//! The mail that an invoice was issued, to the address of the payment method.

use chrono::NaiveDateTime;

use super::issue::number_words;
use super::month::Month;
use crate::billing::{CollectionMethod, Method};
use crate::ids::Key;
use crate::mail::{self, Kind, Letter};
use crate::problem::Problem;
use crate::store::Db;
use crate::web::when::When;

/// What the letter speaks of.
pub struct Issued<'a> {
    /// The invoice's id and its payer.
    pub draft: (&'a str, Key),
    pub number: i64,
    pub month: Month,
    /// With its currency.
    pub total: String,
    pub due_at: NaiveDateTime,
    pub method: &'a Method,
    /// The payer's id and name.
    pub payer: (&'a str, &'a str),
}

/// Into the outbox, in the transaction that is open.
pub fn post(db: &mut Db, issued: &Issued<'_>) -> Result<(), Problem> {
    let Issued { draft: (id, payer), number, month, total, due_at, method, payer: (account, name) } = issued;
    let due = When::day(*due_at).words;
    let how = match method.entries.collection_method {
        CollectionMethod::Net30 => format!("Please pay it by {due}, naming the invoice’s number."),
        _ => "It is collected with the payment method of the account; there is nothing to do.".to_owned(),
    };
    let facts = [
        ("Account", (*name).to_owned()),
        ("Invoice", number_words(*number)),
        ("Month", month.words()),
        ("Total", total.clone()),
        ("Due", due),
    ];
    mail::post(
        db,
        &Letter {
            kind: Kind::Invoice,
            to: method.entries.email.clone(),
            account: Some(*payer),
            subject: format!("Invoice {} for {}: {total}", number_words(*number), month.words()),
            opening: vec![format!("The invoice of {name} for {} is ready.", month.words())],
            facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            action: Some(("Open the invoice".to_owned(), format!("/a/{account}/invoices/{id}"))),
            closing: vec![
                how,
                "Every line, as a page, PDF or CSV, is behind the link, for those who may see the account’s billing."
                    .to_owned(),
            ],
        },
    )
}
