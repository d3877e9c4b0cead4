//! Invoices and usage as people see them: the list, one invoice down to any depth, files, who sees prices, and what the
//! operator says of an invoice. The sums themselves are compared with a model in `tests/ledger.rs`.

use actix_web::http::Method;
use diesel::prelude::*;
use subtenant::access::Scope;
use subtenant::access::policy::CreateBilling;
use subtenant::ledger::operator::{Settled, settle};
use subtenant::store::schema::audit_entries;
use subtenant::{billing, ids};

use crate::browser::{Browser, encode};
use crate::mailbox;
use crate::money::invoice;
use crate::page::without_random;
use crate::usage::{connect, draft, invoice_of, make};
use crate::world::{World, admin_of};

const SHOW: &str = "Show prices to child accounts";

fn pay(world: &World, account: &str, shared: bool) {
    let by = world.grant::<CreateBilling>(&admin_of("acme"), account).expect("the administrator may");
    world.write(|db| billing::add(db, &by, &invoice(account, shared), "")).expect("a payment method");
}

/// `acme` pays for itself, `Lab` and `Bench` below Lab; `Shop` beside Lab pays for itself.
fn world() -> World {
    let world = World::new();
    world.account("acme").child("Lab").child("Bench");
    world.account("acme").child("Shop");
    pay(&world, "acme", true);
    pay(&world, "Shop", false);
    connect(&world, "acme", "backbone", "2025-01-01");
    connect(&world, "Lab", "lab line", "2025-01-22");
    connect(&world, "Bench", "bench line", "2025-01-31");
    connect(&world, "Shop", "shop line", "2024-12-01");
    world
}

async fn bytes(browser: &mut Browser, uri: &str) -> (String, Vec<u8>) {
    let answer = browser.send(browser.request(Method::GET, uri)).await;
    assert_eq!(answer.status, 200, "{uri}");
    (answer.header("content-type").to_owned(), answer.body)
}

#[actix_web::test]
async fn one_invoice_for_each_payer_drilled_down_to_any_depth() {
    let world = world();
    let mut admin = world.browser("admin-of-acme").await;
    draft(&world, "2025-01");
    admin.get(&world.path("acme", "invoices")).await;
    assert!(admin.page.text().contains("No invoices yet"), "a draft is nobody's to see: {}", admin.page);
    assert!(admin.get(&world.path("acme", &format!("invoices/{}", invoice_of(&world, "acme")))).await.status == 404);
    make(&world, "2025-01");

    admin.get(&world.path("acme", "billing")).await;
    admin.click("Invoices").await;
    // 310.00 + 5.00, 10 of 31 days: 100.00 + 5.00, 1 of 31 days: 10.00 + 5.00.
    let row = admin.page.row("000001");
    assert_eq!((row[1].as_str(), row[2].as_str(), row[3].as_str()), ("January 2025", "Open", "EUR 435.00"));
    admin.click("000001").await;
    assert_eq!(admin.page.heading(), "Invoice 000001");
    let text = admin.page.text();
    assert!(text.contains("EUR 315.00 itself, EUR 435.00 in 3 accounts"), "{}", admin.page);
    assert_eq!(admin.page.row("Lab")[1..], ["2", "4", "EUR 120.00"]);
    assert!(!text.contains("shop line") && !without_random(&text).contains("Shop"), "{}", admin.page);
    admin.click("Lab").await;
    let line = admin.page.rows().into_iter().find(|row| row[1] == "22–31 Jan 2025").expect("the month's line");
    assert_eq!(line[2..], ["EUR 310.00 a month", "EUR 100.00"]);
    admin.click("Bench").await;
    assert!(admin.page.text().contains("EUR 15.00 itself, EUR 15.00 in 1 account"), "{}", admin.page);
    assert!(admin.page.rows().iter().any(|row| row[1] == "31 Jan 2025"), "{}", admin.page);

    // December of Shop was never made: its lines come late, and say so.
    admin.get(&world.path("Shop", "invoices")).await;
    assert_eq!(admin.page.rows()[0][3], "EUR 625.00");
    admin.click("000002").await;
    assert!(admin.page.text().contains("2 lines are late: from months before January 2025"), "{}", admin.page);
    assert!(admin.page.text().contains("Late, from December 2024"), "{}", admin.page);
    world.assert_sound();
}

