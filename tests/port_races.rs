//! Fifty buyers at once on one offered port, while its owner takes the offer back and gives it again, in threads (T18):
//! what they have together is never more than the port or a cap on it allows, a VLAN is never given twice, everybody
//! gets a yes or a no with its reason, and letting go gives back exactly what was taken. On SQLite, or on the PostgreSQL
//! that TEST_DATABASE_URL names. RACE_ROUNDS: how often, 40 unless told.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use diesel::pg::PgConnection;
use diesel::prelude::*;
use subtenant::access::policy::{CreateAccounts, UpdatePorts};
use subtenant::access::{self, Origin};
use subtenant::accounts::{self, Details, NewChild};
use subtenant::config::DatabaseUrl;
use subtenant::ids::{self, Key};
use subtenant::ports::{self, NewUse, Offer, Side};
use subtenant::problem::{Problem, Reason};
use subtenant::store::schema::{
    accounts as rows, connections, facilities, locations, port_caps, port_uses, ports as port_rows, users,
};
use subtenant::store::{self as database, Db, Pool, dialect};

/// `root` with five children; `capped` is one of them and has `below` below it.
struct World {
    pool: Pool,
    user: Key,
    root: (Key, String),
    capped: Key,
    /// Every account that buys: the children, and the one below.
    buyers: Vec<Key>,
}

const BUYERS: usize = 50;
/// Each wants this much.
const SPEED: i64 = 50;
const CAPACITY: i64 = 1000;
/// VLANs that they draw from: fewer than buyers, so that two want the same one.
const VLANS: i64 = 40;
const CAP_SPEED: i64 = 200;
const CAP_CONNECTIONS: i64 = 3;

fn open() -> World {
    let url = match std::env::var("TEST_DATABASE_URL") {
        Ok(server) => fresh_postgres(&server),
        Err(_) => {
            let folder = Box::leak(Box::new(tempfile::tempdir().unwrap()));
            folder.path().join("races.db").to_string_lossy().into_owned()
        }
    };
    let pool = Pool::open(&DatabaseUrl::parse(&url).unwrap(), 8).unwrap();
    let user = pool.write_here(|db| database::write(db, user)).unwrap();
    let root = pool.write_here(|db| accounts::open_root(db, user, &Origin::default(), "Root")).unwrap();
    let children: Vec<String> = (0..5).map(|n| child(&pool, user, &root, &format!("Child {n}"))).collect();
    let below = child(&pool, user, &children[0], "Below");
    let key = |id: &String| {
        pool.read_here(|db| Ok(rows::table.filter(rows::id.eq(id)).select(rows::key).first::<Key>(db)?)).unwrap()
    };
    let buyers: Vec<Key> = children.iter().chain([&below]).map(key).collect();
    pool.write_here(|db| database::write(db, place)).unwrap();
    World { user, root: (key(&root), root), capped: buyers[0], buyers, pool }
}

