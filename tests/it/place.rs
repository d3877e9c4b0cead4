//! Where a test's data is: a fresh database each time, made by copying one that was migrated once for the whole test
//! program. SQLite files are in memory-backed folders where there are such, so that flushing costs nothing; the tests
//! about flushing do not use this. PostgreSQL databases are dropped at the end of their test; the template stays.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use subtenant::server;
use subtenant::store::installation::Purpose;
use tempfile::TempDir;

use crate::world::settings;

pub enum Place {
    File { url: String, _folder: TempDir },
    Database { url: String, name: String },
}

/// The server on which databases may be made, where there is one.
pub fn postgres() -> Option<&'static str> {
    static URL: OnceLock<Option<String>> = OnceLock::new();
    URL.get_or_init(|| std::env::var("TEST_DATABASE_URL").ok().filter(|url| !url.is_empty())).as_deref()
}

impl Place {
    pub fn fresh() -> Place {
        match postgres() {
            Some(server) => Place::fresh_database(server),
            None => Place::fresh_file(),
        }
    }

    fn fresh_file() -> Place {
        let folder = folder();
        let path = folder.path().join("subtenant.db");
        std::fs::copy(template_file(), &path).expect("copying the template");
        Place::File { url: path.display().to_string(), _folder: folder }
    }

    fn fresh_database(server: &str) -> Place {
        static MAKING: Mutex<u32> = Mutex::new(0);
        let template = template_database(server);
        let mut made = MAKING.lock().expect("nobody panicked while making a database");
        *made += 1;
        let name = format!("subtenant_test_{}_{made}", std::process::id());
        on(server, &format!("CREATE DATABASE {name} TEMPLATE {template}"));
        Place::Database { url: url_of(server, &name), name }
    }

    pub fn url(&self) -> &str {
        match self {
            Place::File { url, .. } | Place::Database { url, .. } => url,
        }
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self, Place::Database { .. })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let (Place::Database { name, .. }, Some(server)) = (self, postgres()) {
            on(server, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a temporary folder")
}

/// A migrated file in one piece.
fn template_file() -> &'static PathBuf {
    static TEMPLATE: OnceLock<(PathBuf, TempDir)> = OnceLock::new();
    &TEMPLATE
        .get_or_init(|| {
            let folder = folder();
            let (live, whole) = (folder.path().join("live.db"), folder.path().join("whole.db"));
            migrate(&live.display().to_string());
            let mut c = SqliteConnection::establish(&live.display().to_string()).expect("the template opens");
            // The pool's connections close in the background, and the last one empties the log.
            c.batch_execute("PRAGMA busy_timeout = 10000").expect("a pragma");
            c.batch_execute(&format!("VACUUM INTO '{}'", whole.display())).expect("the template is copied");
            (whole, folder)
        })
        .0
}

fn template_database(server: &str) -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let name = format!("subtenant_template_{}", std::process::id());
        on(server, &format!("CREATE DATABASE {name}"));
        migrate(&url_of(server, &name));
        on(server, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
        on(server, &format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"));
        name
    })
}

fn migrate(url: &str) {
    let config = settings(url).check("unused.db").expect("the settings are right");
    drop(server::prepare(&config, Purpose::Live).expect("the template is migrated"));
}

/// The same server with another database.
fn url_of(server: &str, database: &str) -> String {
    let mut url = url::Url::parse(server).expect("TEST_DATABASE_URL is a URL");
    url.set_path(database);
    url.to_string()
}

fn on(server: &str, statement: &str) {
    let mut c = PgConnection::establish(server).expect("TEST_DATABASE_URL answers");
    c.batch_execute(statement).unwrap_or_else(|e| panic!("{statement}: {e}"));
}

/// Runs a statement on the server of the tests.
pub fn on_server(statement: &str) {
    on(postgres().expect("a server"), statement);
}

/// A number that no other test of this process has.
pub fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
