//! Agreements as people meet them: accepting for one's own account and on behalf of a child, the receipt, a new version
//! that announces itself and later holds; and finding one's way between accounts by the switcher and in the log. The
//! rules behind them are in `models`.

use chrono::{Days, NaiveTime};
use subtenant::consent;

use crate::journeys::ACCEPT;
use crate::world::{World, admin_of};

pub const MSA: &str = "I accept the Master Service Agreement, version 1";
pub const AUP: &str = "I accept the Acceptable Use Policy, version 1";

#[actix_web::test]
async fn both_boxes_are_needed_and_the_receipt_says_who_accepted_what() {
    let world = World::new();
    world.account("acme").viewer("vera");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "consent")).await;
    admin.submit("Accept", &[(MSA, "yes")]).await;
    assert_eq!(admin.page.status, 422);
    assert!(admin.page.problems()[0].contains("Acceptable Use Policy, version 1"), "{}", admin.page);
    admin.submit("Accept", &[(MSA, "yes"), (AUP, "yes")]).await;
    assert_eq!(admin.page.flash(), "Agreements accepted for acme.");
    assert!(admin.page.text().contains("admin-of-acme Example, admin-of-acme@example.com"), "{}", admin.page);
    assert!(admin.page.text().contains("192.0.2.10"), "{}", admin.page);
    let receipt = admin.page.uri.clone();
    admin.get(&world.path("acme", "consent")).await;
    assert!(!admin.page.has_button("Accept"), "{}", admin.page);
    let mut vera = world.browser("vera").await;
    assert_eq!(vera.get(&receipt).await.status, 200);
    world.account("other");
    let mut stranger = world.browser("admin-of-other").await;
    assert_eq!(stranger.get(&receipt).await.status, 404);
    let elsewhere = receipt.replace(&world.id("acme"), &world.id("other"));
    assert_eq!(stranger.get(&elsewhere).await.status, 404);
}

#[actix_web::test]
async fn accepting_on_behalf_of_a_child_names_the_account_that_gave_the_right() {
    let world = World::new();
    world.account("acme");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "child-accounts/new")).await;
    admin.submit("Save", &[("Name", "Lab"), (ACCEPT, "yes")]).await;
    assert_eq!(admin.page.flash(), "Child account created.");
    admin.get(&world.path("acme", "child-accounts")).await;
    assert!(admin.page.row("Lab").contains(&"Accepted".to_owned()), "{}", admin.page);
    admin.click("Go to Lab").await;
    admin.click("Agreements").await;
    let row = admin.page.row("Master Service Agreement");
    assert!(row[3].contains("acme"), "{row:?}");
}

#[actix_web::test]
async fn somebody_who_may_not_change_the_account_reads_and_does_not_accept() {
    let world = World::new();
    world.account("acme").viewer("vera");
    let mut vera = world.browser("vera").await;
    vera.get(&world.path("acme", "consent")).await;
    assert!(vera.page.text().contains("This agreement sets out the terms"), "{}", vera.page);
    assert!(!vera.page.has_button("Accept"), "{}", vera.page);
}

fn publish(world: &World, days: u64) {
    let effective = (subtenant::ids::now().date() + Days::new(days)).and_time(NaiveTime::MIN);
    let body = b"# Master Service Agreement\n\n## What changed\n\nMore words.\n";
    let done = world.write(|db| {
        let day = effective.format("%Y-%m-%d").to_string();
        Ok(consent::publish(db, "msa", "2", &day, body))
    });
    done.expect("the database answers").expect("the version is published");
}

