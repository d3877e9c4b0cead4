//! Ordering a port and what becomes of it, as its account meets it: what stands in the way, the answers once more, the
//! states, edits, the letter, deleting, the list and its files.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use subtenant::access::policy::{CreateBilling, UpdateAccounts};
use subtenant::ports::{self, Made};
use subtenant::store::schema::{ledger_items, ports as rows};
use subtenant::store::{self, Db};
use subtenant::{billing, catalogue, consent};

use crate::browser::Browser;
use crate::money::invoice;
use crate::wired::{self, broken, line, port};
use crate::world::{World, admin_of};

/// `root` may order: its agreements are accepted and it pays for itself.
fn ready(world: &World, root: &str) {
    let admin = admin_of(root);
    let by = world.grant::<UpdateAccounts>(&admin, root).expect("the administrator may");
    let accepting = |db: &mut Db| {
        let keys: Vec<_> = consent::in_force(db)?.iter().map(|d| d.key).collect();
        consent::accept(db, &by, &keys)
    };
    world.write(accepting).expect("the agreements are accepted");
    let by = world.grant::<CreateBilling>(&admin, root).expect("the administrator may");
    world.write(|db| billing::add(db, &by, &invoice(root, true), "")).expect("a payment method");
}

fn stocked() -> World {
    let world = World::new();
    world.write(|db| Ok(catalogue::load_shipped(db, "2024-01-01").expect("the catalogue is right"))).expect("it loads");
    world
}

fn many(world: &World) -> i64 {
    world.read(|db| Ok(rows::table.count().get_result(db)?)).expect("ports are counted")
}

const ANSWERS: [(&str, &str); 6] = [
    ("10 Gbit/s", "yes"),
    ("Primary", "yes"),
    ("Media type", "LR"),
    ("One year", "yes"),
    ("Name", "Uplink"),
    ("Customer name", "Acme Holding"),
];

async fn to_the_form(browser: &mut Browser, world: &World) {
    browser.get(&world.path("acme", "dashboard")).await;
    browser.click("Ports").await;
    browser.click("Order a port").await;
    browser.click("Choose Ashburn A").await;
}

