//! Bank accounts: with a permission to draft, verified by the amounts of two deposits, and paying for nobody before.

use subtenant::billing;
use subtenant::readiness::{self, Blocker};

use crate::browser::Browser;
use crate::dump::dump_everything;
use crate::fake_provider::{BANK_ACCOUNT, FakeProvider, Fault};
use crate::notices::deliver;
use crate::paying::{BANK, CARD, INVOICE, SHARE, choose, world};
use crate::world::World;

async fn enter(provider: &FakeProvider, admin: &mut Browser) {
    provider.enter(&provider.last("setup_intent"), BANK_ACCOUNT);
    admin.submit("Use this bank account", &[("Company", "yes"), (PERMISSION, "yes")]).await;
}

const PERMISSION: &str =
    "I permit drafts from this bank account every month, for what is due, until this payment method is removed";

fn waits_for_payment(world: &World, account: &str) -> bool {
    let blockers = world.read(|db| readiness::blockers(db, world.key(account))).expect("the blockers");
    blockers.iter().any(|blocker| matches!(blocker, Blocker::NoPayer | Blocker::PayerNotVerified))
}

#[actix_web::test]
async fn a_bank_account_pays_once_its_amounts_are_right() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    choose(&mut admin, &world, "acme", BANK).await;
    assert_eq!(admin.page.heading(), "Enter a bank account");
    provider.enter(&provider.last("setup_intent"), BANK_ACCOUNT);
    admin.submit("Use this bank account", &[("Company", "yes")]).await;
    assert_eq!(admin.page.status, 422, "without the permission nothing is taken");
    enter(&provider, &mut admin).await;
    assert!(admin.page.flash().starts_with("Two small deposits are on their way"), "{}", admin.page);
    assert!(admin.page.text().contains("is not verified: new connections are blocked"), "{}", admin.page);
    assert!(waits_for_payment(&world, "acme") && waits_for_payment(&world, "Lab"));
    admin.click("Verify bank account").await;
    assert_eq!(admin.page.heading(), "Verify bank account");
    assert!(admin.page.text().contains("STRIPE TEST BANK ending 6789"), "{}", admin.page);
    admin.submit("Verify bank account", &[("First amount", "x"), ("Second amount", "100")]).await;
    assert!(admin.page.error("First amount").contains("from 1 to 99"), "{}", admin.page);
    assert!(admin.page.error("Second amount").contains("from 1 to 99"), "{}", admin.page);
    assert!(admin.page.text().contains("5 tries are left."), "{}", admin.page);
    admin.submit("Verify bank account", &[("First amount", "11"), ("Second amount", "12")]).await;
    assert!(admin.page.error("First amount").contains("not the amounts"), "{}", admin.page);
    assert!(admin.page.text().contains("4 tries are left."), "{}", admin.page);
    provider.fail(&[Fault::Broken]);
    admin.submit("Verify bank account", &[("First amount", "32"), ("Second amount", "45")]).await;
    assert!(admin.page.flash().contains("The amounts were not tried"), "{}", admin.page);
    assert!(admin.page.text().contains("4 tries are left."), "{}", admin.page);
    admin.submit("Verify bank account", &[("First amount", "0.32"), ("Second amount", "45")]).await;
    assert_eq!(admin.page.flash(), "Bank account verified.", "{}", admin.page);
    assert!(admin.page.text().contains("Paid by this account: STRIPE TEST BANK ending 6789"), "{}", admin.page);
    assert!(!waits_for_payment(&world, "acme") && !waits_for_payment(&world, "Lab"));
    let everything = dump_everything(&world).into_iter().collect::<Vec<_>>().join("\n");
    assert!(!everything.contains(BANK_ACCOUNT) && !everything.contains("123456789"));
}

