//! Things that are charged, and months that are made, as the rooms and the operator's commands do it.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use diesel::prelude::*;
use subtenant::ids;
use subtenant::ledger::prices::{self, Prices};
use subtenant::ledger::{self, Kind, Month, NewItem, run};
use subtenant::store::schema::invoices;

use crate::world::World;

const PRICES: &str = "code,description,currency,interval,amount,setup_amount,term\n\
    CONN,1 Gbit/s,EUR,MONTH,31000,500,0\nPORT,10 Gbit/s port,EUR,MONTH,62000,0,12\n";

pub fn day(text: &str) -> NaiveDateTime {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").expect("a day").and_time(NaiveTime::MIN)
}

/// The account uses a connection of this name from this day on.
pub fn connect(world: &World, account: &str, name: &str, from: &str) {
    let new = NewItem {
        account: world.key(account),
        kind: Kind::Connection,
        subject_id: ids::new_id("conn"),
        name: name.to_owned(),
        price_code: "CONN".to_owned(),
    };
    let starting = |db: &mut subtenant::store::Db| {
        if Prices::read(db)?.on("CONN", day("2024-01-01")).is_none() {
            prices::load(db, "2024-01-01", PRICES.as_bytes()).expect("the prices are right");
        }
        ledger::start_item(db, &new, day(from))
    };
    world.write(starting).expect("it starts");
}

/// Begins the month and makes it up to its invoices, which stay drafts.
pub fn draft(world: &World, text: &str) {
    let month = Month::parse(text).expect("a month");
    world.write(|db| run::begin(db, month)).expect("the month begins").expect("it may begin");
    while world.read(|db| run::stage(db, month)).expect("a stage") != Some(run::Stage::Issuing) {
        world.write(|db| run::step(db, month, 100)).expect("a step");
    }
}

/// The whole month.
pub fn make(world: &World, text: &str) {
    let month = Month::parse(text).expect("a month");
    world.write(|db| run::begin(db, month)).expect("the month begins").expect("it may begin");
    run::finish(&world.pool, month).expect("the month is made");
}

/// The account's latest invoice, by its id.
pub fn invoice_of(world: &World, account: &str) -> String {
    let row = invoices::table.filter(invoices::payer_key.eq(world.key(account))).order(invoices::key.desc());
    world.read(|db| Ok(row.select(invoices::id).first(db)?)).expect("an invoice")
}
