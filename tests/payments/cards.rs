//! Cards: entered with the provider, believed only when the provider says so, beside the method in force until they
//! work; and what happens when the provider refuses, breaks, or loses an answer.

use subtenant::billing;

use crate::dump::dump_everything;
use crate::fake_provider::{ASKS_HOLDER, DECLINED, Fault, VISA, WEBHOOK_SECRET};
use crate::paying::{CARD, ENTRIES, INVOICE, card, choose, logged, send, world};

#[actix_web::test]
async fn a_card_is_entered_with_the_provider_and_pays_for_everything_below() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    choose(&mut admin, &world, "acme", CARD).await;
    assert_eq!(admin.page.heading(), "Enter a card");
    let uri = world.path("acme", "billing/new/confirm");
    let answer = admin.send(admin.request(actix_web::http::Method::GET, &uri)).await;
    let policy = answer.header("content-security-policy").to_owned();
    assert!(policy.contains(&format!("script-src 'self' {}", provider.url)), "{policy}");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(answer.text().contains("pk_test_12345") && !answer.text().contains("sk_test"), "{}", answer.text());
    let elsewhere = admin.send(admin.request(actix_web::http::Method::GET, &world.path("acme", "billing"))).await;
    assert!(!elsewhere.header("content-security-policy").contains(&provider.url));

    provider.enter(&provider.last("setup_intent"), VISA);
    send(&mut admin, "Use this card").await;
    assert_eq!(admin.page.flash(), "Payment method saved.", "{}", admin.page);
    assert!(admin.page.text().contains("Paid by this account: Visa ending 4242"), "{}", admin.page);
    assert!(admin.page.text().contains("12/2034"), "{}", admin.page);
    admin.get(&world.path("Lab", "billing")).await;
    assert!(admin.page.text().contains("inherited billing details from acme"), "{}", admin.page);
    assert!(!admin.page.text().contains("4242"), "{}", admin.page);
    let everything = dump_everything(&world).into_iter().collect::<Vec<_>>().join("\n");
    for secret in [VISA, "sk_test_12345", "_secret_"] {
        assert!(!everything.contains(secret), "{secret} is in the database");
    }
}

#[actix_web::test]
async fn the_method_in_force_stays_until_the_new_one_works() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    choose(&mut admin, &world, "acme", INVOICE).await;
    admin.get(&world.path("acme", "billing/edit")).await;
    admin.submit("Save", &[(CARD, "yes")]).await;
    assert_eq!(admin.page.heading(), "Enter a card");
    provider.enter(&provider.last("setup_intent"), DECLINED);
    send(&mut admin, "Use this card").await;
    assert_eq!(admin.page.status, 422);
    assert!(admin.page.problems().contains(&"Your card was declined.".to_owned()), "{}", admin.page);
    let form = admin.page.clone();
    admin.get(&world.path("acme", "billing")).await;
    assert!(admin.page.text().contains("Paid by this account: invoice, 30 days"), "{}", admin.page);
    assert!(admin.page.text().contains("Nothing was entered yet."), "{}", admin.page);
    admin.page = form;
    provider.enter(&provider.last("setup_intent"), ASKS_HOLDER);
    send(&mut admin, "Use this card").await;
    assert!(admin.page.text().contains("Your bank has not confirmed that it is you."), "{}", admin.page);
    provider.approve(&provider.last("setup_intent"));
    send(&mut admin, "Use this card").await;
    assert!(admin.page.text().contains("Paid by this account: Visa ending 3184"), "{}", admin.page);
    assert!(!admin.page.text().contains("Not finished"), "{}", admin.page);
}

#[actix_web::test]
async fn the_browser_is_never_believed() {
    let (provider, world) = world();
    world.account("other");
    let mut admin = world.browser("admin-of-acme").await;
    let mut thief = world.browser("admin-of-other").await;
    choose(&mut admin, &world, "acme", CARD).await;
    let foreign = provider.last("setup_intent");
    provider.enter(&foreign, VISA);
    choose(&mut thief, &world, "other", CARD).await;
    let own = provider.last("setup_intent");
    // Nothing was entered, whatever the form says.
    send(&mut thief, "Use this card").await;
    assert_eq!(thief.page.status, 422);
    let mut form = thief.page.form("Use this card");
    form.set("intent", &foreign);
    let answer = thief.post(&form.action, &form.pairs()).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("These entries belong to another attempt."), "{}", answer.text());
    // Even a provider that mixes them up gives nobody another customer's card.
    let means = provider.last("payment_method");
    provider.books().objects.get_mut(&own).expect("the intent")["payment_method"] = means.into();
    provider.approve(&own);
    thief.get(&world.path("other", "billing/new/confirm")).await;
    assert!(thief.page.text().contains("This attempt is not this account’s."), "{}", thief.page);
    let method = world.read(|db| billing::own(db, world.key("other"))).expect("the method is read");
    assert_eq!(method, None);
    send(&mut admin, "Use this card").await;
    assert_eq!(admin.page.flash(), "Payment method saved.");
}

