//! Rows of imports. Every query by id takes the account; a person's draft is theirs alone.

use chrono::{Duration, NaiveDateTime};
use diesel::dsl::exists;
use diesel::prelude::*;

use super::{CREATED, Import, State};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::store::schema::{account_import_lines as lines, account_imports as imports, users};

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

/// The latest import of the same file into this account that created something, or is about to, and when it was started.
pub fn same_file(db: &mut Db, import: &Import) -> Result<Option<(String, NaiveDateTime)>, Problem> {
    let created = lines::table.filter(lines::import_key.eq(imports::key)).filter(lines::state.eq(CREATED));
    Ok(imports::table
        .filter(imports::account_key.eq(import.account))
        .filter(imports::digest.eq(&import.digest))
        .filter(imports::started_at.is_not_null())
        .filter(imports::key.ne(import.key))
        .filter(imports::state.eq(State::Running.code()).or(exists(created)))
        .order(imports::key.desc())
        .select((imports::id, imports::started_at.assume_not_null()))
        .first(db)
        .optional()?)
}

/// Writes a draft; the oldest of too many goes.
pub fn insert(db: &mut Db, new: &Import) -> Result<(), Problem> {
    let own = imports::table.filter(imports::user_key.eq(new.user)).filter(imports::state.eq(State::Draft.code()));
    let kept: Vec<Key> = own.order(imports::key.desc()).limit(MOST_DRAFTS - 1).select(imports::key).load(db)?;
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

/// Drafts of yesterday, and results that nobody needs any more.
pub fn forget_old(db: &mut Db) -> Result<usize, Problem> {
    let now = ids::now();
    let drafts = imports::table.filter(imports::state.eq(State::Draft.code()));
    let drafts = drafts.filter(imports::created_at.lt(now - Duration::days(1)));
    let old = imports::table.filter(imports::finished_at.lt(now - Duration::days(super::KEPT_DAYS)));
    Ok(diesel::delete(drafts).execute(db)? + diesel::delete(old).execute(db)?)
}
