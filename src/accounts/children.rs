//! The Child Accounts section: list, tree and export.

use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use super::list::{self, Filter, Listed, Row, Scope, Sort};
use super::marks::{self, Marks};
use super::matching;
use super::query::{Heading, ListQuery, address, headings};
use super::store;
use super::tree::{self, Line, MOST_NODES};
use crate::access::policy::{CreateAccounts, LimitAccounts, ReadAccounts, SeeAccount, SuspendAccounts};
use crate::access::{In, lookup};
use crate::problem::Problem;
use crate::store::Db;
use crate::suspension;
use crate::web::paging::{Cursor, PAGE, PageQuery, Paged, Want, is_backward, starting_at};
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Reply, Section, Shell, Site, csv};

/// GET /a/{account}: where an account begins.
pub async fn enter(by: In<SeeAccount>, site: Site) -> HttpResponse {
    site.see(&Reply::to(format!("/a/{}/dashboard", by.account().id), ""))
}

/// One row as the page shows it.
struct Item {
    id: String,
    name: String,
    description: String,
    path: String,
    children: i64,
    below: i64,
    created: When,
    marks: Marks,
}

#[derive(Template)]
#[template(path = "accounts/children.html")]
struct ChildrenPage {
    shell: Shell,
    account: String,
    name: String,
    filter: Filter,
    tree_view: bool,
    open_all: bool,
    direct: i64,
    below: i64,
    found: i64,
    /// There may be more than were counted.
    found_more: bool,
    /// Where the list goes on: so many names were looked through and there are more, or the tree shows no more.
    go_on: String,
    /// From the names on that begin with the text.
    beginning: String,
    /// Names before or after those were looked through on another page.
    began_elsewhere: bool,
    first_headings: Vec<Heading>,
    last_headings: Vec<Heading>,
    items: Vec<Item>,
    lines: Vec<Line>,
    left_out: i64,
    paged: Paged<()>,
    may_create: bool,
    may_suspend: bool,
    may_limit: bool,
    reaches_below: bool,
    has_closed: bool,
    direct_link: String,
    below_link: String,
    clear_link: String,
    first_link: String,
    last_link: String,
    csv_link: String,
}

/// GET /a/{account}/child-accounts
pub async fn index(by: In<ReadAccounts>, site: Site, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let filter = query.filter();
    let page = if query.is_tree() {
        tree_page(&by, &site, filter, &query).await?
    } else {
        list_page(&by, &site, filter, &query).await?
    };
    site.page(&page, Keep::Private)
}

/// What both views share.
fn frame_of(by: &In<ReadAccounts>, site: &Site, filter: Filter, below: i64, has_closed: bool) -> ChildrenPage {
    let account = by.account().id.clone();
    let tail = |query: String| if query.is_empty() { "?".to_owned() } else { format!("?{query}") };
    let direct_link = tail(address(&filter, None, Scope::Direct, true));
    let below_link = tail(address(&filter, None, Scope::Below, true));
    let clear_link = tail(address(&filter, None, filter.scope, false));
    let csv = address(&filter, None, filter.scope, true);
    let page_link = |page: &str| match (csv.is_empty(), page.is_empty()) {
        (_, true) => tail(csv.clone()),
        (true, false) => format!("?page={page}"),
        (false, false) => format!("?{csv}&page={page}"),
    };
    let mut first_headings = headings(&filter, by.account());
    let last_headings = first_headings.split_off(2);
    ChildrenPage {
        shell: site.shell(by, Section::ChildAccounts, Section::ChildAccounts.label()),
        csv_link: format!("/a/{account}/child-accounts.csv?{csv}"),
        name: by.account().name.clone(),
        direct: if by.frame().may_below::<ReadAccounts>() { by.account().children_count } else { 0 },
        reaches_below: by.frame().may_below::<ReadAccounts>(),
        may_create: by.frame().may::<CreateAccounts>(),
        may_suspend: by.frame().may::<SuspendAccounts>() && by.frame().may_below::<SuspendAccounts>(),
        may_limit: by.frame().may::<LimitAccounts>() && by.frame().may_below::<LimitAccounts>(),
        first_headings,
        last_headings,
        first_link: page_link(""),
        last_link: page_link("last"),
        account,
        filter,
        below,
        has_closed,
        direct_link,
        below_link,
        clear_link,
        found: 0,
        found_more: false,
        go_on: String::new(),
        beginning: String::new(),
        began_elsewhere: false,
        tree_view: false,
        open_all: false,
        items: Vec::new(),
        lines: Vec::new(),
        left_out: 0,
        paged: Paged::new(Vec::new(), &PageQuery::default(), "", None, |()| unreachable!("there are no rows")),
    }
}

