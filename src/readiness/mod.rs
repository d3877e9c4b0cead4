//! Whether an account may provision now, and if not, every reason why. [`blockers`] is the one answer that the page,
//! the button, the API and the worker ask, the worker inside the transaction that starts the work. [`below`] counts
//! the same over everything below an account.

mod large;
mod pages;
mod store;
mod sums;
mod who;

use crate::access::below::{LARGE, below_count};
use crate::access::policy::{
    Action, CreateBilling, LimitAccounts, Needs, SuspendAccounts, UpdateAccounts, UpdateBilling,
};
use crate::billing::{self, Payer, Standing};
use crate::consent::{self, Document};
use crate::ids::Key;
use crate::ledger::{self, Owed};
use crate::limits::{self, Over, Resource};
use crate::problem::Problem;
use crate::store::Db;
use crate::suspension::{self, Suspended};
use crate::web::paging::{Want, is_backward};
pub use large::count_due;
pub use pages::{Failing, failing, routes};
pub use store::{State, Stopped};
pub use sums::{Below, Counted};
pub use who::who_can;

/// One reason why an account may not provision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocker {
    /// The version in force is not accepted.
    Agreement(Document),
    NoPayer,
    /// There is a payer, but it cannot be charged yet.
    PayerNotVerified,
    /// The payer's method failed or expired, and its grace period is over.
    PayerLapsed,
    /// An invoice with items of this account was not paid in time: one of its own, or of an account above that pays.
    Overdue {
        own: bool,
    },
    /// The account, or one above it, is suspended.
    Suspended {
        own: bool,
    },
    /// There are more connections than a limit allows that holds here, as after that was lowered.
    OverLimit,
}

impl Blocker {
    /// What to do about it.
    pub fn words(&self) -> String {
        match self {
            Blocker::Agreement(document) => format!("Accept the {}", document.kind.name()),
            Blocker::NoPayer => "Add a payment method".to_owned(),
            Blocker::PayerNotVerified => "Verify the payment method".to_owned(),
            Blocker::PayerLapsed => "Replace the payment method that failed or expired".to_owned(),
            Blocker::Overdue { own: true } => "Pay the overdue invoice".to_owned(),
            Blocker::Overdue { own: false } => {
                "Have the overdue invoice paid that has items of this account".to_owned()
            }
            Blocker::Suspended { own: true } => "This account is suspended".to_owned(),
            Blocker::Suspended { own: false } => "An account above is suspended".to_owned(),
            Blocker::OverLimit => "There are more connections than a limit allows".to_owned(),
        }
    }

    /// As it is exported.
    pub fn code(&self) -> &'static str {
        match self {
            Blocker::Agreement(_) => "AGREEMENT_NOT_ACCEPTED",
            Blocker::NoPayer => "NO_PAYMENT_METHOD",
            Blocker::PayerNotVerified => "PAYMENT_METHOD_NOT_VERIFIED",
            Blocker::PayerLapsed => "PAYMENT_METHOD_FAILED",
            Blocker::Overdue { .. } => "INVOICE_OVERDUE",
            Blocker::Suspended { .. } => "ACCOUNT_SUSPENDED",
            Blocker::OverLimit => "RESOURCE_LIMITATION_EXCEEDED",
        }
    }

    /// What somebody must hold in the account to remove it; above it for suspensions and limits.
    pub fn needs(&self) -> Needs {
        match self {
            Blocker::Agreement(_) => UpdateAccounts::NEEDS,
            Blocker::NoPayer => CreateBilling::NEEDS,
            Blocker::PayerNotVerified | Blocker::PayerLapsed | Blocker::Overdue { .. } => UpdateBilling::NEEDS,
            Blocker::Suspended { .. } => SuspendAccounts::NEEDS,
            Blocker::OverLimit => LimitAccounts::NEEDS,
        }
    }
}

/// Everything that decides over one account, as it is now.
#[derive(Debug, Clone)]
pub struct Readiness {
    account: Key,
    pub in_force: Vec<Document>,
    /// Those of them that the account has still to accept.
    pub missing: Vec<Document>,
    pub payer: Payer,
    /// What pays for it failed or expired too long ago.
    lapsed: bool,
    /// It has items on an invoice that is overdue.
    owes: Option<Owed>,
    suspended: Option<Suspended>,
    /// It has more connections than it may, or a branch that it is in has.
    over: Over,
    standing: Standing,
}

impl Readiness {
    pub fn blockers(&self) -> Vec<Blocker> {
        let mut blockers: Vec<Blocker> = self.missing.iter().cloned().map(Blocker::Agreement).collect();
        if !self.payer.exists() {
            blockers.push(Blocker::NoPayer);
        } else if self.lapsed {
            blockers.push(Blocker::PayerLapsed);
        } else if !self.payer.pays() {
            blockers.push(Blocker::PayerNotVerified);
        }
        if let Some(invoices) = self.owes {
            blockers.push(Blocker::Overdue { own: invoices == Owed::Own });
        }
        if let Some(suspended) = self.suspended {
            blockers.push(Blocker::Suspended { own: suspended.distance == 0 });
        }
        if self.is_over() {
            blockers.push(Blocker::OverLimit);
        }
        blockers
    }

