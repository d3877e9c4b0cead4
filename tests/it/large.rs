//! Pages about everything below an account with very many accounts below are made in another way: they walk along
//! indexes instead of listing all. Here a small tree only says that it is large, so that both ways answer the same
//! question: they must say the same.

use subtenant::access::Scope;
use subtenant::ids;

use crate::browser::Browser;
use crate::ordered::network;
use crate::world::{World, admin_of};

/// Says that more is below than there is.
fn pretend(world: &World, account: &str, below: i64) {
    let id = world.id(account);
    world.sql(&format!("UPDATE accounts SET below_count = {below} WHERE id = '{id}'"));
}

/// Regions with customers with sites of which many have one name, and a stranger with the same names.
fn wide() -> World {
    let world = World::new();
    for root in ["acme", "stranger"] {
        let top = world.account(root);
        for region in ["North", "South", "Conrad Holding"].map(|name| format!("{name} of {root}")) {
            let region_below = top.child(&region);
            for customer in
                ["Falcon Consulting", "Lisboa Cerâmica", "Con", "Zebra"].map(|name| format!("{name} {region}"))
            {
                let office = region_below.child(&customer).child(&format!("Office {customer}"));
                office.child(&format!("Concrete lab {customer}"));
            }
        }
    }
    let lab = world.id("Zebra North of acme");
    world.sql(&format!(
        "INSERT INTO account_tags (account_key, name, value, value_key)
         SELECT key, 'city', 'Constance', 'city constance' FROM accounts WHERE id = '{lab}'"
    ));
    world
}

async fn rows(browser: &mut Browser, uri: &str) -> Vec<Vec<String>> {
    browser.get(uri).await;
    assert_eq!(browser.page.status, 200, "{uri}");
    browser.page.rows()
}

async fn hits(browser: &mut Browser, uri: &str) -> Vec<String> {
    browser.get(uri).await;
    assert_eq!(browser.page.status, 200, "{uri}");
    let mut hits: Vec<String> = browser.page.links().into_iter().filter(|href| href.ends_with("/dashboard")).collect();
    hits.sort();
    hits
}

#[actix_web::test]
async fn the_switcher_finds_the_same_however_much_somebody_sees() {
    let world = wide();
    let id = world.id("Zebra South of acme");
    world.account("acme").at("North of acme").viewer("vera");
    // Here only: nothing is searched below.
    world.account("acme").at("North of acme").member_until("hank", "Read only", Scope::Here, ids::never());
    let texts = [
        "con",
        "conrad",
        "falcon",
        "lisboa ceramica",
        "cerâm",
        "zebra north",
        "north / zebra",
        "north /",
        "office",
        "stranger",
        "constance",
        "lab zebra",
        "qqqq",
        "z",
        &id,
        &id[3..10],
    ];
    for person in ["admin-of-acme", "vera", "hank"] {
        let mut browser = world.browser(person).await;
        let at = if person == "admin-of-acme" { "acme" } else { "North of acme" };
        for text in texts {
            let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
            let uri = format!("{}?part=hits&q={text}", world.path(at, "switch"));
            let small = hits(&mut browser, &uri).await;
            pretend(&world, at, 1_000_000);
            let large = hits(&mut browser, &uri).await;
            pretend(&world, at, 1);
            assert_eq!(small, large, "{text} for {person}");
        }
    }
}

#[actix_web::test]
async fn lists_of_everything_below_are_the_same() {
    let world = wide();
    let (first, last) = ("Office Con North of acme", "Zebra South of acme");
    for account in [first, last, "North of acme"] {
        network(&world, &admin_of("acme"), account, &format!("Backbone {account}"));
    }
    let mut admin = world.browser(&admin_of("acme")).await;
    for list in [
        "child-accounts?scope=below",
        "child-accounts?scope=below&sort=-name",
        "child-accounts?scope=below&q=zebra",
        "child-accounts?scope=below&q=con",
        "child-accounts?scope=below&q=z",
        "networks?scope=below",
        "networks?scope=below&q=zebra",
    ] {
        let uri = world.path("acme", list);
        let small = rows(&mut admin, &uri).await;
        assert!(!small.is_empty(), "{list}");
        let below = world.read(|db| subtenant::access::below::below_count(db, world.key("acme"))).expect("a count");
        pretend(&world, "acme", 1_000_000);
        let large = rows(&mut admin, &uri).await;
        pretend(&world, "acme", below);
        assert_eq!(small, large, "{list}");
    }
    // A large list has one order, whatever its address says.
    pretend(&world, "acme", 1_000_000);
    let links = |page: &crate::page::Page| page.all("thead a");
    let by_name = rows(&mut admin, &world.path("acme", "child-accounts?scope=below")).await;
    assert_eq!(by_name, rows(&mut admin, &world.path("acme", "child-accounts?scope=below&sort=created")).await);
    assert_eq!(links(&admin.page), ["Name"], "what cannot be sorted by is no link");
}

#[actix_web::test]
async fn readiness_of_a_large_branch_is_counted_in_the_background_and_says_when() {
    let world = wide();
    let suspended = world.id("Con South of acme");
    world.sql(&format!(
        "INSERT INTO suspensions (account_key, suspended_at, reason)
         SELECT key, created_at, 'unpaid' FROM accounts WHERE id = '{suspended}'"
    ));
    let mut admin = world.browser(&admin_of("acme")).await;
    let uri = world.path("acme", "readiness");
    let small = rows(&mut admin, &uri).await;
    let tiles = admin.page.all(".tile");
    pretend(&world, "acme", 1_000_000);
    let large = rows(&mut admin, &uri).await;
    assert_eq!(small, large);
    assert!(admin.page.text().contains("counted in the background"), "{}", admin.page);
    // Nothing is claimed that nobody counted.
    admin.get(&world.path("acme", "dashboard")).await;
    assert!(admin.page.text().contains("counted in the background"), "{}", admin.page);
    for claim in ["cannot provision", "Ready to provision", "Awaiting payment"] {
        assert!(!admin.page.all("main").join(" ").contains(claim), "{claim} on {}", admin.page);
    }
    assert_eq!(subtenant::readiness::count_due(&world.pool).await.expect("counting"), 1);
    assert_eq!(subtenant::readiness::count_due(&world.pool).await.expect("counting"), 0, "not again so soon");
    admin.get(&uri).await;
    assert_eq!(tiles, admin.page.all(".tile"));
    assert!(admin.page.text().contains("counted every ten minutes, last at"), "{}", admin.page);
    let missing = world.path("acme", "readiness?missing=resuming");
    let large = rows(&mut admin, &missing).await;
    pretend(&world, "acme", 1);
    assert_eq!(rows(&mut admin, &missing).await, large);
    assert_eq!(large.len(), 3, "the suspended one and what is below it");
}
