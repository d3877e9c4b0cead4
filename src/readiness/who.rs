//! Who can remove what stops an account: people named as far as the asking person may know of them, and in words.

use super::Blocker;
use crate::access::policy::{CreateBilling, LimitAccounts, SuspendAccounts, UpdateAccounts, UpdateBilling};
use crate::access::{Frame, lookup};
use crate::limits;
use crate::problem::Problem;
use crate::store::Db;

/// Up to three people who can remove each blocker, nearest first.
pub fn who_can(db: &mut Db, frame: &Frame, blockers: &[Blocker]) -> Result<Vec<Vec<String>>, Problem> {
    let here = frame.account().key;
    let holders = |blocker: &Blocker| match blocker {
        Blocker::Agreement(_) => lookup::holders::<UpdateAccounts>(db, frame),
        Blocker::NoPayer => lookup::holders::<CreateBilling>(db, frame),
        Blocker::PayerNotVerified | Blocker::PayerLapsed | Blocker::Overdue { own: true } => {
            lookup::holders::<UpdateBilling>(db, frame)
        }
        // It is an invoice of an account above.
        Blocker::Overdue { own: false } => Ok(Vec::new()),
        Blocker::Suspended { .. } => {
            let at = frame.suspended.as_ref().map_or(here, |suspended| suspended.at);
            lookup::holders_above::<SuspendAccounts>(db, frame, at)
        }
        Blocker::OverLimit => lookup::holders_above::<LimitAccounts>(db, frame, here),
    };
    blockers.iter().map(holders).collect()
}

/// Who can do it, beginning with the reader.
pub fn words(blocker: &Blocker, mine: bool, who: &[String], frame: &Frame) -> String {
    let others = match who {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    };
    match (mine, others.is_empty()) {
        (true, true) => "You can do this.".to_owned(),
        (true, false) => format!("You can do this, and so can {}.", others.replace(" or ", " and ")),
        (false, false) => format!("You may not do this here. {others} can."),
        (false, true) if is_operators(blocker, frame) => "Only the operator of this console can do this.".to_owned(),
        (false, true) if matches!(blocker, Blocker::Suspended { .. } | Blocker::OverLimit) => {
            "You may not do this here. Ask an administrator of an account above.".to_owned()
        }
        (false, true) if frame.chain.len() > 1 => {
            "You may not do this here. Ask an administrator of this account or of one above it.".to_owned()
        }
        (false, true) => "You may not do this here. Ask an administrator of this account.".to_owned(),
    }
}

/// Whether it is about a root account that the reader sees: nobody is above that.
fn is_operators(blocker: &Blocker, frame: &Frame) -> bool {
    let root = &frame.chain[0];
    match blocker {
        Blocker::Suspended { .. } => {
            !root.held.is_empty() && frame.suspended.as_ref().is_some_and(|one| one.at == root.place.key)
        }
        Blocker::OverLimit => frame.chain.len() == 1,
        _ => false,
    }
}

/// Whether the reader can do it.
pub fn is_readers(blocker: &Blocker, frame: &Frame) -> bool {
    match blocker {
        Blocker::Suspended { .. } => frame.may_resume().is_some(),
        Blocker::OverLimit => limits::changed_at(frame).is_some(),
        Blocker::Overdue { own: false } => false,
        blocker => blocker.needs().met_by(frame.held()),
    }
}
