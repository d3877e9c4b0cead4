//! What suspending or resuming an account touches, counted over everything in its branch: one statement, read before
//! somebody decides and once more when they did.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{suspensions, users};

/// The branch of an account in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effects {
    /// Since when it is suspended itself, why, and by whom; nobody is the operator.
    pub own: Option<Own>,
    /// Open accounts, itself among them.
    pub accounts: i64,
    /// Those of them below it that are suspended without it: for themselves, or below such a one.
    pub already: i64,
    /// Connections that the fabric has or works on.
    pub live: i64,
    /// Orders of connections and ports that have not begun.
    pub waiting: i64,
    /// Ports that are active.
    pub ports: i64,
    /// An account above it is suspended as well.
    pub above: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    pub since: NaiveDateTime,
    pub reason: String,
    pub by: Option<String>,
}

impl Effects {
    /// Names these effects, so that a page shown before can be told from what is true now.
    pub fn stamp(&self) -> String {
        let Effects { own, accounts, already, live, waiting, ports, above } = self;
        let since = own.as_ref().map_or(0, |own| own.since.and_utc().timestamp_micros());
        format!("{since}-{accounts}-{already}-{live}-{waiting}-{ports}-{above}")
    }
}

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = BigInt)]
    accounts: i64,
    #[diesel(sql_type = BigInt)]
    already: i64,
    #[diesel(sql_type = BigInt)]
    live: i64,
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = BigInt)]
    ordered: i64,
    #[diesel(sql_type = BigInt)]
    ports: i64,
    #[diesel(sql_type = Bool)]
    above: bool,
}

/// The states of a connection whose order has not begun, and of one that is gone or never came to be.
const WAITING: &str = "'INITIALIZING', 'WAITING_TO_PROVISION', 'PENDING_APPROVAL', 'APPROVED'";
const ENDED: &str = "'DELETED', 'FAILED_TO_PROVISION'";

pub fn effects(db: &mut Db, account: Key) -> Result<Effects, Problem> {
    let branch = |columns: &str, table: &str, which: &str| {
        format!(
            "(SELECT {columns} FROM account_ancestry b JOIN {table} t ON t.account_key = b.descendant_key
              WHERE b.ancestor_key = $1 AND {which})"
        )
    };
    let counts: Counts = diesel::sql_query(format!(
        "SELECT (SELECT COUNT(*) FROM account_ancestry b JOIN accounts a ON a.key = b.descendant_key
                 WHERE b.ancestor_key = $1 AND a.closed_at IS NULL) AS accounts,
                (SELECT COUNT(DISTINCT d.descendant_key)
                 FROM account_ancestry b JOIN suspensions s ON s.account_key = b.descendant_key
                 JOIN account_ancestry d ON d.ancestor_key = s.account_key
                 JOIN accounts a ON a.key = d.descendant_key
                 WHERE b.ancestor_key = $1 AND b.distance > 0 AND a.closed_at IS NULL) AS already,
                {} AS live, {} AS waiting, {} AS ordered, {} AS ports,
                EXISTS (SELECT 1 FROM account_ancestry u JOIN suspensions s ON s.account_key = u.ancestor_key
                        WHERE u.descendant_key = $1 AND u.distance > 0) AS above",
        branch("COUNT(*)", "connections", &format!("t.state NOT IN ({WAITING}, {ENDED})")),
        branch("COUNT(*)", "connections", &format!("t.state IN ({WAITING})")),
        branch("COUNT(*)", "ports", "t.state = 'REQUESTED'"),
        branch("COUNT(*)", "ports", "t.state = 'ACTIVE'"),
    ))
    .bind::<BigInt, _>(account)
    .get_result(db)?;
    type Row = (NaiveDateTime, String, Option<(String, String)>);
    let own: Option<Row> = suspensions::table
        .left_join(users::table.on(suspensions::user_key.eq(users::key.nullable())))
        .filter(suspensions::account_key.eq(account))
        .select((suspensions::suspended_at, suspensions::reason, (users::first_name, users::last_name).nullable()))
        .first(db)
        .optional()?;
    let own =
        own.map(|(since, reason, by)| Own { since, reason, by: by.map(|(first, last)| format!("{first} {last}")) });
    let Counts { accounts, already, live, waiting, ordered, ports, above } = counts;
    Ok(Effects { own, accounts, already, live, waiting: waiting + ordered, ports, above })
}
