//! PostgreSQL's own tools: a primary and a streaming standby of the test's own, a copy of a database from one server to
//! another, and a dump. As root they run as the user `postgres`, because the server refuses root.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tempfile::TempDir;

use crate::cluster::free_port;

/// Where Debian keeps them; the newest there is.
fn tools() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL is installed")
        .map(|entry| entry.expect("an entry").path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().expect("PostgreSQL is installed")
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    id.stdout == b"0\n"
}

/// Runs one of the tools.
pub fn run(tool: &str, arguments: &[&str]) -> Output {
    let tool = tools().join(tool);
    let mut command = match is_root() {
        true => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(&tool);
            command
        }
        false => Command::new(&tool),
    };
    let done = command.args(arguments).current_dir("/").output().expect("the tool runs");
    assert!(done.status.success(), "{} {arguments:?}: {}", tool.display(), String::from_utf8_lossy(&done.stderr));
    done
}

/// A folder that the server's user may write into.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder");
    if is_root() {
        let owned = Command::new("chown").arg("postgres").arg(folder.path()).status().expect("chown runs");
        assert!(owned.success());
    }
    folder
}

pub struct Server {
    folder: TempDir,
    port: u16,
}

impl Server {
    /// A server with an empty database `console`.
    pub fn primary() -> Server {
        let server = Server { folder: folder(), port: free_port() };
        let more = ["--auth=trust", "--locale=C.UTF-8", "--encoding=UTF8", "--no-sync"];
        run("initdb", &[&["-D", &server.data(), "-U", "postgres"], &more[..]].concat());
        server.start();
        server.on("postgres", "CREATE DATABASE console");
        server
    }

    /// A standby that follows it.
    pub fn standby(&self) -> Server {
        let standby = Server { folder: folder(), port: free_port() };
        let port = self.port.to_string();
        let from = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-X", "stream", "-c", "fast", "-R", "-N"];
        run("pg_basebackup", &[&["-D", &standby.data()], &from[..]].concat());
        standby.start();
        standby
    }

    pub fn start(&self) {
        let home = self.folder.path().display();
        let options = format!("-p {} -k {home} -c listen_addresses=127.0.0.1", self.port);
        // Not `output`: the server would hold the pipes open.
        let log = format!("{home}/log");
        run("pg_ctl", &["-D", &self.data(), "-l", &log, "-w", "-o", &options, "start"]);
    }

    pub fn stop(&self) {
        run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    pub fn on(&self, database: &str, statement: &str) {
        on(&self.url(database), statement);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stop = ["-D", &self.data(), "-m", "immediate", "-w", "stop"].map(str::to_owned);
        let _ = std::panic::catch_unwind(|| run("pg_ctl", &stop.each_ref().map(String::as_str)));
    }
}

pub fn on(url: &str, statement: &str) {
    let mut c = PgConnection::establish(url).expect("the server answers");
    c.batch_execute(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// Copies a database into an empty one, by a dump as docs/operations.md makes it.
pub fn dump_and_restore(from: &str, to: &str) {
    let folder = folder();
    let file = folder.path().join("console.dump").display().to_string();
    run("pg_dump", &["--format=custom", "--file", &file, from]);
    run("pg_restore", &["--no-owner", "--exit-on-error", "--single-transaction", "--dbname", to, &file]);
}
