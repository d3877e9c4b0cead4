//! The chain of command of an account: who stands where, which agreements and which payer come down to it, in a picture
//! and in a list that say the same; unnamed where the reader may not see; folded where it is long.

use actix_web::http::Method;
use subtenant::access::Scope;
use subtenant::access::policy::{CreateBilling, UpdateAccounts};
use subtenant::store::Db;
use subtenant::{billing, consent, ids};

use crate::money::invoice;
use crate::page::Page;
use crate::world::{World, admin_of};

/// `acme` (pays for all below, agreements accepted) > `emea` > `lab`.
fn world() -> World {
    let world = World::new();
    world.account("acme").child("emea").child("lab");
    let admin = admin_of("acme");
    let by = world.grant::<CreateBilling>(&admin, "acme").expect("the administrator may");
    world.write(|db| billing::add(db, &by, &invoice("acme", true), "")).expect("a payment method");
    for account in ["acme", "lab"] {
        accept(&world, account);
    }
    world
}

fn accept(world: &World, account: &str) {
    let by = world.grant::<UpdateAccounts>(&admin_of("acme"), account).expect("the administrator may");
    let accepting = |db: &mut Db| {
        let keys: Vec<_> = consent::in_force(db)?.iter().map(|d| d.key).collect();
        consent::accept(db, &by, &keys)
    };
    world.write(accepting).expect("the agreements are accepted");
}

/// The list, one line for each account.
fn list(page: &Page) -> Vec<String> {
    let heads = page.all(".levels > li > h3");
    let each = page.all(".levels > li > ul");
    heads.into_iter().zip(each).map(|(head, words)| format!("{head}: {words}")).collect()
}

#[actix_web::test]
async fn each_account_shows_its_people_agreements_and_payer() {
    let world = world();
    world.account("acme").at("emea").operator("olga").member_until("zoe", "Administrator", Scope::Here, ids::never());
    let mut admin = world.browser(&admin_of("acme")).await;
    let page = admin.get(&world.path("lab", "chain")).await;
    let list = list(page);
    assert!(list[0].starts_with("acme Root account: admin-of-acme Example, Administrator, and all below"), "{list:#?}");
    assert!(list[0].contains("Agreements: Accepted (by admin-of-acme Example)"), "{list:#?}");
    assert!(list[0].contains("Payment: Own payment method (shared with all below)"), "{list:#?}");
    assert!(list[1].contains("olga Example, Network operator, and all below"), "{list:#?}");
    assert!(!list[1].contains("zoe") && list[1].contains("Agreements: Not accepted"), "{list:#?}");
    assert!(list[2].starts_with("lab This account: Nobody’s role comes from here."), "{list:#?}");
    assert!(list[2].contains("Agreements: Accepted (by admin-of-acme Example, from acme)"), "{list:#?}");
    assert!(list[2].contains("Payment: Paid by acme (inherited)"), "{list:#?}");
}

#[actix_web::test]
async fn the_picture_says_what_the_list_says() {
    let world = world();
    world.account("acme").at("emea").operator("olga");
    let mut admin = world.browser(&admin_of("acme")).await;
    let page = admin.get(&world.path("lab", "chain")).await;
    let titles = page.all("svg [role=listitem] > title");
    assert_eq!(titles.len(), 3);
    assert!(titles[1].starts_with("emea, Level 2; olga Example: Network operator, and all below"), "{titles:#?}");
    assert_eq!(page.all("svg [role=listitem].here .name"), ["lab"]);
    assert_eq!(page.all("svg .lane").len(), 3);
    assert_eq!((page.all("svg .starts").len(), page.all("svg .paid").len()), (1, 2));
    let link = page.link("Download as SVG").expect("a file");
    let one = admin.send(admin.request(Method::GET, &link)).await;
    let two = admin.send(admin.request(Method::GET, &link)).await;
    assert_eq!(one.body, two.body);
    assert_eq!(one.header("content-type"), "image/svg+xml");
    let text = one.text();
    assert!(text.starts_with("<?xml") && text.contains("<style>") && text.contains("href=\"http"), "{text}");
}

#[actix_web::test]
async fn a_nearer_method_that_is_not_shared_ends_the_line() {
    let world = world();
    let by = world.grant::<CreateBilling>(&admin_of("acme"), "emea").expect("the administrator may");
    let stamp =
        world.read(|db| billing::effects(db, world.key("emea"), billing::Change::Save { allow_child_accounts: false }));
    let stamp = stamp.expect("effects").stamp();
    world.write(|db| billing::add(db, &by, &invoice("emea", false), &stamp)).expect("a payment method");
    let mut admin = world.browser(&admin_of("acme")).await;
    let page = admin.get(&world.path("lab", "chain")).await;
    let list = list(page);
    assert!(list[1].contains("Payment: Own payment method (not shared below)"), "{list:#?}");
    assert!(list[2].contains("Payment: No payer (cannot provision)"), "{list:#?}");
    assert!(page.all("svg .lane").is_empty());
}

#[actix_web::test]
async fn accounts_above_that_may_not_be_seen_are_restricted() {
    let world = world();
    world.account("acme").operator("ann").at("lab").account_manager("mia").operator("olga");
    let mut mia = world.browser("mia").await;
    let page = mia.get(&world.path("lab", "chain")).await;
    let lines = list(page);
    assert_eq!(lines[0], "Restricted: 2 people");
    assert_eq!(lines[1], "Restricted: Nobody’s role comes from here.");
    assert!(lines[2].contains("mia Example, Account manager"), "{lines:#?}");
    assert!(lines[2].contains("Payment: Paid by an account above"), "{lines:#?}");
    for name in ["acme", "emea", "ann"] {
        let text = page.text().replace("admin-of-acme", "");
        assert!(!text.contains(name), "{name}\n{text}");
    }
    assert!(lines[2].contains("Accepted (by admin-of-acme Example, from an account above)"), "{lines:#?}");
    // Who may not read members learns how many there are.
    let mut olga = world.browser("olga").await;
    let lines = list(olga.get(&world.path("lab", "chain")).await);
    assert!(lines[2].starts_with("lab This account: 2 people"), "{lines:#?}");
}

#[actix_web::test]
async fn a_long_chain_is_folded_in_the_middle() {
    let world = World::new();
    let mut branch = world.account("acme");
    for level in 1..40 {
        branch = branch.child(&format!("level {level}"));
        if level == 20 {
            branch.operator("olga");
        }
    }
    let mut admin = world.browser(&admin_of("acme")).await;
    let page = admin.get(&world.path("level 39", "chain")).await;
    let list = list(page);
    assert_eq!(list.len(), 12);
    assert_eq!(list[5], "+ 29 accounts: 1 membership");
    assert!(list[4].starts_with("level 4 ") && list[6].starts_with("level 34 "), "{list:#?}");
    assert!(admin.get(&world.path("level 11", "chain")).await.all("svg [role=listitem]").len() == 12);
}
