//! How many networks, connections, ports, members and accounts an account, or a whole branch, may have. A limit set at an
//! account above holds below it too: every one along the way is asked, in the transaction that would make one more.
//! Limits are set from above; those of a root account by the operator. Lowering one takes nothing away.

mod counting;
mod edit;
mod operator;
mod setting;
mod show;
mod store;

use diesel::prelude::*;

use crate::ids::Key;
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::dialect::{Run, one_of};
use crate::store::schema::{account_ancestry, resource_limits};
use crate::web::route::{Route, get, post};
use counting::Limit;
pub use counting::{over_among, over_below, used};
pub use operator::set_root;
pub use setting::{Limits, MOST, of, set};
pub use show::changed_at;

pub fn routes() -> Vec<Route> {
    vec![
        get("/a/{account}/limits", show::show),
        get("/a/{account}/child-accounts/{child}/limits", edit::edit),
        post("/a/{account}/child-accounts/{child}/limits", edit::update),
    ]
}

/// What can be limited. The words are the published interface's, and PORT besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    Account,
    Member,
    Network,
    Connection,
    Port,
}

impl Resource {
    pub const EVERY: [Resource; 5] =
        [Resource::Account, Resource::Member, Resource::Network, Resource::Connection, Resource::Port];

    /// As it is stored.
    pub fn code(self) -> &'static str {
        match self {
            Resource::Account => "ACCOUNT",
            Resource::Member => "MEMBER",
            Resource::Network => "NETWORK",
            Resource::Connection => "CONNECTION",
            Resource::Port => "PORT",
        }
    }

    pub fn of_code(code: &str) -> Option<Resource> {
        Resource::EVERY.into_iter().find(|one| one.code() == code)
    }

    /// As people read it, more than one.
    pub fn plural(self) -> &'static str {
        match self {
            Resource::Account => "child accounts",
            Resource::Member => "members",
            Resource::Network => "networks",
            Resource::Connection => "connections",
            Resource::Port => "ports",
        }
    }

    /// What is counted in an account of the branch `b`: columns, the tables, and which rows of them. Members are people
    /// whose role has not ended at $1.
    fn counted(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Resource::Account => ("t.key", "accounts t ON t.parent_key = b.descendant_key", "AND t.closed_at IS NULL"),
            Resource::Member => (
                "DISTINCT t.account_key, t.user_key",
                "assignments t ON t.account_key = b.descendant_key JOIN accounts a ON a.key = t.account_key",
                "AND t.ends_at > $1 AND a.closed_at IS NULL",
            ),
            Resource::Network => {
                ("t.key", "networks t ON t.account_key = b.descendant_key", "AND t.state <> 'DELETED'")
            }
            Resource::Connection => {
                ("t.key", "connections t ON t.account_key = b.descendant_key", "AND t.state <> 'DELETED'")
            }
            Resource::Port => ("t.key", "ports t ON t.account_key = b.descendant_key", "AND t.state <> 'DELETED'"),
        }
    }
}

/// Conflict(LimitReached) when the account may not have one more: because of a limit of its own, or of one of the
/// branches that it is in. Under the tree's lock, before the new row is written.
pub fn room_for_one(db: &mut Db, account: Key, resource: Resource) -> Result<(), Problem> {
    room_for(db, account, resource, 1)
}

/// The same for some at once.
pub fn room_for(db: &mut Db, account: Key, resource: Resource, more: i64) -> Result<(), Problem> {
    let limits = holding(db, account, resource)?;
    fits(db, resource, &limits, more)
}

/// The limits that hold for the account, nearest first: its own, and those of the branches that it is in.
fn holding(db: &mut Db, account: Key, resource: Resource) -> Result<Vec<Limit>, Problem> {
    let rows: Vec<(Key, String, i64)> = account_ancestry::table
        .inner_join(resource_limits::table.on(resource_limits::account_key.eq(account_ancestry::ancestor_key)))
        .filter(account_ancestry::descendant_key.eq(account))
        .filter(resource_limits::resource.eq(resource.code()))
        .filter(resource_limits::reach.eq(BRANCH).or(account_ancestry::distance.eq(0)))
        .order((account_ancestry::distance, resource_limits::most))
        .select((account_ancestry::ancestor_key, resource_limits::reach, resource_limits::most))
        .rows(db)?;
    Ok(rows.into_iter().map(|(at, reach, most)| Limit { at, branch: reach == BRANCH, most }).collect())
}

