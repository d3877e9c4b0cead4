//! The words of the agreements pages: documents as cards, the boxes to tick, the notes on top and the history. No rule
//! is made here; what holds and what is missing comes from the room.

use super::changes::{self, Change};
use super::overview::{Overview, Standing};
use super::text::{self, Place};
use super::{Consent, Document, Named};
use crate::access::Frame;
use crate::access::policy::UpdateAccounts;
use crate::web::form::Filled;
use crate::web::shell::Section;
use crate::web::when::When;

/// A sentence that matters.
#[derive(Debug)]
pub struct Note {
    pub tone: &'static str,
    pub heading: String,
    pub words: String,
}

/// A document to read.
#[derive(Debug)]
pub struct Card {
    pub anchor: String,
    pub title: String,
    pub words: String,
    pub tone: &'static str,
    pub state: &'static str,
    pub since: &'static str,
    pub effective: When,
    pub length: String,
    pub sha256: String,
    pub address: String,
    pub text_address: String,
    pub html: String,
    pub last: Option<Acceptance>,
    pub changes: Option<Changes>,
}

/// Who accepted, when, from which account.
#[derive(Debug)]
pub struct Acceptance {
    pub document: String,
    pub version: i64,
    pub address: String,
    pub by: String,
    pub email: String,
    pub from: String,
    pub at: When,
    pub receipt: String,
}

/// What is different since the version that was accepted.
#[derive(Debug)]
pub struct Changes {
    pub since: i64,
    pub summary: String,
    pub list: Vec<Change>,
}

/// One box, not ticked until somebody ticks it.
#[derive(Debug)]
pub struct Tick {
    pub field: String,
    pub version: i64,
    pub label: String,
    pub checked: bool,
    pub error: Option<String>,
}

pub fn card(frame: &Frame, standing: &Standing, announced: bool, home: &str) -> Card {
    let Standing { document, text, accepted, before } = standing;
    let anchor = format!("{}{}", if announced { "next-" } else { "" }, document.kind.slug());
    let last = accepted.as_ref().or(before.as_ref().map(|(consent, _)| consent));
    let (tone, state) = match (accepted, announced) {
        (Some(_), _) => ("good", "Accepted"),
        (None, true) => ("info", "Announced"),
        (None, false) => ("warn", "Not accepted"),
    };
    Card {
        html: text::html(text, &anchor, Place::Part),
        title: format!("{}, version {}", document.title, document.version),
        words: document.words(),
        tone,
        state,
        since: if announced { "Needed from" } else { "In force since" },
        effective: When::day(document.effective_at),
        length: text::length(text),
        sha256: document.sha256.clone(),
        address: document.path(),
        text_address: document.text_path(),
        last: last.map(|consent| acceptance(frame, consent, home)),
        changes: before.as_ref().map(|(consent, old)| changed(consent.document.version, old, text)),
        anchor,
    }
}

fn changed(since: i64, old: &str, new: &str) -> Changes {
    let list = changes::between(old, new);
    let mut headings: Vec<&str> = list.iter().map(|c| c.heading.as_str()).filter(|h| !h.is_empty()).collect();
    headings.dedup();
    let lines = crate::text::count(list.len() as i64, "paragraph is", "paragraphs are");
    let summary = match headings.as_slice() {
        [] if list.is_empty() => "The words are the same.".to_owned(),
        [] => format!("{lines} different."),
        some => format!("{lines} different, in: {}.", some.join("; ")),
    };
    Changes { since, summary, list }
}

pub fn acceptance(frame: &Frame, consent: &Consent, home: &str) -> Acceptance {
    Acceptance {
        document: consent.document.kind.name().to_owned(),
        version: consent.document.version,
        address: consent.document.path(),
        by: consent.by.name.clone(),
        email: consent.by.email.clone(),
        from: from_words(frame, &consent.from),
        at: When::from(consent.accepted_at),
        receipt: format!("{home}/{}", consent.id),
    }
}

/// The account acted from, by name only where the reader may see it.
pub fn from_words(frame: &Frame, from: &Named) -> String {
    match frame.step(from.key) {
        Some(step) if !step.held.is_empty() => step.place.name.clone(),
        _ => "an account above".to_owned(),
    }
}

