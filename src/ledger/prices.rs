//! The price list: loaded by the operator from a file, complete or not at all, from a day on. Prices are only ever
//! added, and what was charged keeps the price it was charged at.
//!
//! An item costs what its code costs on the first day that is charged in the month. While the term runs that the price
//! of its first day has, it costs what it cost on that day.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use chrono::{Months, NaiveDate, NaiveDateTime, NaiveTime};
use diesel::prelude::*;

use super::{money, run};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::store::schema::price_plans;
use crate::text;

/// The columns of the file, in this order.
pub const HEAD: [&str; 7] = ["code", "description", "currency", "interval", "amount", "setup_amount", "term"];
/// Minor units: a hundred thousand lines of this still fit.
const LARGEST_AMOUNT: i64 = 1_000_000_000_000;
/// Months.
const LONGEST_TERM: i64 = 120;
const LONGEST_CODE: usize = 64;
const LONGEST_DESCRIPTION: usize = 256;
const LARGEST_FILE: usize = 16 * 1024 * 1024;

/// What something costs from a day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub code: String,
    pub description: String,
    pub currency: String,
    /// Each month, in minor units.
    pub amount: i64,
    /// Once, in minor units.
    pub setup_amount: i64,
    /// Months for which the price of the first day holds.
    pub term_months: i64,
    pub effective_at: NaiveDateTime,
}

/// Prices by code and day.
pub struct Prices(HashMap<String, Vec<Plan>>);

impl Prices {
    /// Every price there is.
    pub fn read(db: &mut Db) -> Result<Prices, Problem> {
        Ok(Prices::sorted(plans(db, None)?))
    }

    /// Those of these codes alone.
    pub fn of<'a>(db: &mut Db, codes: impl IntoIterator<Item = &'a str>) -> Result<Prices, Problem> {
        let codes: BTreeSet<&str> = codes.into_iter().collect();
        Ok(Prices::sorted(plans(db, Some(codes))?))
    }

    fn sorted(plans: Vec<Plan>) -> Prices {
        let mut prices: HashMap<String, Vec<Plan>> = HashMap::new();
        for plan in plans {
            prices.entry(plan.code.clone()).or_default().push(plan);
        }
        Prices(prices)
    }

    /// The price in force on a day.
    pub fn on(&self, code: &str, day: NaiveDateTime) -> Option<&Plan> {
        self.0.get(code)?.iter().rev().find(|plan| plan.effective_at <= day)
    }

    /// What an item that started on `starts` costs in a month of which `day` is the first day charged.
    pub fn of_item(&self, code: &str, starts: NaiveDateTime, day: NaiveDateTime) -> Option<&Plan> {
        let first = self.on(code, starts)?;
        let months = Months::new(u32::try_from(first.term_months).unwrap_or(0));
        let bound_until = starts.checked_add_months(months).unwrap_or(starts);
        if day < bound_until { Some(first) } else { self.on(code, day) }
    }
}

fn plans(db: &mut Db, codes: Option<BTreeSet<&str>>) -> Result<Vec<Plan>, Problem> {
    let mut rows = price_plans::table.into_boxed::<MultiBackend>();
    if let Some(codes) = codes {
        rows = rows.filter(price_plans::code.eq_any(codes.into_iter().map(str::to_owned).collect::<Vec<_>>()));
    }
    let rows = rows.order((price_plans::code, price_plans::effective_at)).select((
        price_plans::code,
        price_plans::description,
        price_plans::currency,
        price_plans::amount,
        price_plans::setup_amount,
        price_plans::term_months,
        price_plans::effective_at,
    ));
    type Row = (String, String, String, i64, i64, i64, NaiveDateTime);
    let plan = |(code, description, currency, amount, setup_amount, term_months, effective_at)| Plan {
        code,
        description,
        currency,
        amount,
        setup_amount,
        term_months,
        effective_at,
    };
    Ok(rows.load::<Row>(db)?.into_iter().map(plan).collect())
}

