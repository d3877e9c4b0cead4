//! Name, description and tags of a connection: changed at once, as nothing of them is the fabric's.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use crate::access::In;
use crate::access::policy::UpdateNetworks;
use crate::connections::acts::{self, Details};
use crate::connections::{Connection, State, store};
use crate::networks::pages::entry;
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::tags::{self, Tags};
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};

const FIELDS: [&str; 3] = ["name", "description", "tags"];

#[derive(Template)]
#[template(path = "connections/details.html")]
struct FormPage {
    shell: Shell,
    form: Filled,
    back: String,
    /// After a stale save: field, what is stored now, what was typed.
    versions: Vec<(&'static str, String, String)>,
}

fn entered(form: &Form) -> Result<Details, Problem> {
    let mut check = form.check();
    let (name, description, tags) = entry::details(&mut check);
    check.finish()?;
    Ok(Details { name, description, tags })
}

async fn stored(by: &In<UpdateNetworks>, site: &Site, id: String) -> Result<(Connection, Tags), Problem> {
    let account = by.account().key;
    let read = move |db: &mut Db| {
        let connection = store::find(db, account, &id)?;
        let tags = tags::of(db, account, &connection.id)?;
        Ok((connection, tags))
    };
    site.pool.read(read).await
}

fn page(by: &In<UpdateNetworks>, site: &Site, connection: &Connection, form: Filled) -> FormPage {
    FormPage {
        shell: site.shell(by, Section::Connections, &format!("Edit {}", connection.name)).failing(form.failed()),
        form,
        back: format!("/a/{}/connections/{}", by.account().id, connection.id),
        versions: Vec::new(),
    }
}

/// GET /a/{account}/connections/{connection}/edit
pub async fn edit(by: In<UpdateNetworks>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (connection, tags) = stored(&by, &site, path.into_inner().1).await?;
    if connection.state == State::Deleted {
        let to = format!("/a/{}/connections/{}", by.account().id, connection.id);
        return Ok(site.see(&Reply::to(to, "!This connection is deleted and cannot be changed.")));
    }
    let text = tags::text(&tags);
    let values = [("name", &*connection.name), ("description", &*connection.description), ("tags", &*text)];
    let mut fresh = Filled::with(values);
    fresh.set_version(connection.version);
    let form = site.start_form(by.actor().key, fresh).await?;
    site.page(&page(&by, &site, &connection, form), Keep::Private)
}

/// POST /a/{account}/connections/{connection}/edit
pub async fn update(
    by: In<UpdateNetworks>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &FIELDS)?;
    let (connection_id, grant, copy) = (path.into_inner().1, by.clone(), form.clone());
    let id = connection_id.clone();
    let done = site.pool.write(move |db| {
        store::find(db, grant.account().key, &id)?;
        once(db, grant.actor().key, &copy.receipt(), |db| {
            acts::describe(db, &grant, &id, &entered(&copy)?, copy.version())?;
            Ok(Reply::to(format!("/a/{}/connections/{id}", grant.account().id), "Connection saved."))
        })
    });
    match done.await {
        Err(Problem::Invalid(errors)) => {
            let (connection, _) = stored(&by, &site, connection_id).await?;
            site.refused(&page(&by, &site, &connection, form.filled(errors)))
        }
        Err(Problem::Conflict(Reason::Stale)) => {
            let (connection, tags) = stored(&by, &site, connection_id).await?;
            let mut typed = form.filled(Errors::default());
            let versions = vec![
                ("Name", connection.name.clone(), typed.value("name").to_owned()),
                ("Description", connection.description.clone(), typed.value("description").to_owned()),
                ("Tags", tags::line(&tags), typed.value("tags").lines().collect::<Vec<_>>().join(", ")),
            ];
            typed.set_version(connection.version);
            let mut page = page(&by, &site, &connection, typed);
            page.versions = versions;
            page.shell = page.shell.failing(true);
            site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
        }
        other => Ok(site.see(&other?)),
    }
}
