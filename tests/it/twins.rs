//! The same form twice (T22) and an old form over a newer state (T21). A double click on two instances, a reload, a
//! retry after a lost answer: one effect, the same answer; the same form with other contents is refused. A stale form
//! is answered 409 with what is stored and what was typed, and saving again afterwards works.

use std::collections::BTreeSet;

use actix_web::http::{Method, header};
use futures_util::future::join;
use subtenant::app::Parts;
use subtenant::store::Pool;
use subtenant::store::installation::Purpose;

use crate::browser::{Answer, Browser, Console, FORM, encode};
use crate::crawl::world;
use crate::dump::{dump, dump_everything};
use crate::forms::{address, changing, other_session, right_form};
use crate::page::{Form, Page};
use crate::world::World;

/// Another instance of the console on the same database.
async fn instance(world: &World) -> Console {
    let parts: Parts = subtenant::server::prepare(&world.config, Purpose::Live).expect("another instance");
    let _: &Pool = &parts.pool;
    Console::of(parts).await
}

fn entries(world: &World) -> usize {
    dump_everything(world).iter().filter(|line| line.starts_with("audit_entries:")).count()
}

async fn send(browser: &Browser, form: &Form) -> Answer {
    let request = browser.request(Method::POST, &form.action).insert_header((header::CONTENT_TYPE, FORM));
    browser.console.send(request.set_payload(encode(&form.pairs()))).await
}

/// Every form but those of people who are not signed in yet, and signing out.
fn forms() -> impl Iterator<Item = &'static str> {
    changing().into_iter().filter(|path| !path.starts_with("/sign-"))
}

#[actix_web::test]
async fn the_same_form_sent_twice_at_once_and_again_later_has_one_effect() {
    let mut seen = 0;
    for path in forms() {
        let world = world();
        let mut browser = world.browser("admin-of-acme").await;
        let session = other_session(&world, &mut browser).await;
        let form = right_form(&mut browser, &address(&world, path, &session)).await;
        let mut twin = browser.clone();
        twin.console = instance(&world).await;
        let audited = entries(&world);
        let (one, other) = join(send(&browser, &form), send(&twin, &form)).await;
        let after = dump(&world);
        // A change of nobody else's concern, as a mark in a list of one's own, has no entry; nothing has two.
        assert!(entries(&world) - audited <= 1, "{path} is in the log {} times", entries(&world) - audited);
        for answer in [one.clone(), other, send(&browser, &form).await] {
            assert_eq!(answer.status, 303, "{path}: {}", Page::read("", &answer));
            assert_eq!(answer.header("location"), one.header("location"), "{path}");
        }
        assert_eq!(dump(&world), after, "{path} changed something again");
        seen += 1;
    }
    assert!(seen >= 12, "{seen}");
}

#[actix_web::test]
async fn the_same_form_with_other_contents_is_refused() {
    let mut seen = 0;
    for path in
        ["/a/{account}/child-accounts/new", "/a/{account}/settings", "/a/{account}/billing/new", "/profile/name"]
    {
        let world = world();
        let mut browser = world.browser("admin-of-acme").await;
        let mut form = right_form(&mut browser, &address(&world, path, "")).await;
        assert_eq!(send(&browser, &form).await.status, 303);
        let after = dump(&world);
        form.set(if path == "/profile/name" { "first_name" } else { "name" }, "Something else");
        let answer = send(&browser, &form).await;
        assert_eq!(answer.status, 409, "{path}: {}", Page::read("", &answer));
        assert!(answer.text().contains("This form was already sent"), "{path}");
        assert_eq!(dump(&world), after, "{path} changed something");
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[actix_web::test]
async fn two_browsers_that_make_the_same_child_at_once_make_two() {
    let world = world();
    let mut browser = world.browser("admin-of-acme").await;
    let mut answers = BTreeSet::new();
    for _ in 0..2 {
        let mut form = right_form(&mut browser, &world.path("lab", "child-accounts/new")).await;
        form.set("name", "Twin");
        let mut answer = send(&browser, &form).await;
        if answer.status == 422 {
            // The second one is asked whether it means it.
            let page = Page::read(&form.action, &answer);
            assert!(page.text().contains("already a child account called Twin"), "{page}");
            answer = send(&browser, &page.form("Save")).await;
        }
        answers.insert(answer.header("location").to_owned());
    }
    assert_eq!(answers.len(), 2, "{answers:?}");
}

/// Address, field by label, its name, what somebody else saves, what is typed over the old page, button.
const EDITS: [(&str, &str, &str, &str); 3] = [
    ("/a/{account}/settings", "Description", "description", "Save"),
    ("/a/{account}/billing/edit", "Account holder name", "name", "Save"),
    ("/profile/name", "Company", "company", "Save profile"),
];

#[actix_web::test]
async fn a_stale_form_shows_both_versions_and_overwrites_nothing() {
    for (path, label, name, button) in EDITS {
        let world = world();
        let mut mine = world.browser("admin-of-acme").await;
        mine.get(&address(&world, path, "")).await;
        let mut theirs = mine.clone();
        theirs.get(&address(&world, path, "")).await;
        theirs.submit(button, &[(label, "Stored meanwhile")]).await;
        assert!(theirs.page.flash().contains("saved"), "{}", theirs.page);
        let stored = dump(&world);
        mine.submit(button, &[(label, "Typed by me")]).await;
        assert_eq!(mine.page.status, 409, "{path}: {}", mine.page);
        assert!(mine.page.title().starts_with("Error: "), "{path}: {}", mine.page.title());
        assert!(mine.page.text().contains("Stored meanwhile"), "{path}: {}", mine.page);
        let form = mine.page.forms().into_iter().find(|form| form.value(name) == "Typed by me");
        assert_eq!(dump(&world), stored, "{path} overwrote what was stored");
        let form = form.unwrap_or_else(|| panic!("{path}: what was typed is lost on\n{}", mine.page));
        let again = send(&mine, &form).await;
        assert_eq!(again.status, 303, "{path}: {}", Page::read("", &again));
    }
}

#[actix_web::test]
async fn closing_and_removing_what_changed_meanwhile_is_asked_again() {
    let world = world();
    let mut mine = world.browser("admin-of-acme").await;
    for (account, look, edit, button, end) in [
        ("doomed", "settings/close", "settings", "Save", "Close doomed"),
        ("paid", "billing/remove", "billing/edit", "Save", "Remove this payment method"),
    ] {
        mine.get(&world.path(account, look)).await;
        let mut theirs = mine.clone();
        theirs.get(&world.path(account, edit)).await;
        theirs.submit(button, &[]).await;
        let stored = dump(&world);
        mine.submit(end, &[]).await;
        assert_eq!(mine.page.status, 409, "{}", mine.page);
        assert_eq!(dump(&world), stored, "{look} was carried out");
    }
}
