//! What the access check costs: the account in the address with everything above it and what somebody was given along
//! the way, 5, 64 and 1,000 levels deep, in trees of 1,000, 100,000 and 1,000,000 accounts. The trees are written by
//! plain SQL, the same at every run; that the check is one statement is asserted before anything is measured.
//!
//! `cargo bench --no-default-features --bench access`; SQLite in a temporary file, or PostgreSQL where
//! TEST_DATABASE_URL names a server on which databases may be made. ACCESS_BENCH_MOST leaves out larger trees.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use diesel::prelude::*;
use subtenant::access::policy::ReadAccounts;
use subtenant::access::{self, Origin};
use subtenant::config::DatabaseUrl;
use subtenant::ids::Key;
use subtenant::problem::Problem;
use subtenant::sign_in::{self, NewUser};
use subtenant::store::schema::{accounts, roles};
use subtenant::store::{Db, Pool};

/// Levels of the one deep chain, the root included.
const CHAIN: i64 = 1_000;
const FIRST_USER: i64 = 10_000_000;
const FIRST_ASSIGNMENT: i64 = 20_000_000;

static STATEMENTS: AtomicUsize = AtomicUsize::new(0);

#[derive(Default)]
struct Counter;

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            if !["BEGIN", "COMMIT", "ROLLBACK", "SELECT 1", "SET ", "PRAGMA"].iter().any(|u| text.starts_with(u)) {
                STATEMENTS.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// A tree, and somebody with a role at its root.
#[derive(Clone)]
struct Tree {
    pool: Pool,
    user: Key,
}

static TREES: LazyLock<Mutex<HashMap<i64, Tree>>> = LazyLock::new(Mutex::default);

fn tree(size: i64) -> Tree {
    let mut trees = TREES.lock().expect("one bench at a time");
    trees.entry(size).or_insert_with(|| Tree::grow(size)).clone()
}

/// The id of the account `n` below the root: the same at every run.
fn id(n: i64) -> String {
    format!("ac-{n:A>22}")
}

impl Tree {
    fn grow(size: i64) -> Tree {
        let pool = Pool::open(&place(size), 2).expect("the database opens");
        let new = NewUser {
            first_name: "Ann".to_owned(),
            last_name: "Example".to_owned(),
            company: "Example".to_owned(),
            email: "ann@example.com".to_owned(),
            password_hash: String::new(),
            account_name: "Root".to_owned(),
        };
        let made = pool.write_here(|db| sign_in::sign_up(db, &new, &Origin::default())).expect("a root account");
        let fill = |db: &mut Db| {
            let root: Key =
                accounts::table.filter(accounts::id.eq(&made.account_id)).select(accounts::key).first(db)?;
            let role: Key = roles::table.filter(roles::account_key.eq(root)).select(roles::key).first(db)?;
            subtenant::store::write(db, |db| fill(db, root, role, size))
        };
        pool.write_here(fill).expect("the tree is written");
        let _ = pool.write_here(|db| Ok(diesel::sql_query("ANALYZE").execute(db)?));
        let tree = Tree { pool, user: made.user };
        tree.assert_one_statement();
        tree
    }

    fn check(&self, account: &str) {
        let granted =
            self.pool.read_here(|db| access::grant::<ReadAccounts>(db, self.user, account, Origin::default()));
        divan::black_box(granted.expect("the administrator may"));
    }

    /// One for who asks (a page reads it with the session), one for what they may.
    fn assert_one_statement(&self) {
        let before = STATEMENTS.load(Ordering::Relaxed);
        self.check(&id(5));
        assert_eq!(STATEMENTS.load(Ordering::Relaxed) - before, 2, "who asks, and the access check");
    }
}

/// A new database for each size.
fn place(size: i64) -> DatabaseUrl {
    match std::env::var("TEST_DATABASE_URL") {
        Ok(server) => {
            let name = format!("access_{size}_{}", std::process::id());
            let manager =
                subtenant::store::dialect::Manager { url: DatabaseUrl::Postgres(server.clone()), read_only: false };
            let mut db = r2d2::ManageConnection::connect(&manager).expect("the server answers");
            diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut db).expect("a database");
            let mut url = url::Url::parse(&server).expect("an address");
            url.set_path(&name);
            DatabaseUrl::Postgres(url.into())
        }
        Err(_) => {
            let folder = tempfile::Builder::new().prefix("subtenant-access-").tempdir().expect("a folder").keep();
            DatabaseUrl::Sqlite(folder.join(format!("{size}.db")).display().to_string())
        }
    }
}

