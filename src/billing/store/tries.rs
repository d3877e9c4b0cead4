//! How much of the payment provider's work one account and one person may ask for in a day. Counted in the database
//! before the provider is asked, whatever comes of it.

use chrono::Duration;
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamp};

use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::provider_tries;

const WINDOW_HOURS: i64 = 24;

/// What is counted: for an account, and by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A card or bank account is entered: each may be tried with many numbers.
    Setup,
    /// Two small deposits, which cost the operator money.
    Deposits,
    /// A payment that was refused is tried again.
    Payment,
}

impl What {
    fn code(self) -> &'static str {
        match self {
            What::Setup => "setup",
            What::Deposits => "deposits",
            What::Payment => "payment",
        }
    }

    /// For one account, and by one person, who may look after many.
    fn most(self) -> (i64, i64) {
        match self {
            What::Setup => (20, 60),
            What::Deposits => (5, 20),
            What::Payment => (20, 60),
        }
    }
}

/// Counts one; TooMany, with the seconds until it is possible again, where that was the day's.
pub fn count(db: &mut Db, what: What, account: Key, person: Option<Key>) -> Result<(), Problem> {
    let (for_account, by_person) = what.most();
    take(db, &format!("{}:account:{account}", what.code()), for_account)?;
    match person {
        Some(person) => take(db, &format!("{}:person:{person}", what.code()), by_person),
        None => Ok(()),
    }
}

/// One more in the bucket, atomically.
fn take(db: &mut Db, bucket: &str, most: i64) -> Result<(), Problem> {
    let (now, window) = (ids::now(), Duration::hours(WINDOW_HOURS));
    diesel::sql_query(
        "INSERT INTO provider_tries (bucket, started_at, tried) VALUES ($1, $2, 1)
         ON CONFLICT (bucket) DO UPDATE SET
             tried = CASE WHEN provider_tries.started_at <= $3 THEN 1 ELSE provider_tries.tried + 1 END,
             started_at = CASE WHEN provider_tries.started_at <= $4 THEN $5 ELSE provider_tries.started_at END",
    )
    .bind::<Text, _>(bucket)
    .bind::<Timestamp, _>(now)
    .bind::<Timestamp, _>(now - window)
    .bind::<Timestamp, _>(now - window)
    .bind::<Timestamp, _>(now)
    .execute(db)?;
    let row = provider_tries::table.find(bucket).select((provider_tries::started_at, provider_tries::tried));
    let (started, tried) = row.first::<(chrono::NaiveDateTime, i64)>(db)?;
    if tried <= most {
        return Ok(());
    }
    Err(Problem::TooMany { seconds: (started + window - now).num_seconds().max(1) })
}

/// Rows that tell nothing any more go.
pub fn forget_old(db: &mut Db) -> Result<usize, Problem> {
    let old = ids::now() - Duration::hours(WINDOW_HOURS);
    Ok(diesel::delete(provider_tries::table.filter(provider_tries::started_at.le(old))).execute(db)?)
}
