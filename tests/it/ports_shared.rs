//! A port that is offered to the accounts below, from both sides: what each is shown, what keeps the offer from being
//! taken back, caps, and that the database refuses what the rules forbid (T3).

use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;
use subtenant::access::Scope;
use subtenant::ids;
use subtenant::ports::choices;
use subtenant::problem::{Problem, Reason};
use subtenant::store::schema::ports as rows;

use crate::page::without_random;
use crate::wired::{key, line, offered, port};
use crate::world::World;

/// `msp` with an offered port, below it `north` with `shop` below that, and `south`.
fn world() -> (World, String) {
    let world = World::new();
    let msp = world.account("msp");
    msp.child("north").child("shop");
    msp.child("south");
    let id = offered(&world, "msp", "Shared uplink", 1000);
    (world, id)
}

#[actix_web::test]
async fn an_offer_in_use_cannot_be_taken_back_and_says_by_whom_it_is_used() {
    let (world, id) = world();
    line(&world, "shop", &id, "Till 1", 100, 200).expect("it is offered");
    let mut admin = world.browser("admin-of-msp").await;
    admin.get(&world.path("msp", &format!("ports/{id}"))).await;
    assert_eq!(admin.page.row("Till 1")[1..4], ["shopnorth", "100", "200 Mbit/s"]);
    assert!(admin.page.text().contains("200 Mbit/s of 1 Gbit/s used, 800 Mbit/s left"), "{}", admin.page);
    admin.click("Sharing…").await;
    admin.submit("Save", &[("Available to child accounts", "no")]).await;
    assert_eq!(admin.page.heading(), "Stop offering Shared uplink to child accounts?");
    assert!(admin.page.text().contains("PORT_CHILD_ACCOUNT_FLAG_IN_USE"), "{}", admin.page);
    assert_eq!(admin.page.row("Till 1")[1], "shopnorth");
    assert!(!admin.page.has_button("Stop offering Shared uplink"));
    // Forged all the same.
    let mut form = admin.page.form("Stop new use");
    form.set("act", "withdraw");
    let answer = admin.post(&form.action, &form.pairs()).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    admin.submit("Stop new use", &[]).await;
    assert!(admin.page.flash().starts_with("Nothing new begins on the port from"), "{}", admin.page);
    let refused = line(&world, "south", &id, "Late", 101, 100);
    assert!(matches!(refused, Err(Problem::Conflict(Reason::PortNotAvailable))), "{refused:?}");
    let mut north = world.browser("admin-of-msp").await;
    north.get(&world.path("shop", &format!("ports/{id}"))).await;
    assert!(north.page.text().contains("Nothing new begins on this port"), "{}", north.page);
    assert_eq!(north.get(&world.path("south", &format!("ports/{id}"))).await.status, 404, "it never used it");
    // Undone.
    admin.click("Sharing…").await;
    admin.submit("Save", &[("Nothing new from", "")]).await;
    assert_eq!(admin.page.flash(), "All accounts below may use the port now.");
    line(&world, "south", &id, "Early", 101, 100).expect("it is offered again");
}

#[actix_web::test]
async fn an_offer_that_nobody_uses_is_taken_back_after_a_question() {
    let (world, id) = world();
    let mut admin = world.browser("admin-of-msp").await;
    let sharing = world.path("msp", &format!("ports/{id}/sharing"));
    admin.get(&sharing).await;
    admin.submit("Save", &[("Nothing new from", "2020-01-01")]).await;
    assert_eq!(admin.page.error("Nothing new from"), "Enter today or a later day, such as 2027-01-31");
    admin.get(&sharing).await;
    admin.submit("Save", &[("Available to child accounts", "no")]).await;
    let mut late = admin.clone();
    admin.submit("Stop offering Shared uplink", &[]).await;
    assert_eq!(admin.page.flash(), "The port is not offered to accounts below any more.");
    late.submit("Stop offering Shared uplink", &[]).await;
    assert_eq!(late.page.flash(), admin.page.flash(), "the same form again has the same answer");
    assert_eq!(admin.get(&world.path("north", &format!("ports/{id}"))).await.status, 404);
    admin.get(&sharing).await;
    let mut stale = admin.clone();
    stale.get(&sharing).await;
    admin.submit("Save", &[("Available to child accounts", "yes")]).await;
    stale.submit("Save", &[("Available to child accounts", "yes")]).await;
    assert_eq!(stale.page.status, 409);
    assert_eq!(stale.page.row("Available to child accounts")[1..], ["Yes", "Yes"]);
}

