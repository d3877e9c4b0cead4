//! Notices of the provider that were applied, and when the newest charge to a method was made.

use chrono::{Duration, NaiveDateTime};
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamp};

use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{payment_methods, provider_events};

/// The provider repeats a notice for three days and lists it for 30.
const REMEMBERED_DAYS: i64 = 60;

pub fn is_known(db: &mut Db, id: &str) -> Result<bool, Problem> {
    Ok(select(exists(provider_events::table.find(id))).get_result(db)?)
}

/// True when it was not noted before.
pub fn note(db: &mut Db, id: &str, kind: &str) -> Result<bool, Problem> {
    let noted = diesel::sql_query(
        "INSERT INTO provider_events (id, kind, received_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(id)
    .bind::<Text, _>(kind)
    .bind::<Timestamp, _>(ids::now())
    .execute(db)?;
    Ok(noted == 1)
}

pub fn forget_old(db: &mut Db) -> Result<usize, Problem> {
    let old = ids::now() - Duration::days(REMEMBERED_DAYS);
    Ok(diesel::delete(provider_events::table.filter(provider_events::received_at.lt(old))).execute(db)?)
}

/// Whether no later charge to the account's own method is known. Of two at one moment the one that failed counts.
pub fn is_newer_charge(db: &mut Db, account: Key, at: NaiveDateTime, paid: bool) -> Result<bool, Problem> {
    let known = payment_methods::table.find(account).select(payment_methods::charged_at);
    let known: Option<Option<NaiveDateTime>> = known.first(db).optional()?;
    Ok(known.is_some_and(|known| known.is_none_or(|known| known < at || (known == at && !paid))))
}

pub fn note_charge(db: &mut Db, account: Key, at: NaiveDateTime) -> Result<(), Problem> {
    let row = payment_methods::table.find(account);
    diesel::update(row).set(payment_methods::charged_at.eq(at)).execute(db)?;
    Ok(())
}

/// Provider's ids of methods in force, a page at a time.
pub fn means_in_force(db: &mut Db, after: &str, most: i64) -> Result<Vec<String>, Problem> {
    let rows = payment_methods::table.filter(payment_methods::provider_id.gt(after));
    let rows = rows.filter(payment_methods::provider_id.ne("")).select(payment_methods::provider_id).distinct();
    Ok(rows.order(payment_methods::provider_id).limit(most).load(db)?)
}
