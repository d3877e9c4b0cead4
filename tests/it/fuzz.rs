//! Every field of every form with every nasty text (T33), forms that are no forms, and nasty addresses. Never an error of
//! ours, never long; what is refused changes nothing and comes back as it was typed, escaped; what is taken is shown
//! escaped as well.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use actix_web::http::{Method, header};

use crate::browser::{Answer, Browser, FORM, encode};
use crate::crawl::world;
use crate::dump::dump;
use crate::forms::{address, changing, other_session, right_form};
use crate::nasty::{self, MARKUP, Nasty};
use crate::page::{Form, Page};
use crate::place::{postgres, unique};
use crate::world::{World, password_hash};

/// Generous, as tests of a debug build share two cores.
const LONGEST: Duration = Duration::from_secs(5);
const GUEST: [&str; 5] =
    ["/sign-in", "/sign-up", "/password/forgot", "/password/reset/{token}", "/email/verify/{token}"];
/// The fields that every form has are the same everywhere; tried where much and where nothing else is to be filled in.
const HIDDEN_IN: [&str; 3] = ["/sign-in", "/a/{account}/settings", "/a/{account}/switch/favourite"];
/// The longest texts only in some fields: what reads a body is the same for all.
const LONG: usize = 10_000;
const LONG_FIELDS: [&str; 7] = ["description", "email", "emails", "message", "password", "tags", "contacts"];
/// Never shown again.
const SECRET: [&str; 4] = ["password", "current", "new_password", "code"];

