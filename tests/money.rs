//! Who pays, who loses a payer, and who is ready: over random trees against a small naive model, and the operations
//! with their refusals. On SQLite, or on the PostgreSQL that TEST_DATABASE_URL names. To be taken into
//! tests/it when that exists.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use diesel::pg::PgConnection;
use diesel::prelude::*;
use proptest::prelude::*;
use subtenant::access::policy::{CreateAccounts, CreateBilling, DeleteBilling, UpdateBilling};
use subtenant::access::{self, Origin};
use subtenant::accounts::{self, Details, NewChild};
use subtenant::billing::{self, Change, CollectionMethod, Entries, Payer};
use subtenant::config::DatabaseUrl;
use subtenant::ids::{self, Key};
use subtenant::problem::{Problem, Reason};
use subtenant::readiness::{self, Blocker, Missing};
use subtenant::store::schema::{account_ancestry, accounts as rows, connections, consents, payment_methods, users};
use subtenant::store::schema::{audit_entries, legal_documents};
use subtenant::store::{self as database, Db, Pool};
use subtenant::text;
use subtenant::web::paging::{Cursor, Want};

// ---- the world ----

struct World {
    pool: Pool,
    user: Key,
    msa: Key,
    aup: Key,
}

/// One database for all tests of this program; each test has trees of its own in it.
fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let url = match std::env::var("TEST_DATABASE_URL") {
            Ok(server) => fresh_postgres(&server),
            Err(_) => {
                let folder = Box::leak(Box::new(tempfile::tempdir().unwrap()));
                folder.path().join("money.db").to_string_lossy().into_owned()
            }
        };
        let pool = Pool::open(&DatabaseUrl::parse(&url).unwrap(), 4).unwrap();
        let fill = |db: &mut Db| Ok((user(db)?, documents(db, "MSA")?, documents(db, "AUP")?));
        let (user, msa, aup) = pool.write_here(|db| database::write(db, fill)).unwrap();
        World { pool, user, msa, aup }
    })
}

fn fresh_postgres(server: &str) -> String {
    let name = format!("money_{}", &ids::sha256_hex(ids::token().as_bytes())[..16]);
    let mut db = PgConnection::establish(server).unwrap();
    diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut db).unwrap();
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(&name);
    url.to_string()
}

