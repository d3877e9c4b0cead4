//! The Child Accounts section: list, tree, export, and the form that makes a child account.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;

use super::list::{self, Filter, Row, Scope, Sort};
use super::marks::{self, Marks};
use super::tree::{self, Line, MOST_NODES};
use super::{Details, MOST_CONTACTS, NewChild, store};
use crate::access::In;
use crate::access::policy::{CreateAccounts, ReadAccounts, SeeAccount, UpdateAccounts};
use crate::consent;
use crate::problem::{Errors, Problem};
use crate::text;
use crate::web::paging::{PAGE, PageQuery, Paged, Want};
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, csv, once};

/// GET /a/{account}: where an account begins.
pub async fn enter(by: In<SeeAccount>, site: Site) -> HttpResponse {
    site.see(&Reply::to(format!("/a/{}/dashboard", by.account().id), ""))
}

/// What the address says about the list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    scope: String,
    view: String,
    open: String,
    q: String,
    sort: String,
    #[serde(flatten)]
    page: PageQuery,
}

impl ListQuery {
    fn filter(&self) -> Filter {
        let (descending, name) = match self.sort.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, self.sort.as_str()),
        };
        let sort = match name {
            "children" => Sort::Children,
            "created" => Sort::Created,
            _ => Sort::Name,
        };
        let scope = if self.scope == "below" { Scope::Below } else { Scope::Direct };
        let text: String = self.q.trim().chars().filter(|c| !c.is_control()).take(64).collect();
        Filter { scope, text, sort, descending }
    }

    fn is_tree(&self) -> bool {
        self.view == "tree"
    }
}

/// The query string of the same list with something else about it.
fn address(filter: &Filter, sort: Option<&str>, scope: Scope, keep_text: bool) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if scope == Scope::Below {
        query.append_pair("scope", "below");
    }
    if keep_text && !filter.text.is_empty() {
        query.append_pair("q", &filter.text);
    }
    let now = sort_word(filter);
    let sort = sort.unwrap_or(&now);
    if sort != "name" {
        query.append_pair("sort", sort);
    }
    query.finish()
}

fn sort_word(filter: &Filter) -> String {
    let name = match filter.sort {
        Sort::Name => "name",
        Sort::Children => "children",
        Sort::Created => "created",
    };
    if filter.descending { format!("-{name}") } else { name.to_owned() }
}

struct Heading {
    label: &'static str,
    href: String,
    state: &'static str,
    class: &'static str,
}

