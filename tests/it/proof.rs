//! Sessions that proved too little, or that ended: without the second factor that the person has nothing about signing in
//! is changed from them, and whatever was under way while they ended does not bring them back.

use actix_web::http::Method;
use chrono::NaiveDateTime;
use diesel::prelude::*;
use futures_util::future::join;
use subtenant::access::session;
use subtenant::ids;
use subtenant::store::schema::{sessions, throttles};

use crate::browser::Browser;
use crate::dump::{assert_unchanged, dump};
use crate::factor::{ADMIN, code_of, set_up, world};
use crate::fresh::age;
use crate::world::{PASSWORD, World, email};

const SECOND: &str = "Second step";
const NEW: &str = "seven velvet anchors";

/// As if every session had been opened with the password alone.
fn unproven(world: &World) {
    world.sql("UPDATE sessions SET second_factor = FALSE");
}

/// As if somebody ended every session this moment.
fn end_all(world: &World) {
    world.sql(&format!("UPDATE sessions SET expires_at = '{}'", ids::now().format("%Y-%m-%d %H:%M:%S%.6f")));
}

#[actix_web::test]
async fn pages_about_signing_in_ask_for_the_second_factor_that_there_is() {
    let world = world();
    let mut admin = world.browser(ADMIN).await;
    let secret = set_up(&mut admin).await;
    let factor = "/profile/second-factor";
    let pages = ["app", "codes", "passkeys/new", "app/remove"].map(|page| format!("{factor}/{page}"));
    unproven(&world);
    for page in pages.iter().map(String::as_str).chain(["/profile/email", "/profile/password"]) {
        assert_eq!(admin.get(page).await.heading(), SECOND, "{page}");
    }
    assert_eq!(admin.get("/profile").await.status, 200, "looking is free");
    admin.get("/profile/email").await;
    admin.submit("Confirm", &[("Code from the app", &code_of(&secret, 30))]).await;
    assert_eq!(admin.page.path(), "/profile/email", "{}", admin.page);
}

#[actix_web::test]
async fn no_form_about_signing_in_is_carried_out_without_the_second_factor() {
    let world = world();
    let mut admin = world.browser(ADMIN).await;
    let secret = set_up(&mut admin).await;
    admin.get("/profile/second-factor/app").await;
    let (shown, app) = (admin.page.all("p.secret code")[0].clone(), admin.page.clone());
    let codes = admin.get("/profile/second-factor/codes").await.clone();
    let remove = admin.get("/profile/second-factor/app/remove").await.clone();
    let change = admin.get("/profile/email").await.clone();
    let profile = admin.get("/profile").await.clone();
    unproven(&world);
    let code = code_of(&shown, 0);
    let passwords = [("Current password", PASSWORD), ("New password", NEW)];
    let tries: [(_, &str, &[(&str, &str)]); 5] = [
        (codes, "I have kept them", &[]),
        (remove, "Remove", &[]),
        (change, "Send the link", &[("New email", "thief@example.com"), ("Current password", PASSWORD)]),
        (profile, "Change password", &passwords),
        (app, "Set up", &[("Code from the app", &code)]),
    ];
    let before = dump(&world);
    for (page, button, fields) in tries {
        admin.page = page;
        admin.submit(button, fields).await;
        assert_eq!(admin.page.heading(), SECOND, "{button}");
        assert_unchanged(&before, &world, button);
    }
    // The form was kept on the way.
    admin.submit("Confirm", &[("Code from the app", &code_of(&secret, 30))]).await;
    assert_eq!(admin.page.all("p.secret code"), [shown], "{}", admin.page);
}

#[actix_web::test]
async fn the_first_second_factor_ends_every_session_that_was_opened_without_it() {
    let world = world();
    let (mut admin, mut thief) = (world.browser(ADMIN).await, world.browser(ADMIN).await);
    admin.get("/profile/second-factor/app").await;
    assert!(admin.page.text().contains("All your other sessions end with this"), "{}", admin.page);
    set_up(&mut admin).await;
    assert_eq!(thief.get("/profile").await.heading(), "Sign in");
    assert_eq!(admin.get("/profile").await.heading(), "Profile");
}