#[actix_web::test]
async fn a_new_version_announces_itself_and_the_old_one_holds_until_its_day() {
    let world = World::new();
    world.account("acme");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "consent")).await;
    admin.submit("Accept", &[(MSA, "yes"), (AUP, "yes")]).await;
    publish(&world, 40);
    let missing = |world: &World| {
        let key = world.key("acme");
        let later = subtenant::ids::now() + Days::new(41);
        let read = |db: &mut _| Ok((consent::missing(db, key)?.len(), consent::missing_at(db, key, later)?.len()));
        world.read(read).expect("agreements are read")
    };
    assert_eq!(missing(&world), (0, 1));
    admin.get(&world.path("acme", "consent")).await;
    admin.submit("Accept", &[("I accept the Master Service Agreement, version 2", "yes")]).await;
    assert_eq!(admin.page.flash(), "Agreement accepted for acme.");
    assert_eq!(missing(&world), (0, 0));
}

#[actix_web::test]
async fn the_switcher_finds_what_one_may_see_and_keeps_the_section() {
    let world = World::new();
    let north = world.account("acme").child("North");
    north.child("Harbour").viewer("vera");
    world.account("hidden").child("Harbour 2");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "billing")).await;
    admin.click("Switch account acme").await;
    admin.get(&format!("{}&q=harb", admin.page.uri.clone())).await;
    let hit = admin.page.links().into_iter().find(|href| href.contains(&world.id("Harbour"))).expect("a hit");
    assert_eq!(hit, world.path("Harbour", "billing"));
    assert!(!admin.page.body.contains("Harbour 2"), "{}", admin.page);
    let mut vera = world.browser("vera").await;
    vera.get(&format!("{}?q=north", world.path("Harbour", "switch"))).await;
    assert!(!vera.page.body.contains("North"), "a search tells what a page would not: {}", vera.page);
}

#[actix_web::test]
async fn favourites_are_ones_own() {
    let world = World::new();
    world.account("acme").administrator("olga").child("Lab");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("Lab", "switch")).await;
    admin.submit("Add Lab to favourites", &[]).await;
    assert!(admin.page.has_button("Remove Lab from favourites") || !admin.page.flash().is_empty(), "{}", admin.page);
    let mut olga = world.browser("olga").await;
    olga.get(&world.path("Lab", "switch")).await;
    assert!(olga.page.has_button("Add Lab to favourites"), "{}", olga.page);
}

#[actix_web::test]
async fn every_change_is_in_the_log_of_the_account_and_of_those_above() {
    let world = World::new();
    world.account("acme").child("Lab").administrator("lena");
    let mut admin = world.browser(&admin_of("acme")).await;
    let mut lena = world.browser("lena").await;
    lena.get(&world.path("Lab", "settings")).await;
    lena.submit("Save", &[("Description", "new words")]).await;
    for (account, query) in [("Lab", ""), ("acme", "?below=yes")] {
        admin.get(&format!("{}{query}", world.path(account, "audit-log"))).await;
        let row = admin.page.rows().into_iter().next().expect("an entry").join(" ");
        assert!(row.contains("Account changed") && row.contains("lena Example"), "{row}");
        assert!(row.contains("new words"), "{row}");
    }
    admin.get(&world.path("acme", "audit-log")).await;
    assert!(!admin.page.text().contains("new words"), "{}", admin.page);
}

#[actix_web::test]
async fn whoever_accepts_gets_a_receipt_by_mail_once_for_each_act() {
    let world = World::new();
    world.account("acme").child("Lab").administrator("luis");
    crate::mailbox::empty(&world);
    let mut luis = world.browser("luis").await;
    luis.get(&world.path("Lab", "consent")).await;
    luis.submit("Accept", &[(MSA, "yes"), (AUP, "yes")]).await;
    let [letter] = &crate::mailbox::letters(&world)[..] else { panic!("one letter") };
    assert_eq!((letter.to.as_str(), letter.account), ("luis@example.com", Some(world.key("Lab"))));
    let facts: Vec<String> = letter.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(facts[0], "Account: restricted / Lab");
    for (fact, words) in facts[1..].iter().zip(["Version 1, SHA-256 ", "Version 1, SHA-256 ", "Accepted: ", "By: luis"])
    {
        assert!(fact.contains(words), "{words} in {fact}");
    }
    assert_eq!(luis.get(&crate::mailbox::path(letter)).await.heading(), "Receipt");
}
