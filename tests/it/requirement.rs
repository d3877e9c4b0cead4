//! Accounts that ask for a second factor: of everybody who enters them or anything below, people from above included, on
//! the next request, for pages and forms alike. Who switches it on uses one; nobody is locked out by removing the last.

use crate::dump::{assert_unchanged, dump};
use crate::factor::{ADMIN, code_of, set_up, world};

#[actix_web::test]
async fn an_account_asks_everybody_who_enters_it_or_anything_below() {
    let world = world();
    world.account("acme").at("bench").viewer("vera");
    world.account("acme").at("lab").viewer("leo");
    let mut admin = world.browser(ADMIN).await;
    let mut vera = world.browser("vera").await;
    let asking = world.path("lab", "settings/second-factor");
    admin.get(&asking).await;
    assert!(admin.page.text().contains("You signed in without a second factor"), "{}", admin.page);
    admin.submit("Save", &[("Require a second factor", "yes")]).await;
    assert!(admin.page.error("Require a second factor").starts_with("Use a second factor yourself"), "{}", admin.page);
    let secret = set_up(&mut admin).await;
    admin.get(&asking).await;
    let text = admin.page.text();
    assert!(text.contains("3 people reach lab or an account below") && text.contains("2 of them have no"), "{text}");
    vera.get(&world.path("bench", "dashboard")).await;
    assert_eq!(vera.page.status, 200);
    admin.submit("Save", &[("Require a second factor", "yes")]).await;
    assert_eq!(admin.page.flash(), "A second factor is asked for from now on.");
    assert!(admin.page.text().contains("Required of everybody who enters here or below"), "{}", admin.page);
    let log = admin.get(&world.path("lab", "audit-log")).await.body.clone();
    assert!(log.contains("secondFactorRequired"), "{log}");
    // On the next request, without the name of an account that she does not see.
    vera.get(&world.path("bench", "dashboard")).await;
    assert_eq!(vera.page.heading(), "This account asks for a second factor");
    assert!(vera.page.text().contains("An account above asks"), "{}", vera.page);
    let mut leo = world.browser("leo").await;
    leo.get(&world.path("lab", "dashboard")).await;
    assert!(leo.page.text().contains("lab asks for one of everybody"), "{}", leo.page);
    assert_eq!(leo.get("/profile").await.status, 200, "what is one's own stays open");
    let hers = set_up(&mut vera).await;
    assert_eq!(vera.get(&world.path("bench", "dashboard")).await.heading(), "Dashboard");
    // People from above too, and who did not use theirs is asked to.
    let mut old = admin.clone();
    world.sql("UPDATE sessions SET second_factor = FALSE");
    old.get(&world.path("acme", "dashboard")).await;
    assert_eq!(old.page.status, 200);
    old.get(&world.path("bench", "settings")).await;
    assert!(old.page.text().contains("lab asks for one of everybody"), "{}", old.page);
    let from_above = format!("child-accounts/{}/created", world.id("lab"));
    old.get(&world.path("acme", &from_above)).await;
    assert_eq!(old.page.heading(), "Second step", "{}", old.page);
    old.get(&world.path("bench", "settings")).await;
    old.submit("Confirm", &[("Code from the app", &code_of(&secret, 30))]).await;
    assert_eq!(old.page.path(), world.path("bench", "settings"), "{}", old.page);
    // Removing the last one would lock them out.
    vera.get("/profile/second-factor/app/remove").await;
    vera.submit("Confirm", &[("Code from the app", &code_of(&hers, 30))]).await;
    assert!(
        vera.page.text().contains("An account above asks for a second factor, and this is your last"),
        "{}",
        vera.page
    );
    old.get("/profile/second-factor/app/remove").await;
    assert!(old.page.text().contains("lab asks for a second factor"), "{}", old.page);
    assert!(!old.page.has_button("Remove"));
    old.get(&asking).await;
    old.submit("Save", &[("Require a second factor", "no")]).await;
    assert_eq!(old.page.flash(), "No second factor is asked for any more.");
    old.get("/profile/second-factor/app/remove").await;
    assert!(old.page.has_button("Remove"), "{}", old.page);
    world.assert_sound();
}

#[actix_web::test]
async fn setting_one_up_because_an_account_asks_leads_back_to_it() {
    let world = world();
    world.account("acme").at("lab").viewer("leo");
    world.sql(&format!("UPDATE accounts SET requires_second_factor = TRUE WHERE id = '{}'", world.id("lab")));
    let mut leo = world.browser("leo").await;
    let wanted = world.path("lab", "members?show=own");
    leo.get(&wanted).await;
    leo.click("Set up an authenticator app").await;
    let code = crate::factor::code_for(&leo.page, 0);
    leo.submit("Set up", &[("Code from the app", "000000x")]).await;
    assert_eq!(leo.page.status, 422, "a slip on the way");
    leo.submit("Set up", &[("Code from the app", &code)]).await;
    assert_eq!(leo.page.heading(), "Recovery codes");
    assert_eq!(leo.page.link("Not now"), Some(wanted.clone()));
    leo.submit("I have kept them", &[]).await;
    assert_eq!(leo.page.uri, wanted, "{}", leo.page);
    leo.get("/profile/second-factor/app?back=//evil.example").await;
    assert_eq!(leo.page.form("Set up").value("back"), "");
}

#[actix_web::test]
async fn a_form_that_meets_the_new_requirement_changes_nothing_and_is_kept() {
    let world = world();
    world.account("acme").at("lab").account_manager("mia");
    let mut mia = world.browser("mia").await;
    mia.get(&world.path("lab", "settings")).await;
    world.sql(&format!("UPDATE accounts SET requires_second_factor = TRUE WHERE id = '{}'", world.id("lab")));
    let before = dump(&world);
    mia.submit("Save", &[("Description", "Typed with care")]).await;
    assert_eq!(mia.page.heading(), "This account asks for a second factor");
    assert_unchanged(&before, &world, "a form without a second factor");
    let back = mia.page.uri.split_once("back=").expect("the way back").1.to_owned();
    let back =
        url::form_urlencoded::parse(format!("back={back}").as_bytes()).next().expect("the way back").1.into_owned();
    set_up(&mut mia).await;
    assert_eq!(mia.get(&back).await.field("Description"), "Typed with care");
    assert_eq!(mia.submit("Save", &[]).await.flash(), "Settings saved.");
}
