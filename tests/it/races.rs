//! Two at once (T14, T15, T21): real threads, each with a pool of its own as if it were another process, start
//! together on operations that must not both succeed. Whatever the order, the tree stays a tree, its ancestry exact,
//! and nothing is overwritten unseen. What lost says why.

use std::sync::Barrier;

use diesel::prelude::*;
use subtenant::access::policy::CreateBilling;
use subtenant::access::policy::{CreateAccounts, DeleteAccounts, SeeAccount, UpdateAccounts, UpdateBilling};
use subtenant::access::{self, Origin};
use subtenant::accounts::{self, Details};
use subtenant::billing;
use subtenant::ids::Key;
use subtenant::problem::{Problem, Reason};
use subtenant::store::schema::accounts as account_rows;
use subtenant::store::{Db, Pool};

use crate::money::invoice;
use crate::world::{World, admin_of, new_child};

const MAX_DEPTH: i64 = 1000;

/// Pools of their own on the same database.
pub struct Rivals(Vec<Pool>);

pub type Act<'a> = Box<dyn FnOnce(&mut Db) -> Result<(), Problem> + Send + 'a>;

impl Rivals {
    pub fn of(world: &World) -> Rivals {
        Rivals((0..4).map(|_| Pool::open(&world.config.database_url, 1).expect("a pool")).collect())
    }

    /// Runs all acts at the same moment.
    pub fn race(&self, acts: Vec<Act>) -> Vec<Result<(), Problem>> {
        let start = Barrier::new(acts.len());
        std::thread::scope(|scope| {
            let run = |(act, pool): (_, &Pool)| {
                let (start, pool) = (&start, pool.clone());
                let act: Act = act;
                scope.spawn(move || {
                    pool.write_here(|db| {
                        start.wait();
                        act(db)
                    })
                })
            };
            let running: Vec<_> = acts.into_iter().zip(&self.0).map(run).collect();
            running.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
        })
    }
}

/// How many succeeded; every other one must have failed for a reason among these.
#[track_caller]
pub fn won(outcomes: &[Result<(), Problem>], fine: impl Fn(&Problem) -> bool) -> usize {
    for problem in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(fine(problem), "{problem}");
    }
    outcomes.iter().filter(|outcome| outcome.is_ok()).count()
}

fn moving<'a>(world: &World, account: &str, under: &str) -> Act<'a> {
    let by = world.grant::<UpdateAccounts>(&admin_of("acme"), account).expect("the administrator may");
    let to = world.grant::<CreateAccounts>(&admin_of("acme"), under).expect("the administrator may");
    Box::new(move |db| accounts::move_under(db, &by, &to, MAX_DEPTH))
}

fn closing<'a>(world: &World, account: &str) -> Act<'a> {
    let by = world.grant::<DeleteAccounts>(&admin_of("acme"), account).expect("the administrator may");
    Box::new(move |db| accounts::close(db, &by, by.account().version))
}

/// The accounts above this one, by walking up the parents; a circle ends the walk.
fn walk_up(world: &World, mut account: Key) -> Vec<Key> {
    let mut seen = vec![account];
    loop {
        let row = account_rows::table.find(account).select(account_rows::parent_key);
        let parent: Option<Key> = world.read(|db| Ok(row.first(db)?)).expect("the account exists");
        let Some(parent) = parent else { return seen };
        assert!(!seen.contains(&parent), "a circle: {seen:?} and again {parent}");
        seen.push(parent);
        account = parent;
    }
}

#[test]
fn moves_that_would_together_close_a_circle_do_not_all_happen() {
    let world = World::new();
    let rivals = Rivals::of(&world);
    let root = world.account("acme");
    for round in 0..300 {
        let names: Vec<String> = (0..2 + round % 3).map(|n| format!("{round}-{n}")).collect();
        names.iter().for_each(|name| drop(root.child(name)));
        let next = |n: usize| &names[(n + 1) % names.len()];
        let acts = names.iter().enumerate().map(|(n, name)| moving(&world, name, next(n))).collect();
        let winners = won(&rivals.race(acts), |p| matches!(p, Problem::Conflict(Reason::Cycle)));
        assert!((1..names.len()).contains(&winners), "round {round}: {winners} of {} moves happened", names.len());
        names.iter().for_each(|name| assert_eq!(walk_up(&world, world.key(name)).last(), Some(&world.key("acme"))));
    }
    world.assert_sound();
}