async fn list_page(
    by: &In<ReadAccounts>,
    site: &Site,
    filter: Filter,
    query: &ListQuery,
) -> Result<ChildrenPage, Problem> {
    let (grant, wanted, want) = (by.clone(), filter.clone(), query.page.want());
    let brief = filter.is_brief();
    let read = move |db: &mut Db| {
        let account = grant.account();
        if !grant.frame().may_below::<ReadAccounts>() {
            return Ok((Listed { rows: Vec::new(), more: None }, Vec::new(), (0, false), false, wanted.clone()));
        }
        let wanted = wanted.clone().within(account);
        let (listed, counted) = list::page_and_count(db, account, &wanted, &want, PAGE)?;
        let has_closed = store::has_closed_children(db, account.key)?;
        let items = items(db, &grant, &listed.rows, wanted.scope)?;
        Ok((listed, items, counted, has_closed, wanted))
    };
    let read = if brief { site.read_late_briefly(read).await? } else { site.read_late(read).await? };
    let (Listed { rows, more }, items, (found, found_more), has_closed, filter) = read;
    let below = if by.frame().may_below::<ReadAccounts>() { by.account().below_count } else { 0 };
    let mut page = frame_of(by, site, filter, below, has_closed);
    let rest = address(&page.filter, None, page.filter.scope, true);
    let sort = page.filter.sort;
    let cursors: Vec<(Row, Item)> = rows.into_iter().zip(items).collect();
    // Of more than were counted, nobody knows how many pages they make.
    let counted = (!found_more).then_some(found);
    let mut paged = Paged::new(cursors, &query.page, &rest, counted, |(row, _)| row.cursor(sort));
    if let Some(cursor) = &more {
        paged = paged.going_on(&query.page, &rest, cursor);
        let on = if is_backward(&query.page.want()) { &paged.previous } else { &paged.next };
        page.go_on = format!("?{on}");
        if !page.filter.descending {
            page.beginning = format!("?{}", starting_at(&rest, &matching::beginning(&page.filter)));
        }
    }
    page.paged = Paged {
        rows: Vec::new(),
        previous: paged.previous,
        next: paged.next,
        number: paged.number,
        total: paged.total,
    };
    page.items = paged.rows.into_iter().map(|(_, item)| item).collect();
    // Those of the page at least, where nobody counted.
    page.found = found.max(i64::try_from(page.items.len()).unwrap_or(0));
    page.found_more = found_more;
    page.began_elsewhere = !matches!(query.page.want(), Want::First | Want::Last);
    page.shell = page.shell.noting(&page.paged.words());
    Ok(page)
}

fn items(db: &mut Db, by: &In<ReadAccounts>, rows: &[Row], scope: Scope) -> Result<Vec<Item>, Problem> {
    let keys: Vec<_> = rows.iter().map(|row| row.key).collect();
    let (paths, mut marks) = match scope {
        Scope::Direct => (HashMap::new(), marks::of_children(db, by.frame(), &keys)?),
        Scope::Below => (lookup::paths(db, &keys, by.account().depth)?, marks::of(db, by.frame(), &keys)?),
    };
    Ok(rows
        .iter()
        .map(|row| Item {
            id: row.id.clone(),
            name: row.name.clone(),
            description: row.description.clone(),
            path: paths.get(&row.key).map(|names| names.join(" / ")).unwrap_or_default(),
            children: row.children_count,
            below: row.below_count,
            created: When::day(row.created_at),
            marks: marks.remove(&row.key).unwrap_or_default(),
        })
        .collect())
}

