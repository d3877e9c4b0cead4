//! Prices, ports and connections that are charged, and the invoices of the last two months.

use chrono::Duration;
use diesel::prelude::*;

use crate::access::policy::UpdateBilling;
use crate::access::{self, Origin};
use crate::ids::{self, Key};
use crate::ledger::{self, Kind, Month, NewItem, prices, run, showing};
use crate::problem::Problem;
use crate::store::schema::{accounts, connections};
use crate::store::{self, Db, Pool};

const PRICES: &str = "code,description,currency,interval,amount,setup_amount,term\n\
    CONNECTION-1G,1 Gbit/s connection,EUR,MONTH,24900,5000,0\n\
    PORT-10G,10 Gbit/s port in Frankfurt,EUR,MONTH,49900,25000,12\n";
/// Customers are at this depth; each has a port.
const CUSTOMERS: i64 = 2;

/// `owner`: the administrator of everything; `shows`: the account that shows prices to the accounts below it.
pub fn fill(pool: &Pool, owner: Key, origin: &Origin, shows: &str) -> anyhow::Result<()> {
    let last = Month::of(ids::now()).previous();
    let first = last.previous();
    pool.write_here(|db| {
        let day = first.previous().first().format("%Y-%m-%d").to_string();
        prices::load(db, &day, PRICES.as_bytes()).map_err(|why| Problem::Bug(anyhow::anyhow!(why.join("; "))))?;
        store::write(db, |db| use_things(db, first))?;
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

/// Each connection there is, and a port for each customer, begun on different days.
fn use_things(db: &mut Db, first: Month) -> Result<(), Problem> {
    let rows = connections::table.order(connections::key);
    let live: Vec<(Key, String, String)> =
        rows.select((connections::account_key, connections::id, connections::name)).load(db)?;
    let customers = accounts::table.filter(accounts::depth.eq(CUSTOMERS)).filter(accounts::closed_at.is_null());
    let customers: Vec<(Key, String)> =
        customers.order(accounts::key).select((accounts::key, accounts::name)).load(db)?;
    let connection = |(account, subject_id, name)| {
        (NewItem { account, kind: Kind::Connection, subject_id, name, price_code: "CONNECTION-1G".to_owned() }, 5)
    };
    let port = |(account, name): (Key, String)| {
        let (subject_id, name) = (ids::new_id("port"), format!("{name} uplink port"));
        (NewItem { account, kind: Kind::Port, subject_id, name, price_code: "PORT-10G".to_owned() }, 1)
    };
    let items = customers.into_iter().map(port).chain(live.into_iter().map(connection));
    for (n, (item, step)) in (0..).zip(items) {
        ledger::start_item(db, &item, first.first() + Duration::days((n * step) % 40))?;
    }
    Ok(())
}
