//! Exports: RFC 4180, UTF-8, and no cell that a spreadsheet would run as a formula.

use actix_web::http::header::{self, ContentDisposition, DispositionParam, DispositionType, ExtendedValue};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::stream;

use crate::problem::Problem;
use crate::store::{Db, Pool};

/// Whether a cell starts like a formula, behind any number of apostrophes.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A cell that starts like a formula gets an apostrophe before it, as spreadsheets show text; so does one that looks as if
/// it had got one, so that [`as_written`] can tell them apart.
fn harmless(cell: &str) -> String {
    if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// A cell of a file that may have been written here, as it was before.
pub fn as_written(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|_| is_formula(cell)).unwrap_or(cell)
}

/// A file that grows row by row, for exports that are too long to be held twice.
pub struct Table(csv::Writer<Vec<u8>>);

fn broken(error: impl std::fmt::Display) -> Problem {
    Problem::Bug(anyhow::anyhow!("a CSV row could not be written: {error}"))
}

impl Table {
    pub fn new(head: &[&str]) -> Result<Table, Problem> {
        let mut table = Table::going_on();
        table.0.write_record(head).map_err(broken)?;
        Ok(table)
    }

    /// The next part of a file that is written in parts.
    pub fn going_on() -> Table {
        Table(csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new()))
    }

    pub fn row(&mut self, cells: &[String]) -> Result<(), Problem> {
        self.0.write_record(cells.iter().map(|cell| harmless(cell))).map_err(broken)
    }

    pub fn finish(self) -> Result<Vec<u8>, Problem> {
        self.0.into_inner().map_err(broken)
    }
}

pub const MIME: &str = "text/csv; charset=utf-8; header=present";

/// The file as an answer.
pub fn answer(name: &str, bytes: Vec<u8>) -> HttpResponse {
    download(name, MIME, bytes)
}

/// The rows as one file to download.
pub fn file(name: &str, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<HttpResponse, Problem> {
    let mut table = Table::new(head)?;
    for row in rows {
        table.row(&row)?;
    }
    Ok(answer(name, table.finish()?))
}

/// Rows, and what is reached with them; none when they are the last.
pub type Batch<R> = (Vec<Vec<String>>, Option<R>);

/// A file that is written batch by batch while it is sent: however long it is, it is never held whole. `read`: the rows
/// after what was reached.
pub async fn stream<R, F>(pool: &Pool, name: &str, head: &[&str], read: F) -> Result<HttpResponse, Problem>
where
    R: Send + 'static,
    F: Fn(&mut Db, Option<R>) -> Result<Batch<R>, Problem> + Clone + Send + 'static,
{
    let first = part(pool, Table::new(head)?, read.clone(), None).await?;
    let parts = stream::try_unfold((pool.clone(), Some(first)), move |(pool, ready)| {
        let read = read.clone();
        async move {
            let Some((bytes, reached)) = ready else { return Ok::<_, Problem>(None) };
            let next = match reached {
                Some(reached) => Some(part(&pool, Table::going_on(), read, Some(reached)).await?),
                None => None,
            };
            Ok(Some((Bytes::from(bytes), (pool, next))))
        }
    });
    Ok(start(name, MIME).streaming(parts))
}

async fn part<R, F>(pool: &Pool, mut table: Table, read: F, after: Option<R>) -> Result<(Vec<u8>, Option<R>), Problem>
where
    R: Send + 'static,
    F: FnOnce(&mut Db, Option<R>) -> Result<Batch<R>, Problem> + Send + 'static,
{
    // Whoever has the first part gets the others, however busy it is meanwhile.
    let pool = if after.is_some() { pool.patient() } else { pool.clone() };
    let (rows, reached) = pool.read_long(move |db| read(db, after)).await?;
    rows.iter().try_for_each(|row| table.row(row))?;
    Ok((table.finish()?, reached))
}

/// Anything as a file to download.
pub fn download(name: &str, mime: &'static str, bytes: Vec<u8>) -> HttpResponse {
    start(name, mime).body(bytes)
}

/// The head of a file to download; the name may hold any character.
pub fn start(name: &str, mime: &'static str) -> HttpResponseBuilder {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    let parameters = vec![
        DispositionParam::Filename(plain),
        DispositionParam::FilenameExt(ExtendedValue {
            charset: header::Charset::Ext("UTF-8".to_owned()),
            language_tag: None,
            value: name.as_bytes().to_vec(),
        }),
    ];
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::CONTENT_TYPE, mime))
        .insert_header(ContentDisposition { disposition: DispositionType::Attachment, parameters })
        .insert_header((header::CACHE_CONTROL, "no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text() {
        for nasty in ["=1+1", "+1", "-1", "@x", "\tx", "\rx"] {
            assert_eq!(harmless(nasty), format!("'{nasty}"));
        }
        assert_eq!(harmless("Acme"), "Acme");
    }

    #[test]
    fn what_was_written_is_read_again_as_it_was() {
        for cell in ["", "Acme", "=1", "'=1", "''-x", "'Acme'", "'", "@", "\tx", "O'Neill", "'"] {
            assert_eq!(as_written(&harmless(cell)), cell);
        }
    }
}
