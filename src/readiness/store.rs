//! What readiness reads: the state of everything below an account, and who holds a permission, for "Ann can do this".

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::access::Frame;
use crate::access::lookup::scope;
use crate::access::policy::{Permission, Permissions};
use crate::billing::{Held, Standing, Walk};
use crate::consent::Document;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{accounts, assignments, roles, users};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    key: Key,
    #[diesel(sql_type = Nullable<BigInt>)]
    parent_key: Option<Key>,
    #[diesel(sql_type = Text)]
    name_key: String,
    #[diesel(sql_type = Nullable<Bool>)]
    offered: Option<bool>,
    #[diesel(sql_type = Nullable<Bool>)]
    verified: Option<bool>,
    #[diesel(sql_type = BigInt)]
    accepted: i64,
}

/// What an account below has of the two that it needs.
#[derive(Debug, Clone)]
pub struct State {
    pub key: Key,
    pub name_key: String,
    pub agreed: bool,
    pub paid: bool,
}

/// The state of every open account below, from the top down: one index range, whatever the tree.
pub fn states(
    db: &mut Db,
    top: Key,
    standing: &Standing,
    agreements: &[(Document, bool)],
) -> Result<Vec<State>, Problem> {
    // There are two kinds of document; 0 is no key of any.
    let document = |n: usize| agreements.get(n).map_or(0, |(document, _)| document.key);
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT a.key, a.parent_key, a.name_key, pm.allow_child_accounts AS offered, pm.verified,
                (SELECT COUNT(*) FROM consents c
                 WHERE c.account_key = a.key AND c.document_key IN ($1, $2)) AS accepted
         FROM account_ancestry b
         JOIN accounts a ON a.key = b.descendant_key
         LEFT JOIN payment_methods pm ON pm.account_key = b.descendant_key
         WHERE b.ancestor_key = $3 AND b.distance > 0 AND a.closed_at IS NULL
         ORDER BY b.distance",
    )
    .bind::<BigInt, _>(document(0))
    .bind::<BigInt, _>(document(1))
    .bind::<BigInt, _>(top)
    .load(db)?;
    let mut walk = Walk::below(top, standing);
    let needed = i64::try_from(agreements.len()).unwrap_or(i64::MAX);
    let state = |row: Row| {
        let own = row.offered.zip(row.verified).map(|(offered, verified)| Held { offered, verified });
        let paid = walk.step(row.key, row.parent_key.unwrap_or(top), own).pays();
        State { key: row.key, name_key: row.name_key, agreed: row.accepted == needed, paid }
    };
    Ok(rows.into_iter().map(state).collect())
}

/// Id and name of each of these accounts.
pub fn names(db: &mut Db, keys: &[Key]) -> Result<HashMap<Key, (String, String)>, Problem> {
    let mut names = HashMap::with_capacity(keys.len());
    for some in keys.chunks(1_000) {
        let rows = accounts::table
            .filter(accounts::key.eq_any(some.to_vec()))
            .select((accounts::key, accounts::id, accounts::name))
            .load::<(Key, String, String)>(db)?;
        names.extend(rows.into_iter().map(|(key, id, name)| (key, (id, name))));
    }
    Ok(names)
}

/// Assignments looked through for people to name.
const LOOKED_THROUGH: i64 = 500;
/// People named for each permission.
const NAMED: usize = 3;

/// For each permission up to three people who hold it in the account, nearest first; only people whose role was given
/// at an account that the person of the frame may see, and never that person.
pub fn people(db: &mut Db, frame: &Frame, needed: &[Permission]) -> Result<Vec<Vec<String>>, Problem> {
    if needed.is_empty() {
        return Ok(Vec::new());
    }
    let here = frame.account().key;
    let visible: Vec<Key> =
        frame.chain.iter().rev().filter(|step| !step.held.is_empty()).map(|step| step.place.key).collect();
    let mut rows = assignments::table
        .inner_join(users::table.on(users::key.eq(assignments::user_key)))
        .inner_join(roles::table.on(roles::key.eq(assignments::role_key)))
        .filter(assignments::account_key.eq_any(visible.clone()))
        .filter(users::key.ne(frame.actor.key))
        .order((assignments::created_at, assignments::key))
        .limit(LOOKED_THROUGH)
        .select((
            assignments::account_key,
            assignments::scope,
            users::key,
            users::first_name,
            users::last_name,
            roles::permissions,
        ))
        .load::<(Key, String, Key, String, String, i64)>(db)?;
    rows.retain(|(at, reach, ..)| if *at == here { reach != scope::BELOW } else { reach != scope::HERE });
    rows.sort_by_key(|(at, ..)| visible.iter().position(|key| key == at));
    let holders = |permission: &Permission| {
        let mut seen = HashSet::new();
        rows.iter()
            .filter(|(_, _, user, _, _, bits)| Permissions(*bits).allow(*permission) && seen.insert(*user))
            .take(NAMED)
            .map(|(_, _, _, first, last, _)| format!("{first} {last}"))
            .collect()
    };
    Ok(needed.iter().map(holders).collect())
}
