//! The life of a session (T43), with rows aged by SQL in place of a clock, and what the database never holds (T41). A
//! session begins with a new token, ends for good on the server, and nothing that opens a door is stored as it is.

use actix_web::http::{Method, header};

use crate::browser::{Answer, Browser};
use crate::dump::dump_everything;
use crate::world::{PASSWORD, World, email};

fn world() -> World {
    let world = World::new();
    world.account("acme");
    world
}

/// Whether the browser is somebody's.
async fn signed_in(browser: &Browser) -> bool {
    let answer = browser.console.send(browser.request(Method::GET, "/profile")).await;
    answer.status == 200
}

/// A moment so many minutes ago, as both databases write it.
fn ago(minutes: i64) -> String {
    (subtenant::ids::now() - chrono::Duration::minutes(minutes)).format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

#[actix_web::test]
async fn each_sign_in_has_a_new_token_and_the_one_before_is_dead() {
    let world = world();
    let mut browser = world.browser("admin-of-acme").await;
    let before = browser.clone();
    browser.get("/sign-in").await;
    browser.sign_in(&email("admin-of-acme"), PASSWORD).await;
    assert_ne!(before.cookies["session"], browser.cookies["session"]);
    assert!(signed_in(&browser).await);
    assert!(!signed_in(&before).await, "the token from before the second sign-in still works");
}

#[actix_web::test]
async fn a_token_planted_before_the_sign_in_opens_nothing_afterwards() {
    let world = world();
    world.account("evil");
    let attacker = world.browser("admin-of-evil").await;
    let mut victim = Browser::new(&attacker.console);
    victim.cookies.extend(attacker.cookies.clone());
    victim.get("/sign-in").await;
    victim.sign_in(&email("admin-of-acme"), PASSWORD).await;
    assert!(victim.get("/profile").await.text().contains("admin-of-acme@example.com"));
    let mut attacker = attacker;
    assert!(!attacker.get("/profile").await.body.contains("admin-of-acme"));
    assert_ne!(attacker.cookies["session"], victim.cookies["session"]);
}

#[actix_web::test]
async fn signing_out_ends_the_session_on_the_server_and_tells_the_browser_to_forget() {
    let world = world();
    let mut browser = world.browser("admin-of-acme").await;
    browser.get(&world.path("acme", "settings")).await;
    let stolen = browser.clone();
    let form = browser.page.form("Sign out");
    let answer = browser.post(&form.action, &form.pairs()).await;
    assert!(answer.header("clear-site-data").contains("\"cache\""), "{:?}", answer.headers);
    assert!(!browser.cookies.contains_key("session"));
    assert!(!signed_in(&stolen).await, "the token still works after signing out");
    // Back: what the browser may have kept it has to ask for again.
    for uri in [world.path("acme", "settings"), world.path("acme", "billing"), "/profile".to_owned()] {
        assert_eq!(browser.get(&uri).await.heading(), "Sign in");
    }
}

#[actix_web::test]
async fn pages_of_somebody_are_never_taken_from_a_cache_unasked() {
    let world = world();
    let mut browser = world.browser("admin-of-acme").await;
    crate::crawl::crawl(&mut browser, None, |uri, answer: &Answer| {
        let cache = answer.header("cache-control");
        assert!(["no-store", "private, no-cache"].contains(&cache), "{uri} {cache}");
    })
    .await;
    for money in ["billing", "billing/new"] {
        let request = browser.request(Method::GET, &world.path("acme", money));
        assert_eq!(browser.send(request).await.header("cache-control"), "no-store", "{money}");
    }
}

#[actix_web::test]
async fn a_session_ends_half_an_hour_after_its_last_use() {
    let world = world();
    let browser = world.browser("admin-of-acme").await;
    world.sql(&format!("UPDATE sessions SET last_used_at = '{}', expires_at = '{}'", ago(29), ago(-1)));
    assert!(signed_in(&browser).await);
    world.sql(&format!("UPDATE sessions SET last_used_at = '{}', expires_at = '{}'", ago(31), ago(1)));
    assert!(!signed_in(&browser).await);
}

#[actix_web::test]
async fn using_a_session_prolongs_it_and_a_page_fetched_on_a_guess_does_not() {
    let world = world();
    let mut browser = world.browser("admin-of-acme").await;
    for (uri, prefetch, lives) in
        [("/profile", true, false), ("/profile", false, true), ("/profile/alive", false, true)]
    {
        world.sql(&format!("UPDATE sessions SET last_used_at = '{}', expires_at = '{}'", ago(29), ago(-1)));
        let request = browser.request(Method::GET, uri);
        let request = if prefetch { request.insert_header(("sec-purpose", "prefetch")) } else { request };
        browser.send(request).await;
        let soon = ago(-10);
        let longer = world.sql(&format!("UPDATE sessions SET state = state WHERE expires_at > '{soon}'"));
        assert_eq!(longer == 1, lives, "{uri}, prefetch: {prefetch}");
    }
}

#[actix_web::test]
async fn a_session_ends_twelve_hours_after_signing_in_however_busy() {
    let world = world();
    let browser = world.browser("admin-of-acme").await;
    world.sql(&format!("UPDATE sessions SET created_at = '{}'", ago(12 * 60 - 1)));
    assert!(signed_in(&browser).await);
    world.sql(&format!("UPDATE sessions SET created_at = '{}', last_used_at = '{}'", ago(12 * 60 + 1), ago(0)));
    assert!(!signed_in(&browser).await);
}

#[actix_web::test]
async fn somebody_has_ten_sessions_and_the_one_used_least_lately_gives_way() {
    let world = world();
    let mut browsers = Vec::new();
    for _ in 0..11 {
        browsers.push(world.browser("admin-of-acme").await);
    }
    assert!(!signed_in(&browsers[0]).await, "the eleventh sign-in left the first session open");
    for browser in &browsers[1..] {
        assert!(signed_in(browser).await);
    }
}

#[actix_web::test]
async fn a_cookie_that_was_changed_is_nobodys() {
    let world = world();
    let browser = world.browser("admin-of-acme").await;
    let cookie = browser.cookies["session"].clone();
    let other = if cookie.ends_with('A') { "B" } else { "A" };
    for changed in
        [format!("{cookie}A"), format!("{}{other}", &cookie[..cookie.len() - 1]), String::new(), "x".repeat(5000)]
    {
        let mut forged = browser.clone();
        forged.cookies.insert("session".to_owned(), changed);
        assert!(!signed_in(&forged).await);
    }
}

#[actix_web::test]
async fn the_session_cookie_ends_with_the_browser_and_no_session_starts_by_itself() {
    let world = world();
    let mut browser = Browser::new(&world.console().await);
    for uri in ["/sign-in", "/sign-up", "/help", "/legal/msa/1", "/nowhere", "/profile"] {
        browser.get(uri).await;
        assert!(!browser.cookies.contains_key("session"), "{uri} starts a session");
    }
    browser.get("/sign-in").await;
    let mut form = browser.page.form("Sign in");
    form.fill("Email", &email("admin-of-acme"));
    form.fill("Password", PASSWORD);
    let answer = browser.post("/sign-in", &form.pairs()).await;
    let mut set = answer.headers.get_all(header::SET_COOKIE).map(|v| v.to_str().expect("text"));
    let session = set.find(|line| line.starts_with("session=")).expect("a session");
    assert!(!session.contains("Max-Age") && !session.contains("Expires"), "{session}");
}

#[actix_web::test]
async fn a_member_who_was_removed_is_out_at_the_next_request() {
    let world = world();
    world.account("acme").administrator("olga").child("lab");
    let mut olga = world.browser("olga").await;
    assert_eq!(olga.get(&world.path("lab", "settings")).await.status, 200);
    world.sql(&format!("DELETE FROM assignments WHERE user_key = {}", world.person("olga")));
    assert_eq!(olga.get(&world.path("lab", "settings")).await.status, 404);
    assert_eq!(olga.get("/profile").await.status, 200);
}

#[actix_web::test]
async fn the_database_holds_no_password_and_no_token_as_it_is() {
    let world = world();
    let mut browser = world.browser("admin-of-acme").await;
    browser.get("/profile").await;
    let wrong = [("Current password", "once mistyped secret"), ("New password", "once hoped for secret")];
    browser.submit("Change password", &wrong).await;
    world.sql(&format!("UPDATE sessions SET expires_at = '{}'", ago(1)));
    // The session has ended: what is typed now is kept, but not this.
    browser.submit("Change password", &wrong).await;
    browser.sign_in(&email("admin-of-acme"), PASSWORD).await;
    browser.get("/profile").await;
    let right = [("Current password", PASSWORD), ("New password", "seven velvet anchors")];
    browser.submit("Change password", &right).await;
    assert!(browser.page.flash().starts_with("Your password is changed"), "{}", browser.page);
    let session = browser.cookies["session"].clone();
    // The cookie is a signature and then the token.
    let token = session[session.len() - 43..].to_owned();
    let secrets = [PASSWORD, "once mistyped", "once hoped", "seven velvet anchors", &session, &token];
    for line in dump_everything(&world) {
        for secret in secrets.iter().flat_map(|s| [s.to_string(), s.replace(' ', "+"), s.replace(' ', "%20")]) {
            assert!(!line.contains(&secret), "{secret:?} is stored in {line}");
        }
    }
}
