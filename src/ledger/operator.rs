//! What the operator says of an invoice where no payment provider does: that it was paid, or that it is void.

use diesel::prelude::*;

use super::issue::{self, number_words};
use super::run;
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect;
use crate::store::schema::{accounts, invoices};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Paid,
    /// Nobody has to pay it. Its lines stay on it and are not charged again.
    Void,
}

impl Settled {
    fn code(self) -> &'static str {
        match self {
            Settled::Paid => "PAID",
            Settled::Void => "VOID",
        }
    }
}

/// Notes it; answers a sentence, or why it cannot be. `given_up`: the payment at the provider that can never be charged
/// any more; with another one in hand the invoice stays as it is.
pub fn settle(db: &mut Db, id: &str, settled: Settled, given_up: &str) -> Result<Result<String, String>, Problem> {
    let mut refusal = String::new();
    let done = audit::change_by_system(db, |db| {
        let root = invoices::table.inner_join(accounts::table.on(accounts::key.eq(invoices::payer_key)));
        let root = root.filter(invoices::id.eq(id.trim())).select(accounts::root_key).first::<Key>(db).optional()?;
        if let Some(root) = root {
            dialect::lock_tree(db, root)?;
        }
        run::lock(db)?;
        let row = invoices::table.filter(invoices::id.eq(id.trim())).select((
            invoices::key,
            invoices::payer_key,
            invoices::state,
            invoices::number,
            invoices::version,
            invoices::provider_id,
        ));
        let found = row.first::<(Key, Key, String, Option<i64>, i64, String)>(db).optional()?;
        let Some((key, payer, state, Some(number), version, in_hand)) = found else {
            refusal = format!("there is no invoice {id}");
            return Err(Problem::NotFound);
        };
        if !matches!(state.as_str(), "OPEN" | "FAILED") {
            refusal = format!("invoice {} is {state} and stays so", number_words(number));
            return Err(Problem::NotFound);
        }
        if in_hand != given_up {
            refusal = format!("invoice {} is being collected this moment: try again", number_words(number));
            return Err(Problem::NotFound);
        }
        diesel::update(invoices::table.find(key))
            .set((
                invoices::state.eq(settled.code()),
                invoices::settled_at.eq(ids::now()),
                invoices::version.eq(version + 1),
            ))
            .execute(db)?;
        let subject = Subject::new(issue::SUBJECT, id.trim(), &number_words(number));
        let event = Event::new(EventType::InvoiceUpdate, subject).in_account(payer);
        let sentence = format!("Invoice {} is {} now.", number_words(number), settled.code());
        Ok((sentence, event.changed("state", &state, settled.code())))
    });
    match done {
        Ok(sentence) => Ok(Ok(sentence)),
        Err(_) if !refusal.is_empty() => Ok(Err(refusal)),
        Err(problem) => Err(problem),
    }
}
