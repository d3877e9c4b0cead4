//! What tests do with orders: placing one as the rooms do, making an account ready, letting time pass, reading where
//! everything stands.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use subtenant::access::policy::{CreateBilling, UpdateAccounts};
use subtenant::access::{self, Origin};
use subtenant::billing::{self, CollectionMethod, Entries};
use subtenant::connections::{self, Connection, Happening, Told};
use subtenant::consent;
use subtenant::ids::{self, Key};
use subtenant::problem::Problem;
use subtenant::provisioning::{self, Fabric, Provisioning, Simulated};
use subtenant::store::schema::{
    accounts, audit_entries, connection_history, connections as rows, facilities, intents, locations, ports,
};
use subtenant::store::{self as database, Db, Pool};

use crate::world::World;

/// A connection as an order leaves it.
pub fn insert(db: &mut Db, account: Key, name: &str) -> Result<(Key, String), Problem> {
    let (key, id, now) = (ids::next_key(), ids::new_id("conn"), ids::now());
    diesel::insert_into(rows::table)
        .values((
            rows::key.eq(key),
            rows::id.eq(&id),
            rows::account_key.eq(account),
            rows::name.eq(name),
            rows::name_key.eq(name),
            rows::kind.eq("PORT"),
            rows::speed.eq(100),
            rows::settings.eq(r#"{"routingType":"ROUTE_BASED_BGP","customerASN":65222}"#),
            rows::state.eq("INITIALIZING"),
            rows::state_since.eq(now),
            rows::look_at.eq(now),
            rows::created_at.eq(now),
        ))
        .execute(db)?;
    Ok((key, id))
}

pub fn order(world: &World, account: &str, name: &str) -> (Key, String) {
    world.write(|db| insert(db, world.key(account), name)).expect("an order")
}

/// A port as an order leaves it.
pub fn order_port(world: &World, account: &str, name: &str) -> (Key, String) {
    let (location, facility, key) = (ids::next_key(), ids::next_key(), ids::next_key());
    let (id, now) = (ids::new_id("port"), ids::now());
    let insert = |db: &mut Db| {
        diesel::insert_into(locations::table)
            .values((
                locations::key.eq(location),
                locations::id.eq(format!("loc-{location}")),
                locations::name.eq("Oslo"),
                locations::latitude_e6.eq(59_913_000),
                locations::longitude_e6.eq(10_752_000),
                locations::offered.eq(true),
            ))
            .execute(db)?;
        diesel::insert_into(facilities::table)
            .values((
                facilities::key.eq(facility),
                facilities::id.eq(format!("fac-{facility}")),
                facilities::location_key.eq(location),
                facilities::name.eq("Oslo 1"),
                facilities::vendor.eq("Example"),
                facilities::street.eq("Storgata 1"),
                facilities::city.eq("Oslo"),
                facilities::region.eq(""),
                facilities::postal_code.eq("0155"),
                facilities::country.eq("NO"),
                facilities::state.eq("ACTIVE"),
            ))
            .execute(db)?;
        diesel::insert_into(ports::table)
            .values((
                ports::key.eq(key),
                ports::id.eq(&id),
                ports::account_key.eq(world.key(account)),
                ports::name.eq(name),
                ports::name_key.eq(name),
                ports::description.eq(""),
                ports::loa_customer_name.eq("Acme AS"),
                ports::facility_key.eq(facility),
                ports::provider.eq("PUREPORT"),
                ports::availability_domain.eq("PRIMARY"),
                ports::speed.eq(10_000),
                ports::media_type.eq("SMF"),
                ports::term.eq("MONTHLY"),
                ports::price_code.eq(""),
                ports::state.eq("REQUESTED"),
                ports::available_to_child_accounts.eq(true),
                ports::look_at.eq(now),
                ports::created_at.eq(now),
            ))
            .execute(db)?;
        Ok(())
    };
    world.write(|db| database::write(db, insert)).expect("an order");
    (key, id)
}

pub fn entries() -> Entries {
    Entries {
        collection_method: CollectionMethod::Net30,
        name: "Acme".to_owned(),
        email: "pay@acme.example".to_owned(),
        street: "Storgata 1".to_owned(),
        city: "Oslo".to_owned(),
        state: String::new(),
        postal_code: "0155".to_owned(),
        country: "NO".to_owned(),
        allow_child_accounts: true,
    }
}

/// Accepts what is in force, as the person, for the account of this id.
pub fn accept(pool: &Pool, user: Key, account: &str) -> Result<(), Problem> {
    pool.write_here(|db| {
        let by = access::grant::<UpdateAccounts>(db, user, account, Origin::default())?;
        let keys: Vec<Key> = consent::in_force(db)?.iter().map(|document| document.key).collect();
        consent::accept(db, &by, &keys).map(|_| ())
    })
}

pub fn pay(pool: &Pool, user: Key, account: &str) -> Result<(), Problem> {
    pool.write_here(|db| {
        let by = access::grant::<CreateBilling>(db, user, account, Origin::default())?;
        billing::add(db, &by, &entries(), "").map(|_| ())
    })
}

pub fn agree(world: &World, account: &str) {
    accept(&world.pool, world.person("admin-of-acme"), &world.id(account)).expect("it is accepted");
}

/// `acme`, which pays and agreed.
pub fn ready(world: &World) {
    world.account("acme");
    agree(world, "acme");
    pay(&world.pool, world.person("admin-of-acme"), &world.id("acme")).expect("it pays");
}

pub fn tools(world: &World, fabric: Option<Box<dyn Fabric>>) -> Provisioning {
    Provisioning { fabric, vault: world.parts.vault.clone() }
}

pub fn simulated(world: &World) -> Provisioning {
    tools(world, Some(Box::new(Simulated)))
}

/// As the settings of the world say.
pub fn configured(world: &World) -> Provisioning {
    Provisioning::new(&world.config, &world.parts.vault).expect("the settings are right")
}

/// The background work, without time passing.
pub async fn round(world: &World, tools: &Provisioning) -> usize {
    provisioning::round(&world.pool, tools).await.expect("the round is done")
}

/// Whatever waits for a moment has it now, and whoever had something in hand is gone.
pub fn later(pool: &Pool) {
    let past = "2025-01-01 00:00:00";
    for statement in [
        format!("UPDATE intents SET next_try_at = '{past}' WHERE finished_at IS NULL"),
        format!("UPDATE connections SET look_at = '{past}' WHERE look_at < '9999-01-01 00:00:00'"),
        format!("UPDATE ports SET look_at = '{past}' WHERE look_at < '9999-01-01 00:00:00'"),
    ] {
        pool.write_here(|db| Ok(diesel::sql_query(statement).execute(db)?)).expect("time passes");
    }
}

/// As long as something moves.
pub async fn finish(world: &World, tools: &Provisioning) {
    for _ in 0..12 {
        later(&world.pool);
        round(world, tools).await;
    }
}

pub fn connection(world: &World, key: Key) -> Connection {
    world.read(|db| connections::store::by_key(db, key)).expect("a connection")
}

pub fn state(world: &World, key: Key) -> &'static str {
    connection(world, key).state.code()
}

