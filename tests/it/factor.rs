//! The second factor: setting up an app, signing in with its codes and with recovery codes, what a half session opens
//! (nothing), guessing, removing. Accounts that ask for one are in `requirement`. Clock skew is tested beside the code, passkeys in a
//! browser (tests/browser/passkeys.test.mjs).

use actix_web::http::Method;
use subtenant::app::routes;
use subtenant::{factor, ids};
use totp_rs::{Builder, Secret};

use crate::browser::Browser;
use crate::dump::{assert_unchanged, dump, dump_everything};
use crate::page::Page;
use crate::world::{PASSWORD, World, email};

pub const ADMIN: &str = "admin-of-acme";

pub fn world() -> World {
    let world = World::new();
    world.account("acme").child("lab").child("bench");
    world
}

/// What the app shows that scanned this page, so many seconds from now.
pub fn code_for(page: &Page, seconds: i64) -> String {
    code_of(&page.all("p.secret code")[0], seconds)
}

pub fn code_of(secret: &str, seconds: i64) -> String {
    let secret = Secret::try_from_base32(secret.replace(' ', "")).expect("a secret");
    let totp = Builder::new().with_secret(secret).with_account_name("x").with_issuer(Some("x")).build();
    let at = ids::now().and_utc().timestamp() + seconds;
    totp.expect("an app").generate(u64::try_from(at).expect("after 1970")).to_string()
}

/// As if all codes that were used had been shown long ago.
fn later(world: &World) {
    world.sql("UPDATE authenticator_apps SET last_step = 0");
}

/// Sets up an app; the secret.
pub async fn set_up(browser: &mut Browser) -> String {
    browser.get("/profile/second-factor/app").await;
    let secret = browser.page.all("p.secret code")[0].clone();
    let code = code_of(&secret, 0);
    browser.submit("Set up", &[("Code from the app", &code)]).await;
    assert!(browser.page.flash().starts_with("The authenticator app is set up"), "{}", browser.page);
    secret
}

/// Keeps recovery codes; the codes.
async fn keep_codes(browser: &mut Browser) -> Vec<String> {
    browser.get("/profile/second-factor/codes").await;
    let codes = browser.page.all("ol.codes code");
    browser.submit("I have kept them", &[]).await;
    assert_eq!(browser.page.path(), "/profile", "{}", browser.page);
    codes
}

/// Another browser, at the second step.
async fn half(world: &World, person: &str) -> Browser {
    let mut browser = Browser::new(&world.console().await);
    browser.sign_in(&email(person), PASSWORD).await;
    assert_eq!(browser.page.heading(), "Second step", "{}", browser.page);
    browser
}

fn mails(world: &World) -> Vec<String> {
    dump_everything(world).into_iter().filter(|line| line.starts_with("mails:")).collect()
}

#[actix_web::test]
async fn an_app_is_set_up_and_from_then_on_signing_in_asks_for_its_code() {
    let world = world();
    let mut admin = world.browser(ADMIN).await;
    admin.get("/profile").await;
    assert!(admin.page.text().contains("You have none yet"), "{}", admin.page);
    admin.click("Set up an authenticator app").await;
    assert!(admin.page.body.contains("<svg class=\"qr\"") && admin.page.body.contains("otpauth://totp/Subtenant"));
    admin.submit("Set up", &[("Code from the app", "000000x")]).await;
    assert!(admin.page.error("Code from the app").starts_with("This is not the code"), "{}", admin.page);
    let code = code_for(&admin.page, 0);
    admin.submit("Set up", &[("Code from the app", &code)]).await;
    assert_eq!(admin.page.heading(), "Recovery codes");
    admin.submit("I have kept them", &[]).await;
    assert!(admin.page.text().contains("10 of 10 recovery codes are left"), "{}", admin.page);
    assert_eq!(admin.page.row("Authenticator app").len(), 4);
    later(&world);
    let mut browser = half(&world, ADMIN).await;
    assert_eq!(browser.get("/profile").await.heading(), "Sign in");
    let wanted = world.path("lab", "settings");
    browser.get(&wanted).await;
    browser.sign_in(&email(ADMIN), PASSWORD).await;
    browser.submit("Confirm", &[("Code from the app", "")]).await;
    assert!(browser.page.error("Code from the app").starts_with("Enter the code"), "{}", browser.page);
    browser.submit("Confirm", &[("Code from the app", &format!(" {} {} ", &code[..3], &code[3..]))]).await;
    assert_eq!((browser.page.status.as_u16(), browser.page.path()), (200, wanted.as_str()), "{}", browser.page);
    let sessions = browser.get("/profile").await.text();
    assert_eq!(sessions.matches("This one Second factor").count(), 1, "{sessions}");
}

