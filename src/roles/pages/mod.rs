//! The section Roles: an account's own roles, and separately those it inherits, each with what it allows and how many
//! have it. Making, editing, comparing and deleting have pages of their own.

mod ask;
mod compare;
mod entry;
mod matrix;
mod remove;
mod show;

use std::collections::HashMap;

use actix_web::HttpResponse;
use askama::Template;

use super::people::{self, Seen};
use super::{Role, available};
use crate::access::below::is_large;
use crate::access::policy::{Action, CreateRoles, DeleteRoles, ReadRoles, UpdateRoles};
use crate::access::{Frame, In, Scope, words};
use crate::ids::Key;
use crate::problem::Problem;
use crate::web::route::{Route, get, post};
use crate::web::site::Keep;
use crate::web::{Section, Shell, Site};

pub fn routes() -> Vec<Route> {
    vec![
        get("/a/{account}/roles", index),
        get("/a/{account}/roles/new", entry::new),
        post("/a/{account}/roles/new", entry::create),
        get("/a/{account}/roles/compare", compare::show),
        get("/a/{account}/roles/{role}", show::show),
        get("/a/{account}/roles/{role}/copy", entry::copy),
        post("/a/{account}/roles/{role}/copy", entry::create_copy),
        get("/a/{account}/roles/{role}/edit", entry::edit),
        post("/a/{account}/roles/{role}/edit", entry::update),
        get("/a/{account}/roles/{role}/delete", remove::show),
        post("/a/{account}/roles/{role}/delete", remove::delete),
    ]
}

/// Inherited roles that the page names.
const MOST_INHERITED: usize = 200;

#[derive(Template)]
#[template(path = "roles/index.html")]
struct IndexPage {
    shell: Shell,
    name: String,
    is_root: bool,
    own: Vec<Item>,
    others: Vec<Item>,
    left_out: usize,
    /// Pairs of id and name, to choose two of.
    choices: Vec<(String, String)>,
    /// The one that stands there to be compared with the first.
    second: String,
    may_create: bool,
    counted: &'static str,
}

/// One role of a list.
struct Item {
    id: String,
    name: String,
    description: String,
    powers: String,
    built_in: bool,
    members: Option<i64>,
    origin: Origin,
    may_copy: bool,
    may_edit: bool,
    may_delete: bool,
}

/// The account a role comes from, as far as the reader may know it.
struct Origin {
    name: String,
    /// Empty where there is nowhere to go.
    href: String,
}

impl Origin {
    fn of(role: &Role, frame: &Frame) -> Origin {
        match frame.step(role.account).filter(|step| !step.held.is_empty()) {
            None => Origin { name: "an account above".to_owned(), href: String::new() },
            Some(step) => {
                let page = if ReadRoles::NEEDS.met_by(step.held) {
                    format!("roles/{}", role.id)
                } else {
                    "dashboard".to_owned()
                };
                Origin { name: step.place.name.clone(), href: format!("/a/{}/{page}", step.place.id) }
            }
        }
    }
}

/// Whether this actor may change the role here at all.
fn may_edit(role: &Role, frame: &Frame) -> bool {
    is_own(role, frame) && frame.may::<UpdateRoles>() && frame.covers(role.permissions, Scope::HereAndBelow)
}

/// Whether the account itself made it.
fn is_own(role: &Role, frame: &Frame) -> bool {
    !role.built_in && role.account == frame.account().key
}

fn item(role: &Role, frame: &Frame, counts: &HashMap<Key, i64>, seen: Seen) -> Item {
    Item {
        id: role.id.clone(),
        name: role.name.clone(),
        description: role.description.clone(),
        powers: words::powers(role.permissions),
        built_in: role.built_in,
        members: (seen != Seen::Nobody).then(|| counts.get(&role.key).copied().unwrap_or(0)),
        origin: Origin::of(role, frame),
        may_copy: frame.may::<CreateRoles>(),
        may_edit: may_edit(role, frame),
        may_delete: is_own(role, frame) && frame.may::<DeleteRoles>(),
    }
}

/// GET /a/{account}/roles
pub async fn index(by: In<ReadRoles>, site: Site) -> Result<HttpResponse, Problem> {
    let grant = by.clone();
    let all = Seen::by(by.frame());
    let read = move |db: &mut crate::store::Db| {
        let account = grant.account().key;
        // Below a large account nobody counts for a page.
        let seen = if all == Seen::HereAndBelow && is_large(db, account)? { Seen::Here } else { all };
        Ok((available(db, grant.frame())?, people::counts(db, account, seen)?, seen))
    };
    let (roles, counts, seen) = site.pool.read_long(read).await?;
    let frame = by.frame();
    let second = roles.get(1).map(|role| role.id.clone()).unwrap_or_default();
    let choices = roles.iter().map(|role| (role.id.clone(), labelled(role, frame))).collect();
    let (own, mut others): (Vec<Role>, Vec<Role>) = roles.into_iter().partition(|role| is_own(role, frame));
    let left_out = others.len().saturating_sub(MOST_INHERITED);
    others.truncate(MOST_INHERITED);
    let items = |roles: &[Role]| roles.iter().map(|role| item(role, frame, &counts, seen)).collect::<Vec<_>>();
    let page = IndexPage {
        shell: site.shell(&by, Section::Roles, Section::Roles.label()),
        name: frame.account().name.clone(),
        is_root: frame.account().depth == 0,
        own: items(&own),
        others: items(&others),
        left_out,
        choices,
        second,
        may_create: frame.may::<CreateRoles>(),
        counted: counted(seen),
    };
    site.page(&page, Keep::Private)
}

/// What the number of members counts.
fn counted(seen: Seen) -> &'static str {
    match seen {
        Seen::Nobody => "You may not see who has which role here.",
        Seen::Here => "Members are counted in this account.",
        Seen::HereAndBelow => "Members are counted in this account and all below, each person once.",
    }
}

/// The role's name, with its account's where two could be meant.
fn labelled(role: &Role, frame: &Frame) -> String {
    match () {
        () if role.built_in => format!("{} (built-in)", role.name),
        () if role.account == frame.account().key => role.name.clone(),
        () => format!("{} (from {})", role.name, Origin::of(role, frame).name),
    }
}
