//! The accounts of a chain from the root down, each with what stands there that concerns the account at its end: the
//! people whose roles reach down to it, the agreements, who pays. The middle of a long chain is folded. A handful of
//! queries, whatever the number of accounts and people.

use std::collections::HashMap;
use std::ops::Range;

use super::flow::{self, Stop};
use super::store::{self, Head, Ranks};
use super::{Way, power};
use crate::access::policy::ReadMembers;
use crate::access::{Frame, Step};
use crate::billing::{self, Held, Payer};
use crate::consent::{self, Bound};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::{roles, text};

/// Accounts of a chain that is shown whole.
const MOST_SHOWN: usize = 12;
/// People named at each account when there are more.
const NAMED: usize = 2;

/// One line of the picture, and one item of the list.
pub struct Level {
    /// Nothing where the account may not be seen.
    pub name: String,
    pub href: String,
    pub here: bool,
    /// "Root account", "This account", "Restricted", "Level 3", "+ 986 accounts".
    pub mark: String,
    pub people: Vec<Person>,
    /// "+12 more", or how many people where they are not named.
    pub more: String,
    pub more_href: String,
    pub agreements: Words,
    pub payment: Words,
    /// Whether a payment method comes down to here, begins here and goes on to the next line.
    pub comes: bool,
    pub begins: bool,
    pub goes: bool,
}

/// A state with a second line that explains it.
#[derive(Default)]
pub struct Words {
    pub tone: &'static str,
    pub state: String,
    pub detail: String,
}

pub struct Person {
    pub name: String,
    /// Role and scope.
    pub role: String,
    pub href: String,
}

/// What the levels are made of.
struct Facts {
    heads: Vec<Head>,
    ways: Vec<Way>,
    bound: HashMap<Key, Bound>,
    payers: HashMap<Key, Payer>,
    held: HashMap<Key, Held>,
}

/// The accounts of the chain, from the root (0) down, that are folded.
fn folded(levels: usize) -> Range<usize> {
    if levels <= MOST_SHOWN { levels..levels } else { MOST_SHOWN / 2 - 1..levels - MOST_SHOWN / 2 }
}

pub fn read(db: &mut Db, frame: &Frame) -> Result<Vec<Level>, Problem> {
    let levels = frame.chain.len();
    let fold = folded(levels);
    // Of what is folded, the first tells whether a payment method goes in.
    let looked_at = |level: &usize| !fold.contains(level) || *level == fold.start;
    let keys: Vec<Key> = (0..levels).filter(looked_at).map(|level| frame.chain[level].place.key).collect();
    let ranks = Ranks::of(&roles::available(db, frame)?, &Default::default());
    let distances = levels - fold.end..levels - fold.start;
    let heads = store::heads(db, frame.account().key, &ranks, NAMED + 1, distances)?;
    let people: Vec<Key> = heads.iter().map(|head| head.key).collect();
    let facts = Facts {
        ways: store::ways(db, frame.account().key, &people)?,
        heads,
        bound: consent::bound(db, &keys)?,
        payers: billing::payers(db, &keys)?,
        held: billing::held(db, &keys)?,
    };
    let down = lines(frame, &facts);
    let mut all = Vec::new();
    for level in 0..levels {
        if !fold.contains(&level) {
            all.push(one(frame, &facts, level, &down));
        } else if level == fold.start {
            all.push(middle(frame, &facts, &fold, &down));
        }
    }
    Ok(all)
}

fn lines(frame: &Frame, facts: &Facts) -> Vec<bool> {
    let place = |key: Key| frame.chain.iter().position(|step| step.place.key == key);
    let mut stops = Vec::new();
    for (level, step) in frame.chain.iter().enumerate() {
        let Some(payer) = facts.payers.get(&step.place.key) else { continue };
        let source = if let Payer::Inherited(source) = payer { place(source.key) } else { None };
        stops.push(Stop { level, payer, source });
    }
    flow::lines(frame.chain.len(), &stops, |level| !frame.chain[level].held.is_empty())
}

fn one(frame: &Frame, facts: &Facts, level: usize, down: &[bool]) -> Level {
    let step = &frame.chain[level];
    let last = frame.chain.len() - 1;
    let seen = !step.held.is_empty();
    let (people, more) = people(frame, facts, level, seen && frame.may::<ReadMembers>());
    let own = facts.held.get(&step.place.key).filter(|_| seen);
    Level {
        name: if seen { step.place.name.clone() } else { String::new() },
        href: if seen && level < last { format!("/a/{}/chain", step.place.id) } else { String::new() },
        here: level == last,
        mark: match level {
            _ if !seen => "Restricted".to_owned(),
            _ if level == last => "This account".to_owned(),
            0 => "Root account".to_owned(),
            _ => format!("Level {}", level + 1),
        },
        more_href: more_href(frame, level == last, &more),
        people,
        more,
        agreements: if seen { agreements(frame, facts, step) } else { Words::default() },
        payment: if seen { payment(frame, facts, step) } else { Words::default() },
        comes: level > 0 && down[level - 1],
        begins: own.is_some_and(|held| held.offered),
        goes: down[level],
    }
}

