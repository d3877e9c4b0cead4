//! Agreements: which versions of the Master Service Agreement and the Acceptable Use Policy hold, who accepted them for
//! which account, and what is still missing. An account is bound when it has a record for the version of each document
//! in force; records are only ever added. A version announced for later may be accepted before its day, and until then
//! the old one holds. Leaves out: what an account without agreements may not do (that is readiness).

mod changes;
pub mod document;
pub mod overview;
mod pages;
mod publish;
mod reading;
mod receipt;
mod state;
mod store;
mod text;
mod view;

use chrono::NaiveDateTime;

use crate::access::policy::{SeeAccount, UpdateAccounts};
use crate::access::{Grant, Place};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::{self, Key};
use crate::mail;
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::web::route::Route;
pub use document::{Document, Kind, Shelf};
pub use publish::{install_first_versions, publish, publish_file};
pub use state::{Bound, Brief, State, bound, briefs, states};

pub fn routes() -> Vec<Route> {
    let mut all = pages::routes();
    all.extend(reading::routes());
    all
}

/// A person as the record names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub key: Key,
    pub id: String,
    pub name: String,
    pub email: String,
}

/// An account as the record names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub key: Key,
    pub id: String,
    pub name: String,
}

/// The record that an account is bound by one version of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    pub key: Key,
    pub id: String,
    pub document: Document,
    pub by: Person,
    /// The account whose role gave the right to accept.
    pub from: Named,
    pub address: String,
    pub accepted_at: NaiveDateTime,
}

/// The versions that hold now, the Master Service Agreement first.
pub fn in_force(db: &mut Db) -> Result<Vec<Document>, Problem> {
    in_force_at(db, ids::now())
}

/// [`in_force`] at another moment.
pub fn in_force_at(db: &mut Db, at: NaiveDateTime) -> Result<Vec<Document>, Problem> {
    Ok(store::shelf(db)?.in_force(at)?.into_iter().cloned().collect())
}

/// What the account has still to accept before it may provision; empty when it is bound.
pub fn missing(db: &mut Db, account: Key) -> Result<Vec<Document>, Problem> {
    missing_at(db, account, ids::now())
}

/// [`missing`] at another moment.
pub fn missing_at(db: &mut Db, account: Key, at: NaiveDateTime) -> Result<Vec<Document>, Problem> {
    let holding = in_force_at(db, at)?;
    left(db, account, holding)
}

/// Versions published for later that the account has not accepted yet: work goes on until their day.
pub fn announced(db: &mut Db, account: Key) -> Result<Vec<Document>, Problem> {
    let later = store::shelf(db)?.announced(ids::now()).into_iter().cloned().collect();
    left(db, account, later)
}

/// The versions with these numbers, as a form names them. Invalid when there is no such version.
pub fn named(db: &mut Db, versions: &[(Kind, i64)]) -> Result<Vec<Key>, Problem> {
    let shelf = store::shelf(db)?;
    let found = versions.iter().map(|(kind, version)| shelf.find(*kind, *version).map(|d| d.key));
    found.collect::<Option<_>>().ok_or_else(|| Problem::invalid("", OVERTAKEN))
}

fn left(db: &mut Db, account: Key, documents: Vec<Document>) -> Result<Vec<Document>, Problem> {
    let keys: Vec<Key> = documents.iter().map(|d| d.key).collect();
    let accepted = store::accepted(db, &[account], &keys)?;
    let open = |document: &Document| !accepted.iter().any(|(_, key, _)| *key == document.key);
    Ok(documents.into_iter().filter(open).collect())
}

/// Everything that was accepted for the account, the newest first.
pub fn history(db: &mut Db, by: &Grant<SeeAccount>) -> Result<Vec<Consent>, Problem> {
    store::history(db, by.account().key)
}

