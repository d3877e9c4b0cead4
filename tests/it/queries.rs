//! How many statements each page runs, counted on the connections of one world by diesel's own instrumentation: the same
//! for thirty accounts as for hundreds, on five levels as on sixty, and as many as `queries.txt` says
//! (UPDATE_QUERIES=1 writes it anew). A page that asks once for each row of a list is seen here at once.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, Once};

use actix_web::http::Method;
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use diesel::prelude::*;
use subtenant::access::Scope;
use subtenant::access::policy::{CreateBilling, CreateRoles, DeleteAccounts, Permission, Permissions, Resource, Verb};
use subtenant::app::routes;
use subtenant::store::schema::{consents, roles as role_rows};
use subtenant::{accounts, billing, ids, members, roles};

use crate::browser::Browser;
use crate::imported::{import, import_of};
use crate::invited::{invite, pending};
use crate::mailbox::token_for;
use crate::money::invoice;
use crate::ordered::{accept, connection, connection_called, network, network_called};
use crate::usage::{connect, invoice_of, make};
use crate::wired::{line, offered, port, port_of, put_cap};
use crate::world::{World, admin_of};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/queries.txt");
/// Beginnings of statements that every page shares or that a pool makes by itself.
const UNCOUNTED: [&str; 6] = ["BEGIN", "COMMIT", "ROLLBACK", "SELECT 1", "SET ", "PRAGMA"];

/// Statements by the database they went to.
static SEEN: LazyLock<Mutex<BTreeMap<String, Vec<String>>>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Counter(String);

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => self.0 = url.to_owned(),
            InstrumentationEvent::StartQuery { query, .. } => {
                let mut seen = SEEN.lock().expect("nobody panics while counting");
                // Those of other worlds are not even written down: that takes as long as asking the database.
                let Some(list) = seen.get_mut(&self.0) else { return };
                let text = query.to_string();
                if !UNCOUNTED.iter().any(|start| text.starts_with(start)) {
                    list.push(text);
                }
            }
            _ => {}
        }
    }
}

/// Connections made from now on count; those to this world keep what they count.
fn counted_world() -> World {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        set_default_instrumentation(|| Some(Box::new(Counter::default()))).expect("counting is possible")
    });
    let world = World::new();
    SEEN.lock().expect("counting").insert(world.place().url().to_owned(), Vec::new());
    world
}

fn statements(world: &World) -> Vec<String> {
    std::mem::take(SEEN.lock().expect("counting").get_mut(world.place().url()).expect("a counted world"))
}

/// A chain of `levels` accounts below `root` that ends in `hub`, which has `width` children with names and payers.
fn fill(world: &World, levels: usize, width: usize) {
    let mut branch = world.account("root");
    for level in 1..levels {
        branch = branch.child(&format!("level {level}"));
    }
    let hub = branch.child("hub");
    let admin = admin_of("root");
    for n in 0..width {
        let name = format!("child {n}");
        hub.child(&name);
        if n % 4 == 0 {
            pay(world, &admin, &name);
            accept(world, &admin, &name);
        }
    }
    for account in ["root", "hub"] {
        accept(world, &admin, account);
        world.account("root").at(account).child(&format!("closed in {account}"));
        let by = world.grant::<DeleteAccounts>(&admin, &format!("closed in {account}")).expect("the administrator may");
        world.write(|db| accounts::close(db, &by, by.account().version)).expect("the child is closed");
    }
    let uplink = offered(world, "root", "Uplink", 40_000);
    offered(world, "hub", "Uplink", 40_000);
    for (account, child) in [("root", "level 1"), ("hub", "child 0")] {
        put_cap(world, &port_of(world, account), account, child);
        (0..60).for_each(|n| _ = port(world, account, &format!("port {n}"), 1000));
    }
    for n in 0..width.min(60) {
        line(world, &format!("child {n}"), &uplink, "line", 1 + n as i64, 100).expect("it fits");
        line(world, &format!("child {n}"), &port_of(world, "hub"), "line", 1 + n as i64, 100).expect("it fits");
    }
    for account in ["root", "hub"] {
        let office = network(world, &admin, account, "Office");
        connection(world, account, &office, "Tunnel", "ACTIVE");
        (0..55).for_each(|n| _ = network(world, &admin, account, &format!("net {n}")));
        (0..60).for_each(|n| _ = connection(world, account, &office, &format!("tunnel {n}"), "ACTIVE"));
    }
    for n in 0..width.min(55) {
        let child = format!("child {n}");
        let office = network(world, &admin, &child, "Office");
        connection(world, &child, &office, "Tunnel", "ACTIVE");
    }
    for account in ["root", "hub"] {
        import(world, &admin, account, "DONE", width as i64);
    }
    pay(world, &admin, "root");
    charge(world, &admin, width);
    for account in ["root", "hub"] {
        technicians(world, &admin, account, width / 4);
        let branch = world.account("root").at(account);
        // More than a page, and fewer than one piece of a file.
        for n in 0..width.min(60) {
            branch.operator(&format!("member {n} of {account}"));
            invite(world, &admin, account, &format!("{n}@{account}.example"), "Read only");
        }
    }
}

