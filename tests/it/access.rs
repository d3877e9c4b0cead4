//! Who gets what at which address: every route of the app x every kind of person x where their membership is seen from
//! the account in the address, compared with the checked-in `access.txt` (UPDATE_GRID=1 writes it anew; read the
//! difference before you believe it). Forms are sent with a right token and nothing else, so that one that is allowed
//! answers with its complaints. Also: what may not be seen and what does not exist are answered alike (T13).

use std::collections::BTreeMap;

use actix_web::http::{Method, StatusCode, header};
use diesel::prelude::*;
use subtenant::access::policy::{
    CreateBilling, CreateRoles, DeleteAccounts, Permission, Permissions, Resource, SuspendAccounts, UpdateAccounts,
    Verb,
};
use subtenant::app::routes;
use subtenant::store::Db;
use subtenant::store::schema::{accounts as account_rows, consents, invitations, roles as role_rows, sessions};
use subtenant::web::route::Route;
use subtenant::{accounts, billing, consent, ids, roles, suspension};

use crate::browser::{Answer, Browser, FORM};
use crate::imported::{import, import_of};
use crate::invited::{invite, link, pending};
use crate::money::invoice;
use crate::ordered::{connection, connection_called, network, network_called};
use crate::page::Page;
use crate::usage::{connect, invoice_of, make};
use crate::wired::{port, port_of, put_cap};
use crate::world::{World, admin_of};

const ROLES: [&str; 5] = ["viewer", "operator", "billing manager", "account manager", "administrator"];
/// The account in the address, as seen from the one of which the person is a member.
const RELATIONS: [&str; 4] = ["own", "child", "parent", "sibling"];
const FILES: [&str; 3] = ["text/csv", "application/x-ndjson", "application/pdf"];
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/access.txt");

/// A member of `own` in each role, a stranger, and every kind of thing that an address can name.
fn world() -> World {
    let world = World::new();
    let parent = world.account("root").child("parent");
    let own = parent.child("own");
    parent.child("sibling");
    own.child("child");
    own.viewer("viewer").operator("operator").billing_manager("billing manager");
    own.account_manager("account manager").administrator("administrator");
    world.account("elsewhere");
    for account in RELATIONS {
        furnish(&world, account);
        connect(&world, account, "line", "2025-01-01");
    }
    make(&world, "2025-01");
    world
}

/// Agreements, a payment method, an open child, and for each role a closed child and a role of the account: restoring
/// or deleting one leaves the next.
fn furnish(world: &World, account: &str) {
    let admin = admin_of("root");
    let by = world.grant::<UpdateAccounts>(&admin, account).expect("the administrator may");
    let accepting = |db: &mut Db| {
        let keys: Vec<_> = consent::in_force(db)?.iter().map(|d| d.key).collect();
        consent::accept(db, &by, &keys)
    };
    world.write(accepting).expect("the agreements are accepted");
    let by = world.grant::<CreateBilling>(&admin, account).expect("the administrator may");
    world.write(|db| billing::add(db, &by, &invoice(account, true), "")).expect("a payment method");
    let branch = world.account("root").at(account);
    branch.child(&format!("open in {account}"));
    put_cap(world, &port(world, account, "Uplink", 1000), account, &format!("open in {account}"));
    let office = network(world, &admin, account, "Office");
    connection(world, account, &office, "Tunnel", "ACTIVE");
    branch.account_manager(&format!("guest of {account}"));
    let stopped = format!("stopped in {account}");
    branch.child(&stopped);
    let by = world.grant::<SuspendAccounts>(&admin, account).expect("the administrator may");
    world.write(|db| suspension::suspend(db, &by, &world.id(&stopped), "", None)).expect("it is suspended");
    import(world, &admin, account, "RUNNING", 2);
    invite(world, &admin, account, "newcomer@example.com", "Account manager");
    for role in ROLES {
        invite(world, &admin, account, &invited_by(role), "Account manager");
        let name = format!("closed in {account} for {role}");
        branch.child(&name);
        let by = world.grant::<DeleteAccounts>(&admin, &name).expect("the administrator may");
        world.write(|db| accounts::close(db, &by, by.account().version)).expect("the child is closed");
        let (by, name) = (world.grant::<CreateRoles>(&admin, account), format!("role of {account} for {role}"));
        let by = by.expect("the administrator may");
        let permissions = Permissions::one(Permission(Resource::Accounts, Verb::Read));
        let new = roles::NewRole { name, description: String::new(), permissions };
        world.write(|db| roles::create(db, &by, new)).expect("a role");
    }
}

