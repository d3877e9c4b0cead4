//! Paying: adding, sharing, inheriting, overriding and removing a payment method, as a billing manager does it, and
//! what the question before a removal says. Who pays for whom in general is compared with a model in `models`.

use subtenant::billing::{CollectionMethod, Entries};

use crate::browser::Browser;
use crate::world::World;

pub fn invoice(name: &str, allow_child_accounts: bool) -> Entries {
    Entries {
        collection_method: CollectionMethod::Net30,
        name: name.to_owned(),
        email: "invoices@example.com".to_owned(),
        street: "Storgata 1".to_owned(),
        city: "Oslo".to_owned(),
        state: String::new(),
        postal_code: "0155".to_owned(),
        country: "NO".to_owned(),
        allow_child_accounts,
    }
}

const SHARE: &str = "Allow child accounts to use this payment method";
const ENTRIES: [(&str, &str); 7] = [
    ("Invoice, 30 days", "yes"),
    ("Account holder name", "Acme Invoices"),
    ("Billing email", "pay@acme.example"),
    ("Street", "Storgata 1"),
    ("City", "Oslo"),
    ("Postal code", "0155"),
    ("Country", "Norway"),
];

/// Adds a payment method through the pages.
async fn add(browser: &mut Browser, world: &World, account: &str, shared: bool) {
    browser.get(&world.path(account, "billing")).await;
    browser.click("Add a new payment method").await;
    let share = [(SHARE, if shared { "yes" } else { "no" })];
    browser.submit("Save", &[&ENTRIES[..], &share].concat()).await;
}

#[actix_web::test]
async fn a_shared_method_pays_for_everything_below_and_tells_no_details_there() {
    let world = World::new();
    world.account("acme").child("Lab").child("Bench").billing_manager("bill");
    let mut admin = world.browser("admin-of-acme").await;
    add(&mut admin, &world, "acme", true).await;
    assert_eq!(admin.page.flash(), "Payment method added.");
    assert!(admin.page.text().contains("Acme Invoices"), "{}", admin.page);
    admin.get(&world.path("Lab", "billing")).await;
    assert!(admin.page.text().contains("inherited billing details from acme"), "{}", admin.page);
    admin.get(&world.path("acme", "child-accounts")).await;
    assert!(admin.page.row("Lab").contains(&"From acme".to_owned()), "{}", admin.page);

    let mut bill = world.browser("bill").await;
    bill.get(&world.path("Bench", "billing")).await;
    assert!(bill.page.text().contains("inherited billing details from an account above"), "{}", bill.page);
    for secret in ["Acme Invoices", "pay@acme.example", "Storgata", "acme"] {
        assert!(!bill.page.text().contains(secret), "{secret} on\n{}", bill.page);
    }
}

#[actix_web::test]
async fn a_method_above_that_cannot_be_charged_is_said_and_catches_nobody() {
    let world = World::new();
    world.account("acme").child("Lab").child("Bench");
    let mut admin = world.browser("admin-of-acme").await;
    add(&mut admin, &world, "acme", true).await;
    add(&mut admin, &world, "Lab", true).await;
    let acme = world.key("acme");
    world.sql(&format!("UPDATE payment_methods SET verified = FALSE WHERE account_key = {acme}"));
    let bench = world.key("Bench");
    world.sql(&format!(
        "INSERT INTO connections (key, id, account_key, name, state, created_at)
         VALUES (1, 'conn-1', {bench}, 'line', 'ACTIVE', '2026-01-01 00:00:00')"
    ));
    admin.get(&world.path("Lab", "billing")).await;
    admin.click("Remove…").await;
    assert!(admin.page.text().contains("1 account has 1 live connection and no other payer"), "{}", admin.page);
    assert!(!admin.page.has_button("Go back to inherited billing details"), "{}", admin.page);
    world.sql("DELETE FROM connections");
    admin.get(&world.path("Lab", "billing/remove")).await;
    assert!(admin.page.text().contains("2 accounts lose their payer"), "{}", admin.page);
    assert!(admin.page.text().contains("but it cannot be charged now"), "{}", admin.page);
    admin.submit("Go back to inherited billing details", &[]).await;
    let text = admin.page.text();
    assert!(text.contains("The payment method of acme cannot be charged now: new connections are blocked"), "{text}");
    assert!(text.contains("Cannot be charged now") && !text.contains("In use") && !text.contains("Paid by"), "{text}");
}

#[actix_web::test]
async fn an_own_method_overrides_the_inherited_one_and_gives_way_again() {
    let world = World::new();
    world.account("acme").child("Lab");
    let mut admin = world.browser("admin-of-acme").await;
    add(&mut admin, &world, "acme", true).await;
    add(&mut admin, &world, "Lab", false).await;
    assert!(admin.page.text().contains("Paid by this account"), "{}", admin.page);
    admin.click("Go back to inherited…").await;
    assert_eq!(admin.page.heading(), "Go back to inherited billing details?");
    assert!(admin.page.text().contains("Nobody loses a payer. acme pays for this account"), "{}", admin.page);
    admin.submit("Go back to inherited billing details", &[]).await;
    assert!(admin.page.text().contains("inherited billing details from acme"), "{}", admin.page);
}

