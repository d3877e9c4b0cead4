//! Every page that can be reached by links from a few starts, once each, in a fixed order. Also the one world that the
//! tests about all pages share: an account in each state that has pages of its own, one with an invoice.

use std::collections::{BTreeSet, VecDeque};

use actix_web::http::Method;
use subtenant::access::policy::{
    CreateBilling, CreateRoles, DeleteAccounts, Permission, Permissions, Resource, SuspendAccounts, UpdateAccounts,
    Verb,
};
use subtenant::store::Db;
use subtenant::{accounts, billing, consent, roles, suspension};

use crate::browser::{Answer, Browser};
use crate::imported::import;
use crate::invited::invite;
use crate::money::invoice;
use crate::ordered::{connection, network};
use crate::usage::{connect, make};
use crate::wired::{broken, offered, put_cap};
use crate::world::{World, admin_of};

/// `acme` with `lab` (nothing done yet but a role, two networks, a connection, two ports of its own, one of them
/// broken, and an import that was not started; Mara is a member, two
/// people are invited), `bound` (agreements), `paid` (a method of its own), `doomed` (to be closed), `stopped`
/// (suspended) and `closed`.
pub fn world() -> World {
    let world = World::new();
    furnish(&world);
    world
}

pub fn furnish(world: &World) {
    world.account("acme").children(&["lab", "bound", "paid", "doomed", "stopped", "closed"]).viewer("vera");
    world.account("acme").at("lab").child("bench");
    put_cap(world, &offered(world, "lab", "Uplink", 1000), "lab", "bench");
    broken(world, "lab", "Broken");
    let admin = admin_of("acme");
    let office = network(world, &admin, "lab", "Office");
    network(world, &admin, "lab", "Spare");
    connection(world, "lab", &office, "Tunnel", "ACTIVE");
    let by = world.grant::<UpdateAccounts>(&admin, "bound").expect("the administrator may");
    let accepting = |db: &mut Db| {
        let keys: Vec<_> = consent::in_force(db)?.iter().map(|d| d.key).collect();
        consent::accept(db, &by, &keys)
    };
    world.write(accepting).expect("the agreements are accepted");
    let by = world.grant::<CreateBilling>(&admin, "paid").expect("the administrator may");
    world.write(|db| billing::add(db, &by, &invoice("paid", false), "")).expect("a payment method");
    // `paid` has an invoice; nobody pays for what the lab uses.
    for account in ["paid", "lab"] {
        connect(world, account, "line", "2024-12-15");
    }
    make(world, "2025-01");
    world.sql("UPDATE invoices SET state = 'FAILED', provider_state = 'FAILED', trouble = 'Your card was declined.'");
    let by = world.grant::<CreateRoles>(&admin, "lab").expect("the administrator may");
    let permissions = Permissions::one(Permission(Resource::Ports, Verb::Read));
    let new = roles::NewRole { name: "Technician".to_owned(), description: String::new(), permissions };
    world.write(|db| roles::create(db, &by, new)).expect("a role");
    let by = world.grant::<DeleteAccounts>(&admin, "closed").expect("the administrator may");
    world.write(|db| accounts::close(db, &by, by.account().version)).expect("the child is closed");
    let by = world.grant::<SuspendAccounts>(&admin, "acme").expect("the administrator may");
    let stopped = world.id("stopped");
    world.write(|db| suspension::suspend(db, &by, &stopped, "late", None)).expect("it is suspended");
    world.account("acme").at("lab").operator("mara");
    world.account("acme").at("bound").administrator(&admin);
    import(world, &admin, "lab", "DRAFT", 1);
    import(world, &admin, "acme", "DONE", 60);
    import(world, &admin, "bound", "RUNNING", 1);
    for email in ["newcomer@example.com", "admin-of-acme@example.com"] {
        invite(world, &admin, "lab", email, "Read only");
    }
}

const MOST_PAGES: usize = 4000;

/// Visits everything that is linked, asking each address with `header` if there is one.
pub async fn crawl(browser: &mut Browser, header: Option<(&str, &str)>, mut each: impl FnMut(&str, &Answer)) -> usize {
    let starts = ["/", "/profile", "/help", "/sign-in", "/sign-up"];
    let mut waiting: VecDeque<(String, String)> = starts.map(|uri| (uri.to_owned(), String::new())).into();
    let mut known: BTreeSet<String> = starts.map(str::to_owned).into();
    let mut pages = 0;
    while let Some((uri, from)) = waiting.pop_front() {
        pages += 1;
        assert!(pages < MOST_PAGES, "the crawl does not end; now at {uri}");
        let mut request = browser.request(Method::GET, &uri);
        if let Some(header) = header {
            request = request.insert_header(header);
        }
        let answer = browser.send(request).await;
        each(&format!("{uri}, linked from {from:?},"), &answer);
        let page = crate::page::Page::read(&uri, &answer);
        let redirect = Some(answer.header("location").to_owned()).filter(|to| !to.is_empty());
        for link in page.links().into_iter().chain(redirect) {
            let link = link.split('#').next().unwrap_or_default().to_owned();
            if known.insert(link.clone()) {
                waiting.push_back((link, uri.clone()));
            }
        }
    }
    pages
}
