//! What an operator sees: the log as JSON, one object to a line with the request's id and no secrets, and the figures.

use std::io::Read;
use std::process::{Command, Stdio};

use actix_web::http::Method;
use serde_json::Value;

use crate::client::Client;
use crate::cluster::free_port;
use crate::world::{PASSWORD, World};

const TOKEN: &str = "a-token-for-metrics";
const GIVEN: &str = "from-the-proxy-0001";

/// The lines of a process that is asked these things and then told to stop.
fn logged(world: &World, ask: impl FnOnce(&Client)) -> Vec<Value> {
    let bind = format!("127.0.0.1:{}", free_port());
    let mut process = Command::new(env!("CARGO_BIN_EXE_subtenant"))
        .args(["serve", "--bind", &bind, "--database-url", world.place().url(), "--log-format", "json"])
        .args(["--mail-dir", concat!(env!("CARGO_TARGET_TMPDIR"), "/mails"), "--trusted-proxies", "127.0.0.1"])
        .env("RUST_LOG", "subtenant=info")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let client = Client::new(&format!("http://{bind}"));
    while client.get("/readyz").is_none_or(|reply| reply.status != 200) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    ask(&client);
    process.kill().expect("it runs");
    let mut text = String::new();
    process.stderr.take().expect("its log").read_to_string(&mut text).expect("text");
    process.wait().expect("it ends");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

#[test]
fn the_log_is_one_object_to_a_line_and_has_no_secrets() {
    let world = World::new();
    world.account("acme");
    let (list, token) = (world.path("acme", "child-accounts"), subtenant::ids::token());
    let lines = logged(&world, |client| {
        assert_eq!(client.sign_in("admin-of-acme", PASSWORD).status, 303);
        let reply = client.named(GIVEN).get(&format!("{list}?q=hush%0Ahush")).expect("an answer");
        assert_eq!((reply.status, reply.request_id.as_str()), (200, GIVEN));
        client.get(&format!("/password/reset/{token}")).expect("an answer");
        client.named("not well\tformed").get("/nowhere").expect("an answer");
    });
    let find = |name: &str, value: &str| {
        lines.iter().find(|line| line[name] == value).unwrap_or_else(|| panic!("no {name} {value} in {lines:#?}"))
    };
    let line = find("request_id", GIVEN);
    assert_eq!(line["route"], "/a/{account}/child-accounts");
    assert_eq!((&line["method"], &line["status"]), (&Value::from("GET"), &Value::from(200)));
    assert_eq!(line["account"], world.id("acme"));
    assert_eq!(line["user"], world.person_id("admin-of-acme"));
    assert!(line["duration_ms"].as_f64().is_some_and(|ms| ms > 0.0) && line["time"].is_string(), "{line}");
    assert_eq!((&line["message"], &line["level"]), (&Value::from("answered"), &Value::from("INFO")));
    find("route", "/password/reset/{token}");
    find("route", "unknown");
    let all = format!("{lines:?}");
    for secret in [&token, PASSWORD, "hush", "not well"] {
        assert!(!all.contains(secret), "{secret} is in the log");
    }
}

#[actix_web::test]
async fn the_figures_say_how_the_process_fares() {
    let world = World::with(|settings| settings.provisioning.metrics_token = Some(TOKEN.to_owned()));
    world.account("acme");
    let mut browser = world.browser("admin-of-acme").await;
    for _ in 0..3 {
        browser.get(&world.path("acme", "child-accounts")).await;
    }
    browser.send(browser.request(Method::from_bytes(b"BREW").expect("a method"), "/nowhere/at/all")).await;
    let request = browser.request(Method::GET, "/metrics");
    let text = browser.send(request.insert_header(("authorization", format!("Bearer {TOKEN}")))).await.text();
    for start in [
        r#"subtenant_http_answers_total{status="200"} "#,
        r#"subtenant_http_request_duration_seconds_count{route="/a/{account}/child-accounts",method="GET",status="2xx"} "#,
        r#"subtenant_http_request_duration_seconds_count{route="unknown",method="OTHER",status="4xx"} "#,
        r#"subtenant_database_connections{for="read",state="idle"} "#,
        "subtenant_database_waiting 0",
        "subtenant_database_up 1",
        r#"subtenant_mails{state="due"} "#,
        r#"subtenant_build_info{version=""#,
        "process_resident_memory_bytes ",
        "process_open_fds ",
    ] {
        assert!(text.lines().any(|line| line.starts_with(start)), "{start} is not in\n{text}");
    }
    assert!(!text.contains(&world.id("acme")), "an id is a label");
    assert!(!text.contains("replica"), "there is none");
}
