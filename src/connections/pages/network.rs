//! One network and the connections in it.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;

use super::Row;
use crate::access::In;
use crate::access::policy::{CreateNetworks, DeleteNetworks, ReadNetworks, UpdateNetworks};
use crate::connections::list::{self, Listed};
use crate::networks::query::{Filter, Pager};
use crate::networks::{Network, State, store};
use crate::problem::Problem;
use crate::store::Db;
use crate::tags;
use crate::web::paging::{PAGE, PageQuery, Paged};
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Section, Shell, Site};

#[derive(Template)]
#[template(path = "networks/show.html")]
struct ShowPage {
    shell: Shell,
    account: String,
    network: Network,
    tags: String,
    created: When,
    rows: Vec<Row>,
    pager: Pager,
    may_order: bool,
    may_update: bool,
    may_delete: bool,
}

/// GET /a/{account}/networks/{network}
pub async fn show(
    by: In<ReadNetworks>,
    site: Site,
    path: Path<(String, String)>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (account, depth, network_id) = (by.account().key, by.account().depth, path.into_inner().1);
    let want = page.want();
    let read = move |db: &mut Db| {
        let network = store::find(db, account, &network_id)?;
        let filter = Filter { network: network_id, ..Filter::default() };
        let rows = list::page(db, account, depth, &filter, &want, PAGE)?;
        let tags = tags::of(db, account, &network.id)?;
        Ok((network, rows, tags))
    };
    let (network, rows, tags) = site.pool.read_long(read).await?;
    let paged = Paged::new(rows, &page, "", None, Listed::cursor);
    let pager = Pager::of(&paged);
    let frame = by.frame();
    let here = network.state != State::Deleted;
    let page = ShowPage {
        shell: site.shell(&by, Section::Networks, &network.name).noting(&pager.words),
        account: by.account().id.clone(),
        tags: tags::line(&tags),
        created: network.created_at.into(),
        rows: paged.rows.into_iter().map(|one| Row::of(one, false)).collect(),
        pager,
        may_order: network.state == State::Active && frame.may::<CreateNetworks>(),
        may_update: here && frame.may::<UpdateNetworks>(),
        may_delete: here && frame.may::<DeleteNetworks>(),
        network,
    };
    site.page(&page, Keep::Private)
}
