//! Each step of a connection and of a port, done by the background work in this process: what opens and shuts the gate,
//! what the operator decides, and what is left behind in history and log.

use diesel::prelude::*;
use subtenant::connections::{Happening, work};
use subtenant::ids::{self, Key};
use subtenant::provisioning::operator::{self, Decision};
use subtenant::store::schema::{locations, port_uses, supported_connections};

use crate::orders::{
    agree, connection, finish, history, later, logged, order, order_port, pay, port, ready, round, simulated, state,
    step, told, tools, waits_for,
};
use crate::world::World;

#[actix_web::test]
async fn an_order_becomes_active_and_is_deleted() {
    let world = World::new();
    ready(&world);
    let (key, id) = order(&world, "acme", "line");
    let fabric = simulated(&world);
    round(&world, &fabric).await;
    assert_eq!(state(&world, key), "PROVISIONING");
    later(&world.pool);
    round(&world, &fabric).await;
    assert_eq!(state(&world, key), "ACTIVE");
    assert!(connection(&world, key).active_at.is_some());
    let told_of = world.read(|db| work::attributes(db, key)).expect("attributes");
    assert_eq!(told_of.get("fabric").map(String::as_str), Some("simulated"));
    step(&world, key, Happening::Edit);
    finish(&world, &fabric).await;
    assert_eq!(state(&world, key), "ACTIVE");
    step(&world, key, Happening::Delete);
    finish(&world, &fabric).await;
    let states = ["WAITING_TO_PROVISION", "PROVISIONING", "ACTIVE", "UPDATING", "ACTIVE", "DELETING", "DELETED"];
    assert_eq!(history(&world.pool, key), states);
    assert_eq!(logged(&world, &id), states.len() as i64);
    let acts = ["PROVISION", "UPDATE", "DELETE"];
    let expected: Vec<_> = (1..).zip(acts).map(|(n, act)| (act.to_owned(), n, "DONE".to_owned())).collect();
    assert_eq!(told(&world.pool, &id), expected);
    assert_eq!(round(&world, &fabric).await, 0, "nothing is left to do");
}

#[actix_web::test]
async fn the_gate_says_everything_that_is_missing_and_opens_at_once_when_it_is_there() {
    let world = World::new();
    world.account("acme").child("lab");
    let (key, id) = order(&world, "lab", "line");
    let fabric = simulated(&world);
    round(&world, &fabric).await;
    let (codes, look_at) = waits_for(&world, key);
    assert_eq!(codes, "AGREEMENT_NOT_ACCEPTED NO_PAYMENT_METHOD");
    assert_eq!(state(&world, key), "WAITING_TO_PROVISION");
    assert!(look_at > ids::now(), "it is looked at later");
    let lines = history(&world.pool, key).len();
    later(&world.pool);
    round(&world, &fabric).await;
    assert_eq!(history(&world.pool, key).len(), lines, "nothing new is said");
    // What the parent does counts below.
    pay(&world.pool, world.person("admin-of-acme"), &world.id("acme")).expect("it pays");
    round(&world, &fabric).await;
    assert_eq!(waits_for(&world, key).0, "AGREEMENT_NOT_ACCEPTED");
    assert!(told(&world.pool, &id).is_empty());
    agree(&world, "lab");
    round(&world, &fabric).await;
    assert_eq!((state(&world, key), waits_for(&world, key).0.as_str()), ("PROVISIONING", ""));
}

#[actix_web::test]
async fn nothing_begins_under_a_suspended_account_over_a_limit_or_without_a_system() {
    let world = World::new();
    ready(&world);
    world.account("acme").child("lab");
    agree(&world, "lab");
    let (key, id) = order(&world, "lab", "line");
    let none = tools(&world, None);
    round(&world, &none).await;
    assert_eq!(waits_for(&world, key).0, "NO_PROVISIONING_SYSTEM");
    let (acme, lab, now) = (world.key("acme"), world.key("lab"), "2026-01-01 00:00:00");
    world.sql(&format!("INSERT INTO suspensions (account_key, suspended_at, reason) VALUES ({acme}, '{now}', 'x')"));
    world.sql(&format!(
        "INSERT INTO resource_limits (account_key, resource, reach, most, set_at)
         VALUES ({lab}, 'CONNECTION', 'ACCOUNT', 0, '{now}')"
    ));
    let fabric = simulated(&world);
    later(&world.pool);
    round(&world, &fabric).await;
    let codes = waits_for(&world, key).0;
    assert!(codes.contains("ACCOUNT_SUSPENDED") && codes.contains("RESOURCE_LIMITATION_EXCEEDED"), "{codes}");
    world.sql("DELETE FROM suspensions");
    world.sql("UPDATE resource_limits SET most = 1");
    finish(&world, &fabric).await;
    assert_eq!(state(&world, key), "ACTIVE");
    // What lives goes on, and can be changed and deleted.
    world.sql(&format!("INSERT INTO suspensions (account_key, suspended_at, reason) VALUES ({acme}, '{now}', 'x')"));
    step(&world, key, Happening::Delete);
    finish(&world, &fabric).await;
    assert_eq!((state(&world, key), told(&world.pool, &id).len()), ("DELETED", 2));
}

