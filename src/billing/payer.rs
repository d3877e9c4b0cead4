//! Who pays for an account: its own payment method, else the nearest one above, if that one is offered to the accounts
//! below it. A nearer account's own method that is not offered ends the search: nobody pays past it by accident.
//! How this is said is here too, because nobody may be told the name of an account they cannot see.

use std::collections::HashMap;

use crate::access::{Frame, Place};
use crate::ids::Key;

/// The account above whose payment method is offered and would pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub key: Key,
    pub id: String,
    pub name: String,
    /// Levels above the account that inherits.
    pub distance: i64,
    pub verified: bool,
}

/// Who pays for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payer {
    Own { verified: bool },
    Inherited(Source),
    Nobody,
}

/// What matters of a method to who pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// To the accounts below.
    pub offered: bool,
    pub verified: bool,
}

/// Where an account stands: whether it has a method of its own, and what it would inherit without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub own: Option<Held>,
    /// The nearest method above, if it is offered.
    pub above: Option<Source>,
}

impl Standing {
    pub fn payer(&self) -> Payer {
        match (self.own, &self.above) {
            (Some(held), _) => Payer::Own { verified: held.verified },
            (None, Some(source)) => Payer::Inherited(source.clone()),
            (None, None) => Payer::Nobody,
        }
    }

    /// The payer of an account directly below this one (`parent`), which has that of its own.
    pub fn of_child(&self, parent: &Place, own: Option<Held>) -> Payer {
        match (own, self.own, &self.above) {
            (Some(held), ..) => Payer::Own { verified: held.verified },
            (None, Some(Held { offered: true, verified }), _) => {
                let Place { key, id, name, .. } = parent.clone();
                Payer::Inherited(Source { key, id, name, distance: 1, verified })
            }
            (None, None, Some(source)) => Payer::Inherited(Source { distance: source.distance + 1, ..source.clone() }),
            (None, Some(Held { offered: false, .. }), _) | (None, None, None) => Payer::Nobody,
        }
    }
}

/// How an account is paid for, where it does not matter by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Own { verified: bool },
    Inherited { verified: bool },
    Not,
}

impl How {
    /// Whether connections can be charged to it now.
    pub fn pays(self) -> bool {
        matches!(self, How::Own { verified: true } | How::Inherited { verified: true })
    }
}

/// The rule, walked down a branch: each account asked about after its parent. One look each, however deep the tree.
pub struct Walk {
    /// The nearest method at or above each account seen so far.
    nearest: HashMap<Key, Held>,
}

impl Walk {
    pub fn below(top: Key, standing: &Standing) -> Walk {
        let above = standing.above.as_ref().map(|source| Held { offered: true, verified: source.verified });
        Walk { nearest: standing.own.or(above).map(|held| (top, held)).into_iter().collect() }
    }

    /// How this account is paid for, given its parent and what it has of its own.
    pub fn step(&mut self, account: Key, parent: Key, own: Option<Held>) -> How {
        let Some(nearest) = own.or_else(|| self.nearest.get(&parent).copied()) else { return How::Not };
        self.nearest.insert(account, nearest);
        match (own, nearest) {
            (Some(held), _) => How::Own { verified: held.verified },
            (None, Held { offered: true, verified }) => How::Inherited { verified },
            (None, Held { offered: false, .. }) => How::Not,
        }
    }
}

impl Payer {
    /// The account that pays for this one; this one itself where nobody does.
    pub fn key_of(&self, account: Key) -> Key {
        match self {
            Payer::Inherited(source) => source.key,
            Payer::Own { .. } | Payer::Nobody => account,
        }
    }

    pub fn exists(&self) -> bool {
        *self != Payer::Nobody
    }

    /// Whether there is one and connections can be charged to it now.
    pub fn pays(&self) -> bool {
        match self {
            Payer::Own { verified } => *verified,
            Payer::Inherited(source) => source.verified,
            Payer::Nobody => false,
        }
    }

    /// Who pays, as the first line of a page.
    pub fn sentence(&self, frame: &Frame) -> String {
        match self {
            Payer::Own { verified: true } => "Paid by this account".to_owned(),
            Payer::Own { verified: false } => {
                "The payment method of this account is not verified: new connections are blocked".to_owned()
            }
            Payer::Inherited(source) if !source.verified => {
                let whose = source.shown_to(frame);
                format!("The payment method of {whose} cannot be charged now: new connections are blocked")
            }
            Payer::Inherited(source) if source.is_seen_by(frame) => {
                format!("Paid by {}, {}", source.name, source.levels())
            }
            Payer::Inherited(_) => "Paid by an account above".to_owned(),
            Payer::Nobody => "No payment method: new connections are blocked".to_owned(),
        }
    }

    /// "Own", "From NAME" or "None", for lists: of the account of the frame or of accounts below it.
    pub fn words(&self, frame: &Frame) -> String {
        match self {
            Payer::Own { .. } => "Own".to_owned(),
            Payer::Inherited(source) => format!("From {}", source.shown_to(frame)),
            Payer::Nobody => "None".to_owned(),
        }
    }
}

impl Source {
    /// Whether the person of the frame may see the account that pays.
    pub fn is_seen_by(&self, frame: &Frame) -> bool {
        match frame.step(self.key) {
            Some(step) => !step.held.is_empty(),
            None => !frame.below.is_empty(),
        }
    }

    /// Its name, or that there is one.
    pub fn shown_to(&self, frame: &Frame) -> &str {
        if self.is_seen_by(frame) { &self.name } else { "an account above" }
    }

    /// "one level up", "3 levels up".
    pub fn levels(&self) -> String {
        if self.distance == 1 { "one level up".to_owned() } else { format!("{} levels up", self.distance) }
    }
}

/// How many accounts below an account are paid for how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub accounts: i64,
    pub own: i64,
    pub inherited: i64,
    pub without: i64,
}
