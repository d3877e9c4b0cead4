//! Setting the limits of an account from above. Two people who set them at once do not overwrite each other: the form
//! carries what was there when it was opened.

use super::counting::Limit;
use super::{Resource, counting, store};
use crate::access::policy::LimitAccounts;
use crate::access::{Grant, Place, lookup};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::{self, Key};
use crate::problem::{Problem, Reason};
use crate::store::Db;

/// The largest limit.
pub const MOST: i64 = 1_000_000;

/// The limits of one account: for it alone, and for it and everything below. None is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    own: [Option<i64>; 5],
    branch: [Option<i64>; 5],
}

impl Limits {
    pub fn get(&self, resource: Resource, branch: bool) -> Option<i64> {
        if branch { self.branch[resource as usize] } else { self.own[resource as usize] }
    }

    pub fn set(&mut self, resource: Resource, branch: bool, most: Option<i64>) {
        let side = if branch { &mut self.branch } else { &mut self.own };
        side[resource as usize] = most;
    }

    /// Every place a limit can have: what is limited, whether for the branch, and how many if it is.
    pub fn every(&self) -> impl Iterator<Item = (Resource, bool, Option<i64>)> + '_ {
        let sides = Resource::EVERY.into_iter().flat_map(|resource| [(resource, false), (resource, true)]);
        sides.map(|(resource, branch)| (resource, branch, self.get(resource, branch)))
    }

    /// Names these limits, so that a form made for others can be told from one made for them.
    pub fn stamp(&self) -> String {
        let one = |most: Option<i64>| most.map_or_else(|| "-".to_owned(), |most| most.to_string());
        let all: Vec<String> = self.every().map(|(.., most)| one(most)).collect();
        ids::sha256_hex(all.join(" ").as_bytes())[..32].to_owned()
    }
}

/// The limits set at the account itself.
pub fn of(db: &mut Db, account: Key) -> Result<Limits, Problem> {
    store::of(db, account)
}

/// Sets the limits of an account below. Answers those that are lower than what is there, in words: nothing is taken
/// away. NotFound where there is none that the right reaches; Conflict(Stale) when they are not what `seen` names.
pub fn set(
    db: &mut Db,
    by: &Grant<LimitAccounts>,
    child_id: &str,
    new: &Limits,
    seen: &str,
) -> Result<Vec<String>, Problem> {
    audit::change(db, by, |db, by| {
        let child = lookup::below(db, by, child_id)?;
        let old = store::of(db, child.key)?;
        if old.stamp() != seen {
            return Err(Problem::Conflict(Reason::Stale));
        }
        put(db, &child, &old, new)
    })
}

/// Under the tree's lock.
pub(super) fn put(db: &mut Db, account: &Place, old: &Limits, new: &Limits) -> Result<(Vec<String>, Event), Problem> {
    let subject = Subject::new("ACCOUNT", &account.id, &account.name);
    let mut event = Event::new(EventType::ResourceLimitUpdate, subject).in_account(account.key);
    for ((resource, branch, before), (.., after)) in old.every().zip(new.every()) {
        if before != after {
            store::set(db, account.key, resource, branch, after)?;
            event = event.changed(field(resource, branch), &words(before), &words(after));
        }
    }
    Ok((exceeded(db, account.key, new)?, event))
}

pub(super) fn words(most: Option<i64>) -> String {
    most.map_or_else(|| "no limit".to_owned(), |most| most.to_string())
}

/// As the audit log and forms call it.
pub(super) fn field(resource: Resource, branch: bool) -> &'static str {
    match (resource, branch) {
        (Resource::Account, false) => "accounts",
        (Resource::Account, true) => "accountsInBranch",
        (Resource::Member, false) => "members",
        (Resource::Member, true) => "membersInBranch",
        (Resource::Network, false) => "networks",
        (Resource::Network, true) => "networksInBranch",
        (Resource::Connection, false) => "connections",
        (Resource::Connection, true) => "connectionsInBranch",
        (Resource::Port, false) => "ports",
        (Resource::Port, true) => "portsInBranch",
    }
}

/// Each limit that is lower than what is there.
fn exceeded(db: &mut Db, account: Key, limits: &Limits) -> Result<Vec<String>, Problem> {
    let all: Vec<(Resource, Limit)> = limits
        .every()
        .filter_map(|(resource, branch, most)| Some((resource, Limit { at: account, branch, most: most? })))
        .collect();
    let has = counting::measure_all(db, &all)?;
    let over = all.iter().zip(has).filter(|((_, limit), has)| *has > limit.most);
    let word = |((resource, limit), _): (&(Resource, Limit), i64)| {
        let place = if limit.branch { "with everything below" } else { "in the account itself" };
        format!("{} {place}", resource.plural())
    };
    Ok(over.map(word).collect())
}