#[actix_web::test]
async fn a_port_is_ordered_in_three_steps_and_becomes_active() {
    let world = stocked();
    world.account("acme");
    ready(&world, "acme");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "ports")).await;
    assert!(admin.page.all("main h2").contains(&"Order the first port".to_owned()), "{}", admin.page);
    to_the_form(&mut admin, &world).await;
    admin.submit("Continue", &[("10 Gbit/s", "yes"), ("Media type", "LX")]).await;
    assert_eq!(admin.page.status, 422);
    assert_eq!(
        admin.page.problems(),
        ["Choose an availability domain", "10 Gbit/s is offered with these media types: SMF, LR", "Enter a name"]
    );
    admin.submit("Continue", &ANSWERS).await;
    assert_eq!(admin.page.heading(), "Check your answers");
    let text = admin.page.text();
    for part in ["Ashburn A, Washington, DC", "10 Gbit/s", "One year", "Acme Holding", "EUR"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert_eq!(many(&world), 0, "nothing is ordered yet");
    admin.submit("Change the answers", &[]).await;
    assert_eq!(admin.page.field("Name"), "Uplink");
    admin.submit("Continue", &[]).await;
    let again = admin.clone();
    admin.submit("Place order", &[]).await;
    assert_eq!(admin.page.flash(), "Port ordered. It is active as soon as the fabric has made it.");
    assert_eq!(admin.page.heading(), "Uplink");
    assert!(admin.page.all(".badge").contains(&"Requested".to_owned()), "{}", admin.page);
    // The same answers once more, as after a double click.
    let (mut twin, here) = (again, admin.page.path().to_owned());
    twin.submit("Place order", &[]).await;
    assert_eq!((many(&world), twin.page.path()), (1, here.as_str()));
    let due = rows::table.select((rows::key, rows::look_at, rows::price_code));
    let (key, look_at, price): (i64, NaiveDateTime, String) = world.read(|db| Ok(due.first(db)?)).expect("the port");
    assert!(look_at <= subtenant::ids::now() && price == "PORT-10G-1Y", "{look_at} {price}");
    let made = Made { device_id: "wdc-ras1".to_owned(), patch_panel_id: "PP:7".to_owned(), ..Made::default() };
    let active = |db: &mut Db| store::write(db, |db| ports::activate(db, key, &made));
    world.write(active).expect("it becomes active");
    assert!(world.write(active).is_err(), "once only");
    admin.get(&here).await;
    let text = admin.page.text();
    for part in ["Active", "wdc-ras1", "PP:7", "0 Mbit/s of 10 Gbit/s used, 10 Gbit/s left", "Nothing uses it"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let charged = ledger_items::table.filter(ledger_items::price_code.eq("PORT-10G-1Y")).count();
    assert_eq!(world.read(|db| Ok(charged.get_result::<i64>(db)?)).expect("items"), 1);
    let letter = admin.send(admin.request(actix_web::http::Method::GET, &format!("{here}/letter.pdf"))).await;
    assert!(letter.body.starts_with(b"%PDF"), "{}", letter.status);
    admin.get(&world.path("acme", "ports")).await;
    assert_eq!(admin.page.row("Uplink")[1..5], ["Own", "Ashburn A, Washington, DC", "Active", "10 Gbit/s"]);
}

#[actix_web::test]
async fn everything_that_stands_in_the_way_is_said_before_and_a_forged_order_is_refused() {
    let world = stocked();
    world.account("acme");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "ports")).await;
    admin.click("Order a port").await;
    let steps = admin.page.all(".tasks h2");
    for step in ["Accept the Master Service Agreement", "Accept the Acceptable Use Policy", "Add a payment method"] {
        assert!(steps.contains(&step.to_owned()), "{step} is not in {steps:?}");
    }
    assert!(!admin.page.has_button("Place order") && !admin.page.has_button("Continue"), "{}", admin.page);
    let token = admin.page.forms().first().map(|form| form.value("_token").to_owned()).unwrap_or_default();
    let pairs = [
        ("_token", token.as_str()),
        ("facility", "us-wdc-a"),
        ("line", "PUREPORT-10000"),
        ("domain", "PRIMARY"),
        ("media", "LR"),
        ("term", "MONTHLY"),
        ("name", "Forged"),
        ("act", "place"),
    ];
    let pairs: Vec<_> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let answer = admin.post(&world.path("acme", "ports/new"), &pairs).await;
    assert_eq!((answer.status.as_u16(), many(&world)), (409, 0), "{}", answer.text());
    assert!(answer.text().contains("Add a payment method"));
}

#[actix_web::test]
async fn an_edit_over_something_newer_shows_both_and_overwrites_nothing() {
    let world = World::new();
    world.account("acme");
    let id = port(&world, "acme", "Uplink", 1000);
    let edit = world.path("acme", &format!("ports/{id}/edit"));
    let mut mine = world.browser("admin-of-acme").await;
    mine.get(&edit).await;
    let mut theirs = mine.clone();
    theirs.get(&edit).await;
    theirs.submit("Save", &[("Name", "Theirs"), ("Tags", "site: fra")]).await;
    assert_eq!(theirs.page.flash(), "Port saved.");
    assert!(theirs.page.text().contains("site: fra"), "{}", theirs.page);
    mine.submit("Save", &[("Name", "Mine")]).await;
    assert_eq!(mine.page.status, 409);
    assert_eq!(mine.page.row("Name")[1..], ["Theirs", "Mine"]);
    mine.submit("Save", &[]).await;
    assert_eq!(mine.page.heading(), "Mine");
    mine.get(&edit).await;
    mine.submit("Save", &[("Name", ""), ("Tags", "nonsense")]).await;
    assert_eq!(mine.page.status, 422);
    assert_eq!(mine.page.error("Name"), "Enter a name");
}

