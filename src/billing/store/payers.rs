//! The payer rule as queries: the nearest payment method at or above an account is one index range, for a page of
//! accounts one statement, and everything below an account is read once from the top down.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Timestamp};

use crate::billing::payer::{Counts, Held, How, Payer, Source, Standing, Walk};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{list_of, one_of};
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
            payment_methods::verified.and(payment_methods::pays_until.gt(ids::now())),
        ))
        .load::<(i64, Key, String, String, bool, bool)>(db)?;
    let own = rows.iter().find(|row| row.0 == 0).map(|row| Held { offered: row.4, verified: row.5 });
    let nearest_above = rows.into_iter().find(|row| row.0 > 0).filter(|row| row.4);
    let above =
        nearest_above.map(|(distance, key, id, name, _, verified)| Source { key, id, name, distance, verified });
    Ok(Standing { own, above })
}

/// The own methods of these accounts.
pub fn held(db: &mut Db, accounts: &[Key]) -> Result<HashMap<Key, Held>, Problem> {
    let rows = payment_methods::table
        .filter(one_of(payment_methods::account_key, accounts))
        .select((
            payment_methods::account_key,
            payment_methods::allow_child_accounts,
            payment_methods::verified.and(payment_methods::pays_until.gt(ids::now())),
        ))
        .load::<(Key, bool, bool)>(db)?;
    Ok(rows.into_iter().map(|(account, offered, verified)| (account, Held { offered, verified })).collect())
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

/// The payer of each account, in one statement.
pub fn payers(db: &mut Db, keys: &[Key]) -> Result<HashMap<Key, Payer>, Problem> {
    let mut found: HashMap<Key, Payer> = keys.iter().map(|key| (*key, Payer::Nobody)).collect();
    // SQLite numbers parameters in the order in which they stand in the text.
    let (is_asked_for, list) = list_of(db, keys, 2);
    let text = format!(
        "SELECT near.account_key, an.distance, o.key, o.id, o.name, pm.allow_child_accounts AS offered,
                (pm.verified AND pm.pays_until > $1) AS verified
         FROM (SELECT up.descendant_key AS account_key, MIN(up.distance) AS distance
               FROM account_ancestry up JOIN payment_methods m ON m.account_key = up.ancestor_key
               WHERE up.descendant_key {is_asked_for} GROUP BY up.descendant_key) near
         JOIN account_ancestry an ON an.descendant_key = near.account_key AND an.distance = near.distance
         JOIN accounts o ON o.key = an.ancestor_key
         JOIN payment_methods pm ON pm.account_key = o.key"
    );
    let rows: Vec<Near> = diesel::sql_query(text).bind::<Timestamp, _>(ids::now()).bind::<Text, _>(list).load(db)?;
    found.extend(rows.into_iter().map(|near| (near.account_key, near.payer())));
    Ok(found)
}

/// What an account below has of its own, with the parent it would inherit from.
#[derive(Queryable)]
struct Below {
    account: Key,
    parent: Option<Key>,
    held: Option<(bool, bool)>,
}

/// How the open accounts below are paid for, from the top down: one index range, whatever the tree.
pub fn below(db: &mut Db, top: Key, standing: &Standing) -> Result<Counts, Problem> {
    let rows = account_ancestry::table
        .inner_join(accounts::table.on(accounts::key.eq(account_ancestry::descendant_key)))
        .left_join(payment_methods::table.on(payment_methods::account_key.eq(account_ancestry::descendant_key)))
        .filter(account_ancestry::ancestor_key.eq(top))
        .filter(account_ancestry::distance.gt(0))
        .filter(accounts::closed_at.is_null())
        .order(account_ancestry::distance.asc())
        .select((
            accounts::key,
            accounts::parent_key,
            (
                payment_methods::allow_child_accounts,
                payment_methods::verified.and(payment_methods::pays_until.gt(ids::now())),
            )
                .nullable(),
        ))
        .load::<Below>(db)?;
    let mut walk = Walk::below(top, standing);
    let mut counts = Counts::default();
    for row in rows {
        let own = row.held.map(|(offered, verified)| Held { offered, verified });
        counts.accounts += 1;
        match walk.step(row.account, row.parent.unwrap_or(top), own) {
            How::Own { .. } => counts.own += 1,
            How::Inherited { .. } => counts.inherited += 1,
            How::Not => counts.without += 1,
        }
    }
    Ok(counts)
}
