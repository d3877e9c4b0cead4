//! A random history of one chain of command, played in the product and in the naive `command_rules` at once: accounts
//! come, move and close; roles are made, edited and deleted; people are given roles, invited, removed, leave; ends pass.
//! Each step says what it came to in both, and what the log must say about it. No step waits for time to pass: ends
//! that are to be over are moved into the past in the database.

use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use subtenant::access::policy::*;
use subtenant::access::{self, Grant, Origin};
use subtenant::accounts;
use subtenant::ids::{self, Key};
use subtenant::problem::{Problem, Reason};
use subtenant::store::Db;
use subtenant::store::schema::roles as role_rows;

use crate::command_rules::{Boxes, End, Outcome, Rules, Scope, right};
use crate::world::{World, admin_of, email, new_child};

pub const PEOPLE: usize = 5;

/// What the log must say about a change.
#[derive(Debug, Clone)]
pub struct Told {
    pub event: &'static str,
    pub who: usize,
    /// Account and role acted from; none for what people do for themselves.
    pub acting: Option<(usize, String)>,
    pub account: usize,
    /// The account above which it was until now.
    pub left: Option<usize>,
    /// A field, before and after, each as a sorted list.
    pub field: Option<(&'static str, Vec<String>, Vec<String>)>,
}

/// One step: what it was, what it came to, what it should have come to.
pub struct Step {
    pub what: String,
    pub is: Outcome,
    pub should: Outcome,
    pub told: Option<Told>,
}

/// A history in the database beside its rules; everything by its place in the lists.
pub struct Play<'w> {
    pub world: &'w World,
    pub rules: Rules,
    pub accounts: Vec<(Key, String)>,
    pub people: Vec<Key>,
    pub dice: StdRng,
    pub emails: Vec<String>,
    pub role_ids: Vec<String>,
    pub role_bits: Vec<Permissions>,
    /// Of each invitation the id and the secret in its link.
    pub links: Vec<(String, String)>,
    pub start: NaiveDateTime,
}

pub fn outcome<T>(result: &Result<T, Problem>) -> Outcome {
    match result {
        Ok(_) => Outcome::Done,
        Err(Problem::NotFound) => Outcome::NotFound,
        Err(Problem::Forbidden { .. }) => Outcome::Forbidden,
        Err(Problem::Invalid(_)) => Outcome::Invalid,
        Err(Problem::Conflict(reason)) => Outcome::Conflict(match reason {
            Reason::Cycle => "Cycle",
            Reason::RootCannotBeClosed => "RootCannotBeClosed",
            Reason::HasChildAccounts(_) => "HasChildAccounts",
            Reason::AdminAccessMustExist => "AdminAccessMustExist",
            Reason::MoreThanHeld => "MoreThanHeld",
            Reason::RoleIsBuiltIn => "RoleIsBuiltIn",
            Reason::RoleIsInherited => "RoleIsInherited",
            Reason::RoleInUse { .. } => "RoleInUse",
            Reason::LinkIsSpent => "LinkIsSpent",
            Reason::RolesStayBehind(_) => "RolesStayBehind",
            other => panic!("{other:?}"),
        }),
        Err(other) => panic!("{other}"),
    }
}

pub fn scope_of(scope: Scope) -> access::Scope {
    match scope {
        Scope::HereAndBelow => access::Scope::HereAndBelow,
        Scope::Here => access::Scope::Here,
        Scope::Below => access::Scope::Below,
    }
}

/// The same moment for the same number of days during one history.
pub fn moment(start: NaiveDateTime, end: End) -> NaiveDateTime {
    match end {
        End::Never => ids::never(),
        End::Days(days) => start + Duration::days(days),
        End::Past => start - Duration::days(1),
    }
}

/// One box for everything.
pub const ALL: Permissions = Permissions::of(&[Permission(Resource::All, Verb::All)]);

/// The boxes as a role stores them; a whole row, or everything, in one box, if wanted.
pub fn bits_of(boxes: Boxes, whole_rows: bool) -> Permissions {
    if boxes == Boxes::MAX && whole_rows {
        return ALL;
    }
    let mut bits = 0;
    for resource in 0..8 {
        let row = (boxes >> (resource * 4)) & 0b1111;
        let spelled = (0..4).filter(|v| row >> v & 1 == 1).map(|v| 1 << ((resource + 1) * 5 + v + 1)).sum::<i64>();
        bits |= if row == 0b1111 && whole_rows { 1 << ((resource + 1) * 5) } else { spelled };
    }
    Permissions(bits)
}

