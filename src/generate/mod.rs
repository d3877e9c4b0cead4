//! `subtenant generate`: a new database with as many accounts as wanted and everything that hangs on them, to measure
//! and to try the console with. The same seed makes the same tree, people and names on both databases; moments are
//! counted back from the day it is made, and the password is another one each time.

mod accounts;
mod fabric;
mod forest;
mod log;
mod money;
mod names;
mod people;

use std::path::Path;

use actix_web::rt::System;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{Duration, NaiveDateTime, NaiveTime};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::config::{Config, DatabaseUrl};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::server;
use crate::sign_in::password;
use crate::store::dialect::{self, Manager};
use crate::store::installation::Purpose;
use crate::store::{self, Db};
use crate::{catalogue, ledger};
use forest::Forest;

/// How the accounts hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One provider: regions, customers, divisions, sites.
    Msp,
    /// One account with all others directly below it.
    Flat,
    /// One chain of a thousand levels, the others of 64.
    Deep,
    /// Thirty providers of all sizes, a tenth of all accounts directly below the largest, and deep chains.
    Mixed,
}

/// The shape of this word.
pub fn shape(word: &str) -> Option<Shape> {
    match word {
        "msp" => Some(Shape::Msp),
        "flat" => Some(Shape::Flat),
        "deep" => Some(Shape::Deep),
        "mixed" => Some(Shape::Mixed),
        _ => None,
    }
}

/// What is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub accounts: usize,
    pub seed: u64,
    pub shape: Shape,
    /// Entries of the audit log; no fewer than there are accounts.
    pub audit_entries: usize,
}

/// Fewest and most accounts: what keys and the arrays in memory are made for.
pub const ACCOUNTS: std::ops::RangeInclusive<usize> = 50..=20_000_000;
/// How far back everything began.
const DAYS: i64 = 3 * 365;

