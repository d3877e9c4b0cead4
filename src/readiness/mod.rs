//! Whether an account may provision now, and if not, every reason why. [`blockers`] is the one answer that the page,
//! the button, the API and the worker ask, the worker inside the transaction that starts the work. [`below`] counts
//! the same over everything below an account.

mod pages;
mod store;

use crate::access::Frame;
use crate::access::policy::{Action, CreateBilling, Needs, Permission, UpdateAccounts, UpdateBilling};
use crate::billing::{self, Payer};
use crate::consent::{self, Document};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::Want;
pub use pages::routes;
pub use store::NotReady;

/// One reason why an account may not provision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocker {
    /// The version in force is not accepted.
    Agreement(Document),
    NoPayer,
    /// There is a payer, but it cannot be charged yet.
    PayerNotVerified,
}

impl Blocker {
    /// What to do about it.
    pub fn words(&self) -> String {
        match self {
            Blocker::Agreement(document) => format!("Accept the {}", document.kind.name()),
            Blocker::NoPayer => "Add a payment method".to_owned(),
            Blocker::PayerNotVerified => "Verify the payment method".to_owned(),
        }
    }

    /// As it is exported.
    pub fn code(&self) -> &'static str {
        match self {
            Blocker::Agreement(_) => "AGREEMENT_NOT_ACCEPTED",
            Blocker::NoPayer => "NO_PAYMENT_METHOD",
            Blocker::PayerNotVerified => "PAYMENT_METHOD_NOT_VERIFIED",
        }
    }

    /// What somebody must hold in the account to remove it.
    pub fn needs(&self) -> Needs {
        match self {
            Blocker::Agreement(_) => UpdateAccounts::NEEDS,
            Blocker::NoPayer => CreateBilling::NEEDS,
            Blocker::PayerNotVerified => UpdateBilling::NEEDS,
        }
    }
}

/// Everything that decides, as it is now.
#[derive(Debug, Clone)]
pub struct Readiness {
    /// Each document in force, and whether this account is bound by it.
    pub agreements: Vec<(Document, bool)>,
    pub payer: Payer,
}

impl Readiness {
    pub fn blockers(&self) -> Vec<Blocker> {
        let missing = self.agreements.iter().filter(|(_, accepted)| !accepted);
        let mut blockers: Vec<Blocker> = missing.map(|(document, _)| Blocker::Agreement(document.clone())).collect();
        if !self.payer.exists() {
            blockers.push(Blocker::NoPayer);
        } else if !self.payer.pays() {
            blockers.push(Blocker::PayerNotVerified);
        }
        blockers
    }

    /// How many things were looked at: each document, that there is a payer.
    pub fn checks(&self) -> usize {
        self.agreements.len() + 1
    }
}

/// Reads what decides over this account: three keyed queries.
pub fn of(db: &mut Db, account: Key) -> Result<Readiness, Problem> {
    Ok(Readiness { agreements: consent::standing(db, account)?, payer: billing::payer(db, account)? })
}

/// Every reason why the account may not provision now; empty when it may.
pub fn blockers(db: &mut Db, account: Key) -> Result<Vec<Blocker>, Problem> {
    Ok(of(db, account)?.blockers())
}

/// The same over all open accounts below. One that awaits both counts in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Below {
    pub accounts: i64,
    pub ready: i64,
    pub awaiting_agreements: i64,
    pub awaiting_payment: i64,
}

impl Below {
    pub fn not_ready(&self) -> i64 {
        self.accounts - self.ready
    }
}

/// Sums readiness up over everything open below: three queries, whatever the tree.
pub fn below(db: &mut Db, account: Key) -> Result<Below, Problem> {
    let documents = consent::in_force(db)?;
    let outside = billing::code_from_above(db, account)?;
    store::below(db, account, &documents, outside)
}

/// What is missing in the accounts that are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    #[default]
    Anything,
    Agreements,
    Payment,
}

/// Accounts below that are not ready, by name: at most `limit` rows, and against the order where `want` asks for a
/// page before another ([`crate::web::paging`]).
pub fn not_ready(
    db: &mut Db,
    account: Key,
    missing: Missing,
    want: &Want,
    limit: usize,
) -> Result<Vec<NotReady>, Problem> {
    let documents = consent::in_force(db)?;
    let outside = billing::code_from_above(db, account)?;
    store::not_ready(db, account, &documents, outside, missing, want, limit)
}

/// Up to three people who can remove the blocker, nearest first, as far as the asking person may know of them.
pub fn who_can(db: &mut Db, frame: &Frame, blockers: &[Blocker]) -> Result<Vec<Vec<String>>, Problem> {
    let needed: Vec<Permission> = blockers
        .iter()
        .filter_map(|blocker| match blocker.needs() {
            Needs::One(permission) => Some(permission),
            Needs::Sight => None,
        })
        .collect();
    store::people(db, frame, &needed)
}
