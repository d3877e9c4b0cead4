//! What a monitoring system reads, and that nobody else does.

use actix_web::http::Method;
use subtenant::provisioning::operator;

use crate::browser::{Answer, Browser};
use crate::orders::{later, order, order_port, ready, round, simulated, tools};
use crate::world::World;

const TOKEN: &str = "a-token-for-metrics";

async fn ask(world: &World, authorization: Option<&str>) -> Answer {
    let mut machine = Browser::new(&world.console().await);
    let mut request = machine.request(Method::GET, "/metrics");
    if let Some(value) = authorization {
        request = request.insert_header(("authorization", value));
    }
    machine.send(request).await
}

#[actix_web::test]
async fn metrics_need_their_token() {
    let world = World::with(|settings| settings.provisioning.metrics_token = Some(TOKEN.to_owned()));
    for wrong in [None, Some("Bearer "), Some("Bearer a-token-for-metricz"), Some(TOKEN), Some("Basic eDp5")] {
        assert_eq!(ask(&world, wrong).await.status, 404, "{wrong:?}");
    }
    let answer = ask(&world, Some(&format!("Bearer {TOKEN}"))).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    let without = World::new();
    assert_eq!(ask(&without, Some("Bearer ")).await.status, 404);
}

#[actix_web::test]
async fn metrics_say_how_provisioning_stands() {
    let world = World::with(|settings| settings.provisioning.metrics_token = Some(TOKEN.to_owned()));
    ready(&world);
    order(&world, "acme", "line");
    order(&world, "acme", "other line");
    order_port(&world, "acme", "rack 1");
    round(&world, &simulated(&world)).await;
    later(&world.pool);
    world.sql("UPDATE intents SET created_at = '2026-01-01 00:00:00' WHERE subject_kind = 'PORT'");
    world.account("acme").child("lab");
    order(&world, "lab", "early");
    round(&world, &tools(&world, None)).await;
    let text = ask(&world, Some(&format!("Bearer {TOKEN}"))).await.text();
    for line in [
        r#"subtenant_connections{state="PROVISIONING"} 2"#,
        r#"subtenant_connections{state="WAITING_TO_PROVISION"} 1"#,
        r#"subtenant_connections{state="ACTIVE"} 0"#,
        r#"subtenant_ports{state="REQUESTED"} 1"#,
        r#"subtenant_intents_open{state="ACCEPTED"} 3"#,
        "subtenant_provisioning_waiting 1",
        "subtenant_provisioning_stuck 1",
        "# EOF",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} is not in\n{text}");
    }
    let status = world.read(operator::status).expect("a status").join("\n");
    for part in ["PROVISIONING 2", "REQUESTED 1", "Stuck: 1", "PROVISION since 2026-01-01"] {
        assert!(status.contains(part), "{part} is not in\n{status}");
    }
}
