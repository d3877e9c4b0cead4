//! Making a month, in steps that are one transaction each: *charging* writes the lines of every item, *sorting* puts
//! each line on the draft of whoever pays for its account at that moment, *issuing* completes one invoice after the
//! other. How far it has come is in the database, so a run that is killed between or inside steps goes on with the
//! next run, and two runs at once do the same work once. A step holds so many rows and no more.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;

use super::month::Month;
use super::{charge, issue, items, money};
use crate::billing;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::schema::{billing_months, charges, invoices, ledger_items};
use crate::store::{self as database, Db, Pool, dialect};

/// Items, or lines, that one step of the command deals with.
pub const AT_ONCE: i64 = 500;

/// The lock of the ledger, beside those of the trees: who takes both takes the tree's first. Until the transaction
/// ends.
pub fn lock(db: &mut Db) -> Result<(), Problem> {
    const LEDGER: Key = 0x6c65_6467_6572;
    Ok(dialect::lock_tree(db, LEDGER)?)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Charging,
    Sorting,
    Issuing,
    Done,
}

impl Stage {
    const EVERY: [Stage; 4] = [Stage::Charging, Stage::Sorting, Stage::Issuing, Stage::Done];

    /// As it is stored.
    pub fn code(self) -> &'static str {
        ["CHARGING", "SORTING", "ISSUING", "DONE"][self as usize]
    }

    /// For the progress bar.
    pub fn words(self) -> &'static str {
        ["Charging items", "Finding payers", "Issuing invoices", "Done"][self as usize]
    }

    fn of_code(code: &str) -> Result<Stage, Problem> {
        let found = Stage::EVERY.into_iter().find(|stage| stage.code() == code);
        found.ok_or_else(|| Problem::bug("a stage of a month that nobody knows"))
    }
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The stage that it belonged to.
    pub stage: Stage,
    /// Items, lines or invoices dealt with.
    pub done: i64,
}

/// The latest month that was begun.
pub fn latest(db: &mut Db) -> Result<Option<Month>, Problem> {
    let row = billing_months::table.order(billing_months::month.desc()).select(billing_months::month);
    Ok(row.first::<String>(db).optional()?.as_deref().and_then(Month::parse))
}

fn state(db: &mut Db, month: Month) -> Result<Option<(Stage, Key)>, Problem> {
    let row = billing_months::table.find(month.to_string()).select((billing_months::stage, billing_months::after_key));
    let found: Option<(String, Key)> = row.first(db).optional()?;
    found.map(|(stage, after)| Ok((Stage::of_code(&stage)?, after))).transpose()
}

/// How far the month is; none when it was not begun.
pub fn stage(db: &mut Db, month: Month) -> Result<Option<Stage>, Problem> {
    Ok(state(db, month)?.map(|(stage, _)| stage))
}

/// Begins the month, or finds how far it is. The complaint says why it cannot be made.
pub fn begin(db: &mut Db, month: Month) -> Result<Result<Stage, String>, Problem> {
    database::write(db, |db| {
        lock(db)?;
        if let Some((stage, _)) = state(db, month)? {
            if stage == Stage::Done && issue::take_up(db, month)? > 0 {
                enter(db, month, Stage::Issuing)?;
                return Ok(Ok(Stage::Issuing));
            }
            return Ok(Ok(stage));
        }
        if month.next().first() > ids::now() {
            return Ok(Err(format!("{} is not over yet", month.words())));
        }
        if let Some(later) = latest(db)?.filter(|latest| *latest > month) {
            let words = later.words();
            return Ok(Err(format!("{words} was made already; what {} lacks is on its invoices", month.words())));
        }
        let unfinished = billing_months::table.filter(billing_months::stage.ne(Stage::Done.code()));
        if let Some(before) = unfinished.select(billing_months::month).first::<String>(db).optional()? {
            return Ok(Err(format!("{before} was begun and not finished: make that month first")));
        }
        diesel::insert_into(billing_months::table)
            .values((
                billing_months::month.eq(month.to_string()),
                billing_months::stage.eq(Stage::Charging.code()),
                billing_months::started_at.eq(ids::now()),
            ))
            .execute(db)?;
        Ok(Ok(Stage::Charging))
    })
}

/// How much the stages that are left have to do, for the progress bar: items, then lines, then invoices.
pub fn outlook(db: &mut Db, month: Month, stage: Stage) -> Result<i64, Problem> {
    match stage {
        Stage::Charging => items::count_due(db, month),
        Stage::Sorting => {
            let after = state(db, month)?.map_or(0, |(_, after)| after);
            let waiting = charges::table.filter(charges::invoice_key.is_null()).filter(charges::key.gt(after));
            Ok(waiting.count().get_result(db)?)
        }
        Stage::Issuing => {
            let drafts = invoices::table.filter(invoices::month.eq(month.to_string()));
            let drafts = drafts.filter(invoices::state.eq("DRAFT")).filter(invoices::set_aside_at.is_null());
            Ok(drafts.count().get_result(db)?)
        }
        Stage::Done => Ok(0),
    }
}

/// The next step of a month that was begun, with so many items or lines at most; none when it is done.
pub fn step(db: &mut Db, month: Month, most: i64) -> Result<Option<Step>, Problem> {
    let stage = stage(db, month)?.ok_or_else(|| Problem::bug("a month that was not begun"))?;
    let done = match stage {
        Stage::Charging => in_stage(db, month, stage, |db, _| charge::next(db, month, most))?,
        Stage::Sorting => in_stage(db, month, stage, |db, after| sort(db, month, after, most))?,
        Stage::Issuing => issue::next(db, month)?,
        Stage::Done => return Ok(None),
    };
    Ok(Some(Step { stage, done }))
}

