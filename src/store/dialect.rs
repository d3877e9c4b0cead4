//! The only place that knows which database it speaks to: connecting by URL, pragmas, transaction kinds, locks, and
//! the few pieces of schema that one dialect alone can say.

mod keys;
mod load;
mod run;
mod shape;
mod text;

use diesel::connection::{AnsiTransactionManager, Connection, SimpleConnection, TransactionManager};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::r2d2::{Error as PoolError, R2D2Connection};
use diesel::sql_types::BigInt;
use diesel::sqlite::SqliteConnection;

use crate::config::DatabaseUrl;
use crate::ids::Key;
pub use keys::{list_of, one_of};
pub use load::{end_load, insert_columns, prepare_load, strip};
pub use run::{Run, Said, Value, said, said_once};
pub use shape::{MIGRATIONS, Shaped, reshape};
pub use text::{with_id, with_tag, with_text};

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Db {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// How a pool opens its connections. diesel's own way tries each database in turn and hides why it failed.
#[derive(Debug, Clone)]
pub struct Manager {
    pub url: DatabaseUrl,
    /// Connections for pages refuse to write, whatever the code does.
    pub read_only: bool,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Db;
    type Error = PoolError;

    fn connect(&self) -> Result<Db, PoolError> {
        match &self.url {
            DatabaseUrl::Sqlite(path) => open_sqlite(path, self.read_only).map(Db::Sqlite),
            DatabaseUrl::Postgres(url) => open_postgres(url, self.read_only).map(Db::Postgres),
        }
    }

    fn is_valid(&self, db: &mut Db) -> Result<(), PoolError> {
        match db {
            // A file has no connection that could be lost; a round trip saved at every request.
            Db::Sqlite(_) => Ok(()),
            Db::Postgres(c) => c.ping().map_err(PoolError::QueryError),
        }
    }

    fn has_broken(&self, db: &mut Db) -> bool {
        std::thread::panicking() || R2D2Connection::is_broken(db)
    }
}

/// Makes the file if it is not there, for nobody else to read: it holds people's contracts, and its own key.
fn private(file: &str) {
    use std::os::unix::fs::OpenOptionsExt;
    if file != ":memory:" {
        // One that is there stays as it is; what else is wrong, SQLite says.
        let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    }
}

fn open_sqlite(path: &str, read_only: bool) -> Result<SqliteConnection, PoolError> {
    private(path);
    let mut c = SqliteConnection::establish(path).map_err(PoolError::ConnectionError)?;
    // busy_timeout first: the switch to WAL itself may have to wait for another connection.
    // The cache holds what a page of a large tree reads here and there: with half as much, lists of everything below and
    // readiness take twice as long. Two cores keep some six connections busy.
    c.batch_execute(
        "PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;
         PRAGMA trusted_schema=OFF; PRAGMA cache_size=-12288;",
    )
    .map_err(PoolError::QueryError)?;
    if read_only {
        c.batch_execute("PRAGMA query_only=ON").map_err(PoolError::QueryError)?;
    }
    Ok(c)
}

/// A connection for looking at a database that may be somebody else's: it changes nothing, not even a setting.
pub fn peek(url: &DatabaseUrl) -> anyhow::Result<Db> {
    Ok(match url {
        DatabaseUrl::Sqlite(path) => {
            let escaped = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
            Db::Sqlite(SqliteConnection::establish(&format!("file:{escaped}?mode=ro"))?)
        }
        DatabaseUrl::Postgres(url) => Db::Postgres(open_postgres(url, true)?),
    })
}

fn open_postgres(url: &str, read_only: bool) -> Result<PgConnection, PoolError> {
    let mut c = PgConnection::establish(url).map_err(PoolError::ConnectionError)?;
    // Pages ask for a few rows by their keys. With the costs of turning disks, and with helpers at hand, the planner would
    // rather read a large table whole.
    c.batch_execute(
        "SET TIME ZONE 'UTC'; SET jit = off; SET lock_timeout = '5s'; SET statement_timeout = '30s';
         SET client_min_messages = warning; SET random_page_cost = 1.1; SET max_parallel_workers_per_gather = 0",
    )
    .map_err(PoolError::QueryError)?;
    if read_only {
        c.batch_execute("SET default_transaction_read_only = on").map_err(PoolError::QueryError)?;
    }
    Ok(c)
}

/// Opens a transaction whose reads all see one moment.
pub fn begin_read(db: &mut Db) -> QueryResult<()> {
    match db {
        Db::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN"),
        Db::Postgres(c) => {
            AnsiTransactionManager::begin_transaction_sql(c, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        }
    }
}

/// Opens a transaction that may write; on SQLite it takes the one write lock before it reads anything, because a
/// read that turns into a write later fails when another writer came between.
pub fn begin_write(db: &mut Db) -> QueryResult<()> {
    match db {
        Db::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
        Db::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN ISOLATION LEVEL READ COMMITTED"),
    }
}

/// Whether a transaction is open on this connection.
pub fn in_transaction(db: &mut Db) -> bool {
    <Db as Connection>::TransactionManager::transaction_manager_status_mut(db)
        .transaction_depth()
        .is_ok_and(|depth| depth.is_some())
}

/// Takes the lock of one tree of accounts (by its root) until the transaction ends: everything that depends on
/// ancestors, members, agreements or the payer is checked and written under it. SQLite's write lock is that lock.
pub fn lock_tree(db: &mut Db, root: Key) -> QueryResult<()> {
    match db {
        Db::Sqlite(_) => Ok(()),
        Db::Postgres(c) => {
            diesel::sql_query("SELECT pg_advisory_xact_lock($1)").bind::<BigInt, _>(root).execute(c).map(|_| ())
        }
    }
}

/// For the rest of this transaction, statements are planned for the values they come with. A plan made once for all
/// values takes a rare word for a frequent one and reads a table of millions in order.
pub fn plan_for_values(db: &mut Db) -> QueryResult<()> {
    match db {
        Db::Sqlite(_) => Ok(()),
        Db::Postgres(c) => c.batch_execute("SET LOCAL plan_cache_mode = force_custom_plan"),
    }
}

/// Tells the planner how much there is, where the database does not do that by itself. Quick: it looks at tables that
/// grew a great deal, and at a part of them.
pub fn refresh_statistics(db: &mut Db) -> QueryResult<()> {
    match db {
        Db::Sqlite(c) => c.batch_execute("PRAGMA analysis_limit=400; PRAGMA optimize=0x10002"),
        Db::Postgres(_) => Ok(()),
    }
}

/// Held while migrations run, so that instances started together do not run them twice.
pub const MIGRATION_LOCK: i64 = 0x5375_6274_656e;

/// What the shared migration cannot say: rows that may never change or vanish, and text that sorts by its bytes.
/// Safe to run at every start.
pub fn finish_schema(db: &mut Db) -> QueryResult<()> {
    match db {
        Db::Sqlite(c) => c.batch_execute(&sqlite_triggers()),
        Db::Postgres(c) => c.batch_execute(&postgres_finish()),
    }?;
    text::finish(db)
}

/// Tables whose rows are evidence.
const APPEND_ONLY: [&str; 4] = ["audit_entries", "audit_scope", "consents", "legal_documents"];

fn sqlite_triggers() -> String {
    APPEND_ONLY
        .iter()
        .flat_map(|table| ["UPDATE", "DELETE"].map(|act| (table, act)))
        .map(|(table, act)| {
            format!(
                "CREATE TRIGGER IF NOT EXISTS {table}_no_{} BEFORE {act} ON {table}
                 BEGIN SELECT RAISE(ABORT, '{table}: rows are only ever added'); END;\n",
                act.to_lowercase()
            )
        })
        .collect()
}

fn postgres_finish() -> String {
    let triggers: String = APPEND_ONLY
        .iter()
        .map(|table| {
            format!(
                "DO $$ BEGIN
                   IF NOT EXISTS (SELECT 1 FROM pg_trigger
                                  WHERE tgrelid = '{table}'::regclass AND tgname = '{table}_append_only') THEN
                     CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
                     FOR EACH STATEMENT EXECUTE FUNCTION rows_are_only_ever_added();
                   END IF;
                 END $$;\n"
            )
        })
        .collect();
    format!(
        "CREATE OR REPLACE FUNCTION rows_are_only_ever_added() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION '%: rows are only ever added', TG_TABLE_NAME; END $$;
         {triggers}
         DO $$ DECLARE wrong RECORD; BEGIN
           FOR wrong IN SELECT a.attrelid::regclass AS of_table FROM pg_attribute a
                        JOIN pg_collation c ON c.oid = a.attcollation
                        WHERE a.attrelid = ANY (ARRAY['accounts', 'account_ancestry', 'networks', 'ports', 'connections']::regclass[])
                          AND a.attname = 'name_key' AND c.collname <> 'C' LOOP
             EXECUTE format('ALTER TABLE %s ALTER COLUMN name_key TYPE TEXT COLLATE \"C\"', wrong.of_table);
           END LOOP;
         END $$;"
    )
}

/// Runs the act while no other process migrates this database.
pub fn with_migration_lock<T>(db: &mut Db, act: impl FnOnce(&mut Db) -> anyhow::Result<T>) -> anyhow::Result<T> {
    if let Db::Postgres(c) = db {
        c.batch_execute(&format!(
            "SET statement_timeout = 0; SET lock_timeout = 0; SELECT pg_advisory_lock({MIGRATION_LOCK})"
        ))?;
    }
    let done = act(db);
    if let Db::Postgres(c) = db {
        c.batch_execute(&format!("SELECT pg_advisory_unlock({MIGRATION_LOCK})"))?;
    }
    done
}

/// Reasons not to run on this database at all: a PostgreSQL that may lose what it acknowledged.
pub fn refuse_unsafe(db: &mut Db) -> anyhow::Result<()> {
    #[derive(QueryableByName)]
    struct Setting {
        #[diesel(sql_type = diesel::sql_types::Text)]
        value: String,
    }
    if let Db::Postgres(c) = db {
        let fsync: Setting = diesel::sql_query("SELECT current_setting('fsync') AS value").get_result(c)?;
        anyhow::ensure!(fsync.value == "on", "this PostgreSQL runs with fsync = off and may lose what it acknowledged");
    }
    Ok(())
}

/// Writes a copy of the database as of one moment into a file that does not exist; false where that is not ours to do.
pub fn copy_into(db: &mut Db, file: &str) -> QueryResult<bool> {
    match db {
        Db::Sqlite(c) => {
            private(file);
            diesel::sql_query("VACUUM INTO $1").bind::<diesel::sql_types::Text, _>(file).execute(c).map(|_| true)
        }
        Db::Postgres(_) => Ok(false),
    }
}

/// The names of all tables there are.
pub fn tables(db: &mut Db) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Table {
        #[diesel(sql_type = diesel::sql_types::Text)]
        name: String,
    }
    let sql = match db {
        Db::Sqlite(_) => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'account_text%' ORDER BY name"
        }
        Db::Postgres(_) => {
            "SELECT CAST(table_name AS TEXT) AS name FROM information_schema.tables
             WHERE table_schema = current_schema() ORDER BY table_name"
        }
    };
    let rows: Vec<Table> = diesel::sql_query(sql).load(db)?;
    Ok(rows.into_iter().map(|table| table.name).collect())
}