#[actix_web::test]
async fn an_answer_that_is_lost_after_the_amounts_were_right_is_found() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    choose(&mut admin, &world, "acme", BANK).await;
    enter(&provider, &mut admin).await;
    admin.click("Verify bank account").await;
    admin.submit("Verify bank account", &[("First amount", "0.5"), ("Second amount", "45")]).await;
    assert!(admin.page.error("First amount").contains("from 1 to 99"), "half a dollar is not 5 cents: {}", admin.page);
    let mut other = admin.clone();
    provider.fail(&[Fault::LostAfter]);
    admin.submit("Verify bank account", &[("First amount", "32"), ("Second amount", "45")]).await;
    assert_eq!(admin.page.flash(), "Bank account verified.", "{}", admin.page);
    other.submit("Verify bank account", &[("First amount", "32"), ("Second amount", "45")]).await;
    assert!(other.page.flash().contains("No bank account of this account awaits verification"), "{}", other.page);

    // It was verified there and nobody heard of it: the next attempt is refused for its state and counts as none.
    choose_again(&provider, &world, &mut admin).await;
    provider.approve(&provider.last("setup_intent"));
    admin.submit("Verify bank account", &[("First amount", "1"), ("Second amount", "2")]).await;
    assert_eq!(admin.page.flash(), "Bank account verified.", "{}", admin.page);
}

async fn choose_again(provider: &FakeProvider, world: &World, admin: &mut Browser) {
    admin.get(&world.path("acme", "billing/edit")).await;
    admin.submit("Save", &[("Enter another card or bank account", "yes")]).await;
    enter(provider, admin).await;
    admin.get(&world.path("acme", "billing/verify")).await;
}

#[actix_web::test]
async fn the_same_amounts_sent_twice_are_one_try() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    choose(&mut admin, &world, "acme", BANK).await;
    enter(&provider, &mut admin).await;
    admin.click("Verify bank account").await;
    let mut form = admin.page.form("Verify bank account");
    form.fill("First amount", "11");
    form.fill("Second amount", "12");
    let first = admin.post(&form.action, &form.pairs()).await;
    assert_eq!(first.status, 422);
    admin.post(&form.action, &form.pairs()).await;
    admin.get(&world.path("acme", "billing/verify")).await;
    assert!(admin.page.text().contains("4 tries are left."), "{}", admin.page);
}

#[actix_web::test]
async fn what_was_changed_after_a_set_up_began_stays() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    choose(&mut admin, &world, "acme", INVOICE).await;
    admin.get(&world.path("acme", "billing/edit")).await;
    admin.submit("Save", &[(BANK, "yes"), ("City", "Bergen")]).await;
    enter(&provider, &mut admin).await;
    // Un-shared in between, and confirmed.
    admin.get(&world.path("acme", "billing/edit")).await;
    admin.submit("Save", &[(SHARE, "no"), ("Street", "Nygata 2")]).await;
    admin.submit("Stop sharing this payment method", &[]).await;
    assert_eq!(admin.page.flash(), "Payment method saved.", "{}", admin.page);
    admin.get(&world.path("acme", "billing/verify")).await;
    admin.submit("Verify bank account", &[("First amount", "32"), ("Second amount", "45")]).await;
    assert!(admin.page.flash().contains("they stay as they are"), "{}", admin.page);
    let own = world.read(|db| billing::own(db, world.key("acme"))).expect("read").expect("a method");
    assert!(!own.entries.allow_child_accounts && own.verified && own.stored.last_four == "6789");
    assert_eq!((own.entries.street.as_str(), own.entries.city.as_str()), ("Nygata 2", "Oslo"));
    let permitted = dump_everything(&world).into_iter().filter(|row| row.contains("draftsPermittedBy")).count();
    assert!(permitted >= 1, "the log says who permitted drafts");

    // A bank account that waits and is the account's own already: its entries are what they are made.
    let mut lab = world.browser("admin-of-acme").await;
    choose(&mut lab, &world, "Lab", BANK).await;
    enter(&provider, &mut lab).await;
    lab.get(&world.path("Lab", "billing/edit")).await;
    lab.submit("Save", &[("City", "Bergen")]).await;
    lab.get(&world.path("Lab", "billing/verify")).await;
    lab.submit("Verify bank account", &[("First amount", "32"), ("Second amount", "45")]).await;
    assert_eq!(lab.page.flash(), "Bank account verified.", "{}", lab.page);
    let own = world.read(|db| billing::own(db, world.key("Lab"))).expect("read").expect("a method");
    assert_eq!((own.entries.city.as_str(), own.verified), ("Bergen", true));
}

