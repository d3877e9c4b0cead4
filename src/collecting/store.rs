//! Rows of invoices as collecting sees them. Whatever changes one holds the ledger's lock.

use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use crate::ids::{self, Key};
use crate::ledger::run;
use crate::problem::Problem;
use crate::store::dialect::MultiBackend;
use crate::store::schema::{accounts, invoices};
use crate::store::{self as database, Db};

/// Whoever takes an invoice in hand has it for so long; then another process looks what became of it.
const IN_HAND_MINUTES: i64 = 10;

/// An invoice that was issued.
#[derive(Debug, Clone, Queryable)]
pub struct Row {
    pub key: Key,
    pub id: String,
    pub number: i64,
    pub payer: Key,
    pub currency: String,
    pub total: i64,
    pub email: String,
    /// OPEN, FAILED, PAID, VOID
    pub state: String,
    /// The payment at the provider that is in hand; empty without one.
    pub provider_id: String,
    /// What is known of it: UNDERWAY, FAILED, PAID, or empty.
    pub provider_state: String,
    /// Payments that were given up before it.
    pub round: i64,
    pub tries: i64,
    /// What is in the way; empty when nothing is known to be.
    pub trouble: String,
    pub due_at: NaiveDateTime,
    /// The payer's tree, public id and name.
    pub root: Key,
    pub account: String,
    pub name: String,
}

impl Row {
    pub fn is_settled(&self) -> bool {
        !matches!(self.state.as_str(), "OPEN" | "FAILED")
    }
}

/// How an invoice is found.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    Key(Key),
    Id(&'a str),
    /// The payment in hand.
    Provider(&'a str),
}

/// The invoice, unless it is still a draft.
pub fn find(db: &mut Db, by: By<'_>) -> Result<Option<Row>, Problem> {
    let query = invoices::table
        .inner_join(accounts::table.on(accounts::key.eq(invoices::payer_key)))
        .filter(invoices::number.is_not_null())
        .select((
            invoices::key,
            invoices::id,
            invoices::number.assume_not_null(),
            invoices::payer_key,
            invoices::currency,
            invoices::total,
            invoices::email,
            invoices::state,
            invoices::provider_id,
            invoices::provider_state,
            invoices::round,
            invoices::tries,
            invoices::trouble,
            invoices::due_at.assume_not_null(),
            accounts::root_key,
            accounts::id,
            accounts::name,
        ))
        .into_boxed::<MultiBackend>();
    let query = match by {
        By::Key(key) => query.filter(invoices::key.eq(key)),
        By::Id(id) => query.filter(invoices::id.eq(id.to_owned())),
        By::Provider(id) => query.filter(invoices::provider_id.eq(id.to_owned())),
    };
    Ok(query.first(db).optional()?)
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = BigInt)]
    key: Key,
    /// The payer's card or bank account, if there is one that works.
    #[diesel(sql_type = Text)]
    means: String,
}

/// Takes up to `most` invoices in hand: those that are due for a try, and those whose refused card or bank account was
/// replaced. Nobody else gets them for some minutes.
pub fn take(db: &mut Db, most: i64) -> Result<Vec<Key>, Problem> {
    let now = ids::now();
    let due: Vec<Due> = diesel::sql_query(
        "SELECT i.key, COALESCE(m.provider_id, '') AS means
         FROM invoices i
         LEFT JOIN payment_methods m ON m.account_key = i.payer_key AND m.verified
         WHERE i.state IN ('OPEN', 'FAILED') AND i.next_try_at <= $1
         ORDER BY i.next_try_at, i.key LIMIT $2",
    )
    .bind::<Timestamp, _>(now)
    .bind::<BigInt, _>(most)
    .load(db)?;
    let replaced: Vec<Due> = diesel::sql_query(
        "SELECT i.key, m.provider_id AS means
         FROM invoices i JOIN payment_methods m ON m.account_key = i.payer_key
         WHERE i.state IN ('OPEN', 'FAILED') AND i.trouble <> '' AND i.next_try_at > $1
           AND m.verified AND m.provider_id NOT IN ('', i.means)
         ORDER BY i.key LIMIT $2",
    )
    .bind::<Timestamp, _>(now)
    .bind::<BigInt, _>(most)
    .load(db)?;
    let due = due.into_iter().map(|due| (due, false)).chain(replaced.into_iter().map(|due| (due, true)));
    let due: Vec<(Due, bool)> = due.take(usize::try_from(most).unwrap_or(0)).collect();
    if due.is_empty() {
        return Ok(Vec::new());
    }
    database::write(db, |db| {
        run::lock(db)?;
        let mut taken = Vec::with_capacity(due.len());
        for (Due { key, means }, is_new) in due {
            // Another process may have been faster.
            let still = invoices::table
                .find(key)
                .filter(invoices::state.eq_any(["OPEN", "FAILED"]))
                .filter(invoices::next_try_at.le(now).or(invoices::means.ne(&means)));
            let next = now + Duration::minutes(IN_HAND_MINUTES);
            let done =
                diesel::update(still).set((invoices::next_try_at.eq(next), invoices::means.eq(&means))).execute(db)?;
            if is_new && done == 1 {
                // What another card or bank account was refused says nothing of this one.
                diesel::update(invoices::table.find(key)).set(invoices::tries.eq(0)).execute(db)?;
            }
            taken.extend((done == 1).then_some(key));
        }
        Ok(taken)
    })
}

