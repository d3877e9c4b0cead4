//! Members as people see and change them: own and inherited ones in one list, other roles, ends, removing, leaving.
//! Nobody gives more than they hold or touches somebody who holds more; a root account keeps an administrator; what is
//! taken is gone at the next request.

use chrono::Duration;
use subtenant::access::Scope;
use subtenant::ids;

use crate::world::{World, admin_of};

fn member(world: &World, account: &str, person: &str, act: &str) -> String {
    world.path(account, &format!("members/{}/{act}", world.person_id(person)))
}

/// `acme` with `lab`: Vera reads everything from above, Mara operates the lab, Otto manages the lab's accounts.
fn world() -> World {
    let world = World::new();
    world.account("acme").viewer("vera");
    world.account("acme").child("lab").operator("mara").account_manager("otto");
    world
}

#[actix_web::test]
async fn own_and_inherited_members_are_in_one_list_with_where_their_roles_come_from() {
    let world = world();
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("lab", "members")).await;
    assert_eq!(admin.page.heading(), "Members");
    let mara = admin.page.row("mara");
    assert_eq!(mara[1], "Network operatorThis account and all below");
    assert_eq!((&*mara[2], &*mara[3]), ("", "Active"));
    assert_eq!(admin.page.row("vera")[2], "Read onlyfrom acme");
    assert_eq!(admin.page.rows().len(), 4);
    admin.click("Own").await;
    assert_eq!(admin.page.rows().len(), 2, "{}", admin.page);
    admin.click("Inherited").await;
    assert_eq!(admin.page.rows().len(), 2, "{}", admin.page);
    admin.get(&world.path("lab", "members?show=inherited&q=V%C3%89RA")).await;
    assert_eq!(admin.page.rows().len(), 1, "{}", admin.page);
    // Whoever may not see the account above is not told its name.
    let mut otto = world.browser("otto").await;
    otto.get(&world.path("lab", "members")).await;
    assert_eq!(otto.page.row("vera")[2], "Read onlyfrom an account above");
    assert!(!otto.page.text().contains("acme,"), "{}", otto.page);
    let file = otto.send(otto.request(actix_web::http::Method::GET, &world.path("lab", "members.csv"))).await;
    assert_eq!(file.text().lines().count(), 5);
    assert!(file.text().contains("Read only (from an account above)"), "{}", file.text());
}

#[actix_web::test]
async fn other_roles_hold_at_the_next_request() {
    let world = world();
    let mut admin = world.browser("admin-of-acme").await;
    let mut mara = world.browser("mara").await;
    assert_eq!(mara.get(&world.path("lab", "members")).await.status, 403);
    admin.get(&world.path("lab", "members")).await;
    admin.click("Change mara Example").await;
    assert!(admin.page.text().contains("Network operator (This account and all below)"), "{}", admin.page);
    assert!(admin.page.text().contains("Reaches 1 account"), "{}", admin.page);
    let fields = [("Network operator", "no"), ("Account manager", "yes"), ("This account only", "yes")];
    admin.submit("Save", &fields).await;
    assert_eq!(admin.page.flash(), "mara Example is changed.");
    assert_eq!(admin.page.row("mara")[1], "Account managerThis account only");
    assert_eq!(mara.get(&world.path("lab", "members")).await.status, 200);
    admin.click("Remove mara Example").await;
    assert!(admin.page.text().contains("will have no access to lab any more"), "{}", admin.page);
    let second = admin.clone();
    admin.submit("Remove mara Example", &[]).await;
    assert_eq!(admin.page.flash(), "mara Example is removed.");
    assert_eq!(mara.get(&world.path("lab", "members")).await.status, 404);
    // Another tab that still shows the question: what was wanted is so.
    let mut second = second;
    second.submit("Remove mara Example", &[]).await;
    assert!(second.page.flash().contains("removed"), "{}", second.page);
    world.assert_sound();
}

