//! The shape of tables on SQLite. A key that is a number is the row's own number, and a table with a key of several columns
//! is kept in the order of that key: otherwise SQLite keeps such a table twice, in the order in which rows came and as an
//! index of keys, and looks in both. <https://www.sqlite.org/withoutrowid.html>

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationMetadata, MigrationName, MigrationSource, Result as Migrated};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use rust_embed::RustEmbed;

use super::{Db, MultiBackend};

/// The migrations for both databases.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Their text, which the constant above does not give.
#[derive(RustEmbed)]
#[folder = "migrations"]
struct Texts;

/// The migrations as this database takes them.
pub struct Shaped {
    sqlite: bool,
}

impl Shaped {
    pub fn of(db: &Db) -> Shaped {
        Shaped { sqlite: matches!(db, Db::Sqlite(_)) }
    }
}

impl MigrationSource<MultiBackend> for Shaped {
    fn migrations(&self) -> Migrated<Vec<Box<dyn Migration<MultiBackend>>>> {
        let all: Vec<Box<dyn Migration<MultiBackend>>> = MIGRATIONS.migrations()?;
        if !self.sqlite {
            return Ok(all);
        }
        Ok(all.into_iter().map(|one| Box::new(OnSqlite(one)) as Box<dyn Migration<MultiBackend>>).collect())
    }
}

struct OnSqlite(Box<dyn Migration<MultiBackend>>);

impl Migration<MultiBackend> for OnSqlite {
    fn run(&self, db: &mut dyn diesel::connection::BoxableConnection<MultiBackend>) -> Migrated<()> {
        let name = format!("{}/up.sql", self.0.name());
        let file = Texts::get(&name).ok_or_else(|| format!("{name} is missing"))?;
        Ok(db.batch_execute(&text(&file).split_inclusive("\n);").map(shaped).collect::<String>())?)
    }

    fn revert(&self, db: &mut dyn diesel::connection::BoxableConnection<MultiBackend>) -> Migrated<()> {
        self.0.revert(db)
    }

    fn metadata(&self) -> &dyn MigrationMetadata {
        self.0.metadata()
    }

    fn name(&self) -> &dyn MigrationName {
        self.0.name()
    }
}

/// The statement that makes a table, whatever stands before it, in this shape.
fn shaped(statement: &str) -> String {
    let text = statement.replace(" BIGINT NOT NULL PRIMARY KEY", " INTEGER NOT NULL PRIMARY KEY");
    let end = text.trim_end().trim_end_matches(';');
    if !end.contains(" PRIMARY KEY (") || !end.ends_with(')') {
        return text;
    }
    format!("{end} WITHOUT ROWID{}", &text[end.len()..])
}

/// Makes tables again that were made before there was this shape, with all their rows, when a program that knows it first
/// opens such a file. Each in a transaction of its own: killed in between, the next start goes on. Others cannot write
/// meanwhile. Needs room for the largest table twice; what becomes free stays in the file and is used again.
pub fn reshape(db: &mut Db) -> QueryResult<()> {
    let Db::Sqlite(c) = db else { return Ok(()) };
    let old = old_tables(c)?;
    if old.is_empty() {
        return Ok(());
    }
    tracing::warn!(
        tables = old.len(),
        "the tables of this file get another shape, which takes minutes where it is large"
    );
    // The first two are not heard within a transaction. The last: rows are sorted.
    c.batch_execute("PRAGMA foreign_keys=OFF; PRAGMA legacy_alter_table=ON; PRAGMA cache_size=-262144;")?;
    let done = old.iter().try_for_each(|table| {
        tracing::warn!(table = table.name, "is made again");
        c.immediate_transaction(|c| make_again(c, &table.name))?;
        c.batch_execute("PRAGMA wal_checkpoint(TRUNCATE);")
    });
    c.batch_execute("PRAGMA legacy_alter_table=OFF; PRAGMA foreign_keys=ON;")?;
    done?;
    // What was counted of indexes stands under their names of before.
    c.batch_execute("PRAGMA analysis_limit=1000; ANALYZE;")
}

/// Our tables that have the shape of before.
fn old_tables(c: &mut SqliteConnection) -> QueryResult<Vec<Part>> {
    let tables: Vec<Part> =
        diesel::sql_query("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name").load(c)?;
    let ours: String = Texts::iter().filter_map(|file| Texts::get(&file)).map(|file| text(&file)).collect();
    let is_ours = |table: &Part| ours.contains(&format!("CREATE TABLE {} (", table.name));
    Ok(tables.into_iter().filter(|table| is_ours(table) && shaped(&table.sql) != table.sql).collect())
}

fn text(file: &rust_embed::EmbeddedFile) -> String {
    String::from_utf8_lossy(&file.data).into_owned()
}

#[derive(QueryableByName)]
struct Part {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    sql: String,
}

