//! A random history of one tree, played in the product and in the naive `model` at once: people with all sorts of roles
//! create, edit, move, close, restore, accept, pay, remove each other. Each step says what was done and what it came to
//! in both; `models` compares that, and what is stored afterwards.

use diesel::prelude::*;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use subtenant::access::policy::*;
use subtenant::access::{self, Grant, Origin, Scope};
use subtenant::accounts::{self, Details};
use subtenant::billing::{self, Change};
use subtenant::ids::{self, Key};
use subtenant::problem::{Problem, Reason};
use subtenant::store::Db;
use subtenant::store::schema::{connections, users};
use subtenant::{consent, members, roles, suspension};

use crate::model::{Account, Given, Model, Outcome, ROLES};
use crate::money::invoice;
use crate::world::{World, admin_of, new_child};

pub const PEOPLE: usize = 4;
const SCOPES: [&str; 3] = ["here_and_below", "here", "below"];

/// One tree in the database beside its model; accounts and people by their place in the lists.
pub struct History<'w> {
    pub world: &'w World,
    pub model: Model,
    pub keys: Vec<(Key, String)>,
    pub people: Vec<Key>,
    root: Key,
    pub dice: StdRng,
}

fn outcome<T>(result: Result<T, Problem>) -> Outcome {
    match result {
        Ok(_) => Outcome::Done,
        Err(Problem::NotFound) => Outcome::NotFound,
        Err(Problem::Forbidden { .. }) => Outcome::Forbidden,
        Err(Problem::Conflict(reason)) => Outcome::Conflict(match reason {
            Reason::Stale => "Stale",
            Reason::Cycle => "Cycle",
            Reason::RootCannotBeClosed => "RootCannotBeClosed",
            Reason::HasChildAccounts(_) => "HasChildAccounts",
            Reason::HasLiveConnections(_) => "HasLiveConnections",
            Reason::AlreadyConsented => "AlreadyConsented",
            Reason::BillingExists => "BillingExists",
            Reason::BillingCannotBeRemoved { .. } => "BillingCannotBeRemoved",
            Reason::Unconfirmed => "Unconfirmed",
            Reason::AdminAccessMustExist => "AdminAccessMustExist",
            Reason::MoreThanHeld => "MoreThanHeld",
            Reason::SuspendedAbove => "SuspendedAbove",
            other => panic!("{other:?}"),
        }),
        Err(other) => panic!("{other}"),
    }
}

