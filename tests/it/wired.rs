//! Ports and connections as the fabric leaves them, made without its work and without pages. A connection takes its VLAN
//! through the product's own rules.

use diesel::prelude::*;
use subtenant::ids::{self, Key};
use subtenant::ports::{self, NewUse, Side};
use subtenant::problem::Problem;
use subtenant::store::schema::{connections, facilities, locations, port_caps, ports as rows};
use subtenant::store::{self, Db};
use subtenant::text::name_key;

use crate::world::World;

/// The facility of every port made here.
fn facility(db: &mut Db) -> Result<Key, Problem> {
    let known = facilities::table.filter(facilities::id.eq("fra-1")).select(facilities::key);
    if let Some(key) = known.first(db).optional()? {
        return Ok(key);
    }
    diesel::insert_into(locations::table)
        .values((
            locations::key.eq(71),
            locations::id.eq("fra"),
            locations::name.eq("Frankfurt on Main"),
            locations::latitude_e6.eq(50_110_900),
            locations::longitude_e6.eq(8_682_100),
            locations::offered.eq(true),
        ))
        .execute(db)?;
    diesel::insert_into(facilities::table)
        .values((
            facilities::key.eq(72),
            facilities::id.eq("fra-1"),
            facilities::location_key.eq(71),
            facilities::name.eq("Main One"),
            facilities::vendor.eq("Meridian"),
            facilities::street.eq("Hafenweg 1"),
            facilities::city.eq("Frankfurt"),
            facilities::region.eq("Hesse"),
            facilities::postal_code.eq("60314"),
            facilities::country.eq("Germany"),
            facilities::state.eq("ACTIVE"),
        ))
        .execute(db)?;
    Ok(72)
}

fn insert(world: &World, account: &str, name: &str, speed: i64, offered: bool, state: &str) -> String {
    let (id, account) = (ids::new_id("port"), world.key(account));
    let made = |db: &mut Db| {
        let facility = facility(db)?;
        diesel::insert_into(rows::table)
            .values((
                (rows::key.eq(ids::next_key()), rows::id.eq(&id), rows::account_key.eq(account)),
                (rows::name.eq(name), rows::name_key.eq(name_key(name)), rows::description.eq("")),
                (rows::loa_customer_name.eq(""), rows::facility_key.eq(facility), rows::provider.eq("PUREPORT")),
                (rows::availability_domain.eq("PRIMARY"), rows::speed.eq(speed), rows::media_type.eq("LR")),
                (rows::term.eq("MONTHLY"), rows::price_code.eq(""), rows::state.eq(state)),
                (rows::available_to_child_accounts.eq(offered), rows::created_at.eq(ids::now())),
                (rows::device_id.eq("fra-ras1"), rows::patch_panel_id.eq("PP:0113")),
            ))
            .execute(db)?;
        Ok(())
    };
    world.write(made).expect("a port");
    id
}

/// An active port of the account; nothing is charged for it.
pub fn port(world: &World, account: &str, name: &str, speed: i64) -> String {
    insert(world, account, name, speed, false, "ACTIVE")
}

/// The same, available to the accounts below.
pub fn offered(world: &World, account: &str, name: &str, speed: i64) -> String {
    insert(world, account, name, speed, true, "ACTIVE")
}

/// One that the fabric could not make.
pub fn broken(world: &World, account: &str, name: &str) -> String {
    let id = insert(world, account, name, 1000, false, "REQUESTED");
    let key = key(world, &id);
    world
        .write(|db| store::write(db, |db| ports::fail(db, key, "PORT_SWITCH_FAILED", "No room on the switch.")))
        .expect("it fails");
    id
}

/// The id of the account's port of this name.
pub fn port_called(world: &World, account: &str, name: &str) -> String {
    let own = rows::table.filter(rows::account_key.eq(world.key(account))).filter(rows::name.eq(name));
    world.read(|db| Ok(own.select(rows::id).first(db)?)).expect("the port exists")
}

/// The one that most tests mean.
pub fn port_of(world: &World, account: &str) -> String {
    port_called(world, account, "Uplink")
}

/// Caps a child of the port's account.
pub fn put_cap(world: &World, port: &str, account: &str, child: &str) {
    let new = port_caps::table;
    let row = (
        port_caps::port_key.eq(key(world, port)),
        port_caps::port_account_key.eq(world.key(account)),
        port_caps::account_key.eq(world.key(child)),
        port_caps::may_share.eq(true),
    );
    world.write(|db| Ok(diesel::insert_into(new).values(row).execute(db)?)).expect("a cap");
}

pub fn key(world: &World, port: &str) -> Key {
    let row = rows::table.filter(rows::id.eq(port)).select(rows::key);
    world.read(|db| Ok(row.first(db)?)).expect("the port exists")
}

/// A connection of the account on a VLAN of the port: its id, or why not.
pub fn line(world: &World, account: &str, port: &str, name: &str, vlan: i64, speed: i64) -> Result<String, Problem> {
    let (key, id) = (ids::next_key(), ids::new_id("conn"));
    let port = self::key(world, port);
    let new = NewUse { port, vlan, connection: key, account: world.key(account), side: Side::Primary, speed };
    world.write(|db| {
        store::write(db, |db| {
            diesel::insert_into(connections::table)
                .values((
                    connections::key.eq(key),
                    connections::id.eq(&id),
                    connections::account_key.eq(new.account),
                    connections::name.eq(name),
                    connections::name_key.eq(name_key(name)),
                    connections::speed.eq(speed),
                    connections::state.eq("ACTIVE"),
                    connections::created_at.eq(ids::now()),
                ))
                .execute(db)?;
            ports::reserve(db, &new)
        })
    })?;
    Ok(id)
}

/// The connection is deleted.
pub fn cut(world: &World, connection: &str) {
    let row = connections::table.filter(connections::id.eq(connection)).select(connections::key);
    let key: Key = world.read(|db| Ok(row.first(db)?)).expect("the connection exists");
    world.write(|db| store::write(db, |db| ports::release(db, key))).expect("it lets go");
    world.sql(&format!("UPDATE connections SET state = 'DELETED' WHERE key = {key}"));
}
