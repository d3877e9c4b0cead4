//! Suspending a branch as people do it: the page says in numbers what it touches, the right comes from above, nothing new
//! starts in the branch while what runs keeps running, and each act is ended by itself. Names and reasons are told to
//! those who may see the account.

use std::collections::BTreeSet;

use diesel::prelude::*;
use subtenant::access::policy::{CreateAccounts, SuspendAccounts, UpdateAccounts};
use subtenant::ids;
use subtenant::problem::{Problem, Reason};
use subtenant::store::schema::{audit_entries, connections};
use subtenant::{accounts, readiness, suspension};

use crate::world::{World, admin_of};

/// `acme` > `lab` > `bench`, and `mill`; Otto administers the lab, Mara the bench, Vera sees everything.
fn world() -> World {
    let world = World::new();
    world.account("acme").viewer("vera").children(&["lab", "mill"]).at("lab").administrator("otto");
    world.account("acme").at("lab").child("bench").administrator("mara");
    world
}

/// A connection of the account in this state.
pub fn connection(world: &World, account: &str, state: &str) {
    let row = (
        connections::key.eq(ids::next_key()),
        connections::id.eq(ids::new_id("conn")),
        connections::account_key.eq(world.key(account)),
        connections::name.eq("line"),
        connections::state.eq(state),
        connections::created_at.eq(ids::now()),
        connections::deleted_at.eq((state == "DELETED").then(ids::now)),
    );
    world.write(|db| Ok(diesel::insert_into(connections::table).values(row).execute(db)?)).expect("a connection");
}

fn act(world: &World, from: &str, account: &str, which: &str) -> String {
    world.path(from, &format!("child-accounts/{}/{which}", world.id(account)))
}

/// Somebody suspends an account without looking first.
pub fn suspend(world: &World, person: &str, from: &str, account: &str) -> Result<(), Problem> {
    let (by, id) = (world.grant::<SuspendAccounts>(person, from)?, world.id(account));
    world.write(|db| suspension::suspend(db, &by, &id, "late again", None))
}

fn resume(world: &World, person: &str, from: &str, account: &str) -> Result<(), Problem> {
    let (by, id) = (world.grant::<SuspendAccounts>(person, from)?, world.id(account));
    world.write(|db| suspension::resume(db, &by, &id, None))
}

fn blockers(world: &World, account: &str) -> Vec<&'static str> {
    let blockers = world.read(|db| readiness::blockers(db, world.key(account))).expect("readiness");
    blockers.iter().map(readiness::Blocker::code).filter(|code| *code == "ACCOUNT_SUSPENDED").collect()
}

#[actix_web::test]
async fn the_question_says_in_numbers_what_it_touches_and_one_act_does_it() {
    let world = world();
    for (account, state) in [
        ("lab", "ACTIVE"),
        ("bench", "DOWN"),
        ("bench", "INITIALIZING"),
        ("lab", "DELETED"),
        ("bench", "FAILED_TO_PROVISION"),
        ("mill", "ACTIVE"),
    ] {
        connection(&world, account, state);
    }
    let mut admin = world.browser(&admin_of("acme")).await;
    admin.get(&world.path("acme", "child-accounts")).await;
    admin.click("Suspend lab").await;
    assert_eq!(admin.page.heading(), "Suspend lab?");
    let text = admin.page.text();
    for said in [
        "2 accounts start nothing new: it and the 1 below it.",
        "2 live connections keep running.",
        "1 order that has not begun waits until it is resumed.",
        "0 active ports stay as they are.",
    ] {
        assert!(text.contains(said), "{said}\n{}", admin.page);
    }
    // The way back comes before the button.
    assert!(text.find("Keep lab running").expect("a way back") < text.rfind("Suspend lab").expect("a button"));
    let states = |world: &World| -> Vec<String> {
        world
            .read(|db| Ok(connections::table.select(connections::state).order(connections::key).load(db)?))
            .expect("rows")
    };
    let before = states(&world);
    let long = "x".repeat(257);
    admin.submit("Suspend lab", &[("Reason", &*long)]).await;
    assert_eq!((admin.page.status.as_u16(), admin.page.error("Reason").contains("256")), (422, true), "{}", admin.page);
    admin.submit("Suspend lab", &[("Reason", "Not paid since March")]).await;
    assert_eq!(admin.page.flash(), "lab is suspended.", "{}", admin.page);
    assert!(admin.page.row("lab").iter().any(|cell| cell.starts_with("Suspended")), "{}", admin.page);
    assert!(!admin.page.row("mill").iter().any(|cell| cell.starts_with("Suspended")), "{}", admin.page);
    assert_eq!(states(&world), before, "what runs keeps running");
    assert_eq!((blockers(&world, "lab").len(), blockers(&world, "bench").len()), (1, 1));
    assert_eq!((blockers(&world, "mill").len(), blockers(&world, "acme").len()), (0, 0));
    let entries = audit_entries::table.filter(audit_entries::event_type.eq("ACCOUNT_SUSPEND")).count();
    assert_eq!(world.read(|db| Ok(entries.get_result::<i64>(db)?)).expect("entries"), 1);
    // In the tree, what is below has it from above; also from above its top.
    for (top, marked) in [("acme", vec!["bench", "lab"]), ("lab", vec!["bench"])] {
        let tree = admin.get(&world.path(top, "child-accounts?view=tree")).await;
        let names = tree.all(".tree li > div:has(> .badge) > a");
        assert_eq!(BTreeSet::from_iter(names), BTreeSet::from_iter(marked.into_iter().map(str::to_owned)), "{tree}");
    }
    let sums = admin.get(&world.path("acme", "readiness?missing=resuming")).await;
    assert_eq!(sums.rows().iter().map(|row| row[0].clone()).collect::<Vec<_>>().len(), 2, "{sums}");
    assert!(admin.get(&world.path("acme", "dashboard")).await.text().contains("2 are suspended"));
    admin.get(&act(&world, "acme", "lab", "suspend")).await;
    assert!(admin.page.text().contains("lab is suspended already."), "{}", admin.page);
    assert!(admin.page.text().contains("Not paid since March"), "{}", admin.page);
}

