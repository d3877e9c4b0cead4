//! What an import says to somebody who does not see everything below its account.

use actix_web::http::Method;
use subtenant::access::Scope;
use subtenant::ids;

use crate::imported::upload;
use crate::importing::run;
use crate::world::World;

#[actix_web::test]
async fn a_run_tells_nothing_of_accounts_that_the_person_does_not_see() {
    let world = World::new();
    world.account("acme").child("lab").member_until("mia", "Account manager", Scope::Here, ids::never());
    world.account("acme").at("lab").child("hidden").child("deep");
    for name in ["hidden", "deep"] {
        world.sql(&format!("UPDATE accounts SET external_reference = '{name}' WHERE name = '{name}'"));
    }
    let mut mia = world.browser("mia").await;
    upload(&mut mia, &world, "lab", "x.csv", "name,external_reference\nOne,hidden\nTwo,deep\n").await;
    mia.submit("Create 2 child accounts", &[]).await;
    run(&world).await;
    let page = mia.click("Refresh").await.clone();
    assert!(page.text().contains("Created2"), "{page}");
    let result = page.link("Result file").expect("a link");
    let result = mia.send(mia.request(Method::GET, &result)).await.text();
    for name in ["hidden", "deep"] {
        let id = world.id(name);
        assert!(!page.body.contains(&id) && !result.contains(&id), "{name} is told: {result}");
    }
    world.assert_sound();
}
