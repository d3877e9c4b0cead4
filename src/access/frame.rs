//! An account as one person sees it: the accounts above it, what they hold along the way, and what they may pass on.

use std::sync::Arc;

use chrono::NaiveDateTime;
use diesel::QueryableByName;

use super::policy::{Action, Needs, Permissions};
use super::{Actor, PayerEnd, Suspended, lookup};
use crate::ids::Key;
use crate::store::schema::accounts;

/// An account as every page needs it.
#[derive(Debug, Clone, QueryableByName)]
#[diesel(table_name = accounts)]
pub struct Place {
    pub key: Key,
    pub id: String,
    pub name: String,
    pub depth: i64,
    pub root_key: Key,
    pub children_count: i64,
    /// Open accounts at any level below.
    pub below_count: i64,
    pub version: i64,
    /// Whether everybody who enters it or anything below must have used a second factor.
    pub requires_second_factor: bool,
}

/// The account in the address with the accounts above it, and what the actor may do there.
#[derive(Debug, Clone)]
pub struct Frame {
    pub actor: Actor,
    /// From the root down to the account itself; `held` is what the actor holds at each.
    pub chain: Vec<Step>,
    /// What the actor's roles give in the accounts below this one.
    pub below: Permissions,
    /// The same, assignment by assignment, with their ends.
    pub holds: Vec<Hold>,
    /// Whether the actor can see more accounts than this one.
    pub switchable: bool,
    /// How long what pays for the account lasts, where that is not for ever.
    pub payer: Option<PayerEnd>,
    /// Where it is suspended, if it is.
    pub suspended: Option<Suspended>,
}

/// What one assignment gives in the account in the address and below it, and until when.
#[derive(Debug, Clone)]
pub struct Hold {
    pub permissions: Permissions,
    pub here: bool,
    pub below: bool,
    pub ends_at: NaiveDateTime,
    /// The role's name.
    pub role: String,
}

/// How far down an assignment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    HereAndBelow,
    Here,
    Below,
}

impl Scope {
    pub const EVERY: [Scope; 3] = [Scope::HereAndBelow, Scope::Here, Scope::Below];

    /// As it is stored.
    pub fn code(self) -> &'static str {
        match self {
            Scope::HereAndBelow => lookup::scope::HERE_AND_BELOW,
            Scope::Here => lookup::scope::HERE,
            Scope::Below => lookup::scope::BELOW,
        }
    }

    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Scope::HereAndBelow => "This account and all below",
            Scope::Here => "This account only",
            Scope::Below => "All below only",
        }
    }

    pub fn of_code(code: &str) -> Option<Scope> {
        Scope::EVERY.into_iter().find(|scope| scope.code() == code)
    }

    pub fn holds_here(self) -> bool {
        self != Scope::Below
    }

    pub fn holds_below(self) -> bool {
        self != Scope::Here
    }
}

/// One account of the chain.
#[derive(Debug, Clone)]
pub struct Step {
    /// Shared by the chains that go through it.
    pub place: Arc<Place>,
    pub held: Permissions,
    /// What the assignments made at this very account give in the account in the address, each with its role's name.
    pub gives: Vec<(Permissions, String)>,
}

impl Step {
    /// Whether the actor may do this at this account.
    pub fn may<A: Action>(&self) -> bool {
        A::NEEDS.met_by(self.held)
    }
}

/// As what somebody acts: the account that the right comes from, and the names of the roles there that give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting {
    pub from: Key,
    pub role: String,
}

impl Frame {
    fn last(&self) -> &Step {
        self.chain.last().expect("a chain holds at least the account itself")
    }

    pub fn account(&self) -> &Place {
        &self.last().place
    }

    pub fn held(&self) -> Permissions {
        self.last().held
    }

    /// The parent, if the actor may see it.
    pub fn visible_parent(&self) -> Option<&Place> {
        let parent = self.chain.len().checked_sub(2)?;
        let step = &self.chain[parent];
        (!step.held.is_empty()).then_some(&step.place)
    }

    /// The account nearest to the root that asks for a second factor, of those in the chain.
    pub fn asks_second_factor(&self) -> Option<&Step> {
        self.chain.iter().find(|step| step.place.requires_second_factor)
    }

    /// The account above at which the actor holds something, for "from Acme Group".
    pub fn step(&self, key: Key) -> Option<&Step> {
        self.chain.iter().find(|step| step.place.key == key)
    }

    /// As what the actor does what needs this: from the nearest account whose assignments are enough.
    pub fn acting(&self, needs: Needs) -> Option<Acting> {
        if needs == Needs::Part && self.held().is_empty() {
            // All of it was given here and holds below.
            let mut names: Vec<&str> = self.holds.iter().map(|hold| hold.role.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            return Some(Acting { from: self.account().key, role: names.join(", ") });
        }
        self.chain.iter().rev().find_map(|step| {
            let enough = step.gives.iter().filter(|(permissions, _)| needs.met_by(*permissions));
            let mut roles: Vec<&str> = enough.map(|(_, role)| role.as_str()).collect();
            roles.sort_unstable();
            roles.dedup();
            (!roles.is_empty()).then(|| Acting { from: step.place.key, role: roles.join(", ") })
        })
    }

    /// Whether the actor holds all of `permissions` wherever this scope reaches: nobody can grant more than that.
    pub fn covers(&self, permissions: Permissions, scope: Scope) -> bool {
        (!scope.holds_here() || self.held().cover(permissions))
            && (!scope.holds_below() || self.below.cover(permissions))
    }

    /// The same until that moment at least: nobody can grant for longer either.
    pub fn covers_until(&self, permissions: Permissions, scope: Scope, until: NaiveDateTime) -> bool {
        let lasting = || self.holds.iter().filter(|hold| hold.ends_at >= until);
        let sum = |holds: &mut dyn Iterator<Item = &Hold>| {
            holds.fold(Permissions::NONE, |sum, hold| sum.and(hold.permissions))
        };
        (!scope.holds_here() || sum(&mut lasting().filter(|hold| hold.here)).cover(permissions))
            && (!scope.holds_below() || sum(&mut lasting().filter(|hold| hold.below)).cover(permissions))
    }

    /// Whether the actor may do this here.
    pub fn may<A: Action>(&self) -> bool {
        A::NEEDS.met_by(self.held())
    }

    /// Whether the actor may do this in every account below.
    pub fn may_below<A: Action>(&self) -> bool {
        A::NEEDS.met_by(self.below)
    }
}
