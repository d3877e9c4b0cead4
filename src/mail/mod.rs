//! Mail: a letter is written into the outbox in the transaction of the change it speaks of, in its own words, and
//! becomes a message when it is sent.

mod outbox;

use serde::{Deserialize, Serialize};

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;

/// Why a letter is sent, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Invitation,
    PasswordReset,
    EmailVerification,
    EmailChanged,
    AgreementReceipt,
    ExpiryReminder,
    SecurityNotice,
}

impl Kind {
    pub fn code(self) -> &'static str {
        match self {
            Kind::Invitation => "INVITATION",
            Kind::PasswordReset => "PASSWORD_RESET",
            Kind::EmailVerification => "EMAIL_VERIFICATION",
            Kind::EmailChanged => "EMAIL_CHANGED",
            Kind::AgreementReceipt => "AGREEMENT_RECEIPT",
            Kind::ExpiryReminder => "EXPIRY_REMINDER",
            Kind::SecurityNotice => "SECURITY_NOTICE",
        }
    }
}

/// A letter in plain words; the HTML and the plain text are both made of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Letter {
    pub kind: Kind,
    /// One address.
    pub to: String,
    /// The account it is about, if any.
    pub account: Option<Key>,
    /// One line.
    pub subject: String,
    /// Paragraphs before the facts.
    pub opening: Vec<String>,
    /// Words and values, as ("Account", "Acme / EU").
    pub facts: Vec<(String, String)>,
    /// The words and the address of the one thing to do: a path of this console (`/invites/…`), or a full address.
    pub action: Option<(String, String)>,
    /// Paragraphs after it: until when, why this mail came, what to do if it was not expected.
    pub closing: Vec<String>,
}

/// Puts the letter into the outbox, in the transaction that is open.
pub fn post(db: &mut Db, letter: &Letter) -> Result<(), Problem> {
    outbox::insert(db, letter)
}
