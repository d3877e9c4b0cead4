//! Who pays with an account's own method: the account itself and, where it is offered, every account below that has no
//! nearer one. By name, page by page, and as a file.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use super::{billing_or_dashboard, home};
use crate::access::policy::ReadBilling;
use crate::access::{In, Place};
use crate::billing::effects::{Reach, Tally};
use crate::billing::store::followers;
use crate::billing::{self, Follower, Method};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::{Cursor, PAGE, PageQuery, Paged};
use crate::web::route::{Route, get};
use crate::web::site::Keep;
use crate::web::{Reply, Section, Shell, Site, csv};

/// Accounts of a file that are read at once. Each batch looks at the whole branch, so there are few.
const AT_ONCE: i64 = 20_000;

pub fn routes() -> Vec<Route> {
    vec![get("/a/{account}/billing/uses", show), get("/a/{account}/billing/uses.csv", export)]
}

#[derive(Template)]
#[template(path = "billing/uses.html")]
struct UsesPage {
    shell: Shell,
    method: String,
    sums: Tally,
    rows: Vec<Row>,
    pager: String,
    previous: String,
    next: String,
    /// Pages that start after a row have no numbers to jump to.
    numbers: &'static [(String, String, bool)],
    csv: String,
    home: String,
}

struct Row {
    name: String,
    href: String,
    path: String,
    live: i64,
}

/// Whom the method reaches.
fn reach(own: &Method) -> Reach {
    if own.entries.allow_child_accounts { Reach::ALL } else { Reach::ITSELF }
}

/// GET /a/{account}/billing/uses
pub async fn show(by: In<ReadBilling>, site: Site, query: Query<PageQuery>) -> Result<HttpResponse, Problem> {
    if !by.frame().may_below::<ReadBilling>() {
        return Err(Problem::NotFound);
    }
    let (place, want) = (by.account().clone(), query.want());
    let read = move |db: &mut Db| {
        let Some(own) = billing::own(db, place.key)? else { return Ok(None) };
        let sums = followers::tally(db, place.key, reach(&own))?;
        let rows = followers::page(db, place.key, reach(&own), &want, PAGE as i64 + 1)?;
        let keys: Vec<Key> = rows.iter().map(|row| row.key).collect();
        Ok(Some((own, sums, rows, billing::paths(db, &place, &keys)?)))
    };
    let Some((own, sums, rows, paths)) = site.pool.read_long(read).await? else {
        let words = "!This account has no payment method of its own.";
        return Ok(site.see(&Reply::to(home(by.frame()), words)));
    };
    let cursor = |row: &Follower| Cursor(row.name_key.clone(), row.key);
    let list = Paged::new(rows, &query, "", Some(sums.accounts), cursor);
    let (frame, id) = (by.frame(), &by.account().id);
    let row = |one: &Follower| {
        let itself = one.key == frame.account().key;
        let path = if itself { "this account" } else { paths.get(&one.key).map_or("", String::as_str) };
        let held = if itself { frame.held() } else { frame.below };
        let href = billing_or_dashboard(&one.id, held);
        Row { name: one.name.clone(), href, path: path.to_owned(), live: one.live }
    };
    let link = |query: &str| if query.is_empty() { String::new() } else { format!("?{query}") };
    let page = UsesPage {
        shell: site.shell(&by, Section::Billing, "Who pays with this method").noting(&list.words()),
        method: own.stored.words().unwrap_or_else(|| own.entries.collection_method.words().to_owned()),
        sums,
        rows: list.rows.iter().map(row).collect(),
        pager: list.words(),
        previous: link(&list.previous),
        next: link(&list.next),
        numbers: &[],
        csv: format!("/a/{id}/billing/uses.csv"),
        home: home(frame),
    };
    site.page(&page, Keep::Nothing)
}

/// GET /a/{account}/billing/uses.csv
pub async fn export(by: In<ReadBilling>, site: Site) -> Result<HttpResponse, Problem> {
    if !by.frame().may_below::<ReadBilling>() {
        return Err(Problem::NotFound);
    }
    let place = by.account().clone();
    let read = move |db: &mut Db, after: Option<Follower>| {
        let Some(own) = billing::own(db, place.key)? else { return Ok((Vec::new(), None)) };
        followers_file(db, &place, reach(&own), after)
    };
    csv::stream(&site.pool, "who-pays-with-this-method.csv", &HEAD, read).await
}

pub const HEAD: [&str; 5] = ["Id", "Name", "Path", "Levels below", "Live connections"];

/// Followers as rows of a file, those after one of them.
pub fn followers_file(
    db: &mut Db,
    place: &Place,
    reach: Reach,
    after: Option<Follower>,
) -> Result<csv::Batch<Follower>, Problem> {
    let rows = followers::list_after(db, place.key, reach, after.as_ref(), AT_ONCE)?;
    let keys: Vec<Key> = rows.iter().map(|row| row.key).collect();
    let mut paths = billing::paths(db, place, &keys)?;
    let reached = rows.last().filter(|_| rows.len() as i64 == AT_ONCE).cloned();
    let cells = |one: Follower| {
        let path = paths.remove(&one.key).unwrap_or_default();
        vec![one.id, one.name, path, (one.depth - place.depth).to_string(), one.live.to_string()]
    };
    Ok((rows.into_iter().map(cells).collect(), reached))
}
