//! Completing an invoice: its accounts are summed as the tree is now, every sum is compared with the lines it stands
//! for, and only then it gets its number and is sent. All of it is one transaction; until then it is a draft that
//! nobody sees.

use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use super::month::Month;
use super::run::{self, Stage};
use super::{letter, money};
use crate::audit::{self, Event, EventType, Subject};
use crate::billing::{self, CollectionMethod, Method};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::schema::{accounts, charges, invoice_sections, invoices};
use crate::store::{self as database, Db, dialect};

/// What entries of the audit log call an invoice.
pub const SUBJECT: &str = "INVOICE";
/// Days that an invoice by mail may take to be paid.
const NET_DAYS: i64 = 30;

#[derive(Debug, Clone, Queryable)]
struct Draft {
    key: Key,
    id: String,
    payer: Key,
    currency: String,
    total: i64,
    lines: i64,
}

/// Issues the next draft of the month; answers how many. The last one ends the month.
pub fn next(db: &mut Db, month: Month) -> Result<i64, Problem> {
    database::write(db, |db| {
        let Some(draft) = draft(db, month)? else {
            run::lock(db)?;
            // Another run may have ended it already; ending it twice changes nothing.
            run::enter(db, month, Stage::Done)?;
            return Ok(0);
        };
        // Nobody moves an account and no payer changes from here on. The tree's lock comes before the ledger's.
        let (root, account, name) = accounts::table
            .find(draft.payer)
            .select((accounts::root_key, accounts::id, accounts::name))
            .first::<(Key, String, String)>(db)?;
        dialect::lock_tree(db, root)?;
        run::lock(db)?;
        let still = invoices::table.find(draft.key).filter(invoices::state.eq("DRAFT")).select(invoices::key);
        if still.first::<Key>(db).optional()?.is_none() {
            return Ok(0);
        }
        match billing::own(db, draft.payer)? {
            Some(method) => issue(db, month, &draft, &method, (&account, &name))?,
            None => release(db, &draft)?,
        }
        Ok(1)
    })
}

fn draft(db: &mut Db, month: Month) -> Result<Option<Draft>, Problem> {
    let drafts = invoices::table.filter(invoices::month.eq(month.to_string())).filter(invoices::state.eq("DRAFT"));
    Ok(drafts
        .filter(invoices::set_aside_at.is_null())
        .order(invoices::key)
        .select((
            invoices::key,
            invoices::id,
            invoices::payer_key,
            invoices::currency,
            invoices::total,
            invoices::lines,
        ))
        .first(db)
        .optional()?)
}

/// The payer's method went away in the meantime: the lines wait for another payer.
fn release(db: &mut Db, draft: &Draft) -> Result<(), Problem> {
    diesel::update(charges::table.filter(charges::invoice_key.eq(draft.key)))
        .set(charges::invoice_key.eq(None::<Key>))
        .execute(db)?;
    diesel::delete(invoices::table.find(draft.key)).execute(db)?;
    Ok(())
}

fn issue(db: &mut Db, month: Month, draft: &Draft, method: &Method, payer: (&str, &str)) -> Result<(), Problem> {
    sections(db, draft)?;
    let now = ids::now();
    if !is_even(db, draft)? {
        // Nothing of it is stored; the others are issued all the same.
        diesel::delete(invoice_sections::table.filter(invoice_sections::invoice_key.eq(draft.key))).execute(db)?;
        diesel::update(invoices::table.find(draft.key)).set(invoices::set_aside_at.eq(now)).execute(db)?;
        return Ok(());
    }
    let late: i64 = charges::table
        .filter(charges::invoice_key.eq(draft.key))
        .filter(charges::month.lt(month.to_string()))
        .count()
        .get_result(db)?;
    let number: Option<i64> = invoices::table.select(diesel::dsl::max(invoices::number)).first(db)?;
    let number = number.unwrap_or(0) + 1;
    let due_at = due(method.entries.collection_method, now);
    let state = if draft.total == 0 { "PAID" } else { "OPEN" };
    audit::change_by_system(db, |db| {
        diesel::update(invoices::table.find(draft.key))
            .set((
                invoices::state.eq(state),
                invoices::number.eq(number),
                invoices::collection_method.eq(method.entries.collection_method.code()),
                invoices::bill_to.eq(bill_to(method)),
                invoices::email.eq(&method.entries.email),
                invoices::late_lines.eq(late),
                invoices::issued_at.eq(now),
                invoices::due_at.eq(due_at),
                invoices::settled_at.eq((state == "PAID").then_some(now)),
                invoices::next_try_at.eq(if method.entries.collection_method == CollectionMethod::Net30 {
                    ids::never()
                } else {
                    now
                }),
            ))
            .execute(db)?;
        let total = money::words(draft.total, &draft.currency);
        let subject = Subject::new(SUBJECT, &draft.id, &number_words(number));
        let event = Event::new(EventType::InvoiceCreate, subject)
            .in_account(draft.payer)
            .with("month", month.to_string())
            .with("total", &total)
            .with("lines", draft.lines.to_string())
            .with("state", state);
        letter::post(
            db,
            &letter::Issued { draft: (&draft.id, draft.payer), number, month, total, due_at, method, payer },
        )?;
        Ok(((), event))
    })
}

fn due(collection: CollectionMethod, issued: NaiveDateTime) -> NaiveDateTime {
    let day = super::month::day_of(issued);
    if collection == CollectionMethod::Net30 { day + Duration::days(NET_DAYS) } else { day }
}

/// "000042"
pub fn number_words(number: i64) -> String {
    format!("{number:06}")
}

