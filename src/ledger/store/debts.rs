//! Who has items on invoices that were not paid in time.

use diesel::dsl::{exists, select};
use diesel::prelude::*;

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{invoice_sections, invoices};

/// Whether the account has items on an invoice that is overdue. Accounts that only stand above such items have not.
pub fn owes(db: &mut Db, account: Key) -> Result<bool, Problem> {
    let overdue = invoices::table
        .inner_join(invoice_sections::table)
        .filter(invoice_sections::account_key.eq(account))
        .filter(invoice_sections::own_lines.gt(0))
        .filter(invoices::overdue_at.is_not_null())
        .filter(invoices::state.eq_any(["OPEN", "FAILED"]));
    Ok(select(exists(overdue)).get_result(db)?)
}