#[actix_web::test]
async fn a_provider_that_breaks_or_loses_answers_makes_nothing_twice() {
    for faults in
        [[Fault::Broken, Fault::Broken], [Fault::LostBefore, Fault::LostBefore], [Fault::LostAfter, Fault::LostAfter]]
    {
        let (provider, world) = world();
        let mut admin = world.browser("admin-of-acme").await;
        provider.fail(&faults);
        choose(&mut admin, &world, "acme", CARD).await;
        assert!(admin.page.text().contains("The payment provider does not answer."), "{faults:?}: {}", admin.page);
        assert!(!admin.page.text().contains("Paid by this account"), "{}", admin.page);
        // Once more, with the second call losing its answer: the key makes the repetition harmless.
        provider.fail(&[Fault::LostAfter]);
        admin.submit("Try again", &[]).await;
        assert_eq!(admin.page.heading(), "Enter a card");
        assert!(admin.page.has_button("Use this card"), "{faults:?}: {}", admin.page);
        assert_eq!((provider.count("customer"), provider.count("setup_intent")), (1, 1), "{faults:?}");
        provider.enter(&provider.last("setup_intent"), VISA);
        provider.fail(&faults);
        send(&mut admin, "Use this card").await;
        assert!(admin.page.text().contains("The payment provider does not answer."), "{faults:?}: {}", admin.page);
        admin.click("Try again").await;
        send(&mut admin, "Use this card").await;
        assert_eq!(admin.page.flash(), "Payment method saved.", "{faults:?}: {}", admin.page);
        world.assert_sound();
    }
}

#[actix_web::test]
async fn another_card_takes_the_place_of_the_first_which_is_given_back() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    card(&provider, &world, &mut admin).await;
    let first = provider.last("payment_method");
    admin.get(&world.path("acme", "billing/edit")).await;
    admin.submit("Save", &[("City", "Bergen")]).await;
    assert_eq!(admin.page.flash(), "Payment method saved.");
    assert!(admin.page.text().contains("Visa ending 4242") && admin.page.text().contains("Bergen"), "{}", admin.page);
    admin.get(&world.path("acme", "billing/edit")).await;
    admin.submit("Save", &[("Enter another card or bank account", "yes")]).await;
    provider.enter(&provider.last("setup_intent"), "5555555555554444");
    send(&mut admin, "Use this card").await;
    assert!(admin.page.text().contains("ending 4444"), "{}", admin.page);
    assert!(provider.books().objects[&first]["customer"].is_null(), "the first card is detached");
    admin.get(&world.path("acme", "billing/edit")).await;
    admin.submit("Save", &[(INVOICE, "yes")]).await;
    assert!(admin.page.text().contains("Paid by this account: invoice, 30 days"), "{}", admin.page);
    assert!(!admin.page.text().contains("4444"), "{}", admin.page);
    let second = provider.last("payment_method");
    assert!(provider.books().objects[&second]["customer"].is_null(), "the second card is detached");
}

#[actix_web::test]
async fn without_keys_only_invoices_are_offered_and_the_page_says_why() {
    let world = crate::world::World::new();
    world.account("acme");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "billing/new")).await;
    assert!(admin.page.text().contains("not connected to a payment provider"), "{}", admin.page);
    assert!(!admin.page.text().contains(CARD));
    let mut form = admin.page.form("Save");
    for (label, value) in ENTRIES {
        form.fill(label, value);
    }
    let mut pairs = form.pairs();
    pairs.retain(|(name, _)| name != "collectionMethod");
    pairs.push(("collectionMethod".to_owned(), "CREDIT_CARD".to_owned()));
    assert_eq!(admin.post(&form.action, &pairs).await.status, 422);
}

#[actix_web::test]
async fn no_number_and_no_key_reaches_a_log_or_a_page() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    choose(&mut admin, &world, "acme", CARD).await;
    provider.enter(&provider.last("setup_intent"), VISA);
    provider.fail(&[Fault::Broken, Fault::LostAfter]);
    send(&mut admin, "Use this card").await;
    admin.click("Try again").await;
    send(&mut admin, "Use this card").await;
    let mut pages = admin.page.text();
    for section in ["dashboard", "billing", "billing/edit", "audit-log", "billing/uses"] {
        pages.push_str(&admin.get(&world.path("acme", section)).await.text());
    }
    // By this test and by those that ran before it.
    let logged = logged();
    assert!(logged.contains("does not offer its fields"), "the log is read: {logged}");
    for secret in [VISA, "sk_test_12345", WEBHOOK_SECRET, "_secret_x"] {
        assert!(!logged.contains(secret), "{secret} is in the log");
        assert!(!pages.contains(secret), "{secret} is on a page");
    }
}
