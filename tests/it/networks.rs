//! Networks as people meet them: the first one, names, edits, deleting, the list with its filters, scopes and file.

use actix_web::http::Method;

use crate::ordered::{connection, network, network_called, put};
use crate::world::{World, admin_of};

#[actix_web::test]
async fn the_first_network_is_made_from_the_empty_section() {
    let world = World::new();
    world.account("acme");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "dashboard")).await;
    admin.click("Networks").await;
    let tiles = ["Create the first network", "See what you can connect"].map(str::to_owned);
    assert_eq!(admin.page.all(".empty h2"), tiles, "{}", admin.page);
    admin.click("Create Network").await;
    assert_eq!(admin.page.heading(), "Create Network");
    admin.submit("Create Network", &[("Name", ""), ("Tags", "no separator")]).await;
    assert_eq!(admin.page.status, 422);
    assert_eq!(
        admin.page.problems(),
        ["Enter a name", "Write each tag as “name: value” or “name=value”; “no separator” is neither"]
    );
    admin.submit("Create Network", &[("Name", "Backbone"), ("Tags", "region: eu"), ("Description", "All sites")]).await;
    assert_eq!(admin.page.heading(), "Backbone");
    let text = admin.page.text();
    for part in ["Active", "region: eu", "All sites", "Nothing is connected yet", "Add Connection"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    // A name is there once, whatever its case; the unique index says so as well.
    admin.get(&world.path("acme", "networks/new")).await;
    admin.submit("Create Network", &[("Name", "BACKBONE")]).await;
    assert_eq!(admin.page.error("Name"), "Another network of this account has this name");
    let twice = "INSERT INTO networks (key, id, account_key, name, name_key, description, state, created_at)
         SELECT 1, 'network-x', account_key, name, name_key, '', 'ACTIVE', created_at FROM networks";
    assert!(world.write(|db| Ok(diesel::RunQueryDsl::execute(diesel::sql_query(twice), db)?)).is_err());
}

#[actix_web::test]
async fn a_network_is_edited_and_an_old_form_of_it_shows_both_versions() {
    let world = World::new();
    world.account("acme");
    let id = network(&world, "admin-of-acme", "acme", "Backbone");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", &format!("networks/{id}/edit"))).await;
    // Another form, which stands open meanwhile.
    let mut old = admin.clone();
    old.get(&world.path("acme", &format!("networks/{id}/edit"))).await;
    admin.submit("Save", &[("Name", "Core")]).await;
    assert_eq!((admin.page.heading(), admin.page.flash()), ("Core".to_owned(), "Network saved.".to_owned()));
    old.submit("Save", &[("Name", "Spine")]).await;
    assert_eq!(old.page.status, 409);
    assert_eq!(old.page.rows()[0], ["Name", "Core", "Spine"], "{}", old.page);
    assert_eq!(old.page.field("Name"), "Spine");
    old.submit("Save", &[]).await;
    assert_eq!(old.page.heading(), "Spine");
}

#[actix_web::test]
async fn a_network_with_connections_stays_and_one_without_goes() {
    let world = World::new();
    world.account("acme");
    let id = network(&world, "admin-of-acme", "acme", "Backbone");
    let line = connection(&world, "acme", &id, "Tunnel", "FAILED_TO_DELETE");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", &format!("networks/{id}"))).await;
    assert_eq!(admin.page.row("Tunnel")[1..3], ["Failed to delete since 1 Jan 2026, 00:00 UTC", "Site IPsec VPN"]);
    admin.click("Delete…").await;
    assert!(admin.page.text().contains("1 connection must be deleted first."), "{}", admin.page);
    put(&world, &line, "ACTIVE");
    world.sql("UPDATE connections SET state = 'DELETED'");
    admin.get(&world.path("acme", &format!("networks/{id}/delete"))).await;
    assert_eq!(admin.page.heading(), "Delete the network “Backbone”?");
    let mut late = admin.clone();
    late.get(&world.path("acme", &format!("networks/{id}/delete"))).await;
    world.sql("UPDATE connections SET state = 'ACTIVE'");
    late.submit("Delete the network", &[]).await;
    assert_eq!(late.page.status, 409);
    world.sql("UPDATE connections SET state = 'DELETED'");
    admin.submit("Delete the network", &[]).await;
    assert_eq!(admin.page.flash(), "Network deleted.");
    // Its name is free again, and its page is still there to read.
    network(&world, "admin-of-acme", "acme", "Backbone");
    admin.get(&world.path("acme", &format!("networks/{id}"))).await;
    assert!(admin.page.text().contains("Deleted") && admin.page.link("Add Connection").is_none(), "{}", admin.page);
    admin.get(&world.path("acme", &format!("networks/{id}/connections/new"))).await;
    assert_eq!(admin.page.status, 404);
}

#[actix_web::test]
async fn the_list_has_filters_pages_a_file_and_everything_below() {
    let world = World::new();
    world.account("acme").child("sales").child("north");
    let admin = admin_of("acme");
    for n in 0..60 {
        network(&world, &admin, "acme", &format!("Net {n:02}"));
    }
    network(&world, &admin, "north", "Far away");
    let mut browser = world.browser(&admin).await;
    browser.get(&world.path("acme", "networks")).await;
    assert_eq!(browser.page.rows().len(), 50);
    browser.click("Next").await;
    assert_eq!(browser.page.rows().len(), 10);
    browser.click("Previous").await;
    assert_eq!(browser.page.rows().len(), 50);
    browser.get(&world.path("acme", "networks?q=net+0")).await;
    assert_eq!(browser.page.rows().len(), 10);
    browser.click("All below").await;
    assert!(browser.page.text().contains("No network matches"), "{}", browser.page);
    browser.get(&world.path("acme", "networks?scope=below")).await;
    assert_eq!(browser.page.row("Far away")[1], "sales / north");
    let file = browser.send(browser.request(Method::GET, &world.path("acme", "networks.csv?scope=below"))).await;
    let id = network_called(&world, "north", "Far away");
    let lines: Vec<String> = file.text().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[1].contains(&format!("north,sales / north,{id},Far away,ACTIVE,0")), "{}", lines[1]);
    // Who may not look below gets their own, whatever the address says.
    world.account("acme").member_until("hank", "Read only", subtenant::access::Scope::Here, subtenant::ids::never());
    let mut hank = world.browser("hank").await;
    hank.get(&world.path("acme", "networks?scope=below")).await;
    assert!(!hank.page.text().contains("Far away"), "{}", hank.page);
    assert!(hank.page.link("Create Network").is_none(), "{}", hank.page);
}
