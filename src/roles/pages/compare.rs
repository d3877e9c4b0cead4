//! Two roles side by side: for each resource what each allows, and in words what only one of them does.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use super::labelled;
use super::matrix::ROWS;
use crate::access::In;
use crate::access::policy::{Permission, Permissions, ReadRoles, Resource, Verb};
use crate::problem::Problem;
use crate::roles::{Role, available};
use crate::web::site::Keep;
use crate::web::{Section, Shell, Site};

#[derive(Deserialize)]
pub struct CompareQuery {
    #[serde(default)]
    one: String,
    #[serde(default)]
    other: String,
}

#[derive(Template)]
#[template(path = "roles/compare.html")]
struct ComparePage {
    shell: Shell,
    choices: Vec<(String, String)>,
    one: String,
    other: String,
    pair: Option<Pair>,
}

struct Pair {
    one: Side,
    other: Side,
    summary: String,
    lines: Vec<Line>,
}

struct Side {
    name: String,
    href: String,
}

/// One resource.
struct Line {
    resource: &'static str,
    differs: bool,
    one: Vec<Word>,
    other: Vec<Word>,
}

struct Word {
    verb: &'static str,
    /// The other role does not allow it.
    only: bool,
}

/// GET /a/{account}/roles/compare?one=…&other=…: without two roles of the account, the page to choose them.
pub async fn show(by: In<ReadRoles>, site: Site, query: Query<CompareQuery>) -> Result<HttpResponse, Problem> {
    let grant = by.clone();
    let roles = site.pool.read(move |db| available(db, grant.frame())).await?;
    let frame = by.frame();
    let found = |id: &str| roles.iter().find(|role| role.id == id);
    let pair = found(&query.one).zip(found(&query.other));
    let account = &frame.account().id;
    let side = |role: &Role| Side { name: labelled(role, frame), href: format!("/a/{account}/roles/{}", role.id) };
    let page = ComparePage {
        shell: site.shell(&by, Section::Roles, "Compare two roles"),
        choices: roles.iter().map(|role| (role.id.clone(), labelled(role, frame))).collect(),
        one: query.one.clone(),
        other: query.other.clone(),
        pair: pair.map(|(one, other)| {
            let lines = lines(one.permissions, other.permissions);
            Pair { one: side(one), other: side(other), summary: summary(&lines), lines }
        }),
    };
    site.page(&page, Keep::Private)
}

fn lines(one: Permissions, other: Permissions) -> Vec<Line> {
    let line = |resource: Resource| {
        let (one, other) = (verbs(one, other, resource), verbs(other, one, resource));
        let differs = one.iter().chain(&other).any(|word| word.only);
        Line { resource: resource.title(), differs, one, other }
    };
    // What holds for all resources is said at each of them.
    ROWS.into_iter().filter(|resource| *resource != Resource::All).map(line).collect()
}

fn verbs(of: Permissions, beside: Permissions, resource: Resource) -> Vec<Word> {
    let verbs = Verb::EVERY.into_iter().filter(|verb| *verb != Verb::All);
    verbs
        .map(|verb| Permission(resource, verb))
        .filter(|permission| of.allow(*permission))
        .map(|permission| Word { verb: permission.1.word(), only: !beside.allow(permission) })
        .collect()
}

fn summary(lines: &[Line]) -> String {
    match lines.iter().filter(|line| line.differs).count() {
        0 => "Both allow the same.".to_owned(),
        1 => format!("They differ at 1 of {} resources.", lines.len()),
        n => format!("They differ at {n} of {} resources.", lines.len()),
    }
}
