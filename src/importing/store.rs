//! Rows of imports and their lines, some hundred to a statement. Every query by id takes the account; a person's draft is
//! theirs alone.

use std::collections::HashMap;

use chrono::{Duration, NaiveDateTime};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::lines::Line;
use super::{Counts, Import, State};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::store::schema::{account_import_lines as lines, account_imports as imports, users};
use crate::web::paging::{Want, is_backward};

/// Lines written in one statement.
const AT_ONCE: usize = 200;
/// Drafts that one person keeps, over all accounts.
const MOST_DRAFTS: i64 = 5;
/// Imports that are listed.
const LISTED: i64 = 20;

type Row = (Key, String, Key, Key, String, String, String, String, bool, String, String, Times);
type Times = (i64, NaiveDateTime, Option<NaiveDateTime>, Option<NaiveDateTime>);
type TimeColumns = (imports::lines, imports::created_at, imports::started_at, imports::finished_at);
type Columns = (
    imports::key,
    imports::id,
    imports::account_key,
    imports::user_key,
    imports::state,
    imports::file_name,
    imports::digest,
    imports::head,
    imports::second_factor,
    imports::address,
    imports::user_agent,
    TimeColumns,
);
const COLUMNS: Columns = (
    imports::key,
    imports::id,
    imports::account_key,
    imports::user_key,
    imports::state,
    imports::file_name,
    imports::digest,
    imports::head,
    imports::second_factor,
    imports::address,
    imports::user_agent,
    (imports::lines, imports::created_at, imports::started_at, imports::finished_at),
);

fn import_of((row, first, last): (Row, String, String)) -> Result<Import, Problem> {
    let (key, id, account, user, state, file_name, digest, head, second_factor, address, user_agent, times) = row;
    let (lines, created_at, started_at, finished_at) = times;
    Ok(Import {
        key,
        id,
        account,
        user,
        user_name: format!("{first} {last}"),
        state: State::of_code(&state)?,
        file_name,
        digest,
        head: serde_json::from_str(&head)?,
        second_factor,
        address,
        user_agent,
        lines,
        created_at,
        started_at,
        finished_at,
    })
}

const WHO: (users::first_name, users::last_name) = (users::first_name, users::last_name);

/// One of this account that the person may see: their own, and, where `all`, those that were started.
pub fn one(db: &mut Db, account: Key, user: Key, all: bool, id: &str) -> Result<Import, Problem> {
    if !ids::looks_like_id("import", id) {
        return Err(Problem::NotFound);
    }
    let of_account = imports::table.filter(imports::account_key.eq(account)).filter(imports::id.eq(id));
    let rows = of_account.inner_join(users::table.on(users::key.eq(imports::user_key)));
    let (row, (first, last)) = rows.select((COLUMNS, WHO)).first::<(Row, (String, String))>(db)?;
    let import = import_of((row, first, last))?;
    let seen = import.user == user || (all && import.state != State::Draft);
    if seen { Ok(import) } else { Err(Problem::NotFound) }
}

pub fn by_key(db: &mut Db, key: Key) -> Result<Import, Problem> {
    let rows = imports::table.find(key).inner_join(users::table.on(users::key.eq(imports::user_key)));
    let (row, (first, last)) = rows.select((COLUMNS, WHO)).first::<(Row, (String, String))>(db)?;
    import_of((row, first, last))
}

/// The latest of the account that the person may see.
pub fn latest(db: &mut Db, account: Key, user: Key, all: bool) -> Result<Vec<Import>, Problem> {
    let mut rows = imports::table
        .inner_join(users::table.on(users::key.eq(imports::user_key)))
        .filter(imports::account_key.eq(account))
        .into_boxed::<MultiBackend>();
    rows = if all {
        rows.filter(imports::user_key.eq(user).or(imports::state.ne(State::Draft.code())))
    } else {
        rows.filter(imports::user_key.eq(user))
    };
    let rows = rows.order(imports::key.desc()).limit(LISTED).select((COLUMNS, WHO));
    let found = rows.load::<(Row, (String, String))>(db)?;
    found.into_iter().map(|(row, (first, last))| import_of((row, first, last))).collect()
}

/// The latest import of the same file into this account that was started, and when.
pub fn same_file(db: &mut Db, import: &Import) -> Result<Option<(String, NaiveDateTime)>, Problem> {
    Ok(imports::table
        .filter(imports::account_key.eq(import.account))
        .filter(imports::digest.eq(&import.digest))
        .filter(imports::started_at.is_not_null())
        .filter(imports::key.ne(import.key))
        .order(imports::key.desc())
        .select((imports::id, imports::started_at.assume_not_null()))
        .first(db)
        .optional()?)
}

/// Writes a draft; the oldest of too many goes.
pub fn insert(db: &mut Db, new: &Import) -> Result<(), Problem> {
    let own = imports::table.filter(imports::user_key.eq(new.user)).filter(imports::state.eq(State::Draft.code()));
    let kept: Vec<Key> =
        own.order(imports::key.desc()).limit(MOST_DRAFTS - 1).select(imports::key).load(db)?;
    diesel::delete(own.filter(imports::key.ne_all(kept))).execute(db)?;
    diesel::insert_into(imports::table)
        .values((
            imports::key.eq(new.key),
            imports::id.eq(&new.id),
            imports::account_key.eq(new.account),
            imports::user_key.eq(new.user),
            imports::state.eq(new.state.code()),
            imports::file_name.eq(&new.file_name),
            imports::digest.eq(&new.digest),
            imports::head.eq(serde_json::to_string(&new.head)?),
            imports::second_factor.eq(new.second_factor),
            imports::address.eq(&new.address),
            imports::user_agent.eq(&new.user_agent),
            imports::lines.eq(new.lines),
            imports::created_at.eq(new.created_at),
            imports::claimed_until.eq(new.created_at),
        ))
        .execute(db)?;
    Ok(())
}

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

pub fn insert_lines(db: &mut Db, import: Key, all: &[Stored]) -> Result<(), Problem> {
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
type ShownColumns = (
    lines::line,
    lines::state,
    lines::parent_line,
    lines::parent_id,
    lines::account_id,
    lines::reason,
    lines::data,
);
const SHOWN: ShownColumns = (
    lines::line,
    lines::state,
    lines::parent_line,
    lines::parent_id,
    lines::account_id,
    lines::reason,
    lines::data,
);

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

/// Drafts of yesterday, and results that nobody needs any more.
pub fn forget_old(db: &mut Db) -> Result<usize, Problem> {
    let now = ids::now();
    let drafts = imports::table.filter(imports::state.eq(State::Draft.code()));
    let drafts = drafts.filter(imports::created_at.lt(now - Duration::days(1)));
    let old = imports::table.filter(imports::finished_at.lt(now - Duration::days(super::KEPT_DAYS)));
    Ok(diesel::delete(drafts).execute(db)? + diesel::delete(old).execute(db)?)
}
