//! What the operator does to root accounts, which have nobody above them: `subtenant accounts suspend` and `resume`.

use super::{LONGEST_REASON, confirmed, resumed, store, suspended};
use crate::access::lookup;
use crate::audit;
use crate::problem::{Problem, Reason};
use crate::store::{Db, dialect};
use crate::text;

/// Suspends a root account; answers a sentence, or why it cannot be.
pub fn suspend_root(db: &mut Db, id: &str, reason: &str) -> Result<Result<String, String>, Problem> {
    let reason = reason.trim();
    if reason.chars().count() > LONGEST_REASON || reason.chars().any(char::is_control) {
        return Ok(Err(format!("the reason must be one line of at most {LONGEST_REASON} characters")));
    }
    act(db, id, false, reason)
}

/// Ends it.
pub fn resume_root(db: &mut Db, id: &str) -> Result<Result<String, String>, Problem> {
    act(db, id, true, "")
}

fn act(db: &mut Db, id: &str, resume: bool, reason: &str) -> Result<Result<String, String>, Problem> {
    let id = id.trim();
    let Some(root) = lookup::root(db, id)? else {
        return Ok(Err(format!("there is no open root account {id}; others are suspended by those above them")));
    };
    let done = audit::change_by_system(db, |db| {
        dialect::lock_tree(db, root.key)?;
        let effects = confirmed(db, &root, resume, None)?;
        let event = if resume {
            store::delete(db, root.key)?;
            resumed(&root, &effects)
        } else {
            store::insert(db, root.key, reason, None)?;
            suspended(&root, reason, &effects)
        };
        let word = if resume { "resumed" } else { "suspended" };
        let below = text::count(effects.accounts - 1, "account", "accounts");
        let stay = match effects.already {
            0 => String::new(),
            n if resume => {
                format!(" {} below suspended for themselves.", text::count(n, "account stays", "accounts stay"))
            }
            _ => String::new(),
        };
        Ok((format!("{} is {word}, with {below} below it.{stay}", root.name), event))
    });
    match done {
        Err(Problem::Conflict(Reason::Unconfirmed)) if resume => Ok(Err(format!("{} is not suspended", root.name))),
        Err(Problem::Conflict(Reason::Unconfirmed)) => Ok(Err(format!("{} is suspended already", root.name))),
        done => done.map(Ok),
    }
}
