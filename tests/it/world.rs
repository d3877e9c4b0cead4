//! A small world by name: `World::new()` has a fresh database, `world.account("acme").child("lab").viewer("vera")`
//! fills it through the product's own operations. SQLite: a migrated file is copied. PostgreSQL: a migrated database
//! is the template of each test's own, which is dropped with the world. People have one password, hashed once.
//! Leaves out: acting. Tests act through `Browser` or call operations with grants from `World::grant`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::OnceLock;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use chrono::NaiveDateTime;
use diesel::prelude::*;
use subtenant::access::policy::{self, Action, CreateAccounts};
use subtenant::access::{self, Grant, Origin, Scope};
use subtenant::accounts::{self, Details, NewChild};
use subtenant::app::Parts;
use subtenant::config::{Config, MailSettings, Settings};
use subtenant::ids::{self, Key};
use subtenant::problem::Problem;
use subtenant::sign_in::{self, NewUser};
use subtenant::store::Pool;
use subtenant::store::installation::Purpose;
use subtenant::store::schema::{accounts as account_rows, users};
use subtenant::worker::Tools;
use subtenant::{members, roles, server};

use crate::browser::{Browser, Console};
use crate::place::Place;

pub const PASSWORD: &str = "tiny wool glacier";

/// Where mails would be kept; tests that look at them have folders of their own.
const MAIL_DIR: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/mails");

/// The one hash that everybody's row holds.
pub fn password_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| Argon2::default().hash_password(PASSWORD.as_bytes()).expect("hashing").to_string())
}

pub struct World {
    pub pool: Pool,
    pub config: Config,
    pub parts: Parts,
    accounts: RefCell<HashMap<String, Known>>,
    people: RefCell<HashMap<String, Key>>,
    // The last field: the database goes after the connections.
    place: Place,
}

#[derive(Clone)]
struct Known {
    key: Key,
    id: String,
    root: String,
}

impl World {
    pub fn new() -> World {
        World::with(|_| ())
    }

    /// A world whose console is set up in another way.
    pub fn with(change: impl FnOnce(&mut Settings)) -> World {
        let place = Place::fresh();
        let mut settings = settings(place.url());
        change(&mut settings);
        let config = settings.check("unused.db").expect("the settings of a world are right");
        let parts = server::prepare(&config, Purpose::Live).expect("the database opens");
        let pool = parts.pool.get_ref().clone();
        World { pool, config, parts, accounts: RefCell::default(), people: RefCell::default(), place }
    }

    /// The database without anybody connected to it.
    pub fn into_place(self) -> Place {
        let World { place, .. } = self;
        place
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The root account of this name; made, with `admin-of-NAME` as its administrator, when it is new.
    pub fn account(&self, name: &str) -> Branch<'_> {
        if !self.accounts.borrow().contains_key(name) {
            let admin = admin_of(name);
            let new = NewUser {
                first_name: admin.clone(),
                last_name: "Example".to_owned(),
                company: name.to_owned(),
                email: email(&admin),
                password_hash: password_hash().to_owned(),
                account_name: name.to_owned(),
            };
            let made = self.write(|db| sign_in::sign_up(db, &new, &Origin::default())).expect("signing up");
            self.people.borrow_mut().insert(admin, made.user);
            self.know(name, &made.account_id, name);
        }
        Branch { world: self, name: name.to_owned() }
    }

    /// Gives an account that a test made by hand a name in this world.
    pub fn know(&self, name: &str, id: &str, root: &str) {
        let key = account_rows::table.filter(account_rows::id.eq(id)).select(account_rows::key);
        let key = self.read(|db| Ok(key.first(db)?)).expect("the account exists");
        let known = Known { key, id: id.to_owned(), root: root.to_owned() };
        let before = self.accounts.borrow_mut().insert(name.to_owned(), known);
        assert!(before.is_none(), "two accounts of this world are called {name}");
    }

    fn known(&self, name: &str) -> Known {
        let known = self.accounts.borrow().get(name).cloned();
        known.unwrap_or_else(|| panic!("no account of this world is called {name}"))
    }

    /// The public id of an account.
    pub fn id(&self, account: &str) -> String {
        self.known(account).id
    }

    pub fn key(&self, account: &str) -> Key {
        self.known(account).key
    }

    /// `/a/ac-…/SECTION`
    pub fn path(&self, account: &str, section: &str) -> String {
        format!("/a/{}/{section}", self.id(account))
    }

    /// Somebody by name; a new one is a user without any account.
    pub fn person(&self, name: &str) -> Key {
        if let Some(key) = self.people.borrow().get(name) {
            return *key;
        }
        let key = ids::next_key();
        let row = (
            users::key.eq(key),
            users::id.eq(ids::new_id("user")),
            users::email.eq(email(name)),
            users::email_key.eq(email(name)),
            users::first_name.eq(name),
            users::last_name.eq("Example"),
            users::name_key.eq(subtenant::text::name_key(&format!("{name} Example"))),
            users::company.eq("Example"),
            users::password_hash.eq(password_hash()),
            users::created_at.eq(ids::now()),
        );
        self.write(|db| Ok(diesel::insert_into(users::table).values(row).execute(db)?)).expect("a new user");
        self.people.borrow_mut().insert(name.to_owned(), key);
        key
    }

