//! The accounts that follow one in who pays for them: those below it with no payment method of their own and none
//! between. Counted, listed, and with the live connections that depend on it.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::billing::effects::{Reach, Tally};
use crate::ids::Key;
use crate::live::ENDED_STATES;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, Said, said};
use crate::web::paging::Want;

/// The followers of $1 at a distance from $2 to $3, with $1 itself at distance 0. A difference of two sets, because
/// both databases do that in one pass; as an outer join PostgreSQL compared every account with every other.
pub(super) fn with_followers(rest: &str) -> String {
    let ended = ENDED_STATES.map(|state| format!("'{state}'")).join(", ");
    format!(
        "WITH reached AS (
             SELECT descendant_key FROM account_ancestry
             WHERE ancestor_key = $1 AND distance >= $2 AND distance <= $3
             EXCEPT
             SELECT down.descendant_key
             FROM account_ancestry inside
             JOIN payment_methods pm ON pm.account_key = inside.descendant_key
             JOIN account_ancestry down ON down.ancestor_key = pm.account_key
             WHERE inside.ancestor_key = $1 AND inside.distance > 0),
         followers AS (
             SELECT a.key, a.id, a.name, a.name_key, a.depth,
                    (SELECT COUNT(*) FROM connections c
                     WHERE c.account_key = a.key AND c.state NOT IN ({ended})) AS live
             FROM reached JOIN accounts a ON a.key = reached.descendant_key
             WHERE a.closed_at IS NULL)
         {rest}"
    )
}

#[derive(QueryableByName)]
struct TallyRow {
    #[diesel(sql_type = BigInt)]
    accounts: i64,
    #[diesel(sql_type = BigInt)]
    connected: i64,
    #[diesel(sql_type = BigInt)]
    connections: i64,
    #[diesel(sql_type = BigInt)]
    checksum: i64,
}

/// Counts the followers within reach.
pub fn tally(db: &mut Db, account: Key, reach: Reach) -> Result<Tally, Problem> {
    let text = with_followers(
        "SELECT COUNT(*) AS accounts,
                CAST(COALESCE(SUM(CASE WHEN live > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS connected,
                CAST(COALESCE(SUM(live), 0) AS BIGINT) AS connections,
                CAST(COALESCE(SUM(key % 1000003), 0) AS BIGINT) AS checksum
         FROM followers",
    );
    let row: TallyRow = bound(&text, account, reach).row(db)?;
    let TallyRow { accounts, connected, connections, checksum } = row;
    Ok(Tally { accounts, connected, connections, checksum })
}

/// One follower.
#[derive(Debug, Clone, QueryableByName)]
pub struct Follower {
    #[diesel(sql_type = BigInt)]
    pub key: Key,
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub name_key: String,
    #[diesel(sql_type = BigInt)]
    pub depth: i64,
    /// Its live connections.
    #[diesel(sql_type = BigInt)]
    pub live: i64,
}

/// The followers within reach, those with live connections first, then from the top down.
pub fn list(db: &mut Db, account: Key, reach: Reach, most: i64) -> Result<Vec<Follower>, Problem> {
    let text = with_followers(
        "SELECT key, id, name, name_key, depth, live FROM followers ORDER BY live DESC, depth, name_key, key LIMIT $4",
    );
    Ok(bound(&text, account, reach).bind(most).rows(db)?)
}

/// The same, those that come after one of them.
pub fn list_after(
    db: &mut Db,
    account: Key,
    reach: Reach,
    after: Option<&Follower>,
    most: i64,
) -> Result<Vec<Follower>, Problem> {
    let Some(after) = after else { return list(db, account, reach, most) };
    let text = with_followers(
        "SELECT key, id, name, name_key, depth, live FROM followers
         WHERE (-live, depth, name_key, key) > ($4, $5, $6, $7)
         ORDER BY live DESC, depth, name_key, key LIMIT $8",
    );
    Ok(bound(&text, account, reach)
        .bind(-after.live)
        .bind(after.depth)
        .bind(after.name_key.clone())
        .bind(after.key)
        .bind(most)
        .rows(db)?)
}

/// The same by name, beginning where `want` says, and against the order where it asks for a page before another.
pub fn page(db: &mut Db, account: Key, reach: Reach, want: &Want, most: i64) -> Result<Vec<Follower>, Problem> {
    let (filter, order) = match want {
        Want::First => ("", "name_key, key"),
        Want::After(_) => ("WHERE (name_key, key) > ($4, $5)", "name_key, key"),
        Want::Last => ("", "name_key DESC, key DESC"),
        Want::Before(_) => ("WHERE (name_key, key) < ($4, $5)", "name_key DESC, key DESC"),
    };
    let text = with_followers(&format!(
        "SELECT key, id, name, name_key, depth, live FROM followers {filter} ORDER BY {order} LIMIT ${}",
        if filter.is_empty() { 4 } else { 6 }
    ));
    let query = bound(&text, account, reach);
    Ok(match want {
        Want::After(cursor) | Want::Before(cursor) => {
            query.bind(cursor.0.clone()).bind(cursor.1).bind(most).rows(db)?
        }
        Want::First | Want::Last => query.bind(most).rows(db)?,
    })
}

fn bound(text: &str, account: Key, reach: Reach) -> Said {
    said(text).bind(account).bind(reach.from).bind(reach.to)
}
