//! Everything the Agreements page is about, in one read: what holds and what is announced with its text, what of it the
//! account accepted, the version it accepted before, and who could accept what is left.

use std::collections::HashMap;

use super::document::Document;
use super::{Consent, store};
use crate::access::policy::{SeeAccount, UpdateAccounts};
use crate::access::{Grant, lookup};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;

/// A document as one account stands to it.
#[derive(Debug)]
pub struct Standing {
    pub document: Document,
    pub text: String,
    pub accepted: Option<Consent>,
    /// The newest older version that was accepted, with its text, while this one is not.
    pub before: Option<(Consent, String)>,
}

#[derive(Debug)]
pub struct Overview {
    pub in_force: Vec<Standing>,
    pub announced: Vec<Standing>,
    /// The newest first.
    pub history: Vec<Consent>,
    /// Whom to ask, for a reader who may not accept.
    pub helpers: Vec<String>,
}

impl Overview {
    /// What is still needed for provisioning.
    pub fn needed(&self) -> impl Iterator<Item = &Standing> {
        self.in_force.iter().filter(|one| one.accepted.is_none())
    }

    /// What may be accepted before its day.
    pub fn early(&self) -> impl Iterator<Item = &Standing> {
        self.announced.iter().filter(|one| one.accepted.is_none())
    }
}

pub fn overview(db: &mut Db, by: &Grant<SeeAccount>) -> Result<Overview, Problem> {
    let at = ids::now();
    let shelf = store::shelf(db)?;
    let history = store::history(db, by.account().key)?;
    let in_force: Vec<Document> = shelf.in_force(at)?.into_iter().cloned().collect();
    let announced: Vec<Document> = shelf.announced(at).into_iter().cloned().collect();
    let mut keys: Vec<Key> = in_force.iter().chain(&announced).map(|d| d.key).collect();
    keys.extend(history.iter().map(|one| one.document.key));
    let texts = store::texts(db, &keys)?;
    let standing = |document: Document| standing(document, &history, &texts);
    let (in_force, announced) = (in_force.into_iter().map(standing).collect(), announced.into_iter().map(standing));
    let announced = announced.collect();
    let may = by.frame().may::<UpdateAccounts>();
    let helpers = if may { Vec::new() } else { lookup::holders::<UpdateAccounts>(db, by.frame())? };
    Ok(Overview { in_force, announced, history, helpers })
}

fn standing(document: Document, history: &[Consent], texts: &HashMap<Key, String>) -> Standing {
    let text = |key: Key| texts.get(&key).cloned().unwrap_or_default();
    let accepted = history.iter().find(|one| one.document.key == document.key).cloned();
    let older = history.iter().filter(|one| one.document.kind == document.kind);
    let older = older.filter(|one| one.document.version < document.version).max_by_key(|one| one.document.version);
    let before = older.filter(|_| accepted.is_none()).map(|one| (one.clone(), text(one.document.key)));
    Standing { text: text(document.key), document, accepted, before }
}
