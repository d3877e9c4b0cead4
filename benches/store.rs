//! What the operations behind the most used pages cost on the store, in trees of 1,000, 100,000 and 1,000,000 accounts
//! made by `subtenant generate` (shape `mixed`, ten audit entries for each account): SQLite in a temporary file, or
//! PostgreSQL where TEST_DATABASE_URL names a server on which databases may be made.
//!
//! `cargo bench --no-default-features --bench store`; STORE_BENCH_MOST leaves out larger trees.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use diesel::prelude::*;
use subtenant::access::policy::{CreateAccounts, ReadAccounts, SeeAccount, UpdateAccounts};
use subtenant::access::{self, Grant, Origin, Place, lookup};
use subtenant::accounts::list::{self, Filter, Scope, Sort};
use subtenant::accounts::{self, Details, NewChild};
use subtenant::audit::list as log;
use subtenant::config::{Config, Settings};
use subtenant::generate::{self, Plan, Shape};
use subtenant::ids::Key;
use subtenant::store::schema::{account_ancestry, accounts as rows, users};
use subtenant::store::{Db, Pool};
use subtenant::web::paging::{Cursor, PAGE, Want};
use subtenant::{billing, readiness, switcher};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];
/// People of the generated tree: who sees all below the largest root, and branches of some 10,000 and 100 accounts.
const PEOPLE: [(&str, &str); 3] = [("all", "admin"), ("10,000", "ten.thousand"), ("100", "hundred")];

struct Tree {
    pool: Pool,
    /// Key of the user, id and key of their account.
    people: HashMap<&'static str, (Key, String, Key)>,
    /// The largest root.
    root: Place,
    /// Ids and keys of accounts 5, 64 and 999 levels below it, where there are such.
    deep: HashMap<i64, (String, Key)>,
    /// Where the 1,000th page of its children begins; its last page where it has fewer.
    thousandth: Cursor,
}

static TREES: LazyLock<Mutex<HashMap<usize, Arc<Tree>>>> = LazyLock::new(Mutex::default);

fn tree(size: usize) -> Option<Arc<Tree>> {
    let most = std::env::var("STORE_BENCH_MOST").ok().and_then(|most| most.parse().ok()).unwrap_or(usize::MAX);
    if size > most {
        return None;
    }
    let mut trees = TREES.lock().expect("one bench at a time");
    Some(trees.entry(size).or_insert_with(|| Arc::new(Tree::grow(size))).clone())
}

impl Tree {
    fn grow(size: usize) -> Tree {
        let config = place(size);
        let plan = Plan { accounts: size, seed: 1, shape: Shape::Mixed, audit_entries: size * 10 };
        generate::generate(&config, plan, &|_, _, _| ()).expect("a tree");
        let pool = Pool::open(&config.database_url, 2).expect("the database opens");
        let read = |db: &mut Db| {
            let mut people = HashMap::new();
            for (name, email) in PEOPLE {
                let email = format!("{email}@northwind.example");
                let user: Key = users::table.filter(users::email_key.eq(email)).select(users::key).first(db)?;
                let home: Key = subtenant::store::schema::assignments::table
                    .filter(subtenant::store::schema::assignments::user_key.eq(user))
                    .select(subtenant::store::schema::assignments::account_key)
                    .first(db)?;
                let id: String = rows::table.find(home).select(rows::id).first(db)?;
                people.insert(name, (user, id, home));
            }
            let root = people["all"].2;
            let mut deep = HashMap::new();
            for depth in [5, 64, 999] {
                let found = account_ancestry::table
                    .inner_join(rows::table.on(rows::key.eq(account_ancestry::descendant_key)))
                    .filter(account_ancestry::ancestor_key.eq(root))
                    .filter(account_ancestry::distance.eq(depth))
                    .filter(rows::closed_at.is_null())
                    .select((rows::id, rows::key))
                    .first::<(String, Key)>(db)
                    .optional()?;
                deep.extend(found.map(|found| (depth, found)));
            }
            let children: i64 = rows::table.find(root).select(rows::children_count).first(db)?;
            let at = (children - PAGE as i64).min(999 * PAGE as i64).max(0);
            let (name, key) = rows::table
                .filter(rows::parent_key.eq(root))
                .filter(rows::closed_at.is_null())
                .order((rows::name_key, rows::key))
                .offset(at)
                .select((rows::name_key, rows::key))
                .first::<(String, Key)>(db)?;
            let root = lookup::root(db, &people["all"].1)?.expect("a root");
            Ok((people, root, deep, Cursor(name, key)))
        };
        let (people, root, deep, thousandth) = pool.read_here(read).expect("the tree is readable");
        Tree { pool, people, root, deep, thousandth }
    }

