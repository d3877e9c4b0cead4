//! Who can reach an account, and why somebody can or cannot do something in it: the sentences are right for each way in
//! which a role holds, ended or does not, and nothing is told that may not be seen.

use chrono::Duration;
use subtenant::access::Scope;
use subtenant::access::policy::{DeleteAccounts, DeleteMembers};
use subtenant::ids;

use crate::world::{World, admin_of};

/// `acme` > `emea` > `lab`.
fn world() -> World {
    let world = World::new();
    world.account("acme").child("emea").child("lab");
    world
}

fn why(world: &World, account: &str, person: &str, action: &str) -> String {
    format!("{}?action={action}", world.path(account, &format!("members/{}/why", world.person_id(person))))
}

#[actix_web::test]
async fn a_role_given_here_and_one_from_above_are_two_ways() {
    let world = world();
    let acme = world.account("acme");
    acme.operator("ann");
    acme.at("lab").operator("ann");
    acme.at("emea").operator("bob");
    let mut admin = world.browser(&admin_of("acme")).await;
    let page = admin.get(&why(&world, "lab", "ann", "ports:update")).await;
    assert_eq!(page.heading(), "Why can ann Example do this?");
    assert!(page.text().contains("Yes. ann Example can do “Ports: update” in lab, by 2 roles; each alone is enough."));
    assert!(page.text().contains("acme, when the account was made"), "{page}");
    let page = admin.get(&why(&world, "lab", "bob", "ports:update")).await;
    assert!(page.text().contains("Yes. bob Example can do “Ports: update” in lab, by one role."), "{page}");
    assert_eq!(page.all(".way li"), ["emea", "lab"]);
    let page = admin.get(&why(&world, "lab", "bob", "billing:update")).await;
    let text = page.text();
    assert!(text.contains("No. bob Example cannot do “Billing: update” in lab."), "{page}");
    assert!(text.contains("A role that allows it would be needed: Billing manager, Administrator."), "{page}");
    assert!(text.contains("You can give it: open Members."), "{page}");
    assert!(text.contains("It does not allow “Billing: update”."), "{page}");
}

#[actix_web::test]
async fn scopes_and_ends_are_told_from_each_other() {
    let world = world();
    let acme = world.account("acme");
    acme.member_until("here", "Network operator", Scope::Here, ids::never());
    acme.member_until("below", "Network operator", Scope::Below, ids::never());
    acme.at("lab").member_until("over", "Network operator", Scope::HereAndBelow, ids::now() - Duration::days(1));
    let mut admin = world.browser(&admin_of("acme")).await;
    for (account, person, sentence) in [
        ("acme", "here", "Yes. here Example can do “Ports: update” in acme, by one role."),
        ("lab", "here", "No. here Example cannot do “Ports: update” in lab."),
        ("lab", "here", "It holds in acme only, not in the accounts below."),
        ("acme", "below", "No. below Example cannot do “Ports: update” in acme."),
        ("acme", "below", "It holds in the accounts below acme only, not in acme itself."),
        ("lab", "below", "Yes. below Example can do “Ports: update” in lab, by one role."),
        (
            "lab",
            "over",
            "Not any more. over Example cannot do “Ports: update” in lab: the role Network operator, given in lab, ended on",
        ),
        ("lab", "over", "It has ended."),
    ] {
        let page = admin.get(&why(&world, account, person, "ports:update")).await;
        assert!(page.text().contains(sentence), "{sentence}\n{page}");
    }
}

#[actix_web::test]
async fn somebody_removed_is_said_to_be() {
    let world = world();
    world.account("acme").at("lab").operator("ann");
    let by = world.grant::<DeleteMembers>(&admin_of("acme"), "lab").expect("the administrator may");
    let id = world.person_id("ann");
    world.write(|db| subtenant::members::remove(db, &by, &id, None)).expect("ann is removed");
    let mut admin = world.browser(&admin_of("acme")).await;
    let page = admin.get(&why(&world, "lab", "ann", "ports:update")).await;
    let text = page.text();
    assert!(
        text.contains("Not any more. ann Example cannot do “Ports: update” in lab: removed from the members of lab on")
    );
    assert!(text.contains("by admin-of-acme Example"), "{page}");
    assert!(admin.get(&why(&world, "lab", "ann", "")).await.text().contains("can do nothing in lab any more"));
    assert_eq!(admin.get(&why(&world, "emea", "ann", "ports:update")).await.status, 404);
}

#[actix_web::test]
async fn what_may_not_be_seen_is_not_named() {
    let world = world();
    let acme = world.account("acme");
    acme.operator("ann");
    acme.member_until("only-acme", "Administrator", Scope::Here, ids::never());
    acme.at("lab").account_manager("mia").operator("nobody");
    let mut mia = world.browser("mia").await;
    let page = mia.get(&why(&world, "lab", "ann", "ports:update")).await;
    let text = page.text();
    assert!(text.contains("an account above, by somebody of an account above"), "{page}");
    assert_eq!(page.all(".way li"), ["restricted", "restricted", "lab"]);
    assert!(!text.contains("acme") && !text.contains("emea"), "{page}");
    let reach = mia.get(&world.path("lab", "reach")).await;
    assert_eq!(reach.row("ann")[2], "Network operator, from an account above, and all below");
    assert!(!reach.text().contains("only-acme"), "{reach}");
    // Who has nothing to do with the account is answered like nobody.
    world.account("elsewhere");
    for stranger in ["only-acme", "admin-of-elsewhere"] {
        assert_eq!(mia.get(&why(&world, "lab", stranger, "")).await.status, 404);
    }
    let mut nobody = world.browser("nobody").await;
    assert_eq!(nobody.get(&why(&world, "lab", "ann", "")).await.status, 403);
    assert_eq!(nobody.get(&world.path("lab", "reach")).await.status, 403);
}