#[actix_web::test]
async fn no_code_works_twice_nor_does_one_from_before_it() {
    let world = world();
    let mut admin = world.browser(ADMIN).await;
    let secret = set_up(&mut admin).await;
    for (seconds, right) in [(0, false), (30, true), (30, false), (0, false)] {
        let mut browser = half(&world, ADMIN).await;
        browser.submit("Confirm", &[("Code from the app", &code_of(&secret, seconds))]).await;
        assert_eq!(browser.page.status == 200, right, "{seconds}: {}", browser.page);
    }
}

#[actix_web::test]
async fn a_recovery_code_works_once_however_it_is_typed_and_tells_by_mail() {
    let world = world();
    let mut admin = world.browser(ADMIN).await;
    set_up(&mut admin).await;
    let first = keep_codes(&mut admin).await;
    let codes = keep_codes(&mut admin).await;
    assert_eq!(codes.len(), 10);
    assert_ne!(first, codes);
    let everything = dump_everything(&world).into_iter().collect::<String>();
    for code in codes.iter().chain(&first) {
        assert!(!everything.contains(code) && !everything.contains(&code.replace('-', "")), "{code} is stored");
    }
    let mut browser = half(&world, ADMIN).await;
    browser.submit("Confirm", &[("Code from the app", &first[0])]).await;
    assert_eq!(browser.page.status, 422, "a code from before");
    let before = mails(&world).len();
    browser.submit("Confirm", &[("Code from the app", &codes[3].to_lowercase().replace('-', " "))]).await;
    assert_eq!(browser.page.flash(), "9 recovery codes are left. Make new ones in your profile.", "{}", browser.page);
    assert_eq!(mails(&world).len(), before + 1);
    let mut again = half(&world, ADMIN).await;
    again.submit("Confirm", &[("Code from the app", &codes[3])]).await;
    assert_eq!(again.page.status, 422);
}

#[actix_web::test]
async fn codes_that_were_kept_once_are_not_put_back_after_they_were_used() {
    let world = world();
    let mut admin = world.browser(ADMIN).await;
    set_up(&mut admin).await;
    admin.get("/profile/second-factor/codes").await;
    let (page, codes) = (admin.page.clone(), admin.page.all("ol.codes code"));
    admin.submit("I have kept them", &[]).await;
    half(&world, ADMIN).await.submit("Confirm", &[("Code from the app", &codes[0])]).await;
    let mut form = page.form("I have kept them");
    form.set("_key", &ids::token());
    let before = dump(&world);
    let answer = admin.post(&form.action, &form.pairs()).await;
    assert_eq!(answer.status, 422);
    let shown = Page::read(&form.action, &answer);
    assert!(shown.text().contains("Those codes were kept before") && shown.all("ol.codes code") != codes, "{shown}");
    assert_unchanged(&before, &world, "codes that were kept before");
    let mut again = half(&world, ADMIN).await;
    again.submit("Confirm", &[("Code from the app", &codes[0])]).await;
    assert_eq!(again.page.status, 422, "a used code works again");
}

#[actix_web::test]
async fn ten_wrong_codes_are_enough_from_wherever_they_come() {
    let world = world();
    let mut admin = world.browser(ADMIN).await;
    let secret = set_up(&mut admin).await;
    for n in 0..10 {
        let mut browser = half(&world, ADMIN).await;
        browser.peer = format!("198.51.100.{n}:40000").parse().expect("an address");
        browser.submit("Confirm", &[("Code from the app", "123456")]).await;
        assert_eq!(browser.page.status, 422, "{n}");
    }
    let mut browser = half(&world, ADMIN).await;
    browser.submit("Confirm", &[("Code from the app", &code_of(&secret, 30))]).await;
    assert_eq!(browser.page.status, 429, "the eleventh guess may be right");
    world.sql("DELETE FROM throttles");
    let mut browser = half(&world, ADMIN).await;
    browser.submit("Confirm", &[("Code from the app", &code_of(&secret, 30))]).await;
    assert_eq!(browser.page.status, 200, "{}", browser.page);
    assert_eq!(admin.get("/profile").await.status, 200, "who is in stays in");
}

