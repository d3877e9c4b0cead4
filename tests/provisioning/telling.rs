//! What the operator's system is told, and what its answers mean: the same id and the same words each time, a wait that
//! grows, failures that are shown, secrets only where they belong.

use diesel::prelude::*;
use subtenant::connections::{Happening, work};
use subtenant::ids;
use subtenant::store::schema::{connection_keys, intents};

use crate::orders::{configured, connection, finish, later, order, order_port, port, ready, round, state, step, told};
use crate::receiver::{Receiver, SECRET};
use crate::world::World;

fn world(receiver: &Receiver) -> World {
    let world = World::with(|settings| settings.provisioning = receiver.settings());
    ready(&world);
    world
}

#[actix_web::test]
async fn an_intent_is_told_signed_and_in_the_published_words() {
    let receiver = Receiver::start();
    let world = world(&receiver);
    let (key, id) = order(&world, "acme", "line");
    let sealed = world.parts.vault.seal(&work::key_purpose(&id, "PRIMARY"), b"psk-of-the-line").expect("sealed");
    let row = (
        connection_keys::connection_key.eq(key),
        connection_keys::account_key.eq(world.key("acme")),
        connection_keys::side.eq("PRIMARY"),
        connection_keys::sealed.eq(sealed),
    );
    world.write(|db| Ok(diesel::insert_into(connection_keys::table).values(row).execute(db)?)).expect("a key");
    round(&world, &configured(&world)).await;
    assert_eq!(state(&world, key), "ACTIVE");
    let received = receiver.books().received.clone();
    let [one] = &received[..] else { panic!("{received:?}") };
    assert!(one.signed && one.id.starts_with("intent-"), "{one:?}");
    let said = one.json();
    assert_eq!(said["type"], "connection.provision");
    let data = &said["data"];
    assert_eq!((&data["intent"], &data["number"]), (&one.id.as_str().into(), &1.into()));
    assert_eq!(data["account"]["id"], world.id("acme"));
    let about = &data["connection"];
    for (name, value) in [("id", id.as_str()), ("name", "line"), ("type", "PORT"), ("primaryKey", "psk-of-the-line")] {
        assert_eq!(about[name], value, "{said}");
    }
    assert_eq!((&about["speed"], &about["settings"]["customerASN"]), (&100.into(), &65222.into()));
    let attributes = world.read(|db| work::attributes(db, key)).expect("attributes");
    assert_eq!(attributes.get("primaryGatewayIP").map(String::as_str), Some("192.0.2.1"));
    // Nothing of the key is left anywhere once the connection is gone, and what takes it down does not hear of it.
    step(&world, key, Happening::Delete);
    finish(&world, &configured(&world)).await;
    assert_eq!(state(&world, key), "DELETED");
    assert!(!receiver.books().received[1].body.contains("psk-of-the-line"));
}

#[actix_web::test]
async fn what_got_no_answer_is_told_again_with_the_same_id_and_body() {
    let receiver = Receiver::start();
    let world = world(&receiver);
    receiver.answer(&[(503, ""), (302, ""), (200, "<html>"), (401, ""), (404, ""), (429, "")]);
    let (key, id) = order(&world, "acme", "line");
    let fabric = configured(&world);
    for attempt in 1..=6 {
        round(&world, &fabric).await;
        assert_eq!(state(&world, key), "PROVISIONING");
        let row = intents::table.filter(intents::subject_id.eq(&id));
        let row = row.select((intents::attempts, intents::last_error, intents::next_try_at));
        let (attempts, error, next): (i64, String, chrono::NaiveDateTime) =
            world.read(|db| Ok(row.first(db)?)).expect("an intent");
        let wait = (next - ids::now()).num_milliseconds();
        assert!(attempts == attempt && error.contains("answered with"), "{attempts} {error}");
        assert!(wait <= 1250 * (1 << (attempt - 1)), "{wait}");
        let open = world.read(|db| work::open(db, world.key("acme"), &id)).expect("read").expect("open work");
        assert_eq!(open.is_stuck, attempt >= 5);
        assert_eq!(world.read(work::count_stuck).expect("counted"), i64::from(attempt >= 5));
        later(&world.pool);
    }
    round(&world, &fabric).await;
    assert_eq!(state(&world, key), "ACTIVE");
    let books = receiver.books();
    assert_eq!(books.received.len(), 7);
    assert!(books.received.iter().all(|one| one.signed && one.id == books.received[0].id));
    assert!(books.received.iter().all(|one| one.body == books.received[0].body));
    assert_eq!(world.read(work::count_stuck).expect("counted"), 0);
}

