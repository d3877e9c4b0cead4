//! Invoices are charged once or not at all, whatever is lost between the console, the provider and the bank, and the
//! pages say which.

use std::thread;

use diesel::prelude::*;
use subtenant::collecting::{self, settling};
use subtenant::ledger::operator::Settled;
use subtenant::store::schema::invoices;
use subtenant::worker;

use crate::browser::Browser;
use crate::dump::dump_everything;
use crate::fake_provider::{ASKS_HOLDER, BANK_ACCOUNT, EMPTY, EXPIRED, FakeProvider, Fault, VISA};
use crate::mailbox::{empty, letters};
use crate::notices::{deliver, stored};
use crate::paying::{BANK, CARD, INVOICE, choose, send};
use crate::proxy::Proxy;
use crate::usage::{connect, invoice_of, make};
use crate::world::World;

/// 310.00 and 5.00 for each of two connections.
const TOTAL: i64 = 63_000;

/// `acme` with a card of this number and an invoice of January; `Lab` below has items on it.
async fn billed(number: &str) -> (FakeProvider, Proxy, World, Browser) {
    let provider = FakeProvider::start();
    let proxy = Proxy::before(&provider.url);
    let world = World::with(|settings| settings.payments = crate::fake_provider::connected(&proxy.url));
    world.account("acme").child("Lab");
    world.account("acme").child("Shop");
    let mut admin = world.browser("admin-of-acme").await;
    enter(&provider, &world, &mut admin, number).await;
    connect(&world, "acme", "backbone", "2025-01-01");
    connect(&world, "Lab", "lab line", "2025-01-01");
    make(&world, "2025-01");
    empty(&world);
    (provider, proxy, world, admin)
}

async fn enter(provider: &FakeProvider, world: &World, admin: &mut Browser, number: &str) {
    let bank = number == BANK_ACCOUNT;
    choose(admin, world, "acme", if bank { BANK } else { CARD }).await;
    let intent = provider.last("setup_intent");
    provider.enter(&intent, number);
    if bank {
        provider.approve(&intent);
        let body = provider.event("setup_intent.succeeded", &intent);
        assert_eq!(deliver(world, &body).await, 200);
    } else {
        if number == ASKS_HOLDER {
            provider.approve(&intent);
        }
        send(admin, "Use this card").await;
    }
    assert!(stored(world).provider_id.starts_with("pm_"), "{}", admin.page);
}

/// Every invoice that was put off is due now, and whoever had one in hand is gone.
fn later(world: &World) {
    world.sql("UPDATE invoices SET next_try_at = '2025-01-01 00:00:00' WHERE next_try_at < '9999-01-01 00:00:00'");
}

async fn round(world: &World) {
    let days = world.config.payments.grace_days;
    collecting::collect_due(&world.pool, &world.parts.payments, days).await.expect("the database answers");
}

/// As if the invoice had just been issued, to a provider that has charged nothing.
fn anew(provider: &FakeProvider, world: &World) {
    provider.books().objects.retain(|_, one| one["object"] != "charge");
    world.sql(
        "UPDATE invoices SET state = 'OPEN', settled_at = NULL, provider_id = '', provider_state = '', trouble = '',
         round = round + 100, tries = 0, next_try_at = '2025-01-01 00:00:00'",
    );
}

fn state(world: &World) -> String {
    let row = invoices::table.filter(invoices::payer_key.eq(world.key("acme"))).select(invoices::state);
    world.read(|db| Ok(row.first(db)?)).expect("an invoice")
}

async fn page(world: &World, admin: &mut Browser) -> String {
    let id = invoice_of(world, "acme");
    admin.get(&world.path("acme", &format!("invoices/{id}"))).await;
    admin.page.text()
}

fn paid_once(provider: &FakeProvider, world: &World, what: &str) {
    assert_eq!(provider.charged(), [(invoice_of(world, "acme"), TOTAL)], "{what}");
    assert_eq!(state(world), "PAID", "{what}");
}