#[actix_web::test]
async fn an_invoice_is_a_file_of_lines_and_a_paper() {
    let world = world();
    make(&world, "2025-01");
    let mut admin = world.browser("admin-of-acme").await;
    let id = invoice_of(&world, "acme");
    let (kind, body) = bytes(&mut admin, &world.path("acme", &format!("invoices/{id}.pdf"))).await;
    assert_eq!((kind.as_str(), &body[..5]), ("application/pdf", &b"%PDF-"[..]));
    let (_, body) = bytes(&mut admin, &world.path("acme", &format!("invoices/{id}.csv"))).await;
    let text = String::from_utf8(body).expect("text");
    assert_eq!(text.lines().count(), 7, "{text}");
    let bench = text.lines().find(|line| line.contains("bench line") && line.contains("RECURRING")).expect("the line");
    assert!(bench.ends_with("2025-01-31,1,31,310.00,10.00,EUR"), "{bench}");
    let (_, body) = bytes(&mut admin, &world.path("acme", "invoices.csv")).await;
    let text = String::from_utf8(body).expect("text");
    assert!(text.lines().nth(1).expect("a row").contains(",2025-01,OPEN,EUR,435.00,6,"), "{text}");
}

#[actix_web::test]
async fn a_role_that_holds_here_only_sees_its_own_lines_and_a_sum() {
    let world = world();
    world.account("acme").member_until("clerk", "Billing manager", Scope::Here, ids::never());
    make(&world, "2025-01");
    let id = invoice_of(&world, "acme");
    let mut clerk = world.browser("clerk").await;
    clerk.get(&world.path("acme", &format!("invoices/{id}"))).await;
    assert!(clerk.page.text().contains("Accounts below cost EUR 120.00 together"), "{}", clerk.page);
    assert!(!without_random(&clerk.page.text()).contains("Lab"), "{}", clerk.page);
    let lab = world.id("Lab");
    assert_eq!(clerk.get(&world.path("acme", &format!("invoices/{id}?at={lab}"))).await.status, 404);
    assert_eq!(clerk.get(&world.path("acme", &format!("invoices/{id}/lines?at={lab}"))).await.status, 404);
    let (_, body) = bytes(&mut clerk, &world.path("acme", &format!("invoices/{id}.csv"))).await;
    assert!(!String::from_utf8(body).expect("text").contains("lab line"));
    // And nobody sees an invoice of another account under their own.
    let other = invoice_of(&world, "Shop");
    assert_eq!(clerk.get(&world.path("acme", &format!("invoices/{other}"))).await.status, 404);
}

#[actix_web::test]
async fn a_child_sees_what_it_uses_and_its_price_only_where_everybody_above_shows_it() {
    let world = world();
    world.account("acme").at("Bench").billing_manager("bill");
    make(&world, "2025-01");
    let mut bill = world.browser("bill").await;
    let mut admin = world.browser("admin-of-acme").await;
    async fn sees(bill: &mut Browser, world: &World) -> (bool, bool) {
        let now = bill.get(&world.path("Bench", "usage")).await.text();
        assert!(now.contains("bench line") && now.contains("January 2025"), "{now}");
        let of_month = bill.get(&world.path("Bench", "usage?month=2025-01")).await.text();
        assert!(of_month.contains("bench line"), "{of_month}");
        (without_random(&now).contains("EUR"), without_random(&of_month).contains("EUR"))
    }
    assert_eq!(sees(&mut bill, &world).await, (false, false));
    assert!(bill.page.text().contains("bench line"));
    for account in ["acme", "Lab"] {
        admin.get(&world.path(account, "invoices")).await;
        admin.click("Change who sees prices").await;
        admin.submit("Save", &[(SHOW, "yes")]).await;
        assert_eq!(admin.page.flash(), "Child accounts see prices now.");
        // Shown at the top and hidden between is hidden.
        assert_eq!(sees(&mut bill, &world).await.0, account == "Lab", "after {account}");
    }
    // Whoever may read billing above sees them in any case, and a payer sees its own.
    admin.get(&world.path("acme", "invoices/prices")).await;
    let mut late = admin.clone();
    late.get(&world.path("acme", "invoices/prices")).await;
    admin.submit("Save", &[(SHOW, "no")]).await;
    assert_eq!(sees(&mut bill, &world).await, (false, false));
    late.submit("Save", &[(SHOW, "yes")]).await;
    assert_eq!(late.page.status, 409);
    assert!(late.page.problems()[0].contains("prices are hidden now"), "{}", late.page);
    assert!(admin.get(&world.path("Bench", "usage")).await.text().contains("EUR 310.00 a month"));
    let changes = audit_entries::table.filter(audit_entries::after.like("%showChildAccountPricing%")).count();
    assert_eq!(world.read(|db| Ok(changes.get_result::<i64>(db)?)).expect("counted"), 3);
}

