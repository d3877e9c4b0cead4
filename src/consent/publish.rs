//! How documents come to be: the first version of each ships with the product and is added when the console starts on
//! a database that has none; later ones are published by the operator's command. Every complaint about a publication
//! is made at once, and nothing is ever replaced.

use std::io::Read;
use std::path::Path;

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};

use super::document::{Document, Kind, Shelf};
use super::{store, text};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids;
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::web::when::When;

/// The largest text, in bytes.
pub const LARGEST_TEXT: usize = 256 * 1024;
const LONGEST_TITLE: usize = 120;
/// What the agreement itself promises between announcing a version and needing it.
const NOTICE_DAYS: u64 = 30;

fn first_text(kind: Kind) -> &'static str {
    match kind {
        Kind::Msa => include_str!("../../legal/msa-1.md"),
        Kind::Aup => include_str!("../../legal/aup-1.md"),
    }
}

/// Adds the first version of each document that has none, in force from today on. Safe to run at every start and on
/// several instances at once.
pub fn install_first_versions(db: &mut Db) -> Result<(), Problem> {
    for kind in Kind::EVERY {
        if store::shelf(db)?.of(kind).next().is_some() {
            continue;
        }
        let today = ids::now().date().and_time(NaiveTime::MIN);
        match add(db, kind, 1, today, first_text(kind)) {
            // Another instance was quicker.
            Ok(_) | Err(Problem::Conflict(Reason::Stale)) => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(())
}

/// Conflict(Stale) when this version was published in the meantime.
fn add(db: &mut Db, kind: Kind, version: i64, effective_at: NaiveDateTime, body: &str) -> Result<Document, Problem> {
    let document = Document {
        key: ids::next_key(),
        kind,
        version,
        title: text::title(body).ok_or_else(|| Problem::bug("a legal document without a title"))?.to_owned(),
        sha256: ids::sha256_hex(body.as_bytes()),
        effective_at,
        published_at: ids::now(),
    };
    audit::change_by_system(db, |db| {
        if !store::add_document(db, &document, body)? {
            return Err(Problem::Conflict(Reason::Stale));
        }
        let subject = Subject::new("LEGAL_DOCUMENT", &document.path(), &document.words());
        let event = Event::new(EventType::LegalDocumentCreate, subject)
            .with("title", &document.title)
            .with("version", version.to_string())
            .with("effective", When::day(effective_at).iso)
            .with("SHA-256", &document.sha256);
        Ok((document, event))
    })
}

/// [`publish`] of a file; one that cannot be read is a complaint among the others.
pub fn publish_file(
    db: &mut Db,
    document: &str,
    version: &str,
    effective: &str,
    file: &Path,
) -> Result<String, Vec<String>> {
    let mut body = Vec::new();
    // One byte more than allowed is enough to know that there are too many.
    let read = std::fs::File::open(file).and_then(|file| file.take(LARGEST_TEXT as u64 + 1).read_to_end(&mut body));
    match read {
        Ok(_) => publish(db, document, version, effective, &body),
        Err(error) => {
            let mut wrong = vec![format!("FILE {}: it cannot be read: {error}", file.display())];
            if let Err(more) = checked(db, document, version, effective) {
                wrong.extend(more);
            }
            Err(wrong)
        }
    }
}

/// Adds a version of a document, as `subtenant legal publish` does. All arguments as they were typed: the document's
/// name (msa or aup), the number of the version, the day from which it is needed (YYYY-MM-DD, from midnight UTC on),
/// and the text. Answers what was done, or everything that is wrong.
pub fn publish(
    db: &mut Db,
    document: &str,
    version: &str,
    effective: &str,
    text: &[u8],
) -> Result<String, Vec<String>> {
    let about = checked(db, document, version, effective);
    let body = checked_text(text);
    let (kind, number, effective_at, body) = match (about, body) {
        (Ok((kind, number, effective_at)), Ok(body)) => (kind, number, effective_at, body),
        (about, body) => return Err([about.err(), body.err()].into_iter().flatten().flatten().collect()),
    };
    let added = add(db, kind, number, effective_at, body).map_err(|problem| match problem {
        Problem::Conflict(_) => vec![format!("--version {number}: it was published in the meantime")],
        other => vec![away(&other)],
    })?;
    Ok(told(&added))
}

fn away(problem: &Problem) -> String {
    format!("the database does not answer as it should: {problem}")
}

fn told(added: &Document) -> String {
    let day = When::day(added.effective_at).words;
    let now = ids::now();
    let notice = added.published_at.checked_add_days(Days::new(NOTICE_DAYS));
    let more = if added.effective_at <= now {
        "\nIt is in force now: no account can provision until it has accepted this version.".to_owned()
    } else if notice.is_some_and(|earliest| added.effective_at < earliest) {
        format!("\nThat is less than {NOTICE_DAYS} days ahead: check what the agreement promises.")
    } else {
        String::new()
    };
    format!(
        "Published the {}: “{}”, needed from {day}, 00:00 UTC.\nIt stays readable at {}. SHA-256 {}{more}",
        added.words(),
        added.title,
        added.path(),
        added.sha256
    )
}

type About = (Kind, i64, NaiveDateTime);

fn checked(db: &mut Db, document: &str, version: &str, effective: &str) -> Result<About, Vec<String>> {
    let mut wrong = Vec::new();
    let kind = Kind::of_slug(&document.trim().to_ascii_lowercase());
    if kind.is_none() {
        wrong.push(format!("--document {document:?}: it must be msa or aup"));
    }
    let shelf = store::shelf(db).map_err(|problem| vec![away(&problem)])?;
    let latest = kind.and_then(|kind| shelf.of(kind).next_back());
    let number = version.trim().parse::<i64>().ok().filter(|n| *n >= 1);
    if let Some(complaint) = wrong_version(version, number, kind, &shelf) {
        wrong.push(complaint);
    }
    let day = day(effective);
    if day.is_none() {
        wrong.push(format!("--effective {effective:?}: it must be a day such as 2027-01-31"));
    }
    if let (Some(day), Some(latest)) = (day, latest)
        && day < latest.effective_at
    {
        let (needed, since) = (When::day(latest.effective_at).iso, latest.version);
        wrong.push(format!(
            "--effective {effective}: version {since} is needed from {needed}; this one cannot be earlier"
        ));
    }
    match (kind, number, day) {
        (Some(kind), Some(number), Some(day)) if wrong.is_empty() => Ok((kind, number, day)),
        _ => Err(wrong),
    }
}

fn wrong_version(typed: &str, number: Option<i64>, kind: Option<Kind>, shelf: &Shelf) -> Option<String> {
    let Some(number) = number else {
        return Some(format!("--version {typed:?}: it must be a whole number from 1 on"));
    };
    let next = kind.map(|kind| shelf.of(kind).next_back().map_or(1, |latest| latest.version + 1))?;
    (number != next).then(|| format!("--version {number}: the next version of this document is {next}"))
}

fn day(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10)?;
    Some(day.and_time(NaiveTime::MIN))
}

fn checked_text(bytes: &[u8]) -> Result<&str, Vec<String>> {
    if bytes.len() > LARGEST_TEXT {
        return Err(vec![format!("FILE: it is larger than {} kB", LARGEST_TEXT / 1024)]);
    }
    let Ok(body) = std::str::from_utf8(bytes) else {
        return Err(vec!["FILE: it is not text in UTF-8".to_owned()]);
    };
    if body.trim().is_empty() {
        return Err(vec!["FILE: it is empty".to_owned()]);
    }
    if body.lines().filter(|line| !line.trim().is_empty()).count() < 2 {
        return Err(vec!["FILE: it needs a title line, as “# Master Service Agreement”, and text below it".to_owned()]);
    }
    let mut wrong = Vec::new();
    if body.chars().any(|c| c == '\u{feff}' || (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))) {
        wrong.push("FILE: it contains control characters or a byte order mark".to_owned());
    }
    match text::title(body.trim_start_matches('\u{feff}')) {
        None => wrong.push("FILE: its first line must be its title, as “# Master Service Agreement”".to_owned()),
        Some(title) if title.chars().count() > LONGEST_TITLE => {
            wrong.push(format!("FILE: its title is longer than {LONGEST_TITLE} characters"));
        }
        Some(_) => {}
    }
    if wrong.is_empty() { Ok(body) } else { Err(wrong) }
}
