//! The log against a naive reading of the same entries: every filter, forwards and backwards, page by page, with so few
//! entries looked through at once that each way of walking and each place to stop comes about.

use chrono::NaiveDateTime;

use super::*;
use crate::access::Origin;
use crate::config::DatabaseUrl;
use crate::sign_in::{self, NewUser};
use crate::store::Pool;
use crate::store::schema::accounts;
use crate::web::paging::Cursor;

const ENTRIES: i64 = 400;
const LIMIT: usize = 7;

struct Noted {
    key: Key,
    at: NaiveDateTime,
    own: bool,
    event: &'static str,
    actor: usize,
    subject: String,
    request: String,
    result: &'static str,
}

struct World {
    pool: Pool,
    account: Key,
    actors: [String; 3],
    noted: Vec<Noted>,
}

fn pool(folder: &tempfile::TempDir) -> Pool {
    let url = match std::env::var("TEST_DATABASE_URL") {
        Ok(server) => DatabaseUrl::Postgres(fresh_postgres(&server)),
        Err(_) => DatabaseUrl::Sqlite(folder.path().join("log.db").display().to_string()),
    };
    Pool::open(&url, 2).unwrap()
}

fn fresh_postgres(server: &str) -> String {
    let name = format!("log_{}", &ids::sha256_hex(ids::token().as_bytes())[..16]);
    let mut db = diesel::PgConnection::establish(server).unwrap();
    diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut db).unwrap();
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(&name);
    url.to_string()
}

fn sign_up(db: &mut Db, email: &str) -> (Key, Key) {
    let new = NewUser {
        first_name: "A".into(),
        last_name: "B".into(),
        company: "C".into(),
        email: email.into(),
        password_hash: "none".into(),
        account_name: email.into(),
    };
    let made = sign_in::sign_up(db, &new, &Origin::default()).unwrap();
    let account = accounts::table.filter(accounts::id.eq(made.account_id)).select(accounts::key).first(db).unwrap();
    (made.user, account)
}

fn world(folder: &tempfile::TempDir) -> World {
    let pool = pool(folder);
    let emails = ["rare@example.com", "often@example.com", "other@example.org"].map(str::to_owned);
    let people = pool.write_here(|db| Ok(emails.each_ref().map(|email| sign_up(db, email)))).unwrap();
    let account = people[0].1;
    let start = ids::now() - Duration::days(ENTRIES);
    let noted: Vec<Noted> = (0..ENTRIES).map(|n| one(n, start + Duration::days(n))).collect();
    pool.write_here(|db| {
        crate::store::write(db, |db| noted.iter().try_for_each(|n| insert(db, n, account, people[n.actor].0)))
    })
    .unwrap();
    World { pool, account, actors: emails, noted }
}

/// Every third entry is of the account itself, the others below; one in 50 is a rarity.
fn one(n: i64, at: NaiveDateTime) -> Noted {
    Noted {
        key: ids::first_key_at(at) + n,
        at,
        own: n % 3 == 0,
        event: if n % 50 == 7 { "ACCOUNT_MOVE" } else { "ACCOUNT_UPDATE" },
        actor: if n % 40 == 11 { 0 } else { 1 + usize::from(n % 4 == 0) },
        subject: format!("ac-{}", if n % 30 == 3 { 1 } else { 2 }),
        request: format!("req-{}", n / 60),
        result: if n % 90 == 5 { "FAILURE" } else { "SUCCESS" },
    }
}

