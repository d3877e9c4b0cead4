//! What the provider tells by itself: signed, applied once whatever the order and the number of deliveries, and what
//! was missed is found by reconciling.

use actix_web::http::Method;
use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;
use ring::hmac;
use serde_json::json;
use subtenant::billing::provider::Fault as Failure;
use subtenant::billing::reconcile::{Sums, reconcile};
use subtenant::billing::{self, Stored};
use subtenant::store::schema::audit_entries;
use subtenant::{ids, mail};

use crate::browser::{Answer, Browser};
use crate::dump::{assert_unchanged, dump, dump_everything};
use crate::fake_provider::{BANK_ACCOUNT, FakeProvider, Fault, VISA, WEBHOOK_SECRET};
use crate::mailbox::{empty, letters};
use crate::paying::{BANK, CARD, card, choose, world};
use crate::world::World;

fn signed(body: &[u8], at: NaiveDateTime) -> String {
    let at = at.and_utc().timestamp();
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, WEBHOOK_SECRET.as_bytes()),
        &[format!("{at}.").as_bytes(), body].concat(),
    );
    let hex: String = tag.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    format!("t={at},v1={hex}")
}

/// As the provider's machine sends it: no browser, no session.
async fn send(world: &World, body: &[u8], signature: &str) -> Answer {
    let mut machine = Browser::new(&world.console().await);
    let request = machine.request(Method::POST, "/webhooks/stripe");
    let request = request
        .insert_header(("content-type", "application/json"))
        .insert_header(("stripe-signature", signature))
        .set_payload(body.to_vec());
    machine.send(request).await
}

pub async fn deliver(world: &World, body: &[u8]) -> u16 {
    send(world, body, &signed(body, ids::now())).await.status.as_u16()
}

fn stored(world: &World) -> Stored {
    let own = world.read(|db| billing::own(db, world.key("acme"))).expect("the method is read");
    own.expect("a method of its own").stored
}

fn entries_of_system(world: &World) -> i64 {
    let rows = audit_entries::table.filter(audit_entries::source.eq("SYSTEM")).count();
    world.read(|db| Ok(rows.get_result(db)?)).expect("the log is read")
}

#[actix_web::test]
async fn only_what_the_provider_signed_is_looked_at() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    choose(&mut admin, &world, "acme", CARD).await;
    let intent = provider.last("setup_intent");
    provider.enter(&intent, VISA);
    let body = provider.event("setup_intent.succeeded", &intent);
    let before = dump(&world);
    for signature in [
        String::new(),
        "t=1,v1=00".to_owned(),
        signed(&body, ids::now() - Duration::minutes(6)),
        signed(b"something else", ids::now()),
    ] {
        assert_eq!(send(&world, &body, &signature).await.status, 400, "{signature}");
    }
    assert_unchanged(&before, &world, "a forged notice");
    // The form's own guard stays: the same words to any other address are refused.
    let mut machine = Browser::new(&world.console().await);
    let request = machine.request(Method::POST, "/sign-in").insert_header(("sec-fetch-site", "cross-site"));
    assert_eq!(machine.send(request).await.status, 403);
    let request = machine.request(Method::POST, "/webhooks/stripe").insert_header(("sec-fetch-site", "cross-site"));
    let request = request.insert_header(("stripe-signature", signed(&body, ids::now()))).set_payload(body.clone());
    assert_eq!(machine.send(request).await.status, 200);
    assert_eq!(stored(&world).last_four, "4242", "the browser was never seen again, and the card is there");
    admin.get(&world.path("acme", "billing/new/confirm")).await;
    assert_eq!(admin.page.flash(), "Payment method saved.");
    assert!(!world.config.payments.provider.as_ref().is_none_or(|p| format!("{p:?}").contains("whsec_")));
}

#[actix_web::test]
async fn each_notice_is_applied_once_in_any_order_and_unknown_ones_are_left_alone() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    card(&provider, &world, &mut admin).await;
    let means = stored(&world).provider_id;
    provider.books().objects.get_mut(&means).expect("the card")["card"]["exp_year"] = json!(2040);
    let renewed = provider.event("payment_method.automatically_updated", &means);
    let before = entries_of_system(&world);
    for _ in 0..3 {
        assert_eq!(deliver(&world, &renewed).await, 200);
    }
    assert_eq!(stored(&world).expiry_words(), "12/2040");
    assert_eq!(entries_of_system(&world), before + 1);
    // The later charge is told first: what is said of the earlier one comes too late.
    let now = ids::now().and_utc().timestamp();
    let (failed, paid) = (provider.charge(&means, false, now - 60), provider.charge(&means, true, now));
    let (failed, paid) = (provider.event("charge.failed", &failed), provider.event("charge.succeeded", &paid));
    assert_eq!(deliver(&world, &paid).await, 200);
    assert_eq!(deliver(&world, &failed).await, 200);
    assert_eq!(stored(&world).failed_at, None);
    let before = dump(&world);
    let unknown = provider.event("radar.something_new", "xyz_1");
    let foreign = provider.event("payment_method.updated", "pm_of_somebody_else");
    assert_eq!((deliver(&world, &unknown).await, deliver(&world, &foreign).await), (200, 200));
    let changed: Vec<String> = dump(&world).difference(&before).cloned().collect();
    assert!(changed.iter().all(|row| row.starts_with("provider_events")), "{changed:#?}");
}

