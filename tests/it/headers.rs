//! What every response carries (T38), whatever it is: pages, forms, redirects, refusals, errors, assets, downloads. What
//! cookies carry, over http and https. Whose word about the client's address is believed.

use std::collections::BTreeMap;

use actix_web::http::{Method, header};

use crate::browser::{Answer, Browser, FORM};
use crate::crawl::{crawl, furnish, world};
use crate::world::{PASSWORD, World, email};

const ALWAYS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), publickey-credentials-create=(self), publickey-credentials-get=(self)",
    ),
];

#[track_caller]
pub fn check(what: &str, answer: &Answer) {
    for (name, value) in ALWAYS {
        assert_eq!(answer.header(name), value, "{name} of {what} ({})", answer.status);
    }
    let policy = answer.header("content-security-policy");
    let parts =
        ["default-src 'none'", "script-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"];
    for part in parts.into_iter().chain(["form-action 'self'"]) {
        assert!(policy.contains(part), "{part} is missing in the policy of {what}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{what}: {policy}");
    assert_eq!(answer.header("x-request-id").len(), 22, "{what}");
    let cache = answer.header("cache-control");
    let fine = ["no-store", "private, no-cache", "public, max-age=31536000, immutable"].contains(&cache);
    assert!(fine, "cache-control of {what} is {cache:?}");
    if !answer.body.is_empty() {
        let kind = answer.header("content-type");
        let is_binary = ["image/svg+xml", "application/pdf"].contains(&kind);
        assert!(kind.contains("charset=utf-8") || is_binary, "content-type of {what} is {kind:?}");
    }
    for name in ["server", "x-powered-by", "access-control-allow-origin"] {
        assert_eq!(answer.header(name), "", "{name} of {what}");
    }
}

#[actix_web::test]
async fn every_page_carries_every_header() {
    let world = world();
    let mut browser = world.browser("admin-of-acme").await;
    let mut kinds: BTreeMap<u16, usize> = BTreeMap::new();
    let pages = crawl(&mut browser, None, |uri, answer| {
        check(uri, answer);
        *kinds.entry(answer.status.as_u16()).or_default() += 1;
    });
    assert!(pages.await > 60);
    assert!(kinds.contains_key(&200) && kinds.contains_key(&303), "{kinds:?}");
}

/// Method, address, body: everything that is refused before or after a handler.
fn odd_requests(world: &World) -> Vec<(Method, String, Option<Vec<u8>>)> {
    let account = |section: &str| world.path("acme", section);
    let mut odd = vec![
        (Method::GET, "/nowhere".to_owned(), None),
        (Method::GET, "/a/%FF/settings".to_owned(), None),
        (Method::GET, "/a/ac-short/settings".to_owned(), None),
        (Method::GET, account("no-such-section"), None),
        (Method::GET, account("child-accounts?after=%FF&page=x&sort=%00"), None),
        (Method::GET, "/legal/msa/999".to_owned(), None),
        (Method::GET, "/legal/msa/x".to_owned(), None),
        (Method::GET, "/legal/%00/%00".to_owned(), None),
        (Method::GET, "/profile/sessions/%00/end".to_owned(), None),
        (Method::GET, account("child-accounts/%00/created"), None),
        (Method::GET, account("consent/%00"), None),
        (Method::GET, "/static/none.css".to_owned(), None),
        (Method::GET, "/static/../Cargo.toml".to_owned(), None),
        (Method::GET, format!("/a/{}", "x".repeat(8000)), None),
        (Method::GET, "/sign-in?back=https://evil.example".to_owned(), None),
        (Method::HEAD, account("settings"), None),
        (Method::POST, account("settings"), Some(b"name=x".to_vec())),
        (Method::POST, account("settings"), Some(vec![b'x'; 3 * 1024 * 1024])),
        (Method::POST, account("settings"), Some(vec![0xff; 100])),
        (Method::POST, "/healthz".to_owned(), Some(Vec::new())),
        (Method::POST, "/nowhere".to_owned(), Some(b"a=b".to_vec())),
    ];
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS, Method::TRACE, Method::CONNECT] {
        odd.push((method, account("settings"), None));
    }
    odd
}

#[actix_web::test]
async fn every_refusal_carries_every_header_and_is_a_page() {
    let world = world();
    let mut vera = world.browser("vera").await;
    for (method, uri, body) in odd_requests(&world) {
        let shown: String = uri.chars().take(60).collect();
        let what = format!("{method} {shown}");
        let request = vera.request(method.clone(), &uri).insert_header((header::CONTENT_TYPE, FORM));
        let request = if let Some(body) = body { request.set_payload(body) } else { request };
        let answer = vera.send(request).await;
        check(&what, &answer);
        assert!(answer.status.as_u16() < 500, "{what}: {}", answer.status);
        if answer.status.is_client_error() && method != Method::HEAD {
            assert!(answer.text().contains("<h1"), "{what}: {}", answer.text());
        }
    }
}

