//! What an edit of a role does to those who have it: which permissions they gain or lose, how many people, in how many
//! accounts. Counted by joins over the assignments that hold now, and once more when the edit is confirmed.

use diesel::dsl::{count, count_star, max};
use diesel::prelude::*;

use super::Role;
use crate::access::lookup::scope;
use crate::access::policy::Permissions;
use crate::ids::{self, Key};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::schema::{account_ancestry, accounts, assignments};

/// How many people have a role now, and how many open accounts it reaches through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    pub members: i64,
    pub accounts: i64,
}

/// What an edit would do, and to which assignments: how many hold now, and the latest of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effects {
    pub gained: Permissions,
    pub lost: Permissions,
    given: i64,
    latest: Option<Key>,
}

impl Effects {
    /// Whether anybody's rights change.
    pub fn matter(&self) -> bool {
        self.given > 0 && !(self.gained.is_empty() && self.lost.is_empty())
    }

    /// Names these effects, so that a page shown before can be told from what is true now.
    pub fn stamp(&self) -> String {
        let Effects { gained, lost, given, latest } = self;
        format!("{}-{}-{given}-{}", gained.0, lost.0, latest.unwrap_or_default())
    }

    /// Refuses what was not confirmed as it is now.
    pub fn confirmed(&self, stamp: &str) -> Result<(), Problem> {
        if !self.matter() || stamp == self.stamp() { Ok(()) } else { Err(Problem::Conflict(Reason::Unconfirmed)) }
    }
}

/// What giving the role these permissions in place of its own would do. Cheap enough to be asked under the lock; how
/// far it reaches is [`reach`]'s to count.
pub fn of_change(db: &mut Db, role: &Role, permissions: Permissions) -> Result<Effects, Problem> {
    let (gained, lost) = (permissions.beyond(role.permissions), role.permissions.beyond(permissions));
    let live = assignments::table
        .inner_join(accounts::table.on(accounts::key.eq(assignments::account_key)))
        .filter(assignments::role_key.eq(role.key))
        .filter(assignments::ends_at.gt(ids::now()))
        .filter(accounts::closed_at.is_null());
    let (given, latest) = live.select((count_star(), max(assignments::key))).first(db)?;
    Ok(Effects { gained, lost, given, latest })
}

/// The people whose assignments of the role hold now in open accounts, and the accounts they reach by their scope.
pub fn reach(db: &mut Db, role: Key) -> Result<Reach, Problem> {
    let members = assignments::table
        .inner_join(accounts::table.on(accounts::key.eq(assignments::account_key)))
        .filter(assignments::role_key.eq(role))
        .filter(assignments::ends_at.gt(ids::now()))
        .filter(accounts::closed_at.is_null())
        .select(count(assignments::user_key).aggregate_distinct())
        .first(db)?;
    if members == 0 {
        return Ok(Reach::default());
    }
    let reached = assignments::table
        .inner_join(account_ancestry::table.on(account_ancestry::ancestor_key.eq(assignments::account_key)))
        .filter(assignments::role_key.eq(role))
        .filter(assignments::ends_at.gt(ids::now()))
        .filter(assignments::scope.ne(scope::HERE).or(account_ancestry::distance.eq(0)))
        .filter(assignments::scope.ne(scope::BELOW).or(account_ancestry::distance.gt(0)))
        .select(account_ancestry::descendant_key);
    let open = accounts::table.filter(accounts::closed_at.is_null()).filter(accounts::key.eq_any(reached));
    Ok(Reach { members, accounts: open.select(count_star()).first(db)? })
}
