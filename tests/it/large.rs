//! Pages about everything below an account with very many accounts below are made in another way: they walk along
//! indexes instead of listing all. Here a small tree only says that it is large, so that both ways answer the same
//! question: they must say the same.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use subtenant::access::Scope;
use subtenant::access::policy::CreateBilling;
use subtenant::{billing, ids};

use crate::browser::Browser;
use crate::money::invoice;
use crate::ordered::network;
use crate::page::Page;
use crate::world::{World, admin_of};

/// Says that more is below than there is.
pub fn pretend(world: &World, account: &str, below: i64) {
    let id = world.id(account);
    let children = if below > 10_000 { below } else { 3 };
    world.sql(&format!("UPDATE accounts SET below_count = {below}, children_count = {children} WHERE id = '{id}'"));
}

/// Regions with customers with sites of which many have one name, and a stranger with the same names.
pub fn wide() -> World {
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

pub async fn rows(browser: &mut Browser, uri: &str) -> Vec<Vec<String>> {
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
        "constance z",
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
        "child-accounts?q=north",
        "child-accounts?q=o&sort=-name",
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
    let links = |page: &Page| page.all("thead a");
    let by_name = rows(&mut admin, &world.path("acme", "child-accounts?scope=below")).await;
    assert_eq!(by_name, rows(&mut admin, &world.path("acme", "child-accounts?scope=below&sort=created")).await);
    assert_eq!(links(&admin.page), ["Name"], "what cannot be sorted by is no link");
}

/// 40,100 accounts with numbers for names, and one of which the name comes last.
pub fn crowd(world: &World) {
    world.account("acme").child("Zz needle");
    // Found by nobody, and the last of the first 20,000.
    world.account("acme").child("Unit 29999 zz");
    let (top, key) = (world.key("acme"), ids::next_key());
    world.sql(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 10001 UNION ALL SELECT i + 1 FROM n WHERE i < 50100)
         INSERT INTO accounts (key, id, parent_key, parent_depth, root_key, depth, name, name_key, description, contacts,
                               created_at)
         SELECT {key} + i, 'ac-00000000000000000' || i, {top}, 0, {top}, 1, 'Unit ' || i, 'unit ' || i, '', '',
                '2026-01-01 00:00:00' FROM n"
    ));
    for (ancestor, distance) in [("a.key", 0), ("a.parent_key", 1)] {
        world.sql(&format!(
            "INSERT INTO account_ancestry (descendant_key, ancestor_key, distance, name_key)
             SELECT a.key, {ancestor}, {distance}, a.name_key FROM accounts a WHERE a.name_key LIKE 'unit _____'"
        ));
    }
    world.sql("UPDATE accounts SET closed_at = created_at WHERE name IN ('Unit 29999 zz', 'Unit 10077')");
    world.sql(&format!("UPDATE accounts SET children_count = 40100, below_count = 40100 WHERE key = {top}"));
}

/// The name after which a page begins.
fn place(link: &str) -> String {
    let after = link.split(['?', '&']).find_map(|pair| pair.strip_prefix("after=")).expect("a place");
    let place: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(after).expect("base64")).expect("JSON");
    place[0].as_str().unwrap_or_default().to_owned()
}

