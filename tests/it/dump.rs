//! The whole database as lines of text, to see whether anything changed. Left out are the tables and the columns that
//! change when somebody merely looks around: sessions, throttles, recents, kept forms, the account used last, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::world::World;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

const TRACES: [&str; 4] = ["sessions", "throttles", "recents", "kept_forms"];
const TRACE_COLUMNS: [&str; 2] = ["last_account_key", "last_seen_at"];

/// Every row that counts, each with the name of its table.
pub fn dump(world: &World) -> BTreeSet<String> {
    lines(world, &statement(world, true)).into_iter().collect()
}

/// Really every row.
pub fn dump_everything(world: &World) -> BTreeSet<String> {
    lines(world, &statement(world, false)).into_iter().collect()
}

/// One statement for all tables. All worlds have the same ones, so it is put together once for each kind of database.
fn statement(world: &World, counted_only: bool) -> String {
    static KNOWN: Mutex<BTreeMap<(bool, bool), String>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().expect("nobody panicked while reading the tables");
    let make = || {
        let counted = |table: &&String| !counted_only || !TRACES.contains(&table.as_str());
        let rows: Vec<String> = tables(world).iter().filter(counted).map(|table| rows(world, table)).collect();
        rows.join(" UNION ALL ")
    };
    known.entry((world.place().is_postgres(), counted_only)).or_insert_with(make).clone()
}

/// Says which rows came and went, the first of them.
#[track_caller]
pub fn assert_unchanged(before: &BTreeSet<String>, world: &World, what: &str) {
    let after = dump(world);
    let gone: Vec<_> = before.difference(&after).take(5).collect();
    let new: Vec<_> = after.difference(before).take(5).collect();
    assert!(gone.is_empty() && new.is_empty(), "{what} changed the database:\n-{gone:#?}\n+{new:#?}");
}

fn lines(world: &World, sql: &str) -> Vec<String> {
    let found = world.read(|db| Ok(diesel::sql_query(sql).load::<Line>(db)?)).expect("the dump's query runs");
    found.into_iter().map(|row| row.line).collect()
}

pub fn tables(world: &World) -> Vec<String> {
    let sql = if world.place().is_postgres() {
        "SELECT table_name::text AS line FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
    } else {
        "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'account_text%'
         ORDER BY 1"
    };
    lines(world, sql).into_iter().filter(|name| !name.starts_with("__diesel")).collect()
}

pub fn columns(world: &World, table: &str) -> Vec<String> {
    let sql = if world.place().is_postgres() {
        format!(
            "SELECT column_name::text AS line FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position"
        )
    } else {
        format!("SELECT name AS line FROM pragma_table_info('{table}')")
    };
    lines(world, &sql)
}

fn rows(world: &World, table: &str) -> String {
    let text = |c: &String| format!("COALESCE(CAST(\"{c}\" AS TEXT), '~')");
    let kept: Vec<String> =
        columns(world, table).iter().filter(|c| !TRACE_COLUMNS.contains(&c.as_str())).map(text).collect();
    format!("SELECT '{table}: ' || {} AS line FROM \"{table}\"", kept.join(" || '|' || "))
}