/// Whose invitation somebody in this role can take back: doing so leaves the next.
fn invited_by(role: &str) -> String {
    format!("for.{}@example.com", role.replace(' ', "."))
}

/// Somebody with the values that addresses need.
struct Person {
    name: &'static str,
    browser: Browser,
    token: String,
    /// Another session of theirs.
    session: String,
}

impl Person {
    async fn of(world: &World, name: &'static str) -> Person {
        let who = match name {
            "anonymous" => None,
            "stranger" => Some(admin_of("elsewhere")),
            role => Some(role.to_owned()),
        };
        let mut browser = Browser::new(&world.console().await);
        if let Some(who) = &who {
            world.browser(who).await;
            browser = world.browser(who).await;
        }
        browser.get(if who.is_some() { "/profile" } else { "/sign-in" }).await;
        let token = browser.page.forms()[0].value("_token").to_owned();
        let user = who.map(|who| world.person(&who));
        let rows = sessions::table.filter(sessions::user_key.eq(user)).order(sessions::created_at);
        let session: Option<String> =
            world.read(|db| Ok(rows.select(sessions::id).first(db).optional()?)).expect("sessions are read");
        Person { name, browser, token, session: session.unwrap_or_else(ids::token) }
    }

    async fn ask(&mut self, method: &Method, uri: &str) -> Answer {
        let request = self.browser.request(method.clone(), uri);
        let token = format!("_token={}", self.token);
        let request = match *method {
            Method::POST => request.insert_header((header::CONTENT_TYPE, FORM)).set_payload(token),
            _ => request,
        };
        self.browser.console.send(request).await
    }
}

/// The address of a route in this account, as this person would find it.
fn address(world: &World, path: &str, account: &str, person: &Person) -> String {
    let role = ROLES.iter().find(|role| **role == person.name).unwrap_or(&ROLES[0]);
    let open = format!("open in {account}");
    let child = match path.rsplit('/').next() {
        Some("restore") => format!("closed in {account} for {role}"),
        Some("resume") => format!("stopped in {account}"),
        _ => open,
    };
    let row = consents::table.filter(consents::account_key.eq(world.key(account))).select(consents::id);
    let receipt: String = world.read(|db| Ok(row.first(db)?)).expect("a consent");
    if path == "/invites/{token}" {
        return link(world, &admin_of("root"), account, &pending(world, account, "newcomer@example.com"));
    }
    let invited = if path.ends_with("/withdraw") { invited_by(role) } else { "newcomer@example.com".to_owned() };
    let row = role_rows::table.filter(role_rows::name.eq(format!("role of {account} for {role}")));
    let role: String =
        world.read(|db| Ok(row.select(role_rows::id).first(db).optional()?)).expect("a role").unwrap_or_default();
    [
        ("{member}", world.person_id(&format!("guest of {account}"))),
        ("{invitation}", invitation(world, account, &invited)),
        ("{account}", world.id(account)),
        ("{invoice}", invoice_of(world, account)),
        ("{role}", role),
        ("{import}", import_of(world, account)),
        ("{port}", port_of(world, account)),
        ("{network}", network_called(world, account, "Office")),
        ("{connection}", connection_called(world, account, "Tunnel")),
        ("{child}", world.id(&child)),
        ("{consent}", receipt),
        // Somebody who reaches every account.
        ("{user}", world.person_id(&admin_of("root"))),
        ("{session}", person.session.clone()),
        ("{passkey}", ids::new_id("passkey")),
        ("{document}", "msa".to_owned()),
        ("{version}", "1".to_owned()),
        ("{token}", ids::token()),
    ]
    .into_iter()
    .fold(path.to_owned(), |path, (name, value)| path.replace(name, &value))
}