fn insert(db: &mut Db, n: &Noted, account: Key, actor: Key) -> Result<(), Problem> {
    diesel::insert_into(audit_entries::table)
        .values((
            (audit_entries::key.eq(n.key), audit_entries::id.eq(ids::new_id("audit")), audit_entries::at.eq(n.at)),
            (audit_entries::actor_key.eq(actor), audit_entries::account_key.eq(account)),
            (audit_entries::event_type.eq(n.event), audit_entries::subject_type.eq("ACCOUNT")),
            (audit_entries::subject_id.eq(&n.subject), audit_entries::subject_name.eq("Name")),
            (audit_entries::before.eq("[]"), audit_entries::after.eq("[]"), audit_entries::result.eq(n.result)),
            (audit_entries::source.eq("CONSOLE"), audit_entries::address.eq(""), audit_entries::user_agent.eq("")),
            audit_entries::request_id.eq(&n.request),
        ))
        .execute(db)?;
    diesel::insert_into(audit_scope::table)
        .values((audit_scope::account_key.eq(account), audit_scope::entry_key.eq(n.key), audit_scope::own.eq(n.own)))
        .execute(db)?;
    Ok(())
}

impl World {
    /// What the filter means, said in the simplest way; the newest first.
    fn naive(&self, filter: &Filter) -> Vec<Key> {
        let wanted = |n: &&Noted| {
            (filter.below || n.own)
                && filter.event_type.is_none_or(|event| n.event == event)
                && self.actors[n.actor].contains(&filter.actor)
                && (filter.subject.is_empty() || n.subject == filter.subject)
                && (filter.request.is_empty() || n.request == filter.request)
                && filter.result.is_none_or(|result| n.result == result)
                && filter.from.is_none_or(|from| n.at >= from)
                && filter.until.is_none_or(|until| n.at < until)
        };
        self.noted.iter().filter(wanted).map(|n| n.key).rev().collect()
    }

    /// All pages one after another. The entries of signing up are not of this test.
    fn walked(&self, filter: &Filter, backward: bool) -> Vec<Key> {
        let mut all = Vec::new();
        let mut want = if backward { Want::Last } else { Want::First };
        loop {
            let read = |db: &mut Db| entries(db, self.account, filter, &want, LIMIT);
            let Found { mut rows, looked_to } = self.pool.read_here(read).unwrap();
            let more = rows.len() > LIMIT;
            rows.truncate(LIMIT);
            let reached = if more { rows.last().map(|row| row.key) } else { looked_to };
            all.extend(rows.into_iter().map(|row| row.key).filter(|key| self.noted.iter().any(|n| n.key == *key)));
            let Some(key) = reached else { break };
            let cursor = Cursor(String::new(), key);
            want = if backward { Want::Before(cursor) } else { Want::After(cursor) };
        }
        if backward {
            all.reverse();
        }
        all
    }
}

fn filters(world: &World) -> Vec<Filter> {
    let mut all = vec![Filter::default()];
    let with = |all: &mut Vec<Filter>, changes: &[&dyn Fn(Filter) -> Filter]| {
        let more: Vec<Filter> = all.iter().flat_map(|f| changes.iter().map(|change| change(f.clone()))).collect();
        all.extend(more);
    };
    with(&mut all, &[&|f| Filter { below: true, ..f }]);
    with(&mut all, &[&|f| Filter { event_type: Some("ACCOUNT_MOVE"), ..f }]);
    let actors: [&dyn Fn(Filter) -> Filter; 3] =
        [&|f| Filter { actor: "rare@".into(), ..f }, &|f| Filter { actor: "example.com".into(), ..f }, &|f| Filter {
            actor: "nobody".into(),
            ..f
        }];
    with(&mut all, &actors);
    with(&mut all, &[&|f| Filter { subject: "ac-1".into(), ..f }]);
    with(&mut all, &[&|f| Filter { request: "req-2".into(), ..f }]);
    with(&mut all, &[&|f| Filter { result: Some("FAILURE"), ..f }]);
    let (from, until) = (world.noted[100].at, world.noted[300].at);
    with(&mut all, &[&|f| Filter { from: Some(from), until: Some(until), ..f }]);
    all
}

#[test]
fn every_filter_finds_what_a_naive_reading_finds_in_both_directions() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(&folder);
    for filter in filters(&world) {
        let naive = world.naive(&filter);
        assert_eq!(world.walked(&filter, false), naive, "forwards {filter:?}");
        assert_eq!(world.walked(&filter, true), naive, "backwards {filter:?}");
    }
}
