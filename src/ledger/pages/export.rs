//! The invoices as a file, and the lines of one, written batch by batch while it is sent: an invoice of a hundred
//! thousand lines is never held whole.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};

use super::filter::{Filter, ListQuery};
use crate::access::In;
use crate::access::policy::ReadBilling;
use crate::ids::Key;
use crate::ledger::issue::number_words;
use crate::ledger::money::plain;
use crate::ledger::store::invoices::{self, Invoice};
use crate::ledger::store::lines::{self, Line};
use crate::ledger::store::list;
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::Want;
use crate::web::when::When;
use crate::web::{Site, csv};

/// Lines read at once.
const AT_ONCE: i64 = 1_000;
/// Invoices in one file: eight hundred years of months.
const MOST_INVOICES: usize = 10_000;

const LIST_HEAD: [&str; 9] = ["Number", "Id", "Month", "State", "Currency", "Total", "Lines", "Issued", "Due"];

/// GET /a/{account}/invoices.csv?state=&year=: those that the page shows, on all its pages.
pub async fn list(by: In<ReadBilling>, site: Site, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let (account, only) = (by.account().key, Filter::of(&query).only);
    let rows = site.read_late(move |db| list::page(db, account, &only, &Want::First, MOST_INVOICES)).await?;
    let day = |at: Option<chrono::NaiveDateTime>| at.map_or_else(String::new, |at| When::day(at).iso);
    let rows = rows.into_iter().map(|row| {
        vec![
            number_words(row.number.unwrap_or(0)),
            row.id,
            row.month,
            row.state,
            row.currency.clone(),
            plain(row.total, &row.currency),
            row.lines.to_string(),
            day(row.issued_at),
            day(row.due_at),
        ]
    });
    csv::file(&format!("Invoices {}.csv", by.account().name), &LIST_HEAD, rows)
}

const LINES_HEAD: [&str; 16] = [
    "Account id",
    "Account",
    "Kind",
    "Object id",
    "Name",
    "Price code",
    "Description",
    "Month",
    "Late",
    "What for",
    "From",
    "Days",
    "Days in month",
    "Price",
    "Amount",
    "Currency",
];

/// Where the file has come to: the account and the line written last.
type Reached = (Key, Key);

/// GET /a/{account}/invoices/{invoice}.csv: every line for those who may read billing below, the payer's own otherwise.
pub async fn invoice(by: In<ReadBilling>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (account, id) = (by.account().key, path.1.clone());
    let found = site.pool.read(move |db| invoices::one(db, account, &id)).await?;
    let only = (!by.frame().may_below::<ReadBilling>()).then_some(account);
    let name = format!("Invoice {}.csv", number_words(found.number.unwrap_or(0)));
    let read = move |db: &mut Db, after: Option<Reached>| {
        let rows = lines::every_line(db, found.key, only, after.unwrap_or_default(), AT_ONCE)?;
        let reached = rows.last().filter(|_| rows.len() as i64 == AT_ONCE).map(|(line, ..)| (line.account, line.key));
        Ok((rows.into_iter().map(|(line, id, name)| cells(&found, line, id, name)).collect(), reached))
    };
    csv::stream(&site.pool, &name, &LINES_HEAD, read).await
}

fn cells(invoice: &Invoice, line: Line, id: String, name: String) -> Vec<String> {
    let late = if line.month < invoice.month { "late" } else { "" };
    vec![
        id,
        name,
        line.item_kind,
        line.subject_id,
        line.name,
        line.price_code,
        line.description,
        line.month,
        late.to_owned(),
        line.kind,
        When::day(line.from_at).iso,
        line.days.to_string(),
        line.days_in_month.to_string(),
        plain(line.unit_amount, &line.currency),
        plain(line.amount, &line.currency),
        line.currency,
    ]
}
