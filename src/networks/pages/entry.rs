//! The form of a network: new or edited. A stale edit comes back with both versions side by side.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use crate::access::In;
use crate::access::policy::{Action, CreateNetworks, UpdateNetworks};
use crate::networks::{self, Network, NewNetwork, State, store};
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::tags::{self, Tags};
use crate::web::form::Check;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};

const FIELDS: [&str; 3] = ["name", "description", "tags"];

#[derive(Template)]
#[template(path = "networks/form.html")]
struct FormPage {
    shell: Shell,
    form: Filled,
    lede: &'static str,
    button: &'static str,
    back: String,
    /// After a stale save: field, what is stored now, what was typed.
    versions: Vec<(&'static str, String, String)>,
}

/// Name, description and tags, as networks and connections have them.
pub fn details(check: &mut Check<'_>) -> (String, String, Tags) {
    let name = check.line("name", "Name", 1, 64);
    let description = check.block("description", "Description", 0, 1024);
    let typed = check.block("tags", "Tags", 0, 20_000);
    let tags = tags::of_text(&typed);
    check.note("tags", tags.as_ref().err().cloned());
    (name, description, tags.unwrap_or_default())
}

fn entered(form: &Form) -> Result<NewNetwork, Problem> {
    let mut check = form.check();
    let (name, description, tags) = details(&mut check);
    check.finish()?;
    Ok(NewNetwork { name, description, tags })
}

fn new_page(by: &In<CreateNetworks>, site: &Site, form: Filled) -> FormPage {
    FormPage {
        shell: site.shell(by, Section::Networks, "Create Network").failing(form.failed()),
        form,
        lede: "A network holds connections. What is connected to one network reaches everything else in it, and nothing of another.",
        button: "Create Network",
        back: format!("/a/{}/networks", by.account().id),
        versions: Vec::new(),
    }
}

/// GET /a/{account}/networks/new
pub async fn new(by: In<CreateNetworks>, site: Site) -> Result<HttpResponse, Problem> {
    let form = site.start_form(by.actor().key, Filled::with([])).await?;
    site.page(&new_page(&by, &site, form), Keep::Private)
}

/// POST /a/{account}/networks/new
pub async fn create(by: In<CreateNetworks>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &FIELDS)?;
    let (receipt, grant, copy) = (form.receipt(), by.clone(), form.clone());
    let done = site.pool.write(move |db| {
        once(db, grant.actor().key, &receipt, |db| {
            let network = networks::create(db, &grant, &entered(&copy)?)?;
            let to = format!("/a/{}/networks/{}", grant.account().id, network.id);
            Ok(Reply::to(to, "Network created. Add a connection to it."))
        })
    });
    match done.await {
        Err(Problem::Invalid(errors)) => site.refused(&new_page(&by, &site, form.filled(errors))),
        Err(Problem::Conflict(reason @ Reason::LimitReached { .. })) => {
            let words = reason.words();
            let errors = Errors::one("", format!("{}. {} {}", words.heading, words.happened, words.advice));
            site.page_with(StatusCode::CONFLICT, &new_page(&by, &site, form.filled(errors)), Keep::Nothing)
        }
        other => Ok(site.see(&other?)),
    }
}

/// What is stored of the network now.
async fn stored<A: Action>(by: &In<A>, site: &Site, id: String) -> Result<(Network, Tags), Problem> {
    let account = by.account().key;
    let read = move |db: &mut Db| {
        let network = store::find(db, account, &id)?;
        let tags = tags::of(db, account, &network.id)?;
        Ok((network, tags))
    };
    site.pool.read(read).await
}

fn edit_page(by: &In<UpdateNetworks>, site: &Site, network: &Network, form: Filled) -> FormPage {
    FormPage {
        shell: site.shell(by, Section::Networks, &format!("Edit {}", network.name)).failing(form.failed()),
        form,
        lede: "",
        button: "Save",
        back: format!("/a/{}/networks/{}", by.account().id, network.id),
        versions: Vec::new(),
    }
}

/// GET /a/{account}/networks/{network}/edit
pub async fn edit(by: In<UpdateNetworks>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (network, tags) = stored(&by, &site, path.into_inner().1).await?;
    if network.state == State::Deleted {
        let to = format!("/a/{}/networks/{}", by.account().id, network.id);
        return Ok(site.see(&Reply::to(to, "!This network is deleted and cannot be changed.")));
    }
    let text = tags::text(&tags);
    let mut fresh = Filled::with([("name", &*network.name), ("description", &*network.description), ("tags", &*text)]);
    fresh.set_version(network.version);
    let form = site.start_form(by.actor().key, fresh).await?;
    site.page(&edit_page(&by, &site, &network, form), Keep::Private)
}

/// POST /a/{account}/networks/{network}/edit
pub async fn update(
    by: In<UpdateNetworks>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &FIELDS)?;
    let (network_id, grant, copy) = (path.into_inner().1, by.clone(), form.clone());
    let id = network_id.clone();
    let done = site.pool.write(move |db| {
        store::find(db, grant.account().key, &id)?;
        once(db, grant.actor().key, &copy.receipt(), |db| {
            networks::edit(db, &grant, &id, &entered(&copy)?, copy.version())?;
            Ok(Reply::to(format!("/a/{}/networks/{id}", grant.account().id), "Network saved."))
        })
    });
    match done.await {
        Err(Problem::Invalid(errors)) => {
            let (network, _) = stored(&by, &site, network_id).await?;
            site.refused(&edit_page(&by, &site, &network, form.filled(errors)))
        }
        Err(Problem::Conflict(Reason::Stale)) => {
            let (network, tags) = stored(&by, &site, network_id).await?;
            let mut typed = form.filled(Errors::default());
            let versions = vec![
                ("Name", network.name.clone(), typed.value("name").to_owned()),
                ("Description", network.description.clone(), typed.value("description").to_owned()),
                ("Tags", tags::line(&tags), typed.value("tags").lines().collect::<Vec<_>>().join(", ")),
            ];
            typed.set_version(network.version);
            let mut page = edit_page(&by, &site, &network, typed);
            page.versions = versions;
            page.shell = page.shell.failing(true);
            site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
        }
        other => Ok(site.see(&other?)),
    }
}
