//! Where accounts stand with their agreements, for lists: two queries however many accounts are asked about.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDateTime;

use super::document::{Document, Kind};
use super::{in_force, store};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;

/// Whether an account is bound by what is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Bound by these versions, by the later of the two since `at`.
    Accepted { msa: i64, aup: i64, at: NaiveDateTime },
    /// These are still to be accepted.
    Missing(Vec<Document>),
}

impl State {
    pub fn is_accepted(&self) -> bool {
        matches!(self, State::Accepted { .. })
    }

    /// For a badge in a list: "Accepted", "Not accepted", "AUP not accepted".
    pub fn words(&self) -> String {
        match self {
            State::Accepted { .. } => "Accepted".to_owned(),
            State::Missing(documents) => words_of(&documents.iter().map(|d| d.kind).collect::<Vec<_>>()),
        }
    }

    /// The line below it: "MSA 1, AUP 2, 23 Nov 2026" or what is missing.
    pub fn detail(&self) -> String {
        match self {
            State::Accepted { msa, aup, at } => format!("MSA {msa}, AUP {aup}, {}", at.format("%-d %b %Y")),
            State::Missing(documents) => {
                let each = documents.iter().map(|d| format!("{} {}", d.kind.code(), d.version));
                format!("Needs {}", each.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// The badge's tone.
    pub fn tone(&self) -> &'static str {
        if self.is_accepted() { "good" } else { "warn" }
    }
}

fn words_of(missing: &[Kind]) -> String {
    match missing {
        [one] => format!("{} not accepted", one.code()),
        _ => "Not accepted".to_owned(),
    }
}

/// Of what is in force, what an account has still to accept: all that lists say, and read in half the time of its
/// [`State`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Brief {
    Accepted,
    Missing(Vec<Kind>),
}

impl Brief {
    pub fn is_accepted(&self) -> bool {
        *self == Brief::Accepted
    }

    /// As [`State::words`].
    pub fn words(&self) -> String {
        match self {
            Brief::Accepted => "Accepted".to_owned(),
            Brief::Missing(kinds) => words_of(kinds),
        }
    }
}

/// The same as [`states`], without versions and moments.
pub fn briefs(db: &mut Db, accounts: &[Key]) -> Result<HashMap<Key, Brief>, Problem> {
    let holding = in_force(db)?;
    let keys: Vec<Key> = holding.iter().map(|d| d.key).collect();
    let accepted: HashSet<(Key, Key)> = store::pairs(db, accounts, &keys)?.into_iter().collect();
    let brief = |account: &Key| {
        let missing = holding.iter().filter(|d| !accepted.contains(&(*account, d.key))).map(|d| d.kind);
        let missing: Vec<Kind> = missing.collect();
        let all = missing.is_empty() && !holding.is_empty();
        (*account, if all { Brief::Accepted } else { Brief::Missing(missing) })
    };
    Ok(accounts.iter().map(brief).collect())
}

/// The state of each of these accounts.
pub fn states(db: &mut Db, accounts: &[Key]) -> Result<HashMap<Key, State>, Problem> {
    let holding = in_force(db)?;
    let keys: Vec<Key> = holding.iter().map(|d| d.key).collect();
    let mut accepted: HashMap<Key, HashMap<Key, NaiveDateTime>> = HashMap::new();
    for (account, document, at) in store::accepted(db, accounts, &keys)? {
        accepted.entry(account).or_default().insert(document, at);
    }
    let none = HashMap::new();
    let state = |account: &Key| (*account, state_of(&holding, accepted.get(account).unwrap_or(&none)));
    Ok(accounts.iter().map(state).collect())
}

/// Where an account stands, and who accepted last of what is in force: the name, and the account they acted from.
#[derive(Debug, Clone)]
pub struct Bound {
    pub state: State,
    pub by: Option<(String, Key)>,
}

/// The same as [`states`] with who accepted: three queries however many accounts.
pub fn bound(db: &mut Db, accounts: &[Key]) -> Result<HashMap<Key, Bound>, Problem> {
    let states = states(db, accounts)?;
    let in_force: Vec<Key> = in_force(db)?.iter().map(|d| d.key).collect();
    let mut people: HashMap<Key, (String, Key)> = HashMap::new();
    for (account, name, from) in store::accepted_by(db, accounts, &in_force)? {
        people.insert(account, (name, from));
    }
    let bound = |(account, state): (Key, State)| {
        let by = people.remove(&account);
        (account, Bound { state, by })
    };
    Ok(states.into_iter().map(bound).collect())
}

fn state_of(holding: &[Document], accepted: &HashMap<Key, NaiveDateTime>) -> State {
    let missing: Vec<Document> = holding.iter().filter(|d| !accepted.contains_key(&d.key)).cloned().collect();
    let version = |kind: Kind| holding.iter().find(|d| d.kind == kind).map_or(0, |d| d.version);
    match accepted.values().max() {
        Some(at) if missing.is_empty() => State::Accepted { msa: version(Kind::Msa), aup: version(Kind::Aup), at: *at },
        _ => State::Missing(missing),
    }
}