#[test]
fn an_account_made_in_a_branch_that_moves_goes_with_it_and_keeps_no_rights_of_the_old_place() {
    let world = World::new();
    let rivals = Rivals::of(&world);
    let root = world.account("acme");
    root.child("old").viewer("vera");
    root.child("new").viewer("nora");
    for round in 0..100 {
        let (branch, child) = (format!("branch {round}"), format!("child {round}"));
        root.at("old").child(&branch).child(&format!("leaf {round}"));
        let by = world.grant::<CreateAccounts>(&admin_of("acme"), &branch).expect("the administrator may");
        let creating: Act = Box::new(|db| accounts::open_child(db, &by, new_child(&child)).map(drop));
        let outcomes = rivals.race(vec![moving(&world, &branch, "new"), creating]);
        assert_eq!(won(&outcomes, |_| false), 2, "round {round}");
        let row = account_rows::table.filter(account_rows::name.eq(&child)).select(account_rows::id);
        let id: String = world.read(|db| Ok(row.first(db)?)).expect("the child was made");
        world.know(&child, &id, "acme");
        assert!(matches!(world.grant::<SeeAccount>("vera", &child), Err(Problem::NotFound)), "round {round}");
        assert!(world.grant::<SeeAccount>("nora", &child).is_ok(), "round {round}");
    }
    world.assert_sound();
}

#[test]
fn an_account_is_not_moved_under_one_that_is_closed_at_the_same_moment() {
    let world = World::new();
    let rivals = Rivals::of(&world);
    let root = world.account("acme");
    let mut moved = 0;
    for round in 0..100 {
        let (branch, target) = (format!("branch {round}"), format!("target {round}"));
        root.children(&[&branch, &target]);
        let outcomes = rivals.race(vec![moving(&world, &branch, &target), closing(&world, &target)]);
        let fine = |p: &Problem| {
            matches!(p, Problem::NotFound | Problem::Conflict(Reason::HasChildAccounts(1) | Reason::Stale))
        };
        assert_eq!(won(&outcomes, fine), 1, "round {round}: {outcomes:?}");
        moved += usize::from(outcomes[0].is_ok());
    }
    println!("{moved} of 100 were moved, the others closed first");
    world.assert_sound();
}

#[test]
fn a_child_is_not_made_in_an_account_that_is_closed_at_the_same_moment() {
    let world = World::new();
    let rivals = Rivals::of(&world);
    let root = world.account("acme");
    for round in 0..100 {
        let name = format!("{round}");
        root.child(&name);
        let by = world.grant::<CreateAccounts>(&admin_of("acme"), &name).expect("the administrator may");
        let creating: Act = Box::new(|db| accounts::open_child(db, &by, new_child("late")).map(drop));
        let outcomes = rivals.race(vec![creating, closing(&world, &name)]);
        let fine = |p: &Problem| matches!(p, Problem::NotFound | Problem::Conflict(Reason::HasChildAccounts(1)));
        assert_eq!(won(&outcomes, fine), 1, "round {round}: {outcomes:?}");
    }
    world.assert_sound();
}

#[test]
fn of_two_edits_of_the_same_version_one_is_told_so() {
    let world = World::new();
    let rivals = Rivals::of(&world);
    let (admin, user) = (admin_of("acme"), || world.person(&admin_of("acme")));
    world.account("acme");
    let by = world.grant::<CreateBilling>(&admin, "acme").expect("the administrator may");
    world.write(|db| billing::add(db, &by, &invoice("first", true), "")).expect("a payment method");
    let id = world.id("acme");
    for round in 0..50 {
        let by = world.grant::<UpdateAccounts>(&admin, "acme").expect("the administrator may");
        let editing = |n: i64| -> Act {
            let (by, details) = (by.clone(), Details { name: format!("{round} {n}"), ..Details::default() });
            Box::new(move |db| accounts::edit(db, &by, &details, by.account().version))
        };
        let outcomes = rivals.race((0..4).map(editing).collect());
        assert_eq!(won(&outcomes, |p| matches!(p, Problem::Conflict(Reason::Stale))), 1, "round {round}");

        let paying = |n: i64| -> Act {
            let (user, id, entries) = (user(), id.clone(), invoice(&format!("{round} {n}"), true));
            Box::new(move |db| {
                let by = access::grant::<UpdateBilling>(db, user, &id, Origin::default())?;
                billing::change(db, &by, round + 1, &entries, "")
            })
        };
        let outcomes = rivals.race((0..4).map(paying).collect());
        assert_eq!(won(&outcomes, |p| matches!(p, Problem::Conflict(Reason::Stale))), 1, "round {round}");
    }
}
