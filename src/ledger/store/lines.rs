//! Lines of an invoice.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::store::schema::{accounts, charges, invoice_sections, ledger_items};
use crate::web::paging::{Cursor, Want, is_backward};

/// One line.
#[derive(Debug, Clone, Queryable)]
pub struct Line {
    pub key: Key,
    pub account: Key,
    pub month: String,
    pub kind: String,
    pub name: String,
    pub price_code: String,
    pub description: String,
    pub currency: String,
    pub unit_amount: i64,
    pub from_at: NaiveDateTime,
    pub days: i64,
    pub days_in_month: i64,
    pub amount: i64,
    /// PORT, CONNECTION
    pub item_kind: String,
    pub subject_id: String,
}

type LineColumns = (
    charges::key,
    charges::account_key,
    charges::month,
    charges::kind,
    charges::name,
    charges::price_code,
    charges::description,
    charges::currency,
    charges::unit_amount,
    charges::from_at,
    charges::days,
    charges::days_in_month,
    charges::amount,
    ledger_items::kind,
    ledger_items::subject_id,
);

pub const LINE_COLUMNS: LineColumns = (
    charges::key,
    charges::account_key,
    charges::month,
    charges::kind,
    charges::name,
    charges::price_code,
    charges::description,
    charges::currency,
    charges::unit_amount,
    charges::from_at,
    charges::days,
    charges::days_in_month,
    charges::amount,
    ledger_items::kind,
    ledger_items::subject_id,
);

/// An account's own lines on an invoice, in the order in which they were charged: at most `limit + 1`.
pub fn lines(db: &mut Db, invoice: Key, account: Key, want: &Want, limit: usize) -> Result<Vec<Line>, Problem> {
    let mut query = charges::table
        .inner_join(ledger_items::table.on(ledger_items::key.eq(charges::item_key)))
        .filter(charges::invoice_key.eq(invoice))
        .filter(charges::account_key.eq(account))
        .select(LINE_COLUMNS)
        .into_boxed::<MultiBackend>();
    query = match want {
        Want::After(Cursor(_, key)) => query.filter(charges::key.gt(*key)),
        Want::Before(Cursor(_, key)) => query.filter(charges::key.lt(*key)),
        Want::First | Want::Last => query,
    };
    query = if is_backward(want) { query.order(charges::key.desc()) } else { query.order(charges::key.asc()) };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    Ok(query.limit(limit).load(db)?)
}

/// Lines of the whole invoice, account by account, after the one before; each with the account's id and name on it.
/// `only`: of this account alone.
pub fn every_line(
    db: &mut Db,
    invoice: Key,
    only: Option<Key>,
    after: (Key, Key),
    most: i64,
) -> Result<Vec<(Line, String, String)>, Problem> {
    let (account, key) = after;
    let mut query =
        charges::table
            .inner_join(ledger_items::table.on(ledger_items::key.eq(charges::item_key)))
            .inner_join(accounts::table.on(accounts::key.eq(charges::account_key)))
            .inner_join(invoice_sections::table.on(
                invoice_sections::invoice_key.eq(invoice).and(invoice_sections::account_key.eq(charges::account_key)),
            ))
            .filter(charges::invoice_key.eq(invoice))
            .filter(charges::account_key.gt(account).or(charges::account_key.eq(account).and(charges::key.gt(key))))
            .order((charges::account_key, charges::key))
            .limit(most)
            .select((LINE_COLUMNS, accounts::id, invoice_sections::name))
            .into_boxed::<MultiBackend>();
    if let Some(only) = only {
        query = query.filter(charges::account_key.eq(only));
    }
    Ok(query.load(db)?)
}
