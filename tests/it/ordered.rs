//! Networks, and connections in them as they stand after an order, made without pages; and accounts that may order.

use diesel::prelude::*;
use subtenant::access::policy::{CreateBilling, CreateNetworks, UpdateAccounts};
use subtenant::ids::{self, Key};
use subtenant::networks::{self, NewNetwork};
use subtenant::store::Db;
use subtenant::store::schema::{connections, networks as network_rows};
use subtenant::text::name_key;
use subtenant::{billing, catalogue, consent};

use crate::money::invoice;
use crate::world::{World, admin_of};

/// What a tunnel was ordered with.
pub const TUNNEL: &str = r#"{"type":"SITE_IPSEC_VPN","authType":"PSK","routingType":"ROUTE_BASED_BGP",
    "customerASN":65000,"primaryCustomerRouterIP":"203.0.113.10","ikeVersion":"V2","ikeV2":{"ike":{"encryption":
    "AES_256","integrity":"SHA256_HMAC","prf":"SHA_256","dhGroup":"ECP_256","lifetime":10800,"dpdDelay":30,
    "dpdTimeout":150},"esp":{"encryption":"AES_256_GCM_128","dhGroup":"ECP_256","lifetime":3600}}}"#;

/// A world with the shipped catalogue and its prices.
pub fn stocked() -> World {
    let world = World::new();
    stock(&world);
    world
}

pub fn stock(world: &World) {
    world.write(|db| Ok(catalogue::load_shipped(db, "2024-01-01").expect("the catalogue is right"))).expect("it loads");
}

/// The account's agreements are accepted.
pub fn accept(world: &World, admin: &str, account: &str) {
    let by = world.grant::<UpdateAccounts>(admin, account).expect("the administrator may");
    let accepting = |db: &mut Db| {
        let keys: Vec<_> = consent::in_force(db)?.iter().map(|d| d.key).collect();
        consent::accept(db, &by, &keys)
    };
    world.write(accepting).expect("the agreements are accepted");
}

/// `root` may order: its agreements are accepted and it pays for itself, and for what is below.
pub fn ready(world: &World, root: &str) {
    let admin = admin_of(root);
    accept(world, &admin, root);
    let by = world.grant::<CreateBilling>(&admin, root).expect("the administrator may");
    world.write(|db| billing::add(db, &by, &invoice(root, true), "")).expect("a payment method");
}

/// A network of the account: its id.
pub fn network(world: &World, admin: &str, account: &str, name: &str) -> String {
    let by = world.grant::<CreateNetworks>(admin, account).expect("the administrator may");
    let new = NewNetwork { name: name.to_owned(), description: String::new(), tags: Vec::new() };
    world.write(|db| networks::create(db, &by, &new)).expect("a network").id
}

/// The id of the account's network of this name.
pub fn network_called(world: &World, account: &str, name: &str) -> String {
    let own = network_rows::table.filter(network_rows::account_key.eq(world.key(account)));
    let row = own.filter(network_rows::name.eq(name)).select(network_rows::id);
    world.read(|db| Ok(row.first(db)?)).expect("the network exists")
}

/// A tunnel in the network, in this state: its id.
pub fn connection(world: &World, account: &str, network: &str, name: &str, state: &str) -> String {
    let id = ids::new_id("conn");
    let row = network_rows::table.filter(network_rows::id.eq(network)).select(network_rows::key);
    world
        .write(|db| {
            let network: Key = row.first(db)?;
            Ok(diesel::insert_into(connections::table)
                .values((
                    (connections::key.eq(ids::next_key()), connections::id.eq(&id)),
                    (connections::account_key.eq(world.key(account)), connections::network_key.eq(network)),
                    (connections::name.eq(name), connections::name_key.eq(name_key(name))),
                    (connections::kind.eq("SITE_IPSEC_VPN"), connections::settings.eq(TUNNEL)),
                    (connections::state.eq(state), connections::created_at.eq(ids::now())),
                ))
                .execute(db)?)
        })
        .expect("a connection");
    id
}

/// The id of the account's connection of this name.
pub fn connection_called(world: &World, account: &str, name: &str) -> String {
    let own = connections::table.filter(connections::account_key.eq(world.key(account)));
    let row = own.filter(connections::name.eq(name)).select(connections::id);
    world.read(|db| Ok(row.first(db)?)).expect("the connection exists")
}

/// The state that a connection is stored in.
pub fn state(world: &World, id: &str) -> String {
    let row = connections::table.filter(connections::id.eq(id)).select(connections::state);
    world.read(|db| Ok(row.first(db)?)).expect("the connection exists")
}

/// Puts it into a state without any work.
pub fn put(world: &World, id: &str, state: &str) {
    world.sql(&format!("UPDATE connections SET state = '{state}', version = version + 1 WHERE id = '{id}'"));
}

/// How many connections there are.
pub fn many(world: &World) -> i64 {
    world.read(|db| Ok(connections::table.count().get_result(db)?)).expect("connections are counted")
}

/// It pays for itself again.
pub fn ready_again(world: &World, root: &str) {
    let by = world.grant::<CreateBilling>(&admin_of(root), root).expect("the administrator may");
    world.write(|db| billing::add(db, &by, &invoice(root, true), "")).expect("a payment method");
}
