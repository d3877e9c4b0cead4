//! Invitations (T10): no rights before they are accepted, only for the invited address, exactly once, and never longer
//! than whoever invited could give them. What does not work any more tells nothing.

use std::sync::Barrier;

use actix_web::http::Method;
use chrono::Duration;
use subtenant::access::policy::{CreateMembers, UpdateMembers};
use subtenant::access::{Origin, Scope, lookup};
use subtenant::ids;
use subtenant::members::{self, Answer, Wanted};
use subtenant::problem::{Problem, Reason};

use crate::browser::Browser;
use crate::invited::{invite, invited, link, new_invitation, pending, role_id, send};
use crate::world::{PASSWORD, World, email};

const ADMIN: &str = "admin-of-acme";

fn world() -> World {
    let world = World::new();
    world.account("acme").child("lab").child("bench");
    world
}

fn token(link: &str) -> &str {
    link.rsplit('/').next().expect("a token")
}

#[actix_web::test]
async fn fifty_addresses_are_answered_one_by_one() {
    let world = world();
    world.account("acme").at("lab").operator("mara");
    invite(&world, ADMIN, "lab", "waiting@example.com", "Read only");
    let mut admin = world.browser(ADMIN).await;
    admin.get(&world.path("lab", "members")).await;
    admin.click("Invite a user").await;
    assert!(admin.page.text().contains("Can see everything."), "{}", admin.page);
    assert!(admin.page.text().contains("Reaches 2 accounts: this one and 1 below."), "{}", admin.page);
    let new: String = (0..47).map(|n| format!("n{n}@example.com\n")).collect();
    let emails = format!("{new}MARA@example.com; waiting@example.com, nonsense");
    let fields = [("Email addresses", &*emails), ("Read only", "yes"), ("Message", "Welcome")];
    admin.submit("Invite", &fields).await;
    assert_eq!(admin.page.heading(), "Who was invited");
    assert_eq!(admin.page.rows().len(), 50);
    assert_eq!(admin.page.row("MARA@")[1], Answer::AlreadyMember.words());
    assert_eq!(admin.page.row("waiting@")[1], Answer::AlreadyInvited.words());
    assert_eq!(admin.page.row("nonsense")[1], Answer::NotValid.words());
    assert_eq!(admin.page.row("n46@")[1], Answer::Invited.words());
    assert_eq!(world.sql("UPDATE mails SET state = state WHERE kind = 'INVITATION'"), 48);
    // What is not valid can be corrected, with everything else as it was.
    let mut correcting = admin.clone();
    correcting.click("Correct what is not valid").await;
    assert_eq!(correcting.page.field("Email addresses"), "nonsense");
    assert_eq!(correcting.page.field("Message"), "Welcome");
    correcting.submit("Invite", &[("Email addresses", "sense@example.com")]).await;
    assert!(correcting.page.flash().starts_with("sense@example.com is invited"), "{}", correcting.page);
    admin.click("Show who is invited").await;
    assert_eq!(admin.page.rows().len(), 49);
    admin.get(&world.path("lab", "members/new")).await;
    let more = format!("{new}a@x.com\nb@x.com\nc@x.com\nd@x.com");
    admin.submit("Invite", &[("Email addresses", &more), ("Read only", "yes")]).await;
    assert_eq!(admin.page.error("Email addresses"), "Enter at most 50 addresses; there are more");
    admin.submit("Invite", &[("Email addresses", ""), ("Read only", "no")]).await;
    assert_eq!(admin.page.status, 422);
    assert_eq!(admin.page.problems(), ["Enter at least one email address", "Choose at least one role"]);
}

#[actix_web::test]
async fn somebody_new_signs_up_on_it_and_has_no_rights_before() {
    let world = world();
    let mut new = new_invitation(&world, ADMIN, "lab", "nora@example.com", "Read only");
    new.message = "Hello Nora\n<b>see you</b>".to_owned();
    send(&world, ADMIN, "lab", &new).expect("an invitation");
    let path = link(&world, ADMIN, "lab", &pending(&world, "lab", "nora@example.com"));
    let mut nora = Browser::new(&world.console().await);
    nora.get(&path).await;
    assert_eq!(nora.page.heading(), "Join lab");
    for words in [
        "admin-of-acme Example",
        "acme / lab",
        "Read only. Can see everything.",
        "This account and all below",
        "<b>see you</b>",
    ] {
        assert!(nora.page.text().contains(words), "{words} is missing on {}", nora.page);
    }
    nora.submit("Accept invitation", &[("First name", "Nora"), ("Password", "short")]).await;
    assert_eq!(nora.page.status, 422);
    assert_eq!(nora.page.error("Company"), "Enter a company");
    assert_eq!(nora.page.field("First name"), "Nora");
    let fields = [("Last name", "New"), ("Company", "Acme"), ("Password", PASSWORD)];
    nora.submit("Accept invitation", &fields).await;
    assert_eq!(nora.page.flash(), "You are a member of lab now.");
    assert_eq!(nora.page.path(), world.path("lab", "dashboard"));
    assert_eq!(nora.get(&world.path("acme", "dashboard")).await.status, 404);
    // The link leads who used it on, and nobody else.
    assert_eq!(nora.get(&path).await.path(), world.path("lab", "dashboard"));
    let mut stranger = Browser::new(&nora.console);
    assert_eq!(stranger.get(&path).await.status, 410);
    world.assert_sound();
}

