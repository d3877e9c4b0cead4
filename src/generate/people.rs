//! Users, the roles of each root account, and who holds which role where. A few of them are there to be signed in as:
//! they see everything, a branch of a certain size, a hundred scattered accounts, or one.

use std::collections::HashMap;

use chrono::Duration;
use rand::Rng;
use rand::seq::IndexedRandom;

use super::{Keys, Person, Say, Steps, World, id, names};
use crate::access::policy::BUILT_IN_ROLES;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::bulk::Rows;
use crate::text::{self, email_key, name_key};

pub struct People {
    pub users: Vec<User>,
    roles: HashMap<u32, Vec<Role>>,
    /// The branches whose sizes are nearest to 10,000, 100 and 1.
    branches: [u32; 3],
}

pub struct User {
    pub key: Key,
    pub id: String,
    pub email: String,
    pub first: &'static str,
    pub last: &'static str,
    /// The account that they belong to: the company in their profile.
    home: u32,
}

impl User {
    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }
}

struct Role {
    key: Key,
    id: String,
}

/// Among the built-in roles.
const ADMINISTRATOR: usize = 0;
const READ_ONLY: usize = 4;
/// Behind the administrators of the roots: those with one branch each, and the one with a hundred accounts.
const BRANCHES: [(&str, usize); 3] = [("ten.thousand", 10_000), ("hundred", 100), ("single", 1)];
const SCATTERED: usize = 100;

impl People {
    pub fn new(world: &World) -> People {
        let mut rng = world.dice(5);
        let roots: Vec<u32> = world.roots().collect();
        let mut keys = Keys::default();
        let mut roles = HashMap::new();
        for root in &roots {
            let made = BUILT_IN_ROLES.iter().map(|_| Role { key: keys.at(world.start), id: id("role", &mut rng) });
            roles.insert(*root, made.collect());
        }
        let branches = BRANCHES.map(|(_, size)| nearest(world, size));
        let known = roots.len() + BRANCHES.len() + 1;
        let all = known + world.forest.len() / 5;
        let mut users = Vec::with_capacity(all);
        for n in 0..all {
            let (first, last) = names::person(&mut rng);
            let named = n.checked_sub(roots.len());
            let (email, home) = match named {
                None if n == 0 => ("admin@northwind.example".to_owned(), roots[0]),
                None => (format!("admin.{n}@northwind.example"), roots[n]),
                Some(at) if at < BRANCHES.len() => (format!("{}@northwind.example", BRANCHES[at].0), branches[at]),
                Some(at) if at == BRANCHES.len() => ("scattered@northwind.example".to_owned(), roots[0]),
                Some(_) => (address(first, last, n), rng.random_range(0..world.forest.len() as u32)),
            };
            users.push(User { key: keys.at(world.start), id: id("user", &mut rng), email, first, last, home });
        }
        People { users, roles, branches }
    }

    /// Who has a root account.
    pub fn administrator(&self, root: u32) -> Key {
        let place = self.users.iter().position(|user| user.home == root).unwrap_or(0);
        self.users[place].key
    }

    /// The administrators, by the number of their root account.
    pub fn administrators(&self, world: &World) -> HashMap<u32, &User> {
        world.roots().zip(&self.users).collect()
    }

    pub fn to_sign_in_as(&self, world: &World) -> Vec<Person> {
        let sees = |n: u32| {
            let accounts = i64::from(world.forest.size[n as usize]);
            format!("{} with {}", world.forest.name[n as usize], text::count(accounts, "account", "accounts"))
        };
        let person = |place: usize, what: String| Person { email: self.users[place].email.clone(), what };
        let roots = self.roles.len();
        let mut people = vec![person(0, format!("administrator of {}", sees(0)))];
        for (at, branch) in self.branches.iter().enumerate() {
            people.push(person(roots + at, format!("administrator of {}", sees(*branch))));
        }
        people.push(person(
            roots + BRANCHES.len(),
            format!("reads {SCATTERED} scattered accounts and what is below them"),
        ));
        people
    }
}

fn address(first: &str, last: &str, n: usize) -> String {
    let plain = |name: &str| name_key(name).chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    format!("{}.{}.{n}@customer.example", plain(first), plain(last))
}