/// The chain has the keys 1 to 999 below the root, the rest of the tree 1,001 and more: ten children each, from the
/// first on. A role is given at every one of these to one of many people.
fn fill(db: &mut Db, root: Key, role: Key, size: i64) -> Result<(), Problem> {
    let mut run = |sql: String| diesel::sql_query(sql).execute(db).map(|_| ());
    if std::env::var_os("TEST_DATABASE_URL").is_some() {
        // A request may not take so long; making a million accounts may.
        run("SET LOCAL statement_timeout = 0".to_owned())?;
    }
    let account =
        "INSERT INTO accounts (key, id, parent_key, parent_depth, root_key, depth, name, name_key, description,
                                         contacts, created_at)";
    let row = |parent: &str, depth: &str| {
        format!(
            "SELECT i, 'ac-' || substr('AAAAAAAAAAAAAAAAAAAAAA', 1, 22 - length(CAST(i AS TEXT))) || CAST(i AS TEXT),
                    {parent}, {depth} - 1, {root}, {depth}, 'Account ' || CAST(i AS TEXT), 'account ' || CAST(i AS TEXT),
                    '', '', CURRENT_TIMESTAMP FROM n"
        )
    };
    let numbers = |low: i64, high: i64| {
        format!("WITH RECURSIVE n(i) AS (SELECT CAST({low} AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {high})")
    };
    run(format!(
        "{} {account} {}",
        numbers(1, CHAIN - 1),
        row(&format!("CASE WHEN i = 1 THEN {root} ELSE i - 1 END"), "i")
    ))?;
    run(
        "INSERT INTO account_ancestry (descendant_key, ancestor_key, distance)
         SELECT d.key, a.key, d.depth - a.depth FROM accounts d JOIN accounts a ON a.depth <= d.depth WHERE d.depth > 0"
            .to_owned(),
    )?;
    let (mut low, mut high, mut depth) = (1, 1, 1);
    while low <= size {
        let parent =
            format!("CASE WHEN i = {first} THEN {root} ELSE {CHAIN} + (i - {CHAIN} + 8) / 10 END", first = CHAIN + 1);
        let (from, to) = (CHAIN + low, CHAIN + high.min(size));
        run(format!("{} {account} {}", numbers(from, to), row(&parent, &depth.to_string())))?;
        run(format!(
            "INSERT INTO account_ancestry (descendant_key, ancestor_key, distance)
             SELECT a.key, y.ancestor_key, y.distance + 1 FROM accounts a
             JOIN account_ancestry y ON y.descendant_key = a.parent_key WHERE a.key BETWEEN {from} AND {to}
             UNION ALL SELECT a.key, a.key, 0 FROM accounts a WHERE a.key BETWEEN {from} AND {to}"
        ))?;
        (low, high, depth) = (high + 1, high * 10 + 1, depth + 1);
    }
    let people = size / 10;
    run(format!(
        "{} INSERT INTO users (key, id, email, email_key, first_name, last_name, company, password_hash, created_at)
         SELECT {FIRST_USER} + i, 'user-' || CAST(i AS TEXT), 'u' || CAST(i AS TEXT), 'u' || CAST(i AS TEXT), 'U', 'Example',
                '', '', CURRENT_TIMESTAMP FROM n",
        numbers(1, people)
    ))?;
    run(format!(
        "{} INSERT INTO assignments (key, account_key, user_key, role_key, role_account_key, scope, created_at)
         SELECT {FIRST_ASSIGNMENT} + i, {CHAIN} + i, {FIRST_USER} + 1 + i % {people}, {role}, {root}, 'here_and_below',
                CURRENT_TIMESTAMP FROM n",
        numbers(1, size)
    ))?;
    Ok(())
}

#[divan::bench(consts = [1_000, 100_000, 1_000_000], args = [5, 64, 999])]
fn levels_below_the_root<const SIZE: i64>(bencher: divan::Bencher<'_, '_>, depth: i64) {
    let most = std::env::var("ACCESS_BENCH_MOST").ok().and_then(|most| most.parse().ok()).unwrap_or(i64::MAX);
    if SIZE > most {
        return;
    }
    let (tree, account) = (tree(SIZE), id(depth));
    bencher.bench_local(|| tree.check(&account));
}

fn main() {
    set_default_instrumentation(|| Some(Box::new(Counter))).expect("counting is possible");
    divan::main();
}
