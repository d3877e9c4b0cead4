//! The Audit Log of an account: filters in the address, the newest entry first, pages that new entries do not shift,
//! and the filtered view as a file.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use super::filter::{self, Asked, Chip, Options};
use super::list::{self, Filter};
use super::store;
use super::view::{self, Entry};
use crate::access::policy::ReadAudit;
use crate::access::{Grant, In};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::{Cursor, PAGE, PageQuery, Paged, Want};
use crate::web::route::{Route, get};
use crate::web::shell::Section;
use crate::web::site::Keep;
use crate::web::{Filled, Shell, Site, csv};

pub fn routes() -> Vec<Route> {
    vec![get("/a/{account}/audit-log", index), get("/a/{account}/audit-log.csv", export)]
}

/// The most entries that one export holds: the newest.
const MOST_EXPORTED: usize = 100_000;
const EXPORTED_AT_ONCE: usize = 5_000;
const LOOKED_HINT: &str = "There was more to look through than one page does. Go on with Next, or choose days.";
const EXPORT_HINT: &str = "An export holds the newest 100,000 entries of this view; choose days to get older ones.";

#[derive(Template)]
#[template(path = "audit/index.html")]
struct IndexPage {
    shell: Shell,
    form: Filled,
    events: Options,
    results: Options,
    chips: Vec<Chip>,
    may_below: bool,
    /// Entries of other accounts can be among these.
    below: bool,
    entries: Vec<Entry>,
    pager: Pager,
    export: String,
    /// What to say when the page is not full because there was too much to look through.
    looked: Option<&'static str>,
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
                format!("Newest first. {}. {EXPORT_HINT}", paged.words())
            },
            previous: href(&paged.previous),
            next: href(&paged.next),
            links: Vec::new(),
        }
    }
}

/// GET /a/{account}/audit-log
pub async fn index(by: In<ReadAudit>, site: Site) -> Result<HttpResponse, Problem> {
    let query = site.req.query_string();
    let asked = filter::read(query, by.frame().may_below::<ReadAudit>());
    let page = Query::<PageQuery>::from_query(query).map(Query::into_inner).unwrap_or_default();
    let Asked { filter, form, query: rest, chips } = asked;
    let (grant, want, below) = (by.clone(), page.want(), filter.below);
    let read = move |db: &mut Db| entries(db, &grant, &filter, &want, PAGE);
    // A filter may have to look through much, which is not for the thread that serves others.
    let found = if chips.is_empty() { site.pool.read(read).await? } else { site.pool.read_long(read).await? };
    let mut entries = Paged::new(found.entries, &page, &rest, None, |entry| cursor(entry.row.key));
    if let Some(key) = found.looked_to {
        entries = entries.going_on(&page, &rest, &cursor(key));
    }
    let page = IndexPage {
        shell: site.shell(&by, Section::AuditLog, "Audit Log").failing(form.failed()).noting(&entries.words()),
        form,
        events: filter::event_options(),
        results: filter::result_options(),
        chips,
        may_below: by.frame().may_below::<ReadAudit>(),
        below,
        looked: found.looked_to.map(|_| LOOKED_HINT),
        pager: Pager::of(&entries),
        entries: entries.rows,
        export: format!("/a/{}/audit-log.csv?{rest}", by.account().id),
    };
    site.page(&page, Keep::Nothing)
}

fn cursor(key: Key) -> Cursor {
    Cursor(String::new(), key)
}

/// Entries with their names, and the key from which to look further.
struct Found {
    entries: Vec<Entry>,
    looked_to: Option<Key>,
}

fn entries(db: &mut Db, by: &Grant<ReadAudit>, filter: &Filter, want: &Want, limit: usize) -> Result<Found, Problem> {
    let found = list::entries(db, by.account().key, filter, want, limit)?;
    let near = store::near(db, by.account().key, &view::accounts_of(&found.rows))?;
    let entries = found.rows.into_iter().map(|row| view::entry(by.frame(), &near, row)).collect();
    Ok(Found { entries, looked_to: found.looked_to })
}

/// GET /a/{account}/audit-log.csv: a filter that cannot be read is refused here, as a file cannot say so.
pub async fn export(by: In<ReadAudit>, site: Site) -> Result<HttpResponse, Problem> {
    let asked = filter::read(site.req.query_string(), by.frame().may_below::<ReadAudit>());
    if asked.form.failed() {
        return Err(Problem::Invalid(asked.form.errors));
    }
    let (grant, filter) = (by.clone(), asked.filter);
    let (bytes, cut) = site.pool.read_long(move |db| file(db, &grant, &filter)).await?;
    let newest = if cut { format!(" newest {MOST_EXPORTED}") } else { String::new() };
    let day = ids::now().format("%Y-%m-%d");
    Ok(csv::answer(&format!("Audit Log {} {day}{newest}.csv", by.account().name), bytes))
}

/// The entries as a file, and whether older ones had to be left out.
fn file(db: &mut Db, by: &Grant<ReadAudit>, filter: &Filter) -> Result<(Vec<u8>, bool), Problem> {
    let mut table = csv::Table::new(&view::HEAD)?;
    let mut want = Want::First;
    let mut left = MOST_EXPORTED;
    loop {
        let wanted = left.min(EXPORTED_AT_ONCE);
        let Found { mut entries, looked_to } = entries(db, by, filter, &want, wanted)?;
        let more = entries.len() > wanted;
        entries.truncate(wanted);
        left -= entries.len();
        let reached = if more { entries.last().map(|last| last.row.key) } else { looked_to };
        for entry in entries {
            table.row(&view::cells(entry))?;
        }
        match reached {
            Some(key) if left > 0 => want = Want::After(cursor(key)),
            reached => return Ok((table.finish()?, reached.is_some())),
        }
    }
}
