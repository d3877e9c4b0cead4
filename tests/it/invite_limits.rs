//! How far an invitation goes: not longer than whoever gives it, not to the whole world, and what its link proves.

use chrono::Duration;
use subtenant::access::Scope;
use subtenant::access::policy::{CreateMembers, UpdateMembers};
use subtenant::ids;
use subtenant::members::{self, Wanted};
use subtenant::problem::{Problem, Reason};

use crate::browser::Browser;
use crate::invited::{invite, invited, link, new_invitation, pending, role_id, send};
use crate::world::{PASSWORD, World};

const ADMIN: &str = "admin-of-acme";

fn world() -> World {
    let world = World::new();
    world.account("acme").child("lab").child("bench");
    world
}

#[actix_web::test]
async fn nobody_invites_or_changes_anybody_for_longer_than_they_are_there() {
    let world = world();
    let friday = ids::now() + Duration::days(3);
    world.account("acme").at("lab").member_until("otto", "Account manager", Scope::HereAndBelow, friday);
    let mut new = new_invitation(&world, "otto", "lab", "pal@example.com", "Account manager");
    let refused = send(&world, "otto", "lab", &new);
    assert!(matches!(refused, Err(Problem::Conflict(Reason::MoreThanHeld))), "{refused:?}");
    new.ends_at = friday;
    send(&world, "otto", "lab", &new).expect("as long as otto's own");
    // Nor for themselves; saving the same again is no giving.
    let role = role_id(&world, "otto", "lab", "Account manager");
    let by = world.grant::<UpdateMembers>("otto", "lab").expect("otto may");
    let give = |ends_at| {
        let wanted = Wanted { role_id: role.clone(), scope: Scope::HereAndBelow, ends_at };
        world.write(|db| members::give(db, &by, &world.person_id("otto"), &[wanted], None))
    };
    let refused = give(ids::never());
    assert!(matches!(refused, Err(Problem::Conflict(Reason::MoreThanHeld))), "{refused:?}");
    give(friday).expect("nothing changes");
    // An invitation that was made in time stands no longer than its maker's rights either.
    let admin = world.grant::<UpdateMembers>(ADMIN, "lab").expect("the administrator may");
    let sooner = Wanted { role_id: role.clone(), scope: Scope::HereAndBelow, ends_at: friday - Duration::days(1) };
    world.write(|db| members::give(db, &admin, &world.person_id("otto"), &[sooner], None)).expect("a shorter end");
    let id = pending(&world, "lab", "pal@example.com");
    let by = world.grant::<CreateMembers>("otto", "lab").expect("otto may still invite");
    let refused = world.write(|db| members::send_again(db, &by, &id, "http://console"));
    assert!(matches!(refused, Err(Problem::Conflict(Reason::MoreThanHeld))), "{refused:?}");
}

#[actix_web::test]
async fn a_link_that_was_handed_over_proves_no_address() {
    let world = world();
    let handed = invited(&world, ADMIN, "lab", "ceo@example.com", "Read only");
    invite(&world, ADMIN, "lab", "nora@example.com", "Read only");
    let mailed = {
        let letters = crate::mailbox::letters(&world);
        let letter = letters.iter().find(|letter| letter.to == "nora@example.com").expect("her letter");
        let path = crate::mailbox::path(letter);
        path.strip_prefix("http://127.0.0.1:8080").unwrap_or(&path).to_owned()
    };
    for (path, words) in [(handed, "Not confirmed yet"), (mailed, "Confirmed")] {
        let mut guest = Browser::new(&world.console().await);
        guest.get(&path).await;
        let fields = [("First name", "Nora"), ("Last name", "New"), ("Company", "Acme"), ("Password", PASSWORD)];
        guest.submit("Accept invitation", &fields).await;
        assert!(guest.get("/profile").await.text().contains(words), "{}", guest.page);
    }
}

#[actix_web::test]
async fn nobody_mails_the_world_through_this_console() {
    let world = world();
    let mut new = new_invitation(&world, ADMIN, "lab", "x@example.com", "Read only");
    for form in 0..6 {
        new.addresses = (0..50).map(|n| format!("p{form}-{n}@example.com")).collect();
        send(&world, ADMIN, "lab", &new).expect("50 more");
    }
    let mut admin = world.browser(ADMIN).await;
    admin.get(&world.path("bench", "members/new")).await;
    admin.submit("Invite", &[("Email addresses", "one@example.com"), ("Read only", "yes")]).await;
    let error = admin.page.error("Email addresses");
    assert!(error.starts_with("300 invitations a day are the most"), "{error}");
    // Nor does anybody fill one mailbox.
    let id = pending(&world, "lab", "p0-0@example.com");
    let by = world.grant::<CreateMembers>(ADMIN, "lab").expect("the administrator may");
    let again = || world.write(|db| members::send_again(db, &by, &id, "http://console"));
    for _ in 0..4 {
        again().expect("one more mail");
    }
    let refused = again();
    assert!(matches!(refused, Err(Problem::TooMany { .. })), "{refused:?}");
    admin.get(&world.path("lab", &format!("members/invitations/{id}"))).await;
    admin.submit("Send again", &[]).await;
    assert!(admin.page.flash().contains("Five mails went to that address"), "{}", admin.page);
}

#[actix_web::test]
async fn roles_that_hold_below_only_lead_to_the_accounts_below() {
    let world = world();
    let mut new = new_invitation(&world, ADMIN, "lab", "tess@example.com", "Read only");
    new.scope = Scope::Below;
    send(&world, ADMIN, "lab", &new).expect("an invitation");
    let path = link(&world, ADMIN, "lab", &pending(&world, "lab", "tess@example.com"));
    let mut tess = Browser::new(&world.console().await);
    tess.get(&path).await;
    let fields = [("First name", "Tess"), ("Last name", "New"), ("Company", "Acme"), ("Password", PASSWORD)];
    tess.submit("Accept invitation", &fields).await;
    assert_eq!(tess.page.path(), world.path("bench", "dashboard"), "{}", tess.page);
    assert!(tess.page.flash().contains("Your roles reach the accounts below it"), "{}", tess.page);
    assert_eq!(tess.get(&world.path("lab", "dashboard")).await.status, 404);
    // They cannot look at the account, but they can leave it.
    tess.get("/profile").await;
    tess.click("Leave… lab").await;
    assert_eq!(tess.page.link("Stay"), Some("/profile".to_owned()), "{}", tess.page);
    tess.submit("Leave this account", &[]).await;
    assert!(tess.page.text().contains("You left lab."), "{}", tess.page);
    assert_eq!(tess.get(&world.path("bench", "dashboard")).await.status, 404);
    assert_eq!(tess.get(&world.path("lab", "members/leave")).await.status, 404);
}