#[actix_web::test]
async fn half_a_session_opens_nothing_and_ends_after_five_minutes() {
    let world = world();
    let mut admin = world.browser(ADMIN).await;
    let secret = set_up(&mut admin).await;
    let mut browser = half(&world, ADMIN).await;
    let token = browser.page.forms()[0].value("_token").to_owned();
    let mut nobody = Browser::new(&browser.console);
    let before = dump(&world);
    for route in routes().iter().filter(|route| route.path != "/sign-in/second") {
        let path = route.path.replace("{account}", &world.id("lab")).replace(['{', '}'], "");
        let mut answers = Vec::new();
        for browser in [&mut browser, &mut nobody] {
            let answer = match route.method {
                Method::POST => browser.post(&path, &[("_token".to_owned(), token.clone())]).await,
                _ => browser.send(browser.request(Method::GET, &path)).await,
            };
            answers.push((answer.status, answer.header("location").to_owned()));
        }
        assert_eq!(answers[0], answers[1], "{} {path}", route.method);
        let personal = route.path.starts_with("/a/") || route.path.starts_with("/profile") || route.path == "/";
        assert!(!personal || answers[0].1.starts_with("/sign-in"), "{} {path}: {:?}", route.method, answers[0]);
    }
    assert_unchanged(&before, &world, "half a session");
    browser.get("/sign-in/second").await;
    let past = (ids::now() - chrono::Duration::minutes(1)).format("%Y-%m-%d %H:%M:%S%.6f");
    let soon = (ids::now() + chrono::Duration::minutes(5)).format("%Y-%m-%d %H:%M:%S%.6f");
    let halves = world.sql(&format!("UPDATE sessions SET expires_at = '{past}' WHERE expires_at <= '{soon}'"));
    assert_eq!(halves, 1, "it would end within five minutes");
    browser.submit("Confirm", &[("Code from the app", &code_of(&secret, 30))]).await;
    assert_eq!(browser.page.heading(), "Sign in");
}

#[actix_web::test]
async fn setting_up_and_removing_ask_again_who_is_there_and_tell_by_mail() {
    let world = world();
    let mut admin = world.browser(ADMIN).await;
    let mut elsewhere = world.browser(ADMIN).await;
    crate::fresh::age(&world, 6);
    for path in ["app", "codes", "passkeys/new", "app/remove"] {
        admin.get(&format!("/profile/second-factor/{path}")).await;
        assert_eq!(admin.page.heading(), "Confirm that it is you", "{path}");
    }
    admin.submit("Confirm", &[("Password", PASSWORD)]).await;
    admin.get("/profile/second-factor/app").await;
    let (secret, code) = (admin.page.all("p.secret code")[0].clone(), code_for(&admin.page, 0));
    crate::fresh::age(&world, 6);
    admin.submit("Set up", &[("Code from the app", &code)]).await;
    admin.submit("Confirm", &[("Password", PASSWORD)]).await;
    assert_eq!(admin.page.all("p.secret code")[0], secret, "the secret that was scanned is gone");
    admin.submit("Set up", &[("Code from the app", &code)]).await;
    assert_eq!(elsewhere.get("/profile").await.heading(), "Sign in");
    keep_codes(&mut admin).await;
    admin.get("/profile").await;
    admin.click("Remove Authenticator app").await;
    assert!(admin.page.text().contains("It is your last one"), "{}", admin.page);
    admin.submit("Remove", &[]).await;
    assert!(admin.page.text().contains("You have none yet"), "{}", admin.page);
    let told = mails(&world).concat();
    for what in ["authenticator app added", "new recovery codes made", "authenticator app removed"] {
        assert!(told.contains(what), "{what}: {told}");
    }
    elsewhere.sign_in(&email(ADMIN), PASSWORD).await;
    assert_eq!(elsewhere.page.heading(), "Profile", "the password alone is enough again");
    let left = dump_everything(&world).into_iter().filter(|line| line.starts_with("recovery_codes:"));
    assert_eq!(left.count(), 0);
}

#[actix_web::test]
async fn passkeys_are_offered_where_browsers_know_them() {
    let by_address = world();
    let mut admin = by_address.browser(ADMIN).await;
    admin.get("/profile/second-factor/passkeys/new").await;
    assert!(admin.page.text().contains("Passkeys are not possible here"), "{}", admin.page);
    assert!(!admin.get("/help").await.body.contains("data-passkey"));
    for (url, possible) in
        [("http://localhost:8080", true), ("https://console.example", true), ("http://console.example", false)]
    {
        let world = World::with(|settings| settings.public_url = Some(url.to_owned()));
        let mut guest = Browser::new(&world.console().await);
        guest.get("/sign-in").await;
        assert_eq!(guest.page.has_button("Sign in with a passkey"), possible, "{url}");
        if !possible {
            continue;
        }
        let mut form = guest.page.form("Sign in with a passkey");
        for answer in ["{}", "nonsense", "{\"id\":\"x\",\"rawId\":\"eA\",\"type\":\"public-key\",\"response\":{}}"] {
            form.set("credential", answer);
            let answer = guest.post("/sign-in", &form.pairs()).await;
            assert_eq!(answer.status, 422);
            assert!(answer.text().contains("This passkey is not known here"), "{}", answer.text());
        }
    }
}

#[actix_web::test]
async fn who_has_a_second_factor_is_known_for_many_at_once() {
    let world = world();
    let mut admin = world.browser(ADMIN).await;
    set_up(&mut admin).await;
    let people = [world.person(ADMIN), world.person("paul")];
    let on = world.read(|db| factor::enabled_for(db, &people)).expect("it is known");
    assert_eq!(on.into_iter().collect::<Vec<_>>(), [people[0]]);
}
