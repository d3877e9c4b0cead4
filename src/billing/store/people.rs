//! The people of the accounts that a payment method pays for.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::followers::with_followers;
use crate::access::lookup::scope;
use crate::access::policy::{Permission, Permissions, Resource, Verb};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, one_of, said};
use crate::store::schema::{account_ancestry, assignments};

/// Somebody with a role of their own in accounts that are paid for.
#[derive(Debug, Clone, QueryableByName)]
pub struct Person {
    #[diesel(sql_type = BigInt)]
    pub user: Key,
    #[diesel(sql_type = Text)]
    pub email: String,
    /// How many such accounts.
    #[diesel(sql_type = BigInt)]
    pub accounts: i64,
    /// The first of them by name.
    #[diesel(sql_type = BigInt)]
    pub account: Key,
    #[diesel(sql_type = Text)]
    pub account_id: String,
    #[diesel(sql_type = Text)]
    pub name: String,
}

/// What lets somebody change an account's payment method.
const ABLE: Permissions = Permissions::of(&[
    Permission(Resource::Billing, Verb::Update),
    Permission(Resource::Billing, Verb::All),
    Permission(Resource::All, Verb::Update),
    Permission(Resource::All, Verb::All),
]);

/// Those after this one who may change billing, by a role given to them there, in an account that follows this one; at
/// most so many.
pub fn concerned(db: &mut Db, payer: Key, after: Key, most: i64) -> Result<Vec<Person>, Problem> {
    let text = with_followers(&format!(
        ", held AS (
             SELECT DISTINCT s.user_key, f.key, f.id, f.name, f.name_key
             FROM followers f
             JOIN assignments s ON s.account_key = f.key
             JOIN roles r ON r.key = s.role_key
             WHERE s.user_key > $4 AND s.ends_at > $5 AND s.scope <> '{below}' AND r.permissions & $6 <> 0),
         ranked AS (
             SELECT user_key, key, id, name, COUNT(*) OVER (PARTITION BY user_key) AS accounts,
                    ROW_NUMBER() OVER (PARTITION BY user_key ORDER BY name_key, key) AS place
             FROM held)
         SELECT u.key AS user, u.email, ranked.accounts, ranked.key AS account, ranked.id AS account_id, ranked.name
         FROM ranked JOIN users u ON u.key = ranked.user_key
         WHERE ranked.place = 1 ORDER BY u.key LIMIT $7",
        below = scope::BELOW
    ));
    Ok(said(text).bind(payer).bind(1).bind(i64::MAX).bind(after).bind(ids::now()).bind(ABLE.0).bind(most).rows(db)?)
}

/// Those of them who may see the account: whoever has a role there, or one above that reaches it.
pub fn who_see(db: &mut Db, account: Key, people: &[Person]) -> Result<HashSet<Key>, Problem> {
    let users: Vec<Key> = people.iter().map(|person| person.user).collect();
    let reaches = (account_ancestry::distance.eq(0).and(assignments::scope.ne(scope::BELOW)))
        .or(account_ancestry::distance.gt(0).and(assignments::scope.ne(scope::HERE)));
    let rows: Vec<Key> = account_ancestry::table
        .inner_join(assignments::table.on(assignments::account_key.eq(account_ancestry::ancestor_key)))
        .filter(account_ancestry::descendant_key.eq(account))
        .filter(one_of(assignments::user_key, &users))
        .filter(assignments::ends_at.gt(ids::now()))
        .filter(reaches)
        .select(assignments::user_key)
        .distinct()
        .rows(db)?;
    Ok(rows.into_iter().collect())
}
