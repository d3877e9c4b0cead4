//! The audit log: an account's making and what happened to it since, and for each entry a row in the log of every
//! account above it.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime};
use rand::Rng;
use rand::rngs::StdRng;

use super::fabric::Orders;
use super::people::{People, User};
use super::{Keys, Say, Steps, World, id};
use crate::access::policy::ADMINISTRATOR;
use crate::audit::EventType;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::bulk::{Cell, Rows};

/// As the log itself keeps it: `audit::store`.
const NEAREST_ANCESTORS: u32 = 256;

const ENTRIES: [&str; 18] = [
    "key",
    "id",
    "at",
    "actor_key",
    "acting_from_key",
    "acting_role",
    "account_key",
    "event_type",
    "subject_type",
    "subject_id",
    "subject_name",
    "before",
    "after",
    "result",
    "source",
    "address",
    "user_agent",
    "request_id",
];

const MANY: [EventType; 6] = [
    EventType::AccountUpdate,
    EventType::AccountConsentCreate,
    EventType::AccountBillingUpdate,
    EventType::AccountMemberCreate,
    EventType::ConnectionStateChange,
    EventType::AccessRefused,
];

/// When, at which account, and what: small, as there are millions.
#[derive(Clone, Copy)]
struct Entry {
    micros: i64,
    account: u32,
    /// None: the account was made.
    kind: Option<u8>,
}

pub fn fill(db: &mut Db, world: &World, people: &People, orders: &Orders, say: Say<'_>) -> Result<(), Problem> {
    let mut rng = world.dice(10);
    let entries = plan(world, &mut rng);
    let mut keys = Keys::default();
    let key: Vec<Key> = entries.iter().map(|entry| keys.at(moment(entry.micros))).collect();
    let writer = Writer { world, administrators: people.administrators(world), people, orders };
    let mut steps = Steps::new(say, "Audit entries", entries.len());
    let mut rows = Rows::into(db, "audit_entries", &ENTRIES);
    for (entry, key) in entries.iter().zip(&key) {
        rows.push(writer.row(entry, *key, &mut rng))?;
        steps.one();
    }
    rows.end()?;
    scope(db, world, &entries, &key, say)
}

fn moment(micros: i64) -> NaiveDateTime {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().naive_utc()
}

fn plan(world: &World, rng: &mut StdRng) -> Vec<Entry> {
    let all = world.plan.audit_entries.max(world.forest.len());
    let micros = |at: NaiveDateTime| at.and_utc().timestamp_micros();
    let made = world.numbers().map(|n| Entry { micros: micros(world.created[n as usize]), account: n, kind: None });
    let mut entries: Vec<Entry> = made.collect();
    entries.reserve_exact(all - entries.len());
    while entries.len() < all {
        let account = rng.random_range(0..world.forest.len() as u32);
        let kind = Some(rng.random_range(0..MANY.len() as u8));
        entries.push(Entry { micros: micros(world.later(account, rng)), account, kind });
    }
    entries.sort_unstable_by_key(|entry| (entry.micros, entry.account));
    entries
}

struct Writer<'a> {
    world: &'a World,
    people: &'a People,
    administrators: HashMap<u32, &'a User>,
    orders: &'a Orders,
}

impl Writer<'_> {
    fn row(&self, entry: &Entry, key: Key, rng: &mut StdRng) -> [Cell; 18] {
        let (world, at) = (self.world, entry.account as usize);
        let root = world.root_of(entry.account);
        let event = entry.kind.map_or(EventType::AccountCreate, |kind| MANY[kind as usize]);
        let (subject_type, subject_id, subject_name) = self.subject(event, entry.account, rng);
        let name = &world.forest.name[at];
        let (before, after) = match event {
            EventType::AccountUpdate => (
                "[[\"description\",\"\"]]".to_owned(),
                "[[\"description\",\"Served from the nearest region.\"]]".to_owned(),
            ),
            EventType::ConnectionStateChange => {
                ("[[\"state\",\"PROVISIONING\"]]".to_owned(), "[[\"state\",\"ACTIVE\"]]".to_owned())
            }
            EventType::AccountCreate => ("[]".to_owned(), format!("[[\"name\",\"{name}\"]]")),
            _ => ("[]".to_owned(), "[]".to_owned()),
        };
        let refused = event == EventType::AccessRefused;
        [
            key.into(),
            id("audit", rng).into(),
            moment(entry.micros).into(),
            self.administrators.get(&root).map(|user| user.key).into(),
            Some(world.key[root as usize]).into(),
            ADMINISTRATOR.into(),
            Some(world.key[at]).into(),
            event.code().into(),
            subject_type.into(),
            subject_id.into(),
            subject_name.into(),
            before.into(),
            after.into(),
            if refused { "FAILURE" } else { "SUCCESS" }.into(),
            "CONSOLE".into(),
            "192.0.2.1".into(),
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".into(),
            format!("{:022}", rng.random::<u64>()).into(),
        ]
    }

    fn subject(&self, event: EventType, account: u32, rng: &mut StdRng) -> (&'static str, String, String) {
        let at = account as usize;
        match (event, self.orders.get(&account)) {
            (EventType::AccountMemberCreate, _) => {
                let user = &self.people.users[rng.random_range(0..self.people.users.len())];
                ("USER", user.id.clone(), user.name())
            }
            (EventType::ConnectionStateChange, Some((id, name))) => ("CONNECTION", id.clone(), name.clone()),
            _ => ("ACCOUNT", self.world.id[at].clone(), self.world.forest.name[at].clone()),
        }
    }
}

/// In the order of the table's key: what belongs to one account lies together.
fn scope(db: &mut Db, world: &World, entries: &[Entry], key: &[Key], say: Say<'_>) -> Result<(), Problem> {
    let (starts, by_account) = by_account(world, entries);
    let forest = &world.forest;
    let depth_of = |entry: u32| forest.depth[entries[entry as usize].account as usize];
    let all: usize = entries.iter().map(|entry| forest.depth[entry.account as usize] as usize + 1).sum();
    let mut steps = Steps::new(say, "Logs of all above", all);
    let mut rows = Rows::into(db, "audit_scope", &["account_key", "entry_key", "own"]);
    let mut mine: Vec<u32> = Vec::new();
    for n in &world.by_age {
        let (branch, depth) = (world.branch(*n), forest.depth[*n as usize]);
        mine.clear();
        mine.extend_from_slice(&by_account[starts[branch.start as usize]..starts[branch.end as usize]]);
        mine.retain(|entry| depth == 0 || depth_of(*entry) - depth < NEAREST_ANCESTORS);
        mine.sort_unstable();
        for entry in &mine {
            // Everything was done from the root account, whose own log has it.
            let own = depth == 0 || entries[*entry as usize].account == *n;
            rows.push([world.key[*n as usize].into(), key[*entry as usize].into(), own.into()])?;
            steps.one();
        }
    }
    Ok(rows.end()?)
}

/// The entries of each account behind one another, and where each account's begin.
fn by_account(world: &World, entries: &[Entry]) -> (Vec<usize>, Vec<u32>) {
    let mut starts = vec![0; world.forest.len() + 1];
    entries.iter().for_each(|entry| starts[entry.account as usize + 1] += 1);
    for n in 1..starts.len() {
        starts[n] += starts[n - 1];
    }
    let mut next = starts.clone();
    let mut sorted = vec![0; entries.len()];
    for (n, entry) in (0..).zip(entries) {
        let place = &mut next[entry.account as usize];
        sorted[*place] = n;
        *place += 1;
    }
    (starts, sorted)
}