#[actix_web::test]
async fn what_a_parent_was_charged_is_not_shown_to_a_child_that_pays_for_itself_now() {
    let world = world();
    world.account("acme").at("Bench").billing_manager("bill");
    make(&world, "2025-01");
    pay(&world, "Bench", false);
    make(&world, "2025-02");
    let mut bill = world.browser("bill").await;
    let now = bill.get(&world.path("Bench", "usage")).await.text();
    assert!(now.contains("EUR 310.00 a month"), "what it will be charged: {now}");
    assert_eq!(bill.page.row("February 2025")[2], "EUR 310.00");
    assert_eq!(bill.page.row("January 2025")[2], "");
    let charged = bill.get(&world.path("Bench", "usage?month=2025-01")).await.text();
    assert!(!without_random(&charged).contains("EUR"), "{charged}");
    assert!(bill.get(&world.path("Bench", "usage?month=2025-02")).await.text().contains("EUR 310.00"));
    let (_, body) = bytes(&mut bill, &world.path("Bench", "usage.csv")).await;
    let text = String::from_utf8(body).expect("text");
    assert!(text.contains("2025-01,2,,,\r\n") && text.contains("2025-02,1,,310.00,EUR\r\n"), "{text}");
    let (_, body) = bytes(&mut bill, &world.path("Bench", "usage.csv?month=2025-01")).await;
    let text = String::from_utf8(body).expect("text");
    assert!(text.contains("bench line") && !text.contains("10.00"), "{text}");
}

#[actix_web::test]
async fn the_list_is_filtered_by_state_and_year_and_its_file_with_it() {
    let world = world();
    ["2025-01", "2025-02"].into_iter().for_each(|month| make(&world, month));
    make(&world, "2026-01");
    world.sql("UPDATE invoices SET state = 'PAID' WHERE number = 1");
    world.sql("UPDATE invoices SET state = 'FAILED' WHERE number = 3");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "invoices")).await;
    let numbers = |admin: &Browser| -> Vec<String> {
        admin.page.rows().iter().filter_map(|row| row[0].get(..6).map(str::to_owned)).collect()
    };
    assert_eq!(numbers(&admin), ["000005", "000003", "000001"]);
    for (state, year, expected) in [
        ("To be paid", "", &["000005", "000003"][..]),
        ("Open", "", &["000005"]),
        ("Paid", "2025", &["000001"]),
        ("Payment failed", "", &["000003"]),
        ("", "2025", &["000003", "000001"]),
        ("Void", "", &[]),
    ] {
        admin.get(&world.path("acme", "invoices")).await;
        let mut form = admin.page.form("Apply");
        form.fill("State", if state.is_empty() { "Any state" } else { state });
        form.fill("Year", if year.is_empty() { "Any year" } else { year });
        admin.get(&world.path("acme", &format!("invoices?{}", encode(&form.pairs())))).await;
        if expected.is_empty() {
            assert!(admin.page.text().contains("No invoice matches"), "{}", admin.page);
            admin.click("Show all invoices").await;
            assert_eq!(numbers(&admin).len(), 3);
        } else {
            assert_eq!(numbers(&admin), expected, "{state} {year}");
            let file = admin.page.link("Export as CSV").expect("a file");
            let (_, body) = bytes(&mut admin, &file).await;
            assert_eq!(String::from_utf8(body).expect("text").lines().count(), expected.len() + 1, "{file}");
        }
    }
    // Nonsense is no filter, and nobody's draft is found by one.
    for odd in ["state=DRAFT", "state=%27&year=x", "year=99999"] {
        admin.get(&world.path("acme", &format!("invoices?{odd}"))).await;
        assert_eq!(numbers(&admin).len(), 3, "{odd}");
    }
}

