//! How many there are, counted no further than to one more than a limit allows: a small limit is asked quickly in the
//! largest branch.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use super::Resource;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, one_of, said};
use crate::store::schema::{account_ancestry, resource_limits};

/// One limit of one resource at an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    pub at: Key,
    /// For the account and everything below it, not for the account alone.
    pub branch: bool,
    pub most: i64,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Limits that are counted in one statement.
const AT_ONCE: usize = 50;

/// How many there are under each of the limits, in their order.
pub(super) fn measure(db: &mut Db, resource: Resource, limits: &[Limit]) -> Result<Vec<i64>, Problem> {
    let all: Vec<(Resource, Limit)> = limits.iter().map(|limit| (resource, *limit)).collect();
    measure_all(db, &all)
}

/// The same where each is of a resource of its own.
pub(super) fn measure_all(db: &mut Db, limits: &[(Resource, Limit)]) -> Result<Vec<i64>, Problem> {
    let mut has = vec![0; limits.len()];
    for (chunk, some) in limits.chunks(AT_ONCE).enumerate() {
        let mut sql = String::new();
        for (n, (resource, limit)) in some.iter().enumerate() {
            if n > 0 {
                sql.push_str(" UNION ALL ");
            }
            let (columns, table, which) = resource.counted();
            let reach = if limit.branch { "" } else { "AND b.distance = 0" };
            let (at, enough, place) = (limit.at, limit.most.saturating_add(1), chunk * AT_ONCE + n);
            // Numbers of ours: no text of anybody's is in the statement.
            write!(
                sql,
                "SELECT CAST({place} AS BIGINT) AS place, COUNT(*) AS n FROM
                 (SELECT {columns} FROM account_ancestry b JOIN {table}
                  WHERE b.ancestor_key = {at} {reach} {which} LIMIT {enough}) few"
            )
            .map_err(|_| Problem::bug("a statement cannot be written"))?;
        }
        let query = diesel::sql_query(sql);
        let timed = some.iter().any(|(resource, _)| *resource == Resource::Member);
        let rows: Vec<Count> = if timed { query.bind::<Timestamp, _>(ids::now()).rows(db)? } else { query.rows(db)? };
        for row in rows {
            if let Some(slot) = usize::try_from(row.place).ok().and_then(|place| has.get_mut(place)) {
                *slot = row.n;
            }
        }
    }
    Ok(has)
}

/// How many there are in the account, or in its branch; counted no further than to one more than `most`.
pub fn used(db: &mut Db, account: Key, resource: Resource, branch: bool, most: i64) -> Result<i64, Problem> {
    let has = measure(db, resource, &[Limit { at: account, branch, most }])?;
    Ok(has.first().copied().unwrap_or(0))
}

#[derive(QueryableByName)]
struct Over {
    #[diesel(sql_type = BigInt)]
    account_key: Key,
    #[diesel(sql_type = Text)]
    reach: String,
}

/// The accounts below with more connections than a limit of theirs allows: true where the limit is their whole
/// branch's, which then holds for everything in it.
pub fn over_below(db: &mut Db, top: Key) -> Result<HashMap<Key, bool>, Problem> {
    let rows: Vec<Over> = said(
        "SELECT l.account_key, l.reach
         FROM account_ancestry d JOIN resource_limits l ON l.account_key = d.descendant_key
         WHERE d.ancestor_key = $1 AND d.distance > 0 AND l.resource = 'CONNECTION' AND l.most <
               (SELECT COUNT(*) FROM account_ancestry b JOIN connections t ON t.account_key = b.descendant_key
                WHERE b.ancestor_key = l.account_key AND (l.reach = 'BRANCH' OR b.distance = 0)
                  AND t.state <> 'DELETED')",
    )
    .bind(top)
    .rows(db)?;
    let mut over = HashMap::new();
    for row in rows {
        *over.entry(row.account_key).or_insert(false) |= row.reach == super::BRANCH;
    }
    Ok(over)
}

/// Those of the accounts for which a limit holds that allows fewer connections than there are: their own, or that of a
/// branch they are in.
pub fn over_among(db: &mut Db, accounts: &[Key]) -> Result<HashSet<Key>, Problem> {
    if accounts.is_empty() {
        return Ok(HashSet::new());
    }
    // + 0: from the accounts up, not each of a few limits for each account.
    let above = account_ancestry::ancestor_key + 0_i64;
    let rows: Vec<(Key, Key, String, i64)> = account_ancestry::table
        .inner_join(resource_limits::table.on(resource_limits::account_key.eq(above)))
        .filter(one_of(account_ancestry::descendant_key, accounts))
        .filter(resource_limits::resource.eq(Resource::Connection.code()))
        .filter(resource_limits::reach.eq(super::BRANCH).or(account_ancestry::distance.eq(0)))
        .select((
            account_ancestry::descendant_key,
            resource_limits::account_key,
            resource_limits::reach,
            resource_limits::most,
        ))
        .rows(db)?;
    let limit = |(_, at, reach, most): &(Key, Key, String, i64)| (*at, reach == super::BRANCH, *most);
    let mut limits: Vec<(Key, bool, i64)> = rows.iter().map(limit).collect();
    limits.sort_unstable();
    limits.dedup();
    let asked: Vec<Limit> =
        limits.iter().map(|(at, branch, most)| Limit { at: *at, branch: *branch, most: *most }).collect();
    let has = measure(db, Resource::Connection, &asked)?;
    let over: HashSet<(Key, bool, i64)> =
        limits.into_iter().zip(has).filter(|((_, _, most), has)| has > most).map(|(limit, _)| limit).collect();
    Ok(rows.iter().filter(|row| over.contains(&limit(row))).map(|row| row.0).collect())
}