fn fresh_postgres(server: &str) -> String {
    let name = format!("port_races_{}", &ids::sha256_hex(ids::token().as_bytes())[..16]);
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

fn child(pool: &Pool, user: Key, parent: &str, name: &str) -> String {
    let details = Details { name: name.to_owned(), ..Details::default() };
    let new = NewChild { details, accept_agreements: false, max_depth: 100 };
    let opened = pool.write_here(|db| {
        let by = access::grant::<CreateAccounts>(db, user, parent, Origin::default())?;
        accounts::open_child(db, &by, new)
    });
    opened.unwrap().id
}

fn place(db: &mut Db) -> Result<(), Problem> {
    diesel::insert_into(locations::table)
        .values((
            locations::key.eq(1),
            locations::id.eq("fra"),
            locations::name.eq("Frankfurt"),
            locations::latitude_e6.eq(50_110_900),
            locations::longitude_e6.eq(8_682_100),
            locations::offered.eq(true),
        ))
        .execute(db)?;
    diesel::insert_into(facilities::table)
        .values((
            (facilities::key.eq(2), facilities::id.eq("fra-1"), facilities::location_key.eq(1)),
            (facilities::name.eq("One"), facilities::vendor.eq(""), facilities::street.eq("")),
            (facilities::city.eq(""), facilities::region.eq(""), facilities::postal_code.eq("")),
            (facilities::country.eq(""), facilities::state.eq("ACTIVE")),
        ))
        .execute(db)?;
    Ok(())
}

impl World {
    /// A new offered port of the root, with a cap for one branch: its key and id.
    fn port(&self) -> (Key, String) {
        let (key, id) = (ids::next_key(), ids::new_id("port"));
        let made = |db: &mut Db| {
            diesel::insert_into(port_rows::table)
                .values((
                    (port_rows::key.eq(key), port_rows::id.eq(&id), port_rows::account_key.eq(self.root.0)),
                    (port_rows::name.eq("P"), port_rows::name_key.eq("p"), port_rows::description.eq("")),
                    (port_rows::loa_customer_name.eq(""), port_rows::facility_key.eq(2)),
                    (port_rows::provider.eq("PUREPORT"), port_rows::availability_domain.eq("PRIMARY")),
                    (port_rows::speed.eq(CAPACITY), port_rows::media_type.eq("LR"), port_rows::term.eq("MONTHLY")),
                    (port_rows::price_code.eq(""), port_rows::state.eq("ACTIVE")),
                    (port_rows::available_to_child_accounts.eq(true), port_rows::created_at.eq(ids::now())),
                ))
                .execute(db)?;
            diesel::insert_into(port_caps::table)
                .values((
                    (port_caps::port_key.eq(key), port_caps::port_account_key.eq(self.root.0)),
                    (port_caps::account_key.eq(self.capped), port_caps::may_share.eq(true)),
                    (port_caps::most_speed.eq(CAP_SPEED), port_caps::most_connections.eq(CAP_CONNECTIONS)),
                ))
                .execute(db)?;
            Ok(())
        };
        self.pool.write_here(|db| database::write(db, made)).unwrap();
        (key, id)
    }

    /// One buyer's whole order: the tree's lock, the row, the VLAN.
    fn buy(&self, port: Key, account: Key, vlan: i64) -> Result<Key, Problem> {
        let connection = ids::next_key();
        self.pool.write_here(|db| {
            database::write(db, |db| {
                dialect::lock_tree(db, self.root.0)?;
                diesel::insert_into(connections::table)
                    .values((
                        connections::key.eq(connection),
                        connections::id.eq(ids::new_id("conn")),
                        connections::account_key.eq(account),
                        connections::name.eq("C"),
                        connections::state.eq("INITIALIZING"),
                        connections::created_at.eq(ids::now()),
                    ))
                    .execute(db)?;
                let new = NewUse { port, vlan, connection, account, side: Side::Primary, speed: SPEED };
                ports::reserve(db, &new)
            })
        })?;
        Ok(connection)
    }

    fn let_go(&self, connection: Key) {
        self.pool
            .write_here(|db| {
                database::write(db, |db| {
                    dialect::lock_tree(db, self.root.0)?;
                    ports::release(db, connection)
                })
            })
            .unwrap();
    }

    /// The owner's change of mind, whatever version the port has by then.
    fn offer(&self, id: &str, offer: Offer) -> Result<(), Problem> {
        self.pool.write_here(|db| {
            let by = access::grant::<UpdatePorts>(db, self.user, &self.root.1, Origin::default())?;
            let version = ports::find(db, self.root.0, id)?.version;
            ports::offer(db, &by, id, offer, version)
        })
    }

    fn uses(&self, port: Key) -> Vec<Use> {
        self.pool.read_here(|db| uses(db, port)).unwrap()
    }

    /// Whatever happened, this holds.
    fn assert_sound(&self, port: Key) {
        let both = |db: &mut Db| {
            dialect::lock_tree(db, self.root.0)?;
            Ok((uses(db, port)?, ports::by_key(db, port)?))
        };
        let (uses, row) = self.pool.write_here(|db| database::write(db, both)).unwrap();
        let sum: i64 = uses.iter().map(|(.., speed)| speed).sum();
        assert_eq!(row.used_speed, sum, "the row says what the uses say");
        assert!(sum <= CAPACITY, "{sum} sold of {CAPACITY}");
        let vlans: BTreeSet<i64> = uses.iter().map(|(_, _, vlan, _)| *vlan).collect();
        assert_eq!(vlans.len(), uses.len(), "a VLAN is given twice");
        let branch = [self.capped, self.buyers[5]];
        let capped: Vec<i64> = uses.iter().filter(|one| branch.contains(&one.1)).map(|(.., speed)| *speed).collect();
        assert!(capped.len() as i64 <= CAP_CONNECTIONS, "{} connections of {CAP_CONNECTIONS}", capped.len());
        assert!(capped.iter().sum::<i64>() <= CAP_SPEED);
        assert!(row.available_to_child_accounts || uses.is_empty(), "it is not offered and in use below");
    }
}

/// Connection, account, VLAN, speed.
type Use = (Key, Key, i64, i64);

fn uses(db: &mut Db, port: Key) -> Result<Vec<Use>, Problem> {
    let held = port_uses::table.filter(port_uses::port_key.eq(port));
    let columns = (port_uses::connection_key, port_uses::account_key, port_uses::vlan, port_uses::speed);
    Ok(held.select(columns).load(db)?)
}

fn rounds() -> usize {
    std::env::var("RACE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(40)
}

/// The same numbers in every run.
fn dice(round: usize, buyer: usize) -> usize {
    (round * 7919 + buyer * 104_729) % 65_537
}

#[test]
fn fifty_buyers_and_a_change_of_mind_never_sell_a_port_twice() {
    let world = open();
    let (yes, no, withdrawn, kept) =
        (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    for round in 0..rounds() {
        let (port, id) = world.port();
        let start = Barrier::new(BUYERS + 1);
        let bought: Vec<Option<Key>> = thread::scope(|scope| {
            let buyers: Vec<_> = (0..BUYERS)
                .map(|n| {
                    let (world, start, yes, no) = (&world, &start, &yes, &no);
                    scope.spawn(move || {
                        let account = world.buyers[dice(round, n) % world.buyers.len()];
                        let vlan = 1 + (dice(round, n + 50) as i64) % VLANS;
                        start.wait();
                        match world.buy(port, account, vlan) {
                            Ok(connection) => {
                                yes.fetch_add(1, Ordering::Relaxed);
                                Some(connection)
                            }
                            Err(Problem::Conflict(
                                Reason::PortNotAvailable
                                | Reason::PortIsFull(_)
                                | Reason::VlanInUse(_)
                                | Reason::PortCap(_),
                            )) => {
                                no.fetch_add(1, Ordering::Relaxed);
                                None
                            }
                            Err(other) => panic!("neither yes nor no: {other}"),
                        }
                    })
                })
                .collect();
            scope.spawn(|| {
                start.wait();
                for _ in 0..3 {
                    match world.offer(&id, Offer::Withdrawn) {
                        Ok(()) => withdrawn.fetch_add(1, Ordering::Relaxed),
                        Err(Problem::Conflict(Reason::PortUsedBelow(_))) => kept.fetch_add(1, Ordering::Relaxed),
                        Err(other) => panic!("neither withdrawn nor kept: {other}"),
                    };
                    world.assert_sound(port);
                    world.offer(&id, Offer::Open).unwrap();
                }
            });
            buyers.into_iter().map(|buyer| buyer.join().unwrap()).collect()
        });
        world.assert_sound(port);
        let bought: BTreeSet<Key> = bought.into_iter().flatten().collect();
        let stored: BTreeSet<Key> = world.uses(port).into_iter().map(|(connection, ..)| connection).collect();
        assert_eq!(bought, stored, "who was told yes has it, and nobody else");
        // Letting go, in threads too, gives back exactly what was taken.
        let (few, many): (Vec<Key>, Vec<Key>) = bought.into_iter().partition(|key| key % 3 == 0);
        thread::scope(|scope| {
            for key in &many {
                let world = &world;
                scope.spawn(move || world.let_go(*key));
            }
        });
        world.assert_sound(port);
        assert_eq!(world.uses(port).len(), few.len());
        few.iter().for_each(|key| world.let_go(*key));
        let row = world.pool.read_here(|db| ports::by_key(db, port)).unwrap();
        assert_eq!((row.used_speed, world.uses(port).len()), (0, 0));
        world.offer(&id, Offer::Withdrawn).unwrap();
    }
    let count = |n: &AtomicUsize| n.load(Ordering::Relaxed);
    println!(
        "{} rounds: {} bought, {} refused, {} times withdrawn, {} times kept",
        rounds(),
        count(&yes),
        count(&no),
        count(&withdrawn),
        count(&kept)
    );
    assert_eq!(count(&yes) + count(&no), rounds() * BUYERS);
    assert!(count(&yes) > 0 && count(&no) > 0 && count(&kept) > 0);
}
