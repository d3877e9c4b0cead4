//! What accounts use. The rooms for ports and connections say when something starts and when it ends, inside the
//! transaction that makes it so; what it costs is looked up when the month is made.
//!
//! Days count whole, in UTC: the day something starts is charged, the day it ends is not, and what starts and ends on
//! one day costs that day.

use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;

use super::month::{Month, NEVER, day_of};
use super::prices::Prices;
use super::run;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::ledger_items;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Port,
    Connection,
}

impl Kind {
    /// As it is stored.
    pub fn code(self) -> &'static str {
        match self {
            Kind::Port => "PORT",
            Kind::Connection => "CONNECTION",
        }
    }

    /// As people read it.
    pub fn words_of(code: &str) -> &'static str {
        if code == Kind::Port.code() { "Port" } else { "Connection" }
    }
}

/// Something that will be charged to the account.
#[derive(Debug, Clone)]
pub struct NewItem {
    pub account: Key,
    pub kind: Kind,
    /// `port-…`, `conn-…`
    pub subject_id: String,
    /// As the invoice shall call it.
    pub name: String,
    /// A code of the price list.
    pub price_code: String,
}

/// From this moment on the account uses it. Inside the caller's transaction, which has the tree's lock. Invalid
/// (`price_code`) where the code has no price on that day; a subject that the account uses already is a bug.
pub fn start_item(db: &mut Db, new: &NewItem, from: NaiveDateTime) -> Result<Key, Problem> {
    run::lock(db)?;
    let starts_at = day_of(from);
    if Prices::of(db, [new.price_code.as_str()])?.on(&new.price_code, starts_at).is_none() {
        return Err(Problem::invalid("price_code", format!("There is no price for {} on that day", new.price_code)));
    }
    if running(db, new.account, &new.subject_id)?.is_some() {
        return Err(Problem::bug("something that is charged already was started again"));
    }
    let key = ids::next_key();
    diesel::insert_into(ledger_items::table)
        .values((
            ledger_items::key.eq(key),
            ledger_items::id.eq(ids::new_id("item")),
            ledger_items::account_key.eq(new.account),
            ledger_items::kind.eq(new.kind.code()),
            ledger_items::subject_id.eq(&new.subject_id),
            ledger_items::name.eq(&new.name),
            ledger_items::price_code.eq(&new.price_code),
            ledger_items::starts_at.eq(starts_at),
            ledger_items::ends_at.eq(ids::never()),
            ledger_items::next_month.eq(Month::of(starts_at).to_string()),
            ledger_items::created_at.eq(ids::now()),
        ))
        .execute(db)?;
    Ok(key)
}

/// The account stops using it at this moment. Inside the caller's transaction, which has the tree's lock. What was
/// charged stays charged: an end before that is moved to it. NotFound when it is not used.
pub fn end_item(db: &mut Db, account: Key, subject_id: &str, until: NaiveDateTime) -> Result<(), Problem> {
    run::lock(db)?;
    let (key, starts_at, next_month) = running(db, account, subject_id)?.ok_or(Problem::NotFound)?;
    let charged = Month::parse(&next_month).map_or(starts_at, Month::first);
    let ends_at = day_of(until).max(starts_at + Duration::days(1)).max(charged);
    diesel::update(ledger_items::table.find(key)).set(ledger_items::ends_at.eq(ends_at)).execute(db)?;
    Ok(())
}

fn running(db: &mut Db, account: Key, subject_id: &str) -> Result<Option<(Key, NaiveDateTime, String)>, Problem> {
    Ok(ledger_items::table
        .filter(ledger_items::account_key.eq(account))
        .filter(ledger_items::subject_id.eq(subject_id))
        .filter(ledger_items::ends_at.eq(ids::never()))
        .select((ledger_items::key, ledger_items::starts_at, ledger_items::next_month))
        .first(db)
        .optional()?)
}

/// An item with what it takes to charge it.
#[derive(Debug, Clone, Queryable)]
pub struct Due {
    pub key: Key,
    pub account: Key,
    pub name: String,
    pub price_code: String,
    pub starts_at: NaiveDateTime,
    pub ends_at: NaiveDateTime,
    pub next_month: String,
}

/// Items with something to charge up to the month, the longest due first; at most so many.
pub fn due(db: &mut Db, month: Month, most: i64) -> Result<Vec<Due>, Problem> {
    Ok(ledger_items::table
        .filter(ledger_items::next_month.le(month.to_string()))
        .order((ledger_items::next_month, ledger_items::key))
        .limit(most)
        .select((
            ledger_items::key,
            ledger_items::account_key,
            ledger_items::name,
            ledger_items::price_code,
            ledger_items::starts_at,
            ledger_items::ends_at,
            ledger_items::next_month,
        ))
        .load(db)?)
}

/// How many of them there are.
pub fn count_due(db: &mut Db, month: Month) -> Result<i64, Problem> {
    Ok(ledger_items::table.filter(ledger_items::next_month.le(month.to_string())).count().get_result(db)?)
}

/// Everything up to `month` is charged for these: what goes on is due in the month after, the rest never again.
pub fn charged(db: &mut Db, month: Month, items: &[Due]) -> Result<(), Problem> {
    let next = month.next();
    let (on, over): (Vec<&Due>, Vec<&Due>) = items.iter().partition(|item| item.ends_at > next.first());
    for (some, then) in [(on, next.to_string()), (over, NEVER.to_owned())] {
        let keys: Vec<Key> = some.iter().map(|item| item.key).collect();
        if !keys.is_empty() {
            diesel::update(ledger_items::table.filter(ledger_items::key.eq_any(keys)))
                .set(ledger_items::next_month.eq(then))
                .execute(db)?;
        }
    }
    Ok(())
}
