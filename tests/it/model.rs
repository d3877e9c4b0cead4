//! The rules of the product once more, as naively as can be: a list of accounts with parents, walked up and down at
//! every question. No keys, no ancestry, no SQL. `models` plays random histories on both and compares. Says what an act
//! must come to, too; the order of its reasons is the order in which the operations promise to look.

use std::collections::BTreeSet;

/// Resource and verb, spelled out: no `all`.
pub type Right = (&'static str, &'static str);

pub const RESOURCES: [&str; 8] = ["accounts", "members", "roles", "billing", "networks", "ports", "apikeys", "audit"];
pub const VERBS: [&str; 4] = ["create", "read", "update", "delete"];
pub const ROLES: [&str; 5] = ["Administrator", "Account manager", "Billing manager", "Network operator", "Read only"];

pub fn rights(role: &str) -> BTreeSet<Right> {
    let (resources, verbs): (&[&'static str], &[&'static str]) = match role {
        "Administrator" => (&RESOURCES, &VERBS),
        "Account manager" => (&["accounts", "members", "roles"], &VERBS),
        "Billing manager" => (&["billing"], &VERBS),
        "Network operator" => (&["networks", "ports"], &VERBS),
        _ => (&RESOURCES, &["read"]),
    };
    resources.iter().flat_map(|r| verbs.iter().map(|v| (*r, *v))).collect()
}

/// What an act comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    NotFound,
    Forbidden,
    Conflict(&'static str),
}

use Outcome::{Conflict, Done, Forbidden, NotFound};

#[derive(Debug, Clone, Default)]
pub struct Account {
    pub parent: Option<usize>,
    pub closed: bool,
    pub version: i64,
    pub bound: bool,
    pub suspended: bool,
    /// Its own payment method: whether it is offered below.
    pub method: Option<bool>,
    pub live: i64,
    /// Entries in its audit log, its own and those from below.
    pub entries: i64,
}

#[derive(Debug, Clone)]
pub struct Given {
    pub person: usize,
    pub account: usize,
    pub role: &'static str,
    pub scope: &'static str,
}

#[derive(Debug, Clone, Default)]
pub struct Model {
    pub accounts: Vec<Account>,
    pub given: Vec<Given>,
}

impl Model {
    /// From the account up to the root, itself first.
    pub fn up(&self, account: usize) -> Vec<usize> {
        let mut path = vec![account];
        while let Some(parent) = self.accounts[path[path.len() - 1]].parent {
            path.push(parent);
        }
        path
    }

    /// The open accounts below, at any level.
    pub fn below(&self, account: usize) -> Vec<usize> {
        let is_below = |n: &usize| *n != account && self.up(*n).contains(&account) && !self.accounts[*n].closed;
        (0..self.accounts.len()).filter(is_below).collect()
    }

    pub fn children(&self, account: usize) -> usize {
        self.accounts.iter().filter(|a| a.parent == Some(account) && !a.closed).count()
    }

    /// What somebody may do in an account.
    pub fn held(&self, person: usize, account: usize) -> BTreeSet<Right> {
        let up = self.up(account);
        let reaches = |g: &&Given| {
            let distance = up.iter().position(|a| *a == g.account);
            g.person == person && distance.is_some_and(|d| if d == 0 { g.scope != "below" } else { g.scope != "here" })
        };
        self.given.iter().filter(reaches).flat_map(|g| rights(g.role)).collect()
    }

    /// What somebody may do in the accounts below an account.
    pub fn held_below(&self, person: usize, account: usize) -> BTreeSet<Right> {
        let up = self.up(account);
        let reaches = |g: &&Given| g.person == person && up.contains(&g.account) && g.scope != "here";
        self.given.iter().filter(reaches).flat_map(|g| rights(g.role)).collect()
    }

    /// Whether somebody may do this here, or how it is refused.
    pub fn may(&self, person: usize, account: usize, right: Right) -> Outcome {
        let held = self.held(person, account);
        match held.is_empty() || self.accounts[account].closed {
            true => NotFound,
            false if held.contains(&right) => Done,
            false => Forbidden,
        }
    }

    /// The account that pays for this one.
    pub fn payer(&self, account: usize) -> Option<usize> {
        if self.accounts[account].method.is_some() {
            return Some(account);
        }
        let nearest = self.up(account).into_iter().skip(1).find(|a| self.accounts[*a].method.is_some())?;
        (self.accounts[nearest].method == Some(true)).then_some(nearest)
    }

    pub fn is_ready(&self, account: usize) -> bool {
        self.accounts[account].bound && self.payer(account).is_some() && self.suspended_at(account).is_none()
    }

    /// The nearest suspended account, itself or above.
    pub fn suspended_at(&self, account: usize) -> Option<usize> {
        self.up(account).into_iter().find(|a| self.accounts[*a].suspended)
    }

    /// Accounts that have a payer now and would not have one with this method here.
    pub fn losing(&self, account: usize, method: Option<bool>) -> Vec<usize> {
        let mut after = self.clone();
        after.accounts[account].method = method;
        let loses = |a: &usize| self.payer(*a).is_some() && after.payer(*a).is_none();
        [account].into_iter().chain(self.below(account)).filter(loses).collect()
    }

    /// Notes an entry in the log of the account and of everything above it.
    pub fn log(&mut self, account: usize) -> Outcome {
        for a in self.up(account) {
            self.accounts[a].entries += 1;
        }
        Done
    }

