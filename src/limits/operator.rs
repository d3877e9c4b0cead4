//! What the operator sets for root accounts, which have nobody above them: `subtenant limits set`.

use super::{MOST, Resource, setting, store};
use crate::access::lookup;
use crate::audit;
use crate::problem::Problem;
use crate::store::{Db, dialect};

/// Sets one limit of a root account from the words of a command; answers a sentence, or everything that is wrong.
pub fn set_root(
    db: &mut Db,
    id: &str,
    resource: &str,
    reach: &str,
    most: &str,
) -> Result<Result<String, Vec<String>>, Problem> {
    let mut wrong = Vec::new();
    let found = Resource::of_code(&resource.trim().to_uppercase());
    if found.is_none() {
        let known: Vec<String> = Resource::EVERY.iter().map(|one| one.code().to_lowercase()).collect();
        wrong.push(format!("{resource:?}: it must be one of {}", known.join(", ")));
    }
    let branch = match reach.trim() {
        "account" => false,
        "branch" => true,
        _ => {
            wrong.push(format!("{reach:?}: it must be account or branch"));
            false
        }
    };
    let most = match most.trim() {
        "none" => Ok(None),
        number => number.parse::<i64>().map(Some),
    };
    let most = most.ok().filter(|most| most.is_none_or(|most| (0..=MOST).contains(&most)));
    if most.is_none() {
        wrong.push(format!("the limit must be a number from 0 to {MOST}, or none"));
    }
    let root = lookup::root(db, id.trim())?;
    if root.is_none() {
        wrong.push(format!("there is no open root account {id}; limits of others are set by those above them"));
    }
    let (Some(resource), Some(most), Some(root), true) = (found, most, root, wrong.is_empty()) else {
        return Ok(Err(wrong));
    };
    audit::change_by_system(db, |db| {
        dialect::lock_tree(db, root.key)?;
        let old = store::of(db, root.key)?;
        let mut new = old;
        new.set(resource, branch, most);
        let (over, event) = setting::put(db, &root, &old, &new)?;
        let place = if branch { ", with everything below it," } else { "" };
        let what = match most {
            Some(most) => format!("may have {most} {}", resource.plural()),
            None => format!("may have any number of {}", resource.plural()),
        };
        let more = if over.is_empty() {
            String::new()
        } else {
            format!(" There are more: {}. Nothing is taken away, and nothing new begins.", over.join(", "))
        };
        Ok((Ok(format!("{}{place} {what}.{more}", root.name)), event))
    })
}