/// As it is stored: the account and everything below it. The other word is `ACCOUNT`.
const BRANCH: &str = "BRANCH";

fn fits(db: &mut Db, resource: Resource, limits: &[Limit], more: i64) -> Result<(), Problem> {
    let has = counting::measure(db, resource, limits)?;
    match limits.iter().zip(has).find(|(limit, has)| has + more > limit.most) {
        Some((limit, _)) => {
            Err(Problem::Conflict(Reason::LimitReached { resource: resource.plural(), most: limit.most }))
        }
        None => Ok(()),
    }
}

/// A limit on child accounts, and how many there are under it, counted no further than to one more than it allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub at: Key,
    /// For everything below `at`, not for its own children alone.
    pub branch: bool,
    pub most: i64,
    pub has: i64,
}

/// The limits on child accounts that are set at these accounts, in two statements for some fifty limits.
pub fn rooms(db: &mut Db, accounts: &[Key]) -> Result<Vec<Room>, Problem> {
    let rows: Vec<(Key, String, i64)> = resource_limits::table
        .filter(one_of(resource_limits::account_key, accounts))
        .filter(resource_limits::resource.eq(Resource::Account.code()))
        .select((resource_limits::account_key, resource_limits::reach, resource_limits::most))
        .rows(db)?;
    let limits: Vec<Limit> =
        rows.into_iter().map(|(at, reach, most)| Limit { at, branch: reach == BRANCH, most }).collect();
    let has = counting::measure(db, Resource::Account, &limits)?;
    let room = |(limit, has): (Limit, i64)| Room { at: limit.at, branch: limit.branch, most: limit.most, has };
    Ok(limits.into_iter().zip(has).map(room).collect())
}

/// Whether more of something is there than limits allow that hold for an account, as after they were lowered: what is
/// there stays, and nothing new begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Over {
    /// By the limit for the account alone.
    pub own: bool,
    /// By that of a branch that it is in, its own one or a larger.
    pub branch: bool,
}

/// Two queries at most, however many limits there are.
pub fn over(db: &mut Db, account: Key, resource: Resource) -> Result<Over, Problem> {
    let limits = holding(db, account, resource)?;
    let has = counting::measure(db, resource, &limits)?;
    let mut over = Over::default();
    for (limit, _) in limits.iter().zip(has).filter(|(limit, has)| *has > limit.most) {
        if limit.branch { over.branch = true } else { over.own = true }
    }
    Ok(over)
}

/// Conflict(LimitReached) when the branch of `account` does not fit under `new_parent`: asked are the limits that would
/// hold for it there and do not yet.
pub fn room_for_branch(db: &mut Db, account: Key, new_parent: Key) -> Result<(), Problem> {
    let above: Vec<(Key, i64)> = account_ancestry::table
        .filter(account_ancestry::descendant_key.eq(account))
        .select((account_ancestry::ancestor_key, account_ancestry::distance))
        .rows(db)?;
    let is_parent = above.contains(&(new_parent, 1));
    for resource in Resource::EVERY {
        let mut limits = holding(db, new_parent, resource)?;
        // Of the new parent's own things it becomes one only as an account.
        let becomes_own = resource == Resource::Account && !is_parent;
        let holds_already = |limit: &Limit| above.iter().any(|(key, _)| *key == limit.at);
        limits.retain(|limit| if limit.branch { !holds_already(limit) } else { becomes_own });
        let Some(largest) = limits.iter().map(|limit| limit.most).max() else { continue };
        let itself = i64::from(resource == Resource::Account);
        let moves = used(db, account, resource, true, largest)? + itself;
        let (branches, own): (Vec<_>, Vec<_>) = limits.into_iter().partition(|limit| limit.branch);
        if moves > 0 {
            fits(db, resource, &own, itself)?;
            fits(db, resource, &branches, moves)?;
        }
    }
    Ok(())
}
