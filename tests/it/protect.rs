//! Other sites' forms (T37): each form of the console, filled in rightly, is sent in every way in which a page of
//! somebody else could send it; nothing of that may be carried out, and right after it the same form sent rightly is.
//! Looking at pages changes nothing, and a page fetched on a guess does not even leave a trace.

use actix_web::http::{Method, header};
use actix_web::test::TestRequest;

use crate::browser::{Browser, FORM, encode};
use crate::crawl::{crawl, world};
use crate::dump::{assert_unchanged, dump, dump_everything};
use crate::forms::{address, changing, other_session, right_form};
use crate::page::{Form, Page};
use crate::world::{PASSWORD, World, email};

/// How a foreign page could send a form.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Attack {
    NoToken,
    EmptyToken,
    TokenOfAnotherSession,
    CrossSite,
    SameSite,
    ForeignOrigin,
    NullOrigin,
    PlainText,
    Multipart,
    Json,
    GetWithOverride,
}

use Attack::*;

const ATTACKS: [Attack; 11] = [
    NoToken,
    EmptyToken,
    TokenOfAnotherSession,
    CrossSite,
    SameSite,
    ForeignOrigin,
    NullOrigin,
    PlainText,
    Multipart,
    Json,
    GetWithOverride,
];

impl Attack {
    fn request(self, browser: &Browser, form: &Form, foreign_token: &str) -> TestRequest {
        let mut pairs = form.pairs();
        match self {
            NoToken => pairs.retain(|(name, _)| name != "_token"),
            EmptyToken => set(&mut pairs, ""),
            TokenOfAnotherSession => set(&mut pairs, foreign_token),
            _ => {}
        }
        let body = encode(&pairs);
        let post = browser.request(Method::POST, &form.action).insert_header((header::CONTENT_TYPE, FORM));
        match self {
            CrossSite => post.insert_header(("sec-fetch-site", "cross-site")).set_payload(body),
            SameSite => post.insert_header(("sec-fetch-site", "same-site")).set_payload(body),
            ForeignOrigin => without_fetch(browser, form, "https://evil.example").set_payload(body),
            NullOrigin => without_fetch(browser, form, "null").set_payload(body),
            PlainText => post.insert_header((header::CONTENT_TYPE, "text/plain")).set_payload(body),
            Multipart => {
                let part = |(name, value): &(String, String)| {
                    format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                };
                let body = pairs.iter().map(part).collect::<String>() + "--x--\r\n";
                post.insert_header((header::CONTENT_TYPE, "multipart/form-data; boundary=x")).set_payload(body)
            }
            Json => post.insert_header((header::CONTENT_TYPE, "application/json")).set_payload("{\"_token\":\"x\"}"),
            GetWithOverride => {
                let address = format!("{}?_method=POST&{body}", form.action);
                browser.request(Method::GET, &address).insert_header(("x-http-method-override", "POST"))
            }
            _ => post.set_payload(body),
        }
    }
}

fn set(pairs: &mut [(String, String)], token: &str) {
    pairs.iter_mut().filter(|(name, _)| name == "_token").for_each(|(_, value)| *value = token.to_owned());
}

/// A browser that sends no Sec-Fetch headers, only the Origin.
fn without_fetch(browser: &Browser, form: &Form, origin: &'static str) -> TestRequest {
    let cookies: Vec<String> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    TestRequest::with_uri(&form.action)
        .method(Method::POST)
        .peer_addr(browser.peer)
        .insert_header((header::HOST, "127.0.0.1:8080"))
        .insert_header((header::COOKIE, cookies.join("; ")))
        .insert_header((header::ORIGIN, origin))
        .insert_header((header::CONTENT_TYPE, FORM))
}

#[actix_web::test]
async fn no_form_of_another_site_is_carried_out_and_each_of_ours_is() {
    let mut forms = 0;
    for path in changing() {
        let world = world();
        let guest = ["/sign-in", "/sign-up"].contains(&path);
        let mut other = world.browser("vera").await;
        let mut browser = if guest { Browser::new(&other.console) } else { world.browser("admin-of-acme").await };
        other.get(if guest { "/sign-in" } else { "/profile" }).await;
        let foreign_token = Browser::new(&other.console).get("/sign-in").await.forms()[0].value("_token").to_owned();
        let token = if guest { foreign_token } else { other.page.forms()[0].value("_token").to_owned() };
        let session = if guest { String::new() } else { other_session(&world, &mut browser).await };
        let form = right_form(&mut browser, &address(&world, path, &session)).await;
        let (before, sessions) = (dump(&world), count(&world, "sessions"));
        // A form that carries a file comes in parts from our own page; its token is asked for as every other's.
        let in_parts = path.ends_with("/child-accounts/import");
        for attack in ATTACKS.into_iter().filter(|attack| *attack != Multipart || !in_parts) {
            let recents = count(&world, "recents");
            let answer = browser.console.send(attack.request(&browser, &form, &token)).await;
            let what = format!("{attack:?} at {path}");
            if attack != GetWithOverride {
                assert!([400, 403].contains(&answer.status.as_u16()), "{what}: {}", Page::read("", &answer));
                assert!(!Page::read("", &answer).heading().is_empty(), "{what}: {}", answer.text());
            }
            assert_unchanged(&before, &world, &what);
            assert_eq!(count(&world, "sessions"), sessions, "{what} changed the sessions");
            assert!(count(&world, "recents") >= recents, "{what} cleared the recents");
        }
        let answer = browser.post(&form.action, &form.pairs()).await;
        assert_eq!(answer.status, 303, "the right form at {path}: {}", Page::read("", &answer));
        forms += 1;
    }
    assert!(forms >= 16, "{forms}");
}

fn count(world: &World, table: &str) -> usize {
    dump_everything(world).iter().filter(|line| line.starts_with(&format!("{table}:"))).count()
}

#[actix_web::test]
async fn looking_at_every_page_changes_nothing() {
    let world = world();
    for person in ["admin-of-acme", "vera"] {
        let mut browser = world.browser(person).await;
        let before = dump(&world);
        let pages = crawl(&mut browser, None, |uri, answer| {
            assert!(answer.status.is_success() || answer.status.is_redirection(), "{uri}: {}", answer.status);
        });
        assert!(pages.await > 60);
        assert_unchanged(&before, &world, "looking at pages");
    }
}

#[actix_web::test]
async fn a_page_fetched_on_a_guess_leaves_no_trace() {
    let world = world();
    let mut browser = world.browser("admin-of-acme").await;
    browser.get(&world.path("acme", "dashboard")).await;
    world.sql("UPDATE sessions SET last_used_at = '2026-01-01 00:00:00.000000'");
    let before = dump_everything(&world);
    for header in [("sec-purpose", "prefetch"), ("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch")] {
        crawl(&mut browser, Some(header), |_, _| ()).await;
        assert!(dump_everything(&world) == before, "{header:?} left a trace");
    }
    browser.get(&world.path("lab", "dashboard")).await;
    assert!(dump_everything(&world) != before, "a visit leaves a trace");
}

#[actix_web::test]
async fn signing_in_from_another_site_is_refused_even_with_the_right_password() {
    let world = world();
    let mut browser = Browser::new(&world.console().await);
    browser.get("/sign-in").await;
    let mut form = browser.page.form("Sign in");
    form.fill("Email", &email("admin-of-acme"));
    form.fill("Password", PASSWORD);
    browser.cookies.clear();
    let answer = browser.post("/sign-in", &form.pairs()).await;
    assert_eq!(answer.status, 403);
    assert!(!browser.cookies.contains_key("session"));
}