#[actix_web::test]
async fn an_invoice_is_charged_by_the_background_work_and_its_page_says_so() {
    let (provider, _proxy, world, mut admin) = billed(VISA).await;
    assert!(page(&world, &mut admin).await.contains("It is charged in a moment."), "{}", admin.page);
    worker::round(&world.tools()).await.expect("a round");
    paid_once(&provider, &world, "the first round");
    let text = page(&world, &mut admin).await;
    assert!(text.contains("Paid") && !text.contains("How it is paid"), "{text}");
    let before = dump_everything(&world);
    later(&world);
    round(&world).await;
    assert_eq!(before, dump_everything(&world), "a settled invoice is left alone");
    paid_once(&provider, &world, "another round");
    world.assert_sound();
}

#[actix_web::test]
async fn whatever_is_lost_on_the_way_it_is_charged_once() {
    let steps = [("POST", "payment_intents"), ("GET", ""), ("POST", "confirm"), ("POST", "cancel"), ("POST", "")];
    let (provider, proxy, world, mut admin) = billed(VISA).await;
    for (method, ending) in steps {
        for fault in [Fault::Broken, Fault::LostBefore, Fault::LostAfter] {
            for times in [1, 2, 5] {
                let what = format!("{method} {ending} {fault:?} {times} times");
                anew(&provider, &world);
                proxy.fail(method, ending, fault, times);
                round(&world).await;
                if state(&world) == "OPEN" {
                    let text = page(&world, &mut admin).await;
                    assert!(
                        text.contains("has not answered yet") && text.contains("nothing is charged twice"),
                        "{text}"
                    );
                }
                assert!(provider.charged().len() <= 1, "{what}: {:?}", provider.charged());
                for _ in 0..4 {
                    later(&world);
                    round(&world).await;
                }
                paid_once(&provider, &world, &what);
                proxy.heal();
            }
        }
    }
}

#[actix_web::test]
async fn what_the_bank_refuses_is_not_charged_and_the_page_says_why_and_what_to_do() {
    let refusals = [
        (EMPTY, "Your card was declined."),
        (EXPIRED, "Your card has expired."),
        (ASKS_HOLDER, "It requires authentication."),
    ];
    for (number, why) in refusals {
        let (provider, _proxy, world, mut admin) = billed(number).await;
        round(&world).await;
        assert_eq!((state(&world).as_str(), provider.charged()), ("FAILED", vec![]));
        let text = page(&world, &mut admin).await;
        assert!(text.contains("Nothing was charged.") && text.contains(why), "{text}");
        assert!(text.contains("It is tried again on"), "{text}");
        let told = letters(&world);
        assert!(told.iter().any(|one| one.subject.starts_with("A payment failed: invoice 000001")), "{told:?}");
        assert!(stored(&world).failed_at.is_some(), "its grace period has begun");
        // Asked for again, it is declined again: as often as anybody asks, nothing is charged.
        admin.submit("Try again now", &[]).await;
        assert!(admin.page.flash().starts_with("The payment is tried now."), "{}", admin.page);
        round(&world).await;
        assert_eq!((state(&world).as_str(), provider.charged()), ("FAILED", vec![]));
        // Another card is charged at once, and pays.
        admin.get(&world.path("acme", "billing/edit")).await;
        admin.submit("Save", &[("Enter another card or bank account", "yes")]).await;
        provider.enter(&provider.last("setup_intent"), VISA);
        send(&mut admin, "Use this card").await;
        round(&world).await;
        paid_once(&provider, &world, why);
        assert_eq!(stored(&world).failed_at, None);
    }
}