/// Also one that was withdrawn meanwhile.
fn invitation(world: &World, account: &str, email: &str) -> String {
    let here = invitations::table.filter(invitations::account_key.eq(world.key(account)));
    let row = here.filter(invitations::email.eq(email)).select(invitations::id);
    world.read(|db| Ok(row.first(db)?)).expect("an invitation")
}

/// The outcome in a word.
fn word(answer: &Answer) -> String {
    let kind = answer.header("content-type");
    match answer.status {
        StatusCode::OK if kind.starts_with("text/html") => "page".to_owned(),
        StatusCode::OK if FILES.iter().any(|file| kind.starts_with(file)) => "file".to_owned(),
        StatusCode::OK => "text".to_owned(),
        StatusCode::NO_CONTENT => "nothing".to_owned(),
        StatusCode::SEE_OTHER if answer.header("location").starts_with("/sign-in") => "sign-in".to_owned(),
        StatusCode::SEE_OTHER => "see".to_owned(),
        StatusCode::NOT_FOUND => "not-found".to_owned(),
        StatusCode::UNPROCESSABLE_ENTITY => "form".to_owned(),
        StatusCode::CONFLICT => "conflict".to_owned(),
        StatusCode::FORBIDDEN => {
            let text = Page::read("", answer).text();
            let missing = text.split('“').nth(1).and_then(|rest| rest.split('”').next());
            missing.map_or("refused".to_owned(), |permission| format!("forbidden ({permission})"))
        }
        other => other.as_u16().to_string(),
    }
}

/// What one person gets at one route, over all relations.
async fn line(world: &World, route: &Route, person: &mut Person) -> String {
    let relations: &[&str] = match person.name {
        _ if !route.path.contains("{account}") => &["own"],
        "anonymous" | "stranger" => &["own"],
        _ => &RELATIONS,
    };
    let mut words = Vec::new();
    for relation in relations {
        let outcome = word(&person.ask(&route.method, &address(world, route.path, relation, person)).await);
        words.push(if relations.len() == 1 { outcome } else { format!("{relation} {outcome}") });
    }
    words.join(", ")
}

async fn grid(world: &World) -> String {
    let mut text = String::new();
    let mut people = Vec::new();
    for name in ["anonymous", "stranger"].into_iter().chain(ROLES) {
        people.push(Person::of(world, name).await);
    }
    for route in routes() {
        let mut lines: Vec<(String, Vec<&str>)> = Vec::new();
        for person in &mut people {
            // A session that is signed out would be of no use to the next route.
            let outcome = match route.path {
                "/sign-out" => line(world, &route, &mut Person::of(world, person.name).await).await,
                _ => line(world, &route, person).await,
            };
            match lines.iter_mut().find(|(known, _)| *known == outcome) {
                Some((_, names)) => names.push(person.name),
                None => lines.push((outcome, vec![person.name])),
            }
        }
        text.push_str(&format!("{} {}\n", route.method, route.path));
        for (outcome, names) in lines {
            text.push_str(&format!("    {}: {outcome}\n", names.join(" | ")));
        }
    }
    text
}

