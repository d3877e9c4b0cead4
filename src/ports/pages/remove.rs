//! Deleting a port, with a page of its own that first says what it does; and having one tried again that could not be
//! made.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::edit::current;
use super::show::Line;
use crate::access::In;
use crate::access::policy::{DeletePorts, UpdatePorts};
use crate::ports::state::State;
use crate::ports::store::{self, Port};
use crate::ports::using::{self, Of};
use crate::ports::{caps, changing};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::text;
use crate::web::paging::{PAGE, Want};
use crate::web::site::Keep;
use crate::web::{Filled, Reply, Section, Sent, Shell, Site, once};

#[derive(Template)]
#[template(path = "ports/delete.html")]
struct DeletePage {
    shell: Shell,
    form: Filled,
    back: String,
    name: String,
    uses: i64,
    connections: String,
    lines: Vec<Line>,
    more: bool,
    caps: String,
    is_active: bool,
    offered: bool,
    again: bool,
}

#[derive(Template)]
#[template(path = "ports/retry.html")]
struct RetryPage {
    shell: Shell,
    form: Filled,
    back: String,
    code: String,
    message: String,
}

/// GET /a/{account}/ports/{port}/delete
pub async fn show(by: In<DeletePorts>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    page(&by, &site, &path.1, StatusCode::OK).await
}

async fn page(by: &In<DeletePorts>, site: &Site, id: &str, status: StatusCode) -> Result<HttpResponse, Problem> {
    let port = current(by, site, id).await?;
    let (grant, copy) = (by.clone(), port.clone());
    let read = move |db: &mut Db| {
        let (all, _) = store::uses(db, &copy)?;
        let uses = using::page(db, &copy, Of::Everybody, &Want::First, PAGE)?;
        Ok((all, using::seen(db, grant.frame(), uses)?, caps::count(db, copy.key)?))
    };
    let (uses, mut seen, capped) = site.pool.read_long(read).await?;
    let more = seen.len() > PAGE;
    seen.truncate(PAGE);
    let page = DeletePage {
        shell: site.shell(by, Section::Ports, &format!("Delete the port {}?", port.name)),
        form: versioned(&port),
        back: format!("/a/{}/ports/{}", by.account().id, port.id),
        uses,
        connections: text::count(uses, "connection", "connections"),
        lines: seen.into_iter().map(Line::of).collect(),
        more,
        caps: if capped == 0 { String::new() } else { text::count(capped, "cap", "caps") },
        is_active: port.state == State::Active,
        offered: port.available_to_child_accounts,
        again: status == StatusCode::CONFLICT,
        name: port.name,
    };
    site.page_with(status, &page, Keep::Nothing)
}

fn versioned(port: &Port) -> Filled {
    let mut form = Filled::with([]);
    form.set_version(port.version);
    form
}

/// POST /a/{account}/ports/{port}/delete
pub async fn delete(
    by: In<DeletePorts>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[])?;
    let (grant, id) = (by.clone(), path.1.clone());
    let done = site.pool.write(move |db| {
        form.check().finish()?;
        once(db, grant.actor().key, &form.receipt(), |db| {
            changing::delete(db, &grant, &id, form.version())?;
            Ok(Reply::to(format!("/a/{}/ports", grant.account().id), "Port deleted."))
        })
    });
    match done.await {
        // The effects are counted again.
        Err(Problem::Conflict(Reason::PortHasConnections(_) | Reason::Stale)) => {
            page(&by, &site, &path.1, StatusCode::CONFLICT).await
        }
        other => Ok(site.see(&other?)),
    }
}

/// GET /a/{account}/ports/{port}/retry
pub async fn ask_again(by: In<UpdatePorts>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let port = current(&by, &site, &path.1).await?;
    let back = format!("/a/{}/ports/{}", by.account().id, port.id);
    if port.error_code.is_empty() {
        return Ok(site.see(&Reply::to(back, "!There is nothing to try again: the port did not fail.")));
    }
    let page = RetryPage {
        shell: site.shell(&by, Section::Ports, &format!("Try again to make the port {}?", port.name)),
        form: versioned(&port),
        back,
        code: port.error_code,
        message: port.error_message,
    };
    site.page(&page, Keep::Nothing)
}

/// POST /a/{account}/ports/{port}/retry
pub async fn retry(
    by: In<UpdatePorts>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[])?;
    let id = path.1.clone();
    let done = site.pool.write(move |db| {
        form.check().finish()?;
        once(db, by.actor().key, &form.receipt(), |db| {
            changing::retry(db, &by, &id, form.version())?;
            Ok(Reply::to(format!("/a/{}/ports/{id}", by.account().id), "The port is tried again."))
        })
    });
    Ok(site.see(&done.await?))
}
