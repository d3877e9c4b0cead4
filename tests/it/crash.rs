//! The real binary is killed (SIGKILL) while several people make child accounts over HTTP, again and again (T24). Each
//! writes down what was acknowledged. After every restart it is ready soon, people are still signed in, and in the end
//! everything acknowledged is there once, with its entry in the log, and `subtenant check` finds nothing.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use diesel::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use subtenant::store::Pool;
use subtenant::store::schema::{accounts, audit_entries};

use crate::browser::{FORM, encode};
use crate::page::Page;
use crate::place::{Place, postgres};
use crate::world::{PASSWORD, World, email};

const WRITERS: usize = 6;
/// Two seconds on a machine of one's own; tests share theirs.
const READY_WITHIN: Duration = Duration::from_secs(6);

pub struct Server {
    process: Child,
    pub origin: String,
}

impl Server {
    /// Starts the binary and waits until it is ready.
    pub fn start(database_url: &str) -> Server {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let bind = format!("127.0.0.1:{port}");
        let started = Instant::now();
        let process = Command::new(env!("CARGO_BIN_EXE_subtenant"))
            .args(["serve", "--bind", &bind, "--database-url", database_url])
            .args(["--mail-dir", concat!(env!("CARGO_TARGET_TMPDIR"), "/mails")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let server = Server { process, origin: format!("http://{bind}") };
        let agent = agent();
        while agent.get(format!("{}/readyz", server.origin)).call().map_or(0, |a| a.status().as_u16()) != 200 {
            assert!(started.elapsed() < READY_WITHIN, "not ready after {:?}", started.elapsed());
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// The most memory that it had so far, in kilobytes.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a high-water mark");
        line.trim().trim_end_matches(" kB").parse().expect("kilobytes")
    }

    pub fn kill(mut self) {
        self.process.kill().expect("the process is there to be killed");
        self.process.wait().expect("the process ends");
    }
}

pub fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false);
    config.timeout_global(Some(Duration::from_secs(30))).build().into()
}

pub fn page(agent: &ureq::Agent, uri: &str) -> Option<Page> {
    let mut answer = agent.get(uri).call().ok()?;
    let status = StatusCode::from_u16(answer.status().as_u16()).ok()?;
    Some(Page { status, uri: uri.to_owned(), body: answer.body_mut().read_to_string().ok()? })
}

/// The status of the answer, if one came.
fn post(agent: &ureq::Agent, uri: &str, pairs: &[(String, String)]) -> Option<u16> {
    Some(agent.post(uri).content_type(FORM).send(encode(pairs)).ok()?.status().as_u16())
}

pub fn sign_in(origin: &str) -> ureq::Agent {
    let agent = agent();
    let mut form = page(&agent, &format!("{origin}/sign-in")).expect("the page to sign in").form("Sign in");
    form.fill("Email", &email("admin-of-acme"));
    form.fill("Password", PASSWORD);
    assert_eq!(post(&agent, &format!("{origin}/sign-in"), &form.pairs()), Some(303));
    agent
}

/// Makes child accounts until the server is gone; answers the names of those that were acknowledged.
fn make_children(agent: &ureq::Agent, new: &str, name: &str, stop: &AtomicBool) -> Vec<String> {
    let mut journal = Vec::new();
    let Some(page) = page(agent, new) else { return journal };
    let mut form = page.form("Save");
    form.fill(crate::journeys::LEAVE, "yes");
    for n in 0.. {
        let name = format!("{name}-{n}");
        form.set("name", &name);
        form.set("_key", &subtenant::ids::token());
        match post(agent, new, &form.pairs()) {
            Some(303) => journal.push(name),
            Some(503) | None => break,
            Some(other) => panic!("{name} was answered {other}"),
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    journal
}

/// A database with one account, nobody connected to it; its URL and the account's id.
fn prepared() -> (Place, String) {
    let world = World::new();
    world.account("acme");
    let id = world.id("acme");
    (world.into_place(), id)
}

#[test]
fn what_was_acknowledged_survives_being_killed() {
    let (place, account) = prepared();
    let cycles = if postgres().is_some() { 3 } else { 10 };
    let mut dice = StdRng::seed_from_u64(24);
    let mut journal: Vec<String> = Vec::new();
    let mut person: Option<ureq::Agent> = None;
    for cycle in 0..cycles {
        let server = Server::start(place.url());
        let agent = person.get_or_insert_with(|| sign_in(&server.origin)).clone();
        let person = if cycle == 0 { agent } else { sign_in(&server.origin) };
        let new = format!("{}/a/{account}/child-accounts/new", server.origin);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let write = |n: usize| {
                let (person, new, stop) = (&person, &new, &stop);
                scope.spawn(move || make_children(person, new, &format!("{cycle}-{n}"), stop))
            };
            let writers: Vec<_> = (0..WRITERS).map(write).collect();
            std::thread::sleep(Duration::from_millis(dice.random_range(200..900)));
            server.kill();
            stop.store(true, Ordering::Relaxed);
            writers.into_iter().for_each(|writer| journal.extend(writer.join().expect("no writer panics")));
        });
    }
    Server::start(place.url()).kill();
    assert!(journal.len() > cycles * 5, "only {} accounts were made", journal.len());
    assert_all_there(&place, &journal);
}

fn assert_all_there(place: &Place, journal: &[String]) {
    let pool = Pool::open(&crate::world::config(place.url()).database_url, 1).expect("the database opens");
    let names = accounts::table.filter(accounts::depth.eq(1)).select((accounts::id, accounts::name));
    let made: Vec<(String, String)> = pool.read_here(|db| Ok(names.load(db)?)).expect("accounts are read");
    let once: BTreeSet<&String> = made.iter().map(|(_, name)| name).collect();
    assert_eq!(once.len(), made.len(), "something was made twice");
    let lost: Vec<&String> = journal.iter().filter(|name| !once.contains(name)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let logged = audit_entries::table.filter(audit_entries::event_type.eq("ACCOUNT_CREATE"));
    let logged: Vec<String> =
        pool.read_here(|db| Ok(logged.select(audit_entries::subject_id).load(db)?)).expect("the log is read");
    let (made_ids, logged_ids): (BTreeSet<_>, BTreeSet<_>) =
        (made.iter().map(|(id, _)| id.clone()).collect(), logged.iter().cloned().collect());
    assert!(made_ids.is_subset(&logged_ids) && logged.len() == made.len() + 1, "the log and the accounts differ");
    let check = Command::new(env!("CARGO_BIN_EXE_subtenant")).args(["check", "--database-url", place.url()]).output();
    let check = check.expect("the check runs");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
}
