//! Readiness of everything below an account with very many accounts below: summed up in the background every few
//! minutes, and listed by walking along the names until a page is full. Smaller branches are looked at as they are.

use std::collections::HashSet;

use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamp};

use super::store::{State, Stopped};
use super::{Below, Counted, Missing, NotReady, Readiness};
use crate::access::below::LARGE;
use crate::ids::{self, Key};
use crate::ledger;
use crate::limits;
use crate::problem::Problem;
use crate::store::dialect::Run;
use crate::store::schema::{account_ancestry, accounts, readiness_counts};
use crate::store::{Db, Pool};
use crate::web::paging::{Cursor, Want, is_backward};
use crate::{billing, consent, suspension};

/// Sums are made again when they are so old.
const EVERY_MINUTES: i64 = 10;
/// Accounts that are looked at in one go, and for one page.
const AT_ONCE: usize = 500;
const LOOKED_AT: usize = 2_000;

/// What was counted last.
pub fn counted(db: &mut Db, account: Key, below: i64) -> Result<Below, Problem> {
    let row = readiness_counts::table.find(account).select((
        readiness_counts::counted_at,
        readiness_counts::accounts,
        readiness_counts::ready,
        readiness_counts::awaiting_agreements,
        readiness_counts::awaiting_payment,
        readiness_counts::suspended,
        readiness_counts::over_limit,
    ));
    let row = row.first_row::<(NaiveDateTime, i64, i64, i64, i64, i64, i64)>(db).optional()?;
    Ok(match row {
        None => Below { accounts: below, ready: below, counted: Counted::NotYet, ..Below::default() },
        Some((at, accounts, ready, awaiting_agreements, awaiting_payment, suspended, over_limit)) => {
            let counted = Counted::At(at);
            Below { accounts, ready, awaiting_agreements, awaiting_payment, suspended, over_limit, counted }
        }
    })
}

/// Counts one large branch whose sums are missing or old; answers how many it counted.
pub async fn count_due(pool: &Pool) -> Result<usize, Problem> {
    let counted = pool
        .read_long(|db| {
            let Some(account) = due(db)? else { return Ok(None) };
            let readiness = super::of(db, account)?;
            let mut sums = Below::default();
            readiness.each_below(db, |state| sums.add(&state))?;
            Ok(Some((account, sums)))
        })
        .await?;
    let Some((account, sums)) = counted else { return Ok(0) };
    pool.write(move |db| keep(db, account, sums)).await?;
    Ok(1)
}

fn due(db: &mut Db) -> Result<Option<Key>, Problem> {
    let old = ids::now() - Duration::minutes(EVERY_MINUTES);
    Ok(accounts::table
        .left_join(readiness_counts::table.on(readiness_counts::account_key.eq(accounts::key)))
        .filter(accounts::below_count.gt(LARGE))
        .filter(readiness_counts::counted_at.is_null().or(readiness_counts::counted_at.lt(old).assume_not_null()))
        .order(readiness_counts::counted_at.is_not_null())
        .select(accounts::key)
        .first_row(db)
        .optional()?)
}

fn keep(db: &mut Db, account: Key, sums: Below) -> Result<(), Problem> {
    // Another process may have counted it meanwhile.
    diesel::sql_query(
        "INSERT INTO readiness_counts (account_key, counted_at, accounts, ready, awaiting_agreements, awaiting_payment,
                                       suspended, over_limit)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (account_key) DO UPDATE SET counted_at = excluded.counted_at, accounts = excluded.accounts,
             ready = excluded.ready, awaiting_agreements = excluded.awaiting_agreements,
             awaiting_payment = excluded.awaiting_payment, suspended = excluded.suspended,
             over_limit = excluded.over_limit",
    )
    .bind::<BigInt, _>(account)
    .bind::<Timestamp, _>(ids::now())
    .bind::<BigInt, _>(sums.accounts)
    .bind::<BigInt, _>(sums.ready)
    .bind::<BigInt, _>(sums.awaiting_agreements)
    .bind::<BigInt, _>(sums.awaiting_payment)
    .bind::<BigInt, _>(sums.suspended)
    .bind::<BigInt, _>(sums.over_limit)
    .execute(db)?;
    Ok(())
}

