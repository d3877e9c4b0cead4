//! The address that people sign in with: a new one holds once its owner opened the link, a taken one is told to nobody,
//! and whoever signs up shows that mail arrives.

use crate::browser::Browser;
use crate::mailbox::{letters, letters_to, path};
use crate::reset::{admin, subjects, world};
use crate::world::{PASSWORD, World, email};

#[actix_web::test]
async fn a_new_address_holds_once_its_owner_opened_the_link_while_signed_in() {
    let world = world();
    let mut signed_in = world.browser(&admin()).await;
    signed_in.get("/profile").await;
    signed_in.click("Change email address").await;
    signed_in.submit("Send the link", &[("New email", "new@example.com"), ("Current password", "wrong")]).await;
    assert_eq!(signed_in.page.error("Current password"), "This is not your current password");
    signed_in.submit("Send the link", &[("New email", "new@example.com"), ("Current password", PASSWORD)]).await;
    assert!(signed_in.page.flash().contains("A mail to new@example.com is kept"), "{}", signed_in.page);
    assert!(signed_in.page.text().contains("A change to new@example.com waits"), "{}", signed_in.page);
    let posted = letters(&world);
    assert_eq!(subjects(&posted), ["Confirm your new email address", "Your email address is about to change"]);
    assert_eq!((posted[0].to.as_str(), posted[1].to.as_str()), ("new@example.com", &*email(&admin())));
    let link = path(&posted[0]);
    // Somebody else who gets the mail, of a mistyped address, gets nothing by it.
    world.person("eve");
    let mut eve = world.browser("eve").await;
    assert_eq!(eve.get(&link).await.status, 410);
    let mut elsewhere = Browser::new(&world.console().await);
    assert_eq!(elsewhere.get(&link).await.heading(), "Sign in");
    elsewhere.sign_in(&email(&admin()), PASSWORD).await;
    elsewhere.submit("Confirm email address", &[]).await;
    assert!(elsewhere.page.flash().starts_with("Your email address is changed."), "{}", elsewhere.page);
    assert_eq!(letters_to(&world, &admin()).last().expect("a letter").subject, "Your email address was changed");
    let mut browser = Browser::new(&world.console().await);
    browser.sign_in(&email(&admin()), PASSWORD).await;
    assert_eq!(browser.page.status, 422);
    browser.sign_in("new@example.com", PASSWORD).await;
    assert_eq!(browser.page.status, 200);
}

#[actix_web::test]
async fn a_taken_address_is_not_told_to_the_one_who_wants_it() {
    let world = world();
    world.person("paul");
    let mut pages = Vec::new();
    for wanted in [email("free"), email("paul")] {
        let mut signed_in = world.browser(&admin()).await;
        signed_in.get("/profile/email").await;
        signed_in.submit("Send the link", &[("New email", &wanted), ("Current password", PASSWORD)]).await;
        assert!(signed_in.page.flash().contains(&wanted), "{}", signed_in.page);
        signed_in.submit("Sign out", &[]).await;
        pages.push(signed_in.page.text());
    }
    assert_eq!(pages[0], pages[1]);
    let [letter] = &letters_to(&world, "paul")[..] else { panic!("one letter") };
    assert_eq!(letter.subject, "Somebody entered your email address");
    assert_eq!(path(letter), "/sign-in");
}

#[actix_web::test]
async fn who_signs_up_shows_that_mail_arrives() {
    let world = World::new();
    world.account("acme");
    let mut signed_in = world.browser(&admin()).await;
    assert!(signed_in.get("/profile").await.text().contains("Not confirmed yet"), "{}", signed_in.page);
    let first = path(&letters_to(&world, &admin())[0]);
    signed_in.submit(&format!("Send the confirmation again to {}", email(&admin())), &[]).await;
    let second = path(&letters_to(&world, &admin())[1]);
    // Opened anywhere, and by machines, without effect; the button has one.
    let mut anywhere = Browser::new(&world.console().await);
    assert_eq!(anywhere.get(&first).await.status, 410);
    anywhere.get(&second).await;
    assert!(signed_in.get("/profile").await.text().contains("Not confirmed yet"), "{}", signed_in.page);
    anywhere.submit("Confirm email address", &[]).await;
    assert!(anywhere.page.flash().starts_with("Your email address is confirmed."), "{}", anywhere.page);
    assert!(!signed_in.get("/profile").await.text().contains("Not confirmed yet"), "{}", signed_in.page);
    assert_eq!(anywhere.get(&second).await.status, 410);
}
