//! Random histories compared with the naive model (T5, T6, T23): each act comes to the same outcome in both, each change
//! to one entry in the log of the account and of everything above it, and after each step some random questions
//! (ancestors, rights, payer, agreements, readiness, sums below) have the same answer. A failure names its seed; played
//! again alone it is the same history.

use std::collections::BTreeSet;

use diesel::prelude::*;
use rand::Rng;
use subtenant::access::lookup;
use subtenant::access::policy::{Permission, Permissions, Resource, Verb};
use subtenant::billing::{self, Payer};
use subtenant::problem::Problem;
use subtenant::store::schema::audit_scope;
use subtenant::{consent, readiness};

use crate::history::{History, PEOPLE};
use crate::model::{RESOURCES, Right, VERBS};
use crate::place::postgres;
use crate::world::World;

const STEPS: usize = 40;
const QUESTIONS: usize = 2;

/// How many histories each of the two tests plays.
fn histories() -> u64 {
    if postgres().is_some() { 20 } else { 100 }
}

fn rights_of(held: Permissions) -> BTreeSet<Right> {
    let resources = Resource::EVERY.into_iter().filter(|r| *r != Resource::All);
    let verbs = || Verb::EVERY.into_iter().filter(|v| *v != Verb::All);
    let every = resources.flat_map(|r| verbs().map(move |v| (r, v)));
    let allowed = every.filter(|(r, v)| held.allow(Permission(*r, *v)));
    let known = |list: &[&'static str], word: &str| list.iter().find(|w| **w == word).copied().expect("a known word");
    allowed.map(|(r, v)| (known(&RESOURCES, r.word()), known(&VERBS, v.word()))).collect()
}

impl History<'_> {
    fn place_of(&self, key: subtenant::ids::Key) -> usize {
        self.keys.iter().position(|(k, _)| *k == key).expect("an account of this history")
    }

    /// Somebody asks about an account.
    fn compare(&self, person: usize, account: usize) {
        let (user, (key, id), model) = (self.people[person], &self.keys[account], &self.model);
        let frame = self.world.read(|db| lookup::frame(db, user, id));
        if model.accounts[account].closed {
            assert!(matches!(frame, Err(Problem::NotFound)), "{account} is closed");
            return;
        }
        let frame = frame.expect("an open account has a frame");
        let chain: Vec<usize> = frame.chain.iter().rev().map(|step| self.place_of(step.place.key)).collect();
        assert_eq!(chain, model.up(account), "the accounts above {account}");
        for (step, place) in frame.chain.iter().rev().zip(&chain) {
            assert_eq!(rights_of(step.held), model.held(person, *place), "rights of {person} at {place}");
        }
        let mut child = model.clone();
        child.accounts.push(crate::model::Account { parent: Some(account), ..Default::default() });
        assert_eq!(
            rights_of(frame.below),
            child.held(person, model.accounts.len()),
            "rights of {person} below {account}"
        );
        assert_eq!(frame.account().children_count as usize, model.children(account), "children of {account}");
        assert_eq!(frame.account().version, model.accounts[account].version, "version of {account}");
        let suspended = frame.suspended.as_ref().map(|one| self.place_of(one.at));
        assert_eq!(suspended, model.suspended_at(account), "where {account} is suspended");
        self.compare_money(*key, account);
        let rows = audit_scope::table.filter(audit_scope::account_key.eq(*key)).count();
        let entries: i64 = self.world.read(|db| Ok(rows.get_result(db)?)).expect("entries are counted");
        assert_eq!(entries, model.accounts[account].entries, "entries in the log of {account}");
    }

    fn compare_money(&self, key: subtenant::ids::Key, account: usize) {
        let model = &self.model;
        let read = |db: &mut _| {
            let bound = consent::missing(db, key)?.is_empty();
            Ok((readiness::of(db, key)?, bound, readiness::below(db, key)?, billing::below(db, key)?))
        };
        let (ready, bound, below, paid) = self.world.read(read).expect("readiness is read");
        let payer = match &ready.payer {
            Payer::Own { .. } => Some(account),
            Payer::Inherited(source) => Some(self.place_of(source.key)),
            Payer::Nobody => None,
        };
        assert_eq!(payer, model.payer(account), "who pays for {account}");
        assert_eq!(bound, model.accounts[account].bound, "agreements of {account}");
        assert_eq!(ready.blockers().is_empty(), model.is_ready(account), "readiness of {account}");
        let without = ready.blockers().contains(&readiness::Blocker::NoPayer);
        assert_eq!(without, model.payer(account).is_none(), "what blocks {account}");
        let all = model.below(account);
        let count = |fits: &dyn Fn(usize) -> bool| all.iter().filter(|a| fits(**a)).count() as i64;
        assert_eq!(below.accounts, all.len() as i64, "accounts below {account}");
        assert_eq!(below.ready, count(&|a| model.is_ready(a)), "ready below {account}");
        let suspended = count(&|a| model.suspended_at(a).is_some());
        assert_eq!(below.suspended, suspended, "suspended below {account}");
        assert_eq!(below.awaiting_agreements, count(&|a| !model.accounts[a].bound), "not bound below {account}");
        assert_eq!(below.awaiting_payment, count(&|a| model.payer(a).is_none()), "without a payer below {account}");
        assert_eq!(paid.own, count(&|a| model.accounts[a].method.is_some()), "own methods below {account}");
        assert_eq!(paid.without, below.awaiting_payment, "without a payer below {account}");
        assert_eq!(paid.own + paid.inherited + paid.without, paid.accounts, "sums below {account}");
    }
}

fn play(world: &World, seed: u64) {
    let mut history = History::begin(world, seed);
    for step in 0..STEPS {
        let (what, is, should) = history.step();
        assert_eq!(is, should, "step {step}: {what}");
        for _ in 0..QUESTIONS {
            let person = history.dice.random_range(0..PEOPLE);
            let account = history.dice.random_range(0..history.keys.len());
            let asked = std::panic::AssertUnwindSafe(|| history.compare(person, account));
            if let Err(panic) = std::panic::catch_unwind(asked) {
                eprintln!("after step {step}: {what}");
                std::panic::resume_unwind(panic);
            }
        }
    }
}

fn play_all(seeds: std::ops::Range<u64>) {
    let world = World::new();
    for seed in seeds {
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play(&world, seed)));
        played.unwrap_or_else(|_| panic!("the history of seed {seed} differs from its model; see above"));
    }
    world.assert_sound();
}

#[test]
fn histories_come_to_what_the_model_says() {
    play_all(0..histories());
}

#[test]
fn more_histories_come_to_what_the_model_says() {
    play_all(1000..1000 + histories());
}
