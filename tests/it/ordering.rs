//! The way to an order: what stands in its way, one question to a page for each kind, the answers once more, the button
//! once, and what is refused whatever page it comes from.

use diesel::prelude::*;
use subtenant::store::schema::{connections, port_uses};

use crate::browser::Browser;
use crate::dump::dump_everything;
use crate::ordered::{accept, many, network, ready, state, stocked};
use crate::world::{World, admin_of};

async fn begin(world: &World, person: &str, account: &str, network: &str) -> Browser {
    let mut browser = world.browser(person).await;
    browser.get(&world.path(account, &format!("networks/{network}"))).await;
    browser.click("Add Connection").await;
    browser
}

/// A port at the first location of the catalogue that has two.
fn port(world: &World, account: &str, name: &str, offered: bool) -> String {
    let id = if offered {
        crate::wired::offered(world, account, name, 1000)
    } else {
        crate::wired::port(world, account, name, 1000)
    };
    let facility = "(SELECT key FROM facilities WHERE id = 'us-wdc-a')";
    world.sql(&format!("UPDATE ports SET facility_key = {facility} WHERE id = '{id}'"));
    id
}

async fn answer(browser: &mut Browser, heading: &str, fields: &[(&str, &str)]) {
    assert_eq!(browser.page.heading(), heading, "{}", browser.page);
    browser.submit("Continue", fields).await;
    assert_eq!(browser.page.problems(), Vec::<String>::new(), "{heading}: {}", browser.page);
}