#[actix_web::test]
async fn usage_is_a_file_too_and_hides_what_the_page_hides() {
    let world = world();
    world.account("acme").at("Bench").billing_manager("bill");
    make(&world, "2025-01");
    let mut bill = world.browser("bill").await;
    let mut admin = world.browser("admin-of-acme").await;
    bill.get(&world.path("Bench", "usage")).await;
    let now = bill.page.link("Export as CSV").expect("a file");
    bill.click("January 2025").await;
    let of_month = bill.page.link("Export as CSV").expect("a file");
    for file in [now, of_month] {
        let (kind, body) = bytes(&mut bill, &file).await;
        let hidden = String::from_utf8(body).expect("text");
        assert!(kind.starts_with("text/csv"));
        assert!(hidden.contains("bench line") && hidden.contains("2025-01"), "{hidden}");
        for word in ["EUR", "10.00", "Amount"] {
            assert!(!without_random(&hidden).contains(word), "{hidden}");
        }
        let (_, body) = bytes(&mut admin, &file).await;
        let shown = String::from_utf8(body).expect("text");
        assert!(shown.contains("310.00") && shown.contains("EUR"), "{shown}");
        assert_eq!(shown.lines().count(), hidden.lines().count());
    }
}

#[actix_web::test]
async fn lines_without_a_payer_wait_and_come_late_to_whoever_pays_then() {
    let world = World::new();
    world.account("acme").child("Lab");
    connect(&world, "Lab", "lab line", "2025-01-01");
    make(&world, "2025-01");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("Lab", "usage?month=2025-01")).await;
    assert!(admin.page.text().contains("lab line"), "{}", admin.page);
    pay(&world, "acme", true);
    make(&world, "2025-01");
    assert!(admin.get(&world.path("acme", "invoices")).await.text().contains("No invoices yet"));
    make(&world, "2025-02");
    admin.get(&world.path("acme", "invoices")).await;
    // A setup, January late, February.
    assert_eq!(admin.page.row("000001")[3], "EUR 625.00");
    admin.click("000001").await;
    admin.click("Lab").await;
    assert!(admin.page.text().contains("Late, from January 2025"), "{}", admin.page);
}

#[actix_web::test]
async fn an_issued_invoice_is_mailed_and_the_operator_says_what_became_of_it() {
    let world = world();
    mailbox::empty(&world);
    make(&world, "2025-01");
    let letters = mailbox::letters(&world);
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0].subject, "Invoice 000001 for January 2025: EUR 435.00");
    assert_eq!(letters[0].to, "invoices@example.com");
    let id = invoice_of(&world, "acme");
    assert_eq!(mailbox::path(&letters[0]), world.path("acme", &format!("invoices/{id}")));
    let say = |settled| world.write(|db| settle(db, &id, settled, "")).expect("the database answers");
    assert_eq!(say(Settled::Paid), Ok("Invoice 000001 is PAID now.".to_owned()));
    assert_eq!(say(Settled::Void), Err("invoice 000001 is PAID and stays so".to_owned()));
    let nobodys = world.write(|db| settle(db, "inv-none", Settled::Void, "")).expect("the database answers");
    assert_eq!(nobodys, Err("there is no invoice inv-none".to_owned()));
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "invoices")).await;
    assert_eq!(admin.page.row("000001")[2], "Paid");
    admin.get(&world.path("acme", "audit-log")).await;
    for what in ["Invoice issued", "Invoice changed"] {
        assert!(admin.page.text().contains(what), "{what} is not in {}", admin.page);
    }
    // An open one whose day has passed says so.
    world.sql("UPDATE invoices SET due_at = '2025-02-01 00:00:00' WHERE state = 'OPEN'");
    admin.get(&world.path("Shop", "invoices")).await;
    assert_eq!(admin.page.row("000002")[2], "Overdue");
}
