//! What an account uses as a file: its items, then what each month came to, or the lines of one month, as the page has
//! them. Prices stand in it
//! where the page shows them; where it does not, their columns are not there.

use actix_web::HttpResponse;
use actix_web::web::Query;

use super::usage::{UsageQuery, price_of};
use crate::access::In;
use crate::access::policy::ReadBilling;
use crate::ids;
use crate::ledger::money::plain;
use crate::ledger::month::Month;
use crate::ledger::prices::Prices;
use crate::ledger::showing;
use crate::ledger::store::lines::Line;
use crate::ledger::store::usage::{self, Item, MonthSum};
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::Want;
use crate::web::when::When;
use crate::web::{Site, csv};

const MOST_ITEMS: usize = 100_000;
const MOST_MONTHS: i64 = 10_000;

const HEAD: [&str; 10] =
    ["What", "Kind", "Object id", "Name", "Price code", "Description", "Since", "Until", "Month", "Lines"];
const PRICED: [&str; 3] = ["Price a month", "Amount", "Currency"];

/// GET /a/{account}/usage.csv?month=
pub async fn show(by: In<ReadBilling>, site: Site, query: Query<UsageQuery>) -> Result<HttpResponse, Problem> {
    match Month::parse(&query.month) {
        Some(month) => of_one_month(&by, &site, month).await,
        None => now(&by, &site).await,
    }
}

async fn now(by: &In<ReadBilling>, site: &Site) -> Result<HttpResponse, Problem> {
    let grant = by.clone();
    let read = move |db: &mut Db| {
        let account = grant.account().key;
        let items = usage::items(db, account, &Want::First, MOST_ITEMS)?;
        let months = usage::months(db, account, MOST_MONTHS)?;
        Ok((items, months, Prices::read(db)?, showing::sees_prices(db, grant.frame())?))
    };
    let (items, months, prices, priced) = site.pool.read_long(read).await?;
    let items = items.into_iter().map(|item| of_item(item, &prices));
    let rows = items.chain(months.into_iter().map(of_month));
    file(&format!("Usage {}.csv", by.account().name), &HEAD, &PRICED, priced, rows)
}

/// The last columns are amounts.
fn file(
    name: &str,
    head: &[&str],
    amounts: &[&str],
    priced: bool,
    rows: impl Iterator<Item = Vec<String>>,
) -> Result<HttpResponse, Problem> {
    let head: Vec<&str> = head.iter().chain(amounts.iter().filter(|_| priced)).copied().collect();
    let shown = rows.map(|mut row| {
        row.truncate(head.len());
        row
    });
    csv::file(name, &head, shown)
}

const LINES_HEAD: [&str; 10] =
    ["Kind", "Object id", "Name", "Price code", "Description", "Month", "What for", "From", "Days", "Days in month"];
const LINES_PRICED: [&str; 3] = ["Price", "Amount", "Currency"];

async fn of_one_month(by: &In<ReadBilling>, site: &Site, month: Month) -> Result<HttpResponse, Problem> {
    let grant = by.clone();
    let read = move |db: &mut Db| {
        let lines = usage::lines(db, grant.account().key, &month.to_string(), &Want::First, MOST_ITEMS)?;
        Ok((lines, showing::sees_prices(db, grant.frame())?))
    };
    let (lines, priced) = site.pool.read_long(read).await?;
    let name = format!("Usage {} {month}.csv", by.account().name);
    file(&name, &LINES_HEAD, &LINES_PRICED, priced, lines.into_iter().map(of_line))
}

fn of_line(line: Line) -> Vec<String> {
    vec![
        line.item_kind,
        line.subject_id,
        line.name,
        line.price_code,
        line.description,
        line.month,
        line.kind,
        When::day(line.from_at).iso,
        line.days.to_string(),
        line.days_in_month.to_string(),
        plain(line.unit_amount, &line.currency),
        plain(line.amount, &line.currency),
        line.currency,
    ]
}

fn of_item(item: Item, prices: &Prices) -> Vec<String> {
    let plan = price_of(&item, prices);
    let until = if item.ends_at < ids::never() { When::day(item.ends_at).iso } else { String::new() };
    let (amount, currency) =
        plan.map_or_else(Default::default, |plan| (plain(plan.amount, &plan.currency), plan.currency.clone()));
    vec![
        "ITEM".to_owned(),
        item.kind,
        item.subject_id,
        item.name,
        item.price_code,
        plan.map_or_else(String::new, |plan| plan.description.clone()),
        When::day(item.starts_at).iso,
        until,
        String::new(),
        String::new(),
        amount,
        String::new(),
        currency,
    ]
}

fn of_month(sum: MonthSum) -> Vec<String> {
    let mut row = vec!["MONTH".to_owned()];
    row.extend(std::iter::repeat_n(String::new(), 7));
    row.extend([sum.month, sum.lines.to_string(), String::new(), plain(sum.amount, &sum.currency), sum.currency]);
    row
}
