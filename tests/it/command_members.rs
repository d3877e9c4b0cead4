//! The naive rules of `command_rules`, second half: editing and deleting roles, and how people come and go: giving,
//! removing, leaving, inviting, accepting, withdrawing.

use crate::command_rules::Outcome::{Conflict, Done, Invalid, NotFound};
use crate::command_rules::{
    Boxes, EVERYTHING, End, Given, Invitation, Outcome, Role, Rules, Scope, right, with_implied,
};

/// A role that somebody shall have: which, how far, until when.
pub type Wanted = (usize, Scope, End);

impl Rules {
    pub fn edit_role(&mut self, who: usize, account: usize, role: usize, boxes: Boxes, everything: bool) -> Outcome {
        let boxes = with_implied(boxes);
        let old = self.roles[role].boxes;
        match self.may(who, account, right("roles", "update")) {
            Done => match self.own_role(account, role) {
                Done if !self.may_give(who, account, old, Scope::HereAndBelow) => Conflict("MoreThanHeld"),
                Done if !self.may_give(who, account, boxes, Scope::HereAndBelow) => Invalid,
                Done if !self.may_give_until(who, account, boxes & !old, Scope::HereAndBelow, End::Never) => Invalid,
                Done => self.unless_leaderless(account, |after| {
                    after.roles[role].boxes = boxes;
                    after.roles[role].everything = everything;
                }),
                refused => refused,
            },
            refused => refused,
        }
    }

    pub fn delete_role(&mut self, who: usize, account: usize, role: usize) -> Outcome {
        let given = self.given.iter().any(|g| g.role == role && g.end != End::Past);
        let in_use = given || self.invitations.iter().any(|i| i.pending && !i.expired && i.roles.contains(&role));
        match self.may(who, account, right("roles", "delete")) {
            Done => match self.own_role(account, role) {
                Done if in_use => Conflict("RoleInUse"),
                Done => {
                    self.roles[role].deleted = true;
                    self.given.retain(|g| g.role != role);
                    Done
                }
                refused => refused,
            },
            refused => refused,
        }
    }

    /// `whom`: what they have already, just so, needs no giving.
    fn choose(&self, who: usize, account: usize, wanted: &[Wanted], whom: Option<usize>) -> Outcome {
        if wanted.is_empty() || wanted.iter().any(|(.., end)| *end == End::Past) {
            return Invalid;
        }
        let twice = |n: usize| wanted[..n].iter().any(|(role, ..)| *role == wanted[n].0);
        if (0..wanted.len()).any(|n| !self.usable(account, wanted[n].0) || twice(n)) {
            return Invalid;
        }
        let stays = |one: &Wanted| {
            whom.is_some_and(|whom| self.live_at(whom, account).any(|g| (g.role, g.scope, g.end) == *one))
        };
        let held =
            |one: &Wanted| stays(one) || self.may_give_until(who, account, self.roles[one.0].boxes, one.1, one.2);
        if wanted.iter().all(held) { Done } else { Conflict("MoreThanHeld") }
    }

    /// Whether they have, or had, something at the account itself.
    fn is_listed(&self, person: usize, account: usize) -> bool {
        self.given.iter().any(|g| g.person == person && g.account == account)
    }

    fn inherits(&self, person: usize, account: usize) -> bool {
        let above = self.up(account).into_iter().skip(1);
        above.into_iter().any(|a| self.live_at(person, a).any(|g| g.scope != Scope::Here))
    }

    pub fn give(&mut self, who: usize, account: usize, whom: usize, wanted: &[Wanted]) -> Outcome {
        let may = self.may(who, account, right("members", "update"));
        if may != Done {
            return may;
        }
        if !self.is_listed(whom, account) && !self.inherits(whom, account) {
            return NotFound;
        }
        if !self.commands(who, account, whom) {
            return Conflict("MoreThanHeld");
        }
        match self.choose(who, account, wanted, Some(whom)) {
            Done => self.unless_leaderless(account, |after| {
                after.given.retain(|g| !(g.person == whom && g.account == account && g.end != End::Past));
                for (role, scope, end) in wanted {
                    after.put(Given { person: whom, account, role: *role, scope: *scope, end: *end });
                }
            }),
            refused => refused,
        }
    }

    /// In place of the same role, whatever it was.
    fn put(&mut self, new: Given) {
        self.given.retain(|g| !(g.person == new.person && g.account == new.account && g.role == new.role));
        self.given.push(new);
    }

    pub fn remove(&mut self, who: usize, account: usize, whom: usize) -> Outcome {
        match self.may(who, account, right("members", "delete")) {
            Done if !self.is_listed(whom, account) => NotFound,
            Done if !self.commands(who, account, whom) => Conflict("MoreThanHeld"),
            Done => self.go(account, whom),
            refused => refused,
        }
    }

    pub fn leave(&mut self, who: usize, account: usize) -> Outcome {
        let apart = !self.accounts[account].closed && self.below(who, account) != 0;
        match if apart { Done } else { self.may(who, account, 0) } {
            Done if !self.is_listed(who, account) => NotFound,
            Done => self.go(account, who),
            refused => refused,
        }
    }