/// An invoice of the root and one of `hub` for itself and its children, each with more of everything than a page.
fn charge(world: &World, admin: &str, width: usize) {
    for account in ["root", "hub"] {
        (0..60).for_each(|n| connect(world, account, &format!("line {n}"), "2025-01-01"));
    }
    (0..width).for_each(|n| connect(world, &format!("child {n}"), "line", "2025-01-01"));
    pay(world, admin, "hub");
    make(world, "2025-01");
    world.sql(&format!("DELETE FROM payment_methods WHERE account_key = {}", world.key("hub")));
}

/// A role of the account that so many people have at children of `hub`.
fn technicians(world: &World, admin: &str, account: &str, people: usize) {
    let by = world.grant::<CreateRoles>(admin, account).expect("the administrator may");
    let permissions = Permissions::one(Permission(Resource::Ports, Verb::Read));
    let new = roles::NewRole { name: format!("role of {account}"), description: String::new(), permissions };
    let role = world.write(|db| roles::create(db, &by, new)).expect("a role");
    for n in 0..people {
        let new = members::NewAssignment {
            account: world.key(&format!("child {n}")),
            user: world.person(&format!("person {n}")),
            role: role.key,
            role_account: role.account,
            scope: Scope::HereAndBelow,
            ends_at: ids::never(),
            granted_by: None,
        };
        world.write(|db| members::assign(db, &new)).expect("the role is given");
    }
}

fn pay(world: &World, admin: &str, account: &str) {
    let by = world.grant::<CreateBilling>(admin, account).expect("the administrator may");
    world.write(|db| billing::add(db, &by, &invoice(account, true), "")).expect("a payment method");
}

/// Every page, and the lists in their other forms.
fn pages() -> Vec<String> {
    let mut pages: Vec<String> =
        routes().iter().filter(|r| r.method == Method::GET).map(|r| r.path.to_owned()).collect();
    for (path, query) in [
        ("child-accounts", "scope=below"),
        ("child-accounts", "view=tree"),
        ("child-accounts", "scope=below&q=child&sort=-children"),
        ("child-accounts", "page=last"),
        ("child-accounts.csv", "scope=below"),
        ("audit-log", "scope=below"),
        ("audit-log.csv", "scope=below"),
        ("switch", "q=hub"),
        ("readiness", "missing=payment"),
        ("readiness", "missing=resuming"),
        ("members", "q=member"),
        ("members", "show=inherited"),
        ("members", "show=invited"),
        ("members.csv", "show=invited"),
        ("reach", "power=ports:update&given=above&q=admin"),
        ("your-roles", "action=billing:update"),
        ("roles/compare", "one={role}&other={role}"),
        ("roles/{role}", "page=last"),
        ("networks", "scope=below"),
        ("networks", "q=net&state=ACTIVE&tag=a:b"),
        ("networks.csv", "scope=below"),
        ("networks/{network}", "page=last"),
        ("connections", "scope=below"),
        ("connections", "q=tunnel&state=ACTIVE&kind=SITE_IPSEC_VPN&network={network}&page=last"),
        ("connections.csv", "scope=below"),
        ("ports", "scope=below"),
        ("ports", "state=active&whose=own&sort=-created&page=last"),
        ("ports.csv", "scope=below"),
        ("ports/new", "facility=us-wdc-a"),
        ("ports/{port}", "page=last"),
        ("ports/{port}/caps", "q=child"),
        ("usage", "month=2025-01"),
        ("invoices/{invoice}", "at={account}&page=last"),
        ("child-accounts/imports/{import}", "show=errors&page=last"),
    ] {
        pages.push(format!("/a/{{account}}/{path}?{query}"));
    }
    // What is nobody's here is not found.
    let nobodys = |path: &str| {
        path == "/metrics"
            || path.ends_with("/app/remove")
            || ["{session}", "{token}", "{passkey}"].iter().any(|part| path.contains(part))
    };
    pages.retain(|path| !nobodys(path));
    pages
}

