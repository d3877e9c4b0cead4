//! The forms that need a provider, sent by others and sent twice: what the large suite does with every other form.

use actix_web::http::{Method, header};

use crate::browser::{Browser, FORM, encode};
use crate::dump::{assert_unchanged, dump};
use crate::fake_provider::{BANK_ACCOUNT, VISA};
use crate::notices::stored;
use crate::page::{Form, Page};
use crate::paying::{BANK, CARD, INVOICE, SHARE, card, choose, send, world};
use crate::world::World;

/// Other sites, other sessions and other accounts get nowhere with it.
async fn guarded(world: &World, browser: &Browser, form: &Form) {
    let mut other = world.browser("vera").await;
    other.get("/profile").await;
    let before = dump(world);
    let foreign = other.page.forms()[0].value("_token").to_owned();
    let account = world.id("Lab");
    let bodies = [
        ("_token", foreign.as_str(), "same-origin", 403),
        ("_token", "", "same-origin", 403),
        ("_token", form.value("_token"), "cross-site", 403),
        ("_account", account.as_str(), "same-origin", 400),
    ];
    for (name, value, site, status) in bodies {
        let mut pairs = form.pairs();
        pairs.iter_mut().filter(|(field, _)| field == name).for_each(|(_, old)| *old = value.to_owned());
        let request = browser.request(Method::POST, &form.action);
        let request = request.insert_header((header::CONTENT_TYPE, FORM)).insert_header(("sec-fetch-site", site));
        let answer = browser.console.send(request.set_payload(encode(&pairs))).await;
        assert_eq!(answer.status, status, "{name} {site}: {}", Page::read("", &answer));
    }
    assert_unchanged(&before, world, &form.action);
}

/// Both are answered alike, and the second does nothing.
async fn twice(world: &World, browser: &mut Browser, form: &Form) {
    let first = browser.post(&form.action, &form.pairs()).await;
    assert_eq!(first.status, 303, "{}", Page::read("", &first));
    let before = dump(world);
    let second = browser.post(&form.action, &form.pairs()).await;
    assert_eq!(second.status, 303);
    assert_eq!(first.header("location"), second.header("location"));
    assert_unchanged(&before, world, &form.action);
}

#[actix_web::test]
async fn who_may_add_a_method_cannot_finish_changing_one() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    card(&provider, &world, &mut admin).await;
    let before = stored(&world).provider_id;
    admin.get(&world.path("acme", "billing/edit")).await;
    admin.submit("Save", &[("Enter another card or bank account", "yes")]).await;
    provider.enter(&provider.last("setup_intent"), VISA);
    let mut form = admin.page.form("Use this card");
    form.action = form.action.replace("/edit/", "/new/");
    let answer = admin.post(&form.action, &form.pairs()).await;
    assert_eq!(answer.status, 303);
    assert_eq!(stored(&world).provider_id, before, "the other form needs another right");
    admin.get(&world.path("acme", "billing/new/confirm")).await;
    assert!(admin.page.flash().contains("was begun in another way"), "{}", admin.page);
    admin.get(&world.path("acme", "billing/edit/confirm")).await;
    send(&mut admin, "Use this card").await;
    assert_ne!(stored(&world).provider_id, before);
}

#[actix_web::test]
async fn what_does_something_else_by_now_is_kept_and_asked_about_again() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    choose(&mut admin, &world, "acme", INVOICE).await;
    admin.get(&world.path("acme", "billing/edit")).await;
    admin.submit("Save", &[(CARD, "yes"), (SHARE, "no")]).await;
    admin.submit("Stop sharing this payment method", &[]).await;
    provider.enter(&provider.last("setup_intent"), VISA);
    world.account("acme").child("Shop");
    send(&mut admin, "Use this card").await;
    assert_eq!(admin.page.status, 409, "{}", admin.page);
    assert!(admin.page.text().contains("This changed while you looked at it"), "{}", admin.page);
    let mut other = admin.clone();
    other.get(&world.path("acme", "billing")).await;
    assert!(other.page.text().contains("It was entered, and is not used"), "{}", other.page);
    admin.submit("Stop sharing this payment method", &[]).await;
    assert!(admin.page.text().contains("The payment provider has accepted it."), "{}", admin.page);
    send(&mut admin, "Use this card").await;
    assert_eq!(admin.page.flash(), "Payment method saved.", "{}", admin.page);
    assert_eq!(stored(&world).last_four, "4242");
}

#[actix_web::test]
async fn the_forms_at_the_provider_are_taken_once_and_from_their_own_page_only() {
    let (provider, world) = world();
    world.account("acme").viewer("vera");
    let mut admin = world.browser("admin-of-acme").await;
    choose(&mut admin, &world, "acme", CARD).await;
    provider.enter(&provider.last("setup_intent"), VISA);
    let form = admin.page.form("Use this card");
    guarded(&world, &admin, &form).await;
    admin.get(&world.path("acme", "billing")).await;
    let discard = admin.page.form("Discard");
    guarded(&world, &admin, &discard).await;
    twice(&world, &mut admin, &form).await;

    // Beside a method in force, and beside none.
    admin.get(&world.path("acme", "billing/edit")).await;
    admin.submit("Save", &[(BANK, "yes")]).await;
    admin.get(&world.path("acme", "billing")).await;
    let discard = admin.page.form("Discard");
    guarded(&world, &admin, &discard).await;
    twice(&world, &mut admin, &discard).await;
    choose(&mut admin, &world, "Lab", CARD).await;
    admin.get(&world.path("Lab", "billing")).await;
    let discard = admin.page.form("Discard");
    twice(&world, &mut admin, &discard).await;

    choose(&mut admin, &world, "Lab", BANK).await;
    provider.enter(&provider.last("setup_intent"), BANK_ACCOUNT);
    let permission =
        "I permit drafts from this bank account every month, for what is due, until this payment method is removed";
    admin.submit("Use this bank account", &[("Individual", "yes"), (permission, "yes")]).await;
    admin.click("Verify bank account").await;
    let mut form = admin.page.form("Verify bank account");
    form.fill("First amount", "32");
    form.fill("Second amount", "45");
    twice(&world, &mut admin, &form).await;
    world.assert_sound();
}
