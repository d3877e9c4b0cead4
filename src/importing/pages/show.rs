//! One address for one import: what the check says, then how far it has come, then what became of it.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use chrono::Duration;
use serde::Deserialize;

use super::view::{self, LineView};
use crate::access::In;
use crate::access::policy::{CreateAccounts, ReadAudit};
use crate::ids;
use crate::importing::check::Bounds;
use crate::importing::{self, Confirmed, Counts, Import, LEFT, REFUSED, State, WRONG, rows, store, table};
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::{Cursor, PAGE, PageQuery, Paged};
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};

const FIELDS: [&str; 3] = ["act", "leave_wrong", "again"];
/// A page that refreshes itself does so no longer than this, so that nobody stays signed in by looking away.
const REFRESHES: Duration = Duration::minutes(20);

/// Which lines are shown.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct LinesQuery {
    show: String,
    #[serde(flatten)]
    page: PageQuery,
}

impl LinesQuery {
    fn only_bad(&self) -> bool {
        self.show == "errors"
    }
}

#[derive(Template)]
#[template(path = "importing/show.html")]
struct ImportPage {
    shell: Shell,
    account: String,
    name: String,
    id: String,
    form: Filled,
    state: State,
    file: String,
    by: String,
    sent: When,
    finished: Option<When>,
    counts: Counts,
    lines_in_all: i64,
    /// Columns of the file that an import has no use for.
    passed_over: Vec<String>,
    /// Lines that are done, and all that are to be done.
    done: i64,
    all: i64,
    refreshes: bool,
    /// The same file was imported before: where, and when.
    earlier: Option<(String, When)>,
    only_bad: bool,
    /// How many lines the filter leaves.
    bad: i64,
    lines: Vec<LineView>,
    paged: Paged<()>,
    /// Whether the person may read what it did in the audit log.
    may_read_log: bool,
}

/// What the page reads.
struct Read {
    import: Import,
    counts: Counts,
    rows: Vec<rows::Shown>,
    earlier: Option<(String, chrono::NaiveDateTime)>,
}

/// GET /a/{account}/child-accounts/imports/{import}
pub async fn show(
    by: In<CreateAccounts>,
    site: Site,
    path: Path<(String, String)>,
    query: Query<LinesQuery>,
) -> Result<HttpResponse, Problem> {
    let form = site.start_form(by.actor().key, Filled::with([])).await?;
    let page = page(&by, &site, &path.1, &query, form).await?;
    site.page(&page, Keep::Private)
}

async fn page(
    by: &In<CreateAccounts>,
    site: &Site,
    id: &str,
    query: &LinesQuery,
    form: Filled,
) -> Result<ImportPage, Problem> {
    let (grant, id, asked) = (by.clone(), id.to_owned(), query.clone());
    let read = move |db: &mut Db| {
        let import = find(db, &grant, &id)?;
        let states = if asked.only_bad() { &[WRONG, REFUSED, LEFT][..] } else { &[] };
        let rows = rows::page(db, import.key, states, &asked.page.want(), PAGE)?;
        let counts = rows::counts(db, import.key)?;
        let earlier = store::same_file(db, &import)?;
        Ok(Read { import, counts, rows, earlier })
    };
    let read = site.pool.read(read).await?;
    Ok(page_of(by, site, read, query, form))
}

fn page_of(by: &In<CreateAccounts>, site: &Site, read: Read, query: &LinesQuery, form: Filled) -> ImportPage {
    let Read { import, counts, rows, earlier } = read;
    let heading = match import.state {
        State::Draft => "Check the import",
        State::Running => "Importing child accounts",
        State::Done => "Import done",
        State::Stopped => "Import stopped",
    };
    let bad = counts.wrong + counts.refused + counts.left;
    let total = if query.only_bad() { bad } else { import.lines };
    let rest = if query.only_bad() { "show=errors" } else { "" };
    let paged = Paged::new(rows, &query.page, rest, Some(total), |row| Cursor(String::new(), row.line.line));
    let lines = paged.rows.iter().map(view::line).collect();
    let Paged { previous, next, number, total, .. } = paged;
    let paged = Paged { rows: Vec::new(), previous, next, number, total };
    let done = counts.created + counts.refused;
    ImportPage {
        shell: site.shell(by, Section::ChildAccounts, heading).failing(form.failed()).noting(&paged.words()),
        account: by.account().id.clone(),
        name: by.account().name.clone(),
        refreshes: import.started_at.is_some_and(|at| ids::now() < at + REFRESHES),
        earlier: earlier.map(|(id, at)| (id, at.into())).filter(|_| import.state == State::Draft && counts.fresh > 0),
        id: import.id,
        state: import.state,
        file: import.file_name,
        by: import.user_name,
        sent: import.started_at.unwrap_or(import.created_at).into(),
        finished: import.finished_at.map(Into::into),
        done,
        all: done + counts.fresh,
        counts,
        passed_over: table::passed_over(&import.head),
        lines_in_all: import.lines,
        only_bad: query.only_bad(),
        bad,
        lines,
        paged,
        may_read_log: by.frame().may::<ReadAudit>(),
        form,
    }
}

