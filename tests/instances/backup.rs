//! A backup while people write (T29): it is one moment of the database, holds everything that was acknowledged before it
//! began, and what is restored from it somewhere else agrees with itself and is a console one can sign in to. SQLite:
//! `subtenant backup`. PostgreSQL: its own tools, by the commands of docs/operations.md.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::prelude::*;
use subtenant::store::Pool;
use subtenant::store::schema::{accounts, audit_entries};

use crate::client::Client;
use crate::cluster::Cluster;
use crate::count;
use crate::killing::{Journal, Writer, administrators, assert_sound};
use crate::place::{Place, on_server, postgres};
use crate::servers::dump_and_restore;
use crate::world::{World, config};

fn backup(database_url: &str, file: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_subtenant"));
    command.arg("backup").arg(file).args(["--database-url", database_url]).output().expect("the binary runs")
}

/// The URL of a copy of this moment, made by this way.
fn copied(place: &Place, file: &Path) -> String {
    match postgres() {
        None => {
            let done = backup(place.url(), file);
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            file.display().to_string()
        }
        Some(server) => {
            let name = format!("{}_copy", place.url().rsplit('/').next().expect("a name"));
            on_server(&format!("CREATE DATABASE {name}"));
            let mut url = url::Url::parse(server).expect("a URL");
            url.set_path(&name);
            dump_and_restore(place.url(), url.as_str());
            url.to_string()
        }
    }
}

fn forget(copy: &str) {
    if postgres().is_some() {
        on_server(&format!("DROP DATABASE {} WITH (FORCE)", copy.rsplit('/').next().expect("a name")));
    }
}

#[test]
fn a_backup_under_load_is_one_moment_with_everything_acknowledged_before_it() {
    let (world, folder) = (World::new(), tempfile::tempdir().expect("a folder"));
    world.account("acme");
    let people = administrators(&world, "acme", 4);
    let cluster = Cluster::start(world.place().url(), 1, &[]);
    let writers: Vec<Writer> = people.iter().map(|name| Writer::new(&cluster, name)).collect();
    let (new, stop, journal) = (world.path("acme", "child-accounts/new"), AtomicBool::new(false), Journal::default());
    let copies: Vec<(String, Vec<String>)> = std::thread::scope(|scope| {
        for writer in writers {
            let (new, stop, journal) = (&new, &stop, &journal);
            scope.spawn(move || writer.work(new, stop, journal));
        }
        let copies = (0..count(2, 20)).map(|n| {
            journal.wait_for_more(20);
            let before = journal.so_far();
            let copy = copied(world.place(), &folder.path().join(format!("copy-{n}.db")));
            journal.wait_for_more(5);
            if postgres().is_some() {
                assert_moment(&copy, &before);
                forget(&copy);
            }
            (copy, before)
        });
        let copies = copies.collect();
        stop.store(true, Ordering::Relaxed);
        copies
    });
    drop(cluster);
    for (copy, before) in copies.iter().filter(|_| postgres().is_none()) {
        assert_moment(copy, before);
    }
}

/// The copy is whole, has these accounts, and serves.
fn assert_moment(copy: &str, before: &[String]) {
    assert_sound(copy);
    let pool = Pool::open(&config(copy).database_url, 1).expect("the copy opens");
    let names = accounts::table.filter(accounts::depth.eq(1)).select(accounts::name);
    let names: Vec<String> = pool.read_here(|db| Ok(names.load(db)?)).expect("accounts are read");
    let there: BTreeSet<&String> = names.iter().collect();
    let lost: Vec<&String> = before.iter().filter(|name| !there.contains(name)).collect();
    assert!(lost.is_empty(), "acknowledged before the backup and not in it: {lost:?}");
    let entries = audit_entries::table.filter(audit_entries::event_type.eq("ACCOUNT_CREATE")).count();
    let entries: i64 = pool.read_here(|db| Ok(entries.get_result(db)?)).expect("the log is read");
    assert_eq!(usize::try_from(entries).expect("a number"), names.len() + 1, "half of a change");
    drop(pool);
    let restored = Cluster::start(copy, 1, &[]);
    Client::signed_in(&restored.origin, "writer-0");
}

#[test]
fn nothing_is_overwritten_and_nothing_half_is_left() {
    let (world, folder) = (World::new(), tempfile::tempdir().expect("a folder"));
    world.account("acme");
    let file = folder.path().join("copy.db");
    if postgres().is_some() {
        let told = backup(world.place().url(), &file);
        assert_eq!(told.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&told.stderr).contains("pg_dump"));
        assert!(!file.exists());
        return;
    }
    assert!(backup(world.place().url(), &file).status.success());
    let first = std::fs::read(&file).expect("a copy");
    for refused in [backup(world.place().url(), &file), backup(world.place().url(), &folder.path().join("no/copy.db"))]
    {
        assert!(!refused.status.success());
    }
    assert_eq!(std::fs::read(&file).expect("the copy"), first);
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1, "something half is left");
}
