//! A payment method that ends is announced to its billing address 30, 7 and 1 days before, when it has expired, and when
//! its grace period is over. Each stage goes out once for each end: a row says that it did, written in the transaction
//! of its letter. An end that is moved is another end.

use chrono::{Duration, NaiveDateTime};
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use super::{letters, store};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::schema::{payment_methods, sent_payment_warnings as sent};
use crate::store::{self as database, Db, Pool};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// So many days before the end of the card, and the days of the stage after it.
    Before(i64, i64),
    Expired,
    /// It pays no more.
    Over,
}

const STAGES: [Stage; 5] =
    [Stage::Over, Stage::Expired, Stage::Before(1, 0), Stage::Before(7, 1), Stage::Before(30, 7)];
const AT_ONCE: i64 = 50;

impl Stage {
    /// As it is stored.
    fn days(self) -> i64 {
        match self {
            Stage::Before(days, _) => days,
            Stage::Expired => 0,
            Stage::Over => -1,
        }
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
            done += endings.len();
            pool.write(move |db| {
                endings.iter().try_for_each(|ending| database::write(db, |db| warn(db, ending, stage)))
            })
            .await?;
        }
    }
    Ok(done)
}

/// Methods in this stage that have no row for it.
fn due(db: &mut Db, stage: Stage) -> Result<Vec<Ending>, Problem> {
    let now = ids::now();
    let rows = payment_methods::table.filter(payment_methods::provider_id.ne("")).into_boxed();
    let (ends, rows) = match stage {
        Stage::Over => (true, rows.filter(payment_methods::pays_until.le(now))),
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

fn warn(db: &mut Db, (account, provider_id, ends_at): &Ending, stage: Stage) -> Result<(), Problem> {
    let first = diesel::sql_query(
        "INSERT INTO sent_payment_warnings (account_key, provider_id, ends_at, days) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(*account)
    .bind::<Text, _>(provider_id)
    .bind::<Timestamp, _>(*ends_at)
    .bind::<BigInt, _>(stage.days())
    .execute(db)?;
    let Some(own) = store::own(db, *account)?.filter(|own| first == 1 && own.stored.provider_id == *provider_id) else {
        return Ok(());
    };
    let until = own.stored.pays_until;
    match stage {
        Stage::Over => {
            let opening = "The grace period of this payment method is over: it does not pay any more. Neither this \
                           account nor the accounts that inherit it can start new connections.";
            letters::post(db, &own, "A payment method does not pay any more", opening, ids::never())
        }
        Stage::Expired => letters::post(db, &own, "A card has expired", "The card that pays has expired.", until),
        Stage::Before(days, _) => {
            let subject = if days == 1 {
                "A card expires within a day".to_owned()
            } else {
                format!("A card expires within {days} days")
            };
            letters::post(db, &own, &subject, "Enter another card before this one ends.", until)
        }
    }
}

/// Rows about ends long past.
pub fn forget_old(db: &mut Db) -> Result<usize, Problem> {
    const REMEMBERED_DAYS: i64 = 800;
    let old = sent::table.filter(sent::ends_at.lt(ids::now() - Duration::days(REMEMBERED_DAYS)));
    Ok(diesel::delete(old).execute(db)? + store::events::forget_old(db)?)
}
