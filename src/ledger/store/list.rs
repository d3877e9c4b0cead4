//! The list of a payer's invoices.

use diesel::dsl::{max, min};
use diesel::prelude::*;

use super::invoices::{COLUMNS, Invoice};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::store::schema::invoices;
use crate::web::paging::{Cursor, Want, is_backward};

/// Which of them.
#[derive(Debug, Clone, Default)]
pub struct Only {
    /// None: in any state.
    pub states: &'static [&'static str],
    /// Of its month, "2025"; empty for any.
    pub year: String,
}

/// A page of the payer's invoices, the newest first: at most `limit + 1`.
pub fn page(db: &mut Db, payer: Key, only: &Only, want: &Want, limit: usize) -> Result<Vec<Invoice>, Problem> {
    let mut query = invoices::table
        .filter(invoices::payer_key.eq(payer))
        .filter(invoices::state.ne("DRAFT"))
        .filter(invoices::number.is_not_null())
        .into_boxed::<MultiBackend>();
    if !only.states.is_empty() {
        query = query.filter(invoices::state.eq_any(only.states));
    }
    if !only.year.is_empty() {
        let (first, last) = (format!("{}-01", only.year), format!("{}-12", only.year));
        query = query.filter(invoices::month.ge(first)).filter(invoices::month.le(last));
    }
    query = match want {
        Want::After(Cursor(_, number)) => query.filter(invoices::number.lt(*number)),
        Want::Before(Cursor(_, number)) => query.filter(invoices::number.gt(*number)),
        Want::First | Want::Last => query,
    };
    query = if is_backward(want) { query.order(invoices::number.asc()) } else { query.order(invoices::number.desc()) };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    Ok(query.limit(limit).select(COLUMNS).load(db)?)
}

/// The first and the last year of the payer's invoices; none where there is no invoice.
pub fn years(db: &mut Db, payer: Key) -> Result<Option<(i64, i64)>, Problem> {
    let of_payer = invoices::table.filter(invoices::payer_key.eq(payer)).filter(invoices::state.ne("DRAFT"));
    let ends: (Option<String>, Option<String>) =
        of_payer.select((min(invoices::month), max(invoices::month))).first(db)?;
    let year = |month: Option<String>| month?.get(..4)?.parse::<i64>().ok();
    Ok(year(ends.0).zip(year(ends.1)))
}
