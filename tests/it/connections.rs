//! A connection as people meet it after its order: where it stands and why, what they may do with it in which state, old
//! forms, changes of what the fabric knows, and the list.

use actix_web::http::Method;
use diesel::prelude::*;
use subtenant::connections::{Happening, Told, step, store as rows};
use subtenant::store::schema::connections;
use subtenant::store::{self, Db};

use crate::dump::dump_everything;
use crate::ordered::{connection, network, put, ready, state, stocked};
use crate::world::World;

fn world() -> (World, String, String) {
    let world = stocked();
    world.account("acme").viewer("vera").child("lab");
    ready(&world, "acme");
    let network = network(&world, "admin-of-acme", "acme", "Office");
    let id = connection(&world, "acme", &network, "Tunnel", "ACTIVE");
    (world, network, id)
}

#[actix_web::test]
async fn a_failed_order_says_what_to_do_and_is_tried_again_once_the_gate_is_open() {
    let (world, _, id) = world();
    put(&world, &id, "PROVISIONING");
    let failed = |db: &mut Db| {
        store::write(db, |db| {
            let row = rows::find(db, world.key("acme"), &id)?;
            let told = Told {
                error_code: "INSUFFICIENT_CAPACITY".to_owned(),
                message: "No gateway is free.".to_owned(),
                user: None,
            };
            step(db, &row, Happening::Fail, &told)
        })
    };
    world.write(failed).expect("it fails");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", &format!("connections/{id}"))).await;
    let text = admin.page.text();
    for part in
        ["Failed to provision", "INSUFFICIENT_CAPACITY", "No gateway is free.", "Try again later", "The platform"]
    {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    world.sql("DELETE FROM payment_methods");
    admin.click("Try again…").await;
    assert!(admin.page.text().contains("This account may not provision now."), "{}", admin.page);
    crate::ordered::ready_again(&world, "acme");
    admin.get(&world.path("acme", &format!("connections/{id}/retry"))).await;
    let mut late = admin.clone();
    admin.submit("Try again", &[]).await;
    assert_eq!(
        (state(&world, &id).as_str(), admin.page.flash().as_str()),
        ("WAITING_TO_PROVISION", "The order is tried again.")
    );
    assert!(admin.page.text().contains("admin-of-acme Example"), "{}", admin.page);
    late.submit("Try again", &[]).await;
    assert_eq!(late.page.path(), admin.page.path(), "the same form again is answered alike");
    world.sql(&format!("UPDATE connections SET waits_for = 'NO_PAYMENT_METHOD' WHERE id = '{id}'"));
    admin.get(&world.path("acme", &format!("connections/{id}"))).await;
    assert!(admin.page.link("Nobody pays for this account: a payment method is missing").is_some(), "{}", admin.page);
}

#[actix_web::test]
async fn what_can_be_done_follows_from_the_state_and_the_rights() {
    let (world, _, id) = world();
    let mut admin = world.browser("admin-of-acme").await;
    let mut vera = world.browser("vera").await;
    let all = ["Try again…", "Change settings", "Edit", "Delete…"];
    for (state, offered) in [
        ("INITIALIZING", vec!["Edit", "Delete…"]),
        ("PROVISIONING", vec!["Edit"]),
        ("FAILED_TO_PROVISION", vec!["Try again…", "Edit", "Delete…"]),
        ("ACTIVE", vec!["Change settings", "Edit", "Delete…"]),
        ("DOWN", vec!["Change settings", "Edit", "Delete…"]),
        ("UPDATING", vec!["Edit"]),
        ("FAILED_TO_UPDATE", vec!["Change settings", "Edit", "Delete…"]),
        ("FAILED_TO_DELETE", vec!["Edit", "Delete…"]),
        ("DELETED", vec![]),
    ] {
        put(&world, &id, state);
        let page = admin.get(&world.path("acme", &format!("connections/{id}"))).await;
        let there: Vec<&str> = all.into_iter().filter(|link| page.link(link).is_some()).collect();
        assert_eq!(there, offered, "{state}");
        let page = vera.get(&world.path("acme", &format!("connections/{id}"))).await;
        assert!(all.iter().all(|link| page.link(link).is_none()), "{state}: {page}");
    }
}

#[actix_web::test]
async fn a_change_goes_to_the_fabric_and_a_name_does_not() {
    let (world, _, id) = world();
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", &format!("connections/{id}"))).await;
    admin.click("Edit").await;
    // Another form, which stands open meanwhile.
    let mut old = admin.clone();
    old.get(&world.path("acme", &format!("connections/{id}/edit"))).await;
    admin.submit("Save", &[("Name", "Tunnel to Oslo"), ("Tags", "site: oslo")]).await;
    assert_eq!((admin.page.heading().as_str(), state(&world, &id).as_str()), ("Tunnel to Oslo", "ACTIVE"));
    old.submit("Save", &[("Name", "Mine")]).await;
    assert_eq!(
        (old.page.status.as_u16(), old.page.rows()[0].clone()),
        (409, vec!["Name".to_owned(), "Tunnel to Oslo".to_owned(), "Mine".to_owned()])
    );
    admin.click("Change settings").await;
    let mut old = admin.clone();
    old.get(&world.path("acme", &format!("connections/{id}/settings"))).await;
    admin.submit("Save", &[("Public address of your router", "10.0.0.1")]).await;
    assert!(
        admin.page.error("Public address of your router").contains("is not reached over the internet"),
        "{}",
        admin.page
    );
    let key = ("New pre-shared key", "canary-of-the-change");
    admin.submit("Save", &[("Public address of your router", "203.0.113.77"), key]).await;
    assert_eq!(admin.page.flash(), "Saved. The change is being carried out.", "{}", admin.page);
    assert_eq!(state(&world, &id), "UPDATING");
    assert!(admin.page.text().contains("203.0.113.77"), "{}", admin.page);
    assert!(!dump_everything(&world).iter().any(|line| line.contains("canary-of")));
    let due = connections::table.filter(connections::id.eq(&id)).select(connections::look_at);
    let due: chrono::NaiveDateTime = world.read(|db| Ok(due.first(db)?)).expect("the connection");
    assert!(due <= subtenant::ids::now(), "{due}");
    old.submit("Save", &[("Public address of your router", "203.0.113.78")]).await;
    assert_eq!(
        (old.page.status.as_u16(), old.page.rows()),
        (409, vec![["Public address of your router", "203.0.113.77", "203.0.113.78"].map(str::to_owned).to_vec()])
    );
    assert_eq!(old.page.form("Save").value("router"), "203.0.113.78", "what was typed is there");
    admin.get(&world.path("acme", &format!("connections/{id}/settings"))).await;
    assert!(admin.page.text().contains("It cannot be changed now."), "{}", admin.page);
}

#[actix_web::test]
async fn deleting_says_what_it_does_and_an_old_page_cannot() {
    let (world, _, id) = world();
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", &format!("connections/{id}/delete"))).await;
    assert_eq!(admin.page.heading(), "Delete the connection “Tunnel”?");
    assert!(admin.page.text().contains("It is taken down, and is deleted when that is done."), "{}", admin.page);
    let mut old = admin.clone();
    old.get(&world.path("acme", &format!("connections/{id}/delete"))).await;
    put(&world, &id, "PROVISIONING");
    old.submit("Delete the connection", &[]).await;
    assert_eq!((old.page.status.as_u16(), state(&world, &id).as_str()), (409, "PROVISIONING"));
    put(&world, &id, "ACTIVE");
    admin.get(&world.path("acme", &format!("connections/{id}/delete"))).await;
    admin.submit("Delete the connection", &[]).await;
    assert_eq!(
        (admin.page.flash().as_str(), state(&world, &id).as_str()),
        ("The connection is being deleted.", "DELETING")
    );
}

#[actix_web::test]
async fn the_list_is_filtered_and_covers_what_is_below() {
    let (world, here, id) = world();
    let other = network(&world, "admin-of-acme", "acme", "Plant");
    connection(&world, "acme", &other, "Line", "DOWN");
    let far = network(&world, "admin-of-acme", "lab", "Bench");
    connection(&world, "lab", &far, "Far", "ACTIVE");
    let mut vera = world.browser("vera").await;
    vera.get(&world.path("acme", "connections")).await;
    assert_eq!(vera.page.rows().len(), 2, "{}", vera.page);
    vera.get(&world.path("acme", "connections?state=DOWN")).await;
    assert_eq!(vera.page.row("Line")[2..4], ["Site IPsec VPN", "Plant"]);
    assert_eq!(vera.page.rows().len(), 1);
    vera.get(&world.path("acme", &format!("connections?network={here}"))).await;
    assert_eq!((vera.page.rows().len(), vera.page.row("Tunnel").len()), (1, 6));
    vera.get(&world.path("acme", "connections?kind=PORT&q=x&tag=a:b")).await;
    assert!(vera.page.text().contains("No connection matches"), "{}", vera.page);
    vera.get(&world.path("acme", "connections?scope=below")).await;
    assert_eq!(vera.page.row("Far")[1], "lab");
    let file = vera.send(vera.request(Method::GET, &world.path("acme", "connections.csv"))).await.text();
    assert_eq!(file.lines().count(), 3);
    assert!(file.contains(&format!("{id},Tunnel,SITE_IPSEC_VPN,{here},Office")), "{file}");
}
