//! Sensitive acts ask again who one is when that was proven more than five minutes ago: every form of members, roles and
//! billing, looking at such a form too, nothing else. What was typed is there afterwards, the session is the same one
//! under a new token, and guesses are counted like those at signing in.

use actix_web::http::Method;
use subtenant::app::routes;

use crate::browser::Browser;
use crate::dump::{assert_unchanged, dump};
use crate::world::{PASSWORD, World, email};

const AGAIN: &str = "Confirm that it is you";

fn world() -> World {
    let world = World::new();
    world.account("acme").child("lab");
    world
}

/// As if everybody had signed in so many minutes ago.
pub fn age(world: &World, minutes: i64) {
    let then = subtenant::ids::now() - chrono::Duration::minutes(minutes);
    world.sql(&format!("UPDATE sessions SET fresh_at = '{}'", then.format("%Y-%m-%d %H:%M:%S%.6f")));
}

async fn confirm(browser: &mut Browser) {
    assert_eq!(browser.page.heading(), AGAIN, "{}", browser.page);
    browser.submit("Confirm", &[("Password", PASSWORD)]).await;
}

#[actix_web::test]
async fn every_form_about_members_roles_and_money_asks_again() {
    let world = world();
    let mut admin = world.browser("admin-of-acme").await;
    admin.get("/profile").await;
    let token = admin.page.forms()[0].value("_token").to_owned();
    age(&world, 6);
    let before = dump(&world);
    let sensitive = ["members", "roles", "billing"].map(|section| format!("/a/{{account}}/{section}"));
    let mut seen = 0;
    for route in routes().iter().filter(|r| r.method == Method::POST) {
        // Leaving is about nobody but oneself.
        if route.path.ends_with("/leave") || !sensitive.iter().any(|start| route.path.starts_with(start)) {
            continue;
        }
        let uri = route.path.replace("{account}", &world.id("lab"));
        let answer = admin.post(&uri, &[("_token".to_owned(), token.clone())]).await;
        let to = answer.header("location");
        assert!(answer.status == 303 && to.starts_with("/sign-in/again?back="), "{uri}: {} {to}", answer.status);
        seen += 1;
    }
    assert!(seen >= 3, "{seen}");
    assert_unchanged(&before, &world, "forms that asked again");
    for open in ["dashboard", "billing", "settings", "child-accounts/new", "audit-log"] {
        assert_ne!(admin.get(&world.path("lab", open)).await.heading(), AGAIN, "{open}");
    }
}

#[actix_web::test]
async fn what_was_typed_is_there_after_confirming() {
    let world = world();
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("lab", "billing/new")).await;
    age(&world, 6);
    let typed = [("Account holder name", "Lab <Accounts>"), ("City", "Oslo")];
    admin.submit("Save", &typed).await;
    confirm(&mut admin).await;
    assert_eq!(admin.page.path(), world.path("lab", "billing/new"));
    for (label, value) in typed {
        assert_eq!(admin.page.field(label), value);
    }
    let rest = [
        ("Billing email", "bills@example.com"),
        ("Street", "1 Quay"),
        ("State", "Oslo"),
        ("Postal code", "0155"),
        ("Country", "Norway"),
    ];
    admin.submit("Save", &rest).await;
    assert_eq!((admin.page.status.as_u16(), admin.page.heading()), (200, "Billing".to_owned()), "{}", admin.page);
}

#[actix_web::test]
async fn inviting_with_a_new_child_asks_as_inviting_does() {
    let world = world();
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("lab", "child-accounts/new")).await;
    age(&world, 6);
    let fields = [
        ("Name", "branch"),
        ("Technical contact email", "tech@example.com"),
        ("Invite the technical contact as administrator", "yes"),
        ("Leave for the child account's administrator to review and accept", "yes"),
    ];
    admin.submit("Save", &fields).await;
    confirm(&mut admin).await;
    assert_eq!(admin.page.field("Name"), "branch", "{}", admin.page);
    admin.submit("Save", &[]).await;
    assert!(admin.page.flash().contains("Invited as administrator: tech@example.com"), "{}", admin.page);
    // Without an invitation nothing is asked.
    admin.get(&world.path("lab", "child-accounts/new")).await;
    age(&world, 6);
    admin.submit("Save", &[("Name", "plain"), fields[3]]).await;
    assert!(admin.page.flash().contains("Child account created."), "{}", admin.page);
}