/// The boxes of one form. `prefix`: what tells the two forms of the page apart.
pub fn ticks<'a>(standings: impl Iterator<Item = &'a Standing>, prefix: &str, form: &Filled) -> Vec<Tick> {
    let tick = |Standing { document, .. }: &Standing| {
        let field = format!("{prefix}{}", document.kind.slug());
        Tick {
            version: document.version,
            label: format!("I accept the {}", document.words()),
            checked: form.is(&field, &document.version.to_string()),
            error: form.error(&field).map(str::to_owned),
            field,
        }
    };
    let mut ticks: Vec<Tick> = standings.map(tick).collect();
    // One box for each document: of several versions announced, the nearest.
    ticks.dedup_by(|later, nearest| later.field == nearest.field);
    ticks
}

pub fn notes(frame: &Frame, overview: &Overview) -> Vec<Note> {
    let name = &frame.account().name;
    let may = frame.may::<UpdateAccounts>();
    let needed: Vec<&Document> = overview.needed().map(|one| &one.document).collect();
    let ask =
        if may || overview.early().chain(overview.needed()).next().is_none() { String::new() } else { ask(overview) };
    let mut notes = vec![match needed.as_slice() {
        [] => bound(name, overview),
        [one] => Note {
            tone: "warn",
            heading: format!("The {}, is not accepted", one.words()),
            words: format!("No connection can be provisioned in {name} until it is.{ask}"),
        },
        _ => Note {
            tone: "warn",
            heading: "Two agreements are not accepted".to_owned(),
            words: format!("No connection can be provisioned in {name} until both are.{ask}"),
        },
    }];
    for Standing { document, .. } in overview.early() {
        let already = if may { "It can be accepted already now." } else { ask.trim() };
        notes.push(Note {
            tone: "info",
            heading: document.announcement(),
            words: format!("Until then the version before it holds. {already}"),
        });
    }
    notes
}

fn bound(name: &str, overview: &Overview) -> Note {
    let versions: Vec<String> = overview.in_force.iter().map(|one| format!("the {}", one.document.words())).collect();
    Note {
        tone: "good",
        heading: "Everything is accepted".to_owned(),
        words: format!("{name} is bound by {}.", versions.join(" and ")),
    }
}

fn ask(overview: &Overview) -> String {
    match overview.helpers.as_slice() {
        [] => " An administrator of this account or of one above it can accept.".to_owned(),
        people => format!(" {} can accept for this account.", people.join(" or ")),
    }
}

/// Where the reader came from, if the address says so and it is a page of the same account.
#[derive(Debug)]
pub struct Back {
    pub href: String,
    pub words: String,
}

pub fn back(account: &str, query: &str) -> Option<Back> {
    let asked = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "back").map(|(_, path)| path)?;
    let inside = asked.strip_prefix("/a/")?.strip_prefix(account)?.strip_prefix('/')?;
    let plain =
        asked.len() <= 500 && asked.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') && !asked.contains("..");
    let section = Section::of_slug(inside.split(['/', '?', '#']).next()?)?;
    plain.then(|| Back { words: format!("Back to {}", section.label()), href: asked.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_in_the_account() {
        let there = |path: &str| back("ac-1", &format!("x=1&back={path}")).map(|b| (b.words, b.href));
        let readiness = Some(("Back to Readiness".to_owned(), "/a/ac-1/readiness?x=1".to_owned()));
        assert_eq!(there("/a/ac-1/readiness%3Fx%3D1"), readiness);
        for astray in [
            "https://evil.example/a/ac-1/readiness",
            "//evil.example/readiness",
            "/a/ac-2/readiness",
            "/a/ac-1/../ac-2/readiness",
            "/a/ac-1/readiness/..%2F..%2F",
            "/a/ac-1/nowhere",
            "/a/ac-1",
            "/a/ac-1/billing%5C",
            "/sign-out",
        ] {
            assert_eq!(there(astray), None, "{astray}");
        }
    }
}
