//! Orders that are placed and looked at by several at once, while agreements, payment, suspensions and limits change
//! (T16, T17), by the product's own operations: whatever comes first, nothing begins while something is in the way, and
//! nothing is begun twice. Keys are drawn under the tree's lock and grow, so that they say what came first. RACE_ROUNDS:
//! how often.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use chrono::Duration;
use diesel::prelude::*;
use subtenant::access::policy::{DeleteBilling, UpdateBilling};
use subtenant::access::{self, Origin};
use subtenant::billing::{self, Change, Entries};
use subtenant::ids::{self, Key};
use subtenant::problem::{Problem, Reason};
use subtenant::store::schema::{audit_entries, connection_history, intents, legal_documents};
use subtenant::store::{self as database, Db, Pool, dialect};
use subtenant::{limits, provisioning, suspension};

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
    root_id: String,
    child: Key,
    child_id: String,
}

impl Race<'_> {
    /// Does it, and answers the key that says when; none where it is refused, as a connection lives on it.
    fn act(&self, act: Act) -> Result<Option<Key>, Problem> {
        match act {
            Act::Accept => {
                // Asked again, it was accepted before.
                match accept(self.pool, self.user, &self.child_id) {
                    Ok(()) | Err(Problem::Conflict(_)) => {}
                    Err(problem) => return Err(problem),
                }
                self.logged(self.child, "ACCOUNT_CONSENT_CREATE")
            }
            Act::Unshare | Act::Remove => match self.take_back(act) {
                Err(Problem::Conflict(Reason::BillingCannotBeRemoved { .. })) => Ok(None),
                Err(problem) => Err(problem),
                Ok(()) if act == Act::Remove => self.logged(self.root, "ACCOUNT_BILLING_DELETE"),
                Ok(()) => self.logged(self.root, "ACCOUNT_BILLING_UPDATE"),
            },
            Act::Suspend => {
                let done = self.pool.write_here(|db| suspension::suspend_root(db, &self.root_id, "late"))?;
                done.expect("it is suspended");
                self.logged(self.root, "ACCOUNT_SUSPEND")
            }
            Act::Resume => {
                let done = self.pool.write_here(|db| suspension::resume_root(db, &self.root_id))?;
                done.expect("it is resumed");
                self.logged(self.root, "ACCOUNT_RESUME")
            }
            Act::Limit => {
                let set = |db: &mut Db| limits::set_root(db, &self.root_id, "connection", "branch", "0");
                self.pool.write_here(set)?.expect("it is limited");
                self.logged(self.root, "RESOURCE_LIMIT_UPDATE")
            }
            Act::Document | Act::Lapse => self.time_passes(act).map(Some),
        }
    }

    /// The payment method is not offered any more, or gone, as somebody does it who looks at what hangs on it first.
    fn take_back(&self, act: Act) -> Result<(), Problem> {
        loop {
            let done = self.pool.write_here(|db| {
                let method = billing::own(db, self.root)?.ok_or(Problem::NotFound)?;
                if act == Act::Remove {
                    let by = access::grant::<DeleteBilling>(db, self.user, &self.root_id, Origin::default())?;
                    let stamp = billing::effects(db, self.root, Change::Remove)?.stamp();
                    return billing::remove(db, &by, method.version, &stamp);
                }
                let by = access::grant::<UpdateBilling>(db, self.user, &self.root_id, Origin::default())?;
                let stamp = billing::effects(db, self.root, Change::Save { allow_child_accounts: false })?.stamp();
                let new = Entries { allow_child_accounts: false, ..method.entries };
                billing::change(db, &by, method.version, &new, &stamp)
            });
            match done {
                // Something began between the look and the act.
                Err(Problem::Conflict(Reason::Unconfirmed)) => {}
                other => return other,
            }
        }
    }

    /// What comes about by itself: a day on which a document is in force, one on which a failed method pays no more.
    fn time_passes(&self, act: Act) -> Result<Key, Problem> {
        self.pool.write_here(|db| {
            database::write(db, |db| {
                dialect::lock_tree(db, self.root)?;
                if act == Act::Document {
                    publish(db)?;
                } else {
                    diesel::sql_query("UPDATE payment_methods SET pays_until = '2026-01-01 00:00:00'").execute(db)?;
                }
                Ok(ids::next_key())
            })
        })
    }

    /// The key of the last entry of this kind, which was drawn under the lock.
    fn logged(&self, account: Key, event: &str) -> Result<Option<Key>, Problem> {
        let entries = audit_entries::table
            .filter(audit_entries::account_key.eq(account))
            .filter(audit_entries::event_type.eq(event))
            .order(audit_entries::key.desc());
        self.pool.read_here(|db| Ok(Some(entries.select(audit_entries::key).first(db)?)))
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
    let (mut begun, mut held, mut refused) = (0, 0, 0);
    for round in 0..rounds() {
        let act = ACTS[round % ACTS.len()];
        let name = format!("child {round}");
        world.account("acme").child(&name);
        let (root_id, child, child_id) = (world.id("acme"), world.key(&name), world.id(&name));
        let race = Race { pool: &world.pool, user, root, root_id, child, child_id };
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
        match at {
            Some(at) => {
                let wrong: Vec<&Key> = starts.iter().filter(|start| (**start < at) == act.opens()).collect();
                assert!(wrong.is_empty(), "{act:?}: {} of {} began on the wrong side", wrong.len(), starts.len());
            }
            None => assert!(!starts.is_empty(), "{act:?} was refused for nothing"),
        }
        refused += usize::from(at.is_none());
        once(race.pool, race.child, starts.len());
        begun += starts.len();
        held += 6 - starts.len();
        for undo in [
            "DELETE FROM suspensions",
            "DELETE FROM resource_limits",
            "DELETE FROM payment_methods",
            "UPDATE connections SET state = 'DELETED', look_at = '9999-12-31 00:00:00'",
        ] {
            world.sql(undo);
        }
        crate::orders::pay(race.pool, user, &world.id("acme")).expect("it pays");
    }
    println!("{} rounds: {begun} orders began, {held} were held, {refused} acts were refused", rounds());
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
