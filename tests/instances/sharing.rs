//! What one instance did holds at all of them: sessions, forms that were sent twice, attempts that were counted, rights
//! that were taken away, and moves that would close a circle.

use std::collections::BTreeSet;
use std::sync::Barrier;

use diesel::prelude::*;
use subtenant::access::policy::{CreateAccounts, UpdateAccounts};
use subtenant::accounts;
use subtenant::problem::{Problem, Reason};
use subtenant::store::Pool;
use subtenant::store::schema::{accounts as account_rows, assignments};

use crate::client::{Client, Reply};
use crate::cluster::Cluster;
use crate::world::{World, admin_of};
use crate::{count, is_possible};

const ADMIN: &str = "admin-of-acme";
pub const LEAVE: &str = "Leave for the child account's administrator to review and accept";

fn world() -> World {
    let world = World::new();
    world.account("acme").children(&["lab", "shop"]);
    world
}

fn cluster(world: &World) -> Cluster {
    Cluster::start(world.place().url(), count(2, 4), &[])
}

/// The same act at several instances at the same moment.
pub fn at_once<T: Send, F: FnOnce() -> T + Send>(acts: Vec<F>) -> Vec<T> {
    let start = Barrier::new(acts.len());
    std::thread::scope(|scope| {
        let run = |act: F| {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                act()
            })
        };
        let running: Vec<_> = acts.into_iter().map(run).collect();
        running.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    })
}

#[test]
fn a_session_is_good_at_every_instance_and_ended_at_all_of_them_at_once() {
    if !is_possible() {
        return;
    }
    let world = world();
    let cluster = cluster(&world);
    let (client, page) = (Client::signed_in(&cluster.origin, ADMIN), world.path("acme", "dashboard"));
    let by: BTreeSet<usize> = (0..cluster.len() * 2)
        .map(|_| client.get(&page).expect("an answer"))
        .map(|reply| {
            assert_eq!(reply.status, 200, "{}", reply.page());
            reply.by.expect("an instance")
        })
        .collect();
    assert_eq!(by.len(), cluster.len(), "the instances take turns");
    let stolen = client.session();
    let statuses = || -> BTreeSet<u16> {
        (0..cluster.len()).map(|number| Client::status_with(&cluster.instance(number), &page, &stolen)).collect()
    };
    assert_eq!(statuses(), BTreeSet::from([200]));
    let out = client.form(&page, "Sign out");
    assert_eq!(client.post("/sign-out", &out.pairs()).expect("an answer").status, 303);
    assert_eq!(statuses(), BTreeSet::from([303]), "somewhere the session goes on");
}

#[test]
fn a_form_sent_to_several_instances_at_once_has_one_effect_and_one_answer() {
    if !is_possible() {
        return;
    }
    let world = world();
    let cluster = cluster(&world);
    let client = Client::signed_in(&cluster.origin, ADMIN);
    let new = world.path("acme", "child-accounts/new");
    let mut form = client.form(&new, "Save");
    form.fill(LEAVE, "yes");
    let rounds = count(10, 200);
    for round in 0..rounds {
        form.set("name", &format!("twin {round}"));
        form.set("_key", &subtenant::ids::token());
        let (pairs, new) = (&form.pairs(), &new);
        let send = |number| {
            let client = client.at(&cluster.instance(number));
            move || client.post(new, pairs).expect("an answer")
        };
        let replies: Vec<Reply> = at_once((0..cluster.len()).map(send).collect());
        let answers: BTreeSet<(u16, &str)> =
            replies.iter().map(|reply| (reply.status, reply.location.as_str())).collect();
        assert_eq!(answers.len(), 1, "round {round}: {answers:?}");
        assert_eq!(replies[0].status, 303, "{}", replies[0].page());
    }
    let twins = account_rows::table.filter(account_rows::name.like("twin %")).count();
    let twins: i64 = world.read(|db| Ok(twins.get_result(db)?)).expect("accounts are counted");
    assert_eq!(usize::try_from(twins).expect("a number"), rounds);
    world.assert_sound();
}

#[test]
fn failed_sign_ins_are_counted_over_all_instances_together() {
    if !is_possible() {
        return;
    }
    let world = world();
    let cluster = cluster(&world);
    for round in 0..count(2, 20) {
        // Each guesser has its own page; all send at the same moment, wherever their turn is.
        let address = format!("198.51.100.{}", round + 1);
        let guessers: Vec<Client> = (0..24).map(|_| Client::from(&cluster.origin, &address)).collect();
        let guess = |client: &Client| {
            let mut form = client.form("/sign-in", "Sign in");
            form.fill("Email", &crate::world::email(ADMIN));
            form.fill("Password", "wrong");
            let client = client.clone();
            move || client.post("/sign-in", &form.pairs()).expect("an answer")
        };
        let replies = at_once(guessers.iter().map(guess).collect());
        let taken = |status: u16| replies.iter().filter(|reply| reply.status == status).count();
        assert_eq!((taken(422), taken(429)), (10, 14), "round {round}");
        let instances: BTreeSet<_> = replies.iter().filter_map(|reply| reply.by).collect();
        assert_eq!(instances.len(), cluster.len(), "all of them were asked");
    }
}

#[test]
fn a_right_that_was_taken_away_at_one_instance_is_gone_at_all_of_them() {
    if !is_possible() {
        return;
    }
    let world = world();
    world.account("acme").at("lab").viewer("vera");
    let cluster = cluster(&world);
    let (vera, page) = (Client::signed_in(&cluster.origin, "vera"), world.path("lab", "child-accounts"));
    let statuses = || -> BTreeSet<u16> {
        (0..cluster.len())
            .map(|number| vera.at(&cluster.instance(number)).get(&page).expect("an answer").status)
            .collect()
    };
    for _ in 0..count(5, 50) {
        assert_eq!(statuses(), BTreeSet::from([200]));
        let key = world.person("vera");
        world
            .write(|db| Ok(diesel::delete(assignments::table.filter(assignments::user_key.eq(key))).execute(db)?))
            .expect("gone");
        assert_eq!(statuses(), BTreeSet::from([404]));
        world.account("acme").at("lab").viewer("vera");
    }
}

#[test]
fn moves_that_would_close_a_circle_do_not_wherever_they_come_from() {
    if !is_possible() {
        return;
    }
    let world = world();
    // Moving has no page yet; two pools are to the database what two instances are.
    let pools = [(); 2].map(|()| Pool::open(&world.config.database_url, 1).expect("a pool"));
    let _serving = cluster(&world);
    for round in 0..count(20, 500) {
        let moving = |(account, under): (&str, &str), pool: &Pool| {
            let by = world.grant::<UpdateAccounts>(&admin_of("acme"), account).expect("the administrator may");
            let to = world.grant::<CreateAccounts>(&admin_of("acme"), under).expect("the administrator may");
            let pool = pool.clone();
            move || pool.write_here(|db| accounts::move_under(db, &by, &to, 1000))
        };
        let pairs = [("lab", "shop"), ("shop", "lab")];
        let outcomes = at_once(pairs.into_iter().zip(&pools).map(|(pair, pool)| moving(pair, pool)).collect());
        let refused = |outcome: &Result<(), Problem>| matches!(outcome, Err(Problem::Conflict(Reason::Cycle)));
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "round {round}: {outcomes:?}");
        assert_eq!(outcomes.iter().filter(|outcome| refused(outcome)).count(), 1, "round {round}: {outcomes:?}");
        world.assert_sound();
        let lower = if outcomes[0].is_ok() { "lab" } else { "shop" };
        let back = moving((lower, "acme"), &pools[0]);
        back().expect("it goes back up");
    }
}