/// All steps that are left of a month that was begun.
pub fn finish(pool: &Pool, month: Month) -> Result<(), Problem> {
    while pool.write_here(|db| step(db, month, AT_ONCE))?.is_some() {}
    Ok(())
}

/// One transaction under the ledger's lock, if the month still is in this stage.
fn in_stage(
    db: &mut Db,
    month: Month,
    stage: Stage,
    act: impl FnOnce(&mut Db, Key) -> Result<i64, Problem>,
) -> Result<i64, Problem> {
    database::write(db, |db| {
        lock(db)?;
        match state(db, month)? {
            Some((now, after)) if now == stage => act(db, after),
            _ => Ok(0),
        }
    })
}

/// The month enters its next stage.
pub(super) fn enter(db: &mut Db, month: Month, stage: Stage) -> Result<(), Problem> {
    let finished_at = (stage == Stage::Done).then(ids::now);
    diesel::update(billing_months::table.find(month.to_string()))
        .set((
            billing_months::stage.eq(stage.code()),
            billing_months::after_key.eq(0),
            billing_months::finished_at.eq(finished_at),
        ))
        .execute(db)?;
    Ok(())
}

/// Puts waiting lines on the drafts of those who pay for their accounts now. Lines of accounts for which nobody can be
/// charged go on waiting, for the next month.
fn sort(db: &mut Db, month: Month, after: Key, most: i64) -> Result<i64, Problem> {
    let waiting: Vec<(Key, Key, String, i64)> = charges::table
        .filter(charges::invoice_key.is_null())
        .filter(charges::key.gt(after))
        .order(charges::key)
        .limit(most)
        .select((charges::key, charges::account_key, charges::currency, charges::amount))
        .load(db)?;
    let mut accounts: Vec<Key> = waiting.iter().map(|line| line.1).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let payers: HashMap<Key, Key> = billing::payers(db, &accounts)?
        .into_iter()
        .filter(|(_, payer)| payer.pays())
        .map(|(account, payer)| (account, payer.key_of(account)))
        .collect();
    let mut parts: BTreeMap<(Key, &str), (Vec<Key>, i64)> = BTreeMap::new();
    for (line, account, currency, amount) in &waiting {
        let Some(payer) = payers.get(account) else { continue };
        let part = parts.entry((*payer, currency)).or_default();
        part.0.push(*line);
        part.1 += amount;
    }
    for ((payer, currency), (lines, amount)) in parts {
        let invoice = draft(db, payer, month, currency)?;
        let added = lines.len() as i64;
        diesel::update(charges::table.filter(charges::key.eq_any(lines)))
            .set(charges::invoice_key.eq(invoice))
            .execute(db)?;
        diesel::update(invoices::table.find(invoice))
            .set((invoices::total.eq(invoices::total + amount), invoices::lines.eq(invoices::lines + added)))
            .execute(db)?;
    }
    match waiting.last().filter(|_| waiting.len() as i64 == most) {
        Some((last, ..)) => {
            let row = billing_months::table.find(month.to_string());
            diesel::update(row).set(billing_months::after_key.eq(last)).execute(db)?;
        }
        None => enter(db, month, Stage::Issuing)?,
    }
    Ok(waiting.len() as i64)
}

/// The draft of this payer, month and currency; made when there is none.
fn draft(db: &mut Db, payer: Key, month: Month, currency: &str) -> Result<Key, Problem> {
    let known = invoices::table
        .filter(invoices::payer_key.eq(payer))
        .filter(invoices::month.eq(month.to_string()))
        .filter(invoices::currency.eq(currency))
        .select(invoices::key);
    if let Some(key) = known.first(db).optional()? {
        return Ok(key);
    }
    let key = ids::next_key();
    diesel::insert_into(invoices::table)
        .values((
            invoices::key.eq(key),
            invoices::id.eq(ids::new_id("inv")),
            invoices::payer_key.eq(payer),
            invoices::month.eq(month.to_string()),
            invoices::currency.eq(currency),
            invoices::state.eq("DRAFT"),
        ))
        .execute(db)?;
    Ok(key)
}

/// What a finished month came to, as sentences for the operator.
pub fn summary(db: &mut Db, month: Month) -> Result<Vec<String>, Problem> {
    let of_month = invoices::table.filter(invoices::month.eq(month.to_string()));
    let rows: Vec<(String, i64, i64)> =
        of_month.select((invoices::currency, invoices::total, invoices::lines)).order(invoices::currency).load(db)?;
    let mut sums: BTreeMap<&str, (i64, i64, i64)> = BTreeMap::new();
    for (currency, total, lines) in &rows {
        let sum = sums.entry(currency).or_default();
        *sum = (sum.0 + 1, sum.1 + total, sum.2 + lines);
    }
    let mut said: Vec<String> = sums
        .into_iter()
        .map(|(currency, (invoices, total, lines))| {
            format!("{} in {invoices} invoices with {lines} lines", money::words(total, currency))
        })
        .collect();
    let waiting: i64 = charges::table.filter(charges::invoice_key.is_null()).count().get_result(db)?;
    if waiting > 0 {
        said.push(format!("{waiting} lines wait for somebody who pays and go to a later invoice"));
    }
    let due = ledger_items::table.filter(ledger_items::next_month.le(month.to_string())).count();
    let late: i64 = due.get_result(db)?;
    if late > 0 {
        said.push(format!("{late} items were added since and go to the next invoice"));
    }
    Ok(said)
}
