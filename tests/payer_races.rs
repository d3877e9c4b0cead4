//! Payment methods that are removed, no longer offered or overridden while work is started below them, and while a
//! month is made, in threads (T17): no live connection is ever without a payer, and every line of a month is charged
//! once, on one invoice or on none yet. On SQLite, or on the PostgreSQL that TEST_DATABASE_URL names. RACE_ROUNDS: how
//! often, 120 unless told.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, MutexGuard, OnceLock};
use std::thread;

use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use subtenant::access::policy::{CreateAccounts, CreateBilling, DeleteBilling, UpdateBilling};
use subtenant::access::{self, Origin};
use subtenant::accounts::{self, Details, NewChild};
use subtenant::billing::{self, Change, CollectionMethod, Entries};
use subtenant::config::DatabaseUrl;
use subtenant::ids::{self, Key};
use subtenant::ledger::{Month, prices, run};
use subtenant::problem::Problem;
use subtenant::readiness;
use subtenant::store::schema::{
    accounts as rows, charges, connections, consents, invoices, ledger_items, legal_documents, users,
};
use subtenant::store::{self as database, Db, Pool, check, dialect};

/// `root` with `left` and `right` below it, and `leaf` below `left`.
struct World {
    pool: Pool,
    user: Key,
    accounts: [(Key, String); 4],
}

const ROOT: usize = 0;
const LEFT: usize = 1;
const RIGHT: usize = 2;
const LEAF: usize = 3;

/// One world for all tests of this program, one test at a time: a month is made for everybody in it.
fn world() -> (&'static World, MutexGuard<'static, ()>) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    static WORLD: OnceLock<World> = OnceLock::new();
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(|broken| broken.into_inner());
    (WORLD.get_or_init(open), turn)
}

fn open() -> World {
    let url = match std::env::var("TEST_DATABASE_URL") {
        Ok(server) => fresh_postgres(&server),
        Err(_) => {
            let folder = Box::leak(Box::new(tempfile::tempdir().unwrap()));
            folder.path().join("races.db").to_string_lossy().into_owned()
        }
    };
    let pool = Pool::open(&DatabaseUrl::parse(&url).unwrap(), 6).unwrap();
    let user = pool.write_here(|db| database::write(db, user)).unwrap();
    let root = pool.write_here(|db| accounts::open_root(db, user, &Origin::default(), "Root")).unwrap();
    let left = child(&pool, user, &root, "Left");
    let right = child(&pool, user, &root, "Right");
    let leaf = child(&pool, user, &left, "Leaf");
    let accounts = [root, left, right, leaf].map(|id| {
        let find = |db: &mut Db| Ok(rows::table.filter(rows::id.eq(&id)).select(rows::key).first::<Key>(db)?);
        (pool.read_here(find).unwrap(), id)
    });
    let list = "code,description,currency,interval,amount,setup_amount,term\nPORT,A port,USD,MONTH,1001,0,0\n";
    pool.write_here(|db| Ok(prices::load(db, "2024-01-01", list.as_bytes()).unwrap())).unwrap();
    for document in ["MSA", "AUP"] {
        pool.write_here(|db| database::write(db, |db| agreed(db, document, user, &accounts))).unwrap();
    }
    World { pool, user, accounts }
}

fn fresh_postgres(server: &str) -> String {
    let name = format!("races_{}", &ids::sha256_hex(ids::token().as_bytes())[..16]);
    let mut db = PgConnection::establish(server).unwrap();
    diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut db).unwrap();
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(&name);
    url.to_string()
}

fn user(db: &mut Db) -> Result<Key, Problem> {
    let key = ids::next_key();
    diesel::insert_into(users::table)
        .values((
            users::key.eq(key),
            users::id.eq(ids::new_id("user")),
            users::email.eq("ines@example.com"),
            users::email_key.eq("ines@example.com"),
            users::first_name.eq("Ines"),
            users::last_name.eq("Albrecht"),
            users::company.eq("Northwind"),
            users::password_hash.eq(""),
            users::theme.eq("auto"),
            users::created_at.eq(ids::now()),
        ))
        .execute(db)?;
    Ok(key)
}