#[actix_web::test]
async fn a_provider_that_does_not_answer_is_asked_again_at_the_next_delivery() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    card(&provider, &world, &mut admin).await;
    let means = stored(&world).provider_id;
    provider.books().objects.get_mut(&means).expect("the card")["card"]["exp_year"] = json!(2041);
    let body = provider.event("payment_method.updated", &means);
    provider.fail(&[Fault::Broken, Fault::LostBefore]);
    assert_eq!(deliver(&world, &body).await, 503);
    assert_eq!(stored(&world).expiry_words(), "12/2034");
    assert_eq!(deliver(&world, &body).await, 200);
    assert_eq!(stored(&world).expiry_words(), "12/2041");
}

#[actix_web::test]
async fn a_failed_charge_begins_a_grace_period_and_everybody_is_told() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    card(&provider, &world, &mut admin).await;
    empty(&world);
    let means = stored(&world).provider_id;
    let now = ids::now().and_utc().timestamp();
    let failed = provider.charge(&means, false, now);
    assert_eq!(deliver(&world, &provider.event("charge.failed", &failed)).await, 200);
    let until = stored(&world).pays_until;
    assert!(until > ids::now() + Duration::days(13) && until < ids::now() + Duration::days(15));
    let told = letters(&world);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].to.as_str(), told[0].kind), ("pay@acme.example", mail::Kind::PaymentNotice));
    for account in ["acme", "Lab"] {
        admin.get(&world.path(account, "dashboard")).await;
        assert!(admin.page.text().contains("failed. Nothing stops before"), "{}", admin.page);
    }
    assert!(world.read(|db| Ok(billing::payer(db, world.key("Lab"))?.pays())).expect("the payer"));
    world.sql("UPDATE payment_methods SET pays_until = '2026-01-01 00:00:00'");
    assert!(!world.read(|db| Ok(billing::payer(db, world.key("Lab"))?.pays())).expect("the payer"));
    admin.get(&world.path("Lab", "readiness")).await;
    assert!(admin.page.text().contains("Replace the payment method that failed or expired"), "{}", admin.page);
    admin.get(&world.path("acme", "readiness")).await;
    assert!(admin.page.text().contains("Replace the payment method that failed or expired"), "{}", admin.page);
    let paid = provider.charge(&means, true, now + 60);
    assert_eq!(deliver(&world, &provider.event("charge.succeeded", &paid)).await, 200);
    assert!(world.read(|db| Ok(billing::payer(db, world.key("Lab"))?.pays())).expect("the payer"));
}

async fn run(world: &World) -> Result<Sums, Failure> {
    reconcile(&world.pool, &world.parts.payments, world.config.payments.grace_days, |_, _| ()).await
}

#[actix_web::test]
async fn reconciling_finds_everything_that_was_missed_and_changes_nothing_twice() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    card(&provider, &world, &mut admin).await;
    let means = stored(&world).provider_id;
    provider.books().objects.get_mut(&means).expect("the card")["card"]["exp_year"] = json!(2045);
    let now = ids::now().and_utc().timestamp();
    for n in 0..5 {
        let charge = provider.charge(&means, n == 4, now + n);
        provider.event(if n == 4 { "charge.succeeded" } else { "charge.failed" }, &charge);
    }
    choose_for(&mut admin, &world, &provider).await;
    let sums = run(&world).await.expect("it runs");
    assert_eq!((sums.notices, sums.missed, sums.setups, sums.methods), (5, 5, 1, 2));
    assert_eq!((stored(&world).expiry_words().as_str(), stored(&world).failed_at), ("12/2045", None));
    let lab = world.read(|db| billing::own(db, world.key("Lab"))).expect("the method").expect("verified by now");
    assert!(lab.verified && lab.stored.last_four == "6789");
    let before = dump_everything(&world);
    let again = run(&world).await.expect("it runs");
    assert_eq!((again.notices, again.missed, again.setups), (5, 0, 0));
    assert_eq!(before, dump_everything(&world));
    world.assert_sound();
}

/// Lab begins to enter a bank account, which is verified at the provider's own page.
async fn choose_for(admin: &mut Browser, world: &World, provider: &FakeProvider) {
    choose(admin, world, "Lab", BANK).await;
    let intent = provider.last("setup_intent");
    provider.enter(&intent, BANK_ACCOUNT);
    provider.approve(&intent);
}