#[actix_web::test]
async fn every_page_of_the_branch_says_so_and_tells_no_more_than_may_be_seen() {
    let world = world();
    suspend(&world, &admin_of("acme"), "acme", "lab").expect("it is suspended");
    let said = "No port and no connection can be ordered or started here";
    for (person, account, words, reason, named) in [
        ("admin-of-acme", "lab", "This account is suspended.", true, true),
        ("otto", "lab", "This account is suspended.", true, true),
        ("otto", "bench", "lab, above this account, is suspended.", true, true),
        ("mara", "bench", "An account above is suspended.", false, false),
    ] {
        let mut browser = world.browser(person).await;
        for section in ["dashboard", "readiness", "members", "audit-log", "settings"] {
            let text = browser.get(&world.path(account, section)).await.text();
            assert!(text.contains(words) && text.contains(said), "{person} {section}\n{}", browser.page);
            assert_eq!(text.contains("late again"), reason, "{}", browser.page);
            let tells = text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "lab");
            assert!(tells == named || account == "lab", "{person} {section}\n{}", browser.page);
            assert_eq!(browser.page.link("Resume…").is_some(), person == "admin-of-acme", "{}", browser.page);
        }
        let text = browser.get(&world.path(account, "readiness")).await.text();
        let blocker = if account == "lab" { "This account is suspended" } else { "An account above is suspended" };
        assert!(text.contains(blocker), "{}", browser.page);
        let who =
            if person == "admin-of-acme" { "You can do this" } else { "Ask an administrator of an account above." };
        assert!(text.contains(who), "{person}\n{}", browser.page);
    }
    let mut vera = world.browser("vera").await;
    let text = vera.get(&world.path("lab", "readiness")).await.text();
    assert!(text.contains("You may not do this here. admin-of-acme Example can."), "{}", vera.page);
    assert!(!vera.get(&world.path("mill", "dashboard")).await.text().contains("suspended"), "{}", vera.page);
}

#[actix_web::test]
async fn the_right_comes_from_above_only() {
    let world = world();
    world.account("acme").member_until("tess", "Account manager", subtenant::access::Scope::Here, ids::never());
    world.account("elsewhere");
    let mut otto = world.browser("otto").await;
    // His own account is not below itself, and what is above is not his.
    assert_eq!(otto.get(&act(&world, "lab", "lab", "suspend")).await.status, 404);
    assert_eq!(otto.get(&act(&world, "acme", "lab", "suspend")).await.status, 404);
    assert_eq!(otto.get(&act(&world, "lab", "mill", "suspend")).await.status, 404);
    assert_eq!(otto.get(&act(&world, "lab", "bench", "suspend")).await.status, 200);
    suspend(&world, &admin_of("acme"), "acme", "lab").expect("it is suspended");
    assert!(matches!(resume(&world, "otto", "lab", "lab"), Err(Problem::NotFound)));
    assert!(matches!(resume(&world, "otto", "acme", "lab"), Err(Problem::NotFound)));
    // A role that ends at the account above does not reach below it, and one that only reads does not do it.
    assert!(matches!(resume(&world, "tess", "acme", "lab"), Err(Problem::NotFound)));
    assert!(matches!(resume(&world, "vera", "acme", "lab"), Err(Problem::Forbidden { .. })));
    assert!(matches!(resume(&world, &admin_of("elsewhere"), "elsewhere", "lab"), Err(Problem::NotFound)));
    assert_eq!(blockers(&world, "lab").len(), 1);
    // It does not leave the branch either, not even with rights at both places.
    world.account("acme").at("lab").child("shelf");
    let by = world.grant::<UpdateAccounts>(&admin_of("acme"), "shelf").expect("a right");
    let to = world.grant::<CreateAccounts>(&admin_of("acme"), "mill").expect("a right");
    let moved = world.write(|db| accounts::move_under(db, &by, &to, 1000));
    assert!(matches!(moved, Err(Problem::Conflict(Reason::SuspendedAbove))), "{moved:?}");
    let to = world.grant::<CreateAccounts>(&admin_of("acme"), "bench").expect("a right");
    world.write(|db| accounts::move_under(db, &by, &to, 1000)).expect("inside the branch it may");
    resume(&world, &admin_of("acme"), "acme", "lab").expect("it is resumed");
    assert_eq!(blockers(&world, "lab").len(), 0);
}

