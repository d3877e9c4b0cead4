//! Connections, as far as agreements, money and closing an account ask for them: which are live. Ordering and
//! provisioning them comes with its own pages.

use diesel::dsl::count_star;
use diesel::prelude::*;

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::connections;

/// States of a connection that is gone or never came to be; in every other state it is live.
pub const ENDED_STATES: [&str; 2] = ["DELETED", "FAILED_TO_PROVISION"];

/// How many live connections the account has.
pub fn live(db: &mut Db, account: Key) -> Result<i64, Problem> {
    Ok(connections::table
        .filter(connections::account_key.eq(account))
        .filter(connections::state.ne_all(ENDED_STATES))
        .select(count_star())
        .first(db)?)
}