    pub fn create(&mut self, person: usize, parent: usize, accept: bool) -> Outcome {
        let refused = self.may(person, parent, ("accounts", "create"));
        if refused != Done {
            return refused;
        }
        let before = self.clone();
        self.accounts.push(Account { parent: Some(parent), version: 1, ..Account::default() });
        let child = self.accounts.len() - 1;
        if accept {
            let accepted = self.accept(person, child);
            if accepted != Done {
                *self = before;
                return accepted;
            }
        }
        self.log(child)
    }

    pub fn edit(&mut self, person: usize, account: usize, version: i64) -> Outcome {
        match self.may(person, account, ("accounts", "update")) {
            Done if self.accounts[account].version != version => Conflict("Stale"),
            Done => {
                self.accounts[account].version += 1;
                self.log(account)
            }
            refused => refused,
        }
    }

    pub fn move_under(&mut self, person: usize, account: usize, to: usize) -> Outcome {
        for (place, right) in [(account, ("accounts", "update")), (to, ("accounts", "create"))] {
            let refused = self.may(person, place, right);
            if refused != Done {
                return refused;
            }
        }
        let Some(from) = self.accounts[account].parent else { return Conflict("Cycle") };
        match self.may(person, from, ("accounts", "update")) {
            Done if self.up(to).contains(&account) => Conflict("Cycle"),
            Done if self.up(from).iter().any(|a| self.accounts[*a].suspended && !self.up(to).contains(a)) => {
                Conflict("SuspendedAbove")
            }
            Done => {
                let left = self.up(from);
                self.accounts[account].parent = Some(to);
                self.accounts[account].version += 1;
                // Those it left see it go, too.
                let now = self.up(account);
                for a in left.into_iter().filter(|a| !now.contains(a)) {
                    self.accounts[a].entries += 1;
                }
                self.log(account)
            }
            refused => refused,
        }
    }

    pub fn close(&mut self, person: usize, account: usize) -> Outcome {
        match self.may(person, account, ("accounts", "delete")) {
            Done if self.accounts[account].parent.is_none() => Conflict("RootCannotBeClosed"),
            Done if self.children(account) > 0 => Conflict("HasChildAccounts"),
            Done if self.accounts[account].live > 0 => Conflict("HasLiveConnections"),
            Done => {
                self.accounts[account].closed = true;
                self.accounts[account].version += 1;
                self.log(account)
            }
            refused => refused,
        }
    }

    pub fn restore(&mut self, person: usize, account: usize) -> Outcome {
        let Some(parent) = self.accounts[account].parent else { return NotFound };
        match self.may(person, parent, ("accounts", "delete")) {
            Done if !self.accounts[account].closed => NotFound,
            Done => {
                self.accounts[account].closed = false;
                self.accounts[account].version += 1;
                self.log(account)
            }
            refused => refused,
        }
    }

    pub fn accept(&mut self, person: usize, account: usize) -> Outcome {
        match self.may(person, account, ("accounts", "update")) {
            Done if self.accounts[account].bound => Conflict("AlreadyConsented"),
            Done => {
                self.accounts[account].bound = true;
                self.log(account)
            }
            refused => refused,
        }
    }

    /// Adds, changes or removes the account's own payment method; `confirmed`: having seen what it does.
    pub fn pay(
        &mut self,
        person: usize,
        account: usize,
        act: &'static str,
        method: Option<bool>,
        confirmed: bool,
    ) -> Outcome {
        let refused = self.may(person, account, ("billing", act));
        if refused != Done {
            return refused;
        }
        match (act, self.accounts[account].method) {
            ("create", Some(_)) => return Conflict("BillingExists"),
            ("update" | "delete", None) => return Conflict("Stale"),
            _ => {}
        }
        let losing = self.losing(account, method);
        if losing.iter().any(|a| self.accounts[*a].live > 0) {
            return Conflict("BillingCannotBeRemoved");
        }
        if !confirmed && (act == "delete" || !losing.is_empty()) {
            return Conflict("Unconfirmed");
        }
        self.accounts[account].method = method;
        self.log(account)
    }

    pub fn remove_member(&mut self, person: usize, account: usize, whom: usize) -> Outcome {
        let refused = self.may(person, account, ("members", "delete"));
        if refused != Done {
            return refused;
        }
        let direct = |g: &&Given| g.account == account && g.person == whom;
        if !self.given.iter().any(|g| direct(&g)) {
            return NotFound;
        }
        let (here, below) = (self.held(person, account), self.held_below(person, account));
        let covered = |g: &Given| {
            let theirs: BTreeSet<Right> = rights(g.role).into_iter().collect();
            (g.scope == "below" || theirs.is_subset(&here)) && (g.scope == "here" || theirs.is_subset(&below))
        };
        if !self.given.iter().filter(direct).all(covered) {
            return Conflict("MoreThanHeld");
        }
        let before = self.given.clone();
        self.given.retain(|g| !direct(&g));
        let in_charge = |g: &Given| g.account == account && g.role == "Administrator" && g.scope != "below";
        if self.accounts[account].parent.is_none() && !self.given.iter().any(in_charge) {
            self.given = before;
            return Conflict("AdminAccessMustExist");
        }
        self.log(account)
    }
}