    fn go(&mut self, account: usize, whom: usize) -> Outcome {
        self.unless_leaderless(account, |after| after.given.retain(|g| !(g.person == whom && g.account == account)))
    }

    /// One address; `Conflict` with the answer where it is not invited.
    pub fn invite(&mut self, who: usize, account: usize, whom: usize, wanted: &[Wanted]) -> Outcome {
        let may = self.may(who, account, right("members", "create"));
        if may != Done {
            return may;
        }
        let chosen = self.choose(who, account, wanted, None);
        if chosen != Done {
            return chosen;
        }
        let same = |i: &&mut Invitation| i.account == account && i.person == whom && i.pending;
        if self.live_at(whom, account).next().is_some() {
            return Conflict("AlreadyMember");
        }
        match self.invitations.iter_mut().find(|i| same(i)) {
            Some(earlier) if !earlier.expired => return Conflict("AlreadyInvited"),
            Some(earlier) => earlier.pending = false,
            None => {}
        }
        let (_, scope, end) = wanted[0];
        let roles = wanted.iter().map(|(role, ..)| *role).collect();
        let by = who;
        let new = Invitation { person: whom, account, roles, scope, end, by, pending: true, expired: false };
        self.invitations.push(new);
        Done
    }

    /// Whether all that it offers is there, and this person holds it.
    fn stands(&self, by: usize, invitation: &Invitation) -> Outcome {
        let there = |role: &usize| self.usable(invitation.account, *role);
        let held =
            |role: &Role| self.may_give_until(by, invitation.account, role.boxes, invitation.scope, invitation.end);
        match invitation.roles.iter().all(there) {
            false => Conflict("LinkIsSpent"),
            true if invitation.roles.iter().all(|role| held(&self.roles[*role])) => Done,
            true => Conflict("MoreThanHeld"),
        }
    }

    pub fn accept(&mut self, who: usize, invitation: usize) -> Outcome {
        let one = self.invitations[invitation].clone();
        let works = one.pending && !one.expired && one.end != End::Past;
        let stands =
            self.may(one.by, one.account, right("members", "create")) == Done && self.stands(one.by, &one) == Done;
        if !works || !stands {
            return Conflict("LinkIsSpent");
        }
        if who != one.person {
            return NotFound;
        }
        self.invitations[invitation].pending = false;
        for role in &one.roles {
            let have = self.live_at(who, one.account).find(|g| g.role == *role);
            let all = |g: &Given| one.scope == Scope::HereAndBelow || one.scope == g.scope;
            if have.is_none_or(|g| all(g) && one.end.reaches(g.end)) {
                self.put(Given { person: who, account: one.account, role: *role, scope: one.scope, end: one.end });
            }
        }
        Done
    }

    pub fn withdraw(&mut self, who: usize, invitation: usize) -> Outcome {
        let one = self.invitations[invitation].clone();
        let held = |role: &&usize| self.usable(one.account, **role);
        let mut there = one.roles.iter().filter(held);
        match self.may(who, one.account, right("members", "create")) {
            Done if !one.pending => NotFound,
            Done if !there.all(|role| self.may_give(who, one.account, self.roles[*role].boxes, one.scope)) => {
                Conflict("MoreThanHeld")
            }
            Done => {
                self.invitations[invitation].pending = false;
                Done
            }
            refused => refused,
        }
    }

    /// A new link, for which its maker answers from now on.
    pub fn renew(&mut self, who: usize, invitation: usize) -> Outcome {
        let one = self.invitations[invitation].clone();
        match self.may(who, one.account, right("members", "create")) {
            Done if !one.pending => NotFound,
            Done => match self.stands(who, &one) {
                Done if one.end == End::Past => Conflict("LinkIsSpent"),
                Done => {
                    self.invitations[invitation].by = who;
                    self.invitations[invitation].expired = false;
                    Done
                }
                refused => refused,
            },
            refused => refused,
        }
    }

    /// A root with its built-in roles and the one who made it.
    pub fn begin() -> Rules {
        let reader = (0..8).fold(0, |all, r| all | crate::command_rules::one(r, 1));
        let all_of = |resources: &[&str]| {
            let verbs = ["create", "read", "update", "delete"];
            resources.iter().flat_map(|r| verbs.map(|v| right(r, v))).fold(0, |all, one| all | one)
        };
        let mut rules = Rules { accounts: vec![Default::default()], ..Rules::default() };
        for (name, boxes) in [
            ("Administrator", EVERYTHING),
            ("Account manager", all_of(&["accounts", "members", "roles"])),
            ("Billing manager", all_of(&["billing"])),
            ("Network operator", all_of(&["networks", "ports"])),
            ("Read only", reader),
        ] {
            let (name, everything) = (name.to_owned(), boxes == EVERYTHING);
            rules.roles.push(Role { name, owner: 0, boxes, everything, built_in: true, deleted: false });
        }
        rules.given.push(Given { person: 0, account: 0, role: 0, scope: Scope::HereAndBelow, end: End::Never });
        rules
    }
}