#[actix_web::test]
async fn a_page_looks_through_so_many_names_and_says_where_to_go_on() {
    let world = World::new();
    crowd(&world);
    let mut admin = world.browser(&admin_of("acme")).await;
    for scope in ["", "scope=below&"] {
        // Two letters are in no index.
        let list = world.path("acme", &format!("child-accounts?{scope}q=zz"));
        let empty = |page: &Page| if page.rows().is_empty() { page.all("main h2").join(" ") } else { String::new() };
        assert!(rows(&mut admin, &list).await.is_empty(), "{}", admin.page);
        assert_eq!(empty(&admin.page), "None among these 20,000 names");
        assert_eq!(place(&admin.page.link("Go on").unwrap_or_default()), "unit 29999", "no closed account is told");
        admin.click("Go on").await;
        assert_eq!(empty(&admin.page), "None among these 20,000 names");
        admin.click("Go on").await;
        assert_eq!(admin.page.rows().len(), 1, "{}", admin.page);
        assert!(admin.page.text().contains("1 or more accounts match"), "{}", admin.page);
        assert_eq!(rows(&mut admin, &list).await.len(), 0);
        admin.click("Names from “zz” on").await;
        assert_eq!(admin.page.rows().len(), 1, "{}", admin.page);
        // Back to where the names begin, the page claims nothing about those after.
        admin.click("Previous").await;
        assert_eq!(empty(&admin.page), "None among these 20,000 names");
        while admin.page.link("Go on").is_some() {
            admin.click("Go on").await;
        }
        assert_eq!(empty(&admin.page), "None among these names");
        admin.click("Start over").await;
        assert_eq!(empty(&admin.page), "None among these 20,000 names");
        assert_eq!(rows(&mut admin, &format!("{list}&page=last")).await.len(), 1, "{}", admin.page);
        assert_eq!(rows(&mut admin, &format!("{list}&sort=-name")).await.len(), 1, "{}", admin.page);
        // A text that is looked up, one that is frequent, and one of which a page is not full.
        for (text, found) in [("needle", 1), ("unit", 50), ("unit 10042", 1), ("00", 50), ("077", 50)] {
            let list = world.path("acme", &format!("child-accounts?{scope}q={}", text.replace(' ', "+")));
            assert_eq!(rows(&mut admin, &list).await.len(), found, "{text} on {}", admin.page);
        }
        // The file has them all.
        let list = world.path("acme", &format!("child-accounts.csv?{scope}q=zz"));
        assert_eq!(admin.get(&list).await.body.trim().lines().count(), 2);
    }
    // A tree shows the first of them, and the list that its last line leads to goes on where it ends.
    admin.get(&world.path("acme", "child-accounts?view=tree")).await;
    let shown = admin.page.all(".tree a[aria-label]");
    let more = admin.page.all(".tree > li > div > a").pop().expect("a last line");
    assert!(more.ends_with("more as a list"), "{more}");
    admin.click(&more).await;
    let next = admin.page.rows();
    assert!(shown.len() == 500 && next.len() == 50 && next[0][0] > shown[499], "{shown:?} {next:?}");
    let unit = |name: &str| name.strip_prefix("Unit ").and_then(|rest| rest[..5].parse::<i64>().ok()).unwrap_or(0);
    assert_eq!(unit(&next[0][0]), unit(&shown[499]) + 1, "{shown:?} {next:?}");
    // In other orders than that of names, direct children are still sorted.
    world.sql("UPDATE accounts SET children_count = 7 WHERE name = 'Unit 15000'");
    let most = rows(&mut admin, &world.path("acme", "child-accounts?sort=-children")).await;
    assert!(most[0][0].starts_with("Unit 15000"), "{}", admin.page);
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

#[actix_web::test]
async fn billing_of_a_large_branch_claims_no_number_that_nobody_counted() {
    let world = wide();
    let by = world.grant::<CreateBilling>(&admin_of("acme"), "acme").expect("they may");
    world.write(|db| billing::add(db, &by, &invoice("acme", true), "")).expect("a payment method");
    let mut admin = world.browser(&admin_of("acme")).await;
    let uri = world.path("acme", "billing");
    let shared = |page: &Page| page.all("dd").into_iter().find(|text| text.starts_with("With child accounts"));
    assert_eq!(shared(admin.get(&uri).await).as_deref(), Some("With child accounts; 39 accounts below pay with it"));
    pretend(&world, "acme", 1_000_000);
    assert_eq!(shared(admin.get(&uri).await).as_deref(), Some("With child accounts"));
}
