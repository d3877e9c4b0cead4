//! What readiness reads: one grouped statement over everything below an account. Also who holds a permission, for "Ann can do this".

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{BigInt, Text};

use super::{Below, Missing};
use crate::access::Frame;
use crate::access::lookup::scope;
use crate::access::policy::{Permission, Permissions};
use crate::billing::store::payers::{NEAREST, PAYS};
use crate::consent::Document;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::store::schema::{assignments, roles, users};
use crate::web::paging::{PAGE, Want, is_backward};

/// The accounts below $1 with what each has: `agreed` and `paid`, 1 or 0. $2 and $3 are the documents in force (0 for
/// none), $4 the code of what comes from above $1.
fn with_states(rest: &str) -> String {
    format!(
        "WITH nearest AS ({NEAREST}),
         states AS (
             SELECT s.key, s.id, s.name, s.name_key,
                    CASE WHEN ($2 = 0 OR EXISTS (SELECT 1 FROM consents c
                                                 WHERE c.account_key = s.key AND c.document_key = $2))
                          AND ($3 = 0 OR EXISTS (SELECT 1 FROM consents c
                                                 WHERE c.account_key = s.key AND c.document_key = $3))
                         THEN 1 ELSE 0 END AS agreed,
                    CASE WHEN {PAYS} THEN 1 ELSE 0 END AS paid
             FROM (SELECT a.key, a.id, a.name, a.name_key, COALESCE(n.code, $4) AS code
                   FROM account_ancestry b
                   JOIN accounts a ON a.key = b.descendant_key AND a.closed_at IS NULL
                   LEFT JOIN nearest n ON n.account_key = b.descendant_key
                   WHERE b.ancestor_key = $1 AND b.distance > 0) s)
         {rest}"
    )
}

fn bound(text: &str, top: Key, documents: &[Document], outside: i64) -> BoxedSqlQuery<'static, MultiBackend, SqlQuery> {
    let key = |n: usize| documents.get(n).map_or(0, |document| document.key);
    diesel::sql_query(text)
        .into_boxed::<MultiBackend>()
        .bind::<BigInt, _>(top)
        .bind::<BigInt, _>(key(0))
        .bind::<BigInt, _>(key(1))
        .bind::<BigInt, _>(outside)
}

#[derive(QueryableByName)]
struct BelowRow {
    #[diesel(sql_type = BigInt)]
    accounts: i64,
    #[diesel(sql_type = BigInt)]
    ready: i64,
    #[diesel(sql_type = BigInt)]
    awaiting_agreements: i64,
    #[diesel(sql_type = BigInt)]
    awaiting_payment: i64,
}

pub fn below(db: &mut Db, top: Key, documents: &[Document], outside: i64) -> Result<Below, Problem> {
    let text = with_states(
        "SELECT COUNT(*) AS accounts,
                CAST(COALESCE(SUM(agreed * paid), 0) AS BIGINT) AS ready,
                CAST(COALESCE(SUM(1 - agreed), 0) AS BIGINT) AS awaiting_agreements,
                CAST(COALESCE(SUM(1 - paid), 0) AS BIGINT) AS awaiting_payment
         FROM states",
    );
    let row: BelowRow = bound(&text, top, documents, outside).get_result(db)?;
    let BelowRow { accounts, ready, awaiting_agreements, awaiting_payment } = row;
    Ok(Below { accounts, ready, awaiting_agreements, awaiting_payment })
}

/// An account below that may not provision, and what it has of the two.
#[derive(Debug, Clone, QueryableByName)]
pub struct NotReady {
    #[diesel(sql_type = BigInt)]
    pub key: Key,
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub name_key: String,
    #[diesel(sql_type = BigInt)]
    agreed: i64,
    #[diesel(sql_type = BigInt)]
    paid: i64,
}

impl NotReady {
    pub fn lacks_agreements(&self) -> bool {
        self.agreed == 0
    }

    pub fn lacks_payment(&self) -> bool {
        self.paid == 0
    }
}

/// Those that are not ready, by name; at most `limit`. Against the order for a page before another.
pub fn not_ready(
    db: &mut Db,
    top: Key,
    documents: &[Document],
    outside: i64,
    missing: Missing,
    want: &Want,
    limit: usize,
) -> Result<Vec<NotReady>, Problem> {
    let lacking = match missing {
        Missing::Anything => "agreed * paid = 0",
        Missing::Agreements => "agreed = 0",
        Missing::Payment => "paid = 0",
    };
    let backward = is_backward(want);
    let (sign, order) = if backward { ("<", "DESC") } else { (">", "ASC") };
    let cursor = match want {
        Want::After(cursor) | Want::Before(cursor) => Some(cursor.clone()),
        Want::First | Want::Last => None,
    };
    let place = if cursor.is_some() { format!("AND (name_key, key) {sign} ($5, $6)") } else { String::new() };
    let most = if cursor.is_some() { "$7" } else { "$5" };
    let text = with_states(&format!(
        "SELECT key, id, name, name_key,
                CAST(agreed AS BIGINT) AS agreed, CAST(paid AS BIGINT) AS paid FROM states
         WHERE {lacking} {place} ORDER BY name_key {order}, key {order} LIMIT {most}"
    ));
    let mut query = bound(&text, top, documents, outside);
    if let Some(cursor) = cursor {
        query = query.bind::<Text, _>(cursor.0).bind::<BigInt, _>(cursor.1);
    }
    Ok(query.bind::<BigInt, _>(i64::try_from(limit).unwrap_or(PAGE as i64)).load(db)?)
}

/// Assignments looked through for people to name.
const LOOKED_THROUGH: i64 = 500;
/// People named for each permission.
const NAMED: usize = 3;

/// For each permission up to three people who hold it in the account, nearest first; only people whose role was given
/// at an account that the person of the frame may see, and never that person.
pub fn people(db: &mut Db, frame: &Frame, needed: &[Permission]) -> Result<Vec<Vec<String>>, Problem> {
    if needed.is_empty() {
        return Ok(Vec::new());
    }
    let here = frame.account().key;
    let visible: Vec<Key> =
        frame.chain.iter().rev().filter(|step| !step.held.is_empty()).map(|step| step.place.key).collect();
    let mut rows = assignments::table
        .inner_join(users::table.on(users::key.eq(assignments::user_key)))
        .inner_join(roles::table.on(roles::key.eq(assignments::role_key)))
        .filter(assignments::account_key.eq_any(visible.clone()))
        .filter(users::key.ne(frame.actor.key))
        .order((assignments::created_at, assignments::key))
        .limit(LOOKED_THROUGH)
        .select((
            assignments::account_key,
            assignments::scope,
            users::key,
            users::first_name,
            users::last_name,
            roles::permissions,
        ))
        .load::<(Key, String, Key, String, String, i64)>(db)?;
    rows.retain(|(at, reach, ..)| if *at == here { reach != scope::BELOW } else { reach != scope::HERE });
    rows.sort_by_key(|(at, ..)| visible.iter().position(|key| key == at));
    let holders = |permission: &Permission| {
        let mut seen = HashSet::new();
        rows.iter()
            .filter(|(_, _, user, _, _, bits)| Permissions(*bits).allow(*permission) && seen.insert(*user))
            .take(NAMED)
            .map(|(_, _, _, first, last, _)| format!("{first} {last}"))
            .collect()
    };
    Ok(needed.iter().map(holders).collect())
}