/// Called with what is being made, how many rows are done, and how many there will be.
pub type Say<'a> = &'a dyn Fn(&'static str, u64, u64);

/// Somebody to sign in as.
#[derive(Debug, Clone)]
pub struct Person {
    pub email: String,
    pub what: String,
}

/// What was made.
#[derive(Debug)]
pub struct Made {
    pub people: Vec<Person>,
    /// Everybody's.
    pub password: String,
}

/// Fills a database that holds nothing. On SQLite the file gets its name when it is complete, on PostgreSQL all of it is
/// one transaction, so that one that was interrupted is no database.
pub fn generate(config: &Config, plan: Plan, say: Say<'_>) -> anyhow::Result<Made> {
    anyhow::ensure!(
        ACCOUNTS.contains(&plan.accounts),
        "--accounts is {}: it can be from {} to {}",
        plan.accounts,
        ACCOUNTS.start(),
        ACCOUNTS.end()
    );
    match &config.database_url {
        DatabaseUrl::Postgres(_) => {
            let empty = store::is_empty(&config.database_url)?;
            anyhow::ensure!(empty, "this database holds something already; name an empty one");
            fill(config, plan, say)
        }
        DatabaseUrl::Sqlite(path) => {
            anyhow::ensure!(!Path::new(path).exists(), "{path} is there already; name another file");
            let part = format!("{path}.part");
            remove(&part)?;
            let config = Config { database_url: DatabaseUrl::Sqlite(part.clone()), ..config.clone() };
            let made = fill(&config, plan, say)?;
            std::fs::rename(&part, path)?;
            Ok(made)
        }
    }
}

fn remove(part: &str) -> std::io::Result<()> {
    for file in ["", "-wal", "-shm", "-journal"].map(|ending| format!("{part}{ending}")) {
        if Path::new(&file).exists() {
            std::fs::remove_file(file)?;
        }
    }
    Ok(())
}

fn fill(config: &Config, plan: Plan, say: Say<'_>) -> anyhow::Result<Made> {
    let parts = server::prepare(config, Purpose::Live)?;
    let world = World::new(plan);
    let day = (world.start - Duration::days(40)).format("%Y-%m-%d").to_string();
    let mut wrong = Vec::new();
    parts.pool.write_here(|db| {
        wrong = catalogue::load_shipped(db, &day).err().unwrap_or_default();
        Ok(())
    })?;
    anyhow::ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    drop(parts);

    let password = ids::token();
    let hash = System::new().block_on(password::hash(&password))?;
    let mut db = r2d2::ManageConnection::connect(&Manager { url: config.database_url.clone(), read_only: false })?;
    dialect::prepare_load(&mut db)?;
    let people = store::write(&mut db, |db| {
        let again = dialect::strip(db)?;
        let people = tables(db, &world, &hash, say)?;
        for (done, statement) in (0..).zip(&again) {
            say("Indexes and keys", done, again.len() as u64);
            diesel::RunQueryDsl::execute(diesel::sql_query(statement), db)?;
        }
        Ok(people)
    })?;
    say("Statistics", 0, 1);
    dialect::end_load(&mut db)?;
    Ok(Made { people, password })
}

fn tables(db: &mut Db, world: &World, hash: &str, say: Say<'_>) -> Result<Vec<Person>, Problem> {
    let people = people::People::new(world);
    accounts::fill(db, world, &people, say)?;
    people::fill(db, world, &people, hash, say)?;
    money::fill(db, world, &people, say)?;
    let orders = fabric::fill(db, world, &people, say)?;
    log::fill(db, world, &people, &orders, say)?;
    Ok(people.to_sign_in_as(world))
}

/// The accounts, by their number in preorder, and what all tables are made from.
struct World {
    plan: Plan,
    forest: Forest,
    key: Vec<Key>,
    id: Vec<String>,
    created: Vec<NaiveDateTime>,
    closed: Vec<bool>,
    /// The numbers, the oldest account first: the order of keys.
    by_age: Vec<u32>,
    start: NaiveDateTime,
    /// Midnight today.
    end: NaiveDateTime,
}

impl World {
    fn new(plan: Plan) -> World {
        let mut rng = part(plan, 1);
        let forest = Forest::grow(plan.accounts, plan.shape, &mut rng);
        let end = ids::now().date().and_time(NaiveTime::MIN);
        let start = end - Duration::days(DAYS);
        let mut created: Vec<NaiveDateTime> = Vec::with_capacity(forest.len());
        for n in 0..forest.len() {
            let after = forest.parent[n].map_or(start, |parent| created[parent as usize]);
            // The deep ones follow each other quickly, or a chain would never end.
            let most = if forest.depth[n] < 6 { (end - after) / 3 } else { Duration::hours(12) };
            let most = most.min((end - after) / 2).num_seconds().max(1);
            created.push(after + Duration::seconds(rng.random_range(0..most)) + Duration::milliseconds(1));
        }
        let mut by_age: Vec<u32> = (0..forest.len() as u32).collect();
        by_age.sort_by_key(|n| (created[*n as usize], *n));
        let mut key = vec![0; forest.len()];
        let mut keys = Keys::default();
        by_age.iter().for_each(|n| key[*n as usize] = keys.at(created[*n as usize]));
        let id = (0..forest.len()).map(|_| id("ac", &mut rng)).collect();
        let leaf = |n: usize| forest.size[n] == 1 && forest.depth[n] > 0;
        let closed = (0..forest.len()).map(|n| leaf(n) && rng.random_bool(0.005)).collect();
        World { plan, forest, key, id, created, closed, by_age, start, end }
    }

    /// The dice of one table, which roll the same whatever other tables are made.
    fn dice(&self, part: u64) -> StdRng {
        self::part(self.plan, part)
    }

    fn numbers(&self) -> std::ops::Range<u32> {
        0..self.forest.len() as u32
    }

    fn root_of(&self, account: u32) -> u32 {
        self.forest.root[account as usize]
    }

    /// The whole branch, itself first.
    fn branch(&self, account: u32) -> std::ops::Range<u32> {
        account..account + self.forest.size[account as usize]
    }

    /// The numbers of the root accounts.
    fn roots(&self) -> impl Iterator<Item = u32> {
        self.numbers().filter(|n| self.forest.depth[*n as usize] == 0)
    }

    /// A moment between the account's beginning and today.
    fn later(&self, account: u32, rng: &mut StdRng) -> NaiveDateTime {
        let from = self.created[account as usize];
        from + Duration::milliseconds(rng.random_range(0..(self.end - from).num_milliseconds().max(1)))
    }
}

fn part(plan: Plan, part: u64) -> StdRng {
    StdRng::seed_from_u64(plan.seed.wrapping_mul(1_000_003).wrapping_add(part))
}

/// Keys in the order of time, each larger than the one before.
#[derive(Default)]
struct Keys(Key);

impl Keys {
    fn at(&mut self, at: NaiveDateTime) -> Key {
        self.0 = (self.0 + 1).max(ids::first_key_at(at));
        self.0
    }
}

/// As [`ids::new_id`], from these dice.
fn id(prefix: &str, rng: &mut StdRng) -> String {
    format!("{prefix}-{}", URL_SAFE_NO_PAD.encode(rng.random::<[u8; 16]>()))
}

/// Rows between two words about how far it is.
const A_WORD: u64 = 5_000;

/// Says now and then how many rows are done.
struct Steps<'a> {
    say: Say<'a>,
    what: &'static str,
    done: u64,
    all: u64,
}

impl<'a> Steps<'a> {
    fn new(say: Say<'a>, what: &'static str, all: usize) -> Steps<'a> {
        say(what, 0, all as u64);
        Steps { say, what, done: 0, all: all as u64 }
    }

    fn one(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(A_WORD) {
            (self.say)(self.what, self.done, self.all.max(self.done));
        }
    }
}

/// The month of today, from which on everything is charged.
fn this_month(world: &World) -> String {
    ledger::Month::of(world.end).to_string()
}
