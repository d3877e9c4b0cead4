//! All lines of one account on one invoice, page by page.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;

use super::invoice::{PartQuery, place};
use super::view::{LineView, Pager, Row};
use crate::access::In;
use crate::access::policy::ReadBilling;
use crate::ids;
use crate::ledger::money;
use crate::ledger::store::{invoices, lines};
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::{Cursor, PAGE, Paged};
use crate::web::site::Keep;
use crate::web::{Section, Shell, Site};

#[derive(Template)]
#[template(path = "ledger/lines.html")]
struct LinesPage {
    shell: Shell,
    account: String,
    row: Row,
    at: String,
    name: String,
    own: String,
    lines: Vec<LineView>,
    priced: bool,
    pager: Pager,
}

/// GET /a/{account}/invoices/{invoice}/lines?at=
pub async fn show(
    by: In<ReadBilling>,
    site: Site,
    path: Path<(String, String)>,
    query: Query<PartQuery>,
) -> Result<HttpResponse, Problem> {
    let (grant, id, asked) = (by.clone(), path.1.clone(), query.clone());
    let read = move |db: &mut Db| {
        let invoice = invoices::one(db, grant.account().key, &id)?;
        let place = place(db, grant.frame(), &invoice, &asked.at)?;
        let lines = lines::lines(db, invoice.key, place.account, &asked.page.want(), PAGE)?;
        Ok((invoice, place, lines))
    };
    let (invoice, place, lines) = site.pool.read_long(read).await?;
    let row = Row::of(&invoice, ids::now());
    let paged = Paged::new(lines, &query.page, &format!("at={}", place.id), None, |l| Cursor(String::new(), l.key));
    let pager = Pager::of(&paged);
    let heading = format!("Lines of invoice {}", row.number);
    let page = LinesPage {
        shell: site.shell(&by, Section::Invoices, &heading).noting(&pager.words),
        account: by.account().id.clone(),
        row,
        at: place.id,
        name: place.name,
        own: money::words(place.own_amount, &invoice.currency),
        lines: paged.rows.iter().map(|line| LineView::of(line, &invoice.month, true)).collect(),
        priced: true,
        pager,
    };
    site.page(&page, Keep::Nothing)
}