#[actix_web::test]
async fn everybody_can_ask_about_themselves() {
    let world = world();
    world.account("acme").at("lab").operator("ann");
    let mut ann = world.browser("ann").await;
    let page = ann.get(&world.path("lab", "your-roles")).await;
    assert_eq!(page.heading(), "Your roles here");
    assert!(page.text().contains("In lab you can: see, add, change and remove networks and ports."), "{page}");
    assert!(page.has_button("Explain"));
    let page = ann.get(&format!("{}?action=billing:read", world.path("lab", "your-roles"))).await;
    assert!(page.text().contains("No. You cannot do “Billing: read” in lab."), "{page}");
    assert!(page.text().contains("Nobody whom you can see may give it. Ask the account above."), "{page}");
}

#[actix_web::test]
async fn people_come_strongest_first_with_all_their_ways() {
    let world = world();
    let acme = world.account("acme");
    acme.viewer("vera").operator("olga");
    acme.at("emea").account_manager("mia");
    acme.at("lab").operator("vera").member_until("tim", "Read only", Scope::Here, ids::now() + Duration::days(9));
    let mut admin = world.browser(&admin_of("acme")).await;
    let page = admin.get(&world.path("lab", "reach")).await;
    let names: Vec<String> =
        page.rows().iter().map(|row| row[0].split(' ').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(names, ["admin-of-acme", "mia", "olga", "tim", "vera"]);
    assert_eq!(page.row("vera")[1], "see everything; add, change and remove networks and ports");
    assert!(page.row("vera")[2].contains("Network operator, from this account, and all below"), "{page}");
    assert!(page.row("vera")[2].contains("Read only, from acme, and all below"), "{page}");
    for (query, people) in [
        ("power=members:update", "admin-of-acme mia"),
        ("given=here", "tim vera"),
        ("given=above&q=VER", "vera"),
        ("ends=soon", "tim"),
        ("power=all:all", "admin-of-acme"),
        ("q=tim@exa", "tim"),
        ("q=nobody", ""),
    ] {
        let page = admin.get(&format!("{}?{query}", world.path("lab", "reach"))).await;
        let rows = page.rows();
        let names: Vec<&str> = rows.iter().map(|row| row[0].split(' ').next().unwrap_or_default()).collect();
        assert_eq!(names.join(" "), people, "{query}");
    }
    let file = admin.send(admin.request(actix_web::http::Method::GET, &world.path("lab", "reach.csv"))).await.text();
    assert_eq!(file.lines().count(), 7, "{file}");
    assert!(file.contains("vera Example,vera@example.com"), "{file}");
}

#[actix_web::test]
async fn many_people_are_paged_without_loss() {
    let world = world();
    for n in 0..120 {
        world
            .account("acme")
            .at("lab")
            .member(&format!("p{n:03}"), if n % 3 == 0 { "Read only" } else { "Billing manager" });
    }
    let mut admin = world.browser(&admin_of("acme")).await;
    let mut seen = Vec::new();
    let mut page = admin.get(&world.path("lab", "reach")).await.clone();
    loop {
        seen.extend(page.rows().into_iter().map(|row| row[0].clone()));
        let Some(next) = page.link("Next") else { break };
        page = admin.get(&next).await.clone();
    }
    assert_eq!(seen.len(), 121);
    let weakest_last =
        seen.iter().rposition(|name| name.starts_with("p000")) < seen.iter().position(|name| name.starts_with("p001"));
    assert!(weakest_last, "{seen:?}");
    let back = page.link("Previous").expect("a page before the last");
    let before: Vec<String> = admin.get(&back).await.rows().into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(before, seen[50..100]);
}

#[actix_web::test]
async fn a_closed_account_is_explained_to_nobody() {
    let world = world();
    world.account("acme").at("lab").operator("ann");
    let mut admin = world.browser(&admin_of("acme")).await;
    let address = why(&world, "lab", "ann", "ports:update");
    assert_eq!(admin.get(&address).await.status, 200);
    let by = world.grant::<DeleteAccounts>(&admin_of("acme"), "lab").expect("the administrator may");
    world.write(|db| subtenant::accounts::close(db, &by, by.account().version)).expect("lab is closed");
    for section in ["reach", "chain", "your-roles", "reach.csv", "chain.svg"] {
        assert_eq!(admin.get(&world.path("lab", section)).await.status, 404, "{section}");
    }
    assert_eq!(admin.get(&address).await.status, 404);
}