#[actix_web::test]
async fn every_route_answers_everybody_as_the_grid_says() {
    let grid = grid(&world()).await;
    if std::env::var_os("UPDATE_GRID").is_some() {
        std::fs::write(FILE, &grid).expect("the grid is written");
    }
    let expected = std::fs::read_to_string(FILE).unwrap_or_default();
    for (n, (is, should)) in grid.lines().zip(expected.lines()).enumerate() {
        assert_eq!(is, should, "line {} of access.txt; UPDATE_GRID=1 writes it anew", n + 1);
    }
    assert_eq!(grid.lines().count(), expected.lines().count(), "routes came or went; UPDATE_GRID=1 writes the grid");
}

/// An answer without what differs from request to request by design.
fn bare(answer: &Answer, id: &str) -> (u16, BTreeMap<String, String>, String) {
    let request_id = answer.header("x-request-id").to_owned();
    let hide = |text: &str| text.replace(id, "ID").replace(&request_id, "REQUEST");
    let headers = answer.headers.iter().filter(|(name, _)| name.as_str() != "date");
    let headers = headers.map(|(name, value)| (name.to_string(), hide(value.to_str().unwrap_or("?")))).collect();
    let body = hide(&answer.text());
    let body = body.split("name=\"_token\" value=\"").map(|part| part.split_once('"').map_or(part, |(_, rest)| rest));
    (answer.status.as_u16(), headers, body.collect::<Vec<_>>().join("TOKEN"))
}

#[actix_web::test]
async fn what_one_may_not_see_is_answered_like_what_does_not_exist() {
    let world = world();
    let mut asked = 0;
    for (name, foreign) in [("stranger", ["own", "parent"]), ("viewer", ["parent", "sibling"])] {
        let mut person = Person::of(&world, name).await;
        let routes = routes();
        let routes = routes.iter().filter(|route| route.path.contains("{account}"));
        for (route, account) in routes.flat_map(|route| foreign.map(|account| (route, account))) {
            let real = address(&world, route.path, account, &person);
            let unknown = ids::new_id("ac");
            let unreal = real.replace(&world.id(account), &unknown);
            let one = bare(&person.ask(&route.method, &real).await, &world.id(account));
            let other = bare(&person.ask(&route.method, &unreal).await, &unknown);
            assert_eq!(one, other, "{name}: {} {real}", route.method);
            assert_eq!(one.0, 404, "{name}: {} {real}", route.method);
            asked += 1;
        }
    }
    assert!(asked > 100, "{asked}");
}

#[actix_web::test]
async fn what_belongs_to_another_account_is_not_found_under_ones_own() {
    let world = world();
    let mut admin = Person::of(&world, "administrator").await;
    let named = [
        "{child}",
        "{consent}",
        "{role}",
        "{member}",
        "{invitation}",
        "{invoice}",
        "{port}",
        "{network}",
        "{connection}",
        "{import}",
    ];
    // Taking away what is not there is no mistake, and answered alike whatever was named.
    let idempotent = |r: &Route| r.method == Method::POST && r.path.contains("/members/") && !r.path.contains("change");
    for route in routes().iter().filter(|r| named.iter().any(|name| r.path.contains(name)) && !idempotent(r)) {
        for foreign in ["sibling", "parent", "child"] {
            // From above, an account at any level below is suspended and limited.
            let any_level = ["/suspend", "/resume", "/child-accounts/{child}/limits"];
            if foreign == "child" && any_level.iter().any(|end| route.path.ends_with(end)) {
                continue;
            }
            // A role or a member of the parent is one here too.
            if foreign == "parent" && ["{role}", "{member}"].iter().any(|part| route.path.contains(part)) {
                continue;
            }
            let real = address(&world, route.path, foreign, &admin).replace(&world.id(foreign), &world.id("own"));
            let answer = admin.ask(&route.method, &real).await;
            assert_eq!(answer.status, 404, "{} {real} names something of {foreign}", route.method);
        }
    }
    let closed = account_rows::table.filter(account_rows::closed_at.is_not_null()).count();
    assert_eq!(world.read(|db| Ok(closed.get_result::<i64>(db)?)).expect("accounts are counted"), 20);
}
