//! Where people land and what they can switch to when they are members of customers and not of the provider above, of
//! everything below it but not of itself, or of nothing. And what a role that holds in one account only is not told
//! about the accounts below.

use actix_web::http::StatusCode;
use subtenant::access::Scope;
use subtenant::access::policy::CreateBilling;
use subtenant::{billing, ids};

use crate::money::invoice;
use crate::page::Page;
use crate::world::{World, admin_of};

/// `msp` with three customers of which `tess` is a member, and one of which she is not.
fn provider() -> World {
    let world = World::new();
    let msp = world.account("msp");
    msp.child("customers").children(&["alpha", "beta", "gamma", "other"]);
    for customer in ["gamma", "alpha", "beta"] {
        msp.at(customer).operator("tess");
    }
    world
}

fn offered(page: &Page) -> Vec<String> {
    page.all(".hits b")
}

#[actix_web::test]
async fn a_technician_of_three_customers_finds_them_and_nothing_else() {
    let world = provider();
    let mut tess = world.browser("tess").await;
    assert_eq!(tess.get("/").await.path(), world.path("alpha", "dashboard"));
    assert_eq!(tess.page.breadcrumb(), ["restricted", "restricted", "alpha"]);
    let page = tess.get(&world.path("alpha", "switch")).await;
    assert_eq!(offered(page), ["alpha", "beta", "gamma"]);
    let page = tess.get(&format!("{}?q=a", world.path("alpha", "switch"))).await;
    assert_eq!(offered(page), ["alpha", "beta", "gamma"]);
    for closed in ["msp", "customers", "other"] {
        assert_eq!(tess.get(&world.path(closed, "dashboard")).await.status, StatusCode::NOT_FOUND, "{closed}");
    }
    let names = tess.get(&world.path("alpha", "chain")).await.text();
    assert!(!names.contains("msp") && !names.contains("customers"), "{names}");
    // The last one used is home from then on.
    tess.get(&world.path("gamma", "dashboard")).await;
    assert_eq!(tess.get("/").await.path(), world.path("gamma", "dashboard"));
}

#[actix_web::test]
async fn who_is_a_member_of_all_below_only_lands_below() {
    let world = provider();
    world.account("msp").at("customers").member_until("bo", "Network operator", Scope::Below, ids::never());
    let mut bo = world.browser("bo").await;
    assert_eq!(bo.page.path(), world.path("alpha", "dashboard"));
    let page = bo.get(&world.path("beta", "switch")).await;
    assert_eq!(offered(page), ["beta", "alpha", "gamma", "other"]);
    assert_eq!(bo.get(&world.path("customers", "dashboard")).await.status, StatusCode::NOT_FOUND);
    // What ends takes the home with it.
    world.sql(&format!(
        "UPDATE assignments SET ends_at = '2026-01-01 00:00:00' WHERE user_key = {}",
        world.person("bo")
    ));
    let page = bo.get("/").await;
    assert_eq!((page.path(), page.all(".empty h2")), ("/", vec!["You are a member of no account yet".to_owned()]));
}

#[actix_web::test]
async fn who_is_a_member_of_nothing_is_told_how_to_become_one() {
    let world = World::new();
    let mut nobody = world.browser("nobody").await;
    let page = nobody.page.clone();
    assert!(page.text().contains("can invite you at nobody@example.com"), "{page}");
    assert_eq!(nobody.click("Your profile").await.status, StatusCode::OK);
}

#[actix_web::test]
async fn a_role_for_one_account_learns_nothing_of_those_below() {
    let world = World::new();
    let acme = world.account("acme");
    acme.child("hub").children(&["north", "south"]);
    acme.at("hub").member_until("hank", "Administrator", Scope::Here, ids::never());
    let by = world.grant::<CreateBilling>(&admin_of("acme"), "hub").expect("the administrator may");
    world.write(|db| billing::add(db, &by, &invoice("hub", true), "")).expect("a payment method");
    let mut hank = world.browser("hank").await;
    for section in ["settings", "settings/close", "billing", "billing/edit", "billing/remove", "dashboard", "chain"] {
        let page = hank.get(&world.path("hub", section)).await;
        assert_eq!(page.status, StatusCode::OK, "{section}");
        for told in ["2 child", "2 accounts", "north", "south"] {
            let text = page.text().replace("all accounts below", "").replace("all below", "");
            let text = text.replace("Accounts below", "").replace(&page.uri, "");
            assert!(!text.contains(told), "{section} tells “{told}”\n{page}");
        }
    }
    let refused = hank.get(&world.path("hub", "settings/close")).await;
    assert!(refused.text().contains("What is directly below it must be closed first."), "{refused}");
    let page = hank.get(&world.path("hub", "billing/remove")).await;
    assert!(
        page.text().contains("Accounts below that use it lose their payer; your role does not show them."),
        "{page}"
    );
    // A name that is taken below is not told from one that is free.
    hank.get(&world.path("hub", "child-accounts/new")).await;
    let page = hank
        .submit(
            "Save",
            &[("Name", "north"), ("Leave for the child account's administrator to review and accept", "yes")],
        )
        .await;
    assert!(!page.text().contains("already"), "{page}");
    let admin = world.browser(&admin_of("acme")).await.get(&world.path("hub", "settings")).await.text();
    assert!(admin.contains("3 child accounts"), "{admin}");
}
