//! The chain of command once more, as naively as can be: accounts with parents, roles as sets of boxes, assignments in a
//! list, all walked through at every question. No keys, no ancestry, no SQL. `command_acts` plays random histories on
//! both, `command_model` compares. The order of the reasons is the order in which the operations promise to look.

/// Resource x verb as they are ticked, without `all`: one bit each.
pub type Boxes = u32;

pub const RESOURCES: [&str; 8] = ["accounts", "members", "roles", "billing", "networks", "ports", "apikeys", "audit"];
pub const VERBS: [&str; 4] = ["create", "read", "update", "delete"];
pub const EVERYTHING: Boxes = u32::MAX;

pub fn one(resource: usize, verb: usize) -> Boxes {
    1 << (resource * VERBS.len() + verb)
}

/// Boxes by their words: `right("members", "update")`.
pub fn right(resource: &str, verb: &str) -> Boxes {
    let place = |list: &[&str], word: &str| list.iter().position(|w| *w == word).expect("a known word");
    one(place(&RESOURCES, resource), place(&VERBS, verb))
}

/// Whoever creates, changes or deletes something sees it.
pub fn with_implied(boxes: Boxes) -> Boxes {
    let acts = |r: &usize| boxes & (one(*r, 0) | one(*r, 2) | one(*r, 3)) != 0;
    (0..RESOURCES.len()).filter(acts).fold(boxes, |all, r| all | one(r, 1))
}

pub fn covers(held: Boxes, wanted: Boxes) -> bool {
    wanted & !held == 0
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    NotFound,
    Forbidden,
    Invalid,
    Conflict(&'static str),
}

use Outcome::{Conflict, Done, Forbidden, Invalid, NotFound};

/// Until when something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Never,
    /// In so many days.
    Days(i64),
    Past,
}

