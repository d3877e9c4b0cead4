//! Orders that are placed and looked at by several at once, while agreements, payment, suspensions and limits change
//! (T16, T17): whatever comes first, nothing begins while something is in the way, and nothing is begun twice. Keys are
//! drawn under the tree's lock and grow, so that they say what came first. RACE_ROUNDS: how often.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use chrono::Duration;
use diesel::prelude::*;
use subtenant::ids::{self, Key};
use subtenant::problem::Problem;
use subtenant::provisioning;
use subtenant::store::schema::{audit_entries, connection_history, intents, legal_documents};
use subtenant::store::{self as database, Db, Pool, dialect};

use crate::orders::{accept, insert, ready, root_of};
use crate::world::World;

fn rounds() -> usize {
    std::env::var("RACE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(100)
}

/// What happens beside the orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// The agreements are accepted.
    Accept,
    /// A version of an agreement is in force that nobody accepted.
    Document,
    /// The payment method is not offered below any more.
    Unshare,
    /// The payment method is gone.
    Remove,
    /// It failed too long ago.
    Lapse,
    /// The account above is suspended.
    Suspend,
    /// And resumed.
    Resume,
    /// There may be no connection at all.
    Limit,
}

const ACTS: [Act; 8] =
    [Act::Accept, Act::Document, Act::Unshare, Act::Remove, Act::Lapse, Act::Suspend, Act::Resume, Act::Limit];

impl Act {
    /// Work may begin after it, not before.
    fn opens(self) -> bool {
        matches!(self, Act::Accept | Act::Resume)
    }
}

/// On a machine that others use as well, a connection to the database may not be free in time: asked again, as the
/// background work does.
fn patiently<T>(act: impl Fn() -> Result<T, Problem>) -> Result<T, Problem> {
    loop {
        match act() {
            Err(Problem::Unavailable(_)) => {}
            other => return other,
        }
    }
}

struct Race<'a> {
    pool: &'a Pool,
    user: Key,
    root: Key,
    child: Key,
    child_id: String,
}

impl Race<'_> {
    /// Does it, and answers the key that says when.
    fn act(&self, act: Act) -> Result<Key, Problem> {
        if act == Act::Accept {
            // Asked again, it was accepted before.
            match accept(self.pool, self.user, &self.child_id) {
                Ok(()) | Err(Problem::Conflict(_)) => {}
                Err(problem) => return Err(problem),
            }
            let entry = audit_entries::table
                .filter(audit_entries::account_key.eq(self.child))
                .filter(audit_entries::event_type.eq("ACCOUNT_CONSENT_CREATE"));
            return self.pool.read_here(|db| Ok(entry.select(audit_entries::key).first(db)?));
        }
        let statement = match act {
            Act::Unshare => "UPDATE payment_methods SET allow_child_accounts = FALSE".to_owned(),
            Act::Remove => "DELETE FROM payment_methods".to_owned(),
            Act::Lapse => "UPDATE payment_methods SET pays_until = '2026-01-01 00:00:00'".to_owned(),
            Act::Suspend => format!(
                "INSERT INTO suspensions (account_key, suspended_at, reason) VALUES ({}, '2026-01-01 00:00:00', '')",
                self.root
            ),
            Act::Resume => "DELETE FROM suspensions".to_owned(),
            Act::Limit => format!(
                "INSERT INTO resource_limits (account_key, resource, reach, most, set_at)
                 VALUES ({}, 'CONNECTION', 'BRANCH', 0, '2026-01-01 00:00:00')",
                self.root
            ),
            Act::Accept | Act::Document => String::new(),
        };
        self.pool.write_here(|db| {
            database::write(db, |db| {
                let root = root_of(db, self.child)?;
                dialect::lock_tree(db, root)?;
                if act == Act::Document {
                    publish(db)?;
                } else {
                    diesel::sql_query(&statement).execute(db)?;
                }
                Ok(ids::next_key())
            })
        })
    }

    /// Places an order and looks at it, as the room and then the background work do.
    fn order(&self, looks: usize) -> Result<(), Problem> {
        let (key, _) = patiently(|| self.pool.write_here(|db| insert(db, self.child, "line")))?;
        for _ in 0..looks {
            patiently(|| self.pool.write_here(|db| provisioning::look_at_connection(db, key, true)))?;
        }
        Ok(())
    }
}