/// Loads the file; answers a sentence, or every complaint about it, by line. Then nothing is loaded.
pub fn load_file(db: &mut Db, effective: &str, file: &Path) -> Result<String, Vec<String>> {
    let bytes = std::fs::read(file).map_err(|error| vec![format!("{}: {error}", file.display())])?;
    load(db, effective, &bytes)
}

/// The same with what is in the file.
pub fn load(db: &mut Db, effective: &str, bytes: &[u8]) -> Result<String, Vec<String>> {
    let wrong_day = || vec![format!("--effective {effective:?}: it must be a day such as 2027-01-31")];
    let day = day(effective).ok_or_else(wrong_day);
    let read = read_file(bytes, day.clone().unwrap_or_default());
    let (day, lines) = match (day, read) {
        (Ok(day), Ok(lines)) => (day, lines),
        (day, read) => return Err([day.err(), read.err()].into_iter().flatten().flatten().collect()),
    };
    let mut complaints = Vec::new();
    let loaded = audit::change_by_system(db, |db| {
        run::lock(db)?;
        complaints = beside_the_known(db, day, &lines)?;
        if !complaints.is_empty() {
            return Err(Problem::bug("the file is refused"));
        }
        let mut new = 0;
        for (_, plan) in &lines {
            new += insert(db, plan)?;
        }
        let subject = Subject::new("PRICE_LIST", effective.trim(), "Price list");
        let event = Event::new(EventType::PriceListCreate, subject);
        Ok((new, event.with("effective", effective.trim()).with("prices", new.to_string())))
    });
    match loaded {
        Ok(new) => {
            let known = lines.len() - new;
            let rest = if known > 0 { format!(" {known} of the file are loaded already.") } else { String::new() };
            Ok(format!("Loaded {} from {} on.{rest}", text::count(new as i64, "price", "prices"), effective.trim()))
        }
        Err(_) if !complaints.is_empty() => Err(complaints),
        Err(problem) => Err(vec![format!("the database could not take it: {problem}")]),
    }
}

fn day(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10)?;
    Some(day.and_time(NaiveTime::MIN))
}

type Lines = Vec<(u64, Plan)>;

/// The lines of the file with their numbers, each right in itself.
fn read_file(bytes: &[u8], day: NaiveDateTime) -> Result<Lines, Vec<String>> {
    if bytes.len() > LARGEST_FILE {
        return Err(vec![format!("the file is larger than {} MB", LARGEST_FILE / 1024 / 1024)]);
    }
    let Ok(file) = std::str::from_utf8(bytes) else { return Err(vec!["the file is not text in UTF-8".to_owned()]) };
    let file = file.trim_start_matches('\u{feff}');
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).has_headers(false).from_reader(file.as_bytes());
    let mut wrong = Vec::new();
    let mut lines: Lines = Vec::new();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut is_head = true;
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                wrong.push(format!("the file cannot be read: {error}"));
                break;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if std::mem::take(&mut is_head) {
            if !record.iter().eq(HEAD) {
                return Err(vec![format!("line 1: the first line must be “{}”", HEAD.join(","))]);
            }
            continue;
        }
        let cells: Vec<&str> = record.iter().collect();
        let Ok(cells) = <[&str; 7]>::try_from(cells.as_slice()) else {
            wrong.push(format!("line {line}: there are {} values; it must be {}", cells.len(), HEAD.len()));
            continue;
        };
        match read_line(cells, day) {
            Ok(plan) => match seen.insert(plan.code.clone(), line) {
                Some(first) => wrong.push(format!("line {line}: {} is there already, in line {first}", plan.code)),
                None => lines.push((line, plan)),
            },
            Err(complaints) => wrong.extend(complaints.into_iter().map(|why| format!("line {line}: {why}"))),
        }
    }
    if lines.is_empty() && wrong.is_empty() {
        wrong.push("the file has no prices".to_owned());
    }
    if wrong.is_empty() { Ok(lines) } else { Err(wrong) }
}

