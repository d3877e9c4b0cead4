//! How the statements of the most used pages are carried out in a database of 100,000 accounts: by EXPLAIN, on SQLite or
//! on the PostgreSQL that TEST_DATABASE_URL names. A page whose statement reads a whole table, or a whole index of one,
//! fails here and not at a customer's. PLAN_ACCOUNTS: how many accounts, 100,000 unless told.

mod explain;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use actix_web::http::header;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use subtenant::config::{Config, Settings};
use subtenant::generate::{self, Plan, Shape};
use subtenant::store::installation::Purpose;
use subtenant::{app, server};

/// Statements since the last look.
static SEEN: LazyLock<Mutex<Vec<String>>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Listener;

impl Instrumentation for Listener {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            SEEN.lock().expect("nobody panics while listening").push(query.to_string());
        }
    }
}

/// The most used pages of an account, from its address on; second pages are looked at as well.
const PAGES: [&str; 28] = [
    "/dashboard",
    "/child-accounts",
    "/child-accounts?sort=created",
    "/child-accounts?scope=below",
    "/child-accounts?scope=below&q=falcon",
    "/child-accounts?scope=below&q=xylophone",
    "/child-accounts?scope=below&q=zz",
    "/child-accounts?q=falcon",
    "/child-accounts?q=zz",
    "/child-accounts?sort=-children",
    "/child-accounts?view=tree",
    "/switch",
    "/switch?q=con&part=hits",
    "/switch?q=xylophone&part=hits",
    "/switch?q=a&part=hits",
    "/switch?q=falcon+lyon&part=hits",
    "/readiness",
    "/networks",
    "/networks?scope=below",
    "/connections",
    "/connections?scope=below",
    "/ports",
    "/members",
    "/roles",
    "/billing",
    "/consent",
    "/audit-log",
    "/audit-log?scope=below",
];

#[actix_web::test]
async fn no_page_reads_a_whole_table() {
    let place = explain::place();
    let accounts = std::env::var("PLAN_ACCOUNTS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let config = config(&place.url);
    let plan = Plan { accounts, seed: 1, shape: Shape::Mixed, audit_entries: accounts };
    // Makes a runtime of its own.
    let made = std::thread::spawn({
        let config = config.clone();
        move || generate::generate(&config, plan, &|_, _, _| ()).expect("a database is generated")
    });
    let made = made.join().expect("it is generated");
    set_default_instrumentation(|| Some(Box::new(Listener))).expect("listening is possible");
    let parts = server::prepare(&config, Purpose::Live).expect("the database opens");
    let service = init_service(app::build(parts)).await;

    let page = call_service(&service, TestRequest::get().uri("/sign-in").to_request()).await;
    let mut jar = cookies(&page, BTreeMap::new());
    let body = String::from_utf8(read_body(page).await.to_vec()).expect("text");
    let field = |name: &str| {
        let after = body.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_default();
        after.split('"').next().unwrap_or_default().to_owned()
    };
    let form =
        [("email", made.people[0].email.clone()), ("password", made.password.clone()), ("_token", field("_token"))];
    let request = TestRequest::post().uri("/sign-in").set_form(form).insert_header((header::COOKIE, line(&jar)));
    let answer = call_service(&service, request.to_request()).await;
    assert!(answer.status().is_redirection(), "signing in: {}", answer.status());
    jar = cookies(&answer, jar);
    let request = TestRequest::get().uri("/").insert_header((header::COOKIE, line(&jar)));
    let home = call_service(&service, request.to_request()).await;
    let home = home.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).expect("a home").to_owned();
    let account = home.trim_end_matches("/dashboard").to_owned();

    let mut wrong = Vec::new();
    let mut pages: VecDeque<String> = PAGES.map(str::to_owned).into();
    while let Some(page) = pages.pop_front() {
        SEEN.lock().expect("nobody panics while listening").clear();
        let request = TestRequest::get().uri(&format!("{account}{page}")).insert_header((header::COOKIE, line(&jar)));
        let answer = tokio::time::timeout(Duration::from_secs(60), call_service(&service, request.to_request())).await;
        let answer = answer.unwrap_or_else(|_| panic!("{page} does not answer within a minute"));
        assert_eq!(answer.status(), 200, "{page}");
        let body = String::from_utf8(read_body(answer).await.to_vec()).expect("text");
        pages.extend(next(&page, &body));
        let seen = std::mem::take(&mut *SEEN.lock().expect("nobody panics while listening"));
        for statement in seen {
            wrong
                .extend(place.whole_reads(&statement).into_iter().map(|read| format!("{page}: {read} in {statement}")));
        }
    }
    assert!(wrong.is_empty(), "{} statements read more than they need:\n{}", wrong.len(), wrong.join("\n\n"));
}

/// The second page, from the first.
fn next(page: &str, body: &str) -> Option<String> {
    let before = body.split("rel=\"next\"").next().filter(|before| before.len() < body.len())?;
    let link = before.rsplit("href=\"").next()?.split('"').next()?.replace("&amp;", "&").replace("&#38;", "&");
    let path = page.split('?').next()?;
    (!page.contains("after=") && link.starts_with('?')).then(|| format!("{path}{link}"))
}

fn config(url: &str) -> Config {
    let settings = Settings {
        bind: "127.0.0.1:8080".to_owned(),
        database_url: Some(url.to_owned()),
        max_depth: "1000".to_owned(),
        database_connections: "4".to_owned(),
        ..explain::defaults()
    };
    settings.check("unused.db").expect("the settings are right")
}

fn cookies<B>(
    answer: &actix_web::dev::ServiceResponse<B>,
    mut jar: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    for cookie in answer.response().cookies() {
        jar.insert(cookie.name().to_owned(), cookie.value().to_owned());
    }
    jar
}

fn line(jar: &BTreeMap<String, String>) -> String {
    jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}
