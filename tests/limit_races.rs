//! Fifty at once that would each make one more of something, against limits at several accounts along the way (T19): no
//! limit is ever exceeded, and nothing is refused that had room. On SQLite, or on the PostgreSQL that TEST_DATABASE_URL
//! names. LIMIT_ROUNDS: how often for each kind, 3 unless told.

use std::sync::Barrier;
use std::thread;

use diesel::pg::PgConnection;
use diesel::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use subtenant::access::policy::{CreateAccounts, CreateMembers};
use subtenant::access::{self, Origin, Scope, lookup};
use subtenant::accounts::{self, Details, NewChild};
use subtenant::config::DatabaseUrl;
use subtenant::ids::{self, Key};
use subtenant::limits::{self, Resource};
use subtenant::members::{self, NewInvitation};
use subtenant::problem::{Problem, Reason};
use subtenant::roles;
use subtenant::store::schema::{
    accounts as rows, connections, facilities, invitations, locations, networks, ports, resource_limits, users,
};
use subtenant::store::{self as database, Db, Pool, check, dialect};

const AT_ONCE: usize = 50;

/// `root` with `left` and `right` below it, and `leaf` below `left`.
struct World {
    pool: Pool,
    admin: Key,
    /// Those who are invited.
    people: Vec<(Key, String)>,
    accounts: Vec<(Key, String)>,
    facility: Key,
}

fn open() -> World {
    let url = match std::env::var("TEST_DATABASE_URL") {
        Ok(server) => fresh_postgres(&server),
        Err(_) => {
            let folder = Box::leak(Box::new(tempfile::tempdir().unwrap()));
            folder.path().join("races.db").to_string_lossy().into_owned()
        }
    };
    let pool = Pool::open(&DatabaseUrl::parse(&url).unwrap(), 8).unwrap();
    let admin = pool.write_here(|db| database::write(db, |db| user(db, "admin@example.com"))).unwrap();
    let people = (0..AT_ONCE).map(|n| format!("person.{n}@example.com"));
    let person = |email: String| {
        let key = pool.write_here(|db| database::write(db, |db| user(db, &email))).unwrap();
        (key, email)
    };
    let people = people.map(person).collect();
    let root = pool.write_here(|db| accounts::open_root(db, admin, &Origin::default(), "Root")).unwrap();
    let left = child(&pool, admin, &root).unwrap();
    let right = child(&pool, admin, &root).unwrap();
    let leaf = child(&pool, admin, &left).unwrap();
    let key = |id: String| {
        let find = |db: &mut Db| Ok(rows::table.filter(rows::id.eq(&id)).select(rows::key).first::<Key>(db)?);
        (pool.read_here(find).unwrap(), id)
    };
    let accounts = [root, left, right, leaf].map(key).into();
    let facility = pool.write_here(|db| database::write(db, facility)).unwrap();
    World { pool, admin, people, accounts, facility }
}

fn fresh_postgres(server: &str) -> String {
    let name = format!("limits_{}", &ids::sha256_hex(ids::token().as_bytes())[..16]);
    let mut db = PgConnection::establish(server).unwrap();
    diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut db).unwrap();
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(&name);
    url.to_string()
}

