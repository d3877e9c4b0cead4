//! Limits of accounts and branches: set from above, asked along all ancestors, never in the way of what is there already.
//! The forms that would make one more say why they cannot; `limit_model` compares them with counting by hand.

use diesel::prelude::*;
use subtenant::access::Scope;
use subtenant::access::policy::{CreateAccounts, DeleteAccounts, LimitAccounts, UpdateAccounts};
use subtenant::ids;
use subtenant::limits::{self, Limits, Resource};
use subtenant::problem::{Problem, Reason};
use subtenant::store::schema::{audit_entries, resource_limits};
use subtenant::{accounts, readiness};

use crate::invited::{invite, link, new_invitation, send};
use crate::suspension::connection;
use crate::world::{World, admin_of, email};

/// `acme` > `lab` > `bench`, and `mill`; Otto administers the lab, Mara the bench, Vera sees everything.
fn world() -> World {
    let world = World::new();
    world.account("acme").viewer("vera").children(&["lab", "mill"]).at("lab").administrator("otto");
    world.account("acme").at("lab").child("bench").administrator("mara");
    world
}

fn form(world: &World, account: &str) -> String {
    world.path("acme", &format!("child-accounts/{}/limits", world.id(account)))
}

/// Sets one limit without looking.
pub fn limit(world: &World, account: &str, resource: Resource, branch: bool, most: i64) {
    let row = (
        resource_limits::account_key.eq(world.key(account)),
        resource_limits::resource.eq(resource.code()),
        resource_limits::reach.eq(if branch { "BRANCH" } else { "ACCOUNT" }),
        resource_limits::most.eq(most),
        resource_limits::set_at.eq(ids::now()),
    );
    world.sql(&format!(
        "DELETE FROM resource_limits WHERE account_key = {} AND resource = '{}' AND reach = '{}'",
        world.key(account),
        resource.code(),
        if branch { "BRANCH" } else { "ACCOUNT" }
    ));
    world.write(|db| Ok(diesel::insert_into(resource_limits::table).values(row).execute(db)?)).expect("a limit");
}

pub fn room(world: &World, account: &str, resource: Resource) -> Result<(), Problem> {
    world.read(|db| limits::room_for_one(db, world.key(account), resource))
}

