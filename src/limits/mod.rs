//! How many networks, connections, ports, members and accounts an account, or a whole branch, may have. A limit set at an
//! account above holds below it too: every one along the way is asked, in the transaction that would make one more.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamp};

use crate::ids::{self, Key};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::schema::{account_ancestry, resource_limits};

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

    /// What is counted in an account of the branch `b`: columns, the table, and which rows of it. Members are people
    /// whose role has not ended at $2.
    fn counted(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Resource::Account => ("t.key", "accounts t ON t.parent_key = b.descendant_key", "AND t.closed_at IS NULL"),
            Resource::Member => (
                "DISTINCT t.account_key, t.user_key",
                "assignments t ON t.account_key = b.descendant_key",
                "AND t.ends_at > $2",
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
    let limits: Vec<(Key, String, i64)> = account_ancestry::table
        .inner_join(resource_limits::table.on(resource_limits::account_key.eq(account_ancestry::ancestor_key)))
        .filter(account_ancestry::descendant_key.eq(account))
        .filter(resource_limits::resource.eq(resource.code()))
        .filter(resource_limits::reach.eq("BRANCH").or(account_ancestry::distance.eq(0)))
        .order(account_ancestry::distance)
        .select((account_ancestry::ancestor_key, resource_limits::reach, resource_limits::most))
        .load(db)?;
    for (at, reach, most) in limits {
        let has = used(db, at, resource, reach == "BRANCH", most)?;
        if has + more > most {
            return Err(Problem::Conflict(Reason::LimitReached { resource: resource.plural(), most }));
        }
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How many there are in the account, or in its branch; counted no further than to one more than `most`.
pub fn used(db: &mut Db, account: Key, resource: Resource, branch: bool, most: i64) -> Result<i64, Problem> {
    let (columns, table, which) = resource.counted();
    let reach = if branch { "" } else { "AND b.distance = 0" };
    let enough = most.saturating_add(1);
    let query = diesel::sql_query(format!(
        "SELECT COUNT(*) AS n FROM (SELECT {columns} FROM account_ancestry b JOIN {table}
         WHERE b.ancestor_key = $1 {reach} {which} LIMIT {enough}) few"
    ))
    .bind::<BigInt, _>(account);
    let count: Count = match resource {
        Resource::Member => query.bind::<Timestamp, _>(ids::now()).get_result(db)?,
        _ => query.get_result(db)?,
    };
    Ok(count.n)
}
