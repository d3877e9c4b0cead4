//! Suspending a branch: one act at one account, which stops everything new there and below. What is suspended below for
//! itself stays so when the branch is resumed, because each act is a row of its own. The right must come from above; a
//! root account is the operator's to suspend.

mod effects;
mod operator;
mod pages;
mod store;

use crate::access::policy::SuspendAccounts;
use crate::access::{Grant, Place, lookup};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::Key;
use crate::problem::{Problem, Reason};
use crate::store::Db;
pub use effects::{Effects, effects};
pub use operator::{resume_root, suspend_root};
pub use pages::routes;
pub use store::{among, leaves_suspended, of, themselves};

/// Characters of a reason.
pub const LONGEST_REASON: usize = 256;

/// Where an account is suspended: at itself, or at an account above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspended {
    /// The suspended account that is nearest to this one.
    pub at: Key,
    /// Levels above this one; 0 is itself.
    pub distance: i64,
}

/// What a page showed of the effects before somebody decided: the act is refused (Conflict(Unconfirmed)) when they are
/// others by then. None for callers that looked at nothing.
pub type Seen<'a> = Option<&'a str>;

/// Suspends an account below, with everything below it. NotFound where there is none that the right reaches,
/// Conflict(Unconfirmed), also when it is suspended already.
pub fn suspend(
    db: &mut Db,
    by: &Grant<SuspendAccounts>,
    child_id: &str,
    reason: &str,
    seen: Seen<'_>,
) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let child = lookup::below(db, by, child_id)?;
        let effects = confirmed(db, &child, false, seen)?;
        store::insert(db, child.key, reason, Some(by.actor().key))?;
        Ok(((), suspended(&child, reason, &effects)))
    })
}

/// Ends the suspension of an account below; what is suspended below it for itself stays so. NotFound,
/// Conflict(Unconfirmed) as above.
pub fn resume(db: &mut Db, by: &Grant<SuspendAccounts>, child_id: &str, seen: Seen<'_>) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let child = lookup::below(db, by, child_id)?;
        let effects = confirmed(db, &child, true, seen)?;
        store::delete(db, child.key)?;
        Ok(((), resumed(&child, &effects)))
    })
}

/// The effects as they are now, if they are what was shown, and the account is in the state that the act begins with.
fn confirmed(db: &mut Db, child: &Place, is_suspended: bool, seen: Seen<'_>) -> Result<Effects, Problem> {
    let effects = effects(db, child.key)?;
    let fine = seen.is_none_or(|seen| seen == effects.stamp());
    if effects.own.is_some() == is_suspended && fine {
        Ok(effects)
    } else {
        Err(Problem::Conflict(Reason::Unconfirmed))
    }
}

fn subject(account: &Place) -> Subject {
    Subject::new("ACCOUNT", &account.id, &account.name)
}

fn suspended(account: &Place, reason: &str, effects: &Effects) -> Event {
    let event = Event::new(EventType::AccountSuspend, subject(account)).in_account(account.key);
    let event = event.changed("state", "open", "suspended").with("accounts", effects.accounts.to_string());
    if reason.is_empty() { event } else { event.with("reason", reason) }
}

fn resumed(account: &Place, effects: &Effects) -> Event {
    let event = Event::new(EventType::AccountResume, subject(account)).in_account(account.key);
    let stay = effects.already.to_string();
    event.changed("state", "suspended", "open").with("accounts", effects.accounts.to_string()).with("stay", stay)
}