/// An import that the person may look at: their own, and those of others where they may create accounts below, too.
pub fn find(db: &mut Db, by: &In<CreateAccounts>, id: &str) -> Result<Import, Problem> {
    let all = by.frame().may_below::<CreateAccounts>();
    store::one(db, by.account().key, by.actor().key, all, id)
}

/// What the page's buttons ask for.
#[derive(Debug, Clone, Copy)]
enum Act {
    Start,
    Stop,
    Retry,
}

/// POST /a/{account}/child-accounts/imports/{import}
pub async fn update(
    by: In<CreateAccounts>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let id = path.into_inner().1;
    // Whoever may not see it learns nothing from the form either.
    let (grant, of) = (by.clone(), id.clone());
    site.pool.read(move |db| find(db, &grant, &of)).await?;
    let form = site.open(&by, sent, &FIELDS)?;
    match carry_out(&by, &site, &form, &id).await {
        Err(Problem::Invalid(errors)) => {
            let page = page(&by, &site, &id, &LinesQuery::default(), form.filled(errors)).await?;
            site.refused(&page)
        }
        other => Ok(site.see(&other?)),
    }
}

async fn carry_out(by: &In<CreateAccounts>, site: &Site, form: &Form, id: &str) -> Result<Reply, Problem> {
    let mut check = form.check();
    let offered = [("start", Act::Start), ("stop", Act::Stop), ("retry", Act::Retry)];
    let act = check.one_of("act", "Press one of the buttons of this page", &offered);
    let (leave_wrong, again) = (check.ticked("leave_wrong"), check.ticked("again"));
    check.finish()?;
    if let Some(Act::Retry) = act {
        return retry(by, site, form, id).await;
    }
    let second_factor = by.session.second_factor;
    let (grant, receipt, id) = (by.clone(), form.receipt(), id.to_owned());
    let here = format!("/a/{}/child-accounts/imports", by.account().id);
    site.pool
        .write(move |db| {
            once(db, grant.actor().key, &receipt, |db| match act {
                Some(Act::Stop) => {
                    importing::stop(db, &grant, &id, grant.frame().may_below::<CreateAccounts>())?;
                    Ok(Reply::to(format!("{here}/{id}"), "The import is stopped."))
                }
                _ => {
                    importing::start(db, &grant, &id, Confirmed { leave_wrong, again, second_factor })?;
                    Ok(Reply::to(format!("{here}/{id}"), ""))
                }
            })
        })
        .await
}

/// A draft of the lines that were not made.
async fn retry(by: &In<CreateAccounts>, site: &Site, form: &Form, id: &str) -> Result<Reply, Problem> {
    let bounds = Bounds { second_factor: by.session.second_factor, max_depth: site.config.max_depth };
    let (grant, of) = (by.clone(), id.to_owned());
    // Looked at in a snapshot, so that nobody who changes something waits for it.
    let look = move |db: &mut Db| {
        let import = find(db, &grant, &of)?;
        let table = importing::rest(db, &import)?;
        if table.records.is_empty() {
            return Err(Problem::invalid("", "Every line of this import was carried out"));
        }
        importing::look(db, &grant, table, &import.file_name, bounds)
    };
    let looked = site.pool.read_long(look).await?;
    let (grant, receipt, of) = (by.clone(), form.receipt(), id.to_owned());
    site.pool
        .write(move |db| {
            once(db, grant.actor().key, &receipt, |db| {
                // It may have gone from this person's sight meanwhile.
                find(db, &grant, &of)?;
                let id = importing::keep(db, &grant, &looked)?;
                Ok(Reply::to(format!("/a/{}/child-accounts/imports/{id}", grant.account().id), ""))
            })
        })
        .await
}