    fn grant<A: access::policy::Action>(&self, db: &mut Db, who: &str) -> Grant<A> {
        let (user, id, _) = &self.people[who];
        access::grant::<A>(db, *user, id, Origin::default()).expect("they may")
    }
}

/// A new database for each size.
fn place(size: usize) -> Config {
    let url = match std::env::var("TEST_DATABASE_URL") {
        Ok(server) => {
            let name = format!("store_{size}_{}", std::process::id());
            let url = subtenant::config::DatabaseUrl::Postgres(server.clone());
            let manager = subtenant::store::dialect::Manager { url, read_only: false };
            let mut db = r2d2::ManageConnection::connect(&manager).expect("the server answers");
            diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut db).expect("a database");
            let mut url = url::Url::parse(&server).expect("an address");
            url.set_path(&name);
            url.into()
        }
        Err(_) => {
            let folder = tempfile::Builder::new().prefix("subtenant-store-").tempdir().expect("a folder").keep();
            folder.join(format!("{size}.db")).display().to_string()
        }
    };
    let settings = Settings {
        bind: "127.0.0.1:8080".to_owned(),
        database_url: Some(url),
        max_depth: "1000".to_owned(),
        database_connections: "4".to_owned(),
        ..Settings::default()
    };
    settings.check("unused.db").expect("the settings are right")
}

fn filter(scope: Scope) -> Filter {
    Filter { scope, text: String::new(), sort: Sort::Name, descending: false }
}

fn page(bencher: divan::Bencher<'_, '_>, size: usize, scope: Scope, want: impl Fn(&Tree) -> Want) {
    let Some(tree) = tree(size) else { return };
    let (filter, want) = (filter(scope), want(&tree));
    let read = |db: &mut Db| list::page(db, &tree.root, &filter, &want, PAGE);
    bencher.bench_local(|| divan::black_box(tree.pool.read_here(read).expect("a page")));
}

#[divan::bench(args = SIZES)]
fn children_first_page(bencher: divan::Bencher<'_, '_>, size: usize) {
    page(bencher, size, Scope::Direct, |_| Want::First);
}

#[divan::bench(args = SIZES)]
fn children_thousandth_page(bencher: divan::Bencher<'_, '_>, size: usize) {
    page(bencher, size, Scope::Direct, |tree| Want::After(tree.thousandth.clone()));
}

#[divan::bench(args = SIZES)]
fn all_below_first_page(bencher: divan::Bencher<'_, '_>, size: usize) {
    page(bencher, size, Scope::Below, |_| Want::First);
}

/// One, two, three and six characters, frequent and rare, and what nobody has.
const TEXTS: [&str; 6] = ["a", "co", "con", "falcon", "zz", "qqqqqq"];

#[divan::bench(consts = SIZES, args = PEOPLE.map(|(who, _)| who).into_iter().flat_map(|who| TEXTS.map(|text| (who, text))), sample_count = 30)]
fn switcher_search<const SIZE: usize>(bencher: divan::Bencher<'_, '_>, (who, text): (&str, &str)) {
    let Some(tree) = tree(SIZE) else { return };
    let grant = tree.pool.read_here(|db| Ok(tree.grant::<SeeAccount>(db, who))).expect("they may");
    let read = |db: &mut Db| switcher::search(db, &grant, text);
    bencher.bench_local(|| divan::black_box(tree.pool.read_here(read).expect("hits")));
}

fn deep(bencher: divan::Bencher<'_, '_>, size: usize, depth: i64, act: impl Fn(&mut Db, &Tree, &(String, Key))) {
    let Some(tree) = tree(size) else { return };
    let Some(account) = tree.deep.get(&depth) else { return };
    let read = |db: &mut Db| {
        act(db, &tree, account);
        Ok(())
    };
    bencher.bench_local(|| tree.pool.read_here(read).expect("an answer"));
}

