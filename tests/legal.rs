//! Agreements as the room keeps them, on SQLite and, when TEST_DATABASE_URL is set, on PostgreSQL: which version holds
//! when, who is bound, what is refused, and that nothing recorded can be changed. Each test has a database of its own.

use std::sync::{Arc, Barrier};

use chrono::{Duration, NaiveDateTime};
use diesel::Connection;
use diesel::prelude::*;
use subtenant::access::policy::{CreateAccounts, SeeAccount, UpdateAccounts};
use subtenant::access::{self, Grant, Origin};
use subtenant::accounts::{self, Details, NewChild};
use subtenant::config::DatabaseUrl;
use subtenant::consent::{self, Document, Kind, State};
use subtenant::ids::{self, Key};
use subtenant::problem::{Problem, Reason};
use subtenant::sign_in::{self, NewUser};
use subtenant::store::schema::{accounts as rows, audit_entries, audit_scope, consents, legal_documents};
use subtenant::store::{Db, Pool};

struct World {
    url: DatabaseUrl,
    pool: Pool,
    _folder: tempfile::TempDir,
}

impl World {
    fn empty() -> World {
        let folder = tempfile::tempdir().unwrap();
        let url = match std::env::var("TEST_DATABASE_URL") {
            Ok(server) => DatabaseUrl::Postgres(fresh_postgres(&server)),
            Err(_) => DatabaseUrl::Sqlite(folder.path().join("test.db").display().to_string()),
        };
        World { pool: Pool::open(&url, 4).unwrap(), url, _folder: folder }
    }

    fn new() -> World {
        let world = World::empty();
        world.write(consent::install_first_versions).unwrap();
        world
    }

    fn read<T>(&self, act: impl FnOnce(&mut Db) -> Result<T, Problem>) -> T {
        self.pool.read_here(act).unwrap()
    }

    fn write<T>(&self, act: impl FnOnce(&mut Db) -> Result<T, Problem>) -> Result<T, Problem> {
        self.pool.write_here(act)
    }

    /// Somebody with a root account of this name.
    fn root(&self, name: &str) -> (Key, String) {
        let new = NewUser {
            first_name: "Ada".into(),
            last_name: "Quill".into(),
            company: name.into(),
            email: format!("{}@example.com", ids::token().to_lowercase()),
            password_hash: "none".into(),
            account_name: name.into(),
        };
        let made = self.write(|db| sign_in::sign_up(db, &new, &Origin::default())).unwrap();
        (made.user, made.account_id)
    }

    fn child(&self, user: Key, parent: &str, name: &str, accept_agreements: bool) -> String {
        let details = Details { name: name.into(), ..Details::default() };
        let new = NewChild { details, accept_agreements, max_depth: 100 };
        let opened = self.write(|db| {
            let by = access::grant::<CreateAccounts>(db, user, parent, origin())?;
            accounts::open_child(db, &by, new)
        });
        opened.unwrap().id
    }

    fn accept(&self, user: Key, account: &str, documents: &[Key]) -> Result<Vec<consent::Consent>, Problem> {
        self.write(|db| {
            let by: Grant<UpdateAccounts> = access::grant(db, user, account, origin())?;
            consent::accept(db, &by, documents)
        })
    }

    fn key(&self, account: &str) -> Key {
        self.read(|db| Ok(rows::table.filter(rows::id.eq(account)).select(rows::key).first(db)?))
    }

    fn state(&self, account: &str) -> State {
        let key = self.key(account);
        self.read(|db| Ok(consent::states(db, &[key])?.remove(&key).unwrap()))
    }

    fn in_force(&self) -> Vec<Key> {
        self.read(consent::in_force).iter().map(|d| d.key).collect()
    }

    fn publish(&self, document: &str, version: &str, day: &str, text: &[u8]) -> Result<String, Vec<String>> {
        let mut answer = Err(Vec::new());
        self.write(|db| {
            answer = consent::publish(db, document, version, day, text);
            Ok(())
        })
        .unwrap();
        answer
    }
}

