//! Having a failed order tried again: the gate is asked before.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use crate::access::In;
use crate::access::policy::UpdateNetworks;
use crate::connections::state::{Happening, next};
use crate::connections::{Connection, acts, advice, store};
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::web::site::Keep;
use crate::web::{Filled, Reply, Section, Sent, Shell, Site, once};

#[derive(Template)]
#[template(path = "connections/retry.html")]
struct RetryPage {
    shell: Shell,
    account: String,
    form: Filled,
    connection: Connection,
    back: String,
    advice: &'static str,
    refused: bool,
    /// The gate is closed.
    blocked: bool,
}

async fn page(by: &In<UpdateNetworks>, site: &Site, id: String, errors: Errors) -> Result<RetryPage, Problem> {
    let account = by.account().key;
    let read = move |db: &mut Db| {
        let connection = store::find(db, account, &id)?;
        let blocked = match acts::must_be_ready(db, account) {
            Err(Problem::Conflict(_)) => true,
            other => other.map(|()| false)?,
        };
        Ok((connection, blocked))
    };
    let (connection, blocked) = site.pool.read(read).await?;
    let mut form = Filled::with([]);
    form.set_version(connection.version);
    form.errors = errors;
    Ok(RetryPage {
        shell: site
            .shell(by, Section::Connections, &format!("Try “{}” again?", connection.name))
            .failing(form.failed()),
        account: by.account().id.clone(),
        form,
        back: format!("/a/{}/connections/{}", by.account().id, connection.id),
        advice: advice::of_error(&connection.error_code),
        refused: next(connection.state, Happening::Retry).is_none(),
        blocked,
        connection,
    })
}

/// GET /a/{account}/connections/{connection}/retry
pub async fn confirm(
    by: In<UpdateNetworks>,
    site: Site,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let page = page(&by, &site, path.into_inner().1, Errors::default()).await?;
    site.page(&page, Keep::Nothing)
}

/// POST /a/{account}/connections/{connection}/retry
pub async fn retry(
    by: In<UpdateNetworks>,
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
            acts::retry(db, &grant, &id, copy.version())?;
            let to = format!("/a/{}/connections/{id}", grant.account().id);
            Ok(Reply::to(to, "The order is tried again."))
        })
    });
    match done.await {
        Err(Problem::Invalid(errors)) => site.refused(&page(&by, &site, connection_id, errors).await?),
        Err(Problem::Conflict(Reason::Stale)) => {
            let message = "The connection changed in the meantime. Look at it again before you try it";
            let page = page(&by, &site, connection_id, Errors::one("", message)).await?;
            site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
        }
        Err(Problem::Conflict(Reason::ConnectionState(_) | Reason::NotReady(_))) => {
            let page = page(&by, &site, connection_id, Errors::default()).await?;
            site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
        }
        other => Ok(site.see(&other?)),
    }
}