    pub fn person_id(&self, name: &str) -> String {
        let row = users::table.find(self.person(name)).select(users::id);
        self.read(|db| Ok(row.first(db)?)).expect("the user exists")
    }

    /// What somebody may do in an account, as an operation wants it.
    pub fn grant<A: Action>(&self, person: &str, account: &str) -> Result<Grant<A>, Problem> {
        let (user, id) = (self.person(person), self.id(account));
        self.read(|db| access::grant::<A>(db, user, &id, Origin::default()))
    }

    pub fn read<T>(&self, act: impl FnOnce(&mut subtenant::store::Db) -> Result<T, Problem>) -> Result<T, Problem> {
        self.pool.read_here(act)
    }

    pub fn write<T>(&self, act: impl FnOnce(&mut subtenant::store::Db) -> Result<T, Problem>) -> Result<T, Problem> {
        self.pool.write_here(act)
    }

    /// Any statement, for ageing rows and the like.
    pub fn sql(&self, statement: &str) -> usize {
        self.write(|db| Ok(diesel::sql_query(statement).execute(db)?)).expect("the statement runs")
    }

    pub async fn console(&self) -> Console {
        Console::of(self.parts.clone()).await
    }

    pub fn tools(&self) -> Tools {
        Tools::new(&self.config, &self.pool, &self.parts.payments, &self.parts.vault).expect("the settings are right")
    }

    /// Somebody's browser, signed in.
    pub async fn browser(&self, person: &str) -> Browser {
        self.person(person);
        let mut browser = Browser::new(&self.console().await);
        browser.sign_in(&email(person), PASSWORD).await;
        browser
    }

    /// The whole database agrees with itself.
    pub fn assert_sound(&self) {
        let differences = self.read(subtenant::store::check::differences).expect("the check runs");
        assert!(differences.is_empty(), "{differences:#?}");
    }
}

/// Settings as the tests use them.
pub fn settings(database_url: &str) -> Settings {
    Settings {
        bind: "127.0.0.1:8080".to_owned(),
        database_url: Some(database_url.to_owned()),
        max_depth: "1000".to_owned(),
        database_connections: "4".to_owned(),
        mail: MailSettings { mail_dir: Some(MAIL_DIR.to_owned()), ..MailSettings::default() },
        ..Settings::default()
    }
}

/// What the console makes of them.
pub fn config(database_url: &str) -> Config {
    settings(database_url).check("unused.db").expect("the settings are right")
}

pub fn email(person: &str) -> String {
    format!("{person}@example.com")
}

pub fn admin_of(root: &str) -> String {
    format!("admin-of-{root}")
}

/// A child account to be, by its name.
pub fn new_child(name: &str) -> NewChild {
    let details = Details { name: name.to_owned(), ..Details::default() };
    NewChild { details, accept_agreements: false, max_depth: 1000 }
}

/// One account of the world, to build on.
pub struct Branch<'w> {
    world: &'w World,
    name: String,
}

impl<'w> Branch<'w> {
    /// A child account; building goes on below it.
    pub fn child(&self, name: &str) -> Branch<'w> {
        let root = self.world.known(&self.name).root;
        let by = self.world.grant::<CreateAccounts>(&admin_of(&root), &self.name).expect("the administrator may");
        let made = self.world.write(|db| accounts::open_child(db, &by, new_child(name))).expect("a child account");
        self.world.know(name, &made.id, &root);
        Branch { world: self.world, name: name.to_owned() }
    }

    /// Another account of this world to build on.
    pub fn at(&self, account: &str) -> Branch<'w> {
        Branch { world: self.world, name: account.to_owned() }
    }

    /// The same for several; building goes on at the parent.
    pub fn children(&self, names: &[&str]) -> &Branch<'w> {
        for name in names {
            self.child(name);
        }
        self
    }

    /// Gives somebody one of the built-in roles, here and below, for good.
    pub fn member(&self, person: &str, role: &str) -> &Branch<'w> {
        self.member_until(person, role, Scope::HereAndBelow, ids::never())
    }

    /// Gives somebody one of the built-in roles.
    pub fn member_until(&self, person: &str, role: &str, scope: Scope, ends_at: NaiveDateTime) -> &Branch<'w> {
        let root = self.world.key(&self.world.known(&self.name).root);
        let (account, user) = (self.world.key(&self.name), self.world.person(person));
        let given = self.world.write(|db| {
            let role = roles::built_in(db, root, role)?;
            let new =
                members::NewAssignment { account, user, role, role_account: root, scope, ends_at, granted_by: None };
            members::assign(db, &new)
        });
        given.expect("the role is given");
        self
    }

    pub fn administrator(&self, person: &str) -> &Branch<'w> {
        self.member(person, policy::ADMINISTRATOR)
    }

    pub fn account_manager(&self, person: &str) -> &Branch<'w> {
        self.member(person, "Account manager")
    }

    pub fn billing_manager(&self, person: &str) -> &Branch<'w> {
        self.member(person, "Billing manager")
    }

    pub fn operator(&self, person: &str) -> &Branch<'w> {
        self.member(person, "Network operator")
    }

    pub fn viewer(&self, person: &str) -> &Branch<'w> {
        self.member(person, "Read only")
    }
}
