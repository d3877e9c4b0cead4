//! Forms that are no forms (fields missing, twice, unknown, ten thousand; other types of body) and addresses with nasty
//! queries (T33). Refused with a page, or read as far as they make sense; never an error of ours.

use actix_web::http::{Method, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::browser::{Browser, FORM, encode};
use crate::crawl::{crawl, world};
use crate::dump::{assert_unchanged, dump};
use crate::forms::{address, changing, other_session, right_form};
use crate::nasty;
use crate::page::{Form, Page};

/// Bodies that are almost the form, and what is odd about them.
fn odd_bodies(form: &Form) -> Vec<(String, String)> {
    let (pairs, body) = (form.pairs(), encode(&form.pairs()));
    let mut odd = vec![
        ("a field twice".to_owned(), format!("{body}&_version=1&_version=2")),
        ("an unknown field".to_owned(), format!("{body}&admin=true")),
        ("a list".to_owned(), format!("{body}&name%5B%5D=x&name%5B0%5D=y")),
        ("ten thousand fields".to_owned(), format!("{body}{}", "&x=1".repeat(10_000))),
        ("nothing but signs".to_owned(), "&&&===&=&".to_owned()),
        ("nothing".to_owned(), String::new()),
        ("a word".to_owned(), "word".to_owned()),
    ];
    for (name, value) in pairs.iter().filter(|(name, _)| !name.starts_with('_')) {
        odd.push((format!("{name} twice"), format!("{body}&{}", encode(&[(name.clone(), value.clone())]))));
        odd.push((
            format!("{name} in capitals"),
            body.replace(&format!("{name}="), &format!("{}=", name.to_uppercase())),
        ));
    }
    odd
}

#[actix_web::test]
async fn a_form_of_another_shape_is_refused_with_a_page_and_changes_nothing() {
    // Whoever wants to sign out does.
    for path in changing().into_iter().filter(|path| *path != "/sign-out") {
        let world = world();
        let mut browser = world.browser("admin-of-acme").await;
        let session =
            if path.contains("{session}") { other_session(&world, &mut browser).await } else { String::new() };
        if ["/sign-in", "/sign-up"].contains(&path) {
            browser = Browser::new(&browser.console);
        }
        let form = right_form(&mut browser, &address(&world, path, &session)).await;
        let before = dump(&world);
        for (what, body) in odd_bodies(&form) {
            let request = browser.request(Method::POST, &form.action).insert_header((header::CONTENT_TYPE, FORM));
            let answer = browser.console.send(request.set_payload(body)).await;
            let page = Page::read(&form.action, &answer);
            assert!([400, 403, 409, 422].contains(&answer.status.as_u16()), "{what}: {page}");
            assert!(!page.heading().is_empty(), "{what}: {page}");
            assert_unchanged(&before, &world, &format!("{what} at {path}"));
        }
    }
}

#[actix_web::test]
async fn a_body_of_another_type_or_size_is_refused() {
    let world = world();
    let mut browser = world.browser("admin-of-acme").await;
    let form = right_form(&mut browser, &world.path("lab", "settings")).await;
    let before = dump(&world);
    let body = encode(&form.pairs());
    for kind in
        ["", "text/html", "application/xml", "application/octet-stream", "x", "application/x-www-form-urlencoded2"]
    {
        let request = browser.request(Method::POST, &form.action).insert_header((header::CONTENT_TYPE, kind));
        assert_eq!(browser.console.send(request.set_payload(body.clone())).await.status, 400, "{kind:?}");
    }
    for (name, value) in [("content-encoding", "gzip"), ("content-encoding", "br"), ("content-length", "5")] {
        let request = browser.request(Method::POST, &form.action).insert_header((header::CONTENT_TYPE, FORM));
        let request = request.insert_header((name, value)).set_payload(if name == "content-length" {
            "_token="
        } else {
            "\x1f\u{8b}"
        });
        assert!(browser.console.send(request).await.status.is_client_error(), "{name}: {value}");
    }
    let large = format!("{body}&description={}", "x".repeat(2 * 1024 * 1024));
    let request = browser.request(Method::POST, &form.action).insert_header((header::CONTENT_TYPE, FORM));
    assert_eq!(browser.console.send(request.set_payload(large)).await.status, 413);
    assert_unchanged(&before, &world, "a body of another kind");
}

/// Names that any page reads from its address.
const PARAMETERS: [&str; 22] = [
    "q", "sort", "scope", "view", "open", "from", "part", "missing", "back", "restore", "change", "event", "actor",
    "subject", "request", "to", "until", "result", "below", "account", "page", "x",
];

/// A place between two rows as a page would write it, with something else in it.
fn cursor(text: &str, key: i64) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(text, key)).expect("JSON"))
}