#[actix_web::test]
async fn an_account_below_sees_what_it_may_use_and_nothing_of_the_others() {
    let (world, id) = world();
    line(&world, "south", &id, "Warehouse", 7, 300).expect("it fits");
    line(&world, "north", &id, "Office", 8, 100).expect("it fits");
    world.account("msp").at("north").member_until("nora", "Network operator", Scope::Here, ids::never());
    let mut nora = world.browser("nora").await;
    nora.get(&world.path("north", "ports")).await;
    assert_eq!(nora.page.row("Shared uplink")[1], "Shared by an account above");
    assert!(nora.page.row("Shared uplink")[5].contains("100 Mbit/s used here"), "{}", nora.page);
    nora.click("Shared uplink").await;
    let text = nora.page.text();
    assert!(text.contains("600 Mbit/s") && text.contains("1 to 4094") && text.contains("Office"), "{text}");
    let file = nora.send(nora.request(actix_web::http::Method::GET, &format!("{}/uses.csv", nora.page.path()))).await;
    for text in [text, file.text()] {
        for secret in ["Warehouse", "south", "msp", "fra-ras1", "PP:0113", "300 Mbit/s"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
    for page in ["edit", "sharing", "delete", "letter.pdf", "caps", "retry"] {
        let uri = world.path("north", &format!("ports/{id}/{page}"));
        assert_eq!(nora.get(&uri).await.status, 404, "{page}");
    }
    // The provider's own people know its name.
    let mut admin = world.browser("admin-of-msp").await;
    admin.get(&world.path("north", "ports")).await;
    assert_eq!(admin.page.row("Shared uplink")[1], "Shared by msp");
    admin.get(&format!("{}?whose=own", world.path("north", "ports"))).await;
    assert!(admin.page.text().contains("No port matches"), "{}", admin.page);
}

#[actix_web::test]
async fn a_cap_holds_for_the_whole_branch_and_is_told_to_it() {
    let (world, id) = world();
    let mut admin = world.browser("admin-of-msp").await;
    admin.get(&format!("{}?q=nor", world.path("msp", &format!("ports/{id}/caps")))).await;
    admin.click("Cap north").await;
    admin.submit("Set the cap", &[("Most speed, in Mbit/s", "lots"), ("First VLAN", "10")]).await;
    assert_eq!(admin.page.error("Most speed, in Mbit/s"), "Most speed must be a whole number from 1 to 40000");
    let cap = [("Most speed, in Mbit/s", "300"), ("Most connections", "2"), ("First VLAN", "10"), ("Last VLAN", "20")];
    admin.submit("Set the cap", &cap).await;
    let said = "north is capped: up to 300 Mbit/s, up to 2 connections, VLANs 10 to 20, may be passed on.";
    assert_eq!(admin.page.flash(), said);
    let refused = |account, vlan, speed| match line(&world, account, &id, "x", vlan, speed) {
        Err(Problem::Conflict(Reason::PortCap(why))) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused("shop", 9, 50), "VLANs 10 to 20 may be used here.");
    line(&world, "shop", &id, "Till", 10, 200).expect("it is within the cap");
    assert_eq!(refused("north", 11, 200), "Connections here may have 300 Mbit/s together.");
    line(&world, "north", &id, "Office", 11, 50).expect("it is within the cap");
    assert_eq!(refused("shop", 12, 10), "2 connections may use the port here.");
    line(&world, "south", &id, "Warehouse", 12, 500).expect("south has no cap");
    admin.get(&world.path("msp", &format!("ports/{id}/caps"))).await;
    assert_eq!(admin.page.row("north")[1..5], ["250 Mbit/s of 300 Mbit/s", "2 of 2", "10 to 20", "Yes"]);
    admin.get(&world.path("shop", &format!("ports/{id}"))).await;
    assert!(admin.page.text().contains("10 to 20"), "{}", admin.page);
    let frame = world.grant::<subtenant::access::policy::ReadPorts>("admin-of-msp", "shop").expect("they may");
    let choice = world.read(|db| choices::choice(db, frame.frame(), &id)).expect("it is offered");
    assert_eq!((choice.allowance.free, choice.allowance.connections, choice.own), (50, Some(0), false));
    // Not passed on: shop keeps what it has and does not find the port for anything new.
    admin.get(&world.path("msp", &format!("ports/{id}/caps"))).await;
    admin.click("Edit the cap of north").await;
    let mut stale = admin.clone();
    stale.get(admin.page.path()).await;
    admin.submit("Save the cap", &[("Accounts below it may use the port as well", "no")]).await;
    assert!(world.read(|db| choices::choice(db, frame.frame(), &id)).is_err());
    stale.submit("Save the cap", &[("Most connections", "9")]).await;
    assert_eq!(stale.page.status, 409);
    admin.click("Remove the cap of north").await;
    admin.submit("Remove the cap", &[]).await;
    assert_eq!(admin.page.flash(), "The cap of north is removed.");
    line(&world, "shop", &id, "Till 2", 3000, 100).expect("there is no cap any more");
}

#[actix_web::test]
async fn names_that_may_not_be_seen_are_left_out() {
    let (world, id) = world();
    line(&world, "shop", &id, "Till 1", 100, 200).expect("it is offered");
    world.account("msp").member_until("pete", "Network operator", Scope::Here, ids::never());
    let mut pete = world.browser("pete").await;
    pete.get(&world.path("msp", &format!("ports/{id}/delete"))).await;
    assert_eq!(pete.page.row("A connection")[1..4], ["An account below", "100", "200 Mbit/s"]);
    let text = without_random(&pete.page.text());
    assert!(!text.contains("shop") && !text.contains("Till"), "{}", pete.page);
    pete.get(&format!("{}?q=north", world.path("msp", &format!("ports/{id}/caps")))).await;
    assert!(pete.page.text().contains("No account matches"), "{}", pete.page);
    let north = world.path("msp", &format!("ports/{id}/caps/{}", world.id("north")));
    assert_eq!(pete.get(&north).await.status, 404);
    pete.get(&format!("{}?scope=below", world.path("msp", "ports"))).await;
    assert!(pete.page.text().contains("Your role ends here"), "{}", pete.page);
}

#[actix_web::test]
async fn the_database_itself_refuses_uses_and_caps_across_accounts() {
    let (world, id) = world();
    world.account("other");
    let own = port(&world, "south", "Own", 1000);
    let connection = line(&world, "north", &id, "Office", 8, 100).expect("it fits");
    let (shared, foreign) = (key(&world, &id), key(&world, &own));
    let account = |name: &str| world.key(name);
    let connection: i64 = {
        use subtenant::store::schema::connections;
        let row = connections::table.filter(connections::id.eq(&connection)).select(connections::key);
        world.read(|db| Ok(row.first(db)?)).expect("the connection")
    };
    let used = |port: i64, owner: i64, of: i64| {
        format!(
            "INSERT INTO port_uses (port_key, vlan, port_account_key, connection_key, account_key, side, speed)
             VALUES ({port}, 99, {owner}, {connection}, {of}, 'SECONDARY', 1)"
        )
    };
    let cap = |port: i64, owner: i64, of: i64| {
        format!(
            "INSERT INTO port_caps (port_key, port_account_key, account_key, may_share)
             VALUES ({port}, {owner}, {of}, TRUE)"
        )
    };
    let (msp, north, south, other) = (account("msp"), account("north"), account("south"), account("other"));
    let wrong = [
        // A port of a sibling, of no ancestor, under another owner's name; a connection under another account's.
        used(foreign, south, north),
        used(foreign, msp, north),
        used(shared, msp, south),
        used(shared, south, north),
        cap(shared, msp, other),
        cap(foreign, south, north),
        cap(foreign, msp, north),
        cap(shared, msp, msp),
        format!("UPDATE ports SET used_speed = speed + 1 WHERE key = {shared}"),
        format!("UPDATE ports SET used_speed = -1 WHERE key = {shared}"),
        format!("UPDATE ports SET account_key = {other} WHERE key = {shared}"),
    ];
    for statement in wrong {
        let tried = world.write(|db| subtenant::store::write(db, |db| Ok(diesel::sql_query(&statement).execute(db)?)));
        assert!(tried.is_err(), "{statement} is taken");
    }
    let right = world.write(|db| Ok(diesel::sql_query(used(shared, msp, north)).execute(db)?));
    assert!(right.is_ok(), "{right:?}");
}

#[actix_web::test]
async fn a_day_from_which_nothing_new_begins_lies_in_the_future_until_it_comes() {
    let (world, id) = world();
    let mut admin = world.browser("admin-of-msp").await;
    admin.get(&world.path("msp", &format!("ports/{id}/sharing"))).await;
    let day = (ids::now() + Duration::days(3)).format("%Y-%m-%d").to_string();
    admin.submit("Save", &[("Nothing new from", &day)]).await;
    let row = rows::table.select(rows::no_new_use_from);
    let from: Option<NaiveDateTime> = world.read(|db| Ok(row.first(db)?)).expect("the port");
    assert_eq!(from.map(|from| from.format("%Y-%m-%d").to_string()), Some(day));
    line(&world, "south", &id, "Before", 5, 10).expect("it has not come yet");
    world.sql("UPDATE ports SET no_new_use_from = '2026-01-01 00:00:00'");
    assert!(line(&world, "south", &id, "After", 6, 10).is_err());
}
