//! Links that are mailed to people about themselves: a new password (which tells nobody who exists, T13), showing that
//! an address is one's own, another address. Each works once, for its time, and where it was asked for; opening one
//! uses nothing up, because machines open links too.

use subtenant::ids;
use subtenant::mail::{Kind, Letter};

use crate::browser::{Answer, Browser};
use crate::dump::{assert_unchanged, dump};
use crate::mailbox::{answer_requests, empty, letters, letters_to, link, path};
use crate::world::{PASSWORD, World, admin_of, email};

const NEW: &str = "seven velvet anchors";
const SPENT: &str = "This link does not work any more";

pub fn world() -> World {
    let world = World::new();
    world.account("acme");
    empty(&world);
    world
}

pub fn admin() -> String {
    admin_of("acme")
}

/// Asks for a new password as this address.
async fn ask(browser: &mut Browser, email: &str) {
    browser.get("/sign-in").await;
    browser.click("Forgot your password?").await;
    browser.submit("Send the link", &[("Email", email)]).await;
    assert_eq!(browser.page.heading(), "Check your mail", "{}", browser.page);
}

/// The link that this browser's request brings.
async fn mailed(world: &World, browser: &mut Browser) -> String {
    ask(browser, &email(&admin())).await;
    answer_requests(world).await;
    let letters = letters_to(world, &admin());
    path(letters.iter().rfind(|letter| letter.kind == Kind::PasswordReset).expect("a letter"))
}

/// As if every link had been mailed so long ago.
fn age_links(world: &World, by: chrono::Duration) {
    let end = (ids::now() + chrono::Duration::hours(1) - by).format("%Y-%m-%d %H:%M:%S%.6f");
    world.sql(&format!("UPDATE mailed_links SET expires_at = '{end}'"));
}

pub fn subjects(letters: &[Letter]) -> Vec<&str> {
    letters.iter().map(|letter| letter.subject.as_str()).collect()
}

#[actix_web::test]
async fn a_forgotten_password_is_set_anew_once_and_everybody_is_signed_out() {
    let world = world();
    let mut lost = world.browser(&admin()).await;
    let mut browser = Browser::new(&world.console().await);
    let link = mailed(&world, &mut browser).await;
    let before = dump(&world);
    browser.get(&link).await;
    browser.get(&link).await;
    assert_unchanged(&before, &world, "opening the link");
    browser.submit("Set new password", &[("New password", "qwertyuiop")]).await;
    assert!(browser.page.error("New password").starts_with("This password is easy to guess"), "{}", browser.page);
    browser.submit("Set new password", &[("New password", NEW)]).await;
    assert_eq!(browser.page.heading(), "Sign in");
    assert!(browser.page.flash().starts_with("Your password is set."), "{}", browser.page);
    assert_eq!(lost.get("/profile").await.heading(), "Sign in");
    browser.sign_in(&email(&admin()), PASSWORD).await;
    assert_eq!(browser.page.status, 422);
    browser.sign_in(&email(&admin()), NEW).await;
    assert_eq!(browser.page.status, 200);
    assert_eq!(browser.get(&link).await.status, 410);
    assert!(browser.page.text().contains(SPENT), "{}", browser.page);
    assert_eq!(subjects(&letters(&world)), ["Set a new password", "Your password was changed"]);
    assert!(browser.get("/profile").await.text().contains("Confirmed"), "mail reached the address");
}

#[actix_web::test]
async fn what_a_stranger_set_up_before_the_address_was_confirmed_goes_with_the_reset() {
    for confirmed in [false, true] {
        let world = world();
        // Signed up with an address that is somebody else's.
        let mut stranger = world.browser(&admin()).await;
        crate::factor::set_up(&mut stranger).await;
        stranger.get("/profile/second-factor/codes").await;
        stranger.submit("I have kept them", &[]).await;
        if confirmed {
            world.sql("UPDATE users SET email_verified_at = created_at");
        }
        empty(&world);
        let mut owner = Browser::new(&world.console().await);
        let link = mailed(&world, &mut owner).await;
        owner.get(&link).await;
        owner.submit("Set new password", &[("New password", NEW)]).await;
        let told = letters(&world).last().expect("a letter").opening.concat();
        assert_eq!(told.contains("the second factor that was set up does not count any more"), !confirmed, "{told}");
        let log: Vec<String> = dump(&world).into_iter().filter(|line| line.contains("by a mailed link")).collect();
        assert_eq!(log.concat().contains("secondFactor"), !confirmed, "{log:?}");
        let left = ["authenticator_apps:", "recovery_codes:"];
        let left = dump(&world).iter().filter(|line| left.iter().any(|table| line.starts_with(table))).count();
        assert_eq!(left, if confirmed { 11 } else { 0 });
        owner.sign_in(&email(&admin()), NEW).await;
        assert_eq!(owner.page.heading() == "Second step", confirmed, "{}", owner.page);
    }
}