#[actix_web::test]
async fn what_is_suspended_below_for_itself_stays_so() {
    let world = world();
    let admin = admin_of("acme");
    suspend(&world, "otto", "lab", "bench").expect("it is suspended");
    suspend(&world, &admin, "acme", "lab").expect("it is suspended");
    let mut browser = world.browser(&admin).await;
    browser.get(&world.path("acme", "child-accounts?scope=below")).await;
    browser.click("Resume lab").await;
    let text = browser.page.text();
    assert!(text.contains("1 account below stays suspended: below is an act of its own."), "{}", browser.page);
    assert!(text.contains("1 account may start new work again."), "{}", browser.page);
    browser.submit("Resume lab", &[]).await;
    assert_eq!(browser.page.flash(), "lab is resumed.");
    assert_eq!((blockers(&world, "lab").len(), blockers(&world, "bench").len()), (0, 1));
    // Any account above may end it, at any distance.
    resume(&world, &admin, "acme", "bench").expect("it is resumed");
    assert_eq!(blockers(&world, "bench").len(), 0);
    let twice = resume(&world, &admin, "acme", "bench");
    assert!(matches!(twice, Err(Problem::Conflict(Reason::Unconfirmed))), "{twice:?}");
}

#[actix_web::test]
async fn a_page_whose_numbers_are_old_leads_back_to_the_question() {
    let world = world();
    let mut admin = world.browser(&admin_of("acme")).await;
    admin.get(&act(&world, "acme", "lab", "suspend")).await;
    connection(&world, "bench", "PROVISIONING");
    admin.submit("Suspend lab", &[("Reason", "Kept")]).await;
    assert_eq!(admin.page.status, 409, "{}", admin.page);
    assert!(admin.page.text().contains("This changed while you looked at it"), "{}", admin.page);
    assert!(admin.page.text().contains("1 live connection keeps running."), "{}", admin.page);
    assert_eq!(admin.page.field("Reason"), "Kept");
    assert_eq!(blockers(&world, "lab").len(), 0);
    admin.submit("Suspend lab", &[]).await;
    assert_eq!(admin.page.flash(), "lab is suspended.", "{}", admin.page);
    // Two who end it at once: the second finds nothing left to do.
    let mut other = world.browser(&admin_of("acme")).await;
    admin.get(&act(&world, "acme", "lab", "resume")).await;
    other.get(&act(&world, "acme", "lab", "resume")).await;
    admin.submit("Resume lab", &[]).await;
    other.submit("Resume lab", &[]).await;
    assert_eq!(other.page.status, 409, "{}", other.page);
    assert!(other.page.text().contains("lab is not suspended."), "{}", other.page);
}

#[actix_web::test]
async fn a_root_account_is_the_operators_to_suspend() {
    let world = world();
    let id = world.id("acme");
    let said = world.write(|db| suspension::suspend_root(db, &id, "Fraud")).expect("the database answers");
    assert_eq!(said, Ok("acme is suspended, with 3 accounts below it.".to_owned()));
    let again = world.write(|db| suspension::suspend_root(db, &id, "Fraud")).expect("the database answers");
    assert_eq!(again, Err("acme is suspended already".to_owned()));
    let other = world.write(|db| suspension::suspend_root(db, &world.id("lab"), "x")).expect("the database answers");
    assert!(other.is_err(), "{other:?}");
    assert_eq!(blockers(&world, "bench").len(), 1);
    let mut admin = world.browser(&admin_of("acme")).await;
    let text = admin.get(&world.path("acme", "readiness")).await.text();
    assert!(text.contains("Only the operator of this console can do this."), "{}", admin.page);
    assert!(text.contains("Fraud") && admin.page.link("Resume…").is_none(), "{}", admin.page);
    let said = world.write(|db| suspension::resume_root(db, &id)).expect("the database answers");
    assert_eq!(said, Ok("acme is resumed, with 3 accounts below it.".to_owned()));
    assert_eq!(blockers(&world, "bench").len(), 0);
    assert!(world.write(|db| suspension::resume_root(db, &id)).expect("the database answers").is_err());
    world.assert_sound();
}
