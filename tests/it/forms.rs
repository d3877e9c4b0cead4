//! The forms of the console as their users send them: every one filled in rightly on its own page, in an account where
//! it can be carried out (the world of `crawl`). Tests about all forms (`protect`, `twins`, `fuzz`) start from here.

use std::collections::BTreeSet;

use actix_web::http::Method;
use subtenant::app::routes;

use crate::browser::Browser;
use crate::mailbox::token_for;
use crate::page::Form;
use crate::world::{PASSWORD, World};

/// The paths of all routes that change something.
pub fn changing() -> Vec<&'static str> {
    routes().iter().filter(|route| route.method == Method::POST).map(|route| route.path).collect()
}

/// The address of the form of a route, in an account where it can be carried out.
pub fn address(world: &World, path: &str, session: &str) -> String {
    let account = match path.rsplit('/').next() {
        Some("close") => "doomed",
        Some("edit" | "remove") => "paid",
        Some("restore") => "acme",
        _ => "lab",
    };
    let path = path.replace("{account}", &world.id(account)).replace("{child}", &world.id("closed"));
    let path = path.replace("{session}", session);
    if path.contains("{token}") { path.replace("{token}", &token_for(world, &path, "admin-of-acme")) } else { path }
}

/// The form of this address on its page, filled in so that it will be taken.
pub async fn right_form(browser: &mut Browser, uri: &str) -> Form {
    browser.get(if uri == "/sign-out" { "/profile" } else { uri }).await;
    let found = browser.page.forms().into_iter().find(|form| form.action == uri);
    let mut form = found.unwrap_or_else(|| panic!("no form for {uri} on\n{}", browser.page));
    for control in &mut form.controls {
        control.on = true;
        let value = match control.name.as_str() {
            "first_name" | "last_name" | "company" | "name" | "account_name" | "street" | "city" => "Changed",
            "description" => "changed",
            "email" if uri == "/sign-in" || uri.starts_with("/password/") => "admin-of-acme@example.com",
            "email" | "new_email" => "changed@example.com",
            "password" | "current" => PASSWORD,
            "new_password" => "seven velvet anchors",
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
