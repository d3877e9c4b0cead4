//! What an account uses as a file: its items, then what each month came to, or the lines of one month, as the page has
//! them. Prices stand in it where the page shows them; where it shows none, their columns are not there.

use actix_web::HttpResponse;
use actix_web::web::Query;

use super::usage::{UsageQuery, price_of, sees_price};
use crate::access::In;
use crate::access::policy::ReadBilling;
use crate::ids::{self, Key};
use crate::ledger::money::plain;
use crate::ledger::month::Month;
use crate::ledger::prices::Prices;
use crate::ledger::showing::Sight;
use crate::ledger::store::lines::Line;
use crate::ledger::store::usage::{self, Item, MonthSum};
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::{Cursor, Want};
use crate::web::when::When;
use crate::web::{Site, csv};

/// Items, or lines, that are read at once.
const AT_ONCE: usize = 1_000;
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
    let account = grant.account().key;
    let read = move |db: &mut Db| Ok((usage::months(db, account, MOST_MONTHS)?, Sight::of(db, grant.frame())?));
    let (months, sight) = site.pool.read_long(read).await?;
    let priced = sight.now() || months.iter().any(|month| month.is_seen(&sight));
    let head: Vec<&str> = HEAD.iter().chain(PRICED.iter().filter(|_| priced)).copied().collect();
    let all_seen = months.iter().all(|month| month.is_seen(&sight));
    let months: Vec<Vec<String>> = months
        .into_iter()
        .map(|sum| (sum.is_seen(&sight), sum))
        .map(|(seen, sum)| shown(of_month(sum), priced, seen))
        .collect();
    let read = move |db: &mut Db, after: Option<Key>| {
        let want = after.map_or(Want::First, |key| Want::After(Cursor(String::new(), key)));
        let mut items = usage::items(db, account, &want, AT_ONCE)?;
        let more = items.len() > AT_ONCE;
        items.truncate(AT_ONCE);
        let prices = Prices::of(db, items.iter().map(|item| item.price_code.as_str()))?;
        let reached = items.last().filter(|_| more).map(|item| item.key);
        let row = |item: Item| {
            let seen = sees_price(&item, &sight, all_seen);
            shown(of_item(item, &prices), priced, seen)
        };
        let mut rows: Vec<Vec<String>> = items.into_iter().map(row).collect();
        if !more {
            rows.extend(months.iter().cloned());
        }
        Ok((rows, reached))
    };
    csv::stream(&site.pool, &format!("Usage {}.csv", by.account().name), &head, read).await
}

/// The last three columns are amounts.
fn shown(mut row: Vec<String>, priced: bool, seen: bool) -> Vec<String> {
    let amounts = row.len() - PRICED.len();
    if !priced {
        row.truncate(amounts);
    } else if !seen {
        row[amounts..].iter_mut().for_each(String::clear);
    }
    row
}

const LINES_HEAD: [&str; 10] =
    ["Kind", "Object id", "Name", "Price code", "Description", "Month", "What for", "From", "Days", "Days in month"];
const LINES_PRICED: [&str; 3] = ["Price", "Amount", "Currency"];

async fn of_one_month(by: &In<ReadBilling>, site: &Site, month: Month) -> Result<HttpResponse, Problem> {
    let grant = by.clone();
    let (account, stored) = (grant.account().key, month.to_string());
    let read = move |db: &mut Db| Ok((usage::months(db, account, MOST_MONTHS)?, Sight::of(db, grant.frame())?));
    let (months, sight) = site.pool.read_long(read).await?;
    let mut payers = months.iter().filter(|sum| sum.month == stored).flat_map(|sum| &sum.payers);
    let priced = payers.any(|payer| sight.charged_to(*payer));
    let head: Vec<&str> = LINES_HEAD.iter().chain(LINES_PRICED.iter().filter(|_| priced)).copied().collect();
    let read = move |db: &mut Db, after: Option<Key>| {
        let want = after.map_or(Want::First, |key| Want::After(Cursor(String::new(), key)));
        let mut lines = usage::lines(db, account, &stored, &want, AT_ONCE)?;
        let more = lines.len() > AT_ONCE;
        lines.truncate(AT_ONCE);
        let reached = lines.last().filter(|_| more).map(|line| line.0.key);
        let row = |(line, payer)| shown(of_line(line), priced, sight.charged_to(payer));
        Ok((lines.into_iter().map(row).collect(), reached))
    };
    csv::stream(&site.pool, &format!("Usage {} {month}.csv", by.account().name), &head, read).await
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