/// Name and address, a line each, as they are now.
fn bill_to(method: &Method) -> String {
    let entries = &method.entries;
    let city = [&entries.postal_code, &entries.city, &entries.state].map(String::as_str).join(" ");
    let country = billing::country_name(&entries.country);
    let lines = [entries.name.clone(), entries.street.clone(), city.trim().to_owned(), country];
    lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// One row for each account with lines and each above it up to the payer. An account that left the payer's branch
/// while the month was made stands directly below the payer.
fn sections(db: &mut Db, draft: &Draft) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO invoice_sections
             (invoice_key, account_key, parent_key, name, name_key, own_amount, own_lines, amount, lines, accounts_count)
         WITH own AS (
             SELECT account_key AS leaf, SUM(amount) AS amount, COUNT(*) AS lines
             FROM charges WHERE invoice_key = $1 GROUP BY account_key),
         inside AS (
             SELECT own.leaf, up.ancestor_key AS place, own.amount, own.lines
             FROM own JOIN account_ancestry up ON up.descendant_key = own.leaf
             JOIN account_ancestry top ON top.descendant_key = up.ancestor_key AND top.ancestor_key = $2),
         outside AS (
             SELECT own.leaf, own.amount, own.lines FROM own
             WHERE NOT EXISTS (SELECT 1 FROM account_ancestry top
                               WHERE top.descendant_key = own.leaf AND top.ancestor_key = $2)),
         every_pair AS (
             SELECT leaf, place, amount, lines FROM inside
             UNION ALL SELECT leaf, leaf, amount, lines FROM outside
             UNION ALL SELECT leaf, $2, amount, lines FROM outside),
         summed AS (
             SELECT place,
                    CAST(SUM(CASE WHEN leaf = place THEN amount ELSE 0 END) AS BIGINT) AS own_amount,
                    CAST(SUM(CASE WHEN leaf = place THEN lines ELSE 0 END) AS BIGINT) AS own_lines,
                    CAST(SUM(amount) AS BIGINT) AS amount, CAST(SUM(lines) AS BIGINT) AS lines, COUNT(*) AS accounts_count
             FROM every_pair GROUP BY place)
         SELECT $1, a.key,
                CASE WHEN a.key = $2 THEN NULL
                     WHEN EXISTS (SELECT 1 FROM outside WHERE outside.leaf = a.key) THEN $2
                     ELSE a.parent_key END,
                a.name, a.name_key, s.own_amount, s.own_lines, s.amount, s.lines, s.accounts_count
         FROM summed s JOIN accounts a ON a.key = s.place",
    )
    .bind::<BigInt, _>(draft.key)
    .bind::<BigInt, _>(draft.payer)
    .execute(db)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Sums {
    #[diesel(sql_type = BigInt)]
    amount: i64,
    #[diesel(sql_type = BigInt)]
    lines: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    own: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    top: Option<i64>,
    #[diesel(sql_type = BigInt)]
    uneven: i64,
}

/// The draft's running total, the sum of its lines, the sum of its accounts' own sums and the payer's sum over
/// everything below are four ways to one number; and every account is itself and what is directly below it.
fn is_even(db: &mut Db, draft: &Draft) -> Result<bool, Problem> {
    let sums: Sums = diesel::sql_query(
        "SELECT CAST(COALESCE(SUM(c.amount), 0) AS BIGINT) AS amount, COUNT(*) AS lines,
                (SELECT CAST(SUM(own_amount) AS BIGINT) FROM invoice_sections WHERE invoice_key = $1) AS own,
                (SELECT amount FROM invoice_sections WHERE invoice_key = $1 AND parent_key IS NULL) AS top,
                (SELECT COUNT(*) FROM invoice_sections s
                 WHERE s.invoice_key = $1
                   AND s.amount <> s.own_amount + COALESCE((SELECT SUM(b.amount) FROM invoice_sections b
                       WHERE b.invoice_key = $1 AND b.parent_key = s.account_key), 0)) AS uneven
         FROM charges c WHERE c.invoice_key = $1",
    )
    .bind::<BigInt, _>(draft.key)
    .get_result(db)?;
    let total = Some(draft.total);
    let even = Some(sums.amount) == total && sums.own == total && sums.top == total && sums.lines == draft.lines;
    if even && sums.uneven == 0 {
        return Ok(true);
    }
    tracing::error!(
        invoice = draft.id,
        ?total,
        amount = sums.amount,
        uneven = sums.uneven,
        "an invoice does not add up and is set aside"
    );
    Ok(false)
}

/// Drafts of the month that do not add up.
pub fn set_aside(db: &mut Db, month: Month) -> Result<Vec<String>, Problem> {
    let drafts = invoices::table.filter(invoices::month.eq(month.to_string())).filter(invoices::state.eq("DRAFT"));
    let aside = drafts.filter(invoices::set_aside_at.is_not_null());
    Ok(aside.order(invoices::key).select(invoices::id).load(db)?)
}

/// They are looked at once more; answers how many.
pub fn take_up(db: &mut Db, month: Month) -> Result<usize, Problem> {
    let drafts = invoices::table.filter(invoices::month.eq(month.to_string())).filter(invoices::state.eq("DRAFT"));
    let aside = drafts.filter(invoices::set_aside_at.is_not_null());
    Ok(diesel::update(aside).set(invoices::set_aside_at.eq(None::<NaiveDateTime>)).execute(db)?)
}

/// How many accounts an invoice has lines of.
pub fn accounts_of(db: &mut Db, invoice: Key) -> Result<i64, Problem> {
    let own = invoice_sections::table.filter(invoice_sections::invoice_key.eq(invoice));
    Ok(own.filter(invoice_sections::own_lines.gt(0)).count().get_result(db)?)
}
