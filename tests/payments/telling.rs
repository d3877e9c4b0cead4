//! Everybody whom a failing or ending payment method concerns is told: its billing address at once, then whoever has a
//! role of their own in an account that it pays for and may change its billing, each once.

use chrono::Duration;
use subtenant::access::Scope;
use subtenant::access::policy::CreateBilling;
use subtenant::billing::{self, CollectionMethod, Entries, warnings};
use subtenant::ids;

use crate::ending::pass_until;
use crate::fake_provider::FakeProvider;
use crate::mailbox::{empty, letters, letters_to};
use crate::notices::deliver;
use crate::paying::{card, world};
use crate::world::{World, admin_of, email};

fn own_invoice(world: &World, account: &str) {
    let by = world.grant::<CreateBilling>(&admin_of("acme"), account).expect("the administrator may");
    let entries = Entries {
        collection_method: CollectionMethod::Net30,
        name: account.to_owned(),
        email: "shop@example.com".to_owned(),
        street: "Storgata 1".to_owned(),
        city: "Oslo".to_owned(),
        state: String::new(),
        postal_code: "0155".to_owned(),
        country: "NO".to_owned(),
        allow_child_accounts: true,
    };
    world.write(|db| billing::add(db, &by, &entries, "")).expect("a payment method");
}

/// A charge to the card of `acme` fails, and the provider says so.
async fn fail(provider: &FakeProvider, world: &World) {
    let means = world.read(|db| billing::own(db, world.key("acme"))).expect("read").expect("a method");
    let charge = provider.charge(&means.stored.provider_id, false, ids::now().and_utc().timestamp());
    let body = provider.event("charge.failed", &charge);
    assert_eq!(deliver(world, &body).await, 200);
}

/// What the background work posts now: to whom, and what about.
async fn told(world: &World) -> Vec<(String, String)> {
    empty(world);
    warnings::post_due(&world.pool).await.expect("the warnings are posted");
    let mut all: Vec<_> = letters(world).into_iter().map(|letter| (letter.to, letter.subject)).collect();
    all.sort();
    all
}

fn people(world: &World) {
    let acme = world.account("acme");
    acme.child("Shop").child("Kiosk").billing_manager("kim");
    acme.child("Gone").billing_manager("gus");
    acme.at("Lab").child("Bench").billing_manager("lena");
    acme.at("Lab").billing_manager("lena").billing_manager("boss").viewer("vic");
    acme.at("Lab").member_until("below", "Billing manager", Scope::Below, ids::never());
    acme.member_until("boss", "Read only", Scope::Here, ids::never());
    own_invoice(world, "Shop");
    world.sql(&format!("UPDATE accounts SET closed_at = created_at WHERE key = {}", world.key("Gone")));
}

#[actix_web::test]
async fn a_method_that_fails_is_told_to_everybody_it_concerns_once() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    card(&provider, &world, &mut admin).await;
    people(&world);
    empty(&world);
    fail(&provider, &world).await;
    // The billing address hears of it in the same transaction, the others from the background.
    let at_once = letters(&world);
    assert_eq!(at_once.len(), 1);
    assert_eq!(
        (at_once[0].to.as_str(), at_once[0].subject.as_str()),
        ("pay@acme.example", "A payment method failed: acme")
    );
    warnings::post_due(&world.pool).await.expect("the warnings are posted");
    let to_lena = letters_to(&world, "lena");
    assert_eq!(to_lena.len(), 1);
    assert_eq!(to_lena[0].subject, "The payment method that pays for 2 accounts failed");
    let facts = &to_lena[0].facts;
    assert_eq!(facts[0].1, "an account above");
    assert_eq!(facts[1].1, "Bench and 1 more account");
    assert_eq!(facts[2].0, "Nothing stops before");
    let whole = format!("{:?}", to_lena[0]);
    for secret in ["acme", "Visa", "4242", "12/20", "Shop"] {
        assert!(!whole.contains(secret), "{secret} in {whole}");
    }
    // Whoever may see the account that pays is told which it is.
    let to_boss = letters_to(&world, "boss");
    assert_eq!(to_boss[0].subject, "The payment method that pays for Lab failed");
    assert_eq!(to_boss[0].facts[0].1, "acme");
    assert_eq!(letters(&world).len(), 3, "and nobody else");
    assert_eq!(told(&world).await, [], "once");
    // Every page of those accounts says it, with the day and what to do.
    let mut lena = world.browser("lena").await;
    lena.get(&world.path("Bench", "dashboard")).await;
    assert!(lena.page.text().contains("The inherited payment method of this account failed. Nothing stops before"));
    let add = lena.page.link("Add a payment method of its own").expect("what to do");
    assert_eq!(add, world.path("Bench", "billing/new"));
    let mut vic = world.browser("vic").await;
    vic.get(&world.path("Lab", "members")).await;
    assert!(vic.page.text().contains("failed. Nothing stops before"), "{}", vic.page);
    assert_eq!(vic.page.link("Add a payment method of its own"), None);
    let mut kim = world.browser("kim").await;
    kim.get(&world.path("Kiosk", "dashboard")).await;
    assert!(!kim.page.text().contains("payment method of this account"), "{}", kim.page);
}

#[actix_web::test]
async fn each_stage_of_an_end_is_told_below_once() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    card(&provider, &world, &mut admin).await;
    world.account("acme").at("Lab").billing_manager("lena");
    let lena = email("lena");
    for (left, what) in [
        (Duration::days(40), ""),
        (Duration::days(30), "expires soon"),
        (Duration::days(8), ""),
        (Duration::days(7), "expires soon"),
        (Duration::hours(20), "expires soon"),
        (Duration::hours(-1), "has expired"),
        (Duration::days(-15), "does not pay any more"),
        (Duration::days(-16), ""),
    ] {
        pass_until(&world, left);
        let subjects: Vec<String> =
            told(&world).await.into_iter().filter(|(to, _)| *to == lena).map(|(_, subject)| subject).collect();
        let expected = format!("The payment method that pays for Lab {what}");
        assert_eq!(subjects, if what.is_empty() { vec![] } else { vec![expected] }, "{left}");
    }
    // One that is not offered concerns nobody below.
    world.sql("UPDATE payment_methods SET allow_child_accounts = FALSE");
    world.sql("DELETE FROM sent_payment_warnings");
    assert!(told(&world).await.iter().all(|(to, _)| *to != lena));
}

#[actix_web::test]
async fn two_processes_tell_many_people_once_and_one_that_died_is_gone_on_with() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    card(&provider, &world, &mut admin).await;
    for n in 0..230 {
        world.account("acme").at("Lab").billing_manager(&format!("manager{n}"));
    }
    empty(&world);
    fail(&provider, &world).await;
    empty(&world);
    let (one, two) = tokio::join!(warnings::post_due(&world.pool), warnings::post_due(&world.pool));
    assert_eq!(one.expect("posted") + two.expect("posted"), 230);
    let mut to: Vec<String> = letters(&world).into_iter().map(|letter| letter.to).collect();
    to.sort();
    to.dedup();
    assert_eq!(to.len(), 230);
    // Back to where a process that died would have left it: only the rest are told.
    let half = world.person("manager200");
    world.sql(&format!("UPDATE sent_payment_warnings SET told_below = {half}"));
    let rest = told(&world).await.len();
    assert!(rest > 0 && rest < 100, "{rest}");
    assert_eq!(told(&world).await, []);
}