#[actix_web::test]
async fn a_child_orders_over_its_parents_port_once_nothing_stands_in_its_way() {
    let world = stocked();
    world.account("msp").child("customer").administrator("cora");
    ready(&world, "msp");
    let port = port(&world, "msp", "Uplink", true);
    let id = network(&world, &admin_of("msp"), "customer", "Office");
    let cora = begin(&world, "cora", "customer", &id).await;
    let text = cora.page.text();
    for blocker in ["Accept the Master Service Agreement", "Accept the Acceptable Use Policy"] {
        assert!(text.contains(blocker), "{blocker} is not in {text}");
    }
    assert!(!cora.page.has_button("Continue"), "{}", cora.page);
    accept(&world, "cora", "customer");
    let mut cora = begin(&world, "cora", "customer", &id).await;
    cora.submit("Continue", &[]).await;
    assert_eq!(
        (cora.page.status.as_u16(), cora.page.problems()),
        (422, vec!["Choose what you want to connect".to_owned()])
    );
    answer(&mut cora, "What do you want to connect?", &[("Port", "yes")]).await;
    assert!(cora.page.text().contains("Shared by an account above"), "{}", cora.page);
    answer(&mut cora, "Over which port?", &[("Uplink", "yes")]).await;
    assert!(!cora.page.text().contains("2 Gbit/s"), "no faster than the port: {}", cora.page);
    answer(&mut cora, "How fast?", &[("100 Mbit/s", "yes")]).await;
    assert_eq!(cora.page.field("VLAN"), "1", "a free one is suggested");
    cora.submit("Continue", &[("VLAN", "4095")]).await;
    assert_eq!(cora.page.error("VLAN"), "A VLAN is a whole number from 1 to 4094");
    answer(&mut cora, "Which VLAN?", &[("VLAN", "42")]).await;
    answer(&mut cora, "How are routes exchanged?", &[("BGP", "yes")]).await;
    cora.submit("Continue", &[("ASN of your side", "23456")]).await;
    assert_eq!(cora.page.error("ASN of your side"), "The ASN 23456 is reserved and cannot be used");
    answer(&mut cora, "What is the ASN of your side?", &[("ASN of your side", "65000")]).await;
    answer(&mut cora, "For how long?", &[("Monthly", "yes")]).await;
    answer(&mut cora, "What shall it be called?", &[("Name", "Head office"), ("Tags", "site: hq")]).await;
    assert_eq!(cora.page.heading(), "Check your answers");
    assert_eq!(many(&world), 0, "nothing is stored half done");
    // Back and change keep the answers.
    cora.click("Change Speed").await;
    answer(&mut cora, "How fast?", &[("200 Mbit/s", "yes")]).await;
    assert_eq!(cora.page.heading(), "Check your answers");
    assert!(cora.page.text().contains("200 Mbit/s") && cora.page.text().contains("Head office"), "{}", cora.page);
    let mut twin = cora.clone();
    cora.submit("Place order", &[]).await;
    assert_eq!(cora.page.flash(), "Order placed. This page shows how it goes on.");
    twin.submit("Place order", &[]).await;
    assert_eq!((many(&world), twin.page.path()), (1, cora.page.path()));
    let text = cora.page.text();
    for part in ["Initializing", "Uplink", "42", "65000", "200 Mbit/s", "cora Example", "site: hq"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let row =
        connections::table.select((connections::id, connections::look_at, connections::kind, connections::settings));
    let (order, look_at, kind, settings): (String, chrono::NaiveDateTime, String, String) =
        world.read(|db| Ok(row.first(db)?)).expect("the order");
    assert!(look_at <= subtenant::ids::now() && kind == "PORT" && settings.contains(&port), "{look_at} {settings}");
    let uses = port_uses::table.select((port_uses::vlan, port_uses::speed));
    assert_eq!(world.read(|db| Ok(uses.load::<(i64, i64)>(db)?)).expect("uses"), [(42, 200)]);
    // Deleted before anything is made, it lets go of its VLAN.
    cora.click("Delete…").await;
    cora.submit("Delete the connection", &[]).await;
    assert_eq!((state(&world, &order).as_str(), cora.page.flash().as_str()), ("DELETED", "Connection deleted."));
    assert_eq!(world.read(|db| Ok(uses.load::<(i64, i64)>(db)?)).expect("uses"), []);
    world.assert_sound();
}

/// Up to the last page of a tunnel.
async fn to_the_check(browser: &mut Browser) {
    answer(browser, "What do you want to connect?", &[("Site IPsec VPN", "yes")]).await;
    answer(browser, "At which location?", &[("Washington, DC", "yes")]).await;
    answer(browser, "One gateway or two?", &[("One gateway", "yes")]).await;
    answer(browser, "How fast?", &[("50 Mbit/s", "yes")]).await;
    answer(browser, "Where is your router?", &[("Public address of your router", "203.0.113.10")]).await;
    answer(browser, "How does traffic find its way?", &[("Policy-based", "yes")]).await;
    let pairs = ("Traffic selectors", "20.2.1.0/24 = 52.92.32.0/22");
    answer(browser, "Which networks may talk to each other?", &[pairs]).await;
    answer(browser, "Which version of IKE?", &[("IKEv2", "yes")]).await;
    answer(browser, "Which parameters for IKE and ESP?", &[]).await;
    answer(browser, "For how long?", &[("Monthly", "yes")]).await;
    answer(browser, "What shall it be called?", &[("Name", "Tunnel")]).await;
    assert_eq!(browser.page.heading(), "Check your answers");
}

#[actix_web::test]
async fn a_tunnel_keeps_its_key_to_itself() {
    let world = stocked();
    world.account("acme");
    ready(&world, "acme");
    let id = network(&world, "admin-of-acme", "acme", "Office");
    let mut admin = begin(&world, "admin-of-acme", "acme", &id).await;
    to_the_check(&mut admin).await;
    let refused = "A pre-shared key has 8 to 64 characters; this has 7";
    admin.submit("Place order", &[("Pre-shared key", "canary1")]).await;
    assert_eq!((admin.page.status.as_u16(), admin.page.problems()), (422, vec![refused.to_owned()]));
    assert_eq!(admin.page.form("Place order").value("pre_shared_key"), "canary1", "what was typed is there");
    assert!(!admin.page.uri.contains("canary"), "{}", admin.page.uri);
    admin.submit("Place order", &[("Pre-shared key", "canary-of-the-tunnel-1")]).await;
    assert!(admin.page.text().contains("One is stored, sealed. It is not shown."), "{}", admin.page);
    assert!(!admin.page.to_string().contains("canary-of"), "{}", admin.page);
    for line in dump_everything(&world) {
        assert!(!line.contains("canary-of"), "{line}");
    }
}

#[actix_web::test]
async fn a_key_that_is_made_is_shown_once() {
    let world = stocked();
    world.account("acme");
    ready(&world, "acme");
    let id = network(&world, "admin-of-acme", "acme", "Office");
    let mut admin = begin(&world, "admin-of-acme", "acme", &id).await;
    to_the_check(&mut admin).await;
    let key = admin.page.form("Place order").value("pre_shared_key").to_owned();
    assert_eq!(key.len(), 32, "{key}");
    admin.submit("Place order", &[]).await;
    assert_eq!(many(&world), 1);
    assert!(!admin.page.to_string().contains(&key), "{}", admin.page);
    assert!(!dump_everything(&world).iter().any(|line| line.contains(&key)));
    // The key that is shown is the one that the fabric gets.
    let stored = world.read(|db| {
        let one: String = connections::table.select(connections::id).first(db)?;
        let connection = subtenant::connections::store::find(db, world.key("acme"), &one)?;
        Ok(subtenant::connections::keys::open(db, &world.parts.vault, &connection)?.0)
    });
    assert_eq!(stored.map(|key| key.map(|key| key.0)).expect("it opens"), Some(key));
}

#[actix_web::test]
async fn each_cloud_is_ordered() {
    let world = stocked();
    world.account("acme");
    ready(&world, "acme");
    let id = network(&world, "admin-of-acme", "acme", "Office");
    let pairing = "7e51371e-72a3-40b5-b844-2e3efefaee59/us-east4/1";
    for (kind, field, wrong, right) in [
        ("AWS Direct Connect", "AWS account id", "12", "248422234000"),
        ("Azure ExpressRoute", "Service key", "12", "e28cea0c-de25-4dce-b7d7-d4776d523d4b"),
        ("Google Cloud Interconnect", "Pairing key", "12", pairing),
        ("Oracle FastConnect", "OCID of the virtual circuit", "12", "ocid1.virtualcircuit.oc1.iad.aaaaaaaak346"),
    ] {
        let mut admin = begin(&world, "admin-of-acme", "acme", &id).await;
        answer(&mut admin, "What do you want to connect?", &[(kind, "yes")]).await;
        // What there is only one way for is not asked; of what is asked the first is taken.
        for _ in 0..12 {
            if admin.page.heading() == "Check your answers" {
                break;
            }
            let form = admin.page.form("Continue");
            let first =
                form.controls.iter().find(|control| control.kind == "radio").map(|control| control.label.clone());
            match first {
                Some(label) => {
                    admin.submit("Continue", &[(&label, "yes")]).await;
                }
                None if admin.page.heading() == "What shall it be called?" => {
                    answer(&mut admin, "What shall it be called?", &[("Name", kind)]).await;
                }
                None => {
                    admin.submit("Continue", &[(field, wrong)]).await;
                    assert_ne!(admin.page.error(field), "", "{}", admin.page);
                    admin.submit("Continue", &[(field, right)]).await;
                }
            }
        }
        admin.submit("Place order", &[]).await;
        assert_eq!(admin.page.flash(), "Order placed. This page shows how it goes on.", "{}", admin.page);
        assert!(admin.page.text().contains(right), "{}", admin.page);
    }
    assert_eq!(many(&world), 4);
}

#[actix_web::test]
async fn an_order_is_refused_when_the_gate_closed_the_vlan_went_or_a_limit_was_set() {
    let world = stocked();
    world.account("acme");
    ready(&world, "acme");
    let id = network(&world, "admin-of-acme", "acme", "Office");
    let mut admin = begin(&world, "admin-of-acme", "acme", &id).await;
    to_the_check(&mut admin).await;
    let ready_page = admin.page.clone();
    world.sql("DELETE FROM payment_methods");
    admin.submit("Place order", &[]).await;
    assert_eq!((admin.page.status.as_u16(), many(&world)), (409, 0));
    assert!(admin.page.text().contains("Add a payment method"), "{}", admin.page);
    admin.page = ready_page;
    let account = world.key("acme");
    world.sql(&format!(
        "INSERT INTO resource_limits (account_key, resource, reach, most, set_at)
         VALUES ({account}, 'CONNECTION', 'ACCOUNT', 0, '2026-01-01 00:00:00')"
    ));
    crate::ordered::ready_again(&world, "acme");
    admin.submit("Place order", &[]).await;
    assert_eq!((admin.page.status.as_u16(), many(&world)), (409, 0), "{}", admin.page);
}