#[actix_web::test]
async fn removing_says_who_loses_their_payer_and_is_refused_while_one_has_live_connections() {
    let world = World::new();
    world.account("acme").child("Lab").child("Bench");
    let mut admin = world.browser("admin-of-acme").await;
    add(&mut admin, &world, "acme", true).await;
    admin.get(&world.path("acme", "billing/remove")).await;
    assert!(admin.page.text().contains("3 accounts lose their payer, this account among them."), "{}", admin.page);
    let before = admin.clone();
    let key = world.key("Bench");
    world.sql(&format!(
        "INSERT INTO connections (key, id, account_key, name, state, created_at)
         VALUES (1, 'conn-1', {key}, 'line', 'ACTIVE', '2026-01-01 00:00:00')"
    ));
    // The page from before: the state of things is another by now.
    let mut late = before;
    late.submit("Remove this payment method", &[]).await;
    assert_eq!(late.page.status, 409);
    admin.get(&world.path("acme", "billing/remove")).await;
    assert!(admin.page.text().contains("1 account has 1 live connection and no other payer"), "{}", admin.page);
    assert!(!admin.page.has_button("Remove this payment method"));
    world.sql("UPDATE connections SET state = 'DELETED'");
    admin.get(&world.path("acme", "billing/remove")).await;
    admin.submit("Remove this payment method", &[]).await;
    assert!(admin.page.text().contains("No payment method: new connections are blocked"), "{}", admin.page);
}

#[actix_web::test]
async fn a_method_that_is_not_shared_pays_for_nobody_below() {
    let world = World::new();
    world.account("acme").child("Lab").child("Bench");
    let mut admin = world.browser("admin-of-acme").await;
    add(&mut admin, &world, "acme", true).await;
    add(&mut admin, &world, "Lab", false).await;
    assert_eq!(admin.page.heading(), "Add this payment method for this account alone?");
    assert!(admin.page.text().contains("1 account loses its payer. This account does not."), "{}", admin.page);
    admin.submit("Add payment method", &[]).await;
    assert_eq!(admin.page.flash(), "Payment method added.");
    admin.get(&world.path("Bench", "billing")).await;
    assert!(admin.page.text().contains("No payment method: new connections are blocked"), "{}", admin.page);
}

#[actix_web::test]
async fn the_question_says_what_happens_to_invoices_that_are_not_paid() {
    let world = World::new();
    world.account("acme").child("Lab");
    let mut admin = world.browser("admin-of-acme").await;
    add(&mut admin, &world, "acme", true).await;
    admin.get(&world.path("acme", "billing/remove")).await;
    assert!(admin.page.text().contains("This account has no invoice to pay."), "{}", admin.page);
    let key = world.key("acme");
    for (n, month, currency, state, total) in [
        (1, "2025-01", "EUR", "OPEN", 43_500),
        (2, "2025-02", "EUR", "FAILED", 100),
        (3, "2025-02", "JPY", "OPEN", 1_500),
        (4, "2025-03", "EUR", "PAID", 7),
        (5, "2025-04", "EUR", "VOID", 7),
    ] {
        world.sql(&format!(
            "INSERT INTO invoices (key, id, payer_key, month, currency, state, number, total, issued_at, due_at)
             VALUES ({n}, 'inv-{n}', {key}, '{month}', '{currency}', '{state}', {n}, {total},
                     '2025-05-01 00:00:00', '2025-05-31 00:00:00')"
        ));
    }
    world.sql(&format!(
        "INSERT INTO invoices (key, id, payer_key, month, currency, state) VALUES (6, 'inv-6', {key}, '2025-05', 'EUR', 'DRAFT')"
    ));
    admin.get(&world.path("acme", "billing/remove")).await;
    let said = "3 invoices of this account are not paid yet: EUR 436.00 and JPY 1,500. \
                They stay to be paid by this account.";
    assert!(admin.page.text().contains(said), "{}", admin.page);
    admin.click("Invoices to pay").await;
    assert_eq!(admin.page.rows().len(), 3, "{}", admin.page);
    // Un-offering says it too; it does not change who pays, so it is not part of what is confirmed.
    admin.get(&world.path("acme", "billing/edit")).await;
    admin.submit("Save", &[(SHARE, "no")]).await;
    assert!(admin.page.text().contains("not paid yet: EUR 436.00"), "{}", admin.page);
    world.sql("UPDATE invoices SET state = 'PAID' WHERE number < 3");
    admin.submit("Stop sharing this payment method", &[]).await;
    assert_eq!(admin.page.flash(), "Payment method saved.");
}

#[actix_web::test]
async fn a_mistake_keeps_everything_that_was_typed() {
    let world = World::new();
    world.account("acme");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "billing/new")).await;
    admin.submit("Save", &[("Billing email", "nobody"), ("Country", "Atlantis"), ("City", "Oslo")]).await;
    assert_eq!(admin.page.status, 422);
    assert!(admin.page.error("Billing email").contains("name@example.com"));
    assert!(admin.page.error("Country").contains("Country must be"), "{}", admin.page);
    assert_eq!(admin.page.error("Account holder name"), "Enter an account holder name");
    assert_eq!(admin.page.field("City"), "Oslo");
    assert_eq!(admin.page.field("Country"), "Atlantis");
}
