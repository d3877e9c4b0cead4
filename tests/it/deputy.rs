//! The account in the path is the only one that counts (T4). The same id, or another one, also sent in the query, the
//! body, a header, a cookie, twice, or in other letters changes nothing or is refused; and no spelling of the path
//! leads around the check.

use actix_web::http::{Method, header};

use crate::browser::{Browser, FORM, encode};
use crate::dump::{assert_unchanged, dump};
use crate::page::Page;
use crate::world::World;

/// `mine` has an administrator who is nobody in `theirs`; `also` is below `mine`.
fn world() -> World {
    let world = World::new();
    world.account("mine").child("also");
    world.account("theirs");
    world
}

/// The settings of `mine`, with a new description to save.
async fn form(world: &World, browser: &mut Browser) -> Vec<(String, String)> {
    browser.get(&world.path("mine", "settings")).await;
    let mut form = browser.page.form("Save");
    form.fill("Description", "landed here");
    form.pairs()
}

fn with(mut pairs: Vec<(String, String)>, name: &str, value: &str) -> Vec<(String, String)> {
    pairs.push((name.to_owned(), value.to_owned()));
    pairs
}

#[actix_web::test]
async fn another_account_in_the_body_is_refused() {
    let world = world();
    let mut browser = world.browser("admin-of-mine").await;
    for other in ["theirs", "also"] {
        let pairs = form(&world, &mut browser).await;
        let before = dump(&world);
        let replaced: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (name.clone(), if name == "_account" { world.id(other) } else { value.clone() }))
            .collect();
        let twice = with(pairs.clone(), "_account", &world.id(other));
        for pairs in
            [replaced, twice, with(pairs.clone(), "account", &world.id(other)), with(pairs, "account_key", "1")]
        {
            let answer = browser.post(&world.path("mine", "settings"), &pairs).await;
            assert!([400, 422].contains(&answer.status.as_u16()), "{}", Page::read("", &answer));
            assert_unchanged(&before, &world, "a form that names two accounts");
        }
    }
}

#[actix_web::test]
async fn another_account_in_the_query_a_header_or_a_cookie_changes_nothing() {
    let world = world();
    let mut browser = world.browser("admin-of-mine").await;
    for other in ["theirs", "also"] {
        let id = world.id(other);
        for place in ["query", "x-account-id", "x-forwarded-path", "x-original-url", "x-rewrite-url", "cookie"] {
            let pairs = form(&world, &mut browser).await;
            let path = world.path("mine", "settings");
            let uri = if place == "query" { format!("{path}?account={id}&_account={id}") } else { path.clone() };
            let mut request = browser.request(Method::POST, &uri).insert_header((header::CONTENT_TYPE, FORM));
            if place == "cookie" {
                let session = &browser.cookies["session"];
                request = request.insert_header((header::COOKIE, format!("account={id}; session={session}")));
            } else if place != "query" {
                request = request.insert_header((
                    place,
                    if place.starts_with("x-account") { id.clone() } else { world.path(other, "settings") },
                ));
            }
            let answer = browser.send(request.set_payload(encode(&pairs))).await;
            assert_eq!(answer.status, 303, "{place}: {}", Page::read("", &answer));
            assert_eq!(answer.header("location"), path, "{place}");
            browser.get(&world.path("also", "settings")).await;
            assert_eq!(browser.page.field("Description"), "", "{place}");
        }
    }
    let mut theirs = world.browser("admin-of-theirs").await;
    assert_eq!(theirs.get(&world.path("theirs", "settings")).await.field("Description"), "");
}

#[actix_web::test]
async fn no_spelling_of_the_path_leads_around_the_check() {
    let world = world();
    let (mine, theirs) = (world.id("mine"), world.id("theirs"));
    let mut browser = world.browser("admin-of-mine").await;
    let before = dump(&world);
    let spellings = [
        format!("/a/{}/settings", mine.to_uppercase()),
        format!("/A/{mine}/settings"),
        format!("/a/{mine}%00/settings"),
        format!("/a/{mine}%20/settings"),
        format!("/a/{mine}/../{theirs}/settings"),
        format!("/a/{mine}/%2e%2e/{theirs}/settings"),
        format!("/a/{mine}%2f..%2f{theirs}/settings"),
        format!("/a//{theirs}/settings"),
        format!("//a/{theirs}/settings"),
        format!("/a/{theirs};{mine}/settings"),
        format!("/a/{theirs}/settings/"),
        format!("/a/{theirs}/settings%3faccount={mine}"),
        format!("/a/{mine},{theirs}/settings"),
        "/a/*/settings".to_owned(),
        "/a/%25/settings".to_owned(),
        format!("/a/{mine}' OR 1=1 --/settings").replace(' ', "%20"),
    ];
    for uri in spellings {
        for method in [Method::GET, Method::POST] {
            let request = browser.request(method.clone(), &uri).insert_header((header::CONTENT_TYPE, FORM));
            let answer = browser.send(request.set_payload("name=x")).await;
            assert!([400, 404].contains(&answer.status.as_u16()), "{method} {uri}: {}", answer.status);
            assert!(!answer.text().contains(">theirs<"), "{method} {uri}");
        }
    }
    assert_unchanged(&before, &world, "an odd path");
}

#[actix_web::test]
async fn a_form_of_one_account_sent_to_another_is_refused() {
    let world = world();
    let mut browser = world.browser("admin-of-mine").await;
    let pairs = form(&world, &mut browser).await;
    let before = dump(&world);
    for (account, status) in [("also", 400), ("theirs", 404)] {
        let answer = browser.post(&world.path(account, "settings"), &pairs).await;
        assert_eq!(answer.status, status, "{account}: {}", Page::read("", &answer));
    }
    assert_unchanged(&before, &world, "a form of another account");
}