/// A line of the catalogue that asks for an approval.
fn asking(world: &World) -> Key {
    let (location, key) = (ids::next_key(), ids::next_key());
    let insert = |db: &mut subtenant::store::Db| {
        diesel::insert_into(locations::table)
            .values((
                locations::key.eq(location),
                locations::id.eq("no-osl"),
                locations::name.eq("Oslo"),
                locations::latitude_e6.eq(0),
                locations::longitude_e6.eq(0),
                locations::offered.eq(true),
            ))
            .execute(db)?;
        diesel::insert_into(supported_connections::table)
            .values((
                supported_connections::key.eq(key),
                supported_connections::id.eq("cpc-1"),
                supported_connections::kind.eq("PORT"),
                supported_connections::location_key.eq(location),
                supported_connections::speed.eq(100),
                supported_connections::high_availability.eq(false),
                supported_connections::peering.eq("PRIVATE"),
                supported_connections::cloud_regions.eq(""),
                supported_connections::requires_approval.eq(true),
                supported_connections::pending.eq(false),
                supported_connections::price_monthly.eq(""),
                supported_connections::price_one_year.eq(""),
                supported_connections::price_two_year.eq(""),
                supported_connections::offered.eq(true),
            ))
            .execute(db)?;
        Ok(())
    };
    world.write(insert).expect("a line");
    key
}

#[actix_web::test]
async fn what_needs_an_approval_waits_for_it_also_when_it_is_tried_again() {
    let world = World::new();
    ready(&world);
    let line = asking(&world);
    let (key, id) = order(&world, "acme", "line");
    world.sql(&format!("UPDATE connections SET supported_key = {line}"));
    let fabric = simulated(&world);
    finish(&world, &fabric).await;
    assert_eq!(state(&world, key), "PENDING_APPROVAL");
    let decide = |decision| world.write(|db| operator::decide(db, &id, decision)).expect("the database answers");
    assert!(decide(Decision::Refuse(" ")).is_err());
    decide(Decision::Refuse("No room in the rack.")).expect("it is refused");
    let refused = connection(&world, key);
    assert_eq!((refused.state.code(), refused.error_code.as_str()), ("FAILED_TO_PROVISION", "FORBIDDEN"));
    assert!(refused.error_message.contains("No room in the rack."), "{}", refused.error_message);
    assert!(decide(Decision::Approve).is_err(), "it is refused already");
    step(&world, key, Happening::Retry);
    finish(&world, &fabric).await;
    assert_eq!(state(&world, key), "PENDING_APPROVAL");
    decide(Decision::Approve).expect("it is approved");
    finish(&world, &fabric).await;
    assert_eq!(state(&world, key), "ACTIVE");
    assert!(world.write(|db| operator::decide(db, "conn-unknown", Decision::Approve)).expect("answers").is_err());
}

#[actix_web::test]
async fn what_was_refused_is_deleted_without_the_fabric_hearing_of_it() {
    let world = World::new();
    ready(&world);
    let line = asking(&world);
    let (key, id) = order(&world, "acme", "line");
    world.sql(&format!("UPDATE connections SET supported_key = {line}"));
    let fabric = simulated(&world);
    finish(&world, &fabric).await;
    let refused = world.write(|db| operator::decide(db, &id, Decision::Refuse("No.")));
    refused.expect("the database answers").expect("it is refused");
    step(&world, key, Happening::Delete);
    finish(&world, &fabric).await;
    assert_eq!((state(&world, key), told(&world.pool, &id).len()), ("DELETED", 0));
}

#[actix_web::test]
async fn a_port_is_made_and_taken_down() {
    let world = World::new();
    ready(&world);
    let (key, id) = order_port(&world, "acme", "rack 1");
    let none = tools(&world, None);
    round(&world, &none).await;
    assert_eq!(port(&world, key).1, "NO_PROVISIONING_SYSTEM");
    let fabric = simulated(&world);
    finish(&world, &fabric).await;
    let (state, waits, error, device) = port(&world, key);
    assert_eq!((state.as_str(), waits.as_str(), error.as_str()), ("ACTIVE", "", ""));
    assert!(device.starts_with("simulated-ras"), "{device}");
    let now = "2026-11-29 00:00:00";
    world.sql(&format!("UPDATE ports SET state = 'DELETED', deleted_at = '{now}', look_at = '{now}'"));
    finish(&world, &fabric).await;
    let acts: Vec<String> =
        told(&world.pool, &id).into_iter().map(|(act, _, state)| format!("{act} {state}")).collect();
    assert_eq!(acts, ["PROVISION DONE", "DELETE DONE"]);
    assert_eq!(round(&world, &fabric).await, 0);
    let uses: i64 = world.read(|db| Ok(port_uses::table.count().get_result(db)?)).expect("uses");
    assert_eq!(uses, 0);
}

#[actix_web::test]
async fn a_port_that_nobody_was_told_of_is_simply_gone() {
    let world = World::new();
    ready(&world);
    let (key, id) = order_port(&world, "acme", "rack 1");
    world.write(|db| subtenant::provisioning::look_at_port(db, key, true)).expect("looked at");
    assert_eq!(told(&world.pool, &id).len(), 1);
    let now = "2026-11-29 00:00:00";
    world.sql(&format!("UPDATE ports SET state = 'DELETED', deleted_at = '{now}', look_at = '{now}'"));
    world.write(|db| subtenant::provisioning::look_at_port(db, key, true)).expect("looked at");
    finish(&world, &simulated(&world)).await;
    assert_eq!(told(&world.pool, &id), [("PROVISION".to_owned(), 1, "FAILED".to_owned())]);
}
