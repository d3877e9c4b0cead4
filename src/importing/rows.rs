//! Rows of an import's lines, some hundred to a statement. Whoever asks has found the import before.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::Counts;
use super::lines::Line;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::store::schema::account_import_lines as lines;
use crate::web::paging::{Want, is_backward};

/// Lines written in one statement.
const AT_ONCE: usize = 200;

/// A line as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    pub turn: i64,
    pub state: &'static str,
    pub parent_line: Option<i64>,
    pub parent_id: Option<String>,
    pub account_id: Option<String>,
    pub reason: String,
    pub line: Line,
}

pub fn insert(db: &mut Db, import: Key, all: &[Stored]) -> Result<(), Problem> {
    const WIDTH: usize = 9;
    for some in all.chunks(AT_ONCE) {
        let place = |n: usize| {
            let places: Vec<String> = (1..=WIDTH).map(|place| format!("${}", n * WIDTH + place)).collect();
            format!("({})", places.join(", "))
        };
        let rows: Vec<String> = (0..some.len()).map(place).collect();
        let text = format!(
            "INSERT INTO account_import_lines
             (import_key, line, turn, state, parent_line, parent_id, account_id, reason, data) VALUES {}",
            rows.join(", ")
        );
        let mut query = diesel::sql_query(text).into_boxed::<MultiBackend>();
        for row in some {
            query = query
                .bind::<BigInt, _>(import)
                .bind::<BigInt, _>(row.line.line)
                .bind::<BigInt, _>(row.turn)
                .bind::<Text, _>(row.state)
                .bind::<Nullable<BigInt>, _>(row.parent_line)
                .bind::<Nullable<Text>, _>(row.parent_id.clone())
                .bind::<Nullable<Text>, _>(row.account_id.clone())
                .bind::<Text, _>(row.reason.clone())
                .bind::<Text, _>(serde_json::to_string(&row.line)?);
        }
        query.execute(db)?;
    }
    Ok(())
}

pub fn counts(db: &mut Db, import: Key) -> Result<Counts, Problem> {
    let of_import = lines::table.filter(lines::import_key.eq(import)).group_by(lines::state);
    let rows: Vec<(String, i64)> = of_import.select((lines::state, count_star())).load(db)?;
    let rows: HashMap<String, i64> = rows.into_iter().collect();
    let of = |state: &str| rows.get(state).copied().unwrap_or(0);
    Ok(Counts {
        fresh: of(super::NEW),
        there: of(super::THERE),
        wrong: of(super::WRONG),
        created: of(super::CREATED),
        refused: of(super::REFUSED),
        left: of(super::LEFT),
    })
}

/// One line with what became of it.
#[derive(Debug, Clone)]
pub struct Shown {
    pub state: String,
    pub parent_line: Option<i64>,
    pub parent_id: Option<String>,
    pub account_id: Option<String>,
    pub reason: String,
    pub line: Line,
}

type ShownRow = (i64, String, Option<i64>, Option<String>, Option<String>, String, String);
type ShownColumns =
    (lines::line, lines::state, lines::parent_line, lines::parent_id, lines::account_id, lines::reason, lines::data);
const SHOWN: ShownColumns =
    (lines::line, lines::state, lines::parent_line, lines::parent_id, lines::account_id, lines::reason, lines::data);

fn shown_of((number, state, parent_line, parent_id, account_id, reason, data): ShownRow) -> Result<Shown, Problem> {
    let line = Line { line: number, ..serde_json::from_str(&data)? };
    Ok(Shown { state, parent_line, parent_id, account_id, reason, line })
}

/// Lines in the order of the file, at most `limit + 1`; `states`: only those in these, if there are any.
pub fn page(db: &mut Db, import: Key, states: &[&str], want: &Want, limit: usize) -> Result<Vec<Shown>, Problem> {
    let mut query = lines::table.filter(lines::import_key.eq(import)).into_boxed::<MultiBackend>();
    if !states.is_empty() {
        let states: Vec<String> = states.iter().map(|state| (*state).to_owned()).collect();
        query = query.filter(lines::state.eq_any(states));
    }
    query = match want {
        Want::After(cursor) => query.filter(lines::line.gt(cursor.1)),
        Want::Before(cursor) => query.filter(lines::line.lt(cursor.1)),
        Want::First | Want::Last => query,
    };
    query = if is_backward(want) { query.order(lines::line.desc()) } else { query.order(lines::line.asc()) };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    query.limit(limit).select(SHOWN).load::<ShownRow>(db)?.into_iter().map(shown_of).collect()
}

/// Lines that are to be made, parents first.
pub fn next(db: &mut Db, import: Key, most: i64) -> Result<Vec<Shown>, Problem> {
    let waiting = lines::table.filter(lines::import_key.eq(import)).filter(lines::state.eq(super::NEW));
    let rows = waiting.order(lines::turn).limit(most).select(SHOWN).load::<ShownRow>(db)?;
    rows.into_iter().map(shown_of).collect()
}

/// What became of these lines: state and account.
pub fn became(db: &mut Db, import: Key, which: &[i64]) -> Result<HashMap<i64, Option<String>>, Problem> {
    let rows = lines::table.filter(lines::import_key.eq(import)).filter(lines::line.eq_any(which.to_vec()));
    Ok(rows.select((lines::line, lines::account_id)).load::<(i64, Option<String>)>(db)?.into_iter().collect())
}

/// Notes what became of a line.
pub fn settle(
    db: &mut Db,
    import: Key,
    line: i64,
    state: &'static str,
    account: Option<&str>,
    reason: &str,
) -> Result<(), Problem> {
    diesel::update(lines::table.find((import, line)))
        .set((lines::state.eq(state), lines::account_id.eq(account), lines::reason.eq(reason)))
        .execute(db)?;
    Ok(())
}

/// All lines in one state go over to another.
pub fn leave(db: &mut Db, import: Key, from: &str, reason: Option<&str>) -> Result<(), Problem> {
    let which = lines::table.filter(lines::import_key.eq(import)).filter(lines::state.eq(from));
    match reason {
        Some(reason) => {
            diesel::update(which).set((lines::state.eq(super::LEFT), lines::reason.eq(reason))).execute(db)?
        }
        None => diesel::update(which).set(lines::state.eq(super::LEFT)).execute(db)?,
    };
    Ok(())
}
