//! A card that expires: told in time, each stage once, with a grace period; and the list of those who pay with it.

use chrono::{Duration, NaiveDateTime};
use subtenant::billing::{self, warnings};
use subtenant::ids;

use crate::mailbox::{empty, letters};
use crate::paying::{card, world};
use crate::world::World;

fn sql_time(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

/// The card now ends after this time; the rows about its end move along, as when time passes.
pub fn pass_until(world: &World, left: Duration) {
    let (end, until) = (sql_time(ids::now() + left), sql_time(ids::now() + left + Duration::days(14)));
    world.sql(&format!("UPDATE payment_methods SET expires_at = '{end}', pays_until = '{until}'"));
    world.sql(&format!("UPDATE sent_payment_warnings SET ends_at = '{end}' WHERE days >= 0"));
    world.sql(&format!("UPDATE sent_payment_warnings SET ends_at = '{until}' WHERE days < 0"));
}

async fn look(world: &World) -> Vec<String> {
    warnings::post_due(&world.pool).await.expect("the warnings are posted");
    let posted = letters(world).into_iter().map(|letter| letter.subject).collect();
    empty(world);
    posted
}

#[actix_web::test]
async fn each_stage_is_told_once_and_the_card_pays_through_its_grace_period() {
    let (provider, world) = world();
    let mut admin = world.browser("admin-of-acme").await;
    card(&provider, &world, &mut admin).await;
    empty(&world);
    assert!(look(&world).await.is_empty());
    let stages = [
        (Duration::days(40), None, true),
        (Duration::days(30), Some("A card expires within 30 days: acme"), true),
        (Duration::days(29), None, true),
        (Duration::days(7), Some("A card expires within 7 days: acme"), true),
        (Duration::hours(24), Some("A card expires within a day: acme"), true),
        (Duration::hours(1), None, true),
        (Duration::hours(-1), Some("A card has expired: acme"), true),
        (Duration::days(-13), None, true),
        (Duration::days(-15), Some("A payment method does not pay any more: acme"), false),
        (Duration::days(-16), None, false),
    ];
    for (left, subject, pays) in stages {
        pass_until(&world, left);
        let told = look(&world).await;
        assert_eq!(told, subject.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{left}");
        let paid = world.read(|db| Ok(billing::payer(db, world.key("Lab"))?.pays())).expect("the payer");
        assert_eq!(paid, pays, "{left}");
        let said = if left > Duration::days(30) {
            ""
        } else if left > Duration::zero() {
            "expires soon. Whoever pays has been told."
        } else if pays {
            "has expired. Nothing stops before"
        } else {
            "does not pay any more: new connections are blocked"
        };
        admin.get(&world.path("Lab", "members")).await;
        let text = admin.page.text();
        assert!(text.contains(said), "{left} {text}");
        assert_ne!(text.contains("inherited payment method"), said.is_empty(), "{left} {text}");
    }
    admin.get(&world.path("acme", "billing")).await;
    assert!(admin.page.text().contains("failed or expired: new connections are blocked"), "{}", admin.page);
}

#[actix_web::test]
async fn the_parent_sees_who_pays_with_its_method() {
    let (provider, world) = world();
    let names: Vec<String> = (0..60).map(|n| format!("Customer {n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.account("acme").children(&names).viewer("vera").at("Lab").billing_manager("bill");
    let mut admin = world.browser("admin-of-acme").await;
    card(&provider, &world, &mut admin).await;
    admin.click("Who pays with this method").await;
    assert_eq!(admin.page.heading(), "Who pays with this method");
    assert!(admin.page.text().contains("Visa ending 4242") && admin.page.text().contains("62"), "{}", admin.page);
    let first = admin.page.rows().len();
    assert_eq!(first, 50);
    admin.click("Next").await;
    assert_eq!(admin.page.rows().len(), 12);
    assert!(admin.page.text().contains("Lab"), "{}", admin.page);
    admin.click("Previous").await;
    assert!(admin.page.text().contains("this account"), "{}", admin.page);
    let uri = world.path("acme", "billing/uses.csv");
    let file = admin.send(admin.request(actix_web::http::Method::GET, &uri)).await.text();
    assert_eq!(file.lines().count(), 63, "{file}");
    // Whoever pays below sees nothing of it.
    let mut bill = world.browser("bill").await;
    bill.get(&world.path("acme", "billing/uses")).await;
    assert_eq!(bill.page.status, 404);
}
