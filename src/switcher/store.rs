//! Rows of favourites and recents.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamp};

use crate::access::Scope;
use crate::access::extract::RECENTS_KEPT;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::Run;
use crate::store::schema::{accounts, assignments, favourites, recents};

/// Favourites of one person.
pub const MOST_FAVOURITES: i64 = 10;

pub fn favourites(db: &mut Db, user: Key) -> Result<Vec<Key>, Problem> {
    Ok(favourites::table
        .inner_join(accounts::table.on(accounts::key.eq(favourites::account_key)))
        .filter(favourites::user_key.eq(user))
        .order((accounts::name_key, accounts::key))
        .select(favourites::account_key)
        .rows(db)?)
}

pub fn recents(db: &mut Db, user: Key) -> Result<Vec<Key>, Problem> {
    Ok(recents::table
        .filter(recents::user_key.eq(user))
        .order(recents::visited_at.desc())
        .limit(RECENTS_KEPT)
        .select(recents::account_key)
        .rows(db)?)
}

/// Accounts that this person is a member of, the topmost first; where a role holds below an account only, what is
/// directly below it. At most `most`.
pub fn memberships(db: &mut Db, user: Key, most: i64) -> Result<Vec<Key>, Problem> {
    let order = (accounts::depth, accounts::name_key, accounts::key);
    let mut own: Vec<Key> = assignments::table
        .inner_join(accounts::table.on(accounts::key.eq(assignments::account_key)))
        .filter(assignments::user_key.eq(user))
        .filter(assignments::ends_at.gt(ids::now()))
        .filter(assignments::scope.ne(Scope::Below.code()))
        .filter(accounts::closed_at.is_null())
        .order(order)
        .select(order)
        .distinct()
        .limit(most)
        .rows::<(i64, String, Key)>(db)?
        .into_iter()
        .map(|(_, _, key)| key)
        .collect();
    let below = assignments::table
        .inner_join(accounts::table.on(accounts::parent_key.eq(assignments::account_key.nullable())))
        .filter(assignments::user_key.eq(user))
        .filter(assignments::ends_at.gt(ids::now()))
        .filter(assignments::scope.eq(Scope::Below.code()))
        .filter(accounts::closed_at.is_null())
        .order(order)
        .select(order)
        .distinct()
        .limit(most)
        .rows::<(i64, String, Key)>(db)?;
    own.extend(below.into_iter().map(|(_, _, key)| key));
    own.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(own)
}

/// Invalid when there are ten favourites already.
pub fn set_favourite(db: &mut Db, user: Key, account: Key, favourite: bool) -> Result<(), Problem> {
    diesel::delete(favourites::table.find((user, account))).execute(db)?;
    if !favourite {
        return Ok(());
    }
    let count: i64 = favourites::table
        .inner_join(accounts::table.on(accounts::key.eq(favourites::account_key)))
        .filter(favourites::user_key.eq(user))
        .filter(accounts::closed_at.is_null())
        .select(count_star())
        .first_row(db)?;
    if count >= MOST_FAVOURITES {
        return Err(Problem::invalid("", format!("You have {MOST_FAVOURITES} favourites. Take one away first")));
    }
    diesel::sql_query(
        "INSERT INTO favourites (user_key, account_key, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (user_key, account_key) DO NOTHING",
    )
    .bind::<BigInt, _>(user)
    .bind::<BigInt, _>(account)
    .bind::<Timestamp, _>(ids::now())
    .execute(db)?;
    Ok(())
}

pub fn clear_recents(db: &mut Db, user: Key) -> Result<(), Problem> {
    diesel::delete(recents::table.filter(recents::user_key.eq(user))).execute(db)?;
    Ok(())
}
