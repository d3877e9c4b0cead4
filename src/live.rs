//! What is live, as far as agreements, money, closing and moving an account ask for it. The rooms of ports and
//! connections stand higher up.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tokio::sync::Notify;

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{connections, ports};

static ORDERED: Notify = Notify::const_new();

/// Tells the worker of this process that something was ordered, changed or deleted, or will be when this transaction
/// ends.
pub fn ring() {
    ORDERED.notify_one();
}

/// Waits for [`ring`].
pub async fn rung() {
    ORDERED.notified().await;
}

/// States of a connection that is gone or never came to be; in every other state it is live.
pub const ENDED_STATES: [&str; 2] = ["DELETED", "FAILED_TO_PROVISION"];

/// How many live connections the account has.
pub fn connections(db: &mut Db, account: Key) -> Result<i64, Problem> {
    Ok(connections::table
        .filter(connections::account_key.eq(account))
        .filter(connections::state.ne_all(ENDED_STATES))
        .select(count_star())
        .first(db)?)
}

/// How many ports the account has that are not deleted.
pub fn ports(db: &mut Db, account: Key) -> Result<i64, Problem> {
    Ok(ports::table
        .filter(ports::account_key.eq(account))
        .filter(ports::state.ne("DELETED"))
        .select(count_star())
        .first(db)?)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How many VLANs that the branch below `account` uses, and caps that it has, are on ports of accounts which would not be
/// above it under `new_parent`.
pub fn ports_left_behind(db: &mut Db, account: Key, new_parent: Key) -> Result<i64, Problem> {
    let sql = |table: &str| {
        format!(
            "SELECT COUNT(*) AS n FROM account_ancestry b JOIN {table} u ON u.account_key = b.descendant_key
             WHERE b.ancestor_key = $1
               AND NOT EXISTS (SELECT 1 FROM account_ancestry i
                               WHERE i.descendant_key = u.port_account_key AND i.ancestor_key = $1)
               AND NOT EXISTS (SELECT 1 FROM account_ancestry o
                               WHERE o.descendant_key = $2 AND o.ancestor_key = u.port_account_key)"
        )
    };
    let mut sum = 0;
    for table in ["port_uses", "port_caps"] {
        let count: Count =
            diesel::sql_query(sql(table)).bind::<BigInt, _>(account).bind::<BigInt, _>(new_parent).get_result(db)?;
        sum += count.n;
    }
    Ok(sum)
}