/// What was accepted together with this record, in one act.
pub fn receipt(db: &mut Db, by: &Grant<SeeAccount>, consent_id: &str) -> Result<Vec<Consent>, Problem> {
    if !ids::looks_like_id("consent", consent_id) {
        return Err(Problem::NotFound);
    }
    let mut all = history(db, by)?;
    let named = all.iter().find(|one| one.id == consent_id).ok_or(Problem::NotFound)?;
    let (user, at) = (named.by.key, named.accepted_at);
    all.retain(|one| one.by.key == user && one.accepted_at == at);
    Ok(all)
}

/// Binds the grant's account. `documents`: the keys of the versions that the person agreed to. Whoever accepts what is
/// in force accepts all of it, and gets a receipt by mail (errors by [`Kind::slug`] where a box is left); versions announced for later come
/// singly. Conflict(AlreadyConsented) when nothing is left to accept.
pub fn accept(db: &mut Db, by: &Grant<UpdateAccounts>, documents: &[Key]) -> Result<Vec<Consent>, Problem> {
    audit::change(db, by, |db, by| {
        let (account, at) = (by.account().key, ids::now());
        let mut added = Vec::new();
        for document in chosen(db, account, documents, at)? {
            let new = store::NewConsent {
                account,
                document,
                user: by.actor().key,
                from: by.acting_from(),
                address: &by.origin().address,
                at,
            };
            added.push(store::add_consent(db, &new)?);
        }
        let mut all = store::history(db, account)?;
        all.retain(|one| added.contains(&one.id));
        mail::post(db, &receipt::letter(by.actor(), by.frame(), account, &all))?;
        let event = accepted(by.account(), &all);
        Ok((all, event))
    })
}

fn accepted(account: &Place, consents: &[Consent]) -> Event {
    let subject = Subject::new("ACCOUNT", &account.id, &account.name);
    let mut event = Event::new(EventType::AccountConsentCreate, subject);
    for one in consents {
        let Document { title, version, sha256, .. } = &one.document;
        event = event.with(one.document.kind.name(), format!("{title}, version {version}, SHA-256 {sha256}"));
    }
    match consents.first() {
        Some(first) => event.with("receipt", &first.id),
        None => event,
    }
}

/// Which of these documents are to be recorded now; or why none are.
fn chosen(db: &mut Db, account: Key, documents: &[Key], at: NaiveDateTime) -> Result<Vec<Key>, Problem> {
    let shelf = store::shelf(db)?;
    let every: Vec<Key> = shelf.0.iter().map(|d| d.key).collect();
    let held: Vec<Key> = store::accepted(db, &[account], &every)?.into_iter().map(|(_, key, _)| key).collect();
    let open = |d: &&Document| !held.contains(&d.key);
    let needed: Vec<&Document> = shelf.in_force(at)?.into_iter().filter(open).collect();
    let later: Vec<&Document> = shelf.announced(at).into_iter().filter(open).collect();
    let asked: Vec<Key> = documents.iter().copied().filter(|key| !held.contains(key)).collect();
    let picked: Vec<Key> = needed.iter().chain(&later).map(|d| d.key).filter(|key| asked.contains(key)).collect();
    if (needed.is_empty() && later.is_empty()) || (asked.is_empty() && !documents.is_empty()) {
        return Err(Problem::Conflict(Reason::AlreadyConsented));
    }
    if asked.iter().any(|key| !picked.contains(key)) {
        return Err(Problem::invalid("", OVERTAKEN));
    }
    let mut errors = Errors::default();
    if picked.is_empty() || needed.iter().any(|d| picked.contains(&d.key)) {
        for document in needed.iter().filter(|d| !picked.contains(&d.key)) {
            errors.add(document.kind.slug(), tick(document));
        }
    }
    if picked.is_empty() && errors.is_empty() {
        errors.add("", "Tick the box of the version that you accept");
    }
    if errors.is_empty() { Ok(picked) } else { Err(Problem::Invalid(errors)) }
}

/// What a box that was left says.
fn tick(document: &Document) -> String {
    format!("Tick the box to accept the {}", document.words())
}

const OVERTAKEN: &str = "Another version is in force by now. Nothing was accepted; read it below and tick its box";