fn origin() -> Origin {
    Origin { address: "192.0.2.7".into(), user_agent: "test".into(), request_id: ids::token() }
}

fn fresh_postgres(server: &str) -> String {
    let name = format!("legal_{}", ids::sha256_hex(ids::token().as_bytes()).split_at(16).0);
    let mut db = diesel::PgConnection::establish(server).unwrap();
    diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut db).unwrap();
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(&name);
    url.to_string()
}

fn day_after(days: i64) -> (String, NaiveDateTime) {
    let day = (ids::now() + Duration::days(days)).date();
    (day.format("%Y-%m-%d").to_string(), day.and_time(chrono::NaiveTime::MIN))
}

fn versions(documents: &[Document]) -> Vec<(Kind, i64)> {
    documents.iter().map(|d| (d.kind, d.version)).collect()
}

const TEXT: &[u8] = b"# Master Service Agreement\n\n## 1. Words\n\nNew words.\n";

#[test]
fn instances_that_start_together_install_one_first_version_of_each() {
    let world = World::empty();
    let start = Arc::new(Barrier::new(4));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (start, url) = (start.clone(), world.url.clone());
            std::thread::spawn(move || {
                let pool = Pool::open(&url, 1).unwrap();
                start.wait();
                pool.write_here(consent::install_first_versions).unwrap();
                pool.write_here(consent::install_first_versions).unwrap();
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
    let documents = world.read(|db| Ok(legal_documents::table.count().get_result::<i64>(db)?));
    let events = audit_entries::table.filter(audit_entries::event_type.eq("LEGAL_DOCUMENT_CREATE"));
    let noted = world.read(|db| Ok(events.count().get_result::<i64>(db)?));
    assert_eq!((documents, noted), (2, 2));
    assert_eq!(versions(&world.read(consent::in_force)), [(Kind::Msa, 1), (Kind::Aup, 1)]);
}

#[test]
fn a_new_version_is_needed_from_its_moment_on_and_not_before() {
    let world = World::new();
    let (ada, acme) = world.root("Acme");
    let first = world.in_force();
    world.accept(ada, &acme, &first).unwrap();
    let (day, moment) = day_after(40);
    let told = world.publish("msa", "2", &day, TEXT).unwrap();
    assert!(told.contains("/legal/msa/2"), "{told}");
    let account = world.key(&acme);
    let missing = |at| versions(&world.read(|db| consent::missing_at(db, account, at)));
    assert!(missing(ids::now()).is_empty());
    assert!(missing(moment - Duration::microseconds(1)).is_empty());
    assert_eq!(missing(moment), [(Kind::Msa, 2)]);
    assert!(world.state(&acme).is_accepted());
    let announced = world.read(|db| consent::announced(db, account));
    assert_eq!(versions(&announced), [(Kind::Msa, 2)]);

    world.accept(ada, &acme, &[announced[0].key]).unwrap();
    assert!(missing(moment).is_empty());
    assert!(world.read(|db| consent::announced(db, account)).is_empty());
}

#[test]
fn a_version_that_holds_at_once_makes_every_account_unbound() {
    let world = World::new();
    let (ada, acme) = world.root("Acme");
    world.accept(ada, &acme, &world.in_force()).unwrap();
    let old = world.in_force();
    world.publish("aup", "2", &day_after(0).0, b"# Acceptable Use Policy\n\nNew.\n").unwrap();
    let State::Missing(missing) = world.state(&acme) else { panic!("still bound") };
    assert_eq!(versions(&missing), [(Kind::Aup, 2)]);
    assert_eq!(world.state(&acme).words(), "AUP not accepted");
    // The page that was open shows version 1; agreeing to it is not agreeing to version 2.
    let (bea, beta) = world.root("Beta");
    assert!(matches!(world.accept(bea, &beta, &old), Err(Problem::Invalid(_))));
    world.accept(bea, &beta, &world.in_force()).unwrap();
    assert!(matches!(world.state(&beta), State::Accepted { msa: 1, aup: 2, .. }));
}

#[test]
fn accepting_takes_both_documents_and_happens_once() {
    let world = World::new();
    let (ada, acme) = world.root("Acme");
    let both = world.in_force();
    let Err(Problem::Invalid(errors)) = world.accept(ada, &acme, &both[..1]) else { panic!("half is accepted") };
    assert_eq!(errors.get("aup"), Some("Tick the box to accept the Acceptable Use Policy, version 1"));
    assert!(matches!(world.accept(ada, &acme, &[]), Err(Problem::Invalid(errors)) if errors.0.len() == 2));
    assert!(matches!(world.accept(ada, &acme, &[both[0], both[1], 7]), Err(Problem::Invalid(_))));
    assert!(!world.state(&acme).is_accepted());

    let consents = world.accept(ada, &acme, &both).unwrap();
    assert_eq!(consents.len(), 2);
    assert_eq!((consents[0].address.as_str(), consents[0].from.name.as_str()), ("192.0.2.7", "Acme"));
    assert_eq!(consents[0].accepted_at, consents[1].accepted_at);
    for again in [&both[..], &both[..1], &[]] {
        let refused = world.accept(ada, &acme, again);
        assert!(matches!(refused, Err(Problem::Conflict(Reason::AlreadyConsented))), "{refused:?}");
    }
    let receipt = world.read(|db| {
        let by: Grant<SeeAccount> = access::grant(db, ada, &acme, origin())?;
        consent::receipt(db, &by, &consents[1].id)
    });
    assert_eq!(receipt, consents);
}

#[test]
fn of_two_people_who_accept_at_once_one_is_recorded() {
    let world = World::new();
    let (ada, acme) = world.root("Acme");
    let both = world.in_force();
    let start = Barrier::new(4);
    let won: usize = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    match world.accept(ada, &acme, &both) {
                        Ok(_) => 1,
                        Err(Problem::Conflict(Reason::AlreadyConsented)) => 0,
                        Err(other) => panic!("{other}"),
                    }
                })
            })
            .collect();
        tries.into_iter().map(|t| t.join().unwrap()).sum()
    });
    let records = world.read(|db| Ok(consents::table.count().get_result::<i64>(db)?));
    assert_eq!((won, records), (1, 2));
}