#[actix_web::test]
async fn a_card_that_the_provider_does_not_know_any_more_is_said_and_replaced() {
    // Detached before a payment is made, and between making and confirming it.
    for between in [false, true] {
        let (provider, proxy, world, mut admin) = billed(VISA).await;
        let means = stored(&world).provider_id;
        if between {
            proxy.fail("POST", "confirm", Fault::LostBefore, 2);
            round(&world).await;
        }
        provider.books().objects.get_mut(&means).expect("the card")["customer"] = serde_json::Value::Null;
        for tries in 1..=2 {
            later(&world);
            round(&world).await;
            assert_eq!((state(&world).as_str(), provider.charged()), ("FAILED", vec![]), "between: {between}");
            let text = page(&world, &mut admin).await;
            assert!(text.contains("Nothing was charged.") && text.contains("It is tried again on"), "{tries}: {text}");
        }
        admin.get(&world.path("acme", "billing/edit")).await;
        admin.submit("Save", &[("Enter another card or bank account", "yes")]).await;
        provider.enter(&provider.last("setup_intent"), VISA);
        send(&mut admin, "Use this card").await;
        // The answer to the new card's charge is lost: what was said of the old one is not said any more.
        proxy.fail("POST", "confirm", Fault::LostAfter, 2);
        round(&world).await;
        let text = page(&world, &mut admin).await;
        assert!(text.contains("has not answered yet") && !text.contains("Nothing was charged"), "{text}");
        later(&world);
        round(&world).await;
        paid_once(&provider, &world, "replaced");
    }
}

#[actix_web::test]
async fn without_a_card_an_invoice_waits_for_one_and_says_so_once() {
    let (provider, _proxy, world, mut admin) = billed(VISA).await;
    admin.get(&world.path("acme", "billing/edit")).await;
    admin.submit("Save", &[(INVOICE, "yes")]).await;
    for _ in 0..3 {
        later(&world);
        round(&world).await;
    }
    let told = letters(&world).into_iter().filter(|one| one.subject.starts_with("A payment cannot be collected"));
    assert_eq!(told.count(), 1);
    let text = page(&world, &mut admin).await;
    assert!(text.contains("There is no card or bank account that could be charged."), "{text}");
    choose_again(&provider, &world, &mut admin).await;
    round(&world).await;
    paid_once(&provider, &world, "another card, at once");
}

async fn choose_again(provider: &FakeProvider, world: &World, admin: &mut Browser) {
    admin.get(&world.path("acme", "billing/edit")).await;
    admin.submit("Save", &[(CARD, "yes")]).await;
    provider.enter(&provider.last("setup_intent"), VISA);
    send(admin, "Use this card").await;
}

#[actix_web::test]
async fn a_charge_that_a_restored_backup_does_not_know_is_found_by_reconciling() {
    let (provider, _proxy, world, _) = billed(VISA).await;
    round(&world).await;
    paid_once(&provider, &world, "before the backup is restored");
    provider.event("payment_intent.succeeded", &provider.last("payment_intent"));
    world.sql("UPDATE invoices SET state = 'OPEN', settled_at = NULL, provider_id = '', provider_state = ''");
    let days = world.config.payments.grace_days;
    collecting::reconcile::reconcile(&world.pool, &world.parts.payments, days, |_, _| ()).await.expect("it runs");
    later(&world);
    round(&world).await;
    paid_once(&provider, &world, "reconciled");
}

#[actix_web::test]
async fn a_charge_that_a_restored_backup_does_not_know_takes_the_place_of_one_that_failed() {
    let (provider, _proxy, world, mut admin) = billed(EMPTY).await;
    round(&world).await;
    let failed = provider.last("payment_intent");
    admin.get(&world.path("acme", "billing/edit")).await;
    admin.submit("Save", &[("Enter another card or bank account", "yes")]).await;
    provider.enter(&provider.last("setup_intent"), VISA);
    send(&mut admin, "Use this card").await;
    round(&world).await;
    paid_once(&provider, &world, "before the backup is restored");
    provider.event("payment_intent.succeeded", &provider.last("payment_intent"));
    // The backup has the first payment: failed, or just made.
    for state in ["FAILED", ""] {
        world.sql(&format!(
            "UPDATE invoices SET state = 'FAILED', settled_at = NULL, provider_id = '{failed}', provider_state = '{state}'"
        ));
        world.sql("DELETE FROM provider_events");
        let days = world.config.payments.grace_days;
        let sums = collecting::reconcile::reconcile(&world.pool, &world.parts.payments, days, |_, _| ()).await;
        assert_eq!(sums.expect("it runs").failed, 0);
        later(&world);
        round(&world).await;
        paid_once(&provider, &world, "reconciled");
    }
    // One of another sum settles nothing, and nothing else is charged.
    let paid = provider.last("payment_intent");
    provider.books().objects.get_mut(&paid).expect("it")["amount"] = serde_json::json!(1);
    world.sql(
        "UPDATE invoices SET state = 'OPEN', settled_at = NULL, provider_state = '',
         next_try_at = '2025-01-01 00:00:00'",
    );
    round(&world).await;
    assert_eq!((state(&world).as_str(), provider.charged().len()), ("OPEN", 1));
    assert!(page(&world, &mut admin).await.contains("a payment of another sum"), "{}", admin.page);
}