pub fn refused<T: std::fmt::Debug>(outcome: Result<T, Problem>) -> bool {
    match outcome {
        Ok(_) => false,
        Err(Problem::Conflict(Reason::LimitReached { .. })) => true,
        Err(other) => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn limits_are_set_from_above_and_shown_as_far_as_they_may_be_seen() {
    let world = world();
    connection(&world, "bench", "ACTIVE");
    let mut admin = world.browser(&admin_of("acme")).await;
    admin.get(&world.path("acme", "child-accounts")).await;
    admin.click("Limits of lab").await;
    assert_eq!(admin.page.heading(), "Limits of lab");
    let wrong = [("connectionsInBranch", "many"), ("ports", "-1"), ("members", "1000001"), ("networks", "1,5")];
    let mut pairs = admin.page.form("Save the limits");
    wrong.iter().for_each(|(name, value)| pairs.set(name, value));
    let answer = admin.post(&form(&world, "lab"), &pairs.pairs()).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.text().matches("Enter a whole number from 0 to 1,000,000").count(), 8);
    assert!(answer.text().contains("value=\"many\""));
    for (name, value) in
        [("connectionsInBranch", "4,000"), ("ports", ""), ("networks", ""), ("members", "3"), ("accounts", "1")]
    {
        pairs.set(name, value);
    }
    let answer = admin.post(&form(&world, "lab"), &pairs.pairs()).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let own = world.read(|db| limits::of(db, world.key("lab"))).expect("limits");
    assert_eq!(own.get(Resource::Connection, true), Some(4_000));
    assert_eq!((own.get(Resource::Connection, false), own.get(Resource::Port, false)), (None, None));
    let entry = audit_entries::table.filter(audit_entries::event_type.eq("RESOURCE_LIMIT_UPDATE"));
    let after: String = world.read(|db| Ok(entry.select(audit_entries::after).first(db)?)).expect("an entry");
    assert!(after.contains("connectionsInBranch") && after.contains("4000"), "{after}");
    // The account's own people see them, and where they come from only if they may see that.
    let mut otto = world.browser("otto").await;
    let page = otto.get(&world.path("lab", "limits")).await;
    assert_eq!(page.row("Connections")[1..], ["0, no limit", "1 of 4,000", "None"], "{page}");
    assert_eq!(page.row("Child accounts")[1], "1 of 1 Full", "{page}");
    assert!(page.link("Change the limits…").is_none(), "{page}");
    let page = otto.get(&world.path("bench", "limits")).await;
    assert_eq!(page.row("Connections")[3], "lab: 1 of 4,000 used in its branch", "{page}");
    assert!(page.link("Change the limits…").is_some(), "{page}");
    let mut mara = world.browser("mara").await;
    let page = mara.get(&world.path("bench", "limits")).await;
    assert_eq!(page.row("Connections")[3], "An account above: 4,000 for its branch", "{page}");
    assert_eq!(mara.get(&form(&world, "lab")).await.status, 404);
    assert_eq!(otto.get(&form(&world, "lab")).await.status, 404);
    let mut vera = world.browser("vera").await;
    assert_eq!(vera.get(&world.path("lab", "limits")).await.status, 200);
    assert_eq!(vera.get(&form(&world, "lab")).await.status, 403);
}

#[actix_web::test]
async fn two_who_set_limits_at_once_see_both() {
    let world = world();
    let mut one = world.browser(&admin_of("acme")).await;
    let mut other = world.browser(&admin_of("acme")).await;
    one.get(&form(&world, "lab")).await;
    other.get(&form(&world, "lab")).await;
    let mut sent = one.page.form("Save the limits");
    sent.set("networks", "5");
    one.post(&form(&world, "lab"), &sent.pairs()).await;
    let mut sent = other.page.form("Save the limits");
    sent.set("networks", "7");
    let answer = other.post(&form(&world, "lab"), &sent.pairs()).await;
    assert_eq!(answer.status, 409);
    let page = crate::page::Page::read(&form(&world, "lab"), &answer);
    assert_eq!(page.row("Networks: The account itself")[1..], ["5", "7"], "{page}");
    let answer = other.post(&form(&world, "lab"), &page.form("Save the limits").pairs()).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let own = world.read(|db| limits::of(db, world.key("lab"))).expect("limits");
    assert_eq!(own.get(Resource::Network, false), Some(7));
}

#[actix_web::test]
async fn a_limit_below_what_is_there_takes_nothing_away_and_lets_nothing_begin() {
    let world = world();
    (0..3).for_each(|_| connection(&world, "bench", "ACTIVE"));
    let mut admin = world.browser(&admin_of("acme")).await;
    admin.get(&form(&world, "lab")).await;
    let mut sent = admin.page.form("Save the limits");
    sent.set("connectionsInBranch", "2");
    admin.post(&form(&world, "lab"), &sent.pairs()).await;
    let page = admin.get(&world.path("acme", "child-accounts")).await;
    assert!(page.flash().contains("There are more than they allow: connections with everything below."), "{page}");
    assert!(page.flash().contains("Nothing is taken away, and nothing new begins."), "{page}");
    assert_eq!(world.sql("UPDATE connections SET name = name WHERE state = 'ACTIVE'"), 3);
    for (account, over) in [("bench", true), ("lab", true), ("acme", false), ("mill", false)] {
        let codes = world.read(|db| readiness::blockers(db, world.key(account))).expect("readiness");
        assert_eq!(codes.contains(&readiness::Blocker::OverLimit), over, "{account}");
    }
    let below = world.read(|db| readiness::below(db, world.key("acme"))).expect("sums");
    assert_eq!(below.over_limit, 2);
    let text = admin.get(&world.path("bench", "readiness")).await.text();
    assert!(text.contains("There are more connections than a limit allows"), "{}", admin.page);
    assert!(text.contains("You can do this"), "{}", admin.page);
    let mut mara = world.browser("mara").await;
    let text = mara.get(&world.path("bench", "readiness")).await.text();
    assert!(text.contains("Ask an administrator of an account above."), "{}", mara.page);
    world.sql("UPDATE connections SET state = 'DELETED', deleted_at = created_at WHERE key = (SELECT MIN(key) FROM connections)");
    let codes = world.read(|db| readiness::blockers(db, world.key("bench"))).expect("readiness");
    assert!(!codes.contains(&readiness::Blocker::OverLimit), "at its limit it goes on");
}

#[actix_web::test]
async fn forms_that_would_make_one_too_many_say_so() {
    let world = world();
    let admin = admin_of("acme");
    limit(&world, "acme", Resource::Account, true, 3);
    let mut browser = world.browser(&admin).await;
    browser.get(&world.path("bench", "child-accounts/new")).await;
    let leave = "Leave for the child account's administrator to review and accept";
    browser.submit("Save", &[("Name", "one more"), (leave, "yes")]).await;
    assert_eq!(browser.page.status, 422, "{}", browser.page);
    assert!(browser.page.problems()[0].contains("may have 3 child accounts"), "{}", browser.page);
    assert_eq!(browser.page.field("Name"), "one more");
    // A closed one makes room, and cannot come back when that is taken.
    let by = world.grant::<DeleteAccounts>(&admin, "mill").expect("a right");
    world.write(|db| accounts::close(db, &by, by.account().version)).expect("it is closed");
    world.account("acme").at("bench").child("another");
    browser.get(&world.path("acme", &format!("child-accounts/{}/restore", world.id("mill")))).await;
    browser.submit("Restore mill", &[]).await;
    assert_eq!(browser.page.status, 422, "{}", browser.page);
    assert!(browser.page.problems()[0].contains("may have 3 child accounts"), "{}", browser.page);
    // Members: Mara is the only one of the bench.
    let old = invite(&world, &admin, "bench", "new@example.com", "Read only");
    let old = link(&world, &admin, "bench", &old);
    limit(&world, "bench", Resource::Member, false, 1);
    assert!(refused(send(
        &world,
        &admin,
        "bench",
        &new_invitation(&world, &admin, "bench", "x@example.com", "Read only")
    )));
    browser.get(&world.path("bench", "members/new")).await;
    browser.submit("Invite", &[("Email addresses", "x@example.com"), ("Read only", "yes")]).await;
    assert!(browser.page.error("Email addresses").contains("may have 1 members"), "{}", browser.page);
    let mut new = world.browser("new").await;
    assert_eq!(email("new"), "new@example.com");
    new.get(&old).await;
    new.submit("Accept invitation", &[]).await;
    assert_eq!(new.page.status, 422, "{}", new.page);
    assert!(new.page.problems()[0].contains("A limit is reached"), "{}", new.page);
    // Vera comes from above, and gets nothing of her own; who is a member already may get another role.
    let change = |who: &str| world.path("bench", &format!("members/{}/change", world.person_id(who)));
    browser.get(&change("vera")).await;
    browser.submit("Save", &[("Network operator", "yes"), ("This account only", "yes")]).await;
    assert!(browser.page.text().contains("A limit is reached"), "{}", browser.page);
    browser.get(&change("mara")).await;
    browser.submit("Save", &[("Network operator", "yes")]).await;
    assert_eq!(browser.page.flash(), "mara Example is changed.", "{}", browser.page);
    limit(&world, "bench", Resource::Member, false, 2);
    new.get(&old).await;
    new.submit("Accept invitation", &[]).await;
    assert!(new.page.flash().starts_with("You are a member"), "{}", new.page);
    assert!(refused(room(&world, "bench", Resource::Member)));
    world.assert_sound();
}

#[actix_web::test]
async fn a_branch_moves_only_where_it_fits() {
    let world = world();
    let admin = admin_of("acme");
    let moving = |account: &str, under: &str| {
        let by = world.grant::<UpdateAccounts>(&admin, account).expect("a right");
        let to = world.grant::<CreateAccounts>(&admin, under).expect("a right");
        world.write(|db| accounts::move_under(db, &by, &to, 1000))
    };
    (0..2).for_each(|_| connection(&world, "bench", "ACTIVE"));
    world.account("acme").at("mill").member_until("mia", "Read only", Scope::Here, ids::never());
    // Its connections do not fit, then its accounts, then its members.
    limit(&world, "mill", Resource::Connection, true, 1);
    assert!(refused(moving("lab", "mill")));
    limit(&world, "mill", Resource::Connection, true, 2);
    limit(&world, "mill", Resource::Account, true, 1);
    assert!(refused(moving("lab", "mill")));
    limit(&world, "mill", Resource::Account, true, 2);
    limit(&world, "mill", Resource::Member, true, 2);
    assert!(refused(moving("lab", "mill")));
    limit(&world, "mill", Resource::Member, true, 3);
    limit(&world, "mill", Resource::Account, false, 0);
    assert!(refused(moving("lab", "mill")));
    limit(&world, "mill", Resource::Account, false, 1);
    limit(&world, "mill", Resource::Connection, false, 0);
    moving("lab", "mill").expect("it fits");
    // Inside a branch nothing is one more there, but a parent gets a child.
    limit(&world, "mill", Resource::Account, true, 0);
    assert!(refused(moving("bench", "mill")), "mill may have one child");
    limit(&world, "mill", Resource::Account, false, 2);
    moving("bench", "mill").expect("it was below it before");
    world.assert_sound();
}

#[actix_web::test]
async fn the_operator_limits_root_accounts() {
    let world = world();
    let id = world.id("acme");
    let set = |account: &str, resource: &str, reach: &str, most: &str| {
        world.write(|db| limits::set_root(db, account, resource, reach, most)).expect("the database answers")
    };
    let said = set(&id, "account", "branch", "3");
    assert_eq!(said, Ok("acme, with everything below it, may have 3 child accounts.".to_owned()));
    assert!(refused(room(&world, "bench", Resource::Account)));
    let said = set(&id, "ACCOUNT", "branch", "2").expect("it is set");
    assert!(said.contains("There are more: child accounts with everything below."), "{said}");
    assert_eq!(set(&id, "account", "branch", "none").map(|said| said.contains("any number")), Ok(true));
    room(&world, "bench", Resource::Account).expect("there is room");
    let wrong = set(&world.id("lab"), "cow", "all", "-3").expect_err("nothing of it is right");
    assert_eq!(wrong.len(), 4, "{wrong:?}");
}

#[actix_web::test]
async fn limits_are_set_by_the_operation_only_as_they_were_seen() {
    let world = world();
    let by = world.grant::<LimitAccounts>(&admin_of("acme"), "acme").expect("a right");
    let mut new = Limits::default();
    new.set(Resource::Port, true, Some(2));
    let (seen, id) = (Limits::default().stamp(), world.id("bench"));
    let set = |db: &mut subtenant::store::Db| limits::set(db, &by, &id, &new, &seen);
    assert_eq!(world.write(set).expect("it is set"), Vec::<String>::new());
    let again = world.write(set);
    assert!(matches!(again, Err(Problem::Conflict(Reason::Stale))), "{again:?}");
}