fn user(db: &mut Db) -> Result<Key, Problem> {
    let key = ids::next_key();
    let email = format!("{key}@example.com");
    diesel::insert_into(users::table)
        .values((
            users::key.eq(key),
            users::id.eq(ids::new_id("user")),
            users::email.eq(&email),
            users::email_key.eq(&email),
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

/// An old version, one in force and one to come; the key of the one in force.
fn documents(db: &mut Db, document: &str) -> Result<Key, Problem> {
    let now = ids::now();
    let keys = [ids::next_key(), ids::next_key(), ids::next_key()];
    for (n, days) in [-900, -1, 30].into_iter().enumerate() {
        diesel::insert_into(legal_documents::table)
            .values((
                legal_documents::key.eq(keys[n]),
                legal_documents::document.eq(document),
                legal_documents::version.eq(n as i64 + 1),
                legal_documents::title.eq(document),
                legal_documents::body.eq("Be kind."),
                legal_documents::sha256.eq("0"),
                legal_documents::effective_at.eq(now + chrono::Duration::days(days)),
                legal_documents::published_at.eq(now),
            ))
            .execute(db)?;
    }
    Ok(keys[1])
}

fn consent(db: &mut Db, world: &World, account: Key, document: Key) -> Result<(), Problem> {
    diesel::insert_into(consents::table)
        .values((
            consents::key.eq(ids::next_key()),
            consents::id.eq(ids::new_id("consent")),
            consents::account_key.eq(account),
            consents::document_key.eq(document),
            consents::user_key.eq(world.user),
            consents::from_account_key.eq(account),
            consents::address.eq("127.0.0.1"),
            consents::accepted_at.eq(ids::now()),
        ))
        .execute(db)?;
    Ok(())
}

fn connect(db: &mut Db, account: Key, state: &str) -> Result<(), Problem> {
    diesel::insert_into(connections::table)
        .values((
            connections::key.eq(ids::next_key()),
            connections::id.eq(ids::new_id("conn")),
            connections::account_key.eq(account),
            connections::name.eq("A connection"),
            connections::state.eq(state),
            connections::created_at.eq(ids::now()),
        ))
        .execute(db)?;
    Ok(())
}

fn method(db: &mut Db, account: Key, offered: bool, verified: bool) -> Result<(), Problem> {
    diesel::insert_into(payment_methods::table)
        .values((
            payment_methods::account_key.eq(account),
            payment_methods::id.eq(ids::new_id("billing")),
            payment_methods::collection_method.eq("NET_30"),
            payment_methods::name.eq("Jo"),
            payment_methods::email.eq("jo@example.com"),
            payment_methods::street.eq("Main St 1"),
            payment_methods::city.eq("Springfield"),
            payment_methods::state.eq("IL"),
            payment_methods::postal_code.eq("62701"),
            payment_methods::country.eq("US"),
            payment_methods::allow_child_accounts.eq(offered),
            payment_methods::verified.eq(verified),
            payment_methods::created_at.eq(ids::now()),
        ))
        .execute(db)?;
    Ok(())
}

// ---- the model ----

/// One account of a random tree. Parents come before their children.
#[derive(Debug, Clone)]
struct Node {
    parent: usize,
    /// Offered and verified.
    own: Option<(bool, bool)>,
    closed: bool,
    live: usize,
    ended: usize,
    msa: bool,
    aup: bool,
    /// A few names only, so that some are equal.
    name: u8,
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let own = prop_oneof![3 => Just(None), 2 => (any::<bool>(), prop::bool::weighted(0.8)).prop_map(Some)];
    let node =
        (any::<u16>(), own, prop::bool::weighted(0.2), 0..3usize, 0..3usize, any::<bool>(), any::<bool>(), 0..5u8);
    let make = |list: Vec<(u16, _, bool, usize, usize, bool, bool, u8)>| {
        let mut nodes: Vec<Node> = Vec::new();
        for (n, (parent, own, closed, live, ended, msa, aup, name)) in list.into_iter().enumerate() {
            nodes.push(Node { parent: usize::from(parent) % n.max(1), own, closed, live, ended, msa, aup, name });
        }
        // Only an account without open accounts below can be closed; the root never is.
        for n in (0..nodes.len()).rev() {
            let open_below = (n + 1..nodes.len()).any(|m| nodes[m].parent == n && !nodes[m].closed);
            nodes[n].closed &= n > 0 && !open_below;
        }
        nodes
    };
    prop::collection::vec(node, 1..24).prop_map(make)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pays {
    Own,
    From(usize),
    Nobody,
}

fn pays(nodes: &[Node], n: usize) -> Pays {
    if nodes[n].own.is_some() {
        return Pays::Own;
    }
    let mut at = n;
    while at > 0 {
        at = nodes[at].parent;
        if let Some((offered, _)) = nodes[at].own {
            return if offered { Pays::From(at) } else { Pays::Nobody };
        }
    }
    Pays::Nobody
}

fn distance(nodes: &[Node], n: usize, top: usize) -> Option<i64> {
    let (mut at, mut steps) = (n, 0);
    while at != top {
        if at == 0 {
            return None;
        }
        (at, steps) = (nodes[at].parent, steps + 1);
    }
    Some(steps)
}

fn open_below(nodes: &[Node], top: usize) -> Vec<usize> {
    (0..nodes.len()).filter(|n| *n != top && !nodes[*n].closed && distance(nodes, *n, top).is_some()).collect()
}

fn can_be_charged(nodes: &[Node], n: usize) -> bool {
    match pays(nodes, n) {
        Pays::Own => nodes[n].own.is_some_and(|(_, verified)| verified),
        Pays::From(source) => nodes[source].own.is_some_and(|(_, verified)| verified),
        Pays::Nobody => false,
    }
}

fn plant(db: &mut Db, world: &World, nodes: &[Node]) -> Result<Vec<Key>, Problem> {
    let keys: Vec<Key> = nodes.iter().map(|_| ids::next_key()).collect();
    for (n, node) in nodes.iter().enumerate() {
        let parent = (n > 0).then_some(node.parent);
        let depth = distance(nodes, n, 0).unwrap();
        let name = format!("Account {}", node.name);
        diesel::insert_into(rows::table)
            .values((
                rows::key.eq(keys[n]),
                rows::id.eq(ids::new_id("ac")),
                rows::parent_key.eq(parent.map(|p| keys[p])),
                rows::parent_depth.eq(parent.map(|_| depth - 1)),
                rows::root_key.eq(keys[0]),
                rows::depth.eq(depth),
                rows::name.eq(&name),
                rows::name_key.eq(text::name_key(&name)),
                rows::description.eq(""),
                rows::contacts.eq("[]"),
                rows::closed_at.eq(node.closed.then(ids::now)),
                rows::created_at.eq(ids::now()),
            ))
            .execute(db)?;
        for top in 0..=n {
            if let Some(steps) = distance(nodes, n, top) {
                diesel::insert_into(account_ancestry::table)
                    .values((
                        account_ancestry::descendant_key.eq(keys[n]),
                        account_ancestry::ancestor_key.eq(keys[top]),
                        account_ancestry::distance.eq(steps),
                    ))
                    .execute(db)?;
            }
        }
        if let Some((offered, verified)) = node.own {
            method(db, keys[n], offered, verified)?;
        }
        if node.msa {
            consent(db, world, keys[n], world.msa)?;
        }
        if node.aup {
            consent(db, world, keys[n], world.aup)?;
        }
        (0..node.live).try_for_each(|i| connect(db, keys[n], ["ACTIVE", "FAILED_TO_DELETE"][i % 2]))?;
        (0..node.ended).try_for_each(|i| connect(db, keys[n], ["DELETED", "FAILED_TO_PROVISION"][i % 2]))?;
    }
    Ok(keys)
}

/// What every query says about every account of the tree.
fn compare(db: &mut Db, nodes: &[Node], keys: &[Key]) -> Result<(), Problem> {
    let place: HashMap<Key, usize> = keys.iter().enumerate().map(|(n, key)| (*key, n)).collect();
    let all = billing::payers(db, keys)?;
    assert_eq!(all.len(), keys.len());
    for n in 0..nodes.len() {
        let payer = billing::payer(db, keys[n])?;
        assert_eq!(payer, all[&keys[n]]);
        let as_model = match &payer {
            Payer::Own { .. } => Pays::Own,
            Payer::Inherited(source) => {
                assert_eq!(Some(source.distance), distance(nodes, n, place[&source.key]));
                Pays::From(place[&source.key])
            }
            Payer::Nobody => Pays::Nobody,
        };
        assert_eq!(as_model, pays(nodes, n), "the payer of {n}");
        assert_eq!(payer.pays(), can_be_charged(nodes, n), "whether {n} can be charged");
        compare_below(db, nodes, keys, n)?;
        compare_changes(db, nodes, keys, n)?;
        compare_readiness(db, nodes, keys, n)?;
    }
    Ok(())
}

fn compare_below(db: &mut Db, nodes: &[Node], keys: &[Key], n: usize) -> Result<(), Problem> {
    let below = open_below(nodes, n);
    let count = |test: &dyn Fn(Pays) -> bool| below.iter().filter(|m| test(pays(nodes, **m))).count() as i64;
    let counts = billing::below(db, keys[n])?;
    assert_eq!(counts.accounts, below.len() as i64);
    assert_eq!(counts.own, count(&|pays| pays == Pays::Own));
    assert_eq!(counts.inherited, count(&|pays| matches!(pays, Pays::From(_))));
    assert_eq!(counts.without, count(&|pays| pays == Pays::Nobody));
    Ok(())
}

fn compare_changes(db: &mut Db, nodes: &[Node], keys: &[Key], n: usize) -> Result<(), Problem> {
    let saved = |offered| (Change::Save { allow_child_accounts: offered }, Some((offered, true)));
    for (change, own) in [saved(true), saved(false), (Change::Remove, None)] {
        let mut after = nodes.to_vec();
        after[n].own = own;
        // What is farther up catches nobody where it cannot be charged.
        let has = |nodes: &[Node], m: usize| match pays(nodes, m) {
            Pays::Own => true,
            Pays::From(source) => source == n || nodes[source].own.is_some_and(|(_, verified)| verified),
            Pays::Nobody => false,
        };
        let lost = |m: &usize| has(nodes, *m) && !has(&after, *m);
        let expected: BTreeSet<Key> = (0..nodes.len())
            .filter(|m| (*m == n || !nodes[*m].closed) && distance(nodes, *m, n).is_some())
            .filter(lost)
            .map(|m| keys[m])
            .collect();
        // A closed account is not asked about; nothing can be done in it.
        if nodes[n].closed {
            continue;
        }
        let effects = billing::effects(db, keys[n], change)?;
        let losers = billing::losers(db, keys[n], &effects, 1_000)?;
        assert_eq!(losers.iter().map(|one| one.key).collect::<BTreeSet<_>>(), expected, "{change:?} at {n}");
        assert_eq!(effects.losing.accounts, expected.len() as i64);
        let live: usize = losers.iter().map(|one| nodes[keys.iter().position(|k| *k == one.key).unwrap()].live).sum();
        assert_eq!(effects.losing.connections, live as i64);
        assert_eq!(losers.iter().map(|one| one.live).sum::<i64>(), live as i64);
        assert_eq!(effects.allowed().is_ok(), live == 0);
        assert!(losers.windows(2).all(|pair| pair[0].live >= pair[1].live));
    }
    Ok(())
}

fn compare_readiness(db: &mut Db, nodes: &[Node], keys: &[Key], n: usize) -> Result<(), Problem> {
    let mut expected = Vec::new();
    if !nodes[n].msa {
        expected.push("Accept the Master Service Agreement");
    }
    if !nodes[n].aup {
        expected.push("Accept the Acceptable Use Policy");
    }
    match (pays(nodes, n), can_be_charged(nodes, n)) {
        (_, true) => {}
        (Pays::Nobody, _) => expected.push("Add a payment method"),
        (_, false) => expected.push("Verify the payment method"),
    }
    let blockers: Vec<String> = readiness::blockers(db, keys[n])?.iter().map(Blocker::words).collect();
    assert_eq!(blockers, expected);
    let agreed = |m: &usize| nodes[*m].msa && nodes[*m].aup;
    let below = open_below(nodes, n);
    let sums = readiness::below(db, keys[n])?;
    assert_eq!(sums.accounts, below.len() as i64);
    assert_eq!(sums.awaiting_agreements, below.iter().filter(|m| !agreed(m)).count() as i64);
    assert_eq!(sums.awaiting_payment, below.iter().filter(|m| !can_be_charged(nodes, **m)).count() as i64);
    let lacking = |missing: Missing, m: &usize| match missing {
        Missing::Anything => !agreed(m) || !can_be_charged(nodes, *m),
        Missing::Agreements => !agreed(m),
        Missing::Payment => !can_be_charged(nodes, *m),
        // Nothing is suspended or limited in these trees.
        Missing::Suspended | Missing::Room => false,
    };
    for missing in [Missing::Anything, Missing::Agreements, Missing::Payment, Missing::Suspended, Missing::Room] {
        let mut wanted: Vec<(u8, Key)> =
            below.iter().filter(|m| lacking(missing, m)).map(|m| (nodes[*m].name, keys[*m])).collect();
        wanted.sort_unstable();
        let wanted: Vec<Key> = wanted.into_iter().map(|(_, key)| key).collect();
        assert_eq!(walked(db, keys[n], missing, false)?, wanted);
        let backwards: Vec<Key> = wanted.into_iter().rev().collect();
        assert_eq!(walked(db, keys[n], missing, true)?, backwards);
    }
    assert_eq!(sums.not_ready(), below.iter().filter(|m| lacking(Missing::Anything, m)).count() as i64);
    Ok(())
}

/// All accounts that are not ready, three at a time.
fn walked(db: &mut Db, top: Key, missing: Missing, backwards: bool) -> Result<Vec<Key>, Problem> {
    let mut want = if backwards { Want::Last } else { Want::First };
    let mut keys = Vec::new();
    loop {
        let page = {
            let states = readiness::of(db, top)?.states_below(db)?;
            readiness::not_ready(db, states, missing, &want, 3)?
        };
        let Some(last) = page.last() else { return Ok(keys) };
        let cursor = Cursor(last.name_key.clone(), last.key);
        want = if backwards { Want::Before(cursor) } else { Want::After(cursor) };
        keys.extend(page.iter().map(|row| row.key));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_about_money_is_the_models(nodes in nodes()) {
        let world = world();
        let keys = world.pool.write_here(|db| database::write(db, |db| plant(db, world, &nodes))).unwrap();
        world.pool.read_here(|db| compare(db, &nodes, &keys)).unwrap();
    }
}

// ---- operations ----

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

/// An account by its text id, as its administrator acts in it.
struct At<'a> {
    world: &'a World,
    id: String,
    key: Key,
}

impl At<'_> {
    fn root(world: &World) -> At<'_> {
        let id = world.pool.write_here(|db| accounts::open_root(db, world.user, &Origin::default(), "Root")).unwrap();
        At::of(world, id)
    }

    fn of(world: &World, id: String) -> At<'_> {
        let find = |db: &mut Db| Ok(rows::table.filter(rows::id.eq(&id)).select(rows::key).first(db)?);
        let key = world.pool.read_here(find).unwrap();
        At { world, id, key }
    }

    fn child(&self, name: &str) -> At<'_> {
        let details = Details { name: name.to_owned(), ..Details::default() };
        let new = NewChild { details, accept_agreements: false, max_depth: 100 };
        let opened = self.change(|db| {
            let by = access::grant::<CreateAccounts>(db, self.world.user, &self.id, Origin::default())?;
            accounts::open_child(db, &by, new)
        });
        At::of(self.world, opened.unwrap().id)
    }

    fn change<T>(&self, act: impl FnOnce(&mut Db) -> Result<T, Problem>) -> Result<T, Problem> {
        self.world.pool.write_here(act)
    }

    fn add(&self, offered: bool, stamp: &str) -> Result<(), Problem> {
        self.change(|db| {
            let by = access::grant::<CreateBilling>(db, self.world.user, &self.id, Origin::default())?;
            billing::add(db, &by, &entries(offered), stamp).map(|_| ())
        })
    }

    fn edit(&self, version: i64, offered: bool, stamp: &str) -> Result<(), Problem> {
        self.change(|db| {
            let by = access::grant::<UpdateBilling>(db, self.world.user, &self.id, Origin::default())?;
            billing::change(db, &by, version, &entries(offered), stamp)
        })
    }

    fn remove(&self, version: i64, stamp: &str) -> Result<(), Problem> {
        self.change(|db| {
            let by = access::grant::<DeleteBilling>(db, self.world.user, &self.id, Origin::default())?;
            billing::remove(db, &by, version, stamp)
        })
    }

    fn stamp(&self, change: Change) -> String {
        self.world.pool.read_here(|db| Ok(billing::effects(db, self.key, change)?.stamp())).unwrap()
    }

    fn payer(&self) -> Payer {
        self.world.pool.read_here(|db| billing::payer(db, self.key)).unwrap()
    }

    fn connect(&self, state: &str) {
        self.change(|db| connect(db, self.key, state)).unwrap();
    }

    fn entries_in_log(&self) -> Vec<String> {
        let read = |db: &mut Db| {
            Ok(audit_entries::table
                .filter(audit_entries::account_key.eq(self.key))
                .filter(audit_entries::subject_type.eq("ACCOUNT_BILLING"))
                .order(audit_entries::key)
                .select(audit_entries::event_type)
                .load::<String>(db)?)
        };
        self.world.pool.read_here(read).unwrap()
    }
}