#[actix_web::test]
async fn using_a_session_that_was_ended_does_not_prolong_it() {
    let world = world();
    let mut admin = world.browser(ADMIN).await;
    let ends = |world: &World| {
        let row = sessions::table.select((sessions::id, sessions::expires_at));
        world.read(|db| Ok(row.first::<(String, NaiveDateTime)>(db)?)).expect("a session")
    };
    end_all(&world);
    let (id, ended) = ends(&world);
    let user = world.person(ADMIN);
    // As a request does that came in before the end.
    world.write(|db| session::touch(db, &id, user)).expect("the visit is noted");
    assert_eq!(ends(&world).1, ended);
    assert_eq!(admin.get("/profile").await.heading(), "Sign in");
}

/// Waits until an attempt of signing in was counted: from then on the password is looked at.
async fn counted(world: &World) {
    let attempts = || world.read(|db| Ok(throttles::table.count().get_result::<i64>(db)?)).expect("the counts");
    for turn in 0.. {
        if attempts() > 0 {
            break;
        }
        assert!(turn < 1_000_000, "nothing is counted");
        tokio::task::yield_now().await;
    }
    for _ in 0..20 {
        attempts();
        tokio::task::yield_now().await;
    }
}

/// Sends the form that is open, and meanwhile does this.
async fn meanwhile(world: &World, browser: &mut Browser, fields: &[(&str, &str)], button: &str, act: impl Fn(&World)) {
    let mut form = browser.page.form(button);
    fields.iter().for_each(|(label, value)| form.fill(label, value));
    world.sql("DELETE FROM throttles");
    let pairs = form.pairs();
    let sending = browser.post(&form.action, &pairs);
    join(sending, async {
        counted(world).await;
        act(world);
    })
    .await;
}

/// What a reset does, in one moment.
fn reset(world: &World) {
    world.sql("UPDATE users SET password_hash = 'another one'");
    end_all(world);
}

#[actix_web::test]
async fn a_password_that_is_replaced_while_it_is_looked_at_opens_nothing() {
    let world = world();
    let mut thief = Browser::new(&world.console().await);
    thief.get("/sign-in").await;
    let typed = [("Email", &*email(ADMIN)), ("Password", PASSWORD)];
    meanwhile(&world, &mut thief, &typed, "Sign in", reset).await;
    assert_eq!(thief.get("/profile").await.heading(), "Sign in");
}

#[actix_web::test]
async fn confirming_again_does_not_bring_a_session_back_that_ended_meanwhile() {
    for act in [reset as fn(&World), end_all] {
        let world = world();
        let mut thief = world.browser(ADMIN).await;
        age(&world, 6);
        thief.get("/sign-in/again").await;
        meanwhile(&world, &mut thief, &[("Password", PASSWORD)], "Confirm", act).await;
        assert_eq!(thief.get("/profile").await.heading(), "Sign in");
    }
}

#[actix_web::test]
async fn a_new_password_is_not_set_over_one_that_came_meanwhile() {
    let world = world();
    let mut thief = world.browser(ADMIN).await;
    thief.get("/profile").await;
    let typed = [("Current password", PASSWORD), ("New password", NEW)];
    meanwhile(&world, &mut thief, &typed, "Change password", reset).await;
    let kept = world.sql("UPDATE users SET version = version WHERE password_hash = 'another one'");
    assert_eq!(kept, 1, "the owner's new password was replaced");
}

#[actix_web::test]
async fn half_a_session_ends_with_the_password_that_opened_it() {
    let world = world();
    let mut admin = world.browser(ADMIN).await;
    let secret = set_up(&mut admin).await;
    let mut thief = Browser::new(&world.console().await);
    thief.sign_in(&email(ADMIN), PASSWORD).await;
    assert_eq!(thief.page.heading(), SECOND);
    reset(&world);
    // Half a session has no owner who could end it.
    let soon = (ids::now() + chrono::Duration::minutes(4)).format("%Y-%m-%d %H:%M:%S%.6f");
    world.sql(&format!("UPDATE sessions SET expires_at = '{soon}' WHERE user_key IS NULL"));
    thief.submit("Confirm", &[("Code from the app", &code_of(&secret, 30))]).await;
    assert_eq!(thief.page.heading(), "Sign in");
    let answer = thief.send(thief.request(Method::GET, "/profile")).await;
    assert!(answer.header("location").starts_with("/sign-in?"), "{:?}", answer.headers);
}
