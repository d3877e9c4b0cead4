//! Deleting a connection: its page says what that does, by the state it is in.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use crate::access::In;
use crate::access::policy::DeleteNetworks;
use crate::connections::state::{Happening, State, next};
use crate::connections::{Connection, acts, store};
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::web::site::Keep;
use crate::web::{Filled, Reply, Section, Sent, Shell, Site, once};

#[derive(Template)]
#[template(path = "connections/delete.html")]
struct DeletePage {
    shell: Shell,
    form: Filled,
    connection: Connection,
    back: String,
    /// It is gone at once, as the fabric knows nothing of it.
    at_once: bool,
    refused: bool,
}

async fn page(by: &In<DeleteNetworks>, site: &Site, id: String, errors: Errors) -> Result<DeletePage, Problem> {
    let account = by.account().key;
    let connection = site.pool.read(move |db: &mut Db| store::find(db, account, &id)).await?;
    let to = next(connection.state, Happening::Delete);
    let mut form = Filled::with([]);
    form.set_version(connection.version);
    form.errors = errors;
    Ok(DeletePage {
        shell: site
            .shell(by, Section::Connections, &format!("Delete the connection “{}”?", connection.name))
            .failing(form.failed()),
        form,
        back: format!("/a/{}/connections/{}", by.account().id, connection.id),
        at_once: to == Some(State::Deleted),
        refused: to.is_none(),
        connection,
    })
}

/// GET /a/{account}/connections/{connection}/delete
pub async fn confirm(
    by: In<DeleteNetworks>,
    site: Site,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let page = page(&by, &site, path.into_inner().1, Errors::default()).await?;
    site.page(&page, Keep::Nothing)
}

/// POST /a/{account}/connections/{connection}/delete
pub async fn delete(
    by: In<DeleteNetworks>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[])?;
    let (connection_id, grant, copy) = (path.into_inner().1, by.clone(), form.clone());
    let id = connection_id.clone();
    let done = site.pool.write(move |db| {
        store::find(db, grant.account().key, &id)?;
        copy.check().finish()?;
        once(db, grant.actor().key, &copy.receipt(), |db| {
            let state = acts::delete(db, &grant, &id, copy.version())?;
            let said = match state {
                State::Deleted => "Connection deleted.",
                _ => "The connection is being deleted.",
            };
            Ok(Reply::to(format!("/a/{}/connections/{id}", grant.account().id), said))
        })
    });
    match done.await {
        Err(Problem::Invalid(errors)) => site.refused(&page(&by, &site, connection_id, errors).await?),
        Err(Problem::Conflict(Reason::Stale)) => {
            let message = "The connection changed in the meantime. Look at it again before you delete it";
            let page = page(&by, &site, connection_id, Errors::one("", message)).await?;
            site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
        }
        Err(Problem::Conflict(Reason::ConnectionDelete(_))) => {
            let page = page(&by, &site, connection_id, Errors::default()).await?;
            site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
        }
        other => Ok(site.see(&other?)),
    }
}
