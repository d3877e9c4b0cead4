//! The demonstration: a managed service provider with some sixty accounts on five levels, equal names, every state of
//! agreement and payment, and a handful of people. Made through the same operations as everything else, on a database
//! that holds nothing but an earlier demonstration.

mod fabric;
mod ledger;

use std::path::Path;

use actix_web::rt::System;
use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;

use crate::access::policy::{
    CreateAccounts, CreateBilling, CreateMembers, CreateRoles, DeleteAccounts, Permission, Permissions, Resource,
    UpdateAccounts, Verb,
};
use crate::access::{self, Origin, Scope};
use crate::accounts::{self, Details, NewChild};
use crate::billing::{self, CollectionMethod, Entries};
use crate::config::{Config, DatabaseUrl};
use crate::factor::vault::Vault;
use crate::ids::{self, Key};
use crate::members::{self, NewAssignment, NewInvitation};
use crate::problem::Problem;
use crate::sign_in::{self, NewUser, password};
use crate::store::installation::{self, Purpose};
use crate::store::schema::{accounts as account_rows, mails};
use crate::store::{self, Db, Pool};
use crate::{consent, roles};

/// Where the demonstration keeps its data unless told otherwise.
pub const DATABASE: &str = "subtenant-demo.db";

/// Somebody to sign in as.
pub struct Person {
    pub name: String,
    pub email: &'static str,
    pub password: String,
    pub what: &'static str,
}

/// Throws an earlier demonstration away; refuses a database that holds anything else.
pub fn clear(config: &Config) -> anyhow::Result<()> {
    let stranger = "holds something else than a demonstration. The demonstration needs a database of its own";
    match &config.database_url {
        DatabaseUrl::Sqlite(path) if !Path::new(path).exists() => Ok(()),
        DatabaseUrl::Sqlite(path) => {
            anyhow::ensure!(store::is_demo(&config.database_url)?, "{path} {stranger}");
            for ending in ["", "-wal", "-shm"] {
                let file = format!("{path}{ending}");
                if Path::new(&file).exists() {
                    std::fs::remove_file(file)?;
                }
            }
            Ok(())
        }
        DatabaseUrl::Postgres(_) => {
            let empty = store::is_empty(&config.database_url)?;
            anyhow::ensure!(empty || store::is_demo(&config.database_url)?, "this database {stranger}");
            if empty { Ok(()) } else { store::drop_everything(&config.database_url) }
        }
    }
}

/// Fills the empty database; answers the people one can sign in as, the provider's administrator first.
pub fn fill(pool: &Pool, vault: &Vault, site: &str) -> anyhow::Result<Vec<Person>> {
    let people = [
        ("Ines", "Albrecht", "ines@northwind.example", "administrator of everything"),
        ("Tomás", "Rivera", "tomas@northwind.example", "reads everything, changes nothing"),
        ("Mei", "Tanaka", "mei@northwind.example", "billing manager of everything"),
        ("Jonas", "Weber", "jonas@hansa.example", "administrator of the customer Hansa Logistik alone"),
        ("Aoife", "Byrne", "aoife@northwind.example", "account manager of Customers EMEA"),
    ];
    let mut world = World { pool, origin: demo_origin(), owner: 0, root: String::new() };
    let mut keys = Vec::new();
    let mut made = Vec::new();
    for (index, (first, last, email, what)) in people.into_iter().enumerate() {
        let secret = ids::token();
        let new = NewUser {
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            company: "Northwind Managed Services".to_owned(),
            email: email.to_owned(),
            password_hash: System::new().block_on(password::hash(&secret))?,
            account_name: "Northwind Managed Services".to_owned(),
        };
        if index == 0 {
            let signed_up = pool.write_here(|db| sign_in::sign_up(db, &new, &world.origin))?;
            world.owner = signed_up.user;
            world.root = signed_up.account_id;
            keys.push(world.owner);
        } else {
            keys.push(pool.write_here(|db| sign_in::add_user(db, &new, &world.origin))?);
        }
        made.push(Person { name: format!("{first} {last}"), email, password: secret, what });
    }
    ledger::load(pool)?;
    let sites = world.grow()?;
    fabric::fill(&world, vault, &sites)?;
    world.let_in(&keys)?;
    world.own_roles(keys[1])?;
    world.colleagues()?;
    world.invite(site)?;
    ledger::fill(pool, world.owner, &world.origin, "Hansa Logistik GmbH")?;
    // Nobody reads what the making of it would have mailed.
    pool.write_here(|db| Ok(diesel::delete(mails::table).execute(db)?))?;
    for user in keys {
        pool.write_here(|db| sign_in::mark_verified(db, user))?;
    }
    Ok(made)
}