#[actix_web::test]
async fn a_link_opened_in_another_browser_asks_for_the_address() {
    let world = world();
    world.person("eve");
    let link = mailed(&world, &mut Browser::new(&world.console().await)).await;
    let mut other = Browser::new(&world.console().await);
    assert!(other.get(&link).await.text().contains("another browser"), "{}", other.page);
    for wrong in [String::new(), email("eve")] {
        other.submit("Set new password", &[("Email", &wrong), ("New password", NEW)]).await;
        assert_eq!(other.page.error("Email"), "Enter the email address that this link was sent to");
    }
    let right = email(&admin()).to_uppercase();
    other.submit("Set new password", &[("Email", &right), ("New password", NEW)]).await;
    assert!(other.page.flash().starts_with("Your password is set."), "{}", other.page);
}

#[actix_web::test]
async fn whose_link_it_is_cannot_be_guessed_for_long() {
    let world = world();
    let link = mailed(&world, &mut Browser::new(&world.console().await)).await;
    let mut other = Browser::new(&world.console().await);
    for n in 0..11 {
        other.get(&link).await;
        let guess = email(&format!("guess-{n}"));
        other.submit("Set new password", &[("Email", &guess), ("New password", NEW)]).await;
        assert_eq!(other.page.status.as_u16(), if n < 10 { 422 } else { 429 }, "{n}");
    }
}

#[actix_web::test]
async fn a_link_dies_with_its_hour_a_newer_one_and_any_new_password_or_address() {
    let world = world();
    let mut browser = Browser::new(&world.console().await);
    let link_of_the_hour = mailed(&world, &mut browser).await;
    age_links(&world, chrono::Duration::minutes(61));
    assert_eq!(browser.get(&link_of_the_hour).await.status, 410);
    world.sql("DELETE FROM mailed_links");
    let older = mailed(&world, &mut browser).await;
    let mut other = Browser::new(&world.console().await);
    let newer = mailed(&world, &mut other).await;
    assert_eq!((browser.get(&older).await.status.as_u16(), other.get(&newer).await.status.as_u16()), (410, 200));
    let mut signed_in = world.browser(&admin()).await;
    signed_in.get("/profile").await;
    signed_in.submit("Change password", &[("Current password", PASSWORD), ("New password", NEW)]).await;
    assert!(signed_in.page.flash().starts_with("Your password is changed"), "{}", signed_in.page);
    assert_eq!(other.get(&newer).await.status, 410);
    world.sql("DELETE FROM mailed_links");
    let link_to_reset = mailed(&world, &mut other).await;
    let change = link(&world, "EMAIL_CHANGE", &admin());
    signed_in.get(&format!("/profile/email/{change}")).await;
    signed_in.submit("Confirm email address", &[]).await;
    assert_eq!(other.get(&link_to_reset).await.status, 410);
}

#[actix_web::test]
async fn of_many_who_use_a_link_at_once_one_succeeds() {
    let world = world();
    let token = link(&world, "PASSWORD_RESET", &admin());
    let uri = format!("/password/reset/{token}");
    let mut tries = Vec::new();
    for n in 0..20 {
        let mut browser = Browser::new(&world.console().await);
        browser.peer = format!("198.51.100.{n}:40000").parse().expect("an address");
        browser.get(&uri).await;
        let mut form = browser.page.form("Set new password");
        form.fill("Email", &email(&admin()));
        form.fill("New password", &format!("{NEW} {n}"));
        world.sql("DELETE FROM throttles");
        tries.push((browser, form));
    }
    world.sql("DELETE FROM throttles");
    let uri = uri.as_str();
    let sending = tries
        .into_iter()
        .take(10)
        .map(|(mut browser, form)| async move { browser.post(uri, &form.pairs()).await.status.as_u16() });
    let mut answers = futures_util::future::join_all(sending).await;
    answers.sort_unstable();
    assert_eq!(answers[0], 303, "{answers:?}");
    assert!(answers[1..].iter().all(|status| *status == 410), "{answers:?}");
}

