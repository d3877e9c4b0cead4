//! The chain of command: who can reach an account, why somebody can (or cannot) do something in it, and the way from
//! the root down to it with everything that flows along. This room only reads, above members, agreements and billing,
//! and decides nothing: what it says is what the access check does with the same rows. Accounts that the reader may not
//! see stay unnamed.

mod answer;
mod chain;
mod filter;
mod flow;
mod levels;
mod picture;
mod power;
mod reach;
mod store;
mod why;

use chrono::NaiveDateTime;

use crate::access::policy::Permissions;
use crate::access::{Frame, Scope};
use crate::ids::Key;
use crate::web::route::{Route, get};

pub fn routes() -> Vec<Route> {
    vec![
        get("/a/{account}/chain", chain::show),
        get("/a/{account}/chain.svg", chain::download),
        get("/a/{account}/reach", reach::index),
        get("/a/{account}/reach.csv", reach::export),
        get("/a/{account}/members/{user}/why", why::show),
        get("/a/{account}/your-roles", why::mine),
    ]
}

/// A role that was given to somebody at an account or above it.
#[derive(Debug, Clone)]
pub struct Way {
    pub user: Key,
    /// Where it was given, and how many levels above the account that is.
    pub at: Key,
    pub distance: i64,
    pub role: String,
    pub permissions: Permissions,
    pub scope: Scope,
    /// Nobody where it came with the account.
    pub granted_by: Option<String>,
    pub since: NaiveDateTime,
    pub until: NaiveDateTime,
}

impl Way {
    /// Whether it holds in the account, as long as it holds.
    pub fn reaches(&self) -> bool {
        if self.distance == 0 { self.scope.holds_here() } else { self.scope.holds_below() }
    }

    pub fn is_live(&self, now: NaiveDateTime) -> bool {
        self.until > now
    }

    pub fn is_seen_by(&self, frame: &Frame) -> bool {
        frame.step(self.at).is_some_and(|step| !step.held.is_empty())
    }

    /// The account where it was given, as the reader may know it.
    pub fn place(&self, frame: &Frame) -> String {
        match frame.step(self.at).filter(|step| !step.held.is_empty()) {
            Some(step) => step.place.name.clone(),
            None => "an account above".to_owned(),
        }
    }
}

/// "from X and below" in few words, for lists.
pub(crate) fn scope_words(scope: Scope) -> &'static str {
    match scope {
        Scope::HereAndBelow => "and all below",
        Scope::Here => "this account only",
        Scope::Below => "all below only",
    }
}
