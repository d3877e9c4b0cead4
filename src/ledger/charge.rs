//! Charging: what each item costs for a month, as lines that nobody's invoice has yet.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use super::items::{self, Due};
use super::money;
use super::month::Month;
use super::prices::Prices;
use super::run::{self, Stage};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;

/// Lines written in one statement. Few, because SQLite looks for each of its 15 values among all that came before.
const AT_ONCE: usize = 50;

/// A line to be.
struct Charge<'a> {
    key: Key,
    item_key: Key,
    account_key: Key,
    month: String,
    kind: &'static str,
    name: &'a str,
    price_code: &'a str,
    description: &'a str,
    currency: &'a str,
    unit_amount: i64,
    from_at: NaiveDateTime,
    days: i64,
    days_in_month: i64,
    amount: i64,
    created_at: NaiveDateTime,
}

/// Writes the lines of the items that are due, at most so many items, for every month up to this one that they were not
/// charged for. The last ones end the stage.
pub fn next(db: &mut Db, month: Month, most: i64) -> Result<i64, Problem> {
    let due = items::due(db, month, most)?;
    let prices = Prices::read(db)?;
    let mut ready = Vec::new();
    for item in &due {
        let mut of = Month::parse(&item.next_month).ok_or_else(|| Problem::bug("an item without a month"))?;
        while of <= month && of.first() < item.ends_at {
            ready.extend(lines(item, of, &prices)?);
            if ready.len() >= AT_ONCE {
                write(db, &mut ready)?;
            }
            of = of.next();
        }
    }
    write(db, &mut ready)?;
    items::charged(db, month, &due)?;
    if (due.len() as i64) < most {
        run::enter(db, month, Stage::Sorting)?;
    }
    Ok(due.len() as i64)
}

const COLUMNS: [&str; 15] = [
    "key",
    "item_key",
    "account_key",
    "month",
    "kind",
    "name",
    "price_code",
    "description",
    "currency",
    "unit_amount",
    "from_at",
    "days",
    "days_in_month",
    "amount",
    "created_at",
];

/// All of them in one statement: one for each line takes several times as long on a database behind a socket.
fn write(db: &mut Db, ready: &mut Vec<Charge>) -> Result<(), Problem> {
    if ready.is_empty() {
        return Ok(());
    }
    let width = COLUMNS.len();
    let row = |n: usize| {
        let places: Vec<String> = (1..=width).map(|place| format!("${}", n * width + place)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..ready.len()).map(row).collect();
    let text = format!("INSERT INTO charges ({}) VALUES {}", COLUMNS.join(", "), rows.join(", "));
    let mut query = diesel::sql_query(text).into_boxed::<MultiBackend>();
    for line in ready.drain(..) {
        query = query
            .bind::<BigInt, _>(line.key)
            .bind::<BigInt, _>(line.item_key)
            .bind::<BigInt, _>(line.account_key)
            .bind::<Text, _>(line.month)
            .bind::<Text, _>(line.kind)
            .bind::<Text, _>(line.name.to_owned())
            .bind::<Text, _>(line.price_code.to_owned())
            .bind::<Text, _>(line.description.to_owned())
            .bind::<Text, _>(line.currency.to_owned())
            .bind::<BigInt, _>(line.unit_amount)
            .bind::<Timestamp, _>(line.from_at)
            .bind::<BigInt, _>(line.days)
            .bind::<BigInt, _>(line.days_in_month)
            .bind::<BigInt, _>(line.amount)
            .bind::<Timestamp, _>(line.created_at);
    }
    query.execute(db)?;
    Ok(())
}

/// The setup in the item's first month, and the month itself.
fn lines<'a>(item: &'a Due, month: Month, prices: &'a Prices) -> Result<Vec<Charge<'a>>, Problem> {
    let (from_at, days) = month.overlap(item.starts_at, item.ends_at);
    if days == 0 {
        return Ok(Vec::new());
    }
    let plan = prices.of_item(&item.price_code, item.starts_at, from_at);
    let plan = plan.ok_or_else(|| Problem::bug("an item has no price"))?;
    let line = |kind, unit_amount, days, amount| Charge {
        key: ids::next_key(),
        item_key: item.key,
        account_key: item.account,
        month: month.to_string(),
        kind,
        name: &item.name,
        price_code: &item.price_code,
        description: &plan.description,
        currency: &plan.currency,
        unit_amount,
        from_at,
        days,
        days_in_month: month.days(),
        amount,
        created_at: ids::now(),
    };
    let mut lines = Vec::new();
    if plan.setup_amount > 0 && Month::of(item.starts_at) == month {
        lines.push(line("SETUP", plan.setup_amount, 0, plan.setup_amount));
    }
    let amount = money::pro_rata(plan.amount, days, month.days());
    lines.push(line("RECURRING", plan.amount, days, amount));
    Ok(lines)
}