fn user(db: &mut Db, email: &str) -> Result<Key, Problem> {
    let key = ids::next_key();
    diesel::insert_into(users::table)
        .values((
            users::key.eq(key),
            users::id.eq(ids::new_id("user")),
            users::email.eq(email),
            users::email_key.eq(email),
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

fn facility(db: &mut Db) -> Result<Key, Problem> {
    let key = ids::next_key();
    diesel::insert_into(locations::table)
        .values((
            locations::key.eq(key),
            locations::id.eq("us-ral"),
            locations::name.eq("Raleigh"),
            locations::latitude_e6.eq(0),
            locations::longitude_e6.eq(0),
            locations::offered.eq(true),
        ))
        .execute(db)?;
    diesel::insert_into(facilities::table)
        .values((
            facilities::key.eq(key),
            facilities::id.eq("us-ral-1"),
            facilities::location_key.eq(key),
            facilities::name.eq("One"),
            facilities::vendor.eq(""),
            facilities::street.eq(""),
            facilities::city.eq(""),
            facilities::region.eq(""),
            facilities::postal_code.eq(""),
            facilities::country.eq("US"),
            facilities::state.eq("ACTIVE"),
        ))
        .execute(db)?;
    Ok(key)
}

fn child(pool: &Pool, user: Key, parent: &str) -> Result<String, Problem> {
    let details = Details { name: "A child".to_owned(), ..Details::default() };
    let new = NewChild { details, accept_agreements: false, max_depth: 100 };
    let opened = pool.write_here(|db| {
        let by = access::grant::<CreateAccounts>(db, user, parent, Origin::default())?;
        accounts::open_child(db, &by, new)
    });
    opened.map(|opened| opened.id)
}

fn rounds() -> usize {
    std::env::var("LIMIT_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

type Limit = (usize, bool, i64);

impl World {
    fn wipe(&self) {
        let wipe = |db: &mut Db| {
            for table in
                ["networks", "ports", "connections", "resource_limits", "invitation_roles", "invitations", "mails"]
            {
                diesel::sql_query(format!("DELETE FROM {table}")).execute(db)?;
            }
            let (admin, known) = (self.admin, self.accounts.len());
            diesel::sql_query(format!("DELETE FROM assignments WHERE user_key <> {admin}")).execute(db)?;
            // The children of former rounds are closed: they are not counted.
            let kept: Vec<String> = self.accounts[..known].iter().map(|(key, _)| key.to_string()).collect();
            let kept = kept.join(", ");
            diesel::sql_query(format!(
                "UPDATE accounts SET closed_at = created_at WHERE closed_at IS NULL AND key NOT IN ({kept})"
            ))
            .execute(db)?;
            diesel::sql_query(
                "UPDATE accounts SET
                 children_count =
                 (SELECT COUNT(*) FROM accounts c WHERE c.parent_key = accounts.key AND c.closed_at IS NULL),
                 below_count =
                 (SELECT COUNT(*) FROM account_ancestry y JOIN accounts c ON c.key = y.descendant_key
                  WHERE y.ancestor_key = accounts.key AND y.distance > 0 AND c.closed_at IS NULL)",
            )
            .execute(db)?;
            Ok(())
        };
        self.pool.write_here(|db| database::write(db, wipe)).unwrap();
    }

    fn limit(&self, resource: Resource, limits: &[Limit]) {
        for (account, branch, most) in limits {
            let row = (
                resource_limits::account_key.eq(self.accounts[*account].0),
                resource_limits::resource.eq(resource.code()),
                resource_limits::reach.eq(if *branch { "BRANCH" } else { "ACCOUNT" }),
                resource_limits::most.eq(most),
                resource_limits::set_at.eq(ids::now()),
            );
            let insert = |db: &mut Db| Ok(diesel::insert_into(resource_limits::table).values(row).execute(db)?);
            self.pool.write_here(|db| database::write(db, insert)).unwrap();
        }
    }

    fn used(&self, resource: Resource, account: usize, branch: bool) -> i64 {
        let key = self.accounts[account].0;
        self.pool.read_here(|db| limits::used(db, key, resource, branch, 1_000_000)).unwrap()
    }

    /// Links for everybody to become a member of the account that is theirs.
    fn invite(&self, at: &[usize]) -> Vec<String> {
        let links = |db: &mut Db| {
            let mut tokens = Vec::new();
            for ((_, email), account) in self.people.iter().zip(at) {
                let by = access::grant::<CreateMembers>(db, self.admin, &self.accounts[*account].1, Origin::default())?;
                let role = roles::available(db, by.frame())?.into_iter().find(|role| role.name == "Read only").unwrap();
                let new = NewInvitation {
                    addresses: vec![email.clone()],
                    role_ids: vec![role.id],
                    scope: Scope::HereAndBelow,
                    ends_at: ids::never(),
                    message: String::new(),
                    site: String::new(),
                };
                members::invite(db, &by, &new)?;
                let row = invitations::table.filter(invitations::email.eq(email)).select(invitations::id);
                let id: String = row.first(db)?;
                let link = members::copy_link(db, &by, &id, "")?;
                tokens.push(link.rsplit('/').next().unwrap_or_default().to_owned());
            }
            Ok(tokens)
        };
        self.pool.write_here(links).unwrap()
    }

    /// One more of it in the account, as the operation of its room makes it.
    fn make(&self, resource: Resource, account: usize, person: usize, token: &str) -> Result<(), Problem> {
        let (key, id) = &self.accounts[account];
        match resource {
            Resource::Account => child(&self.pool, self.admin, id).map(drop),
            Resource::Member => self.pool.write_here(|db| {
                let actor = lookup::actor(db, self.people[person].0)?;
                members::accept(db, &actor, &Origin::default(), token).map(drop)
            }),
            _ => self.pool.write_here(|db| {
                database::write(db, |db| {
                    dialect::lock_tree(db, self.accounts[0].0)?;
                    limits::room_for_one(db, *key, resource)?;
                    self.insert(db, resource, *key)
                })
            }),
        }
    }

    fn insert(&self, db: &mut Db, resource: Resource, account: Key) -> Result<(), Problem> {
        let (key, now) = (ids::next_key(), ids::now());
        let name = format!("{key}");
        match resource {
            Resource::Network => diesel::insert_into(networks::table)
                .values((
                    networks::key.eq(key),
                    networks::id.eq(ids::new_id("net")),
                    networks::account_key.eq(account),
                    networks::name.eq(&name),
                    networks::name_key.eq(&name),
                    networks::description.eq(""),
                    networks::state.eq("ACTIVE"),
                    networks::created_at.eq(now),
                ))
                .execute(db)?,
            Resource::Connection => diesel::insert_into(connections::table)
                .values((
                    connections::key.eq(key),
                    connections::id.eq(ids::new_id("conn")),
                    connections::account_key.eq(account),
                    connections::name.eq(&name),
                    connections::state.eq("INITIALIZING"),
                    connections::created_at.eq(now),
                ))
                .execute(db)?,
            _ => diesel::insert_into(ports::table)
                .values((
                    ports::key.eq(key),
                    ports::id.eq(ids::new_id("port")),
                    ports::account_key.eq(account),
                    ports::name.eq(&name),
                    ports::name_key.eq(&name),
                    ports::description.eq(""),
                    ports::loa_customer_name.eq(""),
                    ports::facility_key.eq(self.facility),
                    ports::provider.eq("PUREPORT"),
                    ports::availability_domain.eq("PRIMARY"),
                    ports::speed.eq(1000),
                    ports::media_type.eq("LR"),
                    ports::term.eq("MONTHLY"),
                    ports::price_code.eq(""),
                    ports::state.eq("REQUESTED"),
                    ports::available_to_child_accounts.eq(false),
                    ports::created_at.eq(now),
                ))
                .execute(db)?,
        };
        Ok(())
    }
}

fn refused(outcome: &Result<(), Problem>) -> bool {
    match outcome {
        Ok(()) => false,
        Err(Problem::Conflict(Reason::LimitReached { .. })) => true,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn fifty_at_once_never_pass_a_limit_wherever_it_is_set() {
    let world = open();
    let mut dice = StdRng::seed_from_u64(19);
    let mut sums = (0, 0);
    for round in 0..rounds() * Resource::EVERY.len() {
        let resource = Resource::EVERY[round % Resource::EVERY.len()];
        world.wipe();
        let at: Vec<usize> = (0..AT_ONCE).map(|_| dice.random_range(0..world.accounts.len())).collect();
        let tokens = if resource == Resource::Member { world.invite(&at) } else { vec![String::new(); AT_ONCE] };
        // At the root for everything, at `left` for its branch and for itself, at the leaf.
        let caps = [
            (0, true, dice.random_range(15..40)),
            (1, true, dice.random_range(5..20)),
            (1, false, dice.random_range(0..9)),
            (3, false, dice.random_range(0..9)),
        ];
        world.limit(resource, &caps);
        let together = Barrier::new(AT_ONCE);
        let outcomes: Vec<Result<(), Problem>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..AT_ONCE)
                .map(|n| {
                    let (together, world, account, token) = (&together, &world, at[n], &tokens[n]);
                    scope.spawn(move || {
                        together.wait();
                        // Busy is no answer: on a slow machine whoever waits too long for a connection asks again.
                        loop {
                            match world.make(resource, account, n, token) {
                                Err(Problem::Unavailable(_)) => {}
                                outcome => return outcome,
                            }
                        }
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (account, branch, most) in caps {
            let has = world.used(resource, account, branch);
            assert!(has <= most, "{resource:?}: {has} of {most} at {account}");
        }
        for (outcome, account) in outcomes.iter().zip(&at) {
            // What was refused has no room now either: nothing was taken away meanwhile.
            let (key, no) = (world.accounts[*account].0, refused(outcome));
            let room = world.pool.read_here(|db| limits::room_for_one(db, key, resource));
            assert!(!no || refused(&room), "{resource:?} at {account} was refused and has room");
            sums = (sums.0 + usize::from(!no), sums.1 + usize::from(no));
        }
    }
    println!("{} made, {} refused, no limit passed", sums.0, sums.1);
    let differences = world.pool.read_here(check::differences).unwrap();
    assert!(differences.is_empty(), "{differences:#?}");
}
