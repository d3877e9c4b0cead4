//! The form of a role: new, copied or edited. An edit that changes what people hold is asked first ([`super::ask`]);
//! a new role, or one that nobody has, is saved at once.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::{ask, matrix};
use crate::access::policy::{Action, CreateRoles, Permissions, UpdateRoles};
use crate::access::{In, words};
use crate::problem::{Errors, Problem, Reason};
use crate::roles::{self, NewRole, Role};
use crate::store::Db;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};

/// The stamp of the effects that somebody saw before confirming.
pub const EFFECTS: &str = "effects";
/// Sent by the button that leads from the question back to the form.
const BACK: &str = "back";

/// Every field that a form of this room may carry.
pub fn fields() -> Vec<&'static str> {
    let own = ["name", "description", EFFECTS, BACK];
    own.into_iter().chain(matrix::FIELDS.iter().map(String::as_str)).collect()
}

#[derive(Template)]
#[template(path = "roles/form.html")]
struct FormPage {
    shell: Shell,
    form: Filled,
    rows: Vec<matrix::Row>,
    /// Boxes that are not offered, in words; empty when all are.
    lacking: String,
    note: String,
    back: String,
    /// After a stale save: field, what is stored now, what was typed.
    versions: Vec<(&'static str, String, String)>,
}

/// What the form is for.
#[derive(Debug, Clone)]
pub enum Act {
    New,
    Copy(Role),
    Edit(Role),
}

impl Act {
    fn heading(&self) -> String {
        match self {
            Act::New => "New role".to_owned(),
            Act::Copy(role) => format!("Copy the role “{}”", role.name),
            Act::Edit(role) => format!("Edit the role “{}”", role.name),
        }
    }
}

/// GET /a/{account}/roles/new
pub async fn new(by: In<CreateRoles>, site: Site) -> Result<HttpResponse, Problem> {
    let form = site.start_form(by.actor().key, Filled::with([])).await?;
    show(&by, &site, &Act::New, form, StatusCode::OK)
}

/// POST /a/{account}/roles/new
pub async fn create(by: In<CreateRoles>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    save_new(by, site, Act::New, sent).await
}

/// GET /a/{account}/roles/{role}/copy: what its reader does not hold is left out of the copy.
pub async fn copy(by: In<CreateRoles>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let role = source(&by, &site, path.into_inner().1).await?;
    let name: String = format!("Copy of {}", role.name).chars().take(64).collect();
    let mut fresh = Filled::with([("name", &*name), ("description", &*role.description)]);
    matrix::fill(&mut fresh, role.permissions);
    let form = site.start_form(by.actor().key, fresh).await?;
    show(&by, &site, &Act::Copy(role), form, StatusCode::OK)
}

/// POST /a/{account}/roles/{role}/copy
pub async fn create_copy(
    by: In<CreateRoles>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let role = source(&by, &site, path.into_inner().1).await?;
    save_new(by, site, Act::Copy(role), sent).await
}

async fn source(by: &In<CreateRoles>, site: &Site, role_id: String) -> Result<Role, Problem> {
    let account = by.account().key;
    site.pool.read(move |db| roles::find(db, account, &role_id)).await
}

async fn save_new(by: In<CreateRoles>, site: Site, act: Act, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &fields())?;
    let (receipt, grant, copy) = (form.receipt(), by.clone(), form.clone());
    let outcome = site.pool.write(move |db| {
        once(db, grant.actor().key, &receipt, |db| {
            let new = entered(&copy)?;
            let ticked = new.permissions;
            let made = roles::create(db, &grant, new)?;
            let said = format!("Role created.{}", along(ticked, made.permissions));
            Ok(Reply::to(format!("/a/{}/roles/{}", grant.account().id, made.id), said))
        })
    });
    match outcome.await {
        Ok(reply) => Ok(site.see(&reply)),
        Err(Problem::Invalid(errors)) => show(&by, &site, &act, form.filled(errors), StatusCode::UNPROCESSABLE_ENTITY),
        Err(other) => Err(other),
    }
}

/// GET /a/{account}/roles/{role}/edit
pub async fn edit(by: In<UpdateRoles>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (grant, role_id) = (by.clone(), path.into_inner().1);
    let back = format!("/a/{}/roles/{role_id}", by.account().id);
    let role = match site.pool.read(move |db| roles::editable(db, grant.frame(), &role_id)).await {
        Err(Problem::Conflict(reason)) => {
            let words = reason.words();
            return Ok(site.see(&Reply::to(back, format!("!{}. {} {}", words.heading, words.happened, words.advice))));
        }
        found => found?,
    };
    let form = site.start_form(by.actor().key, filled(&role)).await?;
    show(&by, &site, &Act::Edit(role), form, StatusCode::OK)
}

fn filled(role: &Role) -> Filled {
    let mut form = Filled::with([("name", &*role.name), ("description", &*role.description)]);
    matrix::fill(&mut form, role.permissions);
    form.set_version(role.version);
    form
}

