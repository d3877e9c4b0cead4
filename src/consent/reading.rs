//! Every version of every document at an address of its own, for anybody and for ever: as a page, and as the very bytes
//! whose SHA-256 the receipts name.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::document::{Document, Kind, Shelf};
use super::store;
use super::text::{self, Place};
use crate::access::Me;
use crate::ids;
use crate::problem::Problem;
use crate::web::guest::Guest;
use crate::web::route::{Route, get};
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Shell, Site, csv};

pub fn routes() -> Vec<Route> {
    vec![get("/legal/{document}/{version}", show)]
}

/// What both layouts show.
struct Reading {
    document: Document,
    html: String,
    length: String,
    effective: When,
    published: When,
    /// What holds instead or will, and where to read it.
    standing: String,
    other: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "consent/reading.html")]
struct ReadingPage {
    shell: Shell,
    reading: Reading,
}

#[derive(Template)]
#[template(path = "consent/reading_bare.html")]
struct ReadingBarePage {
    shell: Shell,
    reading: Reading,
}

/// GET /legal/{document}/{version}, and with `.txt` after it the text to download.
pub async fn show(
    me: Option<Me>,
    guest: Guest,
    site: Site,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (kind, version) = path.into_inner();
    let kind = Kind::of_slug(&kind).ok_or(Problem::NotFound)?;
    let (number, as_text) = version.strip_suffix(".txt").map_or((version.as_str(), false), |number| (number, true));
    let version = number.parse::<i64>().ok().filter(|n| n.to_string() == number).ok_or(Problem::NotFound)?;
    let (shelf, document, text) = site
        .pool
        .read(move |db| {
            let shelf = store::shelf(db)?;
            let document = shelf.find(kind, version).cloned().ok_or(Problem::NotFound)?;
            let text = store::texts(db, &[document.key])?.remove(&document.key).ok_or(Problem::NotFound)?;
            Ok((shelf, document, text))
        })
        .await?;
    if as_text {
        let name = format!("{}-{version}.txt", document.kind.name().to_lowercase().replace(' ', "-"));
        return Ok(csv::download(&name, "text/plain; charset=utf-8", text.into_bytes()));
    }
    let heading = format!("{}, version {version}", document.title);
    let reading = reading(&shelf, document, &text);
    match me {
        Some(me) => site.page(&ReadingPage { shell: site.personal_shell(&me, &heading), reading }, Keep::Private),
        None => site.page(&ReadingBarePage { shell: guest.shell(&site, &heading), reading }, Keep::Private),
    }
}

fn reading(shelf: &Shelf, document: Document, text: &str) -> Reading {
    let at = ids::now();
    let effective = When::day(document.effective_at);
    let holding = shelf.in_force(at).ok().and_then(|all| all.into_iter().find(|d| d.kind == document.kind).cloned());
    let other = |one: &Document, words: &str| Some((format!("{words} version {}", one.version), one.path()));
    let (standing, other) = match holding {
        Some(one) if one.key == document.key => (format!("In force since {}.", effective.words), None),
        Some(one) if document.effective_at > at => {
            (format!("Announced; needed from {}.", effective.words), other(&one, "Until then:"))
        }
        Some(one) => ("No longer the version in force.".to_owned(), other(&one, "In force:")),
        None => (String::new(), None),
    };
    Reading {
        html: text::html(text, document.kind.slug(), Place::Page),
        length: text::length(text),
        published: When::from(document.published_at),
        effective,
        standing,
        other,
        document,
    }
}
