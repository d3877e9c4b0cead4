//! What the operator's system says by itself: only what it signed counts, each thing once, and nothing that is late,
//! doubled or out of order does harm.

use actix_web::http::Method;
use chrono::{Duration, NaiveDateTime};
use serde_json::{Value, json};
use subtenant::connections::Happening;
use subtenant::ids;
use subtenant::provisioning::signing;

use crate::browser::{Answer, Browser};
use crate::orders::{configured, connection, history, later, order, ready, round, state, step};
use crate::receiver::{Receiver, key};
use crate::world::World;

async fn send(world: &World, headers: [&str; 3], body: &str) -> Answer {
    let mut machine = Browser::new(&world.console().await);
    let mut request = machine.request(Method::POST, "/provisioning/callbacks");
    for (name, value) in ["webhook-id", "webhook-timestamp", "webhook-signature"].into_iter().zip(headers) {
        request = request.insert_header((name, value));
    }
    // As a machine sends it: from another site, as far as browsers go.
    let request = request.insert_header(("sec-fetch-site", "cross-site"));
    let request = request.insert_header(("content-type", "application/json")).set_payload(body.to_owned());
    machine.send(request).await
}

/// Signed now; whether it changed anything.
async fn say(world: &World, body: &Value) -> Result<bool, u16> {
    let (id, moment) = (ids::new_id("msg"), ids::now().and_utc().timestamp());
    let body = body.to_string();
    let signature = signing::sign(&[key()], &id, moment, body.as_bytes());
    let answer = send(world, [&id, &moment.to_string(), &signature], &body).await;
    if answer.status != 200 {
        return Err(answer.status.as_u16());
    }
    let said: Value = serde_json::from_slice(&answer.body).expect("JSON");
    Ok(said["applied"].as_bool().expect("applied"))
}

/// An order that the fabric took and has not done.
async fn accepted(receiver: &Receiver) -> (World, ids::Key, String, String) {
    let world = World::with(|settings| settings.provisioning = receiver.settings());
    ready(&world);
    receiver.answer(&[(202, "")]);
    let (key, id) = order(&world, "acme", "line");
    round(&world, &configured(&world)).await;
    assert_eq!(state(&world, key), "PROVISIONING");
    let intent = receiver.books().received[0].id.clone();
    (world, key, id, intent)
}

#[actix_web::test]
async fn the_end_of_an_intent_counts_once() {
    let receiver = Receiver::start();
    let (world, key, _, intent) = accepted(&receiver).await;
    assert_eq!(say(&world, &json!({"intent": intent, "state": "ACCEPTED"})).await, Ok(false));
    assert_eq!(state(&world, key), "PROVISIONING");
    let done = json!({"intent": intent, "state": "DONE", "attributes": {"primaryGatewayIP": "192.0.2.7"}});
    assert_eq!(say(&world, &done).await, Ok(true));
    assert_eq!(state(&world, key), "ACTIVE");
    for late in [done, json!({"intent": intent, "state": "FAILED", "errorCode": "CONFLICT"})] {
        assert_eq!(say(&world, &late).await, Ok(false));
    }
    // Neither does the answer to a question that was asked before.
    later(&world.pool);
    round(&world, &configured(&world)).await;
    assert_eq!(history(&world.pool, key), ["WAITING_TO_PROVISION", "PROVISIONING", "ACTIVE"]);
    step(&world, key, Happening::Edit);
    assert_eq!(say(&world, &json!({"intent": intent, "state": "FAILED"})).await, Ok(false), "an older intent");
    assert_eq!(state(&world, key), "UPDATING");
}

#[actix_web::test]
async fn a_failure_is_kept_with_its_reason() {
    let receiver = Receiver::start();
    let (world, key, _, intent) = accepted(&receiver).await;
    let failed = json!({"intent": intent, "state": "FAILED", "errorCode": "VLAN_IN_USE", "errorMessage": "Taken."});
    assert_eq!(say(&world, &failed).await, Ok(true));
    let now = connection(&world, key);
    assert_eq!((now.state.code(), now.error_code.as_str()), ("FAILED_TO_PROVISION", "VLAN_IN_USE"));
}