#[actix_web::test]
async fn looking_asks_too_and_cancelling_leads_to_a_page_that_does_not() {
    let world = world();
    let mut admin = world.browser("admin-of-acme").await;
    let wanted = world.path("lab", "billing/new");
    age(&world, 4);
    assert_eq!(admin.get(&wanted).await.path(), wanted);
    age(&world, 6);
    admin.get(&format!("{wanted}?x=1")).await;
    assert_eq!(admin.page.link("Cancel"), Some(world.path("lab", "billing")));
    admin.submit("Confirm", &[("Password", "wrong")]).await;
    assert_eq!(admin.page.error("Password"), "This is not your password. Check it and try again");
    admin.submit("Confirm", &[]).await;
    assert_eq!(admin.page.error("Password"), "Enter your password");
    confirm(&mut admin).await;
    assert_eq!(admin.page.uri, format!("{wanted}?x=1"));
}

#[actix_web::test]
async fn the_session_goes_on_under_a_new_token_and_ends_when_it_would_have() {
    let world = world();
    let mut admin = world.browser("admin-of-acme").await;
    let began = subtenant::ids::now() - chrono::Duration::hours(11);
    world.sql(&format!("UPDATE sessions SET created_at = '{}'", began.format("%Y-%m-%d %H:%M:%S%.6f")));
    admin.get("/profile").await;
    let (mut old, open_form) = (admin.clone(), admin.page.form("Save theme"));
    age(&world, 6);
    admin.get(&world.path("lab", "billing/new")).await;
    confirm(&mut admin).await;
    assert_ne!(admin.cookies["session"], old.cookies["session"]);
    assert_eq!(old.get("/profile").await.heading(), "Sign in", "the old token still works");
    let answer = admin.post(&open_form.action, &open_form.pairs()).await;
    assert_eq!(answer.status, 303, "a form that was open in another tab");
    assert_eq!(admin.get("/profile").await.rows_under("Signed in").len(), 1);
    let began = began.format("%Y-%m-%dT%H:%M").to_string();
    assert!(admin.page.body.contains(&began), "signed in at {began}: {}", admin.page);
}

#[actix_web::test]
async fn ten_wrong_passwords_are_enough_here_as_well() {
    let world = world();
    let mut admin = world.browser("admin-of-acme").await;
    for _ in 0..10 {
        admin.get("/sign-in/again").await;
        assert_eq!(admin.submit("Confirm", &[("Password", "wrong")]).await.status, 422);
    }
    admin.get("/sign-in/again").await;
    assert_eq!(admin.submit("Confirm", &[("Password", PASSWORD)]).await.status, 429);
    let mut elsewhere = Browser::new(&admin.console);
    elsewhere.sign_in(&email("admin-of-acme"), PASSWORD).await;
    assert_eq!(elsewhere.page.status, 429, "guesses at both places count together");
}

#[actix_web::test]
async fn a_session_that_ended_meanwhile_leads_to_signing_in_and_then_to_the_page() {
    let world = world();
    let mut admin = world.browser("admin-of-acme").await;
    let wanted = world.path("lab", "billing/new");
    age(&world, 6);
    admin.get(&wanted).await;
    world.sql("DELETE FROM sessions");
    admin.submit("Confirm", &[("Password", PASSWORD)]).await;
    assert_eq!(admin.page.heading(), "Sign in");
    admin.sign_in(&email("admin-of-acme"), PASSWORD).await;
    assert_eq!(admin.page.uri, wanted);
}