/// A version in force, accepted by all of the accounts: nothing but the payer is left to block them.
fn agreed(db: &mut Db, document: &str, user: Key, accounts: &[(Key, String)]) -> Result<(), Problem> {
    let (key, since) = (ids::next_key(), ids::now() - Duration::days(1));
    diesel::insert_into(legal_documents::table)
        .values((
            legal_documents::key.eq(key),
            legal_documents::document.eq(document),
            legal_documents::version.eq(1),
            legal_documents::title.eq(document),
            legal_documents::body.eq("Be kind."),
            legal_documents::sha256.eq("0"),
            legal_documents::effective_at.eq(since),
            legal_documents::published_at.eq(since),
        ))
        .execute(db)?;
    for (account, _) in accounts {
        diesel::insert_into(consents::table)
            .values((
                consents::key.eq(ids::next_key()),
                consents::id.eq(ids::new_id("consent")),
                consents::account_key.eq(account),
                consents::document_key.eq(key),
                consents::user_key.eq(user),
                consents::from_account_key.eq(account),
                consents::address.eq("127.0.0.1"),
                consents::accepted_at.eq(ids::now()),
            ))
            .execute(db)?;
    }
    Ok(())
}

fn child(pool: &Pool, user: Key, parent: &str, name: &str) -> String {
    let details = Details { name: name.to_owned(), ..Details::default() };
    let new = NewChild { details, accept_agreements: false, max_depth: 100 };
    let opened = pool.write_here(|db| {
        let by = access::grant::<CreateAccounts>(db, user, parent, Origin::default())?;
        accounts::open_child(db, &by, new)
    });
    opened.unwrap().id
}

fn rounds() -> usize {
    std::env::var("RACE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(120)
}

fn entries(offered: bool) -> Entries {
    Entries {
        collection_method: CollectionMethod::Net30,
        name: "Ines Albrecht".to_owned(),
        email: "billing@northwind.example".to_owned(),
        street: "Main St 1".to_owned(),
        city: "Springfield".to_owned(),
        state: "IL".to_owned(),
        postal_code: "62701".to_owned(),
        country: "US".to_owned(),
        allow_child_accounts: offered,
    }
}

const KEEP: Change = Change::Save { allow_child_accounts: false };

/// What is done to who pays.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// The root's method is removed.
    Remove,
    /// It is not offered any more.
    Keep,
    /// The left account gets one of its own, and keeps it to itself.
    Override,
}

const ACTS: [Act; 3] = [Act::Remove, Act::Keep, Act::Override];

impl World {
    fn key(&self, account: usize) -> Key {
        self.accounts[account].0
    }

    fn add(&self, account: usize, offered: bool, stamp: &str) -> Result<(), Problem> {
        self.pool.write_here(|db| {
            let by = access::grant::<CreateBilling>(db, self.user, &self.accounts[account].1, Origin::default())?;
            billing::add(db, &by, &entries(offered), stamp).map(|_| ())
        })
    }

    /// As somebody who looked at the effects first and confirms them; `seen`: their stamp.
    fn act(&self, act: Act, seen: &str) -> Result<(), Problem> {
        let root = &self.accounts[ROOT].1;
        match act {
            Act::Remove => self.pool.write_here(|db| {
                let by = access::grant::<DeleteBilling>(db, self.user, root, Origin::default())?;
                billing::remove(db, &by, 1, seen)
            }),
            Act::Keep => self.pool.write_here(|db| {
                let by = access::grant::<UpdateBilling>(db, self.user, root, Origin::default())?;
                billing::change(db, &by, 1, &entries(false), seen)
            }),
            Act::Override => self.add(LEFT, false, seen),
        }
    }

    fn stamp(&self, act: Act) -> String {
        let (account, change) = match act {
            Act::Remove => (ROOT, Change::Remove),
            Act::Keep => (ROOT, KEEP),
            Act::Override => (LEFT, KEEP),
        };
        self.pool.read_here(|db| Ok(billing::effects(db, self.key(account), change)?.stamp())).unwrap()
    }

    /// What the provisioning worker does: under the tree's lock, only when nothing blocks it.
    fn start_work(&self, account: usize) -> Result<bool, Problem> {
        self.pool.write_here(|db| {
            database::write(db, |db| {
                dialect::lock_tree(db, self.key(ROOT))?;
                if !readiness::blockers(db, self.key(account))?.is_empty() {
                    return Ok(false);
                }
                diesel::insert_into(connections::table)
                    .values((
                        connections::key.eq(ids::next_key()),
                        connections::id.eq(ids::new_id("conn")),
                        connections::account_key.eq(self.key(account)),
                        connections::name.eq("A connection"),
                        connections::state.eq("PROVISIONING"),
                        connections::created_at.eq(ids::now()),
                    ))
                    .execute(db)?;
                Ok(true)
            })
        })
    }

