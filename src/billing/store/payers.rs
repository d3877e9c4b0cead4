//! The payer rule as queries: the nearest payment method at or above an account is one index range, for a page of
//! accounts two statements, and everything below an account is read once from the top down.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

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

/// A method at or above an account.
#[derive(Debug, Clone, Copy, QueryableByName)]
struct Method {
    #[diesel(sql_type = BigInt)]
    account: Key,
    /// Levels up.
    #[diesel(sql_type = BigInt)]
    distance: i64,
    #[diesel(sql_type = BigInt)]
    at: Key,
    #[diesel(sql_type = Bool)]
    offered: bool,
    #[diesel(sql_type = Bool)]
    verified: bool,
}

/// The payer of each account: the nearest of the methods at it and above it, in one statement, and then the names of the
/// accounts where those are, of which there are few.
pub fn payers(db: &mut Db, keys: &[Key]) -> Result<HashMap<Key, Payer>, Problem> {
    let nearest = nearest(db, keys)?;
    let offering = nearest.values().filter(|method| method.distance > 0 && method.offered);
    let offering: BTreeSet<Key> = offering.map(|method| method.at).collect();
    let names = names(db, &offering.into_iter().collect::<Vec<_>>())?;
    let payer = |key: &Key| match nearest.get(key) {
        Some(Method { distance: 0, verified, .. }) => Payer::Own { verified: *verified },
        Some(Method { distance, at, verified, .. }) => names.get(at).map_or(Payer::Nobody, |(id, name)| {
            let (id, name) = (id.clone(), name.clone());
            Payer::Inherited(Source { key: *at, id, name, distance: *distance, verified: *verified })
        }),
        None => Payer::Nobody,
    };
    Ok(keys.iter().map(|key| (*key, payer(key))).collect())
}

/// Read at one moment: of methods that come and go while an account is moved, no two are taken for one.
fn nearest(db: &mut Db, keys: &[Key]) -> Result<HashMap<Key, Method>, Problem> {
    let (is_asked_for, list) = list_of(db, keys);
    // A value of each row: of a join, PostgreSQL would make one with all methods.
    let text = format!(
        "SELECT r.account, r.distance, r.at, r.method > 1 AS offered, r.method IN (1, 3) AS verified FROM
         (SELECT up.descendant_key AS account, up.distance AS distance, up.ancestor_key AS at,
                 (SELECT CASE WHEN m.allow_child_accounts THEN 2 ELSE 0 END
                       + CASE WHEN m.verified AND m.pays_until > $2 THEN 1 ELSE 0 END
                  FROM payment_methods m WHERE m.account_key = up.ancestor_key) AS method
          FROM account_ancestry up WHERE up.descendant_key {is_asked_for}) r
         WHERE r.method IS NOT NULL"
    );
    let mut nearest: HashMap<Key, Method> = HashMap::with_capacity(keys.len());
    for method in said(text).bind(list).bind(ids::now()).rows::<Method>(db)? {
        let best = nearest.entry(method.account).or_insert(method);
        if method.distance < best.distance {
            *best = method;
        }
    }
    Ok(nearest)
}

/// Id and name of each of these.
fn names(db: &mut Db, keys: &[Key]) -> Result<HashMap<Key, (String, String)>, Problem> {
    let rows = accounts::table
        .filter(one_of(accounts::key, keys))
        .select((accounts::key, accounts::id, accounts::name))
        .rows::<(Key, String, String)>(db)?;
    Ok(rows.into_iter().map(|(key, id, name)| (key, (id, name))).collect())
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