async fn tree_page(
    by: &In<ReadAccounts>,
    site: &Site,
    filter: Filter,
    query: &ListQuery,
) -> Result<ChildrenPage, Problem> {
    let grant = by.clone();
    let (rows, suspended, below, has_closed) = site
        .read_late(move |db| {
            let account = grant.account();
            if !grant.frame().may_below::<ReadAccounts>() {
                return Ok((Vec::new(), Default::default(), 0, false));
            }
            let rows = list::levels(db, account.key, MOST_NODES)?;
            let shown: Vec<_> = rows.iter().map(|row| row.key).collect();
            let suspended = suspension::themselves(db, &shown)?;
            let below = account.below_count;
            Ok((rows, suspended, below, store::has_closed_children(db, account.key)?))
        })
        .await?;
    let mut page = frame_of(by, site, filter, below, has_closed);
    page.lines = tree::lines(by.account().key, &rows, &suspended, by.frame().suspended.is_some());
    let shown: Vec<_> = rows.iter().filter(|row| row.parent_key == Some(by.account().key)).collect();
    page.left_out = page.direct - i64::try_from(shown.len()).unwrap_or(0);
    page.go_on = shown.last().map(|row| format!("?{}", starting_at("", &row.cursor(Sort::Name)))).unwrap_or_default();
    page.tree_view = true;
    // Where no branch is shown, there is none to open.
    page.open_all = query.open == "all" || rows.len() <= 60 || page.lines.iter().all(|line| line.shown == 0);
    page.found = below;
    Ok(page)
}

/// GET /a/{account}/child-accounts.csv: every row of this view.
pub async fn export(by: In<ReadAccounts>, site: Site, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    // Decided once: the order must not change in the middle of the file.
    let filter = query.filter().within(by.account());
    let read = move |db: &mut Db, after: Option<Cursor>| {
        if !by.frame().may_below::<ReadAccounts>() {
            return Ok((Vec::new(), None));
        }
        let want = after.map_or(Want::First, Want::After);
        let Listed { mut rows, more } = list::page(db, by.account(), &filter, &want, EXPORT_BATCH)?;
        let full = rows.len() > EXPORT_BATCH;
        rows.truncate(EXPORT_BATCH);
        let items = items(db, &by, &rows, Scope::Below)?;
        let reached = rows.last().filter(|_| full).map(|last| last.cursor(filter.sort)).or(more);
        Ok((rows.iter().zip(&items).map(|(row, item)| csv_row(row, item)).collect(), reached))
    };
    csv::stream(&site.pool, "child-accounts.csv", &CSV_HEAD, read).await
}

const EXPORT_BATCH: usize = 500;
const CSV_HEAD: [&str; 12] = [
    "id",
    "name",
    "path",
    "description",
    "technicalContactEmails",
    "children",
    "accountsBelow",
    "agreements",
    "payment",
    "state",
    "createdAt",
    "externalReference",
];

fn csv_row(row: &Row, item: &Item) -> Vec<String> {
    vec![
        row.id.clone(),
        row.name.clone(),
        item.path.clone(),
        row.description.clone(),
        row.contacts.replace('\n', ", "),
        row.children_count.to_string(),
        item.below.to_string(),
        item.marks.agreements.clone(),
        item.marks.payment.clone(),
        item.marks.state.to_owned(),
        crate::web::when::iso(row.created_at),
        row.reference.clone().unwrap_or_default(),
    ]
}
