//! Deleting a network: its page says what is in the way, or what it does.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use crate::access::In;
use crate::access::policy::DeleteNetworks;
use crate::networks::{self, Network, State, store};
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::web::errors::Words;
use crate::web::site::Keep;
use crate::web::{Filled, Reply, Section, Sent, Shell, Site, once};

#[derive(Template)]
#[template(path = "networks/delete.html")]
struct DeletePage {
    shell: Shell,
    form: Filled,
    name: String,
    back: String,
    connections: String,
    /// Why it cannot be deleted now.
    refusal: Option<Words>,
}

async fn page(by: &In<DeleteNetworks>, site: &Site, id: String, errors: Errors) -> Result<DeletePage, Problem> {
    let account = by.account().key;
    let read = move |db: &mut Db| {
        let network = store::find(db, account, &id)?;
        let connections = store::connections(db, network.key)?;
        Ok((network, connections))
    };
    let (network, connections): (Network, i64) = site.pool.read(read).await?;
    let refusal = match (network.state, connections) {
        (State::Deleted, _) => Some(Words {
            heading: "This network is deleted already".to_owned(),
            happened: "There is nothing left to delete.".to_owned(),
            advice: String::new(),
        }),
        (_, 0) => None,
        (_, n) => Some(Reason::NetworkHasConnections(n).words()),
    };
    let mut form = Filled::with([]);
    form.set_version(network.version);
    form.errors = errors;
    Ok(DeletePage {
        shell: site
            .shell(by, Section::Networks, &format!("Delete the network “{}”?", network.name))
            .failing(form.failed()),
        form,
        back: format!("/a/{}/networks/{}", by.account().id, network.id),
        connections: format!("/a/{}/connections?network={}", by.account().id, network.id),
        name: network.name,
        refusal,
    })
}

/// GET /a/{account}/networks/{network}/delete
pub async fn confirm(
    by: In<DeleteNetworks>,
    site: Site,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let page = page(&by, &site, path.into_inner().1, Errors::default()).await?;
    site.page(&page, Keep::Nothing)
}

/// POST /a/{account}/networks/{network}/delete
pub async fn delete(
    by: In<DeleteNetworks>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[])?;
    let (network_id, grant, copy) = (path.into_inner().1, by.clone(), form.clone());
    let id = network_id.clone();
    let done = site.pool.write(move |db| {
        store::find(db, grant.account().key, &id)?;
        copy.check().finish()?;
        once(db, grant.actor().key, &copy.receipt(), |db| {
            networks::delete(db, &grant, &id, copy.version())?;
            Ok(Reply::to(format!("/a/{}/networks", grant.account().id), "Network deleted."))
        })
    });
    match done.await {
        Err(Problem::Invalid(errors)) => site.refused(&page(&by, &site, network_id, errors).await?),
        Err(Problem::Conflict(Reason::Stale)) => {
            let message = "The network was changed in the meantime. Look at it again before you delete it";
            let page = page(&by, &site, network_id, Errors::one("", message)).await?;
            site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
        }
        Err(Problem::Conflict(Reason::NetworkHasConnections(_))) => {
            let page = page(&by, &site, network_id, Errors::default()).await?;
            site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
        }
        other => Ok(site.see(&other?)),
    }
}
