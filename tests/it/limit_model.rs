//! Random limits in a random tree, asked of the product and counted by hand: parents walked up, no SQL. Every account has
//! room for one more, or has not, in both alike.

use diesel::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use subtenant::ids::{self, Key};
use subtenant::limits::{self, Resource};
use subtenant::store::schema::networks;

use crate::limits::{limit, refused, room};
use crate::world::World;

/// What a limit of the model says: where, of the branch or not, how many.
type Said = (usize, bool, i64);

#[test]
fn random_limits_in_a_random_tree_say_what_counting_by_hand_says() {
    let world = World::new();
    let mut dice = StdRng::seed_from_u64(19);
    let mut names = vec!["root".to_owned()];
    let mut parents = vec![None];
    world.account("root");
    for n in 1..14 {
        let parent = dice.random_range(0..names.len());
        let name = format!("a{n}");
        world.account("root").at(&names[parent]).child(&name);
        names.push(name);
        parents.push(Some(parent));
    }
    let keys: Vec<Key> = names.iter().map(|name| world.key(name)).collect();
    let up = |account: usize| {
        let mut path = vec![account];
        while let Some(parent) = parents[path[path.len() - 1]] {
            path.push(parent);
        }
        path
    };
    let mut has = vec![0i64; names.len()];
    let mut answers = [0, 0];
    for round in 0..120 {
        let account = dice.random_range(0..names.len());
        let row = (
            networks::key.eq(ids::next_key()),
            networks::id.eq(ids::new_id("net")),
            networks::account_key.eq(keys[account]),
            networks::name.eq("n"),
            networks::name_key.eq(format!("{round}")),
            networks::description.eq(""),
            networks::state.eq("ACTIVE"),
            networks::created_at.eq(ids::now()),
        );
        world.write(|db| Ok(diesel::insert_into(networks::table).values(row).execute(db)?)).expect("a network");
        has[account] += 1;
        world.sql("DELETE FROM resource_limits");
        let mut said: Vec<Said> = Vec::new();
        for _ in 0..dice.random_range(0..12) {
            let one = (dice.random_range(0..names.len()), dice.random_bool(0.6), dice.random_range(0..round / 2 + 3));
            if !said.iter().any(|(at, branch, _)| (*at, *branch) == (one.0, one.1)) {
                limit(&world, &names[one.0], Resource::Network, one.1, one.2);
                said.push(one);
            }
        }
        let used = |at: usize, branch: bool| -> i64 {
            let inside = |a: &usize| if branch { up(*a).contains(&at) } else { *a == at };
            (0..names.len()).filter(inside).map(|a| has[a]).sum()
        };
        for account in 0..names.len() {
            let holds = |(at, branch, _): &&Said| if *branch { up(account).contains(at) } else { *at == account };
            let full = said.iter().filter(holds).any(|(at, branch, most)| used(*at, *branch) + 1 > *most);
            assert_eq!(refused(room(&world, &names[account], Resource::Network)), full, "{round}: {account} {said:?}");
            answers[usize::from(full)] += 1;
            let over = world.read(|db| limits::over(db, keys[account], Resource::Network)).expect("limits");
            let by =
                |branch: bool| said.iter().filter(holds).any(|(at, b, most)| *b == branch && used(*at, *b) > *most);
            assert_eq!((over.own, over.branch), (by(false), by(true)), "{round}: {account} {said:?}");
        }
    }
    assert!(answers.iter().all(|n| *n > 300), "{answers:?}");
}