/// When it is looked at next, and what is in the way, if the same payment (or none) still is in hand.
pub fn put_off(db: &mut Db, row: &Row, until: NaiveDateTime, trouble: &str) -> Result<(), Problem> {
    database::write(db, |db| {
        run::lock(db)?;
        diesel::update(invoices::table.find(row.key))
            .filter(invoices::state.eq_any(["OPEN", "FAILED"]))
            .filter(invoices::provider_id.eq(&row.provider_id))
            .set((invoices::next_try_at.eq(until), invoices::trouble.eq(trouble)))
            .execute(db)?;
        Ok(())
    })
}

/// The payment at the provider is in hand now. False when the invoice was settled, or another one came before it.
pub fn set_payment(db: &mut Db, row: &Row, payment: &str) -> Result<bool, Problem> {
    database::write(db, |db| {
        run::lock(db)?;
        let done = diesel::update(invoices::table.find(row.key))
            .filter(invoices::state.eq_any(["OPEN", "FAILED"]))
            .filter(invoices::provider_id.eq_any(["", payment]))
            .filter(invoices::round.eq(row.round))
            .set((invoices::provider_id.eq(payment), invoices::trouble.eq("")))
            .execute(db)?;
        Ok(done == 1)
    })
}

/// The payment in hand can never be charged any more: the next one may take its place.
pub fn drop_payment(db: &mut Db, row: &Row) -> Result<(), Problem> {
    database::write(db, |db| {
        run::lock(db)?;
        diesel::update(invoices::table.find(row.key))
            .filter(invoices::provider_id.eq(&row.provider_id))
            .filter(invoices::round.eq(row.round))
            .set((
                invoices::provider_id.eq(""),
                invoices::provider_state.eq(""),
                // Of the one that was given up: the next one may do better.
                invoices::trouble.eq(""),
                invoices::round.eq(row.round + 1),
            ))
            .execute(db)?;
        Ok(())
    })
}

/// What became of the payment in hand.
#[derive(Debug, Clone, AsChangeset)]
#[diesel(table_name = invoices)]
pub struct Outcome<'a> {
    pub state: &'a str,
    pub provider_state: &'a str,
    pub trouble: &'a str,
    pub tries: i64,
    pub next_try_at: NaiveDateTime,
    pub settled_at: Option<NaiveDateTime>,
}

/// Writes it; the ledger's lock is held.
pub fn set_outcome(db: &mut Db, invoice: Key, outcome: &Outcome<'_>) -> Result<(), Problem> {
    diesel::update(invoices::table.find(invoice))
        .set((outcome, invoices::version.eq(invoices::version + 1)))
        .execute(db)?;
    Ok(())
}

/// Payments in hand of invoices that are neither paid nor void, a page at a time.
pub fn payments_in_hand(db: &mut Db, after: &str, most: i64) -> Result<Vec<String>, Problem> {
    let rows = invoices::table
        .filter(invoices::state.eq_any(["OPEN", "FAILED"]))
        .filter(invoices::provider_id.gt(after))
        .filter(invoices::provider_id.ne(""));
    Ok(rows.order(invoices::provider_id).limit(most).select(invoices::provider_id).load(db)?)
}

/// How many invoices [`take`] would find now.
pub fn count_due(db: &mut Db) -> Result<i64, Problem> {
    let rows =
        invoices::table.filter(invoices::state.eq_any(["OPEN", "FAILED"])).filter(invoices::next_try_at.le(ids::now()));
    Ok(rows.count().get_result(db)?)
}

/// Unsettled invoices that were due before `day` and are not overdue yet, at most so many.
pub fn newly_overdue(db: &mut Db, day: NaiveDateTime, most: i64) -> Result<Vec<Key>, Problem> {
    let rows = invoices::table
        .filter(invoices::state.eq_any(["OPEN", "FAILED"]))
        .filter(invoices::overdue_at.is_null())
        // A bank is deciding on it.
        .filter(invoices::provider_state.ne("UNDERWAY"))
        .filter(invoices::due_at.lt(day));
    Ok(rows.order(invoices::key).limit(most).select(invoices::key).load(db)?)
}

/// False when it was settled or marked meanwhile; the ledger's lock is held.
pub fn set_overdue(db: &mut Db, invoice: Key) -> Result<bool, Problem> {
    let done = diesel::update(invoices::table.find(invoice))
        .filter(invoices::state.eq_any(["OPEN", "FAILED"]))
        .filter(invoices::overdue_at.is_null())
        .set((invoices::overdue_at.eq(ids::now()), invoices::version.eq(invoices::version + 1)))
        .execute(db)?;
    Ok(done == 1)
}

/// The next try is due; the ledger's lock is held.
pub fn try_now(db: &mut Db, invoice: Key) -> Result<(), Problem> {
    diesel::update(invoices::table.find(invoice))
        .set((invoices::next_try_at.eq(ids::now()), invoices::tries.eq(0)))
        .execute(db)?;
    Ok(())
}