#[test]
fn a_child_is_bound_on_its_behalf_or_left_to_its_administrator() {
    let world = World::new();
    let (ada, acme) = world.root("Acme");
    world.accept(ada, &acme, &world.in_force()).unwrap();
    let bound = world.child(ada, &acme, "Bound", true);
    let left = world.child(ada, &acme, "Left", false);
    assert!(world.state(&bound).is_accepted());
    assert_eq!(world.state(&left).words(), "Not accepted");
    let history = world.read(|db| {
        let by: Grant<SeeAccount> = access::grant(db, ada, &bound, origin())?;
        consent::history(db, &by)
    });
    assert!(history.iter().all(|one| one.from.name == "Acme"), "{history:?}");
    // A receipt belongs to its account.
    let elsewhere = world.pool.read_here(|db| {
        let by: Grant<SeeAccount> = access::grant(db, ada, &acme, origin())?;
        consent::receipt(db, &by, &history[0].id)
    });
    assert!(matches!(elsewhere, Err(Problem::NotFound)));
}

#[test]
fn the_entry_of_an_acceptance_is_in_the_account_and_in_all_above_it() {
    let world = World::new();
    let (ada, acme) = world.root("Acme");
    let mid = world.child(ada, &acme, "Mid", false);
    let low = world.child(ada, &mid, "Low", false);
    let side = world.child(ada, &acme, "Side", false);
    world.accept(ada, &low, &world.in_force()).unwrap();
    let seen = |account: &str| {
        let key = world.key(account);
        let in_log = audit_scope::table
            .inner_join(audit_entries::table)
            .filter(audit_scope::account_key.eq(key))
            .filter(audit_entries::event_type.eq("ACCOUNT_CONSENT_CREATE"));
        world.read(|db| Ok(in_log.select((audit_scope::own, audit_entries::after)).load::<(bool, String)>(db)?))
    };
    let [own] = seen(&low).try_into().unwrap();
    assert!(own.0 && own.1.contains("Master Service Agreement, version 1, SHA-256 "), "{}", own.1);
    assert!(own.1.contains("Acceptable Use Policy, version 1, SHA-256 "));
    let [(between, _)] = seen(&mid).try_into().unwrap();
    let [(acted_from, _)] = seen(&acme).try_into().unwrap();
    assert!(!between && acted_from, "it is Acme's own as well, where Ada acted from");
    assert!(seen(&side).is_empty());
}