impl<'w> History<'w> {
    pub fn begin(world: &'w World, seed: u64) -> History<'w> {
        let name = format!("root {seed}");
        world.account(&name);
        let (root, id) = (world.key(&name), world.id(&name));
        let others = (1..PEOPLE).map(|n| world.person(&format!("{seed}-{n}")));
        let people = [world.person(&admin_of(&name))].into_iter().chain(others).collect();
        let mut model = Model::default();
        model.accounts.push(Account { version: 1, entries: 1, ..Account::default() });
        model.given.push(Given { person: 0, account: 0, role: ROLES[0], scope: SCOPES[0] });
        History { world, model, keys: vec![(root, id)], people, root, dice: StdRng::seed_from_u64(seed) }
    }

    fn write<T>(&self, act: impl FnOnce(&mut Db) -> Result<T, Problem>) -> Outcome {
        outcome(self.world.write(act))
    }

    /// Acts with a grant for somebody in an account, if they get one.
    fn with<A: Action, T>(
        &self,
        who: usize,
        account: usize,
        act: impl FnOnce(&mut Db, &Grant<A>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let (user, id) = (self.people[who], &self.keys[account].1);
        self.world.write(|db| {
            let by = access::grant::<A>(db, user, id, Origin::default())?;
            act(db, &by)
        })
    }

    /// One random act, in both; answers what it was and what it came to in each.
    pub fn step(&mut self) -> (String, Outcome, Outcome) {
        let who = if self.dice.random_bool(0.6) { 0 } else { self.dice.random_range(0..PEOPLE) };
        let account = self.dice.random_range(0..self.keys.len());
        let other = self.dice.random_range(0..self.keys.len());
        let coin = self.dice.random_bool(0.5);
        match self.dice.random_range(0..22) {
            0..5 => self.create(who, account, coin),
            5 => {
                let version = self.model.accounts[account].version - i64::from(coin);
                let details = Details { name: "edited".to_owned(), ..Details::default() };
                let is = self.with(who, account, |db, by| accounts::edit(db, by, &details, version));
                (format!("{who} edits {account}"), outcome(is), self.model.edit(who, account, version))
            }
            6..9 => {
                let (user, id) = (self.people[who], self.keys[other].1.clone());
                let is = self.with::<UpdateAccounts, _>(who, account, |db, by| {
                    let to = access::grant::<CreateAccounts>(db, user, &id, Origin::default())?;
                    accounts::move_under(db, by, &to, 1000)
                });
                (
                    format!("{who} moves {account} under {other}"),
                    outcome(is),
                    self.model.move_under(who, account, other),
                )
            }
            9 => {
                let is = self.with(who, account, |db, by| accounts::close(db, by, by.account().version));
                (format!("{who} closes {account}"), outcome(is), self.model.close(who, account))
            }
            10 => self.restore(who),
            11 => {
                let is = self.with::<UpdateAccounts, _>(who, account, |db, by| {
                    let keys: Vec<Key> = consent::in_force(db)?.iter().map(|d| d.key).collect();
                    consent::accept(db, by, &keys)
                });
                (format!("{who} accepts for {account}"), outcome(is), self.model.accept(who, account))
            }
            12..17 => self.pay(who, account, coin),
            17 => self.connect(account),
            18 => self.give(other),
            19 | 20 => self.suspend(who, account, other),
            _ => {
                let whom = self.dice.random_range(0..PEOPLE);
                let is = self.with(who, account, |db, by| {
                    let id: String = users::table.find(self.people[whom]).select(users::id).first(db)?;
                    members::remove(db, by, &id, None)
                });
                (
                    format!("{who} removes {whom} from {account}"),
                    outcome(is),
                    self.model.remove_member(who, account, whom),
                )
            }
        }
    }

    fn create(&mut self, who: usize, account: usize, accept: bool) -> (String, Outcome, Outcome) {
        let new = accounts::NewChild { accept_agreements: accept, ..new_child("child") };
        let made = self.with(who, account, |db, by| accounts::open_child(db, by, new));
        if let Ok(opened) = &made {
            self.keys.push((opened.key, opened.id.clone()));
        }
        let should = self.model.create(who, account, accept);
        (format!("{who} creates below {account}, accepting: {accept}"), outcome(made), should)
    }

    /// Closed accounts are few: one of them, if there is any.
    fn restore(&mut self, who: usize) -> (String, Outcome, Outcome) {
        let closed: Vec<usize> = (0..self.keys.len()).filter(|a| self.model.accounts[*a].closed).collect();
        let account = closed.choose(&mut self.dice).copied().unwrap_or(self.keys.len() - 1);
        let Some(parent) = self.model.accounts[account].parent else {
            return ("nothing to restore".to_owned(), Outcome::Done, Outcome::Done);
        };
        let id = self.keys[account].1.clone();
        let is = self.with(who, parent, |db, by| accounts::restore(db, by, &id));
        (format!("{who} restores {account}"), outcome(is), self.model.restore(who, account))
    }

    fn pay(&mut self, who: usize, account: usize, shared: bool) -> (String, Outcome, Outcome) {
        let confirmed = self.dice.random_bool(0.7);
        let key = self.keys[account].0;
        let (act, method) = match self.model.accounts[account].method {
            None => ("create", Some(shared)),
            Some(_) if self.dice.random_bool(0.5) => ("update", Some(shared)),
            Some(_) => ("delete", None),
        };
        let change = method.map_or(Change::Remove, |allow_child_accounts| Change::Save { allow_child_accounts });
        let effects = self.world.read(|db| billing::effects(db, key, change)).expect("effects are counted");
        if !self.model.accounts[account].closed {
            let losing = self.model.losing(account, method);
            assert_eq!(effects.losing.accounts, losing.len() as i64, "accounts that lose their payer");
        }
        let stamp = if confirmed { effects.stamp() } else { "not seen".to_owned() };
        let own = self.world.read(|db| billing::own(db, key)).expect("the method is read");
        let version = own.map_or(0, |method| method.version);
        let entries = invoice("payer", shared);
        let is = match act {
            "create" => outcome(self.with(who, account, |db, by| billing::add(db, by, &entries, &stamp))),
            "update" => outcome(self.with(who, account, |db, by| billing::change(db, by, version, &entries, &stamp))),
            _ => outcome(self.with(who, account, |db, by| billing::remove(db, by, version, &stamp))),
        };
        let should = self.model.pay(who, account, act, method, confirmed);
        (format!("{who} pays for {account}: {act} {method:?}, confirmed: {confirmed}"), is, should)
    }

    /// Suspends what is not suspended and resumes what is; now and then the other way round.
    fn suspend(&mut self, who: usize, from: usize, account: usize) -> (String, Outcome, Outcome) {
        let stop = self.model.accounts[account].suspended == self.dice.random_bool(0.1);
        let id = self.keys[account].1.clone();
        let is = self.with::<SuspendAccounts, _>(who, from, |db, by| match stop {
            true => suspension::suspend(db, by, &id, "", None),
            false => suspension::resume(db, by, &id, None),
        });
        let what = format!("{who} suspends {account} from {from}: {stop}");
        (what, outcome(is), self.model.suspend(who, from, account, stop))
    }

    /// A live connection, if the account is ready for one.
    fn connect(&mut self, account: usize) -> (String, Outcome, Outcome) {
        if self.model.is_ready(account) && !self.model.accounts[account].closed {
            let row = (
                connections::key.eq(ids::next_key()),
                connections::id.eq(ids::new_id("conn")),
                connections::account_key.eq(self.keys[account].0),
                connections::name.eq("line"),
                connections::state.eq("ACTIVE"),
                connections::created_at.eq(ids::now()),
            );
            self.write(|db| Ok(diesel::insert_into(connections::table).values(row).execute(db)?));
            self.model.accounts[account].live += 1;
        }
        (format!("a connection in {account}"), Outcome::Done, Outcome::Done)
    }

    /// Any role to anybody anywhere, as invitations will.
    fn give(&mut self, account: usize) -> (String, Outcome, Outcome) {
        let (person, role) = (self.dice.random_range(1..PEOPLE), *ROLES.choose(&mut self.dice).expect("a role"));
        let scope = *SCOPES.choose(&mut self.dice).expect("a scope");
        let had = |g: &Given| g.person == person && g.account == account && g.role == role;
        if !self.model.given.iter().any(had) {
            let (root, user, at) = (self.root, self.people[person], self.keys[account].0);
            self.write(|db| {
                let role = roles::built_in(db, root, role)?;
                members::assign(
                    db,
                    &members::NewAssignment {
                        account: at,
                        user,
                        role,
                        role_account: root,
                        scope: Scope::of_code(scope).expect("a scope"),
                        ends_at: ids::never(),
                        granted_by: None,
                    },
                )
            });
            self.model.given.push(Given { person, account, role, scope });
        }
        (format!("{person} becomes {role} at {account}, {scope}"), Outcome::Done, Outcome::Done)
    }
}
