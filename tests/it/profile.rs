//! What one person does about themselves: signing in and out, names, password, appearance, ending a session elsewhere,
//! and what was typed into a form whose session had ended. The rules of sessions themselves are in `security`.

use crate::browser::Browser;
use crate::dump::{assert_unchanged, dump};
use crate::journeys::LEAVE;
use crate::world::{PASSWORD, World, email};

const OTHER_PASSWORD: &str = "seven velvet anchors";

/// Everybody's session ended an hour ago.
fn expire_sessions(world: &World) {
    let past = subtenant::ids::now() - chrono::Duration::hours(1);
    world.sql(&format!("UPDATE sessions SET expires_at = '{}'", past.format("%Y-%m-%d %H:%M:%S%.6f")));
}

#[actix_web::test]
async fn signing_in_leads_to_where_one_wanted_to_go_and_out_ends_it() {
    let world = World::new();
    world.account("acme").child("Lab");
    let mut admin = Browser::new(&world.console().await);
    let wanted = world.path("Lab", "settings");
    admin.get(&wanted).await;
    assert_eq!(admin.page.heading(), "Sign in");
    admin.sign_in(&email("admin-of-acme"), PASSWORD).await;
    assert_eq!((admin.page.uri.as_str(), admin.page.heading().as_str()), (wanted.as_str(), "Account Settings"));
    admin.submit("Sign out", &[]).await;
    assert_eq!(admin.page.heading(), "Sign in");
    assert_eq!(admin.get(&wanted).await.heading(), "Sign in");
}

#[actix_web::test]
async fn a_wrong_password_and_an_unknown_email_are_answered_alike() {
    let world = World::new();
    world.person("paul");
    let mut answers = Vec::new();
    for (email, password) in [(email("paul"), "not the password"), (email("nobody"), PASSWORD)] {
        let mut browser = Browser::new(&world.console().await);
        browser.sign_in(&email, password).await;
        assert_eq!(browser.page.status, 422);
        assert_eq!(browser.page.field("Email"), email);
        assert_eq!(browser.page.field("Password"), "");
        answers.push(browser.page.text());
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].contains("Email or password is not right"), "{}", answers[0]);
}

#[actix_web::test]
async fn names_are_changed_and_a_stale_form_loses_nothing() {
    let world = World::new();
    world.account("acme");
    let mut admin = world.browser("admin-of-acme").await;
    let mut elsewhere = admin.clone();
    elsewhere.get("/profile").await;
    admin.get("/profile").await;
    admin.submit("Save profile", &[("First name", "Ada"), ("Last name", "Byron")]).await;
    assert_eq!(admin.page.flash(), "Your profile is saved.");
    assert_eq!(admin.page.field("First name"), "Ada");
    elsewhere.submit("Save profile", &[("First name", "Augusta")]).await;
    assert!(elsewhere.page.text().contains("changed elsewhere"), "{}", elsewhere.page);
    assert_eq!(elsewhere.page.field("First name"), "Augusta");
    elsewhere.submit("Save profile", &[]).await;
    assert_eq!(elsewhere.page.field("First name"), "Augusta");
}

#[actix_web::test]
async fn a_new_password_asks_for_the_old_one_and_ends_the_other_sessions_if_wanted() {
    let world = World::new();
    world.account("acme");
    let mut admin = world.browser("admin-of-acme").await;
    let mut other = world.browser("admin-of-acme").await;
    admin.get("/profile").await;
    let wrong = [("Current password", "wrong"), ("New password", "qwertyuiop")];
    admin.submit("Change password", &wrong).await;
    assert_eq!(admin.page.error("Current password"), "This is not your current password");
    assert!(admin.page.error("New password").starts_with("This password is easy to guess"), "{}", admin.page);
    assert!(!admin.page.body.contains("qwertyuiop"));
    let right = [("Current password", PASSWORD), ("New password", OTHER_PASSWORD), ("End all other sessions", "yes")];
    admin.submit("Change password", &right).await;
    assert!(admin.page.flash().starts_with("Your password is changed."), "{}", admin.page);
    assert_eq!(other.get("/profile").await.heading(), "Sign in");
    other.sign_in(&email("admin-of-acme"), PASSWORD).await;
    assert_eq!(other.page.status, 422);
    other.sign_in(&email("admin-of-acme"), OTHER_PASSWORD).await;
    assert_eq!(other.page.heading(), "Profile");
}

#[actix_web::test]
async fn a_theme_is_kept_with_the_person() {
    let world = World::new();
    world.account("acme");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get("/profile").await;
    admin.submit("Save theme", &[("Dark", "yes")]).await;
    assert_eq!(admin.page.flash(), "The appearance is saved.");
    let mut other = world.browser("admin-of-acme").await;
    assert!(other.get("/profile").await.body.contains("data-theme=\"dark\""));
}

#[actix_web::test]
async fn a_session_elsewhere_can_be_ended_and_a_stranger_cannot_end_it() {
    let world = World::new();
    world.account("acme");
    world.account("other");
    let mut admin = world.browser("admin-of-acme").await;
    let mut lost = world.browser("admin-of-acme").await;
    admin.get("/profile").await;
    assert_eq!(admin.page.rows_under("Signed in").len(), 2);
    let href = admin.page.links().into_iter().find(|href| href.ends_with("/end")).expect("a link that ends a session");
    let mut stranger = world.browser("admin-of-other").await;
    assert_eq!(stranger.get(&href).await.status, 404);
    admin.get(&href).await;
    assert_eq!(admin.page.heading(), "End this session?");
    admin.submit("End session", &[]).await;
    assert_eq!(admin.page.flash(), "The session is ended. That browser is signed out.");
    assert_eq!(admin.page.rows_under("Signed in").len(), 1);
    assert_eq!(lost.get("/profile").await.heading(), "Sign in");
}

#[actix_web::test]
async fn what_was_typed_when_the_session_had_ended_is_there_after_signing_in() {
    let world = World::new();
    world.account("acme");
    let mut admin = world.browser("admin-of-acme").await;
    for (page, label, button) in [("child-accounts/new", "Description", "Save"), ("settings", "Description", "Save")] {
        admin.get(&world.path("acme", page)).await;
        let before = dump(&world);
        expire_sessions(&world);
        admin.submit(button, &[("Name", "Late <b>"), (label, "Long and\ncarefully typed")]).await;
        assert_eq!(admin.page.heading(), "Sign in");
        assert_unchanged(&before, &world, "a form without a session");
        admin.sign_in(&email("admin-of-acme"), PASSWORD).await;
        assert_eq!(admin.page.path(), world.path("acme", page));
        assert_eq!(admin.page.field(label).replace("\r\n", "\n"), "Long and\ncarefully typed");
        assert_eq!(admin.page.field("Name"), "Late <b>");
        let more: &[(&str, &str)] = if page == "settings" { &[] } else { &[(LEAVE, "yes")] };
        admin.submit(button, more).await;
        assert!(admin.page.flash().ends_with("saved.") || admin.page.flash().ends_with("created."), "{}", admin.page);
    }
}

#[actix_web::test]
async fn what_somebody_typed_is_shown_to_nobody_else() {
    let world = World::new();
    world.account("acme").administrator("eve");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "child-accounts/new")).await;
    expire_sessions(&world);
    admin.submit("Save", &[("Name", "Confidential")]).await;
    admin.sign_in(&email("eve"), PASSWORD).await;
    assert!(admin.page.path().ends_with("/child-accounts/new"), "{}", admin.page);
    assert_eq!(admin.page.field("Name"), "");
    assert!(!admin.page.body.contains("Confidential"));
}
