//! Who has items on invoices that were not paid in time.

use std::collections::HashSet;

use diesel::prelude::*;

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::one_of;
use crate::store::schema::{invoice_sections, invoices};

/// Whose invoice it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owed {
    Own,
    /// Of an account above that pays, or paid.
    Others,
}

/// Whether the account has items on an invoice that is overdue. Accounts that only stand above such items have not.
pub fn owes(db: &mut Db, account: Key) -> Result<Option<Owed>, Problem> {
    let payers: Vec<Key> = invoices::table
        .inner_join(invoice_sections::table)
        .filter(invoice_sections::account_key.eq(account))
        .filter(invoice_sections::own_lines.gt(0))
        .filter(invoices::overdue_at.is_not_null())
        .filter(invoices::state.eq_any(["OPEN", "FAILED"]))
        .select(invoices::payer_key)
        .distinct()
        .load(db)?;
    let owed = |payer: &Key| if *payer == account { Owed::Own } else { Owed::Others };
    Ok(payers.iter().map(owed).min_by_key(|owed| *owed == Owed::Others))
}

/// Those of the accounts that have items on an invoice that is overdue.
pub fn owing(db: &mut Db, accounts: &[Key]) -> Result<HashSet<Key>, Problem> {
    let found: Vec<Key> = invoices::table
        .inner_join(invoice_sections::table)
        .filter(one_of(invoice_sections::account_key, accounts))
        .filter(invoice_sections::own_lines.gt(0))
        .filter(invoices::overdue_at.is_not_null())
        .filter(invoices::state.eq_any(["OPEN", "FAILED"]))
        .select(invoice_sections::account_key)
        .load(db)?;
    Ok(found.into_iter().collect())
}