#[test]
fn what_is_recorded_cannot_be_changed_or_removed() {
    let world = World::new();
    let (ada, acme) = world.root("Acme");
    world.accept(ada, &acme, &world.in_force()).unwrap();
    for statement in [
        "UPDATE consents SET address = ''",
        "DELETE FROM consents",
        "UPDATE legal_documents SET body = ''",
        "DELETE FROM legal_documents",
        "UPDATE audit_entries SET after = ''",
        "DELETE FROM audit_scope",
    ] {
        let refused = world.write(|db| Ok(diesel::sql_query(statement).execute(db)?));
        let Err(Problem::Bug(cause)) = refused else { panic!("{statement}: {refused:?}") };
        assert!(cause.to_string().contains("rows are only ever added"), "{statement}: {cause}");
    }
    assert!(world.state(&acme).is_accepted());
}

#[test]
fn everything_wrong_with_a_publication_is_said_at_once() {
    let world = World::new();
    let complaints = |document, version, day, text: &[u8]| world.publish(document, version, day, text).unwrap_err();
    let all = complaints("tos", "two", "soon", b"");
    for part in ["--document", "--version", "--effective", "FILE"] {
        assert!(all.iter().any(|line| line.starts_with(part)), "{part} in {all:?}");
    }
    let (later, _) = day_after(60);
    for (version, day, text, part) in [
        ("1", later.as_str(), TEXT, "the next version of this document is 2"),
        ("3", &later, TEXT, "the next version of this document is 2"),
        ("2", "2020-01-01", TEXT, "cannot be earlier"),
        ("2", "2026-02-30", TEXT, "must be a day"),
        ("2", &later, b"No title\n", "title"),
        ("2", &later, b"  \n", "empty"),
        ("2", &later, b"# T\n\xff", "UTF-8"),
        ("2", &later, b"# T\n\0", "control characters"),
        ("2", &later, &[b'x'; 300_000], "larger"),
    ] {
        let said = complaints("msa", version, day, text);
        assert!(said.len() == 1 && said[0].contains(part), "{part}: {said:?}");
    }
    world.publish("MSA", "2", &later, TEXT).unwrap();
    assert!(complaints("msa", "3", &day_after(50).0, TEXT)[0].contains("cannot be earlier"));
    let missing = std::path::Path::new("/nonexistent/file.md");
    let mut said = Vec::new();
    let publishing = world.write(|db| {
        said = consent::publish_file(db, "x", "2", &later, missing).unwrap_err();
        Ok(())
    });
    publishing.unwrap();
    assert!(said.len() == 2 && said[0].contains("cannot be read"), "{said:?}");
}

#[test]
fn a_text_is_kept_byte_by_byte() {
    let world = World::new();
    let text = "# Übereinkunft\r\n\r\nWords with\ttabs, “quotes” and 🦊.\r\n  \r\n".as_bytes();
    world.publish("aup", "2", &day_after(31).0, text).unwrap();
    let kept: (String, String, String) = world.read(|db| {
        let row =
            legal_documents::table.filter(legal_documents::document.eq("AUP")).filter(legal_documents::version.eq(2));
        Ok(row.select((legal_documents::body, legal_documents::sha256, legal_documents::title)).first(db)?)
    });
    assert_eq!(kept.0.as_bytes(), text);
    assert_eq!((kept.1, kept.2.as_str()), (ids::sha256_hex(text), "Übereinkunft"));
}
