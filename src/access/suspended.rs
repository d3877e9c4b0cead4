//! Where the account in the address is suspended, as every page of it says: read with the chain, so that it costs no query
//! of its own. What that stops is the room `readiness`'s to say.

use chrono::NaiveDateTime;

use super::Frame;
use super::policy::SuspendAccounts;
use crate::ids::Key;
use crate::store::schema::suspensions;

/// The suspension that is nearest to the account: its own, or that of an account above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspended {
    /// The suspended account.
    pub at: Key,
    pub own: bool,
    pub since: NaiveDateTime,
    /// What was said when it was suspended; empty for nothing.
    pub reason: String,
}

pub(super) type SuspensionRow = (NaiveDateTime, String);

pub(super) const SUSPENSION_COLUMNS: (suspensions::suspended_at, suspensions::reason) =
    (suspensions::suspended_at, suspensions::reason);

impl Frame {
    /// The id of the nearest account above the suspended one at which the actor can resume it, and the suspended one's.
    pub fn may_resume(&self) -> Option<(&str, &str)> {
        let at = self.suspended.as_ref()?.at;
        let below = self.chain.iter().position(|step| step.place.key == at)?;
        let reaches = |level: usize| self.chain[level].may::<SuspendAccounts>();
        let from = (0..below).rev().find(|level| reaches(*level) && reaches(level + 1))?;
        Some((&self.chain[from].place.id, &self.chain[below].place.id))
    }
}
