//! Random histories of the chain of command compared with naive rules (T5, T23): each act comes to the same outcome in
//! both; each change has exactly one entry in the log, with the right actor, the account and role acted from, the
//! fields before and after, in the logs of exactly the accounts that were above; and after each step twenty random
//! (person, account, act) have the same answer. HISTORIES says how many are played. A failure names its seed.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use diesel::prelude::*;
use rand::Rng;
use subtenant::access::lookup;
use subtenant::access::policy::{Permission, Permissions, Resource, Verb};
use subtenant::ids::Key;
use subtenant::problem::Problem;
use subtenant::store::schema::{audit_entries, audit_scope};

use crate::command_acts::{PEOPLE, Play, Told};
use crate::command_rules::{Boxes, Outcome, RESOURCES, VERBS, one};
use crate::place::postgres;
use crate::world::World;

const STEPS: usize = 80;
const QUESTIONS: usize = 20;
/// Histories in one database.
const TOGETHER: usize = 25;

/// How many histories are played, in two databases at once. A run of all checks plays a thousand: one half on SQLite,
/// the other on PostgreSQL.
fn histories() -> u64 {
    std::env::var("HISTORIES").ok().and_then(|n| n.parse().ok()).unwrap_or(500)
}

fn boxes_of(held: Permissions) -> Boxes {
    static CELLS: LazyLock<Vec<(Boxes, Permission)>> = LazyLock::new(|| {
        let resources = Resource::EVERY.into_iter().filter(|r| *r != Resource::All).enumerate();
        let verbs = || Verb::EVERY.into_iter().filter(|v| *v != Verb::All).enumerate();
        resources.flat_map(|(r, one_of)| verbs().map(move |(v, verb)| (one(r, v), Permission(one_of, verb)))).collect()
    });
    CELLS.iter().filter(|(_, permission)| held.allow(*permission)).fold(0, |all, (cell, _)| all | cell)
}

/// An entry as it is stored.
#[derive(Debug, Queryable)]
struct Entry {
    key: Key,
    actor: Option<Key>,
    from: Option<Key>,
    role: String,
    account: Option<Key>,
    event: String,
    before: String,
    after: String,
}

impl Play<'_> {
    fn place_of(&self, key: Key) -> usize {
        self.accounts.iter().position(|(k, _)| *k == key).expect("an account of this history")
    }

    /// What one access check says, and what one look at many accounts says, as ten questions each.
    fn ask(&mut self) {
        let mut dice = |most: usize| self.dice.random_range(0..most);
        let (one_person, another) = (dice(PEOPLE), dice(PEOPLE));
        let account = dice(self.accounts.len());
        let several: BTreeSet<usize> = (0..QUESTIONS / 2).map(|_| dice(self.accounts.len())).collect();
        let keys: Vec<Key> = several.iter().map(|a| self.accounts[*a].0).collect();
        let (user, other, id) = (self.people[one_person], self.people[another], &self.accounts[account].1);
        let read = self.world.read(|db| Ok((lookup::frame(db, user, id), lookup::chains(db, other, &keys)?)));
        let (frame, chains) = read.expect("rights are read");
        match frame {
            Err(Problem::NotFound) => assert!(self.rules.accounts[account].closed, "{account} is not found"),
            frame => {
                let frame = frame.expect("an open account has a frame");
                let chain: Vec<usize> = frame.chain.iter().rev().map(|step| self.place_of(step.place.key)).collect();
                assert_eq!(chain, self.rules.up(account), "the accounts above {account}");
                assert!(!self.rules.accounts[account].closed, "{account} is closed");
                for (step, place) in frame.chain.iter().rev().zip(chain) {
                    self.same(one_person, place, boxes_of(step.held), self.rules.held(one_person, place));
                }
                self.same(one_person, account, boxes_of(frame.below), self.rules.below(one_person, account));
            }
        }
        for account in several {
            let chain = chains.get(&self.accounts[account].0);
            let is = chain.and_then(|steps| steps.last()).map_or(0, |step| boxes_of(step.held));
            let closed = self.rules.accounts[account].closed;
            self.same(another, account, is, if closed { 0 } else { self.rules.held(another, account) });
        }
    }

    fn same(&self, person: usize, account: usize, is: Boxes, should: Boxes) {
        if is == should {
            return;
        }
        for (r, resource) in RESOURCES.iter().enumerate() {
            for (v, verb) in VERBS.iter().enumerate() {
                let (is, should) = (is & one(r, v) != 0, should & one(r, v) != 0);
                assert_eq!(is, should, "may {person} {verb} {resource} in {account}?");
            }
        }
    }

    /// The entries since the last look.
    fn entries_since(&self, last: Key) -> Vec<Entry> {
        let rows = audit_entries::table.filter(audit_entries::key.gt(last)).order(audit_entries::key).select((
            audit_entries::key,
            audit_entries::actor_key,
            audit_entries::acting_from_key,
            audit_entries::acting_role,
            audit_entries::account_key,
            audit_entries::event_type,
            audit_entries::before,
            audit_entries::after,
        ));
        self.world.read(|db| Ok(rows.load(db)?)).expect("the log is read")
    }

    fn check_entry(&self, entry: &Entry, told: &Told) {
        assert_eq!(entry.event, told.event);
        assert_eq!(entry.actor, Some(self.people[told.who]), "the actor");
        assert_eq!(entry.account, Some(self.accounts[told.account].0), "the account");
        let acting = entry.from.map(|key| (self.place_of(key), entry.role.clone()));
        assert_eq!(acting, told.acting, "acted from, as");
        if let Some((field, before, after)) = &told.field {
            assert_eq!(&value(&entry.before, field), before, "{field} before");
            assert_eq!(&value(&entry.after, field), after, "{field} after");
        }
        let rows = audit_scope::table.filter(audit_scope::entry_key.eq(entry.key));
        let rows = rows.select((audit_scope::account_key, audit_scope::own));
        let logs: Vec<(Key, bool)> = self.world.read(|db| Ok(rows.load(db)?)).expect("the logs are read");
        let is: BTreeSet<(usize, bool)> = logs.into_iter().map(|(key, own)| (self.place_of(key), own)).collect();
        let above = self.rules.up(told.account).into_iter().chain(told.left.into_iter().flat_map(|a| self.rules.up(a)));
        let own = |a: usize| a == told.account || told.acting.as_ref().is_some_and(|(from, _)| *from == a);
        let should: BTreeSet<(usize, bool)> = above.map(|a| (a, own(a))).collect();
        assert_eq!(is, should, "the logs that have it");
    }
}

