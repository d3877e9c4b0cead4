//! The payer rule as queries: the nearest payment method at or above an account is one index range, for a page of
//! accounts two statements, and everything below an account is read once from the top down.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use crate::billing::payer::{Counts, Held, How, Payer, Source, Standing, Walk};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, list_of, one_of, said};
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
        .rows::<(i64, Key, String, String, bool, bool)>(db)?;
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
        .rows::<(Key, bool, bool)>(db)?;
    Ok(rows.into_iter().map(|(account, offered, verified)| (account, Held { offered, verified })).collect())
}

#[derive(QueryableByName)]
struct Nearest {
    #[diesel(sql_type = BigInt)]
    key: Key,
    #[diesel(sql_type = BigInt)]
    depth: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    payer: Option<Key>,
}

/// An account with a method: id, name and depth, and the method.
type Paying = (Key, String, String, i64, bool, bool);

/// The payer of each account: where the nearest method is, and then those accounts, of which there are few.
pub fn payers(db: &mut Db, keys: &[Key]) -> Result<HashMap<Key, Payer>, Problem> {
    let (is_asked_for, list) = list_of(db, keys);
    let text = format!(
        "SELECT a.key, a.depth,
                (SELECT up.ancestor_key FROM account_ancestry up
                 JOIN payment_methods m ON m.account_key = up.ancestor_key
                 WHERE up.descendant_key = a.key ORDER BY up.distance LIMIT 1) AS payer
         FROM accounts a WHERE a.key {is_asked_for}"
    );
    let nearest: Vec<Nearest> = said(text).bind(list).rows(db)?;
    let at: BTreeSet<Key> = nearest.iter().filter_map(|one| one.payer).collect();
    let paying = paying(db, &at.into_iter().collect::<Vec<_>>())?;
    let payer = |one: &Nearest| match one.payer.and_then(|at| paying.get(&at)) {
        Some((at, .., verified)) if *at == one.key => Payer::Own { verified: *verified },
        Some((key, id, name, depth, true, verified)) => {
            let (id, name) = (id.clone(), name.clone());
            Payer::Inherited(Source { key: *key, id, name, distance: one.depth - depth, verified: *verified })
        }
        Some(_) | None => Payer::Nobody,
    };
    Ok(nearest.iter().map(|one| (one.key, payer(one))).collect())
}

fn paying(db: &mut Db, keys: &[Key]) -> Result<HashMap<Key, Paying>, Problem> {
    let rows: Vec<Paying> = accounts::table
        .inner_join(payment_methods::table.on(payment_methods::account_key.eq(accounts::key)))
        .filter(one_of(accounts::key, keys))
        .select((
            accounts::key,
            accounts::id,
            accounts::name,
            accounts::depth,
            payment_methods::allow_child_accounts,
            payment_methods::verified.and(payment_methods::pays_until.gt(ids::now())),
        ))
        .rows(db)?;
    Ok(rows.into_iter().map(|row| (row.0, row)).collect())
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
        .rows::<Below>(db)?;
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
