//! What one account uses, and what it used month by month.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::lines::{LINE_COLUMNS, Line};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::store::schema::{charges, invoices, ledger_items};
use crate::web::paging::{Cursor, Want, is_backward};

/// One item of the account.
#[derive(Debug, Clone, Queryable)]
pub struct Item {
    pub key: Key,
    pub kind: String,
    pub subject_id: String,
    pub name: String,
    pub price_code: String,
    pub starts_at: NaiveDateTime,
    pub ends_at: NaiveDateTime,
}

/// A page of the account's items, the newest first: at most `limit + 1`.
pub fn items(db: &mut Db, account: Key, want: &Want, limit: usize) -> Result<Vec<Item>, Problem> {
    let mut query = ledger_items::table
        .filter(ledger_items::account_key.eq(account))
        .select((
            ledger_items::key,
            ledger_items::kind,
            ledger_items::subject_id,
            ledger_items::name,
            ledger_items::price_code,
            ledger_items::starts_at,
            ledger_items::ends_at,
        ))
        .into_boxed::<MultiBackend>();
    query = match want {
        Want::After(Cursor(_, key)) => query.filter(ledger_items::key.lt(*key)),
        Want::Before(Cursor(_, key)) => query.filter(ledger_items::key.gt(*key)),
        Want::First | Want::Last => query,
    };
    query =
        if is_backward(want) { query.order(ledger_items::key.asc()) } else { query.order(ledger_items::key.desc()) };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    Ok(query.limit(limit).load(db)?)
}

/// A line, and who was charged; none while it waits for somebody who pays.
pub type Charged = (Line, Option<Key>);

/// What a month came to for the account, in one currency.
#[derive(Debug, Clone)]
pub struct MonthSum {
    pub month: String,
    pub currency: String,
    pub lines: i64,
    pub amount: i64,
    /// Who was charged; none for what waits for somebody who pays.
    pub payers: Vec<Option<Key>>,
}

/// Payers and currencies of one account in one month: more than anybody has.
const MOST_A_MONTH: i64 = 8;

/// The last months in which the account was charged for something, the newest first; at most so many rows.
pub fn months(db: &mut Db, account: Key, most: i64) -> Result<Vec<MonthSum>, Problem> {
    // The sum of BIGINT is NUMERIC on one of the two databases.
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        month: String,
        #[diesel(sql_type = Text)]
        currency: String,
        #[diesel(sql_type = Nullable<BigInt>)]
        payer: Option<Key>,
        #[diesel(sql_type = BigInt)]
        lines: i64,
        #[diesel(sql_type = BigInt)]
        amount: i64,
    }
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT c.month, c.currency, i.payer_key AS payer, COUNT(*) AS lines, CAST(SUM(c.amount) AS BIGINT) AS amount
         FROM charges c LEFT JOIN invoices i ON i.key = c.invoice_key
         WHERE c.account_key = $1 GROUP BY c.month, c.currency, i.payer_key
         ORDER BY c.month DESC, c.currency LIMIT $2",
    )
    .bind::<BigInt, _>(account)
    .bind::<BigInt, _>(most.saturating_mul(MOST_A_MONTH))
    .load(db)?;
    let mut sums: Vec<MonthSum> = Vec::new();
    for Row { month, currency, payer, lines, amount } in rows {
        match sums.last_mut().filter(|sum| sum.month == month && sum.currency == currency) {
            Some(sum) => {
                sum.lines += lines;
                sum.amount += amount;
                sum.payers.push(payer);
            }
            None => sums.push(MonthSum { month, currency, lines, amount, payers: vec![payer] }),
        }
    }
    sums.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(sums)
}

/// The account's lines of one month, each with who was charged: at most `limit + 1`.
pub fn lines(db: &mut Db, account: Key, month: &str, want: &Want, limit: usize) -> Result<Vec<Charged>, Problem> {
    let mut query = charges::table
        .inner_join(ledger_items::table.on(ledger_items::key.eq(charges::item_key)))
        .left_join(invoices::table.on(invoices::key.nullable().eq(charges::invoice_key)))
        .filter(charges::account_key.eq(account))
        .filter(charges::month.eq(month.to_owned()))
        .select((LINE_COLUMNS, invoices::payer_key.nullable()))
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