/// The next version of the acceptable use policy, in force at once.
fn publish(db: &mut Db) -> Result<(), Problem> {
    let latest: i64 = legal_documents::table
        .filter(legal_documents::document.eq("AUP"))
        .order(legal_documents::version.desc())
        .select(legal_documents::version)
        .first(db)?;
    let since = ids::now() - Duration::milliseconds(1);
    diesel::insert_into(legal_documents::table)
        .values((
            legal_documents::key.eq(ids::next_key()),
            legal_documents::document.eq("AUP"),
            legal_documents::version.eq(latest + 1),
            legal_documents::title.eq("Be kinder"),
            legal_documents::body.eq("Be kinder."),
            legal_documents::sha256.eq("0"),
            legal_documents::effective_at.eq(since),
            legal_documents::published_at.eq(since),
        ))
        .execute(db)?;
    Ok(())
}

#[test]
fn nothing_begins_while_something_is_in_the_way_and_nothing_begins_twice() {
    let world = World::new();
    ready(&world);
    let (user, root) = (world.person("admin-of-acme"), world.key("acme"));
    let (mut begun, mut held) = (0, 0);
    for round in 0..rounds() {
        let act = ACTS[round % ACTS.len()];
        let name = format!("child {round}");
        world.account("acme").child(&name);
        let race = Race { pool: &world.pool, user, root, child: world.key(&name), child_id: world.id(&name) };
        if act != Act::Accept {
            accept(race.pool, user, &race.child_id).expect("it is accepted");
        }
        if act == Act::Resume {
            race.act(Act::Suspend).expect("it is suspended");
        }
        let (together, delay) = (Barrier::new(4), round / ACTS.len() % 6);
        let at = thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    together.wait();
                    for _ in 0..2 {
                        race.order(2).expect("the database answers");
                    }
                });
            }
            together.wait();
            // Now it is ahead, now the others are.
            for _ in 0..delay {
                let _ = race.pool.read_here(|db| root_of(db, race.child));
                thread::yield_now();
            }
            patiently(|| race.act(act)).expect("it is done")
        });
        let starts = starts(race.pool, race.child);
        let wrong: Vec<&Key> = starts.iter().filter(|start| (**start < at) == act.opens()).collect();
        assert!(wrong.is_empty(), "{act:?}: {} of {} began on the wrong side", wrong.len(), starts.len());
        once(race.pool, race.child, starts.len());
        begun += starts.len();
        held += 6 - starts.len();
        for undo in ["DELETE FROM suspensions", "DELETE FROM resource_limits", "DELETE FROM payment_methods"] {
            world.sql(undo);
        }
        crate::orders::pay(race.pool, user, &world.id("acme")).expect("it pays");
    }
    println!("{} rounds: {begun} orders began, {held} were held", rounds());
    assert!(rounds() < 40 || (begun > 10 && held > 10), "{begun} began, {held} were held");
}

/// The keys of the moments at which work began.
fn starts(pool: &Pool, account: Key) -> Vec<Key> {
    let lines = connection_history::table
        .filter(connection_history::account_key.eq(account))
        .filter(connection_history::state.eq("PROVISIONING"));
    pool.read_here(|db| Ok(lines.select(connection_history::key).load(db)?)).expect("the history")
}

/// One intent for each that began.
fn once(pool: &Pool, account: Key, began: usize) {
    let lines = intents::table.filter(intents::account_key.eq(account)).select(intents::subject_id);
    let subjects: Vec<String> = pool.read_here(|db| Ok(lines.load(db)?)).expect("intents");
    let each: BTreeSet<&String> = subjects.iter().collect();
    assert_eq!((subjects.len(), each.len()), (began, began));
}

#[test]
fn several_that_look_at_the_same_order_begin_it_once() {
    let world = World::new();
    ready(&world);
    for round in 0..rounds() / 4 {
        world.account("acme").child(&format!("child {round}"));
        let name = format!("child {round}");
        accept(&world.pool, world.person("admin-of-acme"), &world.id(&name)).expect("it is accepted");
        let account = world.key(&name);
        let (key, _) = world.write(|db| insert(db, account, "line")).expect("an order");
        let (pool, together) = (&world.pool, Barrier::new(4));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    together.wait();
                    let look = || pool.write_here(|db| provisioning::look_at_connection(db, key, true));
                    patiently(look).expect("looked at");
                });
            }
        });
        assert_eq!(starts(pool, account).len(), 1);
        once(pool, account, 1);
    }
}
