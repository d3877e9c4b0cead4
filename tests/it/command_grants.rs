//! The steps of `command_acts`, second half: roles and who has them, invitations, and time that passes.

use diesel::prelude::*;
use rand::Rng;
use rand::seq::IndexedRandom;
use subtenant::access::lookup;
use subtenant::access::words;
use subtenant::access::{Origin, policy::Permissions};
use subtenant::ids;
use subtenant::members::{self, Answer, NewInvitation, Wanted as NewWanted};
use subtenant::problem::Problem;
use subtenant::roles::{self, NewRole};
use subtenant::store::schema::{assignments, invitations, mails, roles as role_rows, users};

use crate::command_acts::{ALL, PEOPLE, Play, Step, Told, bits_of, moment, outcome, scope_of};
use crate::command_members::Wanted;
use crate::command_rules::{Boxes, End, Outcome, Scope, right};

fn sorted(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.into_iter().collect();
    texts.sort_unstable();
    texts
}

fn codes(bits: Permissions) -> Vec<String> {
    sorted(words::codes(bits.with_implied()).split(", ").map(str::to_owned))
}

impl Play<'_> {
    /// Half of the time something that the person holds.
    fn some_boxes(&mut self, who: usize, account: usize) -> Boxes {
        let any = self.dice.random::<Boxes>() & self.dice.random::<Boxes>();
        let held = self.rules.held(who, account) & self.rules.below(who, account);
        match self.dice.random_range(0..8) {
            0 => held.max(1),
            1..5 => (any & held).max(1),
            _ => any.max(1),
        }
    }

    fn new_role(&mut self, name: &str, boxes: Boxes) -> NewRole {
        let permissions = bits_of(boxes, self.dice.random_bool(0.5));
        NewRole { name: name.to_owned(), description: String::new(), permissions }
    }

    pub fn create_role(&mut self, who: usize, account: usize) -> Step {
        let boxes = self.some_boxes(who, account);
        let name = format!("role {}", self.role_ids.len());
        let new = self.new_role(&name, boxes);
        let mut told = self.told("ROLE_CREATE", who, account, right("roles", "create"));
        told.field = Some(("permissions", Vec::new(), codes(new.permissions)));
        let everything = new.permissions == ALL;
        let is = self.with(who, account, |db, by| roles::create(db, by, new));
        let should = self.rules.create_role(who, account, &name, boxes, everything);
        let step =
            Step { what: format!("{who} makes {name} in {account}"), is: outcome(&is), should, told: Some(told) };
        if let Ok(role) = is {
            self.role_ids.push(role.id);
            self.role_bits.push(role.permissions);
        }
        step
    }

    /// Mostly where it belongs.
    fn some_role(&mut self, account: usize) -> (usize, usize) {
        let role = self.dice.random_range(0..self.role_ids.len());
        let owner = self.rules.roles[role].owner;
        (role, if self.dice.random_bool(0.8) { owner } else { account })
    }

    pub fn edit_role(&mut self, who: usize, account: usize) -> Step {
        let (role, account) = self.some_role(account);
        let boxes = self.some_boxes(who, account);
        let new = self.new_role(&self.rules.roles[role].name.clone(), boxes);
        let (before, after) = (codes(self.role_bits[role]), codes(new.permissions));
        let everything = new.permissions == ALL;
        let mut told = self.told("ROLE_UPDATE", who, account, right("roles", "update"));
        told.field = if before == after { None } else { Some(("permissions", before, after)) };
        let id = self.role_ids[role].clone();
        let row = role_rows::table.filter(role_rows::id.eq(id.clone())).select(role_rows::version);
        let version: Option<i64> = self.world.read(|db| Ok(row.first(db).optional()?)).expect("roles are read");
        let is = self.with(who, account, |db, by| roles::update(db, by, &id, new, version.unwrap_or(1)));
        let should = self.rules.edit_role(who, account, role, boxes, everything);
        let step =
            Step { what: format!("{who} edits role {role} in {account}"), is: outcome(&is), should, told: Some(told) };
        if let Ok(role_now) = is {
            self.role_bits[role] = role_now.permissions;
        }
        step
    }

    pub fn delete_role(&mut self, who: usize, account: usize) -> Step {
        let (role, account) = self.some_role(account);
        let mut told = self.told("ROLE_DELETE", who, account, right("roles", "delete"));
        told.field = Some(("permissions", codes(self.role_bits[role]), Vec::new()));
        let id = self.role_ids[role].clone();
        let is = self.with(who, account, |db, by| roles::delete(db, by, &id));
        let should = self.rules.delete_role(who, account, role);
        Step { what: format!("{who} deletes role {role} in {account}"), is: outcome(&is), should, told: Some(told) }
    }

    /// One or two roles of one reach, as a form gives them.
    fn some_wanted(&mut self, account: usize) -> Vec<Wanted> {
        let scopes = [Scope::HereAndBelow, Scope::HereAndBelow, Scope::Here, Scope::Below];
        let scope = *scopes.choose(&mut self.dice).expect("a scope");
        let end = match self.dice.random_range(0..10) {
            0 => End::Past,
            1..5 => End::Days(self.dice.random_range(1..60)),
            _ => End::Never,
        };
        let usable: Vec<usize> = (5..self.role_ids.len()).filter(|role| self.rules.usable(account, *role)).collect();
        let role = |play: &mut Self| match play.dice.random_range(0..10) {
            0..4 => play.dice.random_range(0..5),
            4 => play.dice.random_range(0..play.role_ids.len()),
            _ => usable.choose(&mut play.dice).copied().unwrap_or(4),
        };
        (0..self.dice.random_range(1..3)).map(|_| (role(self), scope, end)).collect()
    }

    fn names(&self, person: usize, account: usize) -> Vec<String> {
        sorted(self.rules.live_at(person, account).map(|g| self.rules.roles[g.role].name.clone()))
    }

    fn id_of(&self, person: usize) -> String {
        let row = users::table.find(self.people[person]).select(users::id);
        self.world.read(|db| Ok(row.first(db)?)).expect("the person exists")
    }

    pub fn give(&mut self, who: usize, account: usize) -> Step {
        let (whom, wanted) = (self.dice.random_range(0..PEOPLE), self.some_wanted(account));
        let had = self.names(whom, account);
        let event = if had.is_empty() { "ACCOUNT_MEMBER_CREATE" } else { "ACCOUNT_MEMBER_UPDATE" };
        let told = self.told(event, who, account, right("members", "update"));
        let new = |(role, scope, end): &Wanted| NewWanted {
            role_id: self.role_ids[*role].clone(),
            scope: scope_of(*scope),
            ends_at: moment(self.start, *end),
        };
        let (id, list) = (self.id_of(whom), wanted.iter().map(new).collect::<Vec<_>>());
        let is = self.with(who, account, |db, by| members::give(db, by, &id, &list, None));
        let should = self.rules.give(who, account, whom, &wanted);
        let has = self.names(whom, account);
        let field = if had == has { None } else { Some(("roles", had, has)) };
        let what = format!("{who} gives {whom} {wanted:?} in {account}");
        Step { what, is: outcome(&is), should, told: Some(Told { field, ..told }) }
    }

    pub fn remove(&mut self, who: usize, account: usize) -> Step {
        let whom = self.dice.random_range(0..PEOPLE);
        let mut told = self.told("ACCOUNT_MEMBER_DELETE", who, account, right("members", "delete"));
        told.field = self.all_gone(whom, account);
        let id = self.id_of(whom);
        let is = self.with(who, account, |db, by| members::remove(db, by, &id, None));
        let should = self.rules.remove(who, account, whom);
        Step { what: format!("{who} removes {whom} from {account}"), is: outcome(&is), should, told: Some(told) }
    }

    fn all_gone(&self, whom: usize, account: usize) -> Option<(&'static str, Vec<String>, Vec<String>)> {
        let had = self.names(whom, account);
        if had.is_empty() { None } else { Some(("roles", had, Vec::new())) }
    }

    pub fn leave(&mut self, who: usize, account: usize) -> Step {
        let mut told = self.told("ACCOUNT_MEMBER_DELETE", who, account, 0);
        told.field = self.all_gone(who, account);
        let is = self.with(who, account, |db, by| members::leave(db, by, None));
        let should = self.rules.leave(who, account);
        Step { what: format!("{who} leaves {account}"), is: outcome(&is), should, told: Some(told) }
    }

    pub fn invite(&mut self, who: usize, account: usize) -> Step {
        let (whom, wanted) = (self.dice.random_range(1..PEOPLE), self.some_wanted(account));
        let mut told = self.told("MEMBER_INVITE_CREATE", who, account, right("members", "create"));
        let names = wanted.iter().map(|(role, ..)| self.rules.roles[*role].name.clone());
        told.field = Some(("roles", Vec::new(), sorted(names)));
        let new = NewInvitation {
            addresses: vec![self.emails[whom].clone()],
            role_ids: wanted.iter().map(|(role, ..)| self.role_ids[*role].clone()).collect(),
            scope: scope_of(wanted[0].1),
            ends_at: moment(self.start, wanted[0].2),
            message: String::new(),
            site: "http://console".to_owned(),
        };
        let is = self.with(who, account, |db, by| members::invite(db, by, &new));
        let should = self.rules.invite(who, account, whom, &wanted);
        let is = match is.as_ref().map(|answers| answers[0].1) {
            Ok(Answer::AlreadyMember) => Outcome::Conflict("AlreadyMember"),
            Ok(Answer::AlreadyInvited) => Outcome::Conflict("AlreadyInvited"),
            Ok(Answer::NotValid) => Outcome::Invalid,
            _ => outcome(&is),
        };
        if is == Outcome::Done {
            self.keep_link();
        }
        Step { what: format!("{who} invites {whom} as {wanted:?} to {account}"), is, should, told: Some(told) }
    }

    /// The id of the invitation made last and the link in its letter.
    fn keep_link(&mut self) {
        let letter = mails::table.order(mails::key.desc()).select(mails::letter);
        let row = invitations::table.order(invitations::key.desc()).select(invitations::id);
        let read = self.world.read(|db| Ok((row.first(db)?, letter.first(db)?)));
        let (id, text): (String, String) = read.expect("the invitation and its letter");
        let link = text.split("/invites/").nth(1).expect("a link in the letter");
        self.links.push((id, link[..22].to_owned()));
    }

    fn some_invitation(&mut self) -> Option<usize> {
        let pending = |n: &usize| self.rules.invitations[*n].pending;
        let open: Vec<usize> = (0..self.links.len()).filter(pending).collect();
        let any = (0..self.links.len()).collect::<Vec<_>>();
        if self.dice.random_bool(0.8) { open.choose(&mut self.dice) } else { any.choose(&mut self.dice) }.copied()
    }

    pub fn accept(&mut self) -> Step {
        let Some(n) = self.some_invitation() else { return self.nothing("nothing to accept".to_owned()) };
        let one = self.rules.invitations[n].clone();
        let who = if self.dice.random_bool(0.85) { one.person } else { self.dice.random_range(0..PEOPLE) };
        let told = Told { acting: None, ..self.told("MEMBER_INVITE_ACCEPT", who, one.account, 0) };
        let (user, root, token) = (self.people[who], self.accounts[0].1.clone(), self.links[n].1.clone());
        let is = self.world.write(|db| {
            let actor = lookup::frame(db, user, &root)?.actor;
            members::accept(db, &actor, &Origin::default(), &token)
        });
        let should = self.rules.accept(who, n);
        Step { what: format!("{who} accepts invitation {n}: {one:?}"), is: outcome(&is), should, told: Some(told) }
    }

    pub fn withdraw(&mut self, who: usize) -> Step {
        let Some(n) = self.some_invitation() else { return self.nothing("nothing to withdraw".to_owned()) };
        let (account, id) = (self.rules.invitations[n].account, self.links[n].0.clone());
        let told = self.told("MEMBER_INVITE_DELETE", who, account, right("members", "create"));
        let is = self.with(who, account, |db, by| members::withdraw(db, by, &id));
        let should = self.rules.withdraw(who, n);
        Step { what: format!("{who} withdraws invitation {n}"), is: outcome(&is), should, told: Some(told) }
    }

    pub fn renew(&mut self, who: usize) -> Step {
        let Some(n) = self.some_invitation() else { return self.nothing("nothing to renew".to_owned()) };
        let (account, id) = (self.rules.invitations[n].account, self.links[n].0.clone());
        let told = self.told("MEMBER_INVITE_UPDATE", who, account, right("members", "create"));
        let is = self.with(who, account, |db, by| members::copy_link(db, by, &id, "http://console"));
        let should = self.rules.renew(who, n);
        let step = Step { what: format!("{who} renews invitation {n}"), is: outcome(&is), should, told: Some(told) };
        if let Ok(link) = is {
            self.links[n].1 = link[link.len() - 22..].to_owned();
        }
        step
    }

    /// Something with an end is over.
    pub fn pass_time(&mut self) -> Step {
        let past = moment(self.start, End::Past);
        if self.dice.random_bool(0.3) {
            let Some(n) = self.some_invitation() else { return self.nothing("no time to pass".to_owned()) };
            self.rules.invitations[n].expired = true;
            let row = invitations::table.filter(invitations::id.eq(&self.links[n].0));
            let over = diesel::update(row).set(invitations::expires_at.eq(past));
            self.world.write(|db| Ok(over.execute(db)?)).expect("the invitation runs out");
            return self.nothing(format!("invitation {n} runs out"));
        }
        let ending = |n: &usize| matches!(self.rules.given[*n].end, End::Days(_));
        let ending: Vec<usize> = (0..self.rules.given.len()).filter(ending).collect();
        let Some(n) = ending.choose(&mut self.dice).copied() else { return self.nothing("nothing ends".to_owned()) };
        self.rules.given[n].end = End::Past;
        let given = &self.rules.given[n];
        let row = assignments::table
            .filter(assignments::account_key.eq(self.accounts[given.account].0))
            .filter(assignments::user_key.eq(self.people[given.person]));
        let role = role_rows::table.filter(role_rows::id.eq(&self.role_ids[given.role])).select(role_rows::key);
        let ended = self.world.write(|db| {
            let role: ids::Key = role.first(db)?;
            let over = diesel::update(row.filter(assignments::role_key.eq(role))).set(assignments::ends_at.eq(past));
            Ok::<usize, Problem>(over.execute(db)?)
        });
        assert_eq!(ended.expect("the assignment ends"), 1);
        self.nothing(format!("{given:?} is over"))
    }
}
