//! The section Networks: the list, of this account or of everything below, and its file. Making, editing and deleting
//! have pages of their own; the page of one network stands with the connections in it.

pub(crate) mod entry;
mod remove;

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use super::State;
use super::list::{self, Listed};
use super::query::{Filter, ListQuery, Pager};
use crate::access::In;
use crate::access::policy::{CreateNetworks, ReadNetworks, ReadPorts};
use crate::problem::Problem;
use crate::store::Db;
use crate::tags;
use crate::web::paging::{PAGE, Paged, Want};
use crate::web::route::{Route, get, post};
use crate::web::site::Keep;
use crate::web::when::{self, When};
use crate::web::{Section, Shell, Site, csv};

pub fn routes() -> Vec<Route> {
    vec![
        get("/a/{account}/networks", index),
        get("/a/{account}/networks.csv", export),
        get("/a/{account}/networks/new", entry::new),
        post("/a/{account}/networks/new", entry::create),
        get("/a/{account}/networks/{network}/edit", entry::edit),
        post("/a/{account}/networks/{network}/edit", entry::update),
        get("/a/{account}/networks/{network}/delete", remove::confirm),
        post("/a/{account}/networks/{network}/delete", remove::delete),
    ]
}

#[derive(Template)]
#[template(path = "networks/index.html")]
struct IndexPage {
    shell: Shell,
    account: String,
    name: String,
    filter: Filter,
    /// Values and words of the menu of states.
    states: Vec<(&'static str, &'static str)>,
    chips: Vec<(String, String)>,
    rows: Vec<Row>,
    pager: Pager,
    csv: String,
    /// Nothing here yet, and nothing asked for.
    is_empty: bool,
    may_create: bool,
    may_see_ports: bool,
    has_below: bool,
}

struct Row {
    id: String,
    name: String,
    description: String,
    account: String,
    path: String,
    tone: &'static str,
    state: &'static str,
    connections: i64,
    tags: String,
    created: When,
}

fn row(one: Listed, below: bool) -> Row {
    Row {
        id: one.network.id,
        name: one.network.name,
        description: one.network.description,
        account: one.at.id,
        path: if below { one.at.path } else { String::new() },
        tone: one.network.state.tone(),
        state: one.network.state.words(),
        connections: one.connections,
        tags: tags::line(&one.tags),
        created: When::day(one.network.created_at),
    }
}

/// GET /a/{account}/networks?scope=&q=&state=&tag=
pub async fn index(by: In<ReadNetworks>, site: Site, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let reaches_below = by.frame().may_below::<ReadNetworks>();
    let filter = query.filter(reaches_below);
    let (account, depth) = (by.account().key, by.account().depth);
    let (asked, want) = (filter.clone(), query.page.want());
    let read = move |db: &mut Db| {
        let rows = list::page(db, account, depth, &asked, &want, PAGE)?;
        Ok((rows, list::any(db, account)?))
    };
    let (rows, any) = site.pool.read_long(read).await?;
    let paged = Paged::new(rows, &query.page, &filter.query(), None, Listed::cursor);
    let pager = Pager::of(&paged);
    let frame = by.frame();
    let state = State::of_code(&filter.state).map_or("", State::words);
    let page = IndexPage {
        shell: site.shell(&by, Section::Networks, Section::Networks.label()).noting(&pager.words),
        account: by.account().id.clone(),
        name: by.account().name.clone(),
        states: State::EVERY.iter().map(|state| (state.code(), state.words())).collect(),
        chips: filter.chips(state, "", ""),
        rows: paged.rows.into_iter().map(|one| row(one, filter.below)).collect(),
        pager,
        csv: format!("/a/{}/networks.csv?{}", by.account().id, filter.query()),
        is_empty: !any && !filter.below && !filter.is_on(),
        may_create: frame.may::<CreateNetworks>(),
        may_see_ports: frame.may::<ReadPorts>(),
        has_below: reaches_below && by.account().children_count > 0,
        filter,
    };
    site.page(&page, Keep::Private)
}

const HEAD: [&str; 10] =
    ["accountId", "account", "path", "id", "name", "state", "connections", "description", "tags", "createdAt"];
const EXPORT_BATCH: usize = 500;

/// GET /a/{account}/networks.csv: every network of this view.
pub async fn export(by: In<ReadNetworks>, site: Site, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let filter = query.filter(by.frame().may_below::<ReadNetworks>());
    let name = format!("Networks of {}.csv", by.account().name);
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
    vec![
        one.at.id,
        one.at.name,
        one.at.path,
        one.network.id,
        one.network.name,
        one.network.state.code().to_owned(),
        one.connections.to_string(),
        one.network.description,
        tags::line(&one.tags),
        when::iso(one.network.created_at),
    ]
}
