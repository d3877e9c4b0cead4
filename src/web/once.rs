//! The same form sent twice has one effect and gets the same answer: the form's key is written in the transaction of
//! its effect, so a double click, a reload and a retry after a lost answer all find it.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use super::form::Receipt;
use crate::ids::{self, Key};
use crate::problem::{Problem, Reason};
use crate::store::dialect::Run;
use crate::store::schema::submissions;
use crate::store::{self, Db};

/// Where a form that was carried out leads, and the one sentence said there.
#[derive(Debug, Clone)]
pub struct Reply {
    pub location: String,
    pub flash: String,
}

impl Reply {
    pub fn to(location: impl Into<String>, flash: impl Into<String>) -> Reply {
        Reply { location: location.into(), flash: flash.into() }
    }
}

/// Hours for which an answer is remembered.
const REMEMBERED_HOURS: i64 = 24;

/// Carries out the act unless this form was carried out before; then its answer is given again.
/// Conflict(FormReused) when the same key comes with other contents.
pub fn once(
    db: &mut Db,
    user: Key,
    receipt: &Receipt,
    act: impl FnOnce(&mut Db) -> Result<Reply, Problem>,
) -> Result<Reply, Problem> {
    store::write(db, |db| {
        // Waits for a twin in flight: the row is its lock.
        let first = diesel::sql_query(
            "INSERT INTO submissions (user_key, form_key, digest, location, flash, created_at)
             VALUES ($1, $2, $3, '', '', $4) ON CONFLICT (user_key, form_key) DO NOTHING",
        )
        .bind::<BigInt, _>(user)
        .bind::<Text, _>(&receipt.key)
        .bind::<Text, _>(&receipt.digest)
        .bind::<Timestamp, _>(ids::now())
        .execute(db)?;
        if first == 0 {
            return earlier(db, user, receipt);
        }
        let reply = act(db)?;
        diesel::update(submissions::table.find((user, &receipt.key)))
            .set((submissions::location.eq(&reply.location), submissions::flash.eq(&reply.flash)))
            .execute(db)?;
        forget(db)?;
        Ok(reply)
    })
}

fn earlier(db: &mut Db, user: Key, receipt: &Receipt) -> Result<Reply, Problem> {
    let (digest, location, flash) = submissions::table
        .find((user, &receipt.key))
        .select((submissions::digest, submissions::location, submissions::flash))
        .first_row::<(String, String, String)>(db)?;
    if digest != receipt.digest {
        return Err(Problem::Conflict(Reason::FormReused));
    }
    Ok(Reply { location, flash })
}

/// The answer to this form, if it was carried out before.
pub fn again(db: &mut Db, user: Key, receipt: &Receipt) -> Result<Option<Reply>, Problem> {
    if is_done(db, user, receipt)? { earlier(db, user, receipt).map(Some) } else { Ok(None) }
}

/// Old answers go, a few at each new one.
fn forget(db: &mut Db) -> Result<(), Problem> {
    let old = ids::now() - chrono::Duration::hours(REMEMBERED_HOURS);
    let gone: Vec<(Key, String)> = submissions::table
        .filter(submissions::created_at.lt(old))
        .select((submissions::user_key, submissions::form_key))
        .limit(20)
        .rows(db)?;
    for (user, key) in gone {
        diesel::delete(submissions::table.find((user, key))).execute(db)?;
    }
    Ok(())
}

/// Whether this form was carried out already.
pub fn is_done(db: &mut Db, user: Key, receipt: &Receipt) -> Result<bool, Problem> {
    let location: Option<String> =
        submissions::table.find((user, &receipt.key)).select(submissions::location).first_row(db).optional()?;
    Ok(location.is_some_and(|location| !location.is_empty()))
}
