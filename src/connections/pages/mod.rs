//! The section Connections: the list, of this account or of everything below, and its file. The page of a network is
//! here as well, as it is about the connections in it.

mod details;
mod network;
mod order;
mod placing;
mod remove;
mod retry;
mod settings;
mod show;

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use super::list::{self, Listed};
use super::settings::Kind;
use super::state::State;
use crate::access::In;
use crate::access::policy::{CreateNetworks, ReadNetworks};
use crate::networks::query::{Filter, ListQuery, Pager};
use crate::networks::store as networks;
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::{PAGE, Paged, Want};
use crate::web::route::{Route, get, post};
use crate::web::site::Keep;
use crate::web::when::{self, When};
use crate::web::{Section, Shell, Site, csv};
use crate::{tags, text};

pub fn routes() -> Vec<Route> {
    vec![
        get("/a/{account}/networks/{network}", network::show),
        get("/a/{account}/networks/{network}/connections/new", order::ask),
        post("/a/{account}/networks/{network}/connections/new", order::answer),
        get("/a/{account}/connections", index),
        get("/a/{account}/connections.csv", export),
        get("/a/{account}/connections/{connection}", show::show),
        get("/a/{account}/connections/{connection}/edit", details::edit),
        post("/a/{account}/connections/{connection}/edit", details::update),
        get("/a/{account}/connections/{connection}/settings", settings::edit),
        post("/a/{account}/connections/{connection}/settings", settings::update),
        get("/a/{account}/connections/{connection}/retry", retry::confirm),
        post("/a/{account}/connections/{connection}/retry", retry::retry),
        get("/a/{account}/connections/{connection}/delete", remove::confirm),
        post("/a/{account}/connections/{connection}/delete", remove::delete),
    ]
}

/// Networks that the filter and the start of an order name.
const MOST_NETWORKS: i64 = 200;

#[derive(Template)]
#[template(path = "connections/index.html")]
struct IndexPage {
    shell: Shell,
    account: String,
    name: String,
    filter: Filter,
    states: Vec<(&'static str, &'static str)>,
    kinds: Vec<(&'static str, &'static str)>,
    networks: Vec<(String, String)>,
    chips: Vec<(String, String)>,
    rows: Vec<Row>,
    pager: Pager,
    csv: String,
    is_empty: bool,
    may_create: bool,
    has_below: bool,
}

/// One connection of a list.
struct Row {
    id: String,
    name: String,
    description: String,
    account: String,
    path: String,
    kind: String,
    network: (String, String),
    location: String,
    speed: String,
    high_availability: bool,
    tone: &'static str,
    state: &'static str,
    since: When,
}

impl Row {
    fn of(one: Listed, below: bool) -> Row {
        let kind = one.kind();
        Row {
            kind,
            id: one.connection.id,
            name: one.connection.name,
            description: one.connection.description,
            account: one.at.id,
            path: if below { one.at.path } else { String::new() },
            network: one.network,
            location: one.location,
            speed: text::speed(one.connection.speed),
            high_availability: one.connection.high_availability,
            tone: one.connection.state.tone(),
            state: one.connection.state.words(),
            since: one.connection.state_since.into(),
        }
    }
}

/// GET /a/{account}/connections?scope=&q=&state=&kind=&network=&tag=
pub async fn index(by: In<ReadNetworks>, site: Site, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let reaches_below = by.frame().may_below::<ReadNetworks>();
    let filter = query.filter(reaches_below);
    let (account, depth) = (by.account().key, by.account().depth);
    let (asked, want) = (filter.clone(), query.page.want());
    let read = move |db: &mut Db| {
        let rows = list::page(db, account, depth, &asked, &want, PAGE)?;
        Ok((rows, list::any(db, account)?, networks::choices(db, account, MOST_NETWORKS)?))
    };
    let (rows, any, networks) = site.pool.read_long(read).await?;
    let paged = Paged::new(rows, &query.page, &filter.query(), None, Listed::cursor);
    let pager = Pager::of(&paged);
    let state = State::of_code(&filter.state).map_or("", State::words);
    let network = networks.iter().find(|(id, _)| *id == filter.network).map_or("", |(_, name)| name);
    let page = IndexPage {
        shell: site.shell(&by, Section::Connections, Section::Connections.label()).noting(&pager.words),
        account: by.account().id.clone(),
        name: by.account().name.clone(),
        states: State::EVERY.iter().map(|state| (state.code(), state.words())).collect(),
        kinds: Kind::EVERY.iter().map(|kind| (kind.code(), kind.words())).collect(),
        chips: filter.chips(state, &Kind::label(&filter.kind), network),
        rows: paged.rows.into_iter().map(|one| Row::of(one, filter.below)).collect(),
        pager,
        csv: format!("/a/{}/connections.csv?{}", by.account().id, filter.query()),
        is_empty: !any && !filter.below && !filter.is_on(),
        may_create: by.frame().may::<CreateNetworks>(),
        has_below: reaches_below && by.account().children_count > 0,
        networks,
        filter,
    };
    site.page(&page, Keep::Private)
}

const HEAD: [&str; 20] = [
    "accountId",
    "account",
    "path",
    "id",
    "name",
    "type",
    "networkId",
    "network",
    "location",
    "speedMbps",
    "highAvailability",
    "billingTerm",
    "state",
    "stateSince",
    "errorCode",
    "errorMessage",
    "description",
    "tags",
    "createdAt",
    "activeAt",
];
const EXPORT_BATCH: usize = 500;

/// GET /a/{account}/connections.csv: every connection of this view.
pub async fn export(by: In<ReadNetworks>, site: Site, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let filter = query.filter(by.frame().may_below::<ReadNetworks>());
    let name = format!("Connections of {}.csv", by.account().name);
    let (account, depth) = (by.account().key, by.account().depth);
    let read = move |db: &mut Db| {
        let mut table = csv::Table::new(&HEAD)?;
        let mut want = Want::First;
        loop {
            let mut rows = list::page(db, account, depth, &filter, &want, EXPORT_BATCH)?;
            let more = rows.len() > EXPORT_BATCH;
            rows.truncate(EXPORT_BATCH);
            let last = rows.last().map(Listed::cursor);
            for one in rows {
                table.row(&cells(one))?;
            }
            match last {
                Some(last) if more => want = Want::After(last),
                _ => return table.finish(),
            }
        }
    };
    let bytes = site.pool.read_long(read).await?;
    Ok(csv::answer(&name, bytes))
}

fn cells(one: Listed) -> Vec<String> {
    let Listed { connection, network, location, tags, at } = one;
    vec![
        at.id,
        at.name,
        at.path,
        connection.id,
        connection.name,
        connection.kind,
        network.0,
        network.1,
        location,
        connection.speed.to_string(),
        connection.high_availability.to_string(),
        connection.term,
        connection.state.code().to_owned(),
        when::iso(connection.state_since),
        connection.error_code,
        connection.error_message,
        connection.description,
        tags::line(&tags),
        when::iso(connection.created_at),
        connection.active_at.map(when::iso).unwrap_or_default(),
    ]
}