/// What an answer shows to the one who asked, without what differs at every request.
fn shown(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| name.as_str() != "x-request-id")
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    headers.sort();
    (answer.status.as_u16(), headers, answer.text())
}

/// One request for a new password and what it did to the tables, without names and moments.
async fn asked(world: &World, address: &str) -> ((u16, Vec<(String, String)>, String), Vec<String>) {
    world.sql("DELETE FROM throttles");
    let before = dump(world);
    let mut browser = Browser::new(&world.console().await);
    browser.get("/password/forgot").await;
    let mut form = browser.page.form("Send the link");
    form.fill("Email", address);
    let answer = browser.post("/password/forgot", &form.pairs()).await;
    let after = dump(world);
    let tables = after.difference(&before).map(|line| line.split(':').next().unwrap_or_default().to_owned());
    (shown(&answer), tables.collect())
}

#[actix_web::test]
async fn asking_tells_nobody_who_exists() {
    let world = world();
    let (known, unknown) = (email(&admin()), email("nobody"));
    let mut answers = Vec::new();
    for _ in 0..20 {
        for address in [&known, &unknown] {
            answers.push(asked(&world, address).await);
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    // The same one row in both cases, and nobody was looked up to write it: so the time is the same too.
    assert_eq!(answers[0].1, ["mailed_links"]);
    answer_requests(&world).await;
    assert!(letters_to(&world, "nobody").is_empty());
    assert_eq!(letters_to(&world, &admin()).len(), 5, "a mailbox is not filled");
}

#[actix_web::test]
async fn asking_is_counted_by_address_alike_for_everybody() {
    let world = world();
    for address in [email(&admin()), email("nobody")] {
        let mut browser = Browser::new(&world.console().await);
        for n in 0..6 {
            browser.get("/password/forgot").await;
            browser.submit("Send the link", &[("Email", &address)]).await;
            assert_eq!(browser.page.status.as_u16(), if n < 5 { 200 } else { 429 }, "{n}");
        }
    }
    let mut browser = Browser::new(&world.console().await);
    for n in 10..21 {
        browser.get("/password/forgot").await;
        browser.submit("Send the link", &[("Email", &email(&format!("n{n}")))]).await;
        assert_eq!(browser.page.status.as_u16(), if n < 20 { 200 } else { 429 }, "{n}");
    }
}

#[actix_web::test]
async fn a_request_from_one_browser_sent_twice_is_one() {
    let world = world();
    let mut browser = Browser::new(&world.console().await);
    ask(&mut browser, &email(&admin())).await;
    ask(&mut browser, &email(&admin())).await;
    answer_requests(&world).await;
    assert_eq!(letters(&world).len(), 1);
}

#[actix_web::test]
async fn a_request_that_cannot_be_answered_keeps_no_other_waiting() {
    let world = world();
    for address in [email("nobody"), email("nobody"), email(&admin())] {
        ask(&mut Browser::new(&world.console().await), &address).await;
    }
    // Which the answer to the second one would break.
    world.sql("CREATE UNIQUE INDEX one_answer ON mailed_links (email) WHERE state = 'SPENT'");
    answer_requests(&world).await;
    assert_eq!(letters_to(&world, &admin()).len(), 1);
}

#[actix_web::test]
async fn what_somebody_did_to_their_sign_in_is_in_the_log() {
    let world = world();
    let mut browser = Browser::new(&world.console().await);
    let link = mailed(&world, &mut browser).await;
    browser.get(&link).await;
    browser.submit("Set new password", &[("New password", NEW)]).await;
    let log: Vec<String> = dump(&world).into_iter().filter(|line| line.starts_with("audit_entries")).collect();
    for words in ["USER_FORGOT_PASSWORD", "new password by a mailed link"] {
        assert!(log.iter().any(|line| line.contains(words)), "{words} in {log:#?}");
    }
    let token = link.rsplit('/').next().unwrap_or_default();
    assert!(log.iter().all(|line| !line.contains(token) && !line.contains(NEW)));
}