#[actix_web::test]
async fn only_what_the_system_signed_lately_is_looked_at() {
    let receiver = Receiver::start();
    let (world, connection_key, _, intent) = accepted(&receiver).await;
    let body = json!({"intent": intent, "state": "DONE"}).to_string();
    let now = ids::now().and_utc().timestamp();
    let right = |moment: i64| signing::sign(&[key()], "msg-1", moment, body.as_bytes());
    let (fine, old) = (now.to_string(), (now - 301).to_string());
    for (moment, signature, body) in [
        (fine.as_str(), String::new(), body.as_str()),
        (&fine, "v1,AAAA".to_owned(), &body),
        (&old, right(now - 301), &body),
        (&fine, right(now), &body[..body.len() - 1]),
        ("", right(now), &body),
    ] {
        assert_eq!(send(&world, ["msg-1", moment, &signature], body).await.status, 400);
    }
    assert_eq!(send(&world, ["", &fine, &right(now)], &body).await.status, 400);
    assert_eq!(state(&world, connection_key), "PROVISIONING");
    for nonsense in [json!({}), json!([1]), json!({"intent": intent, "state": "MAYBE"}), json!({"connection": "x"})] {
        assert_eq!(say(&world, &nonsense).await, Err(400), "{nonsense}");
    }
    assert_eq!(say(&world, &json!({"intent": "intent-unknown", "state": "DONE"})).await, Err(404));
    let without = World::new();
    assert_eq!(send(&without, ["msg-1", &fine, &right(now)], &body).await.status, 404);
}

#[actix_web::test]
async fn a_link_goes_down_and_comes_up_in_the_order_in_which_it_did() {
    let receiver = Receiver::start();
    let (world, key, id, intent) = accepted(&receiver).await;
    let fabric = configured(&world);
    let start = ids::now() - Duration::minutes(10);
    let at = |seconds: i64| start + Duration::seconds(seconds);
    let event =
        |event: &str, at: NaiveDateTime| json!({"connection": id, "event": event, "at": at.and_utc().to_rfc3339()});
    // Before it is active it is only noted.
    assert_eq!(say(&world, &event("DOWN", at(0))).await, Ok(true));
    round(&world, &fabric).await;
    assert_eq!(state(&world, key), "PROVISIONING");
    assert_eq!(say(&world, &json!({"intent": intent, "state": "DONE"})).await, Ok(true));
    round(&world, &fabric).await;
    assert_eq!(state(&world, key), "DOWN");
    let down = event("DOWN", at(20));
    for (said, applied, stands) in [
        (event("UP", at(10)), true, "ACTIVE"),
        (event("UP", at(10)), false, "ACTIVE"),
        (down.clone(), true, "DOWN"),
        (event("UP", at(15)), false, "DOWN"),
        (event("UP", at(30)), true, "ACTIVE"),
        (down, false, "ACTIVE"),
    ] {
        assert_eq!(say(&world, &said).await, Ok(applied), "{said}");
        round(&world, &fabric).await;
        assert_eq!(state(&world, key), stands, "{said}");
    }
    let states = ["WAITING_TO_PROVISION", "PROVISIONING", "ACTIVE", "DOWN", "ACTIVE", "DOWN", "ACTIVE"];
    assert_eq!(history(&world.pool, key), states);
    for wrong in
        [event("SIDEWAYS", at(40)), event("DOWN", at(3600)), json!({"connection": id, "event": "DOWN", "at": 7})]
    {
        assert_eq!(say(&world, &wrong).await, Err(400), "{wrong}");
    }
    let stranger = json!({"connection": "conn-unknown", "event": "DOWN", "at": "2026-11-29T00:00:00Z"});
    assert_eq!(say(&world, &stranger).await, Err(404));
}