fn headings(filter: &Filter) -> Vec<Heading> {
    [
        ("Name", "name", Sort::Name, ""),
        ("Children", "children", Sort::Children, "num"),
        ("Created", "created", Sort::Created, "num"),
    ]
    .into_iter()
    .map(|(label, word, sort, class)| {
        let current = filter.sort == sort;
        let next = if current && !filter.descending { format!("-{word}") } else { word.to_owned() };
        let state = match (current, filter.descending) {
            (false, _) => "",
            (true, false) => "ascending",
            (true, true) => "descending",
        };
        Heading { label, href: format!("?{}", address(filter, Some(&next), filter.scope, true)), state, class }
    })
    .collect()
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
    first_headings: Vec<Heading>,
    last_headings: Vec<Heading>,
    items: Vec<Item>,
    lines: Vec<Line>,
    left_out: i64,
    paged: Paged<()>,
    may_create: bool,
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
    let mut first_headings = headings(&filter);
    let last_headings = first_headings.split_off(2);
    ChildrenPage {
        shell: site.shell(by, Section::ChildAccounts, Section::ChildAccounts.label()),
        csv_link: format!("/a/{account}/child-accounts.csv?{csv}"),
        name: by.account().name.clone(),
        direct: if by.frame().may_below::<ReadAccounts>() { by.account().children_count } else { 0 },
        reaches_below: by.frame().may_below::<ReadAccounts>(),
        may_create: by.frame().may::<CreateAccounts>(),
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
    let (rows, items, found, below, has_closed) = site
        .pool
        .read(move |db| {
            let account = grant.account();
            if !grant.frame().may_below::<ReadAccounts>() {
                return Ok((Vec::new(), Vec::new(), 0, 0, false));
            }
            let rows = list::page(db, account.key, &wanted, &want, PAGE)?;
            let all = Filter { scope: Scope::Below, text: String::new(), ..wanted.clone() };
            let below = if account.children_count == 0 { 0 } else { list::count(db, account.key, &all)? };
            let found = match (wanted.text.is_empty(), wanted.scope) {
                (true, Scope::Direct) => account.children_count,
                (true, Scope::Below) => below,
                (false, _) => list::count(db, account.key, &wanted)?,
            };
            let has_closed = !store::closed_children(db, account.key)?.is_empty();
            let items = items(db, &grant, &rows, wanted.scope)?;
            Ok((rows, items, found, below, has_closed))
        })
        .await?;
    let mut page = frame_of(by, site, filter, below, has_closed);
    let rest = address(&page.filter, None, page.filter.scope, true);
    let sort = page.filter.sort;
    let cursors: Vec<(Row, Item)> = rows.into_iter().zip(items).collect();
    let paged = Paged::new(cursors, &query.page, &rest, Some(found), |(row, _)| row.cursor(sort));
    page.paged = Paged {
        rows: Vec::new(),
        previous: paged.previous,
        next: paged.next,
        number: paged.number,
        total: paged.total,
    };
    page.items = paged.rows.into_iter().map(|(_, item)| item).collect();
    page.found = found;
    page.shell = page.shell.noting(&page.paged.words());
    Ok(page)
}

fn items(db: &mut crate::store::Db, by: &In<ReadAccounts>, rows: &[Row], scope: Scope) -> Result<Vec<Item>, Problem> {
    let keys: Vec<_> = rows.iter().map(|row| row.key).collect();
    let below = list::totals_below(db, &keys)?;
    let paths = if scope == Scope::Below {
        crate::access::lookup::paths(db, &keys, by.account().depth)?
    } else {
        Default::default()
    };
    let mut marks = marks::of(db, by.frame(), &keys)?;
    Ok(rows
        .iter()
        .map(|row| Item {
            id: row.id.clone(),
            name: row.name.clone(),
            description: row.description.clone(),
            path: paths.get(&row.key).map(|names| names.join(" / ")).unwrap_or_default(),
            children: row.children_count,
            below: below.get(&row.key).copied().unwrap_or(0),
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
    let (grant, wanted) = (by.clone(), filter.clone());
    let (rows, totals, below, has_closed) = site
        .pool
        .read(move |db| {
            let account = grant.account();
            if !grant.frame().may_below::<ReadAccounts>() {
                return Ok((Vec::new(), Default::default(), 0, false));
            }
            let rows = list::levels(db, account.key, MOST_NODES)?;
            let keys: Vec<_> = rows.iter().filter(|row| row.children_count > 0).map(|row| row.key).collect();
            let totals = list::totals_below(db, &keys)?;
            let all = Filter { scope: Scope::Below, text: String::new(), ..wanted };
            let below = list::count(db, account.key, &all)?;
            Ok((rows, totals, below, !store::closed_children(db, account.key)?.is_empty()))
        })
        .await?;
    let mut page = frame_of(by, site, filter, below, has_closed);
    page.lines = tree::lines(by.account().key, &rows, &totals);
    let shown = rows.iter().filter(|row| row.parent_key == Some(by.account().key)).count();
    page.left_out = page.direct - i64::try_from(shown).unwrap_or(0);
    page.tree_view = true;
    page.open_all = query.open == "all" || rows.len() <= 60;
    page.found = below;
    Ok(page)
}

/// GET /a/{account}/child-accounts.csv: every row of this view.
pub async fn export(by: In<ReadAccounts>, site: Site, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let filter = query.filter();
    let rows = site
        .pool
        .read_long(move |db| {
            let mut out = Vec::new();
            let mut want = Want::First;
            while by.frame().may_below::<ReadAccounts>() {
                let mut rows = list::page(db, by.account().key, &filter, &want, EXPORT_BATCH)?;
                let more = rows.len() > EXPORT_BATCH;
                rows.truncate(EXPORT_BATCH);
                let items = items(db, &by, &rows, Scope::Below)?;
                out.extend(rows.iter().zip(&items).map(|(row, item)| csv_row(row, item)));
                match rows.last() {
                    Some(last) if more => want = Want::After(last.cursor(filter.sort)),
                    _ => break,
                }
            }
            Ok(out)
        })
        .await?;
    csv::file("child-accounts.csv", &CSV_HEAD, rows)
}

const EXPORT_BATCH: usize = 500;
const CSV_HEAD: [&str; 10] = [
    "id",
    "name",
    "path",
    "description",
    "technicalContactEmails",
    "children",
    "accountsBelow",
    "agreements",
    "payment",
    "createdAt",
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
        crate::web::when::iso(row.created_at),
    ]
}

#[derive(Template)]
#[template(path = "accounts/new.html")]
struct NewPage {
    shell: Shell,
    form: Filled,
    account: String,
    parent: String,
    documents: Vec<(String, String)>,
    may_accept: bool,
    namesake: Option<(String, String)>,
}

const NEW_FIELDS: [&str; 5] = ["name", "description", "contacts", "agreements", "same_name"];

/// GET /a/{account}/child-accounts/new
pub async fn new(by: In<CreateAccounts>, site: Site) -> Result<HttpResponse, Problem> {
    let form = site.start_form(by.actor().key, Filled::with([])).await?;
    let page = new_page(&by, &site, form, None).await?;
    site.page(&page, Keep::Private)
}

async fn new_page(
    by: &In<CreateAccounts>,
    site: &Site,
    form: Filled,
    namesake: Option<(String, String)>,
) -> Result<NewPage, Problem> {
    let documents = site.pool.read(consent::in_force).await?;
    Ok(NewPage {
        shell: site.shell(by, Section::ChildAccounts, "New child account").failing(form.failed()),
        account: by.account().id.clone(),
        parent: by.account().name.clone(),
        documents: documents.iter().map(|d| (format!("{}, version {}", d.title, d.version), d.path())).collect(),
        may_accept: by.frame().may_below::<UpdateAccounts>(),
        form,
        namesake,
    })
}

/// What became of a sent form: made, or held back because a child of that name exists.
enum Made {
    Done(Reply),
    Namesake(String, String),
}

/// POST /a/{account}/child-accounts/new
pub async fn create(by: In<CreateAccounts>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &NEW_FIELDS)?;
    let (grant, copy, depth) = (by.clone(), form.clone(), site.config.max_depth);
    let done = site.pool.write(move |db| {
        let new = checked(&copy, &grant, depth)?;
        let parent = grant.account().clone();
        let confirmed = text::name_key(copy.value("same_name")) == text::name_key(&new.details.name);
        if !confirmed && let Some((id, name)) = store::namesake(db, parent.key, &new.details.name)? {
            // The twin of a form that was carried out finds its own child: that is no namesake.
            if !crate::web::once::is_done(db, grant.actor().key, &copy.receipt())? {
                return Ok(Made::Namesake(id, name));
            }
        }
        let reply = once(db, grant.actor().key, &copy.receipt(), |db| {
            let opened = super::open_child(db, &grant, new)?;
            Ok(Reply::to(format!("/a/{}/child-accounts/{}/created", parent.id, opened.id), "Child account created."))
        })?;
        Ok(Made::Done(reply))
    });
    match done.await {
        Ok(Made::Done(reply)) => Ok(site.see(&reply)),
        Ok(Made::Namesake(id, name)) => {
            let mut filled = form.filled(Errors::default());
            filled.set("same_name", form.value("name").trim());
            let page = new_page(&by, &site, filled, Some((id, name))).await?;
            site.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page, Keep::Nothing)
        }
        Err(Problem::Invalid(errors)) => {
            let page = new_page(&by, &site, form.filled(errors), None).await?;
            site.refused(&page)
        }
        Err(other) => Err(other),
    }
}

fn checked(form: &Form, by: &In<CreateAccounts>, max_depth: i64) -> Result<NewChild, Problem> {
    let mut check = form.check();
    let name = check.line("name", "Name", 1, 64);
    let description = check.block("description", "Description", 0, 256);
    let contacts = check.emails("contacts", "Technical contact email", MOST_CONTACTS);
    let missing = "Choose who accepts the agreements";
    let accept = check.one_of("agreements", missing, &[("accept", true), ("leave", false)]);
    if accept == Some(true) && !by.frame().may_below::<UpdateAccounts>() {
        let message =
            "You may not accept agreements for accounts below; leave them to the child account's administrator";
        check.note("agreements", Some(message.to_owned()));
    }
    check.finish()?;
    let details = Details { name, description, contacts, tags: Vec::new() };
    Ok(NewChild { details, accept_agreements: accept.unwrap_or(false), max_depth })
}

#[derive(Template)]
#[template(path = "accounts/created.html")]
struct CreatedPage {
    shell: Shell,
    account: String,
    child: CreatedView,
    may_create: bool,
}

struct CreatedView {
    id: String,
    name: String,
    path: String,
    description: String,
    contacts: Vec<String>,
    marks: Marks,
}

/// GET /a/{account}/child-accounts/{child}/created: what was made and what is left to do.
pub async fn created(by: In<ReadAccounts>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let child_id = path.into_inner().1;
    let grant = by.clone();
    let child = site
        .pool
        .read(move |db| {
            let frame = crate::access::lookup::frame(db, grant.actor().key, &child_id)?;
            let place = frame.account().clone();
            let is_child = frame.chain.iter().rev().nth(1).is_some_and(|step| step.place.key == grant.account().key);
            if !is_child || frame.held().is_empty() {
                return Err(Problem::NotFound);
            }
            let details = store::details(db, place.key)?;
            let marks = marks::of(db, &frame, &[place.key])?.remove(&place.key).unwrap_or_default();
            let names: Vec<String> = crate::web::shell::path_of(&frame)
                .into_iter()
                .map(|crumb| if crumb.id.is_some() { crumb.name } else { "restricted".to_owned() })
                .collect();
            let path = names.join(" / ");
            Ok(CreatedView {
                id: place.id,
                name: place.name,
                path,
                description: details.description,
                contacts: details.contacts,
                marks,
            })
        })
        .await?;
    let shell = site.shell(&by, Section::ChildAccounts, &child.name);
    let page =
        CreatedPage { shell, account: by.account().id.clone(), child, may_create: by.frame().may::<CreateAccounts>() };
    site.page(&page, Keep::Private)
}
