//! The Audit Log of an account: filters in the address, the newest entry first, pages that new entries do not shift,
//! and links to the filtered view as a file.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use super::export;
use super::filter::{self, Asked, Chip, Options};
use super::list::{self, Filter};
use super::store;
use super::view::{self, Entry};
use crate::access::policy::ReadAudit;
use crate::access::{Grant, In};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::{Cursor, PAGE, PageQuery, Paged, Want, is_backward};
use crate::web::route::{Route, get};
use crate::web::shell::Section;
use crate::web::site::Keep;
use crate::web::{Filled, Shell, Site};

pub fn routes() -> Vec<Route> {
    vec![
        get("/a/{account}/audit-log", index),
        get("/a/{account}/audit-log.csv", export::as_csv),
        get("/a/{account}/audit-log.jsonl", export::as_json_lines),
    ]
}

const LOOKED_HINT: &str = "There was more to look through than one page does. Go on with Next, or choose days.";

#[derive(Template)]
#[template(path = "audit/index.html")]
struct IndexPage {
    shell: Shell,
    form: Filled,
    events: Options,
    results: Options,
    chips: Vec<Chip>,
    may_below: bool,
    below: bool,
    /// Entries of other accounts are among these, or can be.
    elsewhere: bool,
    entries: Vec<Entry>,
    pager: Pager,
    /// What of the addresses of the files follows their ending.
    query: String,
    /// What to say when the page is not full because there was too much to look through.
    looked: Option<&'static str>,
    /// A page that begins in the middle: that it is empty does not mean that there is nothing.
    further: bool,
    backward: bool,
}

/// The line below the list.
struct Pager {
    words: String,
    previous: String,
    next: String,
    /// Keyset pages have no numbers to go to.
    links: Vec<(String, String, bool)>,
}

impl Pager {
    fn of<T>(paged: &Paged<T>) -> Pager {
        let href = |query: &str| if query.is_empty() { String::new() } else { format!("?{query}") };
        Pager {
            words: if paged.is_single() {
                "Newest first; these are all.".to_owned()
            } else {
                format!("Newest first. {}.", paged.words())
            },
            previous: href(&paged.previous),
            next: href(&paged.next),
            links: Vec::new(),
        }
    }

    /// From a page on which nothing is left.
    fn way_out(&self) -> &str {
        if self.previous.is_empty() { &self.next } else { &self.previous }
    }
}

/// GET /a/{account}/audit-log
pub async fn index(by: In<ReadAudit>, site: Site) -> Result<HttpResponse, Problem> {
    let query = site.req.query_string();
    let asked = filter::read(query, by.frame().may_below::<ReadAudit>());
    let page = Query::<PageQuery>::from_query(query).map(Query::into_inner).unwrap_or_default();
    let Asked { filter, form, query: rest, chips } = asked;
    let (grant, want, below, here) = (by.clone(), page.want(), filter.below, Some(by.account().key));
    let read = move |db: &mut Db| entries(db, &grant, &filter, &want, PAGE);
    // A filter may have to look through much, which is not for the thread that serves others.
    let apart = !chips.is_empty() || site.pool.has_replica();
    let found = if apart { site.read_late(read).await? } else { site.pool.read(read).await? };
    let mut entries = Paged::new(found.entries, &page, &rest, None, |entry| cursor(entry.row.key));
    if let Some(key) = found.looked_to {
        entries = entries.going_on(&page, &rest, &cursor(key));
    }
    let shown = IndexPage {
        shell: site.shell(&by, Section::AuditLog, "Audit Log").failing(form.failed()).noting(&entries.words()),
        form,
        events: filter::event_options(),
        results: filter::result_options(),
        chips,
        may_below: by.frame().may_below::<ReadAudit>(),
        elsewhere: below || entries.rows.iter().any(|e| e.row.account.is_some() && e.row.account != here),
        below,
        further: matches!(page.want(), Want::After(_) | Want::Before(_)),
        backward: is_backward(&page.want()),
        looked: found.looked_to.map(|_| LOOKED_HINT),
        pager: Pager::of(&entries),
        entries: entries.rows,
        query: rest,
    };
    site.page(&shown, Keep::Nothing)
}

pub(super) fn cursor(key: Key) -> Cursor {
    Cursor(String::new(), key)
}

/// Entries with their names, and the key from which to look further.
pub(super) struct Found {
    pub entries: Vec<Entry>,
    pub looked_to: Option<Key>,
}

pub(super) fn entries(
    db: &mut Db,
    by: &Grant<ReadAudit>,
    filter: &Filter,
    want: &Want,
    limit: usize,
) -> Result<Found, Problem> {
    let found = list::entries(db, by.account().key, filter, want, limit)?;
    let near = store::near(db, by.account().key, &view::accounts_of(&found.rows))?;
    let entries = found.rows.into_iter().map(|row| view::entry(by.frame(), &near, row)).collect();
    Ok(Found { entries, looked_to: found.looked_to })
}