#[actix_web::test]
async fn one_object_that_cannot_be_read_stops_no_other() {
    let (provider, proxy, world, _) = billed(VISA).await;
    proxy.fail("POST", "confirm", Fault::LostAfter, 2);
    round(&world).await;
    let means = stored(&world).provider_id;
    provider.books().objects.get_mut(&means).expect("the card")["card"]["exp_year"] = serde_json::json!("soon");
    let days = world.config.payments.grace_days;
    let sums = collecting::reconcile::reconcile(&world.pool, &world.parts.payments, days, |_, _| ()).await;
    let sums = sums.expect("it goes on");
    assert_eq!((sums.failed, sums.methods, sums.payments), (1, 1, 1));
    paid_once(&provider, &world, "reconciled");
}

#[actix_web::test]
async fn asking_for_another_try_is_limited() {
    let (_provider, _proxy, world, mut admin) = billed(EMPTY).await;
    round(&world).await;
    for n in 0..21 {
        page(&world, &mut admin).await;
        admin.submit("Try again now", &[]).await;
        assert_eq!(admin.page.status, if n < 20 { 200 } else { 429 }, "{n}: {}", admin.page);
    }
}

#[actix_web::test]
async fn a_bank_takes_days_and_late_and_doubled_notices_change_nothing_more() {
    for paid in [true, false] {
        let (provider, _proxy, world, mut admin) = billed(BANK_ACCOUNT).await;
        round(&world).await;
        assert_eq!((state(&world).as_str(), provider.charged().len()), ("OPEN", 1));
        assert!(page(&world, &mut admin).await.contains("The bank is asked for it."), "{}", admin.page);
        let payment = provider.last("payment_intent");
        let early = provider.event("payment_intent.processing", &payment);
        provider.bank_decides(&payment, paid);
        let (yes, no) = ("payment_intent.succeeded", "payment_intent.payment_failed");
        let (said, other) = if paid { (yes, no) } else { (no, yes) };
        let told = provider.event(said, &payment);
        for body in [&told, &told, &early, &told, &provider.event(other, &payment)] {
            assert_eq!(deliver(&world, body).await, 200);
        }
        if paid {
            paid_once(&provider, &world, "the bank paid");
        } else {
            assert_eq!((state(&world).as_str(), provider.charged()), ("FAILED", vec![]));
            let failures =
                letters(&world).into_iter().filter(|one| one.subject.starts_with("A payment failed")).count();
            assert_eq!(failures, 1);
            assert!(page(&world, &mut admin).await.contains("The account has too little."), "{}", admin.page);
        }
    }
}

#[actix_web::test]
async fn reconciling_finds_a_payment_whose_notice_was_lost() {
    let (provider, _proxy, world, _) = billed(BANK_ACCOUNT).await;
    round(&world).await;
    provider.bank_decides(&provider.last("payment_intent"), true);
    let days = world.config.payments.grace_days;
    let sums = collecting::reconcile::reconcile(&world.pool, &world.parts.payments, days, |_, _| ()).await;
    assert_eq!(sums.expect("it runs").payments, 1);
    paid_once(&provider, &world, "reconciled");
}

