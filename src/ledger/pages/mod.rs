//! The Invoices section of an account that pays, with one page for each invoice, and its usage, which every account
//! has. Money is never kept by a browser.

mod export;
mod filter;
mod invoice;
mod lines;
mod payment;
mod pdf;
mod prices;
mod usage;
mod usage_file;
mod view;

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use super::store::list;
use crate::access::In;
use crate::access::policy::{ReadBilling, UpdateBilling};
use crate::billing;
use crate::ids;
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::{Cursor, PAGE, Paged};
use crate::web::route::{Route, get, post};
use crate::web::site::Keep;
use crate::web::{Section, Shell, Site};
use filter::{Filter, ListQuery};
use view::{Pager, Row};

pub fn routes() -> Vec<Route> {
    vec![
        get("/a/{account}/invoices", index),
        get("/a/{account}/invoices.csv", export::list),
        get("/a/{account}/invoices/prices", prices::edit),
        post("/a/{account}/invoices/prices", prices::update),
        get("/a/{account}/invoices/{invoice}.csv", export::invoice),
        get("/a/{account}/invoices/{invoice}.pdf", pdf::file),
        get("/a/{account}/invoices/{invoice}", invoice::show),
        get("/a/{account}/invoices/{invoice}/lines", lines::show),
        get("/a/{account}/usage", usage::show),
        get("/a/{account}/usage.csv", usage_file::show),
    ]
}

#[derive(Template)]
#[template(path = "ledger/index.html")]
struct IndexPage {
    shell: Shell,
    account: String,
    sentence: String,
    rows: Vec<Row>,
    pager: Pager,
    filter: Filter,
    years: Vec<(String, String)>,
    /// "Shown" or "Hidden", for those who may change it where there are accounts below.
    prices: Option<&'static str>,
}

/// GET /a/{account}/invoices?state=&year=
pub async fn index(by: In<ReadBilling>, site: Site, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let (account, want, filter) = (by.account().key, query.page.want(), Filter::of(&query));
    let only = filter.only.clone();
    let read = move |db: &mut Db| {
        let rows = list::page(db, account, &only, &want, PAGE)?;
        let years = list::years(db, account)?;
        Ok((rows, years, billing::payer(db, account)?, super::showing::chosen(db, account)?))
    };
    let (rows, years, payer, (shows, _)) = site.pool.read(read).await?;
    let now = ids::now();
    let paged =
        Paged::new(rows, &query.page, &filter.query(), None, |row| Cursor(String::new(), row.number.unwrap_or(0)));
    let pager = Pager::of(&paged);
    let frame = by.frame();
    let page = IndexPage {
        shell: site.shell(&by, Section::Invoices, Section::Invoices.label()).noting(&pager.words),
        account: by.account().id.clone(),
        sentence: payer.sentence(frame),
        rows: paged.rows.iter().map(|row| Row::of(row, now)).collect(),
        pager,
        years: filter.years(years),
        filter,
        prices: (frame.may::<UpdateBilling>() && (shows || by.account().children_count > 0)).then_some(if shows {
            "Shown"
        } else {
            "Hidden"
        }),
    };
    site.page(&page, Keep::Nothing)
}
