//! One invoice of a payer, the accounts on it, and its lines.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::store::schema::{account_ancestry, accounts, charges, invoice_sections, invoices, ledger_items};
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

/// The sum of an account's lines that came from months before the invoice's own.
pub fn late(db: &mut Db, invoice: &Invoice) -> Result<i64, Problem> {
    let late = charges::table.filter(charges::invoice_key.eq(invoice.key)).filter(charges::month.lt(&invoice.month));
    Ok(late.count().get_result(db)?)
}