/// What a person, or the room, does to it.
pub fn step(world: &World, key: Key, happening: Happening) {
    let done = world.write(|db| {
        subtenant::audit::change_by_system(db, |db| {
            let connection = connections::store::by_key(db, key)?;
            connections::step(db, &connection, happening, &Told::default())
        })
    });
    done.expect("the step is possible");
}

/// The states that it came into, in order.
pub fn history(pool: &Pool, key: Key) -> Vec<String> {
    let lines = connection_history::table.filter(connection_history::connection_key.eq(key));
    let lines = lines.order(connection_history::key).select(connection_history::state);
    pool.read_here(|db| Ok(lines.load(db)?)).expect("the history")
}

/// Act, number and state of each intent of something.
pub fn told(pool: &Pool, subject: &str) -> Vec<(String, i64, String)> {
    let lines = intents::table.filter(intents::subject_id.eq(subject)).order(intents::number);
    pool.read_here(|db| Ok(lines.select((intents::act, intents::number, intents::state)).load(db)?)).expect("intents")
}

/// How many changes of state the log has for something.
pub fn logged(world: &World, subject: &str) -> i64 {
    let lines = audit_entries::table
        .filter(audit_entries::subject_id.eq(subject))
        .filter(audit_entries::event_type.eq_any(["CONNECTION_STATE_CHANGE", "PORT_STATE_CHANGE"]))
        .filter(audit_entries::source.eq("SYSTEM"));
    world.read(|db| Ok(lines.count().get_result(db)?)).expect("the log")
}

pub fn waits_for(world: &World, key: Key) -> (String, NaiveDateTime) {
    let row = rows::table.find(key).select((rows::waits_for, rows::look_at));
    world.read(|db| Ok(row.first(db)?)).expect("a connection")
}

/// State, what it waits for, what went wrong, and its device.
pub fn port(world: &World, key: Key) -> (String, String, String, String) {
    let row = ports::table.find(key).select((ports::state, ports::waits_for, ports::error_code, ports::device_id));
    world.read(|db| Ok(row.first(db)?)).expect("a port")
}

pub fn root_of(db: &mut Db, account: Key) -> Result<Key, Problem> {
    Ok(accounts::table.find(account).select(accounts::root_key).first(db)?)
}