    fn is_over(&self) -> bool {
        self.over.own || self.over.branch
    }

    /// Somebody pays for it.
    pub fn is_paid(&self) -> bool {
        self.payer.pays()
    }

    /// The documents in force that the account is bound by.
    pub fn accepted(&self) -> impl Iterator<Item = &Document> {
        self.in_force.iter().filter(|document| !self.missing.contains(document))
    }

    /// How many things were looked at: each document, the payer, and debts, suspensions and limits where they stop it.
    pub fn checks(&self) -> usize {
        let stops = [self.owes.is_some(), self.suspended.is_some(), self.is_over()];
        self.in_force.len() + 1 + stops.into_iter().filter(|stops| *stops).count()
    }

    /// What each open account below has of what it needs, from the top down.
    pub fn states_below(&self, db: &mut Db) -> Result<Vec<State>, Problem> {
        let mut states = Vec::new();
        self.each_below(db, |state| states.push(state))?;
        Ok(states)
    }

    /// The same one by one, where they are too many to be kept.
    fn each_below(&self, db: &mut Db, each: impl FnMut(State)) -> Result<(), Problem> {
        let top = Stopped { suspended: self.suspended.is_some(), over: self.over.branch };
        store::states(db, self.account, top, &self.standing, &self.in_force, each)
    }

    /// Sums over everything open below: as it is now, or, where very many are below, as they were counted last.
    pub fn sums_below(&self, db: &mut Db) -> Result<Below, Problem> {
        let below = below_count(db, self.account)?;
        if below > LARGE {
            return large::counted(db, self.account, below);
        }
        let mut sums = Below::default();
        self.each_below(db, |state| sums.add(&state))?;
        Ok(sums)
    }
}

/// Reads what decides over this account: a few keyed queries.
pub fn of(db: &mut Db, account: Key) -> Result<Readiness, Problem> {
    let in_force = consent::in_force(db)?;
    let missing = consent::missing(db, account)?;
    let standing = billing::standing(db, account)?;
    let payer = standing.payer();
    let lapsed = payer.exists() && !payer.pays() && billing::has_lapsed(db, account, &payer)?;
    let owes = ledger::owes(db, account)?;
    let suspended = suspension::of(db, account)?;
    let over = limits::over(db, account, Resource::Connection)?;
    Ok(Readiness { account, in_force, missing, payer, lapsed, owes, suspended, over, standing })
}

/// Every reason why the account may not provision now; empty when it may.
pub fn blockers(db: &mut Db, account: Key) -> Result<Vec<Blocker>, Problem> {
    Ok(of(db, account)?.blockers())
}

/// Sums readiness up over everything open below: a few queries, whatever the tree.
pub fn below(db: &mut Db, account: Key) -> Result<Below, Problem> {
    of(db, account)?.sums_below(db)
}

/// What is missing in the accounts that are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    #[default]
    Anything,
    Agreements,
    Payment,
    /// Being allowed to: it is suspended.
    Suspended,
    /// Room under a limit.
    Room,
}

impl Missing {
    fn in_state(self, state: &State) -> bool {
        match self {
            Missing::Anything => !state.is_ready(),
            Missing::Agreements => !state.agreed,
            Missing::Payment => !state.paid,
            Missing::Suspended => state.stopped.suspended,
            Missing::Room => state.stopped.over,
        }
    }
}

/// An account below that may not provision.
#[derive(Debug, Clone)]
pub struct NotReady {
    pub key: Key,
    pub id: String,
    pub name: String,
    pub name_key: String,
    pub agreed: bool,
    pub paid: bool,
    pub stopped: Stopped,
}

/// Those of the states that lack something, by name: at most `limit`, beginning where `want` says, and against the
/// order where it asks for a page before another ([`crate::web::paging`]).
pub fn not_ready(
    db: &mut Db,
    states: Vec<State>,
    missing: Missing,
    want: &Want,
    limit: usize,
) -> Result<Vec<NotReady>, Problem> {
    let place = |state: &State| (state.name_key.clone(), state.key);
    let wanted = |state: &State| match want {
        Want::After(cursor) => (&state.name_key, state.key) > (&cursor.0, cursor.1),
        Want::Before(cursor) => (&state.name_key, state.key) < (&cursor.0, cursor.1),
        Want::First | Want::Last => true,
    };
    let mut states: Vec<State> = states.into_iter().filter(|one| missing.in_state(one) && wanted(one)).collect();
    states.sort_by_cached_key(place);
    if is_backward(want) {
        states.reverse();
    }
    states.truncate(limit);
    named(db, states)
}

fn named(db: &mut Db, states: Vec<State>) -> Result<Vec<NotReady>, Problem> {
    let keys: Vec<Key> = states.iter().map(|state| state.key).collect();
    let mut names = store::names(db, &keys)?;
    let listed = |State { key, name_key, agreed, paid, stopped }: State| {
        let (id, name) = names.remove(&key).unwrap_or_default();
        NotReady { key, id, name, name_key, agreed, paid, stopped }
    };
    Ok(states.into_iter().map(listed).collect())
}