#[actix_web::test]
async fn what_the_operator_settles_is_not_charged_afterwards() {
    for settled in [Settled::Paid, Settled::Void] {
        let (provider, proxy, world, _) = billed(VISA).await;
        // A payment is in hand, and it is not known whether it was confirmed.
        proxy.fail("POST", "confirm", Fault::LostBefore, 2);
        round(&world).await;
        let id = invoice_of(&world, "acme");
        let said = settling::settle(&world.pool, &world.parts.payments, &id, settled).await.expect("it answers");
        assert!(said.is_ok(), "{said:?}");
        later(&world);
        round(&world).await;
        assert_eq!(provider.charged(), []);
    }
    // It was confirmed, and only the answer was lost: the money is there, so it cannot become void.
    let (provider, proxy, world, _) = billed(VISA).await;
    proxy.fail("POST", "confirm", Fault::LostAfter, 2);
    round(&world).await;
    let id = invoice_of(&world, "acme");
    let said = settling::settle(&world.pool, &world.parts.payments, &id, Settled::Void).await.expect("it answers");
    assert_eq!(said, Err("it was paid through the payment provider and is PAID now".to_owned()));
    paid_once(&provider, &world, "found to be paid");
}

#[actix_web::test]
async fn several_processes_and_the_operator_at_once_charge_once_or_not_at_all() {
    let (provider, proxy, world, _) = billed(VISA).await;
    for n in 0..10_usize {
        anew(&provider, &world);
        let faults = [Fault::Broken, Fault::LostBefore, Fault::LostAfter];
        for ending in ["payment_intents", "confirm", "cancel"] {
            proxy.fail("POST", ending, faults[n % 3], n % 5);
        }
        let id = invoice_of(&world, "acme");
        thread::scope(|scope| {
            for process in 0..4 {
                let (tools, id) = (world.tools(), id.clone());
                scope.spawn(move || {
                    let work = async {
                        for _ in 0..4 {
                            if process == 0 {
                                let due = "UPDATE invoices SET next_try_at = '2025-01-01 00:00:00'";
                                let _ = tools.pool.write_here(|db| Ok(diesel::sql_query(due).execute(db)?));
                            }
                            if process == 3 && n % 2 == 0 {
                                let _ = settling::settle(&tools.pool, &tools.payments, &id, Settled::Void).await;
                            }
                            let _ = collecting::collect_due(&tools.pool, &tools.payments, 14).await;
                        }
                    };
                    actix_web::rt::System::new().block_on(work);
                });
            }
        });
        proxy.heal();
        for _ in 0..4 {
            later(&world);
            round(&world).await;
        }
        let charged = provider.charged();
        match state(&world).as_str() {
            "VOID" => assert_eq!(charged, [], "round {n}"),
            "PAID" => assert_eq!(charged, [(id, TOTAL)], "round {n}"),
            other => panic!("round {n}: {other}"),
        }
    }
}

#[actix_web::test]
async fn a_debt_touches_only_the_accounts_with_items_on_it() {
    let (_provider, _proxy, world, mut admin) = billed(EMPTY).await;
    connect(&world, "Shop", "shop line", "2025-06-01");
    round(&world).await;
    let days = world.config.payments.grace_days;
    assert_eq!(collecting::mark_overdue(&world.pool, days).await.expect("marks"), 0, "within its grace period");
    world.sql("UPDATE invoices SET due_at = '2025-02-01 00:00:00'");
    empty(&world);
    assert_eq!(collecting::mark_overdue(&world.pool, days).await.expect("marks"), 1);
    assert_eq!(collecting::mark_overdue(&world.pool, days).await.expect("marks"), 0, "each once");
    assert_eq!(letters(&world).len(), 1);
    let words = "Have the overdue invoice paid that has items of this account";
    for (account, says) in [("acme", "Pay the overdue invoice"), ("Lab", words), ("Shop", "")] {
        admin.get(&world.path(account, "readiness")).await;
        let text = admin.page.text();
        assert_eq!(text.contains("verdue invoice"), !says.is_empty(), "{account}: {text}");
        assert!(text.contains(says), "{account}: {text}");
    }
    admin.get(&world.path("acme", "readiness")).await;
    assert!(admin.page.row("Lab").len() > 1, "{}", admin.page);
    let text = page(&world, &mut admin).await;
    assert!(text.contains("no other account is touched"), "{text}");
    let id = invoice_of(&world, "acme");
    let said = settling::settle(&world.pool, &world.parts.payments, &id, Settled::Paid).await.expect("it answers");
    assert!(said.is_ok(), "{said:?}");
    admin.get(&world.path("Lab", "readiness")).await;
    assert!(!admin.page.text().contains(words), "{}", admin.page);
}
