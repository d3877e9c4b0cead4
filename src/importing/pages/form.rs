//! The form that takes a file, or lines that were copied from one, and the imports of the account so far.

use actix_web::HttpResponse;
use askama::Template;

use super::view::{Listed, listed};
use crate::access::In;
use crate::access::policy::{CreateAccounts, UpdateAccounts};
use crate::importing::check::Bounds;
use crate::importing::{self, store, table};
use crate::problem::{Errors, Problem};
use crate::store::Db;
use crate::web::multipart::NAME_OF;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};

/// The file, its name, and lines in its place.
const FIELDS: [&str; 3] = ["file", "file.name", "text"];
/// Bytes of text that a page shows again.
const SHOWN_AGAIN: usize = 200_000;

#[derive(Template)]
#[template(path = "importing/form.html")]
struct FormPage {
    shell: Shell,
    account: String,
    name: String,
    form: Filled,
    may_accept: bool,
    reaches_below: bool,
    imports: Vec<Listed>,
}

/// GET /a/{account}/child-accounts/import
pub async fn new(by: In<CreateAccounts>, site: Site) -> Result<HttpResponse, Problem> {
    let mut form = site.start_form(by.actor().key, Filled::with([])).await?;
    // A file that was sent before somebody had to sign in again comes back as its lines.
    if form.value("text").is_empty() {
        let file = form.value("file").to_owned();
        form.set("text", &file);
    }
    let page = page(&by, &site, form).await?;
    site.page(&page, Keep::Private)
}

async fn page(by: &In<CreateAccounts>, site: &Site, form: Filled) -> Result<FormPage, Problem> {
    let grant = by.clone();
    let read = move |db: &mut Db| {
        let all = grant.frame().may_below::<CreateAccounts>();
        store::latest(db, grant.account().key, grant.actor().key, all)
    };
    let imports = site.pool.read(read).await?;
    Ok(FormPage {
        shell: site.shell(by, Section::ChildAccounts, "Import child accounts").failing(form.failed()),
        account: by.account().id.clone(),
        name: by.account().name.clone(),
        may_accept: by.frame().may_below::<UpdateAccounts>(),
        reaches_below: by.frame().may_below::<CreateAccounts>(),
        imports: imports.iter().map(listed).collect(),
        form,
    })
}

/// POST /a/{account}/child-accounts/import: looks at the lines and keeps them as a draft.
pub async fn create(by: In<CreateAccounts>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent.with_file()?, &FIELDS)?;
    match checked(&by, &site, &form).await {
        Err(Problem::Invalid(errors)) => {
            let mut filled = form.filled(errors);
            filled.forget("file");
            if filled.value("text").len() > SHOWN_AGAIN {
                filled.forget("text");
            }
            let page = page(&by, &site, filled).await?;
            site.refused(&page)
        }
        other => Ok(site.see(&other?)),
    }
}

async fn checked(by: &In<CreateAccounts>, site: &Site, form: &Form) -> Result<Reply, Problem> {
    form.check().finish()?;
    let (file, name, typed) = (form.value("file"), form.value(&format!("file{NAME_OF}")), form.value("text"));
    let (field, text, name) = match (file.trim().is_empty(), typed.trim().is_empty()) {
        (true, true) => return Err(Problem::invalid("file", "Choose a file, or write the lines below")),
        (false, false) => {
            return Err(Problem::invalid("file", "Choose a file or write the lines below; not both"));
        }
        (false, true) => ("file", file, shown_name(name)),
        (true, false) => ("text", typed, String::new()),
    };
    let table = table::read(text, &name).map_err(|why| Problem::Invalid(Errors::one(field, why)))?;
    let called = if name.is_empty() { "Typed lines".to_owned() } else { name };
    let bounds = Bounds { second_factor: by.session.second_factor, max_depth: site.config.max_depth };
    // Looked at in a snapshot, so that nobody who changes something waits for it.
    let grant = by.clone();
    let looked = site.pool.read_long(move |db| importing::look(db, &grant, table, &called, bounds)).await?;
    let (grant, receipt) = (by.clone(), form.receipt());
    site.pool
        .write(move |db| {
            once(db, grant.actor().key, &receipt, |db| {
                let id = importing::keep(db, &grant, &looked)?;
                Ok(Reply::to(format!("/a/{}/child-accounts/imports/{id}", grant.account().id), ""))
            })
        })
        .await
}

/// A file's name as it can be shown.
fn shown_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().filter(|c| !c.is_control()).skip(last.chars().count().saturating_sub(80)).collect()
}