/// A page of those that lack something, and where to go on where it is not full although there is more to look through.
pub fn not_ready(
    db: &mut Db,
    readiness: &Readiness,
    missing: Missing,
    want: &Want,
    limit: usize,
) -> Result<(Vec<NotReady>, Option<Cursor>), Problem> {
    let (mut found, mut at, mut looked_at) = (Vec::new(), want.clone(), 0);
    while looked_at < LOOKED_AT {
        let most = next(limit - found.len(), found.len(), looked_at);
        let names = names(db, readiness.account, &at, most)?;
        let Some(last) = names.last().map(|(key, name)| Cursor(name.clone(), *key)) else { return Ok((found, None)) };
        let full = names.len() == most;
        looked_at += names.len();
        let lacking = states(db, names)?.into_iter().filter(|state| missing.in_state(state));
        found.extend(super::named(db, lacking.take(limit - found.len()).collect())?);
        if found.len() == limit || !full {
            return Ok((found, None));
        }
        at = if is_backward(want) { Want::Before(last) } else { Want::After(last) };
    }
    let (Want::Before(cursor) | Want::After(cursor)) = at else { return Ok((found, None)) };
    Ok((found, Some(cursor)))
}

/// How many accounts to look at next: those among which the rest of the page is likely to be, by how many were found
/// among those looked at. Half as many as before at least, so that it does not go on in small steps.
fn next(rest: usize, found: usize, looked_at: usize) -> usize {
    let likely = if looked_at == 0 { 2 * rest } else { rest * looked_at / found.max(1) };
    (likely + likely / 4).max(looked_at / 2).min(AT_ONCE).min(LOOKED_AT - looked_at)
}

/// The next accounts below in the order of names, or against it.
fn names(db: &mut Db, account: Key, want: &Want, most: usize) -> Result<Vec<(Key, String)>, Problem> {
    let (name, key) = (account_ancestry::name_key, account_ancestry::descendant_key);
    let mut query = account_ancestry::table
        .inner_join(accounts::table.on(accounts::key.eq(account_ancestry::descendant_key)))
        .filter(account_ancestry::ancestor_key.eq(account))
        .filter(account_ancestry::descendant_key.ne(account))
        .filter(accounts::closed_at.is_null())
        .into_boxed();
    query = match want {
        Want::After(Cursor(n, k)) => {
            query.filter(name.ge(n.clone()).and(name.gt(n.clone()).or(name.eq(n.clone()).and(key.gt(*k)))))
        }
        Want::Before(Cursor(n, k)) => {
            query.filter(name.le(n.clone()).and(name.lt(n.clone()).or(name.eq(n.clone()).and(key.lt(*k)))))
        }
        Want::First | Want::Last => query,
    };
    query =
        if is_backward(want) { query.order((name.desc(), key.desc())) } else { query.order((name.asc(), key.asc())) };
    Ok(query.limit(i64::try_from(most).unwrap_or(i64::MAX)).select((key, name)).load(db)?)
}

/// What each of these has of what it needs, by the rules of the rooms.
fn states(db: &mut Db, names: Vec<(Key, String)>) -> Result<Vec<State>, Problem> {
    let keys: Vec<Key> = names.iter().map(|(key, _)| *key).collect();
    let consents = consent::briefs(db, &keys)?;
    let payers = billing::payers(db, &keys)?;
    let suspended = suspension::among(db, &keys)?;
    let over: HashSet<Key> = limits::over_among(db, &keys)?;
    let owing: HashSet<Key> = ledger::owing(db, &keys)?;
    let state = |(key, name_key): (Key, String)| State {
        agreed: consents.get(&key).is_some_and(consent::Brief::is_accepted),
        paid: payers.get(&key).is_some_and(billing::Payer::pays) && !owing.contains(&key),
        stopped: Stopped { suspended: suspended.contains_key(&key), over: over.contains(&key) },
        key,
        name_key,
    };
    Ok(names.into_iter().map(state).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_looked_at_than_is_likely_to_fill_the_page() {
        assert_eq!(next(51, 0, 0), 127);
        assert_eq!(next(12, 39, 127), 63, "half of what was looked at");
        assert_eq!(next(45, 6, 127), AT_ONCE);
        assert_eq!(next(1, 0, 1_900), 100, "no more than for a page");
    }

    #[test]
    fn a_page_takes_few_steps_also_where_nearly_all_of_it_was_at_the_beginning() {
        for (rest, found, most) in [(51, 0, 5), (1, 50, 9)] {
            let (mut looked_at, mut steps) = (next(51, 0, 0), 1);
            while looked_at < LOOKED_AT {
                looked_at += next(rest, found, looked_at);
                steps += 1;
            }
            assert!(looked_at == LOOKED_AT && steps <= most, "{steps} steps with {found} found");
        }
    }
}