const KEEP: Change = Change::Save { allow_child_accounts: false };

fn conflict(outcome: Result<(), Problem>) -> Reason {
    match outcome {
        Err(Problem::Conflict(reason)) => reason,
        other => panic!("no conflict but {other:?}"),
    }
}

#[test]
fn a_child_inherits_overrides_and_goes_back() {
    let world = world();
    let root = At::root(world);
    let child = root.child("Child");
    let grandchild = child.child("Grandchild");
    root.add(true, "").unwrap();
    assert!(matches!(child.payer(), Payer::Inherited(source) if source.key == root.key && source.distance == 1));
    assert!(matches!(grandchild.payer(), Payer::Inherited(source) if source.distance == 2));
    child.add(true, "").unwrap();
    assert_eq!(child.payer(), Payer::Own { verified: true });
    assert!(matches!(grandchild.payer(), Payer::Inherited(source) if source.key == child.key));
    assert_eq!(conflict(child.remove(1, "")), Reason::Unconfirmed);
    child.remove(1, &child.stamp(Change::Remove)).unwrap();
    assert!(matches!(grandchild.payer(), Payer::Inherited(source) if source.key == root.key));
    assert_eq!(child.entries_in_log(), ["ACCOUNT_BILLING_CREATE", "ACCOUNT_BILLING_DELETE"]);
}

