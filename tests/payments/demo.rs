//! A demonstration has no provider: its named test methods behave as the provider's test cards do.

use actix_web::web::Data;
use subtenant::payments::{Demo, Payments};

use crate::paying::{BANK, CARD, choose};
use crate::world::World;

#[actix_web::test]
async fn test_methods_are_chosen_by_name_and_behave_as_named() {
    let mut world = World::new();
    world.parts.payments = Data::new(Payments::Demo(Demo::default()));
    world.account("acme").child("Lab");
    let mut admin = world.browser("admin-of-acme").await;
    choose(&mut admin, &world, "acme", CARD).await;
    assert!(admin.page.text().contains("This is a demonstration: nothing is charged."), "{}", admin.page);
    admin.submit("Use this card", &[]).await;
    assert_eq!(admin.page.problems(), ["Choose one of the test methods"]);
    admin.submit("Use this card", &[("Declined card", "yes")]).await;
    assert_eq!(admin.page.problems(), ["Your card was declined."]);
    admin.submit("Use this card", &[("Visa ending 3220, needs 3-D Secure", "yes")]).await;
    admin.submit("Use this card", &[("No, it is not", "yes")]).await;
    assert_eq!(admin.page.problems(), ["The bank could not tell that it is you."]);
    admin.submit("Use this card", &[("Visa ending 3220, needs 3-D Secure", "yes")]).await;
    admin.submit("Use this card", &[("Yes, it is me", "yes")]).await;
    assert!(admin.page.text().contains("Paid by this account: Visa ending 3220"), "{}", admin.page);

    choose(&mut admin, &world, "Lab", BANK).await;
    let permission =
        "I permit drafts from this bank account every month, for what is due, until this payment method is removed";
    let choice = [("Company", "yes"), (permission, "yes"), ("Test bank ending 6789", "yes")];
    admin.submit("Use this bank account", &choice).await;
    assert!(admin.page.text().contains("Paid by acme"), "{}", admin.page);
    admin.click("Verify bank account").await;
    admin.submit("Verify bank account", &[("First amount", "45"), ("Second amount", "32")]).await;
    assert!(admin.page.text().contains("Paid by this account: Test bank ending 6789"), "{}", admin.page);
    world.assert_sound();
}
