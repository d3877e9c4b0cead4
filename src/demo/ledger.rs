//! Prices, ports and connections that are charged, and the invoices of the last two months.

use chrono::Duration;
use diesel::prelude::*;

use crate::access::policy::UpdateBilling;
use crate::access::{self, Origin};
use crate::catalogue;
use crate::ids::{self, Key};
use crate::ledger::{Month, run, showing};
use crate::problem::Problem;
use crate::store::schema::{accounts, ledger_items};
use crate::store::{self, Db, Pool};

/// The catalogue and its prices, from before the first month that is charged.
pub fn load(pool: &Pool) -> anyhow::Result<()> {
    let day = Month::of(ids::now()).previous().previous().previous().first().format("%Y-%m-%d").to_string();
    let mut wrong = Vec::new();
    pool.write_here(|db| {
        wrong = catalogue::load_shipped(db, &day).err().unwrap_or_default();
        Ok(())
    })?;
    anyhow::ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    Ok(())
}

/// `owner`: the administrator of everything; `shows`: the account that shows prices to the accounts below it.
pub fn fill(pool: &Pool, owner: Key, origin: &Origin, shows: &str) -> anyhow::Result<()> {
    let last = Month::of(ids::now()).previous();
    let first = last.previous();
    pool.write_here(|db| {
        store::write(db, |db| age(db, first))?;
        let id: String = accounts::table.filter(accounts::name.eq(shows)).select(accounts::id).first(db)?;
        let by = access::grant::<UpdateBilling>(db, owner, &id, origin.clone())?;
        showing::choose(db, &by, true, 0)
    })?;
    for month in [first, last] {
        pool.write_here(|db| run::begin(db, month))?.map_err(|why| anyhow::anyhow!(why))?;
        run::finish(pool, month)?;
    }
    Ok(())
}

/// What was made just now is said to have begun in the weeks before, so that there is something to charge.
fn age(db: &mut Db, first: Month) -> Result<(), Problem> {
    let items: Vec<Key> = ledger_items::table.order(ledger_items::key).select(ledger_items::key).load(db)?;
    for (n, item) in (0..).zip(items) {
        let starts_at = first.first() + Duration::days((n * 5) % 40);
        diesel::update(ledger_items::table.find(item))
            .set((ledger_items::starts_at.eq(starts_at), ledger_items::next_month.eq(Month::of(starts_at).to_string())))
            .execute(db)?;
    }
    Ok(())
}