#[divan::bench(consts = SIZES, args = [5, 64, 999])]
fn access_check<const SIZE: usize>(bencher: divan::Bencher<'_, '_>, depth: i64) {
    deep(bencher, SIZE, depth, |db, tree, (id, _)| {
        let user = tree.people["all"].0;
        divan::black_box(access::grant::<ReadAccounts>(db, user, id, Origin::default()).expect("they may"));
    });
}

#[divan::bench(consts = SIZES, args = [5, 64, 999])]
fn nearest_payer<const SIZE: usize>(bencher: divan::Bencher<'_, '_>, depth: i64) {
    deep(bencher, SIZE, depth, |db, _, (_, key)| {
        divan::black_box(billing::standing(db, *key).expect("a payer"));
    });
}

#[divan::bench(consts = SIZES, args = [5, 64, 999])]
fn breadcrumb<const SIZE: usize>(bencher: divan::Bencher<'_, '_>, depth: i64) {
    deep(bencher, SIZE, depth, |db, _, (_, key)| {
        divan::black_box(lookup::paths(db, &[*key], 0).expect("a path"));
    });
}

#[divan::bench(args = SIZES)]
fn create(bencher: divan::Bencher<'_, '_>, size: usize) {
    let Some(tree) = tree(size) else { return };
    bencher.bench_local(|| {
        let made = tree.pool.write_here(|db| {
            let by = tree.grant::<CreateAccounts>(db, "100");
            let details = Details { name: "Newcomer".to_owned(), ..Details::default() };
            accounts::open_child(db, &by, NewChild { details, accept_agreements: false, max_depth: 1_000 })
        });
        made.expect("an account");
    });
}

/// The branch of some 10,000 accounts goes below one of its aunts, and back.
#[divan::bench(args = SIZES, sample_count = 10)]
fn move_of_ten_thousand(bencher: divan::Bencher<'_, '_>, size: usize) {
    let Some(tree) = tree(size) else { return };
    let (_, branch, key) = &tree.people["10,000"];
    let ends = |db: &mut Db| {
        let parent: Key = rows::table.find(key).select(rows::parent_key.assume_not_null()).first(db)?;
        let aunt =
            rows::table.filter(rows::parent_key.eq(parent)).filter(rows::key.ne(key)).filter(rows::closed_at.is_null());
        let parent: String = rows::table.find(parent).select(rows::id).first(db)?;
        Ok([aunt.select(rows::id).first::<String>(db)?, parent])
    };
    let ends = tree.pool.read_here(ends).expect("two places");
    let user = tree.people["all"].0;
    let mut at = 0;
    bencher.bench_local(|| {
        let moved = tree.pool.write_here(|db| {
            let by = access::grant::<UpdateAccounts>(db, user, branch, Origin::default())?;
            let to = access::grant::<CreateAccounts>(db, user, &ends[at % 2], Origin::default())?;
            accounts::move_under(db, &by, &to, 1_000)
        });
        moved.expect("moved");
        at += 1;
    });
}

#[divan::bench(consts = SIZES, args = PEOPLE.map(|(who, _)| who))]
fn audit_of_a_branch<const SIZE: usize>(bencher: divan::Bencher<'_, '_>, who: &str) {
    let Some(tree) = tree(SIZE) else { return };
    let (account, filter) = (tree.people[who].2, log::Filter { below: true, ..log::Filter::default() });
    let read = |db: &mut Db| log::entries(db, account, &filter, &Want::First, PAGE);
    bencher.bench_local(|| divan::black_box(tree.pool.read_here(read).expect("entries")));
}

#[divan::bench(consts = SIZES, args = PEOPLE.map(|(who, _)| who), sample_count = 20)]
fn readiness_below<const SIZE: usize>(bencher: divan::Bencher<'_, '_>, who: &str) {
    let Some(tree) = tree(SIZE) else { return };
    let account = tree.people[who].2;
    bencher.bench_local(|| divan::black_box(tree.pool.read_here(|db| readiness::below(db, account)).expect("sums")));
}

fn main() {
    divan::main();
}
