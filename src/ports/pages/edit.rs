//! Changing what a port is called and what is said of it. A stale form comes back with both versions side by side.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use crate::access::In;
use crate::access::policy::UpdatePorts;
use crate::ports::changing::{self, Details};
use crate::ports::state::State;
use crate::ports::store::{self, Port};
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::tags;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};

const FIELDS: [&str; 4] = ["name", "description", "customer", "tags"];

#[derive(Template)]
#[template(path = "ports/edit.html")]
struct EditPage {
    shell: Shell,
    form: Filled,
    back: String,
    /// After a stale save: field, what is stored now, what was typed.
    versions: Vec<(&'static str, String, String)>,
}

/// The port as it is now, for a page that changes it; one that is deleted is not found here.
pub async fn current<A: crate::access::policy::Action>(by: &In<A>, site: &Site, id: &str) -> Result<Port, Problem> {
    let (account, id) = (by.account().key, id.to_owned());
    let port = site.pool.read(move |db| store::find(db, account, &id)).await?;
    if port.state == State::Deleted { Err(Problem::NotFound) } else { Ok(port) }
}

async fn read(by: &In<UpdatePorts>, site: &Site, id: &str) -> Result<(Port, Details), Problem> {
    let (account, id) = (by.account().key, id.to_owned());
    let read = move |db: &mut Db| {
        let port = store::find(db, account, &id)?;
        let details = changing::details(db, &port)?;
        Ok((port, details))
    };
    let (port, details) = site.pool.read(read).await?;
    if port.state == State::Deleted { Err(Problem::NotFound) } else { Ok((port, details)) }
}

/// GET /a/{account}/ports/{port}/edit
pub async fn edit(by: In<UpdatePorts>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (port, details) = read(&by, &site, &path.1).await?;
    let mut fresh = Filled::with([
        ("name", &*details.name),
        ("description", &*details.description),
        ("customer", &*details.loa_customer_name),
        ("tags", &*tags::text(&details.tags)),
    ]);
    fresh.set_version(port.version);
    let form = site.start_form(by.actor().key, fresh).await?;
    site.page(&page(&by, &site, &port, form), Keep::Private)
}

fn page(by: &In<UpdatePorts>, site: &Site, port: &Port, form: Filled) -> EditPage {
    EditPage {
        shell: site.shell(by, Section::Ports, &format!("Edit {}", port.name)).failing(form.failed()),
        back: format!("/a/{}/ports/{}", by.account().id, port.id),
        form,
        versions: Vec::new(),
    }
}

/// POST /a/{account}/ports/{port}/edit
pub async fn update(
    by: In<UpdatePorts>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &FIELDS)?;
    let (grant, copy, id) = (by.clone(), form.clone(), path.1.clone());
    let done = site.pool.write(move |db| {
        let details = entered(&copy)?;
        once(db, grant.actor().key, &copy.receipt(), |db| {
            changing::update(db, &grant, &id, &details, copy.version())?;
            Ok(Reply::to(format!("/a/{}/ports/{id}", grant.account().id), "Port saved."))
        })
    });
    match done.await {
        Err(Problem::Invalid(errors)) => {
            let (port, _) = read(&by, &site, &path.1).await?;
            site.refused(&page(&by, &site, &port, form.filled(errors)))
        }
        Err(Problem::Conflict(Reason::Stale)) => {
            let (port, now) = read(&by, &site, &path.1).await?;
            let mut filled = form.filled(Errors::default());
            filled.set_version(port.version);
            let mut page = page(&by, &site, &port, filled);
            page.versions = differences(&now, &form);
            page.shell = page.shell.failing(true);
            site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
        }
        other => Ok(site.see(&other?)),
    }
}

fn entered(form: &Form) -> Result<Details, Problem> {
    let mut check = form.check();
    let name = check.line("name", "Name", 1, 64);
    let description = check.block("description", "Description", 0, 1024);
    let loa_customer_name = check.line("customer", "Customer name", 0, 128);
    let typed = check.block("tags", "Tags", 0, 20_000);
    let tags = tags::of_text(&typed).unwrap_or_else(|why| {
        check.note("tags", Some(why));
        Vec::new()
    });
    check.finish()?;
    Ok(Details { name, description, loa_customer_name, tags })
}

fn differences(now: &Details, typed: &Form) -> Vec<(&'static str, String, String)> {
    let lines = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join(", ");
    vec![
        ("Name", now.name.clone(), typed.value("name").to_owned()),
        ("Description", now.description.clone(), typed.value("description").to_owned()),
        ("Customer name", now.loa_customer_name.clone(), typed.value("customer").to_owned()),
        ("Tags", tags::line(&now.tags), lines(typed.value("tags"))),
    ]
}
