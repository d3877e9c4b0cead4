//! One invoice of a payer, the accounts on it, and its lines.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::store::schema::{account_ancestry, accounts, invoice_sections, invoices};
use crate::web::paging::{Cursor, Want, is_backward};

/// An invoice that was issued.
#[derive(Debug, Clone, Queryable)]
pub struct Invoice {
    pub key: Key,
    pub id: String,
    pub month: String,
    pub currency: String,
    /// OPEN, PAID, FAILED, VOID
    pub state: String,
    pub number: Option<i64>,
    /// Minor units.
    pub total: i64,
    pub lines: i64,
    pub collection_method: String,
    pub bill_to: String,
    pub issued_at: Option<NaiveDateTime>,
    pub due_at: Option<NaiveDateTime>,
    pub settled_at: Option<NaiveDateTime>,
    /// The payment in hand at the provider; empty without one.
    pub provider_id: String,
    /// What is known of it: UNDERWAY, FAILED, PAID, or empty.
    pub provider_state: String,
    /// Why the last try failed.
    pub trouble: String,
    pub next_try_at: NaiveDateTime,
    pub overdue_at: Option<NaiveDateTime>,
    /// Lines of months before its own.
    pub late_lines: i64,
}

pub(super) type Columns = (
    invoices::key,
    invoices::id,
    invoices::month,
    invoices::currency,
    invoices::state,
    invoices::number,
    invoices::total,
    invoices::lines,
    invoices::collection_method,
    invoices::bill_to,
    invoices::issued_at,
    invoices::due_at,
    invoices::settled_at,
    invoices::provider_id,
    invoices::provider_state,
    invoices::trouble,
    invoices::next_try_at,
    invoices::overdue_at,
    invoices::late_lines,
);

pub(super) const COLUMNS: Columns = (
    invoices::key,
    invoices::id,
    invoices::month,
    invoices::currency,
    invoices::state,
    invoices::number,
    invoices::total,
    invoices::lines,
    invoices::collection_method,
    invoices::bill_to,
    invoices::issued_at,
    invoices::due_at,
    invoices::settled_at,
    invoices::provider_id,
    invoices::provider_state,
    invoices::trouble,
    invoices::next_try_at,
    invoices::overdue_at,
    invoices::late_lines,
);

/// One invoice of the payer; NotFound while it is a draft.
pub fn one(db: &mut Db, payer: Key, id: &str) -> Result<Invoice, Problem> {
    let row = invoices::table
        .filter(invoices::id.eq(id))
        .filter(invoices::payer_key.eq(payer))
        .filter(invoices::state.ne("DRAFT"));
    Ok(row.select(COLUMNS).first(db)?)
}

/// An account on an invoice.
#[derive(Debug, Clone, Queryable)]
pub struct Section {
    pub account: Key,
    pub id: String,
    /// As it was called when the invoice was issued.
    pub name: String,
    pub name_key: String,
    pub parent: Option<Key>,
    pub own_amount: i64,
    pub own_lines: i64,
    /// With everything below it.
    pub amount: i64,
    pub lines: i64,
    /// Accounts with lines, itself and below.
    pub accounts: i64,
}

type SectionColumns = (
    accounts::key,
    accounts::id,
    invoice_sections::name,
    invoice_sections::name_key,
    invoice_sections::parent_key,
    invoice_sections::own_amount,
    invoice_sections::own_lines,
    invoice_sections::amount,
    invoice_sections::lines,
    invoice_sections::accounts_count,
);

const SECTION_COLUMNS: SectionColumns = (
    accounts::key,
    accounts::id,
    invoice_sections::name,
    invoice_sections::name_key,
    invoice_sections::parent_key,
    invoice_sections::own_amount,
    invoice_sections::own_lines,
    invoice_sections::amount,
    invoice_sections::lines,
    invoice_sections::accounts_count,
);

/// The account's part of an invoice; the payer's own part where `id` is empty.
pub fn section(db: &mut Db, invoice: Key, id: &str) -> Result<Section, Problem> {
    let mut query = invoice_sections::table
        .inner_join(accounts::table.on(accounts::key.eq(invoice_sections::account_key)))
        .filter(invoice_sections::invoice_key.eq(invoice))
        .select(SECTION_COLUMNS)
        .into_boxed::<MultiBackend>();
    query = if id.is_empty() {
        query.filter(invoice_sections::parent_key.is_null())
    } else {
        query.filter(accounts::id.eq(id.to_owned()))
    };
    Ok(query.first(db)?)
}

/// The parts directly below a part, by name: at most `limit + 1`.
pub fn below(db: &mut Db, invoice: Key, parent: Key, want: &Want, limit: usize) -> Result<Vec<Section>, Problem> {
    let mut query = invoice_sections::table
        .inner_join(accounts::table.on(accounts::key.eq(invoice_sections::account_key)))
        .filter(invoice_sections::invoice_key.eq(invoice))
        .filter(invoice_sections::parent_key.eq(parent))
        .select(SECTION_COLUMNS)
        .into_boxed::<MultiBackend>();
    let (name, key) = (invoice_sections::name_key, invoice_sections::account_key);
    query = match want {
        Want::After(Cursor(v, k)) => query.filter(name.gt(v.clone()).or(name.eq(v.clone()).and(key.gt(*k)))),
        Want::Before(Cursor(v, k)) => query.filter(name.lt(v.clone()).or(name.eq(v.clone()).and(key.lt(*k)))),
        Want::First | Want::Last => query,
    };
    query =
        if is_backward(want) { query.order((name.desc(), key.desc())) } else { query.order((name.asc(), key.asc())) };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    Ok(query.limit(limit).load(db)?)
}

/// The parts above a part, the payer's first: id and name of each.
pub fn above(db: &mut Db, invoice: Key, section: &Section) -> Result<Vec<(String, String)>, Problem> {
    Ok(invoice_sections::table
        .inner_join(accounts::table.on(accounts::key.eq(invoice_sections::account_key)))
        .inner_join(account_ancestry::table.on(account_ancestry::ancestor_key.eq(accounts::key)))
        .filter(invoice_sections::invoice_key.eq(invoice))
        .filter(account_ancestry::descendant_key.eq(section.account))
        .filter(account_ancestry::distance.gt(0))
        .order(account_ancestry::distance.desc())
        .select((accounts::id, invoice_sections::name))
        .load(db)?)
}
