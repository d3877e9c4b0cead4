//! The forms of the console as their users send them: every one filled in rightly on its own page, in an account where
//! it can be carried out (the world of `crawl`). Tests about all forms (`protect`, `twins`, `fuzz`) start from here.

use std::collections::BTreeSet;

use actix_web::http::Method;
use diesel::prelude::*;
use subtenant::app::routes;
use subtenant::store::schema::roles as role_rows;

use crate::browser::Browser;
use crate::factor::code_for;
use crate::imported::import_of;
use crate::invited::{link, pending};
use crate::mailbox::token_for;
use crate::ordered::{connection_called, network_called};
use crate::page::Form;
use crate::usage::invoice_of;
use crate::wired::port_called;
use crate::world::{PASSWORD, World};

/// Forms that want a second factor that is there, or a browser that makes one, are sent by `factor` and in browsers;
/// those that want a payment provider by the program `payments`, a provisioning system by `provisioning`; an order of
/// several steps by the tests of its room.
fn is_at_hand(path: &str) -> bool {
    let at_provider = [
        "/webhooks/stripe",
        "/provisioning/callbacks",
        "/billing/new/confirm",
        "/billing/edit/confirm",
        "/billing/new/discard",
        "/billing/edit/discard",
        "/billing/verify",
    ];
    !at_provider.iter().any(|end| path.ends_with(end))
        && !path.ends_with("/ports/new")
        && !path.ends_with("/connections/new")
        && !path.ends_with("/connections/{connection}/settings")
        && !path.ends_with("/connections/{connection}/retry")
        && path != "/sign-in/second"
        && (!path.starts_with("/profile/second-factor/") || path.ends_with("/app"))
}

/// The paths of all routes that change something.
pub fn changing() -> Vec<&'static str> {
    routes().iter().filter(|route| route.method == Method::POST).map(|r| r.path).filter(|p| is_at_hand(p)).collect()
}

/// The address of the form of a route, in an account where it can be carried out.
pub fn address(world: &World, path: &str, session: &str) -> String {
    let account = match path.rsplit('/').next() {
        _ if ["{member}", "{port}", "{network}", "{connection}"].iter().any(|part| path.contains(part)) => "lab",
        Some("leave") => "bound",
        Some("close") => "doomed",
        _ if path.contains("/roles") => "lab",
        _ if path.contains("{invoice}") => "paid",
        Some("edit" | "remove") => "paid",
        Some("restore" | "suspend" | "resume" | "limits") => "acme",
        _ => "lab",
    };
    let child = match path.rsplit('/').next() {
        Some("resume") => "stopped",
        Some("suspend" | "limits") => "bound",
        _ => "closed",
    };
    let port = if path.ends_with("/retry") { "Broken" } else { "Uplink" };
    let path = if path.contains("{port}") {
        path.replace("{port}", &port_called(world, "lab", port)).replace("{child}", &world.id("bench"))
    } else {
        path.to_owned()
    };
    let network = if path.ends_with("/delete") { "Spare" } else { "Office" };
    let path = path.replace("{network}", &network_called(world, "lab", network));
    let path = path.replace("{connection}", &connection_called(world, "lab", "Tunnel"));
    let path = path.replace("{account}", &world.id(account)).replace("{child}", &world.id(child));
    let path = path.replace("{session}", session).replace("{member}", &world.person_id("mara"));
    let path = if path.contains("{role}") { path.replace("{role}", &technician(world)) } else { path };
    let path = if path.contains("{invoice}") { path.replace("{invoice}", &invoice_of(world, "paid")) } else { path };
    let path = if path.contains("{import}") { path.replace("{import}", &import_of(world, "lab")) } else { path };
    let path = path.replace("{invitation}", &pending(world, "lab", "newcomer@example.com"));
    if path == "/invites/{token}" {
        return link(world, "admin-of-acme", "lab", &pending(world, "lab", "admin-of-acme@example.com"));
    }
    if path.contains("{token}") { path.replace("{token}", &token_for(world, &path, "admin-of-acme")) } else { path }
}

/// The id of the role that `lab` owns.
fn technician(world: &World) -> String {
    let row = role_rows::table.filter(role_rows::account_key.eq(world.key("lab"))).select(role_rows::id);
    world.read(|db| Ok(row.first(db)?)).expect("a role")
}

/// The form of this address on its page, filled in so that it will be taken.
pub async fn right_form(browser: &mut Browser, uri: &str) -> Form {
    let page = if uri == "/sign-out" { "/profile" } else { uri.strip_suffix("/pay").unwrap_or(uri) };
    browser.get(page).await;
    let found = browser.page.forms().into_iter().find(|form| form.action == uri);
    let mut form = found.unwrap_or_else(|| panic!("no form for {uri} on\n{}", browser.page));
    let code = if uri.ends_with("/app") { code_for(&browser.page, 0) } else { String::new() };
    for control in &mut form.controls {
        // Nobody is named who could be invited.
        control.on = control.name != "invite_contacts";
        let value = match control.name.as_str() {
            "first_name" | "last_name" | "company" | "name" | "account_name" | "street" | "city" => "Changed",
            "description" => "changed",
            "text" => "name,parent\nChanged,\nBelow,Changed\n",
            "email" if uri == "/sign-in" || uri.starts_with("/password/") => "admin-of-acme@example.com",
            "email" | "new_email" => "changed@example.com",
            "emails" => "friend@example.com",
            "password" | "current" => PASSWORD,
            "new_password" => "seven velvet anchors",
            // Nobody here has a second factor to ask others for.
            "required" => {
                control.on = false;
                continue;
            }
            "code" => code.as_str(),
            "country" => "Norway",
            "postalCode" => "0155",
            _ => continue,
        };
        control.value = value.to_owned();
    }
    // Of radios only the last one.
    let radios: BTreeSet<String> = form.controls.iter().filter(|c| c.kind == "radio").map(|c| c.name.clone()).collect();
    for name in radios {
        let last = form.controls.iter().rposition(|c| c.name == name);
        let others = form.controls.iter_mut().enumerate().filter(|(n, c)| c.name == name && Some(*n) != last);
        others.for_each(|(_, c)| c.on = false);
    }
    form
}

/// A session of the administrator besides the browser's own: its public handle.
pub async fn other_session(world: &World, browser: &mut Browser) -> String {
    world.browser("admin-of-acme").await;
    browser.get("/profile").await;
    let end = browser.page.links().into_iter().find(|href| href.ends_with("/end")).expect("another session");
    end.split('/').nth(3).unwrap_or_default().to_owned()
}