#[actix_web::test]
async fn each_role_says_what_it_adds_to_what_is_inherited() {
    let world = world();
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&member(&world, "lab", "vera", "change")).await;
    let text = admin.page.text();
    assert!(text.contains("Adds nothing to what vera inherits."), "{text}");
    assert!(text.contains("Adds to what vera inherits: add, change and remove networks and ports."), "{text}");
    admin.get(&member(&world, "lab", "mara", "change")).await;
    assert!(!admin.page.text().contains("inherits"), "{}", admin.page);
}

#[actix_web::test]
async fn nobody_gives_more_than_they_hold_or_touches_who_holds_more() {
    let world = world();
    world.account("acme").at("lab").administrator("ada");
    let mut otto = world.browser("otto").await;
    otto.get(&member(&world, "lab", "mara", "change")).await;
    assert!(otto.page.text().contains("Otto may do") || otto.page.text().contains("may do more here than you"));
    otto.get(&member(&world, "lab", "otto", "change")).await;
    let mut form = otto.page.form("Save");
    assert!(otto.page.body.contains("disabled"), "what cannot be given is shown and not offered");
    assert!(otto.page.text().contains("You cannot give it, because you cannot"), "{}", otto.page);
    form.fill("Administrator", "yes");
    let answer = otto.post(&form.action.clone(), &form.pairs()).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("You cannot give “Administrator”"), "{}", answer.text());
    otto.get(&member(&world, "lab", "ada", "remove")).await;
    assert!(!otto.page.has_button("Remove ada Example"), "{}", otto.page);
    assert!(otto.page.text().contains("ada Example may do more here than you"), "{}", otto.page);
    let mut ada = world.browser("ada").await;
    assert_eq!(ada.get(&world.path("lab", "members")).await.status, 200);
}

#[actix_web::test]
async fn the_last_administrator_stays_and_the_page_says_so_before_the_click() {
    let world = world();
    let admin = admin_of("acme");
    let mut browser = world.browser(&admin).await;
    browser.get(&world.path("acme", "members/leave")).await;
    assert!(browser.page.text().contains("You are the last administrator"), "{}", browser.page);
    assert!(!browser.page.has_button("Leave this account"));
    browser.get(&member(&world, "acme", &admin, "change")).await;
    assert!(browser.page.text().contains("the only one in charge of this account for good"), "{}", browser.page);
    for fields in [
        vec![("Administrator", "no"), ("Read only", "yes")],
        vec![("All below only", "yes")],
        vec![("End date", "2099-01-31")],
    ] {
        browser.get(&member(&world, "acme", &admin, "change")).await;
        browser.submit("Save", &fields).await;
        assert_eq!(browser.page.status, 422, "{fields:?}: {}", browser.page);
        assert!(browser.page.problems()[0].contains("Somebody must stay in charge"), "{}", browser.page);
    }
    world.assert_sound();
    world.account("acme").administrator("second");
    browser.get(&world.path("acme", "members/leave")).await;
    browser.submit("Leave this account", &[]).await;
    assert_eq!(browser.get(&world.path("acme", "dashboard")).await.status, 404);
    world.assert_sound();
}

#[actix_web::test]
async fn a_page_that_is_out_of_date_changes_nothing_and_shows_what_there_is() {
    let world = world();
    let mut mine = world.browser("admin-of-acme").await;
    for (act, button) in [("change", "Save"), ("remove", "Remove mara Example")] {
        mine.get(&member(&world, "lab", "mara", act)).await;
        let mut theirs = world.browser("admin-of-acme").await;
        theirs.get(&member(&world, "lab", "mara", "change")).await;
        let scope = if act == "change" { "This account only" } else { "All below only" };
        theirs.submit("Save", &[(scope, "yes")]).await;
        mine.submit(button, &[]).await;
        assert_eq!(mine.page.status, 409, "{}", mine.page);
        assert!(mine.page.text().contains(scope), "{}", mine.page);
        mine.submit(button, &[]).await;
        assert_eq!(mine.page.status, 200, "{}", mine.page);
    }
}