#[actix_web::test]
async fn assets_are_kept_for_ever_under_a_name_that_changes() {
    let world = World::new();
    let mut browser = Browser::new(&world.console().await);
    let page = browser.get("/sign-in").await.body.clone();
    for start in ["/static/css/app.", "/static/js/app."] {
        let uri: String = page[page.find(start).expect("the asset")..].chars().take_while(|c| *c != '"').collect();
        for encoding in ["identity", "gzip"] {
            let request = browser.request(Method::GET, &uri).insert_header((header::ACCEPT_ENCODING, encoding));
            let answer = browser.send(request).await;
            check(&uri, &answer);
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        }
    }
}

/// Name and attributes of every cookie that is set on the way in and through a form.
async fn cookies_of(world: &World) -> Vec<String> {
    let mut browser = Browser::new(&world.console().await);
    let mut lines = Vec::new();
    let mut keep = |answer: &Answer| {
        let set = answer.headers.get_all(header::SET_COOKIE).map(|v| v.to_str().expect("text").to_owned());
        lines.extend(set);
    };
    keep(&browser.send(browser.request(Method::GET, "/sign-in")).await);
    browser.get("/sign-in").await;
    let mut form = browser.page.form("Sign in");
    form.fill("Email", &email("admin-of-acme"));
    form.fill("Password", PASSWORD);
    keep(&browser.post("/sign-in", &form.pairs()).await);
    browser.get("/profile").await;
    let form = browser.page.form("Save profile");
    keep(&browser.post(&form.action, &form.pairs()).await);
    assert!(lines.len() >= 3, "{lines:?}");
    lines
}

#[actix_web::test]
async fn cookies_are_for_this_site_only_and_out_of_reach_of_scripts() {
    let world = World::new();
    furnish(&world);
    for line in cookies_of(&world).await {
        for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(line.contains(part), "{part} is missing in {line}");
        }
        assert!(!line.contains("Domain") && !line.contains("Secure"), "{line}");
    }
}

#[actix_web::test]
async fn over_https_cookies_are_secure_and_bound_to_the_host_and_browsers_stay_on_https() {
    let world = World::with(|settings| settings.public_url = Some("https://console.example.com".to_owned()));
    furnish(&world);
    for line in cookies_of(&world).await {
        for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Secure"] {
            assert!(line.contains(part), "{part} is missing in {line}");
        }
        assert!(line.starts_with("__Host-"), "{line}");
    }
    let mut browser = Browser::new(&world.console().await);
    for uri in ["/sign-in", "/nowhere", "/healthz"] {
        let answer = browser.send(browser.request(Method::GET, uri)).await;
        check(uri, &answer);
        assert!(answer.header("strict-transport-security").starts_with("max-age=31536000"), "{uri}");
    }
}

/// The address that the list of sessions shows for a sign-in that says it was forwarded.
async fn address_seen(world: &World, forwarded: &'static str) -> String {
    let mut browser = Browser::new(&world.console().await);
    browser.get("/sign-in").await;
    let mut form = browser.page.form("Sign in");
    form.fill("Email", &email("admin-of-acme"));
    form.fill("Password", PASSWORD);
    let request = browser.request(Method::POST, "/sign-in").insert_header((header::CONTENT_TYPE, FORM));
    let body = crate::browser::encode(&form.pairs());
    browser.send(request.insert_header(("x-forwarded-for", forwarded)).set_payload(body)).await;
    browser.get("/profile").await;
    let current = browser.page.rows().into_iter().find(|row| row[0].contains("This one"));
    current.expect("the current session")[1].clone()
}

#[actix_web::test]
async fn a_forwarded_address_is_believed_from_trusted_proxies_only() {
    let world = World::new();
    furnish(&world);
    assert_eq!(address_seen(&world, "203.0.113.9").await, "192.0.2.10");
    let world = World::with(|settings| settings.trusted_proxies = Some("192.0.2.0/24".to_owned()));
    furnish(&world);
    assert_eq!(address_seen(&world, "203.0.113.9").await, "203.0.113.9");
    assert_eq!(address_seen(&world, "198.51.100.1, 203.0.113.9, 192.0.2.77").await, "203.0.113.9");
    assert_eq!(address_seen(&world, "nonsense").await, "192.0.2.10");
}
