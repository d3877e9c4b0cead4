//! The payment provider behind one small trait: [`Stripe`], and [`Demo`] for demonstrations. Card and bank numbers go
//! from the browser to the provider; here only ids, brand, last four digits and expiry come by. No call is ever made
//! inside a transaction. Leaves out: who pays for whom, and what is stored.

mod amounts;
mod demo;
mod reply;
mod stripe;
pub mod webhook;

use std::fmt;

use futures_util::future::BoxFuture;

use crate::config::{Config, Hidden, ProviderConfig};
use crate::problem::Problem;
pub use amounts::at_provider;
pub use demo::{Choice, Demo};
pub use stripe::Stripe;

/// What is set up at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Card,
    BankAccount,
}

/// What may be known and stored of a card or a bank account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Means {
    /// `pm_…`
    pub id: String,
    /// Whose it is; none when it was detached.
    pub customer: Option<String>,
    pub kind: Kind,
    /// "Visa", or the bank's name.
    pub brand: String,
    pub last_four: String,
    /// Year and month in which a card ends.
    pub expiry: Option<(i32, u32)>,
    /// `individual` or `company`, of bank accounts.
    pub holder_type: String,
}

/// How far a set-up has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Nothing entered yet, or what was entered was refused: then with the provider's words about it.
    Waiting(Option<String>),
    /// The bank wants to see the card's holder (3-D Secure).
    Holder,
    /// Two small deposits are on their way to a bank account.
    Deposits,
    /// The provider has not decided.
    Undecided,
    Done,
    Cancelled,
}

/// A set-up at the provider (`seti_…`).
#[derive(Debug, Clone)]
pub struct Intent {
    pub id: String,
    pub customer: String,
    /// Lets the browser, and nobody else, fill it in. Never stored.
    pub client_secret: Hidden,
    pub progress: Progress,
    pub means: Option<Means>,
}

/// How a charge ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The method that was charged.
    pub means: String,
    pub paid: bool,
    /// Seconds since 1970.
    pub created: i64,
}

/// An amount to be paid with a method that was set up before, without the customer being there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    pub customer: String,
    pub means: String,
    pub kind: Kind,
    /// In the currency's minor unit.
    pub amount: i64,
    /// ISO 4217, in capitals.
    pub currency: String,
    /// The public id of the invoice; the provider shows it to whoever looks the payment up there.
    pub invoice: String,
}

/// How far a payment has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Collected {
    /// Not confirmed yet: nothing is charged.
    Fresh,
    /// A bank takes some days.
    Underway,
    Paid,
    /// Not charged, for this reason in the provider's words.
    Failed(String),
    /// It can never be charged any more.
    Cancelled,
}

/// A payment at the provider (`pi_…`), good for one charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub id: String,
    /// What is charged with it; empty where a refused one was taken off again.
    pub means: String,
    /// The public id of the invoice it was made for; empty when it was made elsewhere.
    pub invoice: String,
    /// Amount and currency, as the provider counts ([`at_provider`]) and in capitals; none where it does not say.
    pub asked: Option<(i64, String)>,
    pub collected: Collected,
}

/// Something that the provider says happened: which object to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub id: String,
    /// `setup_intent.succeeded` …
    pub kind: String,
    /// The id of the object.
    pub object: String,
    /// Seconds since 1970.
    pub created: i64,
}

/// Why the provider did not do it.
#[derive(Debug)]
pub enum Trouble {
    /// It said no; its words are for people.
    Refused { code: String, words: String },
    /// It has no such thing.
    Unknown,
    /// It did not answer, or could not. Whether it did anything is not known; the same key may be sent again.
    Away(anyhow::Error),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Refused { code, words } => write!(f, "refused ({code}): {words}"),
            Trouble::Unknown => f.write_str("no such object"),
            Trouble::Away(cause) => write!(f, "no answer: {cause:#}"),
        }
    }
}

pub type Answer<'a, T> = BoxFuture<'a, Result<T, Trouble>>;

/// The calls that this console needs. `key`: the same one twice has one effect.
pub trait Provider: Send + Sync {
    /// A customer for the account with this public id; answers its id.
    fn open_customer<'a>(&'a self, key: &'a str, account: &'a str, email: &'a str) -> Answer<'a, String>;
    /// A set-up for later use without the customer being there.
    fn open_intent<'a>(&'a self, key: &'a str, customer: &'a str, kind: Kind) -> Answer<'a, Intent>;
    fn intent<'a>(&'a self, id: &'a str) -> Answer<'a, Intent>;
    fn means<'a>(&'a self, id: &'a str) -> Answer<'a, Means>;
    /// Makes the method this customer's.
    fn attach<'a>(&'a self, id: &'a str, customer: &'a str) -> Answer<'a, ()>;
    /// Gives the method back: it can be charged no more. Nothing happens to one that is detached already.
    fn detach<'a>(&'a self, id: &'a str) -> Answer<'a, ()>;
    /// The amounts in cents of the two deposits. Refused when they are others.
    fn verify<'a>(&'a self, intent: &'a str, amounts: [i64; 2]) -> Answer<'a, Intent>;
    /// The charge with this id (`ch_…` or `pi_…`).
    fn charge<'a>(&'a self, id: &'a str) -> Answer<'a, Charge>;
    /// Makes a payment that is not charged before it is confirmed.
    fn open_payment<'a>(&'a self, key: &'a str, demand: &'a Demand) -> Answer<'a, Payment>;
    fn payment<'a>(&'a self, id: &'a str) -> Answer<'a, Payment>;
    /// Charges it, once, however often it is asked. Refused when the bank says no.
    fn confirm<'a>(&'a self, id: &'a str) -> Answer<'a, Payment>;
    /// Makes sure that it is never charged. Refused when it was, or is about to be.
    fn cancel<'a>(&'a self, id: &'a str) -> Answer<'a, Payment>;
    /// Up to 100 notices of the last 30 days, the newest first, older than the one with this id.
    fn notices<'a>(&'a self, before: Option<&'a str>) -> Answer<'a, Vec<Notice>>;
}

/// What this console was set up with.
pub enum Payments {
    /// Accounts pay by invoice only.
    Off,
    Stripe(Stripe, Box<ProviderConfig>),
    Demo(Demo),
}

impl Payments {
    pub fn new(config: &Config) -> anyhow::Result<Payments> {
        Ok(match &config.payments.provider {
            _ if config.demo => Payments::Demo(Demo::default()),
            Some(provider) => Payments::Stripe(Stripe::new(provider)?, Box::new(provider.clone())),
            None => Payments::Off,
        })
    }

    pub fn is_on(&self) -> bool {
        !matches!(self, Payments::Off)
    }

    /// NotFound where none is set up: what needs one does not exist then.
    pub fn provider(&self) -> Result<&dyn Provider, Problem> {
        match self {
            Payments::Off => Err(Problem::NotFound),
            Payments::Stripe(stripe, _) => Ok(stripe),
            Payments::Demo(demo) => Ok(demo),
        }
    }
}