#[actix_web::test]
async fn an_end_holds_from_that_moment_on_and_stays_in_the_list_for_a_while() {
    let world = world();
    let lab = world.account("acme");
    let lab = lab.at("lab");
    lab.member_until("gone", "Read only", Scope::HereAndBelow, ids::now() - Duration::days(2));
    lab.member_until("forgotten", "Read only", Scope::HereAndBelow, ids::now() - Duration::days(40));
    lab.member_until("going", "Read only", Scope::HereAndBelow, ids::now() + Duration::days(2));
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("lab", "members")).await;
    assert!(admin.page.row("gone")[3].starts_with("Ended "), "{}", admin.page);
    assert!(admin.page.row("going")[3].starts_with("Ends "), "{}", admin.page);
    assert!(!admin.page.text().contains("forgotten"), "{}", admin.page);
    let mut gone = world.browser("gone").await;
    assert_eq!(gone.get(&world.path("lab", "dashboard")).await.status, 404);
    // They can be given a role again where they stand in the list.
    admin.get(&member(&world, "lab", "gone", "change")).await;
    admin.submit("Save", &[("Read only", "yes"), ("This account only", "yes"), ("End date", "2000-01-01")]).await;
    assert_eq!(admin.page.error("End date"), "End date must be today or later");
    admin.submit("Save", &[("End date", "31.12.2099")]).await;
    assert_eq!(admin.page.error("End date"), "End date must be a day, as 2027-01-31");
    admin.submit("Save", &[("End date", "2099-12-31")]).await;
    assert_eq!(admin.page.row("gone")[3], "Active until 31 Dec 2099", "{}", admin.page);
    assert_eq!(gone.get(&world.path("lab", "dashboard")).await.status, 200);
}

#[actix_web::test]
async fn what_stays_by_inheritance_is_said_and_can_be_left_only_where_it_was_given() {
    let world = world();
    world.account("acme").at("lab").operator("vera");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&member(&world, "lab", "vera", "remove")).await;
    assert!(admin.page.text().contains("vera Example will still have access to lab"), "{}", admin.page);
    assert!(admin.page.text().contains("Read only (from acme)"), "{}", admin.page);
    let mut vera = world.browser("vera").await;
    vera.get(&world.path("lab", "members")).await;
    vera.click("Leave this account…").await;
    vera.submit("Leave this account", &[]).await;
    assert_eq!(vera.page.flash(), "You left lab.");
    assert_eq!(vera.page.row("vera")[1], "");
    vera.get(&world.path("lab", "members/leave")).await;
    assert!(vera.page.flash().contains("come from an account above"), "{}", vera.page);
}

#[actix_web::test]
async fn the_technical_contact_of_a_new_child_is_invited_with_it() {
    let world = world();
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("lab", "child-accounts/new")).await;
    let both = [
        ("Name", "branch"),
        ("Invite the technical contact as administrator", "yes"),
        ("Leave for the child account's administrator to review and accept", "yes"),
    ];
    admin.submit("Save", &both).await;
    assert_eq!(admin.page.error("Technical contact email"), "Enter the technical contact who shall be invited");
    admin.submit("Save", &[("Technical contact email", "tech@example.com")]).await;
    assert!(admin.page.flash().contains("Invited as administrator: tech@example.com"), "{}", admin.page);
    assert!(admin.page.text().contains("in charge as soon as they accept"), "{}", admin.page);
    admin.click("Invite a user").await;
    assert_eq!(admin.page.heading(), "Invite a user");
    // Whoever is no administrator below cannot make one.
    world.account("acme").account_manager("otto");
    let mut otto = world.browser("otto").await;
    otto.get(&world.path("lab", "child-accounts/new")).await;
    assert!(otto.page.text().contains("you are no administrator of the accounts below yourself"), "{}", otto.page);
    otto.submit("Save", &[("Technical contact email", "tech@example.com"), both[0], both[1], both[2]]).await;
    assert_eq!(otto.page.status, 422, "{}", otto.page);
}