fn make_again(c: &mut SqliteConnection, name: &str) -> QueryResult<()> {
    // Another process may have been faster.
    let Some(table) = old_tables(c)?.into_iter().find(|table| table.name == name) else { return Ok(()) };
    let parts: Vec<Part> = diesel::sql_query(
        "SELECT name, sql FROM sqlite_master WHERE tbl_name = $1 AND type IN ('index', 'trigger') AND sql IS NOT NULL",
    )
    .bind::<Text, _>(name)
    .load(c)?;
    let sql = shaped(&table.sql);
    // In the order in which they will lie: millions of rows are added at the end, not here and there.
    let key =
        sql.split_once(" PRIMARY KEY (").and_then(|(_, rest)| rest.split_once(')')).map_or("rowid", |(key, _)| key);
    c.batch_execute(&format!(
        "ALTER TABLE {name} RENAME TO before_shape; {sql};
         INSERT INTO {name} SELECT * FROM before_shape NOT INDEXED ORDER BY {key};
         DROP TABLE before_shape;"
    ))?;
    parts.iter().try_for_each(|part| c.batch_execute(&part.sql))
}

#[cfg(test)]
mod tests {
    use diesel::connection::Connection;
    use diesel_migrations::MigrationHarness;

    use super::super::finish_schema;
    use super::*;

    fn texts(db: &mut Db, sql: &str) -> Vec<String> {
        let Db::Sqlite(c) = db else { panic!("on SQLite") };
        let rows: Vec<Part> = diesel::sql_query(sql).load(c).expect("it is readable");
        rows.into_iter().map(|row| format!("{} {}", row.name, row.sql)).collect()
    }

    const SCHEMA: &str =
        "SELECT name, COALESCE(sql, '') AS sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY name";
    const ACCOUNTS: &str = "SELECT CAST(key AS TEXT) AS name, id || name || depth AS sql FROM accounts ORDER BY key";
    const CHAINS: &str =
        "SELECT CAST(descendant_key AS TEXT) AS name, ancestor_key || ':' || distance || name_key AS sql
                          FROM account_ancestry ORDER BY descendant_key, ancestor_key";
    const FOUND: &str =
        "SELECT CAST(rowid AS TEXT) AS name, '' AS sql FROM account_text WHERE account_text MATCH 'Lab' ORDER BY rowid";

    #[test]
    fn a_file_of_before_gets_the_shape_of_a_new_one_and_keeps_its_rows() {
        let mut old = Db::Sqlite(SqliteConnection::establish(":memory:").expect("a database"));
        old.run_pending_migrations(MIGRATIONS).expect("the schema");
        finish_schema(&mut old).expect("its end");
        let Db::Sqlite(c) = &mut old else { unreachable!() };
        c.batch_execute(
            "PRAGMA foreign_keys=ON; BEGIN;
             INSERT INTO accounts (key, id, parent_key, parent_depth, root_key, depth, name, name_key, description,
                 contacts, created_at)
             VALUES (7, 'ac-a', NULL, NULL, 7, 0, 'Acme', 'acme', '', '', '2026-11-30 00:00:00'),
                    (9, 'ac-b', 7, 0, 7, 1, 'Lab', 'Lab', '', '', '2026-11-30 00:00:00');
             INSERT INTO account_ancestry (descendant_key, ancestor_key, distance, name_key)
             VALUES (7, 7, 0, 'acme'), (9, 9, 0, 'Lab'), (9, 7, 1, 'Lab');
             COMMIT;",
        )
        .expect("two accounts");
        c.batch_execute("ANALYZE").expect("statistics");
        let before = [ACCOUNTS, CHAINS, FOUND].map(|sql| texts(&mut old, sql));
        reshape(&mut old).expect("the shape");
        finish_schema(&mut old).expect("its end");
        assert_eq!([ACCOUNTS, CHAINS, FOUND].map(|sql| texts(&mut old, sql)), before);
        assert_eq!(before.map(|rows| rows.len()), [2, 3, 1]);

        let mut new = Db::Sqlite(SqliteConnection::establish(":memory:").expect("a database"));
        new.run_pending_migrations(Shaped::of(&new)).expect("the schema");
        finish_schema(&mut new).expect("its end");
        let words = |schema: Vec<String>| -> Vec<String> {
            schema.iter().map(|part| part.split_whitespace().collect::<Vec<_>>().join(" ").replace('"', "")).collect()
        };
        let (made, reshaped) = (words(texts(&mut new, SCHEMA)), words(texts(&mut old, SCHEMA)));
        assert_eq!(made, reshaped);
        assert!(
            made.iter().any(|part| part.contains("CREATE TABLE account_ancestry") && part.ends_with("WITHOUT ROWID"))
        );
        assert!(!made.concat().contains("BIGINT NOT NULL PRIMARY KEY"));
        let Db::Sqlite(c) = &mut old else { unreachable!() };
        assert!(c.batch_execute("DELETE FROM accounts WHERE key = 7").is_err(), "references hold");
        let chains = "SELECT idx AS name, stat AS sql FROM sqlite_stat1 WHERE tbl = 'account_ancestry' ORDER BY idx";
        let counted = texts(&mut old, chains);
        assert!(counted.iter().any(|index| index == "account_ancestry 3 2 1"), "{counted:?}");
    }
}