    /// Nothing but the accounts, and the root's method, offered.
    fn afresh(&self) {
        let tables = [
            "connections",
            "invoice_sections",
            "charges",
            "invoices",
            "ledger_items",
            "billing_months",
            "payment_methods",
            "mails",
        ];
        let wipe = |db: &mut Db| {
            for table in tables {
                diesel::sql_query(format!("DELETE FROM {table}")).execute(db)?;
            }
            Ok(())
        };
        self.pool.write_here(|db| database::write(db, wipe)).unwrap();
        self.add(ROOT, true, "").unwrap();
    }

    /// Who can be charged for the account now.
    fn payer(&self, account: usize) -> Option<Key> {
        let payer = self.pool.read_here(|db| billing::payer(db, self.key(account))).unwrap();
        payer.pays().then(|| payer.key_of(self.key(account)))
    }
}

fn refused(outcome: &Result<(), Problem>) -> bool {
    match outcome {
        Ok(()) => false,
        Err(Problem::Conflict(_)) => true,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn no_live_connection_is_left_without_a_payer_however_a_method_goes_away_meanwhile() {
    let (world, _turn) = world();
    let (mut started, mut gone) = (0, 0);
    for round in 0..rounds() {
        world.afresh();
        let act = ACTS[round % ACTS.len()];
        let seen = world.stamp(act);
        // The workers look a few times before they begin, so that now they are ahead and now the other is.
        let (together, looks) = (Barrier::new(4), round / ACTS.len() % 8);
        let (done, began) = thread::scope(|scope| {
            let workers: Vec<_> = [RIGHT, LEAF, LEFT]
                .into_iter()
                .map(|account| {
                    let together = &together;
                    scope.spawn(move || {
                        together.wait();
                        for _ in 0..looks {
                            world.payer(account);
                        }
                        world.start_work(account).unwrap()
                    })
                })
                .collect();
            together.wait();
            let done = world.act(act, &seen);
            (done, workers.into_iter().map(|one| one.join().unwrap()).collect::<Vec<bool>>())
        });
        for (account, began) in [RIGHT, LEAF, LEFT].into_iter().zip(&began) {
            assert!(!began || world.payer(account).is_some(), "{act:?} left {account} live without a payer");
        }
        let live: i64 = world.pool.read_here(|db| Ok(connections::table.count().get_result(db)?)).unwrap();
        assert_eq!(live, began.iter().filter(|began| **began).count() as i64);
        // What was refused changed nothing, and what was done was done.
        let expected = match (act, refused(&done)) {
            (_, true) | (Act::Override, false) => Some(world.key(ROOT)),
            (Act::Remove | Act::Keep, false) => None,
        };
        assert_eq!(world.payer(RIGHT), expected, "{act:?} {done:?}");
        started += live;
        gone += i64::from(done.is_ok());
    }
    println!("{} rounds: {started} connections began, {gone} methods went away", rounds());
}

fn day(text: &str) -> NaiveDateTime {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap().and_time(NaiveTime::MIN)
}

const PORTS: usize = 3;
const LINES: i64 = 12;

fn ports(db: &mut Db, world: &World) -> Result<(), Problem> {
    for n in 0..PORTS * world.accounts.len() {
        diesel::insert_into(ledger_items::table)
            .values((
                ledger_items::key.eq(ids::next_key()),
                ledger_items::id.eq(ids::new_id("item")),
                ledger_items::account_key.eq(world.key(n % world.accounts.len())),
                ledger_items::kind.eq("PORT"),
                ledger_items::subject_id.eq(format!("port-{n}")),
                ledger_items::name.eq(format!("Port {n}")),
                ledger_items::price_code.eq("PORT"),
                ledger_items::starts_at.eq(day("2025-01-01")),
                ledger_items::ends_at.eq(ids::never()),
                ledger_items::next_month.eq("2025-01"),
                ledger_items::created_at.eq(ids::now()),
            ))
            .execute(db)?;
    }
    Ok(())
}

/// All steps of the month, a few rows each.
fn make(world: &World, month: Month, stepped: impl Fn()) {
    world.pool.write_here(|db| run::begin(db, month)).unwrap().unwrap();
    while world.pool.write_here(|db| run::step(db, month, 3)).unwrap().is_some() {
        stepped();
    }
}

/// Account, month and payer of every line, one that waits with none; after comparing the invoices with them.
fn lines(db: &mut Db) -> Vec<(Key, String, Option<Key>)> {
    type Row = (Key, Key, String, i64, Option<(Key, Key, String)>);
    let list: Vec<Row> = charges::table
        .left_join(invoices::table)
        .select((
            charges::item_key,
            charges::account_key,
            charges::month,
            charges::amount,
            (invoices::key, invoices::payer_key, invoices::state).nullable(),
        ))
        .load(db)
        .unwrap();
    let items: BTreeSet<(Key, &str)> = list.iter().map(|row| (row.0, row.2.as_str())).collect();
    assert_eq!(items.len(), list.len(), "an item was charged twice for a month");
    let totals: Vec<(Key, i64, i64)> =
        invoices::table.select((invoices::key, invoices::total, invoices::lines)).load(db).unwrap();
    for (invoice, total, count) in totals {
        let on: Vec<i64> =
            list.iter().filter(|row| row.4.as_ref().is_some_and(|on| on.0 == invoice)).map(|row| row.3).collect();
        assert_eq!((on.iter().sum::<i64>(), on.len() as i64), (total, count));
        assert!(count > 0, "an invoice without lines");
    }
    assert!(list.iter().all(|row| row.4.as_ref().is_none_or(|on| on.2 == "OPEN")), "a draft was left");
    let uneven: Vec<String> =
        check::differences(db).unwrap().into_iter().filter(|line| line.starts_with("invoices")).collect();
    assert_eq!(uneven, Vec::<String>::new());
    list.into_iter().map(|row| (row.1, row.2, row.4.map(|on| on.1))).collect()
}

#[test]
fn every_line_of_a_month_is_charged_once_however_the_payer_changes_meanwhile() {
    let (world, _turn) = world();
    let (january, february) = (Month::parse("2025-01").unwrap(), Month::parse("2025-02").unwrap());
    let mut waited = 0;
    for round in 0..rounds() {
        world.afresh();
        world.pool.write_here(|db| database::write(db, |db| ports(db, world))).unwrap();
        let act = ACTS[round % ACTS.len()];
        let (seen, before) = (world.stamp(act), [ROOT, LEFT, RIGHT, LEAF].map(|account| world.payer(account)));
        // After so many steps of the month, another number in each round, and beside the next of them.
        let (steps, after) = (AtomicUsize::new(0), round / ACTS.len() % 14);
        let done = thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    make(world, january, || {
                        steps.fetch_add(1, Ordering::SeqCst);
                    });
                    steps.store(usize::MAX / 2, Ordering::SeqCst);
                });
            }
            while steps.load(Ordering::SeqCst) < after {
                thread::yield_now();
            }
            world.act(act, &seen)
        });
        assert!(!refused(&done), "{done:?}");
        let after = [ROOT, LEFT, RIGHT, LEAF].map(|account| world.payer(account));
        let charged = world.pool.read_here(|db| Ok(lines(db))).unwrap();
        assert_eq!(charged.len() as i64, LINES);
        for (account, _, payer) in &charged {
            let n = world.accounts.iter().position(|(key, _)| key == account).unwrap();
            assert!([before[n], after[n]].contains(payer), "{act:?}: {n} is paid by {payer:?}");
        }
        waited += charged.iter().filter(|line| line.2.is_none()).count();
        // Once somebody pays for everything, what waited comes with the next month, and nothing comes twice.
        world.pool.write_here(|db| Ok(diesel::sql_query("DELETE FROM payment_methods").execute(db)?)).unwrap();
        world.add(ROOT, true, "").unwrap();
        make(world, january, || {});
        make(world, february, || {});
        let all = world.pool.read_here(|db| Ok(lines(db))).unwrap();
        assert_eq!(all.len() as i64, 2 * LINES);
        assert!(all.iter().all(|(_, _, payer)| payer.is_some()));
        let sum: i64 = world
            .pool
            .read_here(|db| Ok(invoices::table.select(invoices::total).load::<i64>(db)?))
            .unwrap()
            .into_iter()
            .sum();
        assert_eq!(sum, 2 * LINES * 1_001);
    }
    println!("{} rounds: {waited} lines had to wait for a payer", rounds());
}
