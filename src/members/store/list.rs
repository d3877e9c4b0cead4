//! The list of an account's members: who has a role here or above it, a page of them by name, and what each of them
//! has. A page is a constant number of statements, whatever the number of members and of accounts above.

use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};

use crate::access::Scope;
use crate::access::lookup::scope;
use crate::access::policy::Permissions;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, one_of, said};
use crate::store::schema::{account_ancestry, accounts, assignments, roles};
use crate::text::{email_key, like_anywhere, name_key};
use crate::web::paging::{Want, is_backward};

/// Days for which an assignment that ended stays in the list.
pub const ENDED_SHOWN_DAYS: i64 = 30;

/// Which members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    All,
    Own,
    Inherited,
}

/// Somebody in the list.
#[derive(Debug, Clone, QueryableByName)]
pub struct Listed {
    #[diesel(sql_type = BigInt)]
    pub key: Key,
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    pub first_name: String,
    #[diesel(sql_type = Text)]
    pub last_name: String,
    #[diesel(sql_type = Text)]
    pub email: String,
    #[diesel(sql_type = Text)]
    pub name_key: String,
    #[diesel(sql_type = Nullable<Timestamp>)]
    pub last_seen_at: Option<NaiveDateTime>,
}

const OWN: &str = "SELECT s.user_key FROM assignments s WHERE s.account_key = $1 AND s.ends_at > $2";
const INHERITED: &str = "SELECT s.user_key FROM account_ancestry an
     JOIN assignments s ON s.account_key = an.ancestor_key
     WHERE an.descendant_key = $1 AND an.distance > 0 AND s.scope <> 'here' AND s.ends_at > $3";

pub fn shown_since() -> NaiveDateTime {
    ids::now() - Duration::days(ENDED_SHOWN_DAYS)
}

/// A page of members by name: at most `limit + 1`, turned round when the page before is wanted. `text`: a part of
/// the name or of the address.
pub fn page(
    db: &mut Db,
    account: Key,
    show: Show,
    text: &str,
    want: &Want,
    limit: usize,
) -> Result<Vec<Listed>, Problem> {
    let whose = match show {
        Show::All => format!("{OWN} UNION {INHERITED}"),
        Show::Own => format!("{OWN} GROUP BY s.user_key"),
        Show::Inherited => format!("{INHERITED} GROUP BY s.user_key"),
    };
    let (sign, order) = if is_backward(want) { ("<", "DESC") } else { (">", "ASC") };
    let (name, key) = match want {
        Want::After(cursor) | Want::Before(cursor) => (cursor.0.clone(), cursor.1),
        Want::First | Want::Last => (String::new(), 0),
    };
    let place = match want {
        Want::First | Want::Last => "1 = 1".to_owned(),
        _ => format!("(u.name_key {sign} $4 OR (u.name_key = $4 AND u.key {sign} $5))"),
    };
    let sql = format!(
        "WITH whose AS ({whose})
         SELECT u.key, u.id, u.first_name, u.last_name, u.email, u.name_key, u.last_seen_at
         FROM whose JOIN users u ON u.key = whose.user_key
         WHERE {place}
           AND (u.name_key LIKE $6 ESCAPE '\\' OR u.email_key LIKE $7 ESCAPE '\\')
         ORDER BY u.name_key {order}, u.key {order} LIMIT $8"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    Ok(said(sql)
        .bind(account)
        .bind(shown_since())
        .bind(ids::now())
        .bind(name)
        .bind(key)
        .bind(like_anywhere(&name_key(text)))
        .bind(like_anywhere(&email_key(text)))
        .bind(limit)
        .rows(db)?)
}

/// One role that reaches the account, or ended here not long ago.
#[derive(Debug, Clone)]
pub struct Reaching {
    pub user: Key,
    /// Where it was given; `at_name` is for those alone who may see that account.
    pub at: Key,
    pub at_name: String,
    pub role_name: String,
    pub permissions: Permissions,
    pub scope: Scope,
    pub ends_at: NaiveDateTime,
}

/// What reaches the account of these people, from the account itself upwards.
pub fn reaching(db: &mut Db, account: Key, users: &[Key]) -> Result<Vec<Reaching>, Problem> {
    let own = account_ancestry::distance.eq(0).and(assignments::ends_at.gt(shown_since()));
    let above = account_ancestry::distance
        .gt(0)
        .and(assignments::scope.ne(scope::HERE))
        .and(assignments::ends_at.gt(ids::now()));
    let rows: Vec<(Key, Key, String, String, i64, String, NaiveDateTime)> = account_ancestry::table
        .inner_join(assignments::table.on(assignments::account_key.eq(account_ancestry::ancestor_key)))
        .inner_join(roles::table.on(roles::key.eq(assignments::role_key)))
        .inner_join(accounts::table.on(accounts::key.eq(account_ancestry::ancestor_key)))
        .filter(account_ancestry::descendant_key.eq(account))
        .filter(one_of(assignments::user_key, users))
        .filter(own.or(above))
        .order((account_ancestry::distance, roles::name_key, assignments::key))
        .select((
            assignments::user_key,
            accounts::key,
            accounts::name,
            roles::name,
            roles::permissions,
            assignments::scope,
            assignments::ends_at,
        ))
        .rows(db)?;
    rows.into_iter()
        .map(|(user, at, at_name, role_name, bits, code, ends_at)| {
            let scope = Scope::of_code(&code).ok_or_else(|| Problem::bug("an assignment has a scope of its own"))?;
            Ok(Reaching { user, at, at_name, role_name, permissions: Permissions(bits), scope, ends_at })
        })
        .collect()
}

/// How many open accounts are below.
pub fn accounts_below(db: &mut Db, account: Key) -> Result<i64, Problem> {
    Ok(account_ancestry::table
        .inner_join(accounts::table.on(accounts::key.eq(account_ancestry::descendant_key)))
        .filter(account_ancestry::ancestor_key.eq(account))
        .filter(account_ancestry::distance.gt(0))
        .filter(accounts::closed_at.is_null())
        .count()
        .row(db)?)
}

/// One account at which somebody has a role of their own.
#[derive(Debug, Clone)]
pub struct Membership {
    pub account_id: String,
    pub account: String,
    pub roles: String,
    /// They see the account itself, so they can leave it there.
    pub enters: bool,
}

/// The accounts at which this person has a role now, by name; at most so many.
pub fn memberships(db: &mut Db, user: Key, most: i64) -> Result<Vec<Membership>, Problem> {
    let rows: Vec<(String, String, String, String)> = assignments::table
        .inner_join(accounts::table.on(accounts::key.eq(assignments::account_key)))
        .inner_join(roles::table.on(roles::key.eq(assignments::role_key)))
        .filter(assignments::user_key.eq(user))
        .filter(assignments::ends_at.gt(ids::now()))
        .filter(accounts::closed_at.is_null())
        .order((accounts::name_key, accounts::key, roles::name_key))
        .limit(most)
        .select((accounts::id, accounts::name, roles::name, assignments::scope))
        .rows(db)?;
    let mut found: Vec<Membership> = Vec::new();
    for (account_id, account, role, code) in rows {
        let enters = code != scope::BELOW;
        match found.last_mut().filter(|last| last.account_id == account_id) {
            Some(last) => {
                last.roles = format!("{}, {role}", last.roles);
                last.enters |= enters;
            }
            None => found.push(Membership { account_id, account, roles: role, enters }),
        }
    }
    Ok(found)
}