impl<'w> Play<'w> {
    pub fn begin(world: &'w World, seed: u64) -> Play<'w> {
        let name = format!("root-{seed}");
        world.account(&name);
        let others = (1..PEOPLE).map(|n| format!("person-{seed}-{n}"));
        let names: Vec<String> = [admin_of(&name)].into_iter().chain(others).collect();
        let people = names.iter().map(|name| world.person(name)).collect();
        let rows = role_rows::table.filter(role_rows::account_key.eq(world.key(&name))).order(role_rows::key);
        let rows = rows.select((role_rows::id, role_rows::permissions));
        let built_in: Vec<(String, i64)> = world.read(|db| Ok(rows.load(db)?)).expect("the built-in roles");
        let (role_ids, role_bits) = built_in.into_iter().map(|(id, bits)| (id, Permissions(bits))).unzip();
        Play {
            world,
            rules: Rules::begin(),
            accounts: vec![(world.key(&name), world.id(&name))],
            people,
            dice: StdRng::seed_from_u64(seed),
            role_ids,
            role_bits,
            links: Vec::new(),
            emails: names.iter().map(|name| email(name)).collect(),
            start: ids::now(),
        }
    }

    pub fn with<A: Action, T>(
        &self,
        who: usize,
        account: usize,
        act: impl FnOnce(&mut Db, &Grant<A>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let (user, id) = (self.people[who], &self.accounts[account].1);
        self.world.write(|db| {
            let by = access::grant::<A>(db, user, id, Origin::default())?;
            act(db, &by)
        })
    }

    pub fn told(&self, event: &'static str, who: usize, account: usize, right: Boxes) -> Told {
        let acting = self.rules.acting(who, account, right);
        Told { event, who, acting, account, left: None, field: None }
    }

    /// One random act, in both.
    pub fn step(&mut self) -> Step {
        let who = if self.dice.random_bool(0.5) { 0 } else { self.dice.random_range(0..PEOPLE) };
        let account = self.dice.random_range(0..self.accounts.len());
        match self.dice.random_range(0..100) {
            0..11 => self.create(who, account),
            11..20 => self.move_under(who, account),
            20..24 => self.close(who, account),
            24..28 => self.restore(who),
            28..37 => self.create_role(who, account),
            37..46 => self.edit_role(who, account),
            46..50 => self.delete_role(who, account),
            50..66 => self.give(who, account),
            66..71 => self.remove(who, account),
            71..74 => self.leave(who, account),
            74..85 => self.invite(who, account),
            85..92 => self.accept(),
            92..94 => self.withdraw(who),
            94..96 => self.renew(who),
            _ => self.pass_time(),
        }
    }

    fn create(&mut self, who: usize, parent: usize) -> Step {
        let told = self.told("ACCOUNT_CREATE", who, parent, right("accounts", "create"));
        let is = self.with(who, parent, |db, by| accounts::open_child(db, by, new_child("child")));
        let told = Told { account: self.accounts.len(), ..told };
        let should = self.rules.create(who, parent);
        let step = Step { what: format!("{who} creates below {parent}"), is: outcome(&is), should, told: Some(told) };
        self.accounts.extend(is.ok().map(|made| (made.key, made.id)));
        step
    }

    /// Mostly one whose people have a role of an account above that is not the root.
    fn move_under(&mut self, who: usize, account: usize) -> Step {
        let roles = &self.rules.roles;
        let tied = self.rules.given.iter().filter(|g| roles[g.role].owner != 0 && roles[g.role].owner != g.account);
        let tied: Vec<usize> = tied.map(|g| g.account).collect();
        let account = tied.choose(&mut self.dice).copied().unwrap_or(account);
        let to = self.dice.random_range(0..self.accounts.len());
        let told = Told {
            left: self.rules.accounts[account].parent,
            ..self.told("ACCOUNT_MOVE", who, account, right("accounts", "update"))
        };
        let (user, id) = (self.people[who], self.accounts[to].1.clone());
        let is = self.with::<UpdateAccounts, _>(who, account, |db, by| {
            let to = access::grant::<CreateAccounts>(db, user, &id, Origin::default())?;
            accounts::move_under(db, by, &to, 1000)
        });
        let should = self.rules.move_under(who, account, to);
        Step { what: format!("{who} moves {account} under {to}"), is: outcome(&is), should, told: Some(told) }
    }

    fn close(&mut self, who: usize, account: usize) -> Step {
        let told = self.told("ACCOUNT_DELETE", who, account, right("accounts", "delete"));
        let is = self.with(who, account, |db, by| accounts::close(db, by, by.account().version));
        let should = self.rules.close(who, account);
        Step { what: format!("{who} closes {account}"), is: outcome(&is), should, told: Some(told) }
    }

    fn restore(&mut self, who: usize) -> Step {
        let closed = |a: &usize| self.rules.accounts[*a].closed;
        let closed: Vec<usize> = (0..self.accounts.len()).filter(closed).collect();
        let account = closed.choose(&mut self.dice).copied().unwrap_or(self.accounts.len() - 1);
        let what = format!("{who} restores {account}");
        let Some(parent) = self.rules.accounts[account].parent else { return self.nothing(what) };
        let told = self.told("ACCOUNT_RESTORE", who, parent, right("accounts", "delete"));
        let id = self.accounts[account].1.clone();
        let is = self.with(who, parent, |db, by| accounts::restore(db, by, &id));
        let should = self.rules.restore(who, account);
        Step { what, is: outcome(&is), should, told: Some(Told { account, ..told }) }
    }

    pub fn nothing(&self, what: String) -> Step {
        Step { what, is: Outcome::Done, should: Outcome::Done, told: None }
    }
}