#[actix_web::test]
async fn a_known_person_signs_in_and_comes_back_and_another_is_told_nothing() {
    let world = world();
    world.person("kim");
    world.person("eve");
    let path = invited(&world, ADMIN, "lab", &email("kim"), "Network operator");
    let mut eve = world.browser("eve").await;
    let answer = eve.send(eve.request(Method::GET, &path)).await;
    assert_eq!(answer.status, 403);
    for secret in ["lab", "acme", "kim"] {
        assert!(!answer.text().contains(secret), "{secret} is told to somebody else");
    }
    eve.get(&path).await;
    eve.submit("Sign out and use the other address", &[]).await;
    assert_eq!(eve.page.path(), "/sign-in");
    let mut kim = eve;
    kim.sign_in(&email("kim"), PASSWORD).await;
    assert_eq!(kim.page.heading(), "Join lab");
    assert_eq!(kim.get(&world.path("lab", "dashboard")).await.status, 404, "no rights before");
    kim.get(&path).await;
    kim.submit("Accept invitation", &[]).await;
    assert_eq!(kim.page.flash(), "You are a member of lab now.");
    let mut anew = Browser::new(&kim.console);
    let other = invited(&world, ADMIN, "bench", &email("kim"), "Network operator");
    anew.get(&other).await;
    anew.click("Sign in to accept").await;
    anew.sign_in(&email("kim"), PASSWORD).await;
    assert_eq!(anew.page.heading(), "Join bench");
}

#[actix_web::test]
async fn what_does_not_work_any_more_looks_like_what_never_was() {
    let world = world();
    let used = |world: &World, path: &str| {
        let kim = world.person("kim");
        world.write(|db| {
            let actor = lookup::actor(db, kim)?;
            members::accept(db, &actor, &Origin::default(), token(path))
        })
    };
    let accepted = invited(&world, ADMIN, "acme", &email("kim"), "Read only");
    used(&world, &accepted).expect("the first time");
    let expired = invited(&world, ADMIN, "lab", "a@example.com", "Read only");
    world.sql("UPDATE invitations SET expires_at = '2020-01-01 00:00:00' WHERE email = 'a@example.com'");
    let id = invite(&world, ADMIN, "lab", "b@example.com", "Read only");
    let withdrawn = link(&world, ADMIN, "lab", &id);
    let by = world.grant::<CreateMembers>(ADMIN, "lab").expect("the administrator may");
    world.write(|db| members::withdraw(db, &by, &id)).expect("it is withdrawn");
    assert!(matches!(world.write(|db| members::withdraw(db, &by, &id)), Err(Problem::NotFound)));
    let id = invite(&world, ADMIN, "lab", "c@example.com", "Read only");
    let old = link(&world, ADMIN, "lab", &id);
    link(&world, ADMIN, "lab", &id);
    let unknown = format!("/invites/{}", ids::token());
    let mut pages = Vec::new();
    let mut stranger = Browser::new(&world.console().await);
    for path in [&accepted, &expired, &withdrawn, &old, &unknown, &"/invites/x".to_owned()] {
        stranger.get(path).await;
        assert_eq!(stranger.page.status, 410, "{path}");
        assert!(stranger.page.text().contains("This link does not work any more"), "{}", stranger.page);
        pages.push(stranger.page.text().split("Request id").next().unwrap_or_default().to_owned());
        assert!(matches!(used(&world, path), Err(Problem::Conflict(Reason::LinkIsSpent))), "{path}");
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "{pages:#?}");
}

#[actix_web::test]
async fn an_invitation_does_not_outlive_the_rights_of_who_made_it() {
    let world = world();
    world.account("acme").at("lab").administrator("ada");
    let path = invited(&world, "ada", "lab", "nora@example.com", "Administrator");
    let mut nora = Browser::new(&world.console().await);
    assert_eq!(nora.get(&path).await.status, 200);
    let by = world.grant::<UpdateMembers>(ADMIN, "lab").expect("the administrator may");
    let manager = role_id(&world, ADMIN, "lab", "Account manager");
    let demoted = [Wanted { role_id: manager, scope: Scope::HereAndBelow, ends_at: ids::never() }];
    world.write(|db| members::give(db, &by, &world.person_id("ada"), &demoted, None)).expect("ada is demoted");
    assert_eq!(nora.get(&path).await.status, 410);
    // Somebody who still holds it sends it again, and answers for it.
    let id = pending(&world, "lab", "nora@example.com");
    let ada = world.grant::<CreateMembers>("ada", "lab").expect("a manager may invite");
    let refused = world.write(|db| members::send_again(db, &ada, &id, "http://x"));
    assert!(matches!(refused, Err(Problem::Conflict(Reason::MoreThanHeld))));
    let refused = world.write(|db| members::withdraw(db, &ada, &id));
    assert!(matches!(refused, Err(Problem::Conflict(Reason::MoreThanHeld))));
    let path = link(&world, ADMIN, "lab", &id);
    assert_eq!(nora.get(&path).await.status, 200);
}

