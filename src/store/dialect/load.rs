//! Filling a database with millions of rows: indexes, keys and references are taken away first and made again from the
//! finished tables, which sorts once instead of searching for each row and still refuses what does not fit.

use std::fmt::Write;

use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamp};

use super::Db;
use crate::store::bulk::{Column, Values};

/// Settings of this connection for a load into a database that nobody else uses. What is interrupted is lost: an SQLite
/// file keeps no journal meanwhile.
pub fn prepare_load(db: &mut Db) -> QueryResult<()> {
    match db {
        Db::Sqlite(c) => c.batch_execute(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF; PRAGMA cache_size=-1048576;
             PRAGMA locking_mode=EXCLUSIVE; PRAGMA threads=2;",
        ),
        Db::Postgres(c) => c.batch_execute(
            "SET statement_timeout = 0; SET lock_timeout = 0; SET maintenance_work_mem = '512MB'; SET work_mem = '256MB';
             SET max_parallel_workers_per_gather = 2",
        ),
    }
}

/// Takes indexes, keys and references away, in the transaction that is open; answers the statements that make them
/// again, in their order.
pub fn strip(db: &mut Db) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Part {
        #[diesel(sql_type = Text)]
        away: String,
        #[diesel(sql_type = Text)]
        again: String,
    }
    let sql = match db {
        Db::Sqlite(_) => {
            "SELECT 'DROP INDEX ' || name AS away, sql AS again FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
             ORDER BY name"
        }
        Db::Postgres(_) => {
            "SELECT away, again FROM (
                SELECT CASE contype WHEN 'f' THEN 0 ELSE 1 END AS place, conname AS name,
                    format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS away,
                    format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
                        pg_get_constraintdef(oid)) AS again
                FROM pg_constraint
                WHERE contype IN ('f', 'p', 'u') AND connamespace = CAST(current_schema() AS regnamespace)
                UNION ALL
                SELECT 2, c.relname, format('DROP INDEX %I', c.relname), pg_get_indexdef(i.indexrelid)
                FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                WHERE c.relnamespace = CAST(current_schema() AS regnamespace)
                  AND NOT EXISTS (SELECT 1 FROM pg_constraint x WHERE x.conindid = i.indexrelid AND x.contype IN ('p', 'u'))
             ) part ORDER BY place, name"
        }
    };
    let parts: Vec<Part> = diesel::sql_query(sql).load(db)?;
    for part in &parts {
        diesel::sql_query(&part.away).execute(db)?;
    }
    // References last: they ask for the keys.
    Ok(parts.into_iter().rev().map(|part| part.again).collect())
}

/// After the transaction: what the planner wants to know, and the settings of every day.
pub fn end_load(db: &mut Db) -> QueryResult<()> {
    match db {
        Db::Sqlite(c) => c.batch_execute("PRAGMA analysis_limit=1000; ANALYZE; PRAGMA journal_mode=WAL;"),
        Db::Postgres(c) => c.batch_execute("VACUUM ANALYZE"),
    }
}

/// One statement for all rows of these columns, which are of one length.
pub fn insert_columns(db: &mut Db, table: &str, columns: &[Column]) -> QueryResult<()> {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let names = names.join(", ");
    match db {
        // Values as text: a statement that is parsed once costs less here than one that is bound for each row.
        Db::Sqlite(c) => c.batch_execute(&format!("INSERT INTO {table} ({names}) VALUES {}", tuples(columns))),
        Db::Postgres(c) => {
            let places: Vec<String> =
                (1..).zip(columns).map(|(n, column)| format!("${n}::{}", array(column))).collect();
            let sql = format!("INSERT INTO {table} ({names}) SELECT * FROM unnest({})", places.join(", "));
            let mut statement = diesel::sql_query(sql).into_boxed::<Pg>();
            for column in columns {
                statement = match &column.values {
                    Values::Int(all) => statement.bind::<Array<Nullable<BigInt>>, _>(all),
                    Values::Text(all) => statement.bind::<Array<Text>, _>(all),
                    Values::Bool(all) => statement.bind::<Array<Bool>, _>(all),
                    Values::Time(all) => statement.bind::<Array<Nullable<Timestamp>>, _>(all),
                };
            }
            statement.execute(c).map(|_| ())
        }
    }
}

fn array(column: &Column) -> &'static str {
    match column.values {
        Values::Int(_) => "bigint[]",
        Values::Text(_) => "text[]",
        Values::Bool(_) => "boolean[]",
        Values::Time(_) => "timestamp[]",
    }
}

fn tuples(columns: &[Column]) -> String {
    let rows = columns.first().map_or(0, |column| column.values.len());
    let mut text = String::with_capacity(rows * columns.len() * 16);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for (n, column) in columns.iter().enumerate() {
            if n > 0 {
                text.push(',');
            }
            literal(&mut text, &column.values, row);
        }
        text.push(')');
    }
    text
}

fn literal(text: &mut String, values: &Values, row: usize) {
    let written = match values {
        Values::Int(all) => match all[row] {
            Some(value) => write!(text, "{value}"),
            None => write!(text, "NULL"),
        },
        Values::Bool(all) => write!(text, "{}", u8::from(all[row])),
        // As diesel writes a moment, so that both compare.
        Values::Time(all) => match all[row] {
            Some(value) => write!(text, "'{}'", value.format("%F %T%.f")),
            None => write!(text, "NULL"),
        },
        Values::Text(all) => write!(text, "'{}'", all[row].replace('\'', "''")),
    };
    written.expect("a string takes everything");
}
