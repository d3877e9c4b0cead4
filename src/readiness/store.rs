//! What readiness reads over everything below an account, in one pass from the top down: agreements and payment are
//! rules of their own rooms, but asking those account by account would not do for ten thousand.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::billing::{Held, Standing, Walk};
use crate::consent::Document;
use crate::ids::{self, Key};
use crate::limits;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{Run, one_of, said};
use crate::store::schema::accounts;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    key: Key,
    #[diesel(sql_type = Nullable<BigInt>)]
    parent_key: Option<Key>,
    #[diesel(sql_type = Text)]
    name_key: String,
    #[diesel(sql_type = BigInt)]
    distance: i64,
    #[diesel(sql_type = Nullable<Bool>)]
    offered: Option<bool>,
    #[diesel(sql_type = Nullable<Bool>)]
    verified: Option<bool>,
    #[diesel(sql_type = BigInt)]
    accepted: i64,
    /// It has items on an invoice that is overdue.
    #[diesel(sql_type = Bool)]
    owes: bool,
    #[diesel(sql_type = Bool)]
    suspended: bool,
}

/// What stops an account although it has all that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stopped {
    pub suspended: bool,
    /// There are more connections than a limit allows that holds for it.
    pub over: bool,
}

/// What an account below has of the two that it needs, and what stops it.
#[derive(Debug, Clone)]
pub struct State {
    pub key: Key,
    pub name_key: String,
    pub agreed: bool,
    pub paid: bool,
    pub stopped: Stopped,
}

impl State {
    pub fn is_ready(&self) -> bool {
        self.agreed && self.paid && self.stopped == Stopped::default()
    }
}

/// Accounts that are read in one statement.
const AT_ONCE: usize = 10_000;

/// Calls with the state of every open account below, from the top down: one index range, whatever the tree, of which a
/// part at a time is in memory. `stopped`: what stops everything below the top.
pub fn states(
    db: &mut Db,
    top: Key,
    stopped: Stopped,
    standing: &Standing,
    in_force: &[Document],
    mut each: impl FnMut(State),
) -> Result<(), Problem> {
    let over = limits::over_below(db, top)?;
    let mut walk = Walk::below(top, standing);
    let mut branches: HashMap<Key, Stopped> = HashMap::new();
    let needed = i64::try_from(in_force.len()).unwrap_or(i64::MAX);
    let mut state = |row: Row| {
        let parent = row.parent_key.unwrap_or(top);
        // What stops the parent's branch stops this one; a limit for an account alone goes no further.
        let mut here = branches.get(&parent).copied().unwrap_or(stopped);
        here.suspended |= row.suspended;
        here.over |= over.get(&row.key) == Some(&true);
        branches.insert(row.key, here);
        let here = Stopped { over: here.over || over.contains_key(&row.key), ..here };
        let own = row.offered.zip(row.verified).map(|(offered, verified)| Held { offered, verified });
        let paid = walk.step(row.key, parent, own).pays() && !row.owes;
        State { key: row.key, name_key: row.name_key, agreed: row.accepted == needed, paid, stopped: here }
    };
    let mut after = (0, String::new(), 0);
    loop {
        let rows = rows(db, top, in_force, &after)?;
        let more = rows.len() == AT_ONCE;
        if let Some(last) = rows.last() {
            after = (last.distance, last.name_key.clone(), last.key);
        }
        rows.into_iter().for_each(|row| each(state(row)));
        if !more {
            return Ok(());
        }
    }
}

/// The next open accounts below, level by level and in the order of names.
fn rows(db: &mut Db, top: Key, in_force: &[Document], after: &(i64, String, Key)) -> Result<Vec<Row>, Problem> {
    // There are two kinds of document; 0 is no key of any.
    let document = |n: usize| in_force.get(n).map_or(0, |document| document.key);
    let text = format!(
        "SELECT a.key, a.parent_key, a.name_key, b.distance, pm.allow_child_accounts AS offered, (pm.verified AND pm.pays_until > $1) AS verified,
                (SELECT COUNT(*) FROM consents c
                 WHERE c.account_key = a.key AND c.document_key IN ($2, $3)) AS accepted,
                a.key IN (SELECT s.account_key FROM invoices i JOIN invoice_sections s ON s.invoice_key = i.key
                          WHERE i.overdue_at IS NOT NULL AND i.state IN ('OPEN', 'FAILED')
                            AND s.own_lines > 0) AS owes,
                a.key IN (SELECT account_key FROM suspensions) AS suspended
         FROM account_ancestry b
         JOIN accounts a ON a.key = b.descendant_key
         LEFT JOIN payment_methods pm ON pm.account_key = b.descendant_key
         WHERE b.ancestor_key = $4 AND (b.distance, b.name_key, b.descendant_key) > ($5, $6, $7)
           AND b.distance > 0 AND a.closed_at IS NULL
         ORDER BY b.distance, b.name_key, b.descendant_key LIMIT {AT_ONCE}"
    );
    Ok(said(text)
        .bind(ids::now())
        .bind(document(0))
        .bind(document(1))
        .bind(top)
        .bind(after.0)
        .bind(after.1.as_str())
        .bind(after.2)
        .rows(db)?)
}

/// Id and name of each of these accounts.
pub fn names(db: &mut Db, keys: &[Key]) -> Result<HashMap<Key, (String, String)>, Problem> {
    let mut names = HashMap::with_capacity(keys.len());
    for some in keys.chunks(1_000) {
        let rows = accounts::table
            .filter(one_of(accounts::key, some))
            .select((accounts::key, accounts::id, accounts::name))
            .rows::<(Key, String, String)>(db)?;
        names.extend(rows.into_iter().map(|(key, id, name)| (key, (id, name))));
    }
    Ok(names)
}
