//! A payment method that ends is announced to its billing address 30, 7 and 1 days before, when it has expired, and when
//! its grace period is over; that it fails is told when it is known. Each stage goes out once for each end: a row says
//! that it did, written in the transaction of its letter. An end that is moved is another end. The same row says how far
//! the people of the accounts that it pays for were told ([`super::telling`]).

use chrono::{Duration, NaiveDateTime};
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};

use super::method::Method;
use super::{letters, store, telling};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::schema::{payment_methods, sent_payment_warnings as sent};
use crate::store::{self as database, Db, Pool};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// So many days before the end of the card, and the days of the stage after it.
    Before(i64, i64),
    Expired,
    /// It pays no more.
    Over,
    /// A charge failed, or the provider does not know it any more.
    Failed,
}

const STAGES: [Stage; 5] =
    [Stage::Over, Stage::Expired, Stage::Before(1, 0), Stage::Before(7, 1), Stage::Before(30, 7)];
const AT_ONCE: i64 = 50;

impl Stage {
    /// As it is stored.
    pub fn days(self) -> i64 {
        match self {
            Stage::Before(days, _) => days,
            Stage::Expired => 0,
            Stage::Over => -1,
            Stage::Failed => -2,
        }
    }

    pub fn of_days(days: i64) -> Option<Stage> {
        STAGES.into_iter().chain([Stage::Failed]).find(|stage| stage.days() == days)
    }
}

type Ending = (Key, String, NaiveDateTime);

/// Posts every warning that is due; answers how many.
pub async fn post_due(pool: &Pool) -> Result<usize, Problem> {
    let mut done = 0;
    for stage in STAGES {
        loop {
            let endings = pool.read_long(move |db| due(db, stage)).await?;
            if endings.is_empty() {
                break;
            }
            let warn = move |db: &mut Db, ending: &Ending| database::write(db, |db| warn(db, ending, stage));
            let noted: usize = pool.write(move |db| endings.iter().map(|ending| warn(db, ending)).sum()).await?;
            done += noted;
            // Whoever noted all of them meanwhile goes on with the rest.
            if noted == 0 {
                break;
            }
        }
    }
    Ok(done + telling::tell_below(pool).await?)
}

/// Methods in this stage that have no row for it.
fn due(db: &mut Db, stage: Stage) -> Result<Vec<Ending>, Problem> {
    let now = ids::now();
    let rows = payment_methods::table.filter(payment_methods::provider_id.ne("")).into_boxed();
    let (ends, rows) = match stage {
        Stage::Over => (true, rows.filter(payment_methods::pays_until.le(now))),
        // Told when it happens.
        Stage::Failed => return Ok(Vec::new()),
        Stage::Expired => {
            let rows = rows.filter(payment_methods::expires_at.le(now)).filter(payment_methods::pays_until.gt(now));
            (false, rows)
        }
        Stage::Before(days, next) => {
            let rows = rows.filter(payment_methods::expires_at.gt(now + Duration::days(next)));
            let rows = rows.filter(payment_methods::expires_at.le(now + Duration::days(days)));
            (false, rows.filter(payment_methods::failed_at.is_null()))
        }
    };
    let told = sent::table
        .filter(sent::account_key.eq(payment_methods::account_key))
        .filter(sent::provider_id.eq(payment_methods::provider_id))
        .filter(sent::days.eq(stage.days()));
    let columns = (payment_methods::account_key, payment_methods::provider_id);
    if ends {
        let told = told.filter(sent::ends_at.eq(payment_methods::pays_until));
        let rows = rows.filter(not(exists(told))).order(payment_methods::account_key).limit(AT_ONCE);
        return Ok(rows.select((columns.0, columns.1, payment_methods::pays_until)).load(db)?);
    }
    let told = told.filter(sent::ends_at.eq(payment_methods::expires_at));
    let rows = rows.filter(not(exists(told))).order(payment_methods::account_key).limit(AT_ONCE);
    Ok(rows.select((columns.0, columns.1, payment_methods::expires_at)).load(db)?)
}

/// Answers 1 where it was for this process to tell, 0 where another one did.
fn warn(db: &mut Db, (account, provider_id, ends_at): &Ending, stage: Stage) -> Result<usize, Problem> {
    let Some(own) = store::own(db, *account)?.filter(|own| own.stored.provider_id == *provider_id) else {
        return Ok(0);
    };
    if !note(db, &own, *ends_at, stage)? {
        return Ok(0);
    }
    let until = own.stored.pays_until;
    match stage {
        Stage::Failed => {}
        Stage::Over => {
            let opening = "The grace period of this payment method is over: it does not pay any more. Neither this \
                           account nor the accounts that inherit it can start new connections.";
            letters::post(db, &own, "A payment method does not pay any more", opening, ids::never())?;
        }
        Stage::Expired => letters::post(db, &own, "A card has expired", "The card that pays has expired.", until)?,
        Stage::Before(days, _) => {
            let subject = if days == 1 {
                "A card expires within a day".to_owned()
            } else {
                format!("A card expires within {days} days")
            };
            letters::post(db, &own, &subject, "Enter another card before this one ends.", until)?;
        }
    }
    Ok(1)
}

/// Notes that the stage was told, so that the people of the accounts it pays for are told next. False when it was noted
/// before.
pub(super) fn note(db: &mut Db, own: &Method, ends_at: NaiveDateTime, stage: Stage) -> Result<bool, Problem> {
    let noted = diesel::sql_query(
        "INSERT INTO sent_payment_warnings (account_key, provider_id, ends_at, days, told_below)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(own.account)
    .bind::<Text, _>(&own.stored.provider_id)
    .bind::<Timestamp, _>(ends_at)
    .bind::<BigInt, _>(stage.days())
    .bind::<Nullable<BigInt>, _>(own.entries.allow_child_accounts.then_some(0))
    .execute(db)?;
    Ok(noted == 1)
}

/// Rows about ends long past.
pub fn forget_old(db: &mut Db) -> Result<usize, Problem> {
    const REMEMBERED_DAYS: i64 = 800;
    let old = sent::table.filter(sent::ends_at.lt(ids::now() - Duration::days(REMEMBERED_DAYS)));
    Ok(diesel::delete(old).execute(db)? + store::events::forget_old(db)? + store::tries::forget_old(db)?)
}