fn address(world: &World, page: &str, account: &str) -> String {
    let row = consents::table.filter(consents::account_key.eq(world.key(account))).select(consents::id);
    let receipt: String = world.read(|db| Ok(row.first(db)?)).expect("a consent");
    let child = match (page.contains("/restore"), account) {
        (true, account) => format!("closed in {account}"),
        (false, "hub") => "child 0".to_owned(),
        (false, _) => "level 1".to_owned(),
    };
    let user = world.person_id(&admin_of("root"));
    let row =
        role_rows::table.filter(role_rows::account_key.eq(world.key(account))).filter(role_rows::built_in.eq(false));
    let role: String = world.read(|db| Ok(row.select(role_rows::id).first(db)?)).expect("a role");
    let own = world.id(account);
    let child = world.id(&child);
    [("{account}", own), ("{role}", role), ("{child}", child), ("{consent}", receipt), ("{user}", user)]
        .into_iter()
        .fold(page.to_owned(), |path, (name, value)| path.replace(name, &value))
        .replace("{token}", &token_for(world, page, &admin_of("root")))
        .replace("{document}", "msa")
        .replace("{version}", "1")
        .replace("{invoice}", &invoice_of(world, account))
        .replace("{import}", &import_of(world, account))
        .replace("{port}", &port_of(world, account))
        .replace("{network}", &network_called(world, account, "Office"))
        .replace("{connection}", &connection_called(world, account, "Tunnel"))
        .replace("{member}", &world.person_id(&format!("member 0 of {account}")))
        .replace("{invitation}", &pending(world, account, &format!("0@{account}.example")))
}

/// How many statements the page runs when it is looked at again.
async fn count(world: &World, browser: &mut Browser, uri: &str) -> usize {
    // However long the test takes: nobody is away for a minute, which would be noted, or has to prove who they are.
    let now = ids::now().format("%Y-%m-%d %H:%M:%S%.6f");
    world.sql(&format!("UPDATE sessions SET last_used_at = '{now}', fresh_at = '{now}'"));
    browser.send(browser.request(Method::GET, uri)).await;
    statements(world);
    let answer = browser.send(browser.request(Method::GET, uri)).await;
    assert!(answer.status.is_success() || answer.status.is_redirection(), "{uri}: {}", answer.status);
    statements(world).len()
}

async fn table(levels: usize, width: usize) -> String {
    let world = counted_world();
    fill(&world, levels, width);
    let mut browser = world.browser("admin-of-root").await;
    let mut text = String::new();
    for page in pages() {
        let mut counts = Vec::new();
        for account in if page.contains("{account}") { &["root", "hub"][..] } else { &["root"] } {
            counts.push(count(&world, &mut browser, &address(&world, &page, account)).await.to_string());
        }
        text.push_str(&format!("{page}: {}\n", counts.join(" ")));
    }
    SEEN.lock().expect("counting").remove(world.place().url());
    text
}

#[actix_web::test]
async fn a_page_runs_as_many_statements_whatever_the_size_of_the_tree() {
    let small = table(5, 25).await;
    let large = table(60, 400).await;
    for (few, many) in small.lines().zip(large.lines()) {
        assert_eq!(few, many, "first with 30 accounts, then with 460; the numbers are for the root and the lowest");
    }
    if std::env::var_os("UPDATE_QUERIES").is_some() {
        std::fs::write(FILE, &large).expect("the table is written");
    }
    let expected = std::fs::read_to_string(FILE).unwrap_or_default();
    for (is, should) in large.lines().zip(expected.lines()) {
        assert_eq!(is, should, "UPDATE_QUERIES=1 writes queries.txt anew");
    }
    assert_eq!(
        large.lines().count(),
        expected.lines().count(),
        "pages came or went; UPDATE_QUERIES=1 writes queries.txt"
    );
}