#[actix_web::test]
async fn nothing_in_an_address_breaks_a_page() {
    let world = world();
    let mut browser = world.browser("admin-of-acme").await;
    let mut pages = Vec::new();
    crawl(&mut browser, None, |uri, answer| {
        let path = uri.split(['?', ',']).next().unwrap_or_default().to_owned();
        if answer.status == 200 && uri.contains(&world.id("acme")) && !pages.contains(&path) {
            pages.push(path);
        }
    })
    .await;
    assert!(pages.len() > 8, "{pages:?}");
    let before = dump(&world);
    for nasty in nasty::all().into_iter().filter(|nasty| nasty.encoded.len() < 60_000) {
        let query: Vec<String> = PARAMETERS.iter().map(|name| format!("{name}={}", nasty.encoded)).collect();
        let cursor = |n: i64| nasty.text.as_ref().map_or_else(String::new, |text| cursor(text, n));
        let cursors = [
            format!("after={}", cursor(0)),
            format!("after={}&sort=created", cursor(i64::MIN)),
            format!("before={}&sort=-children", cursor(i64::MAX)),
            format!("after={}", nasty.encoded),
            format!("before={}&page=2", nasty.encoded),
        ];
        let paged = |page: &&String| page.ends_with("child-accounts") || page.ends_with("audit-log");
        let with_cursors = pages.iter().filter(paged).flat_map(|page| cursors.iter().map(move |query| (page, query)));
        let query = query.join("&");
        for (page, query) in pages.iter().map(|page| (page, &query)).chain(with_cursors) {
            let uri = format!("{page}?{}", query.chars().filter(char::is_ascii).take(60_000).collect::<String>());
            let Ok(_) = uri.parse::<actix_web::http::Uri>() else { continue };
            let answer = browser.console.send(browser.request(Method::GET, &uri)).await;
            let what = format!("{page}, {}", nasty.shown());
            assert!(answer.status.as_u16() < 500, "{what}: {}", answer.status);
            for markup in ["<script>alert", "<img src=x", "<svg onload"] {
                assert!(!answer.text().contains(markup), "{what}: {markup} unescaped");
            }
        }
    }
    assert_unchanged(&before, &world, "an odd address");
}

#[actix_web::test]
async fn markup_that_was_taken_is_text_on_every_page() {
    let world = world();
    for (n, markup) in nasty::MARKUP.into_iter().enumerate().filter(|(_, m)| !m.contains('\u{2028}')) {
        world.account("acme").child(&format!("{markup}{n}"));
    }
    let mut browser = world.browser("admin-of-acme").await;
    let mut form = right_form(&mut browser, &world.path("lab", "settings")).await;
    for (name, value) in [("name", "<script>alert(1)</script>"), ("tags", "<b>: \"><img src=x onerror=alert(1)>")] {
        form.set(name, value);
    }
    assert_eq!(browser.post(&form.action, &form.pairs()).await.status, 303);
    let pages = crawl(&mut browser, None, |uri, answer| {
        for markup in ["<script>alert", "<img src=x", "<svg onload", "<a href=\"javascript", "{{7*7}}<b>"] {
            let file = uri.contains(".csv") || uri.contains(".jsonl");
            assert!(!answer.text().contains(markup) || file, "{markup} on {uri}");
        }
    });
    assert!(pages.await > 100);
}