#[test]
fn taking_a_payer_away_must_be_confirmed_as_it_is_now() {
    let world = world();
    let root = At::root(world);
    let child = root.child("Child");
    root.add(true, "").unwrap();
    assert_eq!(conflict(root.edit(1, false, "")), Reason::Unconfirmed);
    let seen = root.stamp(KEEP);
    root.child("Another");
    assert_eq!(conflict(root.edit(1, false, &seen)), Reason::Unconfirmed);
    root.edit(1, false, &root.stamp(KEEP)).unwrap();
    assert_eq!(child.payer(), Payer::Nobody);
    assert_eq!(root.payer(), Payer::Own { verified: true });
    root.edit(2, true, "").unwrap();
    assert!(child.payer().pays());
    assert_eq!(conflict(root.edit(2, true, "")), Reason::Stale);
    assert_eq!(conflict(root.add(true, "")), Reason::BillingExists);
}

#[test]
fn live_connections_keep_their_payer() {
    let world = world();
    let root = At::root(world);
    let child = root.child("Child");
    root.add(true, "").unwrap();
    child.connect("DELETED");
    let stamp = root.stamp(Change::Remove);
    child.connect("ACTIVE");
    child.connect("PROVISIONING");
    let refused = Reason::BillingCannotBeRemoved { accounts: 1, connections: 2 };
    assert_eq!(conflict(root.remove(1, &stamp)), refused);
    assert_eq!(conflict(root.remove(1, &root.stamp(Change::Remove))), refused);
    assert_eq!(conflict(root.edit(1, false, &root.stamp(KEEP))), refused);
    child.add(false, "").unwrap();
    root.remove(1, &root.stamp(Change::Remove)).unwrap();
    assert!(child.payer().pays());
    assert_eq!(conflict(child.remove(1, &child.stamp(Change::Remove))), refused);
}

#[test]
fn an_own_method_that_is_not_shared_cuts_those_below_off_only_when_confirmed() {
    let world = world();
    let root = At::root(world);
    let child = root.child("Child");
    let grandchild = child.child("Grandchild");
    root.add(true, "").unwrap();
    assert_eq!(conflict(child.add(false, "")), Reason::Unconfirmed);
    child.add(false, &child.stamp(KEEP)).unwrap();
    assert_eq!(grandchild.payer(), Payer::Nobody);
    child.remove(1, &child.stamp(Change::Remove)).unwrap();
    grandchild.connect("DOWN");
    assert_eq!(
        conflict(child.add(false, &child.stamp(KEEP))),
        Reason::BillingCannotBeRemoved { accounts: 1, connections: 1 }
    );
}