/// What an entry says of a field, as a sorted list.
fn value(side: &str, field: &str) -> Vec<String> {
    let pairs: Vec<(String, String)> = serde_json::from_str(side).expect("pairs");
    let found = pairs.into_iter().find(|(name, _)| name == field);
    let mut list: Vec<String> = found.iter().flat_map(|(_, value)| value.split(", ")).map(str::to_owned).collect();
    list.sort_unstable();
    list
}

fn play(world: &World, seed: u64, seen: &mut BTreeSet<String>) {
    let mut play = Play::begin(world, seed);
    let mut last = play.entries_since(0).last().map_or(0, |entry| entry.key);
    for n in 0..STEPS {
        let step = play.step();
        let checked = std::panic::AssertUnwindSafe(|| {
            assert_eq!(step.is, step.should, "the outcome");
            let entries = play.entries_since(last);
            match step.told.as_ref().filter(|_| step.is == Outcome::Done) {
                Some(told) => {
                    assert_eq!(entries.len(), 1, "{entries:?}");
                    play.check_entry(&entries[0], told);
                    last = entries[0].key;
                }
                None => assert!(entries.is_empty(), "{entries:?}"),
            }
            play.ask();
        });
        let came_about = step.told.as_ref().filter(|_| step.is == Outcome::Done).map(|told| told.event.to_owned());
        seen.insert(came_about.unwrap_or_else(|| format!("{:?}", step.is)));
        if let Err(panic) = std::panic::catch_unwind(checked) {
            eprintln!("step {n} of seed {seed}: {}", step.what);
            std::panic::resume_unwind(panic);
        }
    }
}

fn play_all(seeds: std::ops::Range<u64>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    // Histories have no account in common. With too many in one database its statistics are out of date, as nothing
    // analyses it while it grows, and PostgreSQL reads whole tables.
    for some in seeds.collect::<Vec<_>>().chunks(TOGETHER) {
        let world = World::new();
        some.iter().for_each(|seed| play(&world, *seed, &mut seen));
        world.assert_sound();
    }
    seen
}

/// What must come about in enough histories: every change, and every reason to refuse one.
const EVERYTHING: [&str; 28] = [
    "ACCOUNT_CREATE",
    "ACCOUNT_MOVE",
    "ACCOUNT_DELETE",
    "ACCOUNT_RESTORE",
    "ROLE_CREATE",
    "ROLE_UPDATE",
    "ROLE_DELETE",
    "ACCOUNT_MEMBER_CREATE",
    "ACCOUNT_MEMBER_UPDATE",
    "ACCOUNT_MEMBER_DELETE",
    "MEMBER_INVITE_CREATE",
    "MEMBER_INVITE_ACCEPT",
    "MEMBER_INVITE_UPDATE",
    "MEMBER_INVITE_DELETE",
    "NotFound",
    "Forbidden",
    "Invalid",
    "Conflict(\"Cycle\")",
    "Conflict(\"RolesStayBehind\")",
    "Conflict(\"RootCannotBeClosed\")",
    "Conflict(\"HasChildAccounts\")",
    "Conflict(\"RoleIsBuiltIn\")",
    "Conflict(\"RoleIsInherited\")",
    "Conflict(\"RoleInUse\")",
    "Conflict(\"MoreThanHeld\")",
    "Conflict(\"AdminAccessMustExist\")",
    "Conflict(\"AlreadyMember\")",
    "Conflict(\"LinkIsSpent\")",
];

#[test]
fn the_chain_of_command_is_what_the_naive_rules_say() {
    let half = histories() / 2;
    let seen = std::thread::scope(|scope| {
        let first = if postgres().is_some() { 2 * half } else { 0 };
        let both =
            [first..first + half, first + half..first + 2 * half].map(|seeds| scope.spawn(move || play_all(seeds)));
        both.map(|half| half.join().expect("no history differs; see above"))
    });
    if half < 100 {
        return;
    }
    let missing: Vec<_> = EVERYTHING.iter().filter(|what| !seen.iter().any(|half| half.contains(**what))).collect();
    assert!(missing.is_empty(), "never came about: {missing:?}");
}
