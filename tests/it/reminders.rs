//! Access that ends is announced to the member and to whoever gave it: 30, 7 and 1 days before, each once, however many
//! processes look, and from the start again when the end moves. Time passes by moving the ends.

use chrono::{Duration, NaiveDateTime};
use futures_util::future::join;
use subtenant::access::Scope;
use subtenant::{ids, reminders};

use crate::mailbox::{empty, letters, letters_to};
use crate::world::{World, admin_of, email};

/// As it is stored: SQLite compares it as a text, in which a moment has no more digits than it needs.
fn sql_time(at: NaiveDateTime) -> String {
    at.format("%F %T%.f").to_string()
}

/// Vera reads Lab for another 40 days; the administrator gave it to her a while ago.
fn world() -> World {
    let world = World::new();
    let ends = ids::now() + Duration::days(40);
    world.account("acme").child("Lab").member_until("vera", "Read only", Scope::HereAndBelow, ends);
    let granter = world.person(&admin_of("acme"));
    let long_ago = sql_time(ids::now() - Duration::days(100));
    world.sql(&format!(
        "UPDATE assignments SET granted_by = {granter}, created_at = '{long_ago}' WHERE ends_at < '9999-01-01'"
    ));
    empty(&world);
    world
}

/// The access now ends after this time.
fn ends_in(world: &World, left: Duration) {
    let end = sql_time(ids::now() + left);
    world.sql(&format!("UPDATE assignments SET ends_at = '{end}' WHERE ends_at < '9999-01-01'"));
}

/// As time passes, the end stays what it was: the rows about it move along.
fn pass_until(world: &World, left: Duration) {
    ends_in(world, left);
    world.sql("UPDATE sent_reminders SET ends_at = (SELECT ends_at FROM assignments WHERE ends_at < '9999-01-01')");
}

async fn look(world: &World) -> usize {
    reminders::post_due(&world.pool).await.expect("the reminders are posted");
    let posted = letters(world).len();
    empty(world);
    posted
}

#[actix_web::test]
async fn each_stage_goes_once_to_the_member_and_to_the_one_who_gave() {
    let world = world();
    assert_eq!(look(&world).await, 0);
    for (left, posted) in [
        (Duration::days(30), 2),
        (Duration::days(29), 0),
        (Duration::days(7), 2),
        (Duration::days(2), 0),
        (Duration::hours(24), 2),
        (Duration::hours(1), 0),
        (Duration::hours(-1), 0),
    ] {
        pass_until(&world, left - Duration::minutes(1));
        assert_eq!(look(&world).await, posted, "{left}");
        assert_eq!(look(&world).await, 0, "again at {left}");
    }
}

#[actix_web::test]
async fn the_letters_say_what_ends_when_and_where() {
    let world = world();
    ends_in(&world, Duration::days(7) - Duration::minutes(1));
    reminders::post_due(&world.pool).await.expect("posted");
    let [member] = &letters_to(&world, "vera")[..] else { panic!("one letter") };
    assert_eq!(member.subject, "Your access to Lab ends in 7 days");
    assert_eq!(member.facts[0].1, "restricted / Lab", "what the member may not see has no name");
    let [granter] = &letters_to(&world, &admin_of("acme"))[..] else { panic!("one letter") };
    assert_eq!(granter.subject, "Access of vera Example to Lab ends in 7 days");
    assert_eq!(granter.facts[0].1, format!("vera Example ({})", email("vera")));
    assert_eq!(granter.facts[1].1, "acme / Lab");
}

#[actix_web::test]
async fn an_end_that_moves_is_announced_anew_and_a_late_start_skips_no_stage_to_come() {
    let world = world();
    ends_in(&world, Duration::days(5));
    assert_eq!(look(&world).await, 2, "the stages before are past");
    ends_in(&world, Duration::days(6));
    assert_eq!(look(&world).await, 2);
    ends_in(&world, Duration::days(300));
    assert_eq!(look(&world).await, 0);
    ends_in(&world, Duration::days(20));
    assert_eq!(look(&world).await, 2);
}

#[actix_web::test]
async fn what_was_given_within_a_stage_is_not_announced_at_once() {
    let world = world();
    let now = sql_time(ids::now());
    world.sql(&format!("UPDATE assignments SET created_at = '{now}' WHERE ends_at < '9999-01-01'"));
    ends_in(&world, Duration::days(5));
    assert_eq!(look(&world).await, 0);
    pass_until(&world, Duration::hours(20));
    let day_ago = sql_time(ids::now() - Duration::days(4));
    world.sql(&format!("UPDATE assignments SET created_at = '{day_ago}' WHERE ends_at < '9999-01-01'"));
    assert_eq!(look(&world).await, 2);
}

#[actix_web::test]
async fn two_processes_announce_once_and_one_who_sees_nothing_any_more_hears_nothing() {
    let world = world();
    let root = world.key("acme");
    for n in 0..60 {
        let name = format!("member {n}");
        let end = ids::now() + Duration::days(3);
        world.account("acme").at("Lab").member_until(&name, "Read only", Scope::Here, end);
    }
    let before = sql_time(ids::now() - Duration::days(10));
    let stranger = world.person("gone");
    world.sql(&format!(
        "UPDATE assignments SET created_at = '{before}', granted_by = {stranger}
         WHERE ends_at < '9999-01-01' AND account_key <> {root}"
    ));
    ends_in(&world, Duration::days(3));
    let (one, other) = join(reminders::post_due(&world.pool), reminders::post_due(&world.pool)).await;
    one.and(other).expect("both looked");
    assert_eq!(letters(&world).len(), 61);
    assert!(letters_to(&world, "gone").is_empty());
}