impl End {
    /// Whether it is no earlier than the other.
    pub fn reaches(self, other: End) -> bool {
        match (self, other) {
            (End::Never, _) | (_, End::Past) => true,
            (End::Days(mine), End::Days(theirs)) => mine >= theirs,
            _ => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    HereAndBelow,
    Here,
    Below,
}

#[derive(Debug, Clone, Default)]
pub struct Account {
    pub parent: Option<usize>,
    pub closed: bool,
}

#[derive(Debug, Clone)]
pub struct Role {
    pub name: String,
    pub owner: usize,
    pub boxes: Boxes,
    /// Whether it says so in one box: everything there is, and will be.
    pub everything: bool,
    pub built_in: bool,
    pub deleted: bool,
}

#[derive(Debug, Clone)]
pub struct Given {
    pub person: usize,
    pub account: usize,
    pub role: usize,
    pub scope: Scope,
    pub end: End,
}

#[derive(Debug, Clone)]
pub struct Invitation {
    pub person: usize,
    pub account: usize,
    pub roles: Vec<usize>,
    pub scope: Scope,
    pub end: End,
    pub by: usize,
    /// Neither accepted nor withdrawn.
    pub pending: bool,
    pub expired: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub accounts: Vec<Account>,
    pub roles: Vec<Role>,
    pub given: Vec<Given>,
    pub invitations: Vec<Invitation>,
}

impl Rules {
    /// What somebody may do in an account.
    pub fn held(&self, person: usize, account: usize) -> Boxes {
        let here = self.live_at(person, account).filter(|g| g.scope != Scope::Below);
        here.fold(self.given_above(person, self.accounts[account].parent), |all, g| all | self.roles[g.role].boxes)
    }

    /// What somebody may do in every account below this one, made today or later.
    pub fn below(&self, person: usize, account: usize) -> Boxes {
        self.given_above(person, Some(account))
    }

    fn given_above(&self, person: usize, account: Option<usize>) -> Boxes {
        let Some(account) = account else { return 0 };
        let down = self.live_at(person, account).filter(|g| g.scope != Scope::Here);
        down.fold(self.given_above(person, self.accounts[account].parent), |all, g| all | self.roles[g.role].boxes)
    }

    pub fn live_at(&self, person: usize, account: usize) -> impl Iterator<Item = &Given> {
        self.given.iter().filter(move |g| g.person == person && g.account == account && g.end != End::Past)
    }

    /// From the account up to the root, itself first.
    pub fn up(&self, account: usize) -> Vec<usize> {
        let above = self.accounts[account].parent.map(|parent| self.up(parent)).unwrap_or_default();
        [account].into_iter().chain(above).collect()
    }

    /// Whether somebody may do this here; `right` 0 asks whether they see the account at all.
    pub fn may(&self, person: usize, account: usize, right: Boxes) -> Outcome {
        match self.held(person, account) {
            _ if self.accounts[account].closed => NotFound,
            0 => NotFound,
            held if covers(held, right) => Done,
            _ => Forbidden,
        }
    }

    /// From which account, and as what, somebody does something here that they may.
    pub fn acting(&self, person: usize, account: usize, right: Boxes) -> Option<(usize, String)> {
        if right == 0 && self.held(person, account) == 0 {
            let mut names: Vec<&str> =
                self.live_at(person, account).map(|g| self.roles[g.role].name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            return Some((account, names.join(", ")));
        }
        self.up(account).into_iter().find_map(|at| {
            let reaches = |g: &&Given| if at == account { g.scope != Scope::Below } else { g.scope != Scope::Here };
            let enough = |role: &Role| role.boxes != 0 && covers(role.boxes, right);
            let roles = self.live_at(person, at).filter(reaches).map(|g| &self.roles[g.role]);
            let mut names: Vec<&str> = roles.filter(|role| enough(role)).map(|role| role.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            (!names.is_empty()).then(|| (at, names.join(", ")))
        })
    }

    pub fn may_give(&self, person: usize, account: usize, boxes: Boxes, scope: Scope) -> bool {
        (scope == Scope::Below || covers(self.held(person, account), boxes))
            && (scope == Scope::Here || covers(self.below(person, account), boxes))
    }

    /// The same until then at least: what ends sooner does not count.
    pub fn may_give_until(&self, person: usize, account: usize, boxes: Boxes, scope: Scope, end: End) -> bool {
        let lasting =
            Rules { given: self.given.iter().filter(|g| g.end.reaches(end)).cloned().collect(), ..self.clone() };
        lasting.may_give(person, account, boxes, scope)
    }

    pub fn commands(&self, person: usize, account: usize, whom: usize) -> bool {
        self.live_at(whom, account).all(|g| self.may_give(person, account, self.roles[g.role].boxes, g.scope))
    }

    fn has_administrator(&self) -> bool {
        let in_charge = |g: &Given| {
            g.account == 0
                && g.scope != Scope::Below
                && g.end == End::Never
                && self.roles[g.role].owner == 0
                && self.roles[g.role].everything
        };
        self.given.iter().any(in_charge)
    }

    /// Does it, unless nobody would be in charge of the root then.
    pub fn unless_leaderless(&mut self, account: usize, act: impl FnOnce(&mut Rules)) -> Outcome {
        let mut after = self.clone();
        act(&mut after);
        if account == 0 && !after.has_administrator() {
            return Conflict("AdminAccessMustExist");
        }
        *self = after;
        Done
    }

    pub fn usable(&self, account: usize, role: usize) -> bool {
        !self.roles[role].deleted && self.up(account).contains(&self.roles[role].owner)
    }

    pub fn create(&mut self, who: usize, parent: usize) -> Outcome {
        let may = self.may(who, parent, right("accounts", "create"));
        if may == Done {
            self.accounts.push(Account { parent: Some(parent), closed: false });
        }
        may
    }

    pub fn move_under(&mut self, who: usize, account: usize, to: usize) -> Outcome {
        for (place, verb) in [(account, "update"), (to, "create")] {
            let may = self.may(who, place, right("accounts", verb));
            if may != Done {
                return may;
            }
        }
        let Some(from) = self.accounts[account].parent else { return Conflict("Cycle") };
        match self.may(who, from, right("accounts", "update")) {
            Done if self.up(to).contains(&account) => Conflict("Cycle"),
            Done => {
                // A role that belongs to neither the branch nor what is above it then.
                let inside = |a: usize| self.up(a).contains(&account);
                let lost = |g: &Given| {
                    let owner = self.roles[g.role].owner;
                    inside(g.account) && !inside(owner) && !self.up(to).contains(&owner)
                };
                if self.given.iter().any(|g| lost(g) && g.end != End::Past) {
                    return Conflict("RolesStayBehind");
                }
                let kept = self.given.iter().filter(|g| !lost(g)).cloned().collect();
                self.given = kept;
                self.accounts[account].parent = Some(to);
                Done
            }
            refused => refused,
        }
    }

    pub fn close(&mut self, who: usize, account: usize) -> Outcome {
        let has_children = self.accounts.iter().any(|a| a.parent == Some(account) && !a.closed);
        match self.may(who, account, right("accounts", "delete")) {
            Done if account == 0 => Conflict("RootCannotBeClosed"),
            Done if has_children => Conflict("HasChildAccounts"),
            Done => {
                self.accounts[account].closed = true;
                Done
            }
            refused => refused,
        }
    }

    pub fn restore(&mut self, who: usize, account: usize) -> Outcome {
        let Some(parent) = self.accounts[account].parent else { return NotFound };
        match self.may(who, parent, right("accounts", "delete")) {
            Done if !self.accounts[account].closed => NotFound,
            Done => {
                self.accounts[account].closed = false;
                Done
            }
            refused => refused,
        }
    }

    pub fn create_role(&mut self, who: usize, owner: usize, name: &str, boxes: Boxes, everything: bool) -> Outcome {
        match self.may(who, owner, right("roles", "create")) {
            Done if !self.may_give(who, owner, with_implied(boxes), Scope::HereAndBelow) => Invalid,
            Done => {
                let boxes = with_implied(boxes);
                let name = name.to_owned();
                self.roles.push(Role { name, owner, boxes, everything, built_in: false, deleted: false });
                Done
            }
            refused => refused,
        }
    }

    pub fn own_role(&self, account: usize, role: usize) -> Outcome {
        match &self.roles[role] {
            _ if !self.usable(account, role) => NotFound,
            known if known.built_in => Conflict("RoleIsBuiltIn"),
            known if known.owner != account => Conflict("RoleIsInherited"),
            _ => Done,
        }
    }
}
