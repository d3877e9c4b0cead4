//! Instances are killed (SIGKILL) one after another while several people make child accounts through the one address.
//! Each keeps a journal: a form that got no answer is sent again as it is until it is acknowledged, by whichever
//! instance. In the end each of them had exactly one effect, with its entry in the log, nobody had to sign in again, and
//! the load balancer took every victim out and in again.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use subtenant::store::schema::{accounts, audit_entries};

use crate::client::Client;
use crate::cluster::Cluster;
use crate::sharing::LEAVE;
use crate::world::World;
use crate::{count, is_possible};

/// A form is sent again for so long before it counts as refused.
const LONGEST: Duration = Duration::from_secs(60);

/// What was acknowledged, by all writers together.
#[derive(Default)]
pub struct Journal(Mutex<Vec<String>>);

impl Journal {
    fn note(&self, name: String) {
        self.0.lock().expect("no writer panicked").push(name);
    }

    pub fn so_far(&self) -> Vec<String> {
        self.0.lock().expect("no writer panicked").clone()
    }

    /// Waits until so many more were acknowledged.
    pub fn wait_for_more(&self, more: usize) {
        let (before, started) = (self.so_far().len(), Instant::now());
        while self.so_far().len() < before + more {
            assert!(started.elapsed() < LONGEST, "nothing is written any more");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

pub struct Writer {
    client: Client,
    name: String,
    /// Forms that had to be sent more than once.
    again: usize,
}

impl Writer {
    pub fn new(cluster: &Cluster, name: &str) -> Writer {
        Writer { client: Client::signed_in(&cluster.origin, name), name: name.to_owned(), again: 0 }
    }

    /// Makes accounts until told to stop; the last form is acknowledged, too.
    pub fn work(mut self, new: &str, stop: &AtomicBool, journal: &Journal) -> Writer {
        let mut form = self.client.form(new, "Save");
        form.fill(LEAVE, "yes");
        for n in 0.. {
            let name = format!("{} {n}", self.name);
            form.set("name", &name);
            form.set("_key", &subtenant::ids::token());
            self.send_until_taken(new, &form.pairs());
            journal.note(name);
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        self
    }

    fn send_until_taken(&mut self, new: &str, pairs: &[(String, String)]) {
        let started = Instant::now();
        let mut tries = 0;
        loop {
            tries += 1;
            match self.client.post(new, pairs) {
                Some(reply) if reply.status == 303 => {
                    assert!(!reply.location.starts_with("/sign-in"), "{} lost the session", self.name);
                    break;
                }
                // The load balancer's own: the instance died before it answered, or there is none.
                Some(reply) if matches!(reply.status, 502..=504) => {}
                Some(reply) => panic!("{}: {} {}", self.name, reply.status, reply.page()),
                None => {}
            }
            assert!(started.elapsed() < LONGEST, "{} is not served any more", self.name);
            std::thread::sleep(Duration::from_millis(5));
        }
        self.again += usize::from(tries > 1);
    }
}

/// Administrators of the account, for writers to be.
pub fn administrators(world: &World, account: &str, people: usize) -> Vec<String> {
    let people: Vec<String> = (0..people).map(|n| format!("writer-{n}")).collect();
    people.iter().for_each(|person| _ = world.account(account).administrator(person));
    people
}

#[test]
fn an_instance_killed_under_load_takes_nothing_acknowledged_and_no_session_with_it() {
    if !is_possible() {
        return;
    }
    let world = World::new();
    world.account("acme");
    let people = administrators(&world, "acme", count(6, 16));
    let cluster = Cluster::start(world.place().url(), count(2, 4), &[]);
    let writers: Vec<Writer> = people.iter().map(|name| Writer::new(&cluster, name)).collect();
    let (new, stop, journal) = (world.path("acme", "child-accounts/new"), AtomicBool::new(false), Journal::default());
    let mut dice = StdRng::seed_from_u64(24);
    let kills = count(4, 100);
    let written: Vec<Writer> = std::thread::scope(|scope| {
        let work = |writer: Writer| {
            let (new, stop, journal) = (&new, &stop, &journal);
            scope.spawn(move || writer.work(new, stop, journal))
        };
        let running: Vec<_> = writers.into_iter().map(work).collect();
        for kill in 0..kills {
            journal.wait_for_more(dice.random_range(10..30));
            let victim = kill % cluster.len();
            cluster.kill(victim);
            cluster.balancer.wait_for(victim, false);
            journal.wait_for_more(20);
            cluster.spawn(victim);
            cluster.balancer.wait_for(victim, true);
        }
        stop.store(true, Ordering::Relaxed);
        running.into_iter().map(|writer| writer.join().expect("no writer panics")).collect()
    });
    // All are back, and everybody is still signed in at each of them.
    for writer in &written {
        let by: BTreeSet<_> = (0..cluster.len() * 2).filter_map(|_| writer.client.get(&new)?.by).collect();
        assert_eq!(by.len(), cluster.len(), "not all instances serve");
        assert_eq!(writer.client.get(&new).expect("an answer").status, 200);
    }
    drop(cluster);
    let again: usize = written.iter().map(|writer| writer.again).sum();
    let journal = journal.so_far();
    println!("{} accounts through {kills} kills, {again} of the forms sent again", journal.len());
    assert_exactly(&world, journal);
}

/// What is stored is what was acknowledged, once each, and the log has an entry for each.
fn assert_exactly(world: &World, mut journal: Vec<String>) {
    let made = accounts::table.filter(accounts::depth.eq(1)).select((accounts::id, accounts::name));
    let made: Vec<(String, String)> = world.read(|db| Ok(made.load(db)?)).expect("accounts are read");
    let mut names: Vec<String> = made.iter().map(|(_, name)| name.clone()).collect();
    names.sort();
    journal.sort();
    assert!(names == journal, "acknowledged {} and made {}", journal.len(), names.len());
    let entries = audit_entries::table.filter(audit_entries::event_type.eq("ACCOUNT_CREATE"));
    let entries: Vec<String> =
        world.read(|db| Ok(entries.select(audit_entries::subject_id).load(db)?)).expect("the log is read");
    let logged: BTreeSet<&String> = entries.iter().collect();
    assert!(made.iter().all(|(id, _)| logged.contains(id)), "an account without its entry");
    assert_eq!(entries.len(), made.len() + 1, "an entry without its account");
    assert_sound(world.place().url());
}

/// `subtenant check` finds nothing.
pub fn assert_sound(database_url: &str) {
    let mut check = Command::new(env!("CARGO_BIN_EXE_subtenant"));
    let check = check.args(["check", "--database-url", database_url]).output().expect("the check runs");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
}
