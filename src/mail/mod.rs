//! Mail: a letter is written into the outbox in the transaction of the change it speaks of, in its own words, and
//! becomes a message when it is sent: by SMTP, or as a file where no server is set. Nothing waits for it. A mail is
//! sent at least once; its id is its Message-ID, so that a twin is recognised.

mod delivery;
mod message;
mod notice;
mod outbox;
mod wrap;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::access::Origin;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::web::device;
use crate::web::when::When;
pub use delivery::{Carrier, deliver_due};
pub use notice::notice;
pub use outbox::{forget_old, sent_to};

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
    Invoice,
    PaymentNotice,
    PayerNotice,
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
            Kind::Invoice => "INVOICE",
            Kind::PaymentNotice => "PAYMENT_NOTICE",
            Kind::PayerNotice => "PAYER_NOTICE",
        }
    }

    /// Why it comes to the one who reads it.
    fn reason(self) -> &'static str {
        match self {
            Kind::Invitation => "You get this because somebody invited this address.",
            Kind::PasswordReset => "You get this because somebody asked for a new password with this address.",
            Kind::EmailVerification => "You get this because somebody entered this address as their own.",
            Kind::EmailChanged => "You get this because you signed in, or asked to sign in, with this address.",
            Kind::AgreementReceipt => "You get this because you accepted agreements. Keep it for your records.",
            Kind::ExpiryReminder => "You get this because it is your access, or access that you gave.",
            Kind::SecurityNotice => "You get this because it concerns how you sign in.",
            Kind::Invoice => "You get this because the invoices of an account go to this address.",
            Kind::PaymentNotice => "You get this because this is the billing email of a payment method.",
            Kind::PayerNotice => "You get this because you may change how an account pays.",
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
    /// Paragraphs after it: until when, what to do if it was not expected. Why it came is said below them.
    pub closing: Vec<String>,
}

/// When and from where something was done, by which somebody recognises what they did themselves.
pub fn facts(origin: &Origin) -> Vec<(String, String)> {
    vec![
        ("When".to_owned(), When::from(ids::now()).words),
        ("From".to_owned(), format!("{}, address {}", device::words(&origin.user_agent), origin.address)),
    ]
}

static POSTED: Notify = Notify::const_new();

/// Puts the letter into the outbox, in the transaction that is open.
pub fn post(db: &mut Db, letter: &Letter) -> Result<(), Problem> {
    outbox::insert(db, letter)?;
    ring();
    Ok(())
}

/// Tells the worker of this process that there is something to do, or will be when this transaction ends.
pub fn ring() {
    POSTED.notify_one();
}

/// Waits for [`ring`].
pub async fn rung() {
    POSTED.notified().await;
}