/// All that is folded, as one line.
fn middle(frame: &Frame, facts: &Facts, fold: &Range<usize>, down: &[bool]) -> Level {
    let distance = |level: usize| (frame.chain.len() - 1 - level) as i64;
    let within = distance(fold.end - 1)..=distance(fold.start);
    let totals = facts.heads.iter().filter(|head| within.contains(&head.distance)).map(|head| head.total);
    let people: i64 = totals.sum();
    let more = if people == 0 { String::new() } else { text::count(people, "membership", "memberships") };
    Level {
        name: String::new(),
        href: String::new(),
        here: false,
        mark: format!("+ {} accounts", fold.len()),
        people: Vec::new(),
        more_href: more_href(frame, false, &more),
        more,
        agreements: Words::default(),
        payment: Words::default(),
        comes: down[fold.start - 1],
        begins: false,
        goes: down[fold.end - 1],
    }
}

fn more_href(frame: &Frame, here: bool, more: &str) -> String {
    if more.is_empty() || !frame.may::<ReadMembers>() {
        return String::new();
    }
    format!("/a/{}/reach?given={}", frame.account().id, if here { "here" } else { "above" })
}

/// The first people of a level by name, and how many others there are; numbers alone where they are not to be named.
fn people(frame: &Frame, facts: &Facts, level: usize, named: bool) -> (Vec<Person>, String) {
    let step = &frame.chain[level];
    let distance = (frame.chain.len() - 1 - level) as i64;
    let heads: Vec<&Head> = facts.heads.iter().filter(|head| head.distance == distance).collect();
    let total = heads.first().map_or(0, |head| head.total);
    if total == 0 {
        return (Vec::new(), String::new());
    }
    if !named {
        return (Vec::new(), text::count(total, "person", "people"));
    }
    let shown = if total as usize <= heads.len() { heads.len() } else { NAMED };
    let people = heads.iter().take(shown).map(|head| Person {
        name: format!("{} {}", head.first_name, head.last_name),
        role: roles_at(facts, head.key, step.place.key),
        href: format!("/a/{}/members/{}/why", frame.account().id, head.id),
    });
    let left = total - shown as i64;
    (people.collect(), if left > 0 { format!("+{} more", text::grouped(left)) } else { String::new() })
}

/// "Administrator, and all below", the strongest of what somebody was given at one account.
fn roles_at(facts: &Facts, user: Key, at: Key) -> String {
    let now = ids::now();
    let given = |way: &&Way| way.user == user && way.at == at && way.reaches() && way.is_live(now);
    let mut ways: Vec<&Way> = facts.ways.iter().filter(given).collect();
    ways.sort_by_key(|way| -power::strength(way.permissions));
    match ways.as_slice() {
        [] => String::new(),
        [one] => format!("{}, {}", one.role, super::scope_words(one.scope)),
        [one, rest @ ..] => format!("{} and {}", one.role, text::count(rest.len() as i64, "more role", "more roles")),
    }
}

fn agreements(frame: &Frame, facts: &Facts, step: &Step) -> Words {
    let Some(bound) = facts.bound.get(&step.place.key) else { return Words::default() };
    let detail = match &bound.by {
        Some((name, from)) if bound.state.is_accepted() => {
            let from = frame.step(*from).filter(|other| other.place.key != step.place.key);
            match from.map(|other| if other.held.is_empty() { "an account above" } else { &other.place.name }) {
                Some(from) => format!("by {name}, from {from}"),
                None => format!("by {name}"),
            }
        }
        _ => bound.state.detail(),
    };
    Words { tone: bound.state.tone(), state: bound.state.words(), detail }
}

fn payment(frame: &Frame, facts: &Facts, step: &Step) -> Words {
    let Some(payer) = facts.payers.get(&step.place.key) else { return Words::default() };
    let shared = match facts.held.get(&step.place.key) {
        Some(held) if held.offered => "shared with all below",
        Some(_) => "not shared below",
        None => "",
    };
    let state = match payer {
        Payer::Own { .. } => "Own payment method".to_owned(),
        Payer::Inherited(source) => format!("Paid by {}", source.shown_to(frame)),
        Payer::Nobody => "No payer".to_owned(),
    };
    let detail = match payer {
        Payer::Inherited(_) if payer.pays() => "inherited".to_owned(),
        Payer::Nobody => "cannot provision".to_owned(),
        _ if payer.pays() => shared.to_owned(),
        _ => "not verified".to_owned(),
    };
    Words { tone: if payer.pays() { "good" } else { "bad" }, state, detail }
}
