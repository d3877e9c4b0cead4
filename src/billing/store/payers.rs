//! The payer rule as queries: the nearest payment method at or above an account is one index range, for a page of
//! accounts one statement, and over everything below an account one grouped join, whatever the shape of the tree.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use crate::billing::payer::{Counts, Payer, Source, Standing};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::store::schema::{account_ancestry, accounts, payment_methods};

/// The two nearest payment methods at or above the account say everything about it.
pub fn standing(db: &mut Db, account: Key) -> Result<Standing, Problem> {
    let rows = account_ancestry::table
        .inner_join(payment_methods::table.on(payment_methods::account_key.eq(account_ancestry::ancestor_key)))
        .inner_join(accounts::table.on(accounts::key.eq(account_ancestry::ancestor_key)))
        .filter(account_ancestry::descendant_key.eq(account))
        .order(account_ancestry::distance.asc())
        .limit(2)
        .select((
            account_ancestry::distance,
            accounts::key,
            accounts::id,
            accounts::name,
            payment_methods::allow_child_accounts,
            payment_methods::verified,
        ))
        .load::<(i64, Key, String, String, bool, bool)>(db)?;
    let own = rows.iter().find(|row| row.0 == 0).map(|row| row.5);
    let nearest_above = rows.into_iter().find(|row| row.0 > 0).filter(|row| row.4);
    let above =
        nearest_above.map(|(distance, key, id, name, _, verified)| Source { key, id, name, distance, verified });
    Ok(Standing { own, above })
}

#[derive(QueryableByName)]
struct Near {
    #[diesel(sql_type = BigInt)]
    account_key: Key,
    #[diesel(sql_type = BigInt)]
    distance: i64,
    #[diesel(sql_type = BigInt)]
    key: Key,
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    offered: bool,
    #[diesel(sql_type = Bool)]
    verified: bool,
}

impl Near {
    fn payer(self) -> Payer {
        let Near { distance, key, id, name, offered, verified, .. } = self;
        match (distance, offered) {
            (0, _) => Payer::Own { verified },
            (_, true) => Payer::Inherited(Source { key, id, name, distance, verified }),
            (_, false) => Payer::Nobody,
        }
    }
}

/// Accounts asked for in one statement.
const AT_ONCE: usize = 500;

/// The payer of each account: one statement for up to 500 of them.
pub fn payers(db: &mut Db, keys: &[Key]) -> Result<HashMap<Key, Payer>, Problem> {
    let mut found: HashMap<Key, Payer> = keys.iter().map(|key| (*key, Payer::Nobody)).collect();
    for some in keys.chunks(AT_ONCE) {
        let marks: Vec<String> = (1..=some.len()).map(|n| format!("${n}")).collect();
        let text = format!(
            "SELECT near.account_key, an.distance, o.key, o.id, o.name, pm.allow_child_accounts AS offered, pm.verified
             FROM (SELECT up.descendant_key AS account_key, MIN(up.distance) AS distance
                   FROM account_ancestry up JOIN payment_methods m ON m.account_key = up.ancestor_key
                   WHERE up.descendant_key IN ({}) GROUP BY up.descendant_key) near
             JOIN account_ancestry an ON an.descendant_key = near.account_key AND an.distance = near.distance
             JOIN accounts o ON o.key = an.ancestor_key
             JOIN payment_methods pm ON pm.account_key = o.key",
            marks.join(", ")
        );
        let mut query = diesel::sql_query(text).into_boxed::<MultiBackend>();
        for key in some {
            query = query.bind::<BigInt, _>(*key);
        }
        found.extend(query.load::<Near>(db)?.into_iter().map(|near| (near.account_key, near.payer())));
    }
    Ok(found)
}

/// For the head of a statement (SQLite counts marks by their first use) about everything below $1: each account that has a payment method at or between it and $1, and
/// the nearest of them as one number: its distance times four, plus 2 if it is not offered, plus 1 if it is not
/// verified. So below 4 is a method of the account's own, and one can provision by [`PAYS`].
pub const NEAREST: &str = "
    SELECT down.descendant_key AS account_key,
           MIN(down.distance * 4 + CASE WHEN pm.allow_child_accounts THEN 0 ELSE 2 END
                                 + CASE WHEN pm.verified THEN 0 ELSE 1 END) AS code
    FROM account_ancestry inside
    JOIN payment_methods pm ON pm.account_key = inside.descendant_key
    JOIN account_ancestry down ON down.ancestor_key = pm.account_key
    WHERE inside.ancestor_key = $1
    GROUP BY down.descendant_key";

/// Whether a code of [`NEAREST`] means a payer that can be charged: offered and verified, or own and verified.
pub const PAYS: &str = "(code % 4 = 0 OR code = 2)";

/// The code of an account that has no method between itself and `top`: what it has from above `top`. A distance of
/// one level stands for any.
pub fn code_from_above(standing: &Standing) -> i64 {
    match &standing.above {
        Some(source) if source.verified => 4,
        Some(_) => 5,
        None => 6,
    }
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    accounts: i64,
    #[diesel(sql_type = BigInt)]
    own: i64,
    #[diesel(sql_type = BigInt)]
    inherited: i64,
}

/// How the open accounts below are paid for: two statements, whatever the tree.
pub fn below(db: &mut Db, top: Key) -> Result<Counts, Problem> {
    let outside = code_from_above(&standing(db, top)?);
    let row: CountRow = diesel::sql_query(format!(
        "WITH nearest AS ({NEAREST})
         SELECT COUNT(*) AS accounts,
                CAST(COALESCE(SUM(CASE WHEN s.code < 4 THEN 1 ELSE 0 END), 0) AS BIGINT) AS own,
                CAST(COALESCE(SUM(CASE WHEN s.code >= 4 AND s.code % 4 < 2 THEN 1 ELSE 0 END), 0) AS BIGINT) AS inherited
         FROM (SELECT COALESCE(n.code, $2) AS code
               FROM account_ancestry b
               JOIN accounts a ON a.key = b.descendant_key AND a.closed_at IS NULL
               LEFT JOIN nearest n ON n.account_key = b.descendant_key
               WHERE b.ancestor_key = $1 AND b.distance > 0) s"
    ))
    .bind::<BigInt, _>(top)
    .bind::<BigInt, _>(outside)
    .get_result(db)?;
    let CountRow { accounts, own, inherited } = row;
    Ok(Counts { accounts, own, inherited, without: accounts - own - inherited })
}