/// POST /a/{account}/roles/{role}/edit
pub async fn update(
    by: In<UpdateRoles>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &fields())?;
    let role_id = path.into_inner().1;
    if form.value(BACK) == "yes" {
        let role = current(&by, &site, &role_id).await?;
        return show(&by, &site, &Act::Edit(role), form.filled(Errors::default()), StatusCode::OK);
    }
    let (receipt, grant, copy, id) = (form.receipt(), by.clone(), form.clone(), role_id.clone());
    let outcome = site.pool.write(move |db| {
        once(db, grant.actor().key, &receipt, |db| {
            let new = entered(&copy)?;
            let ticked = new.permissions;
            let saved = roles::update_as_shown(db, &grant, &id, new, copy.version(), copy.value(EFFECTS))?;
            let said = format!("Role saved.{}", along(ticked, saved.permissions));
            Ok(Reply::to(format!("/a/{}/roles/{id}", grant.account().id), said))
        })
    });
    match outcome.await {
        Ok(reply) => Ok(site.see(&reply)),
        Err(Problem::Invalid(errors)) => {
            let role = current(&by, &site, &role_id).await?;
            show(&by, &site, &Act::Edit(role), form.filled(errors), StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(Problem::Conflict(Reason::Unconfirmed)) => ask::page(&by, &site, role_id, form).await,
        Err(Problem::Conflict(reason @ (Reason::Stale | Reason::AdminAccessMustExist))) => {
            let role = current(&by, &site, &role_id).await?;
            refused(&by, &site, role, &form, &reason)
        }
        Err(other) => Err(other),
    }
}

/// The form once more, when what is stored does not allow it.
fn refused(
    by: &In<UpdateRoles>,
    site: &Site,
    role: Role,
    form: &Form,
    reason: &Reason,
) -> Result<HttpResponse, Problem> {
    let stale = *reason == Reason::Stale;
    let words = reason.words();
    let errors = if stale {
        Errors::default()
    } else {
        Errors::one("permissions", format!("{}. {}", words.heading, words.happened))
    };
    let mut filled = form.filled(errors);
    if stale {
        filled.set_version(role.version);
    }
    let mut page = page(by, site, &Act::Edit(role.clone()), filled);
    if stale {
        page.versions = differences(&role, &page.form, form);
        page.shell = page.shell.failing(true);
    }
    site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
}

fn differences(now: &Role, typed: &Filled, form: &Form) -> Vec<(&'static str, String, String)> {
    let ticked = matrix::ticked(&mut form.check());
    vec![
        ("Name", now.name.clone(), typed.value("name").to_owned()),
        ("Description", now.description.clone(), typed.value("description").to_owned()),
        ("Permissions", words::titles(now.permissions), words::titles(ticked)),
    ]
}

async fn current(by: &In<UpdateRoles>, site: &Site, role_id: &str) -> Result<Role, Problem> {
    let (grant, role_id) = (by.clone(), role_id.to_owned());
    site.pool.read(move |db: &mut Db| roles::editable(db, grant.frame(), &role_id)).await
}

/// The form's entries, or everything that is wrong with them.
pub fn entered(form: &Form) -> Result<NewRole, Problem> {
    let mut check = form.check();
    let name = check.line("name", "Name", 1, 64);
    let description = check.block("description", "Description", 0, 256);
    let permissions = matrix::ticked(&mut check);
    if permissions.is_empty() {
        check.note("permissions", Some("Tick at least one permission".to_owned()));
    }
    check.finish()?;
    Ok(NewRole { name, description, permissions })
}

/// What was added because it goes along with what was ticked.
fn along(ticked: Permissions, saved: Permissions) -> String {
    let added = words::titles(Permissions(saved.0 & !ticked.0));
    if added.is_empty() { String::new() } else { format!(" Added, because it goes along: {added}.") }
}

fn page<A: Action>(by: &In<A>, site: &Site, act: &Act, form: Filled) -> FormPage {
    let frame = by.frame();
    let list = format!("/a/{}/roles", frame.account().id);
    let lacking = roles::not_held(frame, Permissions::every());
    let note = match act {
        Act::New | Act::Edit(_) => String::new(),
        Act::Copy(role) => match words::titles(roles::not_held(frame, role.permissions)) {
            missing if missing.is_empty() => String::new(),
            missing => {
                format!("Left out of the copy, because you do not hold it here and in the accounts below: {missing}.")
            }
        },
    };
    FormPage {
        shell: site.shell(by, Section::Roles, &act.heading()).failing(form.failed()),
        rows: matrix::of_form(&form, frame),
        lacking: if lacking.is_empty() { String::new() } else { format!("You may: {}.", words::powers(held(by))) },
        note,
        back: match act {
            Act::New => list,
            Act::Copy(role) | Act::Edit(role) => format!("{list}/{}", role.id),
        },
        versions: Vec::new(),
        form,
    }
}

/// What this actor can put into a role.
fn held<A: Action>(by: &In<A>) -> Permissions {
    let lacking = roles::not_held(by.frame(), Permissions::every());
    Permissions(Permissions::every().0 & !lacking.0)
}

/// The form with this status.
pub fn show<A: Action>(
    by: &In<A>,
    site: &Site,
    act: &Act,
    form: Filled,
    status: StatusCode,
) -> Result<HttpResponse, Problem> {
    let page = page(by, site, act, form);
    let keep = if status == StatusCode::OK { Keep::Private } else { Keep::Nothing };
    site.page_with(status, &page, keep)
}