#[actix_web::test]
async fn fifty_who_accept_at_once_are_one() {
    let world = world();
    let kim = world.person("kim");
    let path = invited(&world, ADMIN, "lab", &email("kim"), "Read only");
    let start = Barrier::new(50);
    let won = std::thread::scope(|scope| {
        let accept = || {
            let (pool, start, token) = (world.pool.clone(), &start, token(&path));
            scope.spawn(move || {
                start.wait();
                pool.write_here(|db| {
                    let actor = lookup::actor(db, kim)?;
                    members::accept(db, &actor, &Origin::default(), token)
                })
            })
        };
        let running: Vec<_> = (0..50).map(|_| accept()).collect();
        let outcomes = running.into_iter().map(|thread| thread.join().expect("no thread panics"));
        outcomes
            .filter(|outcome| match outcome {
                Ok(_) => true,
                Err(Problem::Conflict(Reason::LinkIsSpent)) => false,
                Err(other) => panic!("{other}"),
            })
            .count()
    });
    assert_eq!(won, 1);
    let log = "UPDATE installation SET purpose = purpose WHERE (SELECT COUNT(*) FROM audit_entries WHERE event_type = 'MEMBER_INVITE_ACCEPT') = 1";
    assert_eq!(world.sql(log), 1, "one entry in the log");
    world.assert_sound();
}

#[actix_web::test]
async fn accepting_never_takes_away_what_somebody_has() {
    let world = world();
    world.account("acme").administrator("kim");
    let mut new = new_invitation(&world, ADMIN, "lab", &email("kim"), "Read only");
    new.scope = Scope::Here;
    new.ends_at = ids::now() + Duration::days(3);
    send(&world, ADMIN, "lab", &new).expect("an invitation");
    let path = link(&world, ADMIN, "lab", &pending(&world, "lab", &email("kim")));
    world.account("acme").at("lab").viewer("kim");
    let mut kim = world.browser("kim").await;
    kim.get(&path).await;
    kim.submit("Accept invitation", &[]).await;
    kim.get(&world.path("lab", "members?show=own")).await;
    assert_eq!(kim.page.row("kim")[1], "Read onlyThis account and all below", "{}", kim.page);
}

#[actix_web::test]
async fn invitations_are_sent_again_copied_once_and_withdrawn() {
    let world = world();
    invite(&world, ADMIN, "lab", "nora@example.com", "Read only");
    let mut admin = world.browser(ADMIN).await;
    admin.get(&world.path("lab", "members?show=invited")).await;
    admin.click("nora@example.com").await;
    let shown = admin.page.clone();
    admin.submit("Copy a link instead", &[]).await;
    let link = admin.page.field("Link");
    let path = link.strip_prefix("http://127.0.0.1:8080").expect("a link to here").to_owned();
    let mut nora = Browser::new(&admin.console);
    assert_eq!(nora.get(&path).await.status, 200);
    // The same form once more does not show it again.
    let form = shown.form("Copy a link instead");
    let answer = admin.post(&form.action, &form.pairs()).await;
    assert_eq!(answer.status, 303);
    admin.get(answer.header("location")).await;
    assert!(admin.page.flash().contains("cannot be shown again"), "{}", admin.page);
    admin.click("nora@example.com").await;
    admin.submit("Send again", &[]).await;
    assert!(admin.page.flash().starts_with("nora@example.com is invited, and the mail is kept"), "{}", admin.page);
    assert_eq!(nora.get(&path).await.status, 410, "the old link is dead");
    admin.click("nora@example.com").await;
    admin.click("Withdraw…").await;
    admin.submit("Withdraw the invitation", &[]).await;
    assert!(admin.page.text().contains("Nobody is invited"), "{}", admin.page);
}

#[actix_web::test]
async fn guessing_links_is_throttled_and_a_right_one_still_works() {
    let world = world();
    let path = invited(&world, ADMIN, "lab", "nora@example.com", "Read only");
    let mut guest = Browser::new(&world.console().await);
    let mut last = 0;
    for _ in 0..60 {
        last = guest.get(&format!("/invites/{}", ids::token())).await.status.as_u16();
    }
    assert_eq!(last, 429);
    assert_eq!(guest.get(&path).await.status, 200);
}