fn read_line(cells: [&str; 7], effective_at: NaiveDateTime) -> Result<Plan, Vec<String>> {
    let [code, description, currency, interval, amount, setup, term] = cells;
    let mut wrong = Vec::new();
    let right = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if code.is_empty() || code.len() > LONGEST_CODE || !code.chars().all(right) {
        wrong.push(format!("code {code:?}: 1 to {LONGEST_CODE} letters, digits, “-”, “_” and “.”"));
    }
    let length = description.chars().count();
    if length == 0 || length > LONGEST_DESCRIPTION || description.chars().any(char::is_control) {
        wrong.push(format!("description {description:?}: 1 to {LONGEST_DESCRIPTION} characters on one line"));
    }
    if money::currency(currency).is_none() {
        wrong.push(format!("currency {currency:?}: it must be an ISO 4217 code such as EUR"));
    }
    if interval != "MONTH" {
        wrong.push(format!("interval {interval:?}: it must be MONTH"));
    }
    let mut number = |name: &str, text: &str, most: i64| {
        let number = text.parse::<i64>().ok().filter(|n| (0..=most).contains(n) && !text.starts_with('+'));
        if number.is_none() {
            wrong.push(format!("{name} {text:?}: a whole number from 0 to {most}"));
        }
        number.unwrap_or(0)
    };
    let amount = number("amount", amount, LARGEST_AMOUNT);
    let setup_amount = number("setup_amount", setup, LARGEST_AMOUNT);
    let term_months = number("term", term, LONGEST_TERM);
    let plan = Plan {
        code: code.to_owned(),
        description: description.to_owned(),
        currency: currency.to_owned(),
        amount,
        setup_amount,
        term_months,
        effective_at,
    };
    if wrong.is_empty() { Ok(plan) } else { Err(wrong) }
}

/// What is wrong with the lines beside what is loaded and charged already.
fn beside_the_known(db: &mut Db, day: NaiveDateTime, lines: &Lines) -> Result<Vec<String>, Problem> {
    let mut wrong = Vec::new();
    if let Some(month) = run::latest(db)?.filter(|month| day < month.next().first()) {
        let earliest = month.next().first().format("%Y-%m-%d");
        wrong.push(format!("--effective: {} is charged already; the earliest day is {earliest}", month.words()));
    }
    let known = Prices::read(db)?;
    for (line, plan) in lines {
        let Some(earlier) = known.0.get(&plan.code) else { continue };
        if let Some(same) = earlier.iter().find(|one| one.effective_at == day && *one != plan) {
            let amount = money::words(same.amount, &same.currency);
            wrong.push(format!(
                "line {line}: {} costs {amount} from that day on already; choose a later day",
                plan.code
            ));
        }
        if let Some(other) = earlier.iter().find(|one| one.currency != plan.currency) {
            wrong.push(format!("line {line}: {} is priced in {} and stays so", plan.code, other.currency));
        }
    }
    Ok(wrong)
}

/// 1 for a new price, 0 for one that is there already.
fn insert(db: &mut Db, plan: &Plan) -> Result<usize, Problem> {
    let known = price_plans::table
        .filter(price_plans::code.eq(&plan.code))
        .filter(price_plans::effective_at.eq(plan.effective_at))
        .select(price_plans::key);
    if known.first::<Key>(db).optional()?.is_some() {
        return Ok(0);
    }
    Ok(diesel::insert_into(price_plans::table)
        .values((
            price_plans::key.eq(ids::next_key()),
            price_plans::id.eq(ids::new_id("price")),
            price_plans::code.eq(&plan.code),
            price_plans::description.eq(&plan.description),
            price_plans::currency.eq(&plan.currency),
            price_plans::charged_every.eq("MONTH"),
            price_plans::amount.eq(plan.amount),
            price_plans::setup_amount.eq(plan.setup_amount),
            price_plans::term_months.eq(plan.term_months),
            price_plans::effective_at.eq(plan.effective_at),
            price_plans::loaded_at.eq(ids::now()),
        ))
        .execute(db)?)
}
