//! How heavy pages are (ux.md, budgets): the style and the script once, every page with lists of fifty, compressed as
//! they travel. What the browser has already is not sent again.

use std::io::Write;

use actix_web::http::Method;
use flate2::{Compression, write::GzEncoder};

use crate::browser::Browser;
use crate::world::{World, admin_of};

const STYLE: usize = 14 << 10;
const SCRIPT: usize = 8 << 10;
const USUAL: usize = 15 << 10;
const LIST: usize = 30 << 10;
const RAW: usize = 400 << 10;
const FIRST_VISIT: usize = 65 << 10;
/// Elements of a usual page.
const ELEMENTS: usize = 800;

/// Pages of an account, and whether they list fifty things.
const PAGES: [(&str, bool); 12] = [
    ("dashboard", false),
    ("child-accounts", true),
    ("child-accounts?scope=below", true),
    ("child-accounts?view=tree", true),
    ("child-accounts/new", false),
    ("switch", true),
    ("readiness", true),
    ("members", true),
    ("roles", true),
    ("billing", false),
    ("settings", false),
    ("audit-log", true),
];

/// Compressed as the server does it, at the quickest level.
fn compressed(bytes: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("compressing");
    encoder.finish().expect("compressing").len()
}

async fn bytes(browser: &mut Browser, uri: &str) -> Vec<u8> {
    let answer = browser.send(browser.request(Method::GET, uri)).await;
    assert_eq!(answer.status, 200, "{uri}");
    answer.body
}

fn wide_world() -> World {
    let world = World::new();
    let acme = world.account("acme");
    for n in 0..60 {
        acme.child(&format!("Customer {n:02} of some length"));
    }
    world
}

#[actix_web::test]
async fn pages_weigh_no_more_than_their_budgets() {
    let world = wide_world();
    let mut browser = world.browser(&admin_of("acme")).await;
    let id = world.id("acme");
    let mut wrong = Vec::new();
    for (page, list) in PAGES {
        let body = bytes(&mut browser, &format!("/a/{id}/{page}")).await;
        let (small, most) = (compressed(&body), if list { LIST } else { USUAL });
        let elements = String::from_utf8_lossy(&body).matches('<').count() / 2;
        if small > most || body.len() > RAW || (!list && elements > ELEMENTS) {
            wrong.push(format!(
                "{page}: {small} bytes of {most}, {} before compression, {elements} elements",
                body.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[actix_web::test]
async fn a_first_visit_is_a_page_a_style_and_a_script() {
    let world = wide_world();
    let mut browser = world.browser(&admin_of("acme")).await;
    let body = bytes(&mut browser, &format!("/a/{}/child-accounts", world.id("acme"))).await;
    let text = String::from_utf8_lossy(&body).into_owned();
    let mut total = compressed(&body);
    let asset = |start: &str| {
        let name = text.split(start).nth(1).expect("it is asked for").split('"').next().unwrap_or_default();
        format!("/static/{}/{name}", if start.contains("css") { "css" } else { "js" })
    };
    for (start, most) in [("/static/css/", STYLE), ("/static/js/", SCRIPT)] {
        let uri = asset(start);
        let answer = browser.send(browser.request(Method::GET, &uri).insert_header(("accept-encoding", "gzip"))).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-encoding")), (200, "gzip"), "{uri}");
        assert!(answer.header("cache-control").contains("immutable"), "{uri}");
        assert!(answer.body.len() <= most, "{uri} weighs {} bytes, {most} are enough", answer.body.len());
        total += answer.body.len();
    }
    assert!(total <= FIRST_VISIT, "a first visit weighs {total} bytes");
    assert_eq!(text.matches("src=\"http").count() + text.matches("href=\"http").count(), 0, "something from elsewhere");
}

#[actix_web::test]
async fn what_the_browser_has_is_not_sent_again_until_something_changes() {
    let world = wide_world();
    let mut browser = world.browser(&admin_of("acme")).await;
    let uri = format!("/a/{}/child-accounts", world.id("acme"));
    let first = browser.send(browser.request(Method::GET, &uri)).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    assert_eq!(first.header("cache-control"), "private, no-cache");
    let again = browser.send(browser.request(Method::GET, &uri).insert_header(("if-none-match", tag.clone()))).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    world.account("acme").child("Another customer");
    let changed = browser.send(browser.request(Method::GET, &uri).insert_header(("if-none-match", tag.clone()))).await;
    assert_eq!(changed.status, 200);
    assert!(changed.text().contains("Another customer"));
    // The tokens of its forms are this session's.
    let mut other = world.browser(&admin_of("acme")).await;
    let elsewhere = other
        .send(other.request(Method::GET, &uri).insert_header(("if-none-match", changed.header("etag").to_owned())))
        .await;
    assert_eq!(elsewhere.status, 200);
    // What is nobody's to keep has no tag.
    let log = browser.send(browser.request(Method::GET, &format!("/a/{}/audit-log", world.id("acme")))).await;
    assert_eq!((log.header("etag"), log.header("cache-control")), ("", "no-store"));
}
