//! The filtered view as a file, in two forms: CSV for people, JSON Lines for programs, with the published interface's
//! names. Written batch by batch while it is sent, each batch from where the last one ended, so that a log of any
//! length is never held whole.

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use futures_util::stream::{self, Stream};
use serde::Serialize;

use super::filter;
use super::list::Filter;
use super::pages::{cursor, entries};
use super::view::{Entry, Field};
use crate::access::policy::ReadAudit;
use crate::access::{Grant, In};
use crate::ids;
use crate::problem::Problem;
use crate::store::{Db, LogPosition, Pool};
use crate::web::paging::Want;
use crate::web::{Site, csv, when, wrote};

/// Entries read at once.
const AT_ONCE: usize = 1_000;

/// One form of the file.
trait Form: Send + 'static {
    const ENDING: &'static str;
    const MIME: &'static str;
    fn lines(entries: Vec<Entry>, first: bool) -> Result<Vec<u8>, Problem>;
}

/// GET /a/{account}/audit-log.csv
pub async fn as_csv(by: In<ReadAudit>, site: Site) -> Result<HttpResponse, Problem> {
    answer::<Csv>(&by, &site).await
}

/// GET /a/{account}/audit-log.jsonl
pub async fn as_json_lines(by: In<ReadAudit>, site: Site) -> Result<HttpResponse, Problem> {
    answer::<JsonLines>(&by, &site).await
}

/// A filter that cannot be read is refused here, as a file cannot say so.
async fn answer<F: Form>(by: &Grant<ReadAudit>, site: &Site) -> Result<HttpResponse, Problem> {
    let asked = filter::read(site.req.query_string(), by.frame().may_below::<ReadAudit>());
    if asked.form.failed() {
        return Err(Problem::Invalid(asked.form.errors));
    }
    let name = format!("Audit Log {} {}.{}", by.account().name, ids::now().format("%Y-%m-%d"), F::ENDING);
    let (pool, wrote) = (site.pool.clone(), wrote::position(&site.req));
    let reading = Reading { pool, wrote, by: by.clone(), filter: asked.filter };
    // The first batch is read before anything is answered, so that a database that is away is said so in a page.
    let first = reading.batch::<F>(Want::First).await?;
    Ok(csv::start(&name, F::MIME).streaming(batches::<F>(reading, first)))
}

fn batches<F: Form>(reading: Reading, first: Batch) -> impl Stream<Item = Result<Bytes, Problem>> {
    stream::try_unfold((reading, Some(Next::Ready(first))), |(reading, next)| async move {
        let batch = match next {
            None => return Ok(None),
            Some(Next::Ready(batch)) => batch,
            Some(Next::From(key)) => reading.batch::<F>(Want::After(cursor(key))).await?,
        };
        Ok(Some((Bytes::from(batch.bytes), (reading, batch.reached.map(Next::From)))))
    })
}

enum Next {
    Ready(Batch),
    From(ids::Key),
}

struct Batch {
    bytes: Vec<u8>,
    /// Where there is more.
    reached: Option<ids::Key>,
}

struct Reading {
    pool: Pool,
    wrote: Option<LogPosition>,
    by: Grant<ReadAudit>,
    filter: Filter,
}

impl Reading {
    async fn batch<F: Form>(&self, want: Want) -> Result<Batch, Problem> {
        let (by, filter) = (self.by.clone(), self.filter.clone());
        // Whoever has the first part gets the others, however busy it is meanwhile.
        let pool = if want == Want::First { self.pool.clone() } else { self.pool.patient() };
        let read = move |db: &mut Db| {
            let first = want == Want::First;
            let mut found = entries(db, &by, &filter, &want, AT_ONCE)?;
            let more = found.entries.len() > AT_ONCE;
            found.entries.truncate(AT_ONCE);
            let reached = if more { found.entries.last().map(|last| last.row.key) } else { found.looked_to };
            Ok(Batch { bytes: F::lines(found.entries, first)?, reached })
        };
        pool.read_late(self.wrote, read).await
    }
}

struct Csv;