fn demo_origin() -> Origin {
    Origin { address: "192.0.2.1".to_owned(), user_agent: "subtenant demo".to_owned(), request_id: ids::token() }
}

/// What an account of the demonstration pays with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pays {
    Nothing,
    Alone,
    WithChildren,
}

struct World<'a> {
    pool: &'a Pool,
    origin: Origin,
    owner: Key,
    root: String,
}

/// Customers by region: name, whether the provider accepted the agreements, how they pay, divisions and their sites.
type Customer = (&'static str, bool, Pays, &'static [(&'static str, &'static [&'static str])]);

const EMEA: &[Customer] = &[
    (
        "Hansa Logistik GmbH",
        true,
        Pays::WithChildren,
        &[("Berlin", &["Warehouse", "Office"]), ("Hamburg", &["Port terminal", "Office"]), ("Sandbox", &[])],
    ),
    ("Alpine Data AG", true, Pays::Nothing, &[("Zürich", &["Office", "Warehouse"]), ("Genève", &["Office"])]),
    ("Rotterdam Fresh BV", false, Pays::Nothing, &[("Rotterdam", &["Warehouse"]), ("Sandbox", &[])]),
    ("Nordic Retail Hub", false, Pays::Alone, &[("Oslo", &["Office"]), ("Berlin", &[])]),
    ("Lisboa Cerâmica", true, Pays::WithChildren, &[("Fábrica", &["Forno 1", "Forno 2"]), ("Loja", &["Office"])]),
    ("شركة الخليج للتجارة", true, Pays::Nothing, &[("دبي", &["Office"])]),
];
const AMERICAS: &[Customer] = &[
    ("Hudson Health Partners", true, Pays::Alone, &[("Clinics", &["Albany", "Berlin"]), ("Research", &[])]),
    ("Sierra Outdoor Co", false, Pays::WithChildren, &[("Stores", &["Denver", "Reno"]), ("Sandbox", &[])]),
    ("Café São Paulo 🌱", true, Pays::Nothing, &[("Roastery", &["Office"])]),
];
const APAC: &[Customer] = &[
    ("Kobe Precision 株式会社", true, Pays::Nothing, &[("Factory", &["Line 1", "Line 2"]), ("Office", &[])]),
    ("Perth Minerals", false, Pays::Nothing, &[("Sandbox", &[])]),
];
const REGIONS: &[(&str, &str, &[Customer])] = &[
    ("Customers EMEA", "Served from Frankfurt and Rotterdam.", EMEA),
    ("Customers Americas", "Served from Ashburn.", AMERICAS),
    ("Customers APAC", "Served from Singapore and Osaka.", APAC),
];

impl World<'_> {
    /// Answers the sites that get a connection.
    fn grow(&self) -> anyhow::Result<Vec<fabric::Site>> {
        let mut sites = Vec::new();
        self.accept(&self.root)?;
        self.pay(&self.root, "Northwind Managed Services", true)?;
        for (name, description, customers) in REGIONS {
            let region = self.open(&self.root, name, description, true)?;
            for customer in *customers {
                self.customer((&region, name), customer, &mut sites)?;
            }
        }
        let internal = self.open(&self.root, "Internal", "Northwind's own networks.", true)?;
        for name in ["Platform", "Research", "Sandbox"] {
            self.open(&internal, name, "", name != "Sandbox")?;
        }
        let retired = self.open(&internal, "Retired pilot", "Closed; can be restored.", true)?;
        self.close(&retired)?;
        self.announce()?;
        Ok(sites)
    }

    fn customer(
        &self,
        (region, region_name): (&str, &str),
        (name, accepted, pays, divisions): &Customer,
        sites: &mut Vec<fabric::Site>,
    ) -> anyhow::Result<()> {
        let id = self.open(region, name, "", *accepted)?;
        if *pays != Pays::Nothing {
            self.pay(&id, name, *pays == Pays::WithChildren)?;
        }
        for (division, places) in *divisions {
            let division_id = self.open(&id, division, "", *accepted && *division != "Sandbox")?;
            for site in *places {
                let site_id = self.open(&division_id, site, "", *accepted)?;
                if *accepted && *pays != Pays::Alone {
                    let (name, region) = ((*site).to_owned(), region_name.to_owned());
                    sites.push(fabric::Site { id: site_id, name, region });
                }
            }
        }
        Ok(())
    }

    fn open(&self, parent: &str, name: &str, description: &str, accept: bool) -> Result<String, Problem> {
        let details = Details {
            name: name.to_owned(),
            description: description.to_owned(),
            contacts: vec!["noc@northwind.example".to_owned()],
            tags: Vec::new(),
        };
        let new = NewChild { details, accept_agreements: accept, max_depth: 1000 };
        self.pool.write_here(|db| {
            let by = access::grant::<CreateAccounts>(db, self.owner, parent, self.origin.clone())?;
            Ok(accounts::open_child(db, &by, new)?.id)
        })
    }

    fn accept(&self, account: &str) -> Result<(), Problem> {
        self.pool.write_here(|db| {
            let by = access::grant::<UpdateAccounts>(db, self.owner, account, self.origin.clone())?;
            let documents: Vec<Key> = consent::in_force(db)?.iter().map(|d| d.key).collect();
            consent::accept(db, &by, &documents).map(|_| ())
        })
    }

    fn pay(&self, account: &str, holder: &str, allow_child_accounts: bool) -> Result<(), Problem> {
        let entries = Entries {
            collection_method: CollectionMethod::Net30,
            name: holder.to_owned(),
            email: "accounts@example.com".to_owned(),
            street: "1 Example Street".to_owned(),
            city: "Frankfurt".to_owned(),
            state: String::new(),
            postal_code: "60311".to_owned(),
            country: "DE".to_owned(),
            allow_child_accounts,
        };
        self.pool.write_here(|db| {
            let by = access::grant::<CreateBilling>(db, self.owner, account, self.origin.clone())?;
            let stamp = billing::effects(db, by.account().key, billing::Change::Save { allow_child_accounts })?.stamp();
            billing::add(db, &by, &entries, &stamp).map(|_| ())
        })
    }

    fn close(&self, account: &str) -> Result<(), Problem> {
        self.pool.write_here(|db| {
            let by = access::grant::<DeleteAccounts>(db, self.owner, account, self.origin.clone())?;
            accounts::close(db, &by, by.account().version)
        })
    }

    /// A second version of one document, in a month: every bound account announces it.
    fn announce(&self) -> Result<(), Problem> {
        let text = "# Acceptable Use Policy\n\n".to_owned()
            + include_str!("../legal/aup-1.md").split_once('\n').map_or("", |(_, rest)| rest)
            + "\n## Demonstration\n\nThis second version exists to show how a new version announces itself.\n";
        let day = (ids::now() + Duration::days(30)).format("%Y-%m-%d").to_string();
        self.pool.write_here(|db: &mut Db| {
            consent::publish(db, "aup", "2", &day, text.as_bytes())
                .map(|_| ())
                .map_err(|why| Problem::Bug(anyhow::anyhow!(why.join("; "))))
        })
    }

    /// Roles besides the built-in ones: one of the provider, given for three customers, and one of a customer.
    fn own_roles(&self, technician: Key) -> Result<(), Problem> {
        let see = |resource| Permission(resource, Verb::Read);
        let change = |resource| Permission(resource, Verb::Update);
        let field = [see(Resource::Networks), see(Resource::Ports), change(Resource::Ports)];
        let books = [see(Resource::Accounts), see(Resource::Billing), see(Resource::Audit)];
        let hansa = "Hansa Logistik GmbH";
        self.pool.write_here(|db| {
            let by = access::grant::<CreateRoles>(db, self.owner, &self.root, self.origin.clone())?;
            let new = |name: &str, description: &str, list: &[Permission]| roles::NewRole {
                name: name.to_owned(),
                description: description.to_owned(),
                permissions: Permissions::of(list),
            };
            let role = roles::create(db, &by, new("Field technician", "Works on ports at a customer's site.", &field))?;
            let root = by.account().key;
            for customer in [hansa, "Alpine Data AG", "Nordic Retail Hub"] {
                let account = accounts::store::by_name(db, root, customer)?;
                let new = NewAssignment {
                    account,
                    user: technician,
                    role: role.key,
                    role_account: root,
                    scope: Scope::HereAndBelow,
                    ends_at: ids::never(),
                    granted_by: Some(self.owner),
                };
                members::assign(db, &new)?;
            }
            let hansa = accounts::store::by_name(db, root, hansa)?;
            let id: String = account_rows::table.find(hansa).select(account_rows::id).first(db)?;
            let by = access::grant::<CreateRoles>(db, self.owner, &id, self.origin.clone())?;
            roles::create(db, &by, new("Bookkeeper", "Reads what the auditors ask for.", &books)).map(|_| ())
        })
    }

    /// People to look at: one whose role reaches below an account only, one whose role ends, one whose role ended.
    fn colleagues(&self) -> anyhow::Result<()> {
        let now = ids::now();
        let people = [
            ("Hanna", "Koch", "hanna@northwind.example", "Customers EMEA", Scope::Below, ids::never()),
            (
                "Luis",
                "Ortega",
                "luis@freelance.example",
                "Customers APAC",
                Scope::HereAndBelow,
                now + Duration::days(21),
            ),
            ("Piet", "Jansen", "piet@freelance.example", "Hansa Logistik GmbH", Scope::Here, now - Duration::days(4)),
        ];
        for (first, last, email, account, scope, ends_at) in people {
            let new = NewUser {
                first_name: first.to_owned(),
                last_name: last.to_owned(),
                company: "Northwind Managed Services".to_owned(),
                email: email.to_owned(),
                password_hash: System::new().block_on(password::hash(&ids::token()))?,
                account_name: String::new(),
            };
            let user = self.pool.write_here(|db| sign_in::add_user(db, &new, &self.origin))?;
            self.pool.write_here(|db| self.give(db, user, account, "Network operator", scope, ends_at))?;
        }
        Ok(())
    }

    /// Invitations that nobody answered yet; nothing is mailed in a demonstration.
    fn invite(&self, site: &str) -> Result<(), Problem> {
        let invitations: [(&str, &[&str], &str); 3] = [
            ("Hansa Logistik GmbH", &["sabine@hansa.example", "it-support@hansa.example"], "Network operator"),
            ("Alpine Data AG", &["urs@alpine.example"], "Administrator"),
            ("Northwind Managed Services", &["auditor@example.com"], "Read only"),
        ];
        for (account, addresses, role) in invitations {
            self.pool.write_here(|db| {
                let root = access::grant::<CreateMembers>(db, self.owner, &self.root, self.origin.clone())?;
                let key = accounts::store::by_name(db, root.account().key, account)?;
                let id = account_rows::table.find(key).select(account_rows::id).first::<String>(db)?;
                let by = access::grant::<CreateMembers>(db, self.owner, &id, self.origin.clone())?;
                let role = roles::available(db, by.frame())?.into_iter().find(|one| one.name == role);
                let new = NewInvitation {
                    addresses: addresses.iter().map(|one| (*one).to_owned()).collect(),
                    role_ids: role.map(|role| role.id).into_iter().collect(),
                    scope: Scope::HereAndBelow,
                    ends_at: ids::never(),
                    message: "Welcome! With this you can look after your own networks.".to_owned(),
                    site: site.to_owned(),
                };
                members::invite(db, &by, &new)
            })?;
        }
        Ok(())
    }

    fn give(
        &self,
        db: &mut Db,
        user: Key,
        account: &str,
        role: &str,
        scope: Scope,
        ends_at: NaiveDateTime,
    ) -> Result<(), Problem> {
        let root = access::grant::<CreateAccounts>(db, self.owner, &self.root, self.origin.clone())?.account().key;
        let account = accounts::store::by_name(db, root, account)?;
        let role = roles::built_in(db, root, role)?;
        let granted_by = Some(self.owner);
        members::assign(db, &NewAssignment { account, user, role, role_account: root, scope, ends_at, granted_by })
    }

    fn let_in(&self, keys: &[Key]) -> Result<(), Problem> {
        let places = [
            (keys[1], "Northwind Managed Services", "Read only"),
            (keys[2], "Northwind Managed Services", "Billing manager"),
            (keys[3], "Hansa Logistik GmbH", "Administrator"),
            (keys[4], "Customers EMEA", "Account manager"),
        ];
        self.pool.write_here(|db| {
            for (user, account, role) in places {
                self.give(db, user, account, role, Scope::HereAndBelow, ids::never())?;
            }
            Ok(())
        })
    }
}

/// What the terminal says.
pub fn greeting(origin: &str, people: &[Person]) -> String {
    let mut text = format!(
        "Subtenant is ready with a demonstration: nothing in it is real, and it is made anew at each start.\n\n  Open {origin}/sign-in and sign in as one of\n\n"
    );
    for person in people {
        text.push_str(&format!("    {:<26} {}   {}, {}\n", person.email, person.password, person.name, person.what));
    }
    text.push_str("\nCtrl-C stops it.");
    text
}

/// Prepares the database of a demonstration and fills it.
pub fn prepare(config: &Config) -> anyhow::Result<(crate::app::Parts, Vec<Person>)> {
    clear(config)?;
    let parts = crate::server::prepare(config, Purpose::Demo)?;
    let purpose = parts.pool.read_here(installation::purpose)?;
    anyhow::ensure!(purpose == Some(Purpose::Demo), "this database became somebody else's meanwhile");
    let people = fill(&parts.pool, &parts.vault, &config.origin())?;
    Ok((parts, people))
}