#[actix_web::test]
async fn deposits_and_set_ups_of_a_day_are_limited() {
    let (_provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    for n in 0..6 {
        choose(&mut admin, &world, "acme", BANK).await;
        assert_eq!(admin.page.status, if n < 5 { 200 } else { 429 }, "{n}: {}", admin.page);
    }
    for n in 5..21 {
        choose(&mut admin, &world, "acme", CARD).await;
        assert_eq!(admin.page.status, if n < 20 { 200 } else { 429 }, "{n}: {}", admin.page);
    }
    choose(&mut admin, &world, "Lab", CARD).await;
    assert_eq!(admin.page.status, 200, "another account has a day of its own");
    world.sql("UPDATE provider_tries SET started_at = '2025-01-01 00:00:00'");
    choose(&mut admin, &world, "acme", BANK).await;
    assert_eq!(admin.page.status, 200, "{}", admin.page);
}

#[actix_web::test]
async fn wrong_amounts_end_it_after_five_tries_and_the_old_method_goes_on() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    choose(&mut admin, &world, "acme", INVOICE).await;
    admin.get(&world.path("acme", "billing/edit")).await;
    admin.submit("Save", &[(BANK, "yes")]).await;
    enter(&provider, &mut admin).await;
    assert!(admin.page.text().contains("Paid by this account: invoice, 30 days"), "{}", admin.page);
    assert!(!waits_for_payment(&world, "Lab"));
    admin.click("Verify bank account").await;
    for _ in 0..5 {
        admin.submit("Verify bank account", &[("First amount", "1"), ("Second amount", "2")]).await;
    }
    assert!(admin.page.text().contains("cannot be verified any more"), "{}", admin.page);
    assert!(!admin.page.has_button("Verify bank account"));
    let asked = provider.books().calls.iter().filter(|(_, path, _)| path.ends_with("verify_microdeposits")).count();
    assert_eq!(asked, 5);
    admin.get(&world.path("acme", "billing")).await;
    assert!(admin.page.text().contains("Paid by this account: invoice, 30 days"), "{}", admin.page);
    assert!(admin.page.text().contains("Enter it again"), "{}", admin.page);
}

#[actix_web::test]
async fn what_is_being_set_up_can_be_discarded_and_does_not_come_back() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    choose(&mut admin, &world, "acme", BANK).await;
    let intent = provider.last("setup_intent");
    admin.get(&world.path("acme", "billing")).await;
    let mut late = admin.clone();
    late.get(&world.path("acme", "billing")).await;
    admin.submit("Discard", &[]).await;
    assert_eq!(admin.page.flash(), "Set-up discarded. Nothing else changed.", "{}", admin.page);
    assert!(!admin.page.text().contains("Not finished"), "{}", admin.page);
    late.submit("Discard", &[]).await;
    assert!(late.page.flash().contains("is not being set up any more"), "{}", late.page);
    // What the provider says of it later finds nothing to change.
    provider.enter(&intent, BANK_ACCOUNT);
    provider.approve(&intent);
    assert_eq!(deliver(&world, &provider.event("setup_intent.succeeded", &intent)).await, 200);
    assert_eq!(world.read(|db| billing::own(db, world.key("acme"))).expect("read"), None);
    admin.get(&world.path("acme", "audit-log")).await;
    assert!(admin.page.text().contains("Payment method set-up discarded"), "{}", admin.page);

    // Beside a method in force; and not once it is the account's own.
    choose(&mut admin, &world, "acme", INVOICE).await;
    admin.click("Change").await;
    admin.submit("Save", &[(BANK, "yes")]).await;
    enter(&provider, &mut admin).await;
    admin.get(&world.path("acme", "billing")).await;
    assert!(admin.page.text().contains("ending 6789"), "{}", admin.page);
    admin.submit("Discard", &[]).await;
    assert!(admin.page.text().contains("Paid by this account: invoice, 30 days"), "{}", admin.page);
    let mut lab = world.browser("admin-of-acme").await;
    world.sql("DELETE FROM payment_methods");
    choose(&mut lab, &world, "Lab", BANK).await;
    let mut early = lab.clone();
    early.get(&world.path("Lab", "billing")).await;
    enter(&provider, &mut lab).await;
    early.submit("Discard", &[]).await;
    assert!(early.page.flash().contains("is not being set up any more"), "{}", early.page);
    lab.get(&world.path("Lab", "billing")).await;
    assert!(lab.page.text().contains("Not verified") && !lab.page.has_button("Discard"), "{}", lab.page);
}