#[actix_web::test]
async fn a_system_that_is_away_delays_and_loses_nothing() {
    let receiver = Receiver::start();
    let mut settings = receiver.settings();
    settings.provisioning_url = Some("http://127.0.0.1:9/orders".to_owned());
    let world = World::with(|all| all.provisioning = settings);
    ready(&world);
    let (key, _) = order(&world, "acme", "line");
    round(&world, &configured(&world)).await;
    let error: String = world.read(|db| Ok(intents::table.select(intents::last_error).first(db)?)).expect("an intent");
    assert!(!error.is_empty() && !error.contains("/orders"), "{error}");
    assert_eq!(state(&world, key), "PROVISIONING");
}

#[actix_web::test]
async fn what_the_fabric_refuses_has_failed_and_can_be_tried_again() {
    let receiver = Receiver::start();
    let world = world(&receiver);
    let fabric = configured(&world);
    let (key, id) = order(&world, "acme", "bad line");
    round(&world, &fabric).await;
    let failed = connection(&world, key);
    assert_eq!((failed.state.code(), failed.error_code.as_str()), ("FAILED_TO_PROVISION", "INSUFFICIENT_CAPACITY"));
    assert_eq!(failed.error_message, "No room.");
    step(&world, key, Happening::Retry);
    receiver.answer(&[(409, "")]);
    round(&world, &fabric).await;
    let failed = connection(&world, key);
    assert_eq!(failed.error_code, "CONNECTION_PROVISIONING_ERROR");
    assert!(failed.error_message.contains("refused with 409"), "{}", failed.error_message);
    step(&world, key, Happening::Retry);
    receiver.answer(&[(200, r#"{"state":"DONE"}"#)]);
    round(&world, &fabric).await;
    assert_eq!((state(&world, key), connection(&world, key).error_code.as_str()), ("ACTIVE", ""));
    for (happening, stays) in [(Happening::Edit, "FAILED_TO_UPDATE"), (Happening::Delete, "FAILED_TO_DELETE")] {
        step(&world, key, happening);
        receiver.answer(&[(410, "")]);
        round(&world, &fabric).await;
        assert_eq!(state(&world, key), stays);
    }
    step(&world, key, Happening::Delete);
    round(&world, &fabric).await;
    assert_eq!(state(&world, key), "DELETED");
    let numbers: Vec<i64> = told(&world.pool, &id).into_iter().map(|(_, number, _)| number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
}

#[actix_web::test]
async fn a_port_that_the_fabric_refuses_stays_requested_until_the_operator_tries_again() {
    let receiver = Receiver::start();
    let world = world(&receiver);
    let fabric = configured(&world);
    receiver.answer(&[(422, r#"{"state":"FAILED","errorCode":"INSUFFICIENT_CAPACITY","errorMessage":"Full."}"#)]);
    let (key, id) = order_port(&world, "acme", "rack 1");
    finish(&world, &fabric).await;
    assert_eq!(port(&world, key).2, "INSUFFICIENT_CAPACITY");
    assert_eq!(port(&world, key).0, "REQUESTED");
    assert_eq!(world.read(work::count_stuck).expect("counted"), 1);
    let again = |id: &str| world.write(|db| subtenant::provisioning::operator::retry(db, id)).expect("answers");
    again(&id).expect("it is tried again");
    round(&world, &fabric).await;
    let (state, _, error, device) = port(&world, key);
    assert_eq!((state.as_str(), error.as_str(), device.as_str()), ("ACTIVE", "", "ras1"));
    assert!(again(&id).is_err() && again("port-unknown").is_err());
}

#[actix_web::test]
async fn no_secret_is_in_the_settings_as_they_are_shown() {
    let receiver = Receiver::start();
    let world = world(&receiver);
    assert!(!format!("{:?}", world.config).contains(&SECRET[6..20]));
}