#[actix_web::test]
async fn a_port_in_use_stays_and_one_that_is_free_goes() {
    let world = World::new();
    world.account("acme");
    let id = port(&world, "acme", "Uplink", 1000);
    let connection = line(&world, "acme", &id, "Berlin", 100, 300).expect("it fits");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", &format!("ports/{id}/delete"))).await;
    assert!(admin.page.text().contains("PORT_DELETE_NON_DELETED_CONNECTION_STATE_CONFLICT"), "{}", admin.page);
    assert!(!admin.page.has_button("Delete Uplink"));
    assert_eq!(admin.page.row("Berlin")[1..4], ["This account", "100", "300 Mbit/s"]);
    wired::cut(&world, &connection);
    admin.get(&world.path("acme", &format!("ports/{id}/delete"))).await;
    let mut late = admin.clone();
    line(&world, "acme", &id, "Paris", 100, 300).expect("it fits");
    admin.submit("Delete Uplink", &[]).await;
    assert_eq!(admin.page.status, 409, "it is used again: {}", admin.page);
    world.sql("DELETE FROM port_uses");
    world.sql("UPDATE ports SET used_speed = 0");
    late.submit("Delete Uplink", &[]).await;
    assert_eq!(late.page.flash(), "Port deleted.");
    late.get(&format!("{}?state=deleted", world.path("acme", "ports"))).await;
    assert_eq!(late.page.row("Uplink")[3], "Deleted");
    let due = rows::table.select(rows::look_at);
    let look_at: NaiveDateTime = world.read(|db| Ok(due.first(db)?)).expect("the port");
    assert!(look_at <= subtenant::ids::now(), "the fabric is told");
}

#[actix_web::test]
async fn what_the_fabric_could_not_make_says_why_and_is_tried_again() {
    let world = World::new();
    world.account("acme");
    let id = broken(&world, "acme", "Uplink");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "ports")).await;
    assert!(admin.page.row("Uplink")[3].contains("Failed"), "{}", admin.page);
    admin.get(&world.path("acme", &format!("ports/{id}"))).await;
    assert!(admin.page.text().contains("No room on the switch. Reason: PORT_SWITCH_FAILED"), "{}", admin.page);
    admin.click("Try again…").await;
    admin.submit("Try again", &[]).await;
    assert_eq!(admin.page.flash(), "The port is tried again.");
    assert!(!admin.page.text().contains("No room on the switch"), "{}", admin.page);
    let due = rows::table.select((rows::look_at, rows::error_code));
    let (look_at, code): (NaiveDateTime, String) = world.read(|db| Ok(due.first(db)?)).expect("the port");
    assert!(look_at <= subtenant::ids::now() && code.is_empty());
}

#[actix_web::test]
async fn the_list_is_paged_and_sorted_and_exported() {
    let world = World::new();
    world.account("acme").child("Lab").child("Bench");
    (0..60).for_each(|n| _ = port(&world, "acme", &format!("Port {n:02}"), 1000));
    port(&world, "Bench", "=Deep", 1000);
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "ports")).await;
    assert!(admin.page.title().starts_with("Page 1 of 2 - Ports"), "{}", admin.page.title());
    assert_eq!(admin.page.rows()[0][0], "Port 00");
    admin.click("Next").await;
    assert_eq!(admin.page.rows().len(), 10);
    assert_eq!(admin.page.rows()[9][0], "Port 59");
    for address in ["?sort=-name", "?sort=-created"] {
        admin.get(&format!("{}{address}", world.path("acme", "ports"))).await;
        assert_eq!(admin.page.rows()[0][0], "Port 59", "{address}");
        admin.click("Next").await;
        assert_eq!(admin.page.rows()[9][0], "Port 00", "{address}");
        admin.click("Previous").await;
        assert_eq!(admin.page.rows()[0][0], "Port 59", "{address}");
    }
    admin.get(&format!("{}?scope=below", world.path("acme", "ports"))).await;
    assert_eq!(admin.page.row("=Deep")[1], "BenchLab");
    let uri = format!("{}?scope=below", world.path("acme", "ports.csv"));
    let file = admin.send(admin.request(actix_web::http::Method::GET, &uri)).await.text();
    assert!(file.contains("'=Deep") && file.contains(",Bench,Lab,OWN,Main One,"), "{file}");
    let file = admin.send(admin.request(actix_web::http::Method::GET, &world.path("acme", "ports.csv"))).await.text();
    assert_eq!(file.lines().count(), 61);
}