const HEAD: [&str; 21] = [
    "time",
    "event",
    "what",
    "result",
    "source",
    "object_type",
    "object_id",
    "object_name",
    "account_id",
    "account_name",
    "actor_id",
    "actor_name",
    "actor_email",
    "acting_from",
    "acting_role",
    "before",
    "after",
    "address",
    "user_agent",
    "request_id",
    "entry_id",
];

impl Form for Csv {
    const ENDING: &'static str = "csv";
    const MIME: &'static str = csv::MIME;

    fn lines(entries: Vec<Entry>, first: bool) -> Result<Vec<u8>, Problem> {
        let mut table = if first { csv::Table::new(&HEAD)? } else { csv::Table::going_on() };
        for entry in entries {
            table.row(&cells(entry))?;
        }
        table.finish()
    }
}

fn cells(entry: Entry) -> Vec<String> {
    let Entry { at, what, account, account_id, actor, email, from, role, changes, row, .. } = entry;
    let side = |of: fn(&Field) -> &Option<String>| {
        let each = changes.iter().filter_map(|f| of(f).as_ref().map(|value| format!("{}: {value}", f.name)));
        each.collect::<Vec<_>>().join("\n")
    };
    let (before, after) = (side(|f| &f.before), side(|f| &f.after));
    let actor_id = row.actor.map(|(id, ..)| id).unwrap_or_default();
    vec![
        at.iso,
        row.event_type,
        what,
        row.result,
        row.source,
        row.subject_type,
        row.subject_id,
        row.subject_name,
        account_id,
        account.name,
        actor_id,
        actor,
        email,
        from.unwrap_or_default(),
        role,
        before,
        after,
        row.address,
        row.user_agent,
        row.request_id,
        row.id,
    ]
}

struct JsonLines;

/// The published interface's audit entry, and what it has no word for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    id: &'a str,
    timestamp: String,
    event_type: &'a str,
    result: &'a str,
    source: &'a str,
    subject_type: &'a str,
    subject: Link<'a>,
    account: Option<Link<'a>>,
    principal: Option<Link<'a>>,
    principal_email: &'a str,
    acting_from: Option<&'a str>,
    acting_role: &'a str,
    changes: Vec<Change<'a>>,
    ip_address: &'a str,
    user_agent: &'a str,
    correlation_id: &'a str,
}

#[derive(Serialize)]
struct Link<'a> {
    href: &'a str,
    id: &'a str,
    title: &'a str,
}

#[derive(Serialize)]
struct Change<'a> {
    property: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<&'a str>,
}

impl Form for JsonLines {
    const ENDING: &'static str = "jsonl";
    const MIME: &'static str = "application/x-ndjson; charset=utf-8";

    fn lines(entries: Vec<Entry>, _: bool) -> Result<Vec<u8>, Problem> {
        let mut bytes = Vec::new();
        for entry in &entries {
            serde_json::to_writer(&mut bytes, &line(entry))?;
            bytes.push(b'\n');
        }
        Ok(bytes)
    }
}

fn line(entry: &Entry) -> Line<'_> {
    let row = &entry.row;
    let account = Link { href: &entry.account.href, id: &entry.account_id, title: &entry.account.name };
    let principal = row.actor.as_ref().map(|(id, ..)| Link { href: "", id, title: &entry.actor });
    Line {
        id: &row.id,
        timestamp: when::exact(row.at),
        event_type: &row.event_type,
        result: &row.result,
        source: &row.source,
        subject_type: &row.subject_type,
        subject: Link { href: &entry.object.href, id: &row.subject_id, title: &row.subject_name },
        account: row.account.map(|_| account),
        principal,
        principal_email: &entry.email,
        acting_from: entry.from.as_deref(),
        acting_role: &entry.role,
        changes: entry.changes.iter().map(change).collect(),
        ip_address: &row.address,
        user_agent: &row.user_agent,
        correlation_id: &row.request_id,
    }
}

fn change(field: &Field) -> Change<'_> {
    Change { property: &field.name, previous: field.before.as_deref(), current: field.after.as_deref() }
}
