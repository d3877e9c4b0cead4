//! Exports: RFC 4180, UTF-8, and no cell that a spreadsheet would run as a formula.

use actix_web::HttpResponse;
use actix_web::http::header::{self, ContentDisposition, DispositionParam, DispositionType, ExtendedValue};

use crate::problem::Problem;

/// A cell that starts like a formula gets an apostrophe before it, as spreadsheets show text.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

/// The rows as one file to download.
pub fn file(name: &str, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<HttpResponse, Problem> {
    let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let broken = |e: csv::Error| Problem::Bug(e.into());
    out.write_record(head).map_err(broken)?;
    for row in rows {
        out.write_record(row.iter().map(|cell| harmless(cell))).map_err(broken)?;
    }
    let bytes = out.into_inner().map_err(|e| Problem::Bug(anyhow::anyhow!("{e}")))?;
    Ok(download(name, "text/csv; charset=utf-8; header=present", bytes))
}

/// Anything as a file to download; the name may hold any character.
pub fn download(name: &str, mime: &'static str, bytes: Vec<u8>) -> HttpResponse {
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
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, mime))
        .insert_header(ContentDisposition { disposition: DispositionType::Attachment, parameters })
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(bytes)
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
}