/// The branch below the first root whose size comes nearest.
fn nearest(world: &World, size: usize) -> u32 {
    let of = |n: &u32| (world.forest.size[*n as usize] as usize).abs_diff(size);
    world.branch(0).skip(1).filter(|n| !world.closed[*n as usize]).min_by_key(of).unwrap_or(0)
}

const ROLES: [&str; 10] =
    ["key", "id", "account_key", "name", "name_key", "description", "permissions", "built_in", "created_at", "version"];
const USERS: [&str; 13] = [
    "key",
    "id",
    "email",
    "email_key",
    "first_name",
    "last_name",
    "company",
    "password_hash",
    "theme",
    "created_at",
    "version",
    "name_key",
    "email_verified_at",
];
const ASSIGNMENTS: [&str; 9] =
    ["key", "account_key", "user_key", "role_key", "role_account_key", "scope", "granted_by", "created_at", "ends_at"];

pub fn fill(db: &mut Db, world: &World, people: &People, hash: &str, say: Say<'_>) -> Result<(), Problem> {
    let mut rows = Rows::into(db, "roles", &ROLES);
    for root in world.roots() {
        for (role, built_in) in people.roles[&root].iter().zip(&BUILT_IN_ROLES) {
            rows.push([
                role.key.into(),
                role.id.as_str().into(),
                world.key[root as usize].into(),
                built_in.name.into(),
                name_key(built_in.name).into(),
                built_in.description.into(),
                built_in.permissions.0.into(),
                true.into(),
                world.start.into(),
                1.into(),
            ])?;
        }
    }
    rows.end()?;
    let mut steps = Steps::new(say, "People", people.users.len());
    let mut rows = Rows::into(db, "users", &USERS);
    for user in &people.users {
        rows.push([
            user.key.into(),
            user.id.as_str().into(),
            user.email.as_str().into(),
            email_key(&user.email).into(),
            user.first.into(),
            user.last.into(),
            world.forest.name[user.home as usize].as_str().into(),
            hash.into(),
            "auto".into(),
            world.start.into(),
            1.into(),
            name_key(&user.name()).into(),
            world.start.into(),
        ])?;
        steps.one();
    }
    rows.end()?;
    assignments(db, world, people, say)
}

fn assignments(db: &mut Db, world: &World, people: &People, say: Say<'_>) -> Result<(), Problem> {
    let mut rng = world.dice(6);
    let mut keys = Keys::default();
    let roots = people.roles.len();
    let mut steps = Steps::new(say, "Roles", people.users.len());
    let mut rows = Rows::into(db, "assignments", &ASSIGNMENTS);
    for (n, user) in people.users.iter().enumerate() {
        let mut given: Vec<(u32, usize)> = Vec::new();
        match n.checked_sub(roots) {
            None => given.push((user.home, ADMINISTRATOR)),
            Some(at) if at < BRANCHES.len() => given.push((user.home, ADMINISTRATOR)),
            Some(at) if at == BRANCHES.len() => {
                let below = world.branch(0);
                given.extend((0..SCATTERED).map(|_| (rng.random_range(below.clone()), READ_ONLY)));
            }
            Some(_) => {
                given.push((user.home, *[1, 2, 3, 4].choose(&mut rng).unwrap_or(&READ_ONLY)));
                let more = rng.random_range(0..3);
                given.extend((0..more).map(|_| (rng.random_range(world.branch(user.home)), rng.random_range(1..5))));
            }
        }
        given.sort_unstable();
        given.dedup();
        for (account, role) in given {
            let root = world.root_of(account);
            let known = n < roots + BRANCHES.len() + 1;
            // Nothing ends so soon that reminders are due at the first start.
            let (ends_at, scope) = match rng.random_range(0..100) {
                _ if known => (ids::never(), "here_and_below"),
                0..3 => (world.end - Duration::days(rng.random_range(1..300)), "here_and_below"),
                3..8 => (world.end + Duration::days(rng.random_range(90..700)), "here_and_below"),
                8..15 => (ids::never(), "here"),
                _ => (ids::never(), "here_and_below"),
            };
            let by = (n >= roots).then(|| people.administrator(root));
            rows.push([
                keys.at(world.start).into(),
                world.key[account as usize].into(),
                user.key.into(),
                people.roles[&root][role].key.into(),
                world.key[root as usize].into(),
                scope.into(),
                by.into(),
                world.created[account as usize].into(),
                ends_at.into(),
            ])?;
        }
        steps.one();
    }
    Ok(rows.end()?)
}