/// As templates escape.
fn escaped(text: &str) -> String {
    let escape = |c| match c {
        '<' => "&#60;".to_owned(),
        '>' => "&#62;".to_owned(),
        '&' => "&#38;".to_owned(),
        '"' => "&#34;".to_owned(),
        '\'' => "&#39;".to_owned(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

struct Fuzz {
    world: World,
    path: &'static str,
    browser: Browser,
    form: Form,
}

impl Fuzz {
    async fn of(path: &'static str) -> Fuzz {
        let world = world();
        let mut browser = world.browser("admin-of-acme").await;
        let session =
            if path.contains("{session}") { other_session(&world, &mut browser).await } else { String::new() };
        if GUEST.contains(&path) {
            browser = Browser::new(&browser.console);
        }
        let form = right_form(&mut browser, &address(&world, path, &session)).await;
        Fuzz { world, path, browser, form }
    }

    /// The form as it is, with a key of its own and this field replaced.
    fn body(&self, field: &str, nasty: &Nasty) -> String {
        let mut pairs = self.form.pairs();
        pairs.retain(|(name, _)| name != field && (name != "_key" || field == "_key"));
        if field != "_key" {
            pairs.push(("_key".to_owned(), subtenant::ids::token()));
        }
        format!("{}&{field}={}", encode(&pairs), nasty.encoded)
    }

    async fn send(&mut self, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
        if GUEST.contains(&self.path) {
            self.world.sql("DELETE FROM throttles");
        }
        let request = self.browser.request(Method::POST, &self.form.action).insert_header((header::CONTENT_TYPE, kind));
        let started = Instant::now();
        let answer = self.browser.console.send(request.set_payload(body.into())).await;
        let what = format!("{} after {:?}", self.path, started.elapsed());
        assert!(answer.status.as_u16() < 500, "{what}: {}: {}", answer.status, Page::read("", &answer));
        assert!(started.elapsed() < LONGEST, "{what}");
        let text = answer.text();
        for markup in MARKUP.iter().filter(|m| m.contains('<') && !m.contains("<!--")) {
            assert!(!text.contains(markup), "{what}: {markup} unescaped");
        }
        answer
    }

    /// One field with everything nasty.
    async fn field(&mut self, field: &str) -> usize {
        let mut before = self.dump();
        let mut refused = 0;
        let mut all = nasty::all();
        all.retain(|nasty| nasty.encoded.len() < LONG || LONG_FIELDS.contains(&field));
        // How a page shows what was typed does not depend on the database.
        all.retain(|nasty| postgres().is_none() || nasty.troubles_a_database());
        for nasty in all {
            let body = self.body(field, &nasty);
            let answer = self.send(FORM, body).await;
            if answer.status == 303 {
                self.again().await;
                before = self.dump();
                continue;
            }
            refused += 1;
            let what = format!("{}, {field} = {}", self.path, nasty.shown());
            let typed = nasty.text.filter(|text| text.len() < 70_000 && !text.contains(['\r', '\n', '\0']));
            let shown = !SECRET.contains(&field) && !field.starts_with('_') && self.is_text(field);
            if let Some(typed) = typed.filter(|_| answer.status == 422 && shown) {
                assert!(answer.text().contains(&escaped(&typed)), "{what} is lost: {}", Page::read("", &answer));
            }
        }
        assert_eq!(self.dump(), before, "{}, {field}: what was refused changed the database", self.path);
        refused
    }

    /// A sign-in that failed is in the log, and in the logs of the person's accounts.
    fn dump(&self) -> BTreeSet<String> {
        let (signing_in, rest): (Vec<_>, Vec<_>) =
            dump(&self.world).into_iter().partition(|line| line.contains("USER_LOGIN"));
        let key = |line: &String| line.trim_start_matches("audit_entries: ").split('|').next().map(str::to_owned);
        let keys: Vec<String> = signing_in.iter().filter_map(key).collect();
        let of_those = |line: &String| line.starts_with("audit_scope") && keys.iter().any(|key| line.contains(key));
        rest.into_iter().filter(|line| !of_those(line)).collect()
    }

    fn is_text(&self, field: &str) -> bool {
        let text = |kind: &str| !["checkbox", "radio", "hidden", "button", "file"].contains(&kind);
        self.form.controls.iter().any(|c| c.name == field && text(&c.kind))
    }

    /// After the form was taken: its page again, in a state in which it can be taken once more.
    async fn again(&mut self) {
        match self.path.rsplit('/').next().unwrap_or_default() {
            "close" | "restore" | "end" | "again" | "app" | "remove" | "delete" | "consent" | "leave" | "withdraw"
            | "suspend" | "resume" | "{token}" => {
                return *self = Fuzz::of(self.path).await;
            }
            "password" => drop(self.world.sql(&format!("UPDATE users SET password_hash = '{}'", password_hash()))),
            "email" | "verification" => drop(self.world.sql("DELETE FROM throttles")),
            "new" | "copy" if self.path.contains("/roles/") => {
                self.world.sql("DELETE FROM roles WHERE NOT built_in AND name <> 'Technician'");
            }
            "new" if self.path.contains("/networks/") => drop(self.world.sql("UPDATE networks SET name_key = id")),
            "new" => drop(self.world.sql("DELETE FROM payment_methods")),
            "sign-in" | "sign-up" => self.browser = Browser::new(&self.browser.console),
            _ => {}
        }
        self.form = right_form(&mut self.browser, &self.form.action).await;
        for (path, field) in
            [("/sign-up", "email"), ("/a/{account}/child-accounts/new", "name"), ("/a/{account}/members/new", "emails")]
        {
            if self.path == path {
                self.form.set(field, &format!("n{}@example.com", unique()));
            }
        }
    }
}

/// Every field of the forms in one of several shares.
async fn fuzz(share: usize, of: usize) {
    let mut refused = 0;
    for path in changing().into_iter().enumerate().filter(|(n, _)| n % of == share).map(|(_, path)| path) {
        let mut fuzz = Fuzz::of(path).await;
        let mut fields: Vec<String> = fuzz.form.controls.iter().map(|c| c.name.clone()).collect();
        fields.sort();
        fields.dedup();
        fields.retain(|field| !field.starts_with('_') || HIDDEN_IN.contains(&path));
        // The matrix of a role has 45 boxes that are read alike.
        fields.retain(|field| !path.contains("/roles/") || !field.contains('-') || field == "ports-update");
        for field in fields {
            refused += fuzz.field(&field).await;
        }
    }
    assert!(refused > 50, "{refused}");
}

#[actix_web::test]
async fn nothing_typed_into_a_field_breaks_a_form_1() {
    fuzz(0, 4).await;
}

#[actix_web::test]
async fn nothing_typed_into_a_field_breaks_a_form_2() {
    fuzz(1, 4).await;
}

#[actix_web::test]
async fn nothing_typed_into_a_field_breaks_a_form_3() {
    fuzz(2, 4).await;
}

#[actix_web::test]
async fn nothing_typed_into_a_field_breaks_a_form_4() {
    fuzz(3, 4).await;
}
