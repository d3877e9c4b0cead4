//! The gate: whether work may begin for an account, asked in the transaction that begins it, which has the tree's lock.

use crate::ids::Key;
use crate::limits::{self, Resource};
use crate::problem::{Problem, Reason};
use crate::readiness;
use crate::store::Db;

/// What is in the way: codes and what to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasons(Vec<(&'static str, String)>);

impl Reasons {
    fn add(&mut self, code: &'static str, words: impl Into<String>) {
        self.0.push((code, words.into()));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each code once, with blanks between them, as they are stored.
    pub fn codes(&self) -> String {
        let mut codes: Vec<&str> = Vec::new();
        for (code, _) in &self.0 {
            if !codes.contains(code) {
                codes.push(code);
            }
        }
        codes.join(" ")
    }

    /// For people.
    pub fn words(&self) -> String {
        let words: Vec<&str> = self.0.iter().map(|(_, words)| words.as_str()).collect();
        format!("Waits for: {}.", words.join("; "))
    }
}

/// Everything that is in the way of beginning work for something of this account.
pub fn reasons(db: &mut Db, account: Key, resource: Resource, can_provision: bool) -> Result<Reasons, Problem> {
    let mut reasons = Reasons::default();
    for blocker in readiness::blockers(db, account)? {
        reasons.add(blocker.code(), blocker.words());
    }
    // Readiness speaks of connections. What was ordered is counted already.
    if resource == Resource::Port {
        match limits::room_for(db, account, resource, 0) {
            Err(Problem::Conflict(Reason::LimitReached { most, .. })) => {
                reasons.add("RESOURCE_LIMITATION_EXCEEDED", format!("There are more than {most} ports"));
            }
            other => other?,
        }
    }
    if !can_provision {
        reasons.add("NO_PROVISIONING_SYSTEM", "Whoever runs this console has to set up a provisioning system");
    }
    Ok(reasons)
}
