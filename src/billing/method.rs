//! A payment method as the room knows it: how it is collected, who gets the invoice, and whether accounts below may
//! use it. The words are the published interface's (`AccountBilling`). Card and bank numbers have no place here: of
//! those kinds only what the payment provider hands out will ever be stored.

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime};

use crate::ids::{self, Key};
use crate::payments::{Kind, Means};

/// How money is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectionMethod {
    /// A card, charged every month.
    CreditCard,
    /// An invoice, to be paid within 30 days.
    Net30,
    /// A bank account, drafted every month.
    PullAch,
}

impl CollectionMethod {
    pub const EVERY: [CollectionMethod; 3] =
        [CollectionMethod::CreditCard, CollectionMethod::Net30, CollectionMethod::PullAch];

    /// What the form offers, in its order. All but the invoice need the payment provider's own fields.
    pub fn offered(with_provider: bool) -> &'static [CollectionMethod] {
        const OFFERED: [CollectionMethod; 3] =
            [CollectionMethod::CreditCard, CollectionMethod::PullAch, CollectionMethod::Net30];
        if with_provider { &OFFERED } else { &OFFERED[2..] }
    }

    /// As it is stored and exported.
    pub fn code(self) -> &'static str {
        match self {
            CollectionMethod::CreditCard => "CREDIT_CARD",
            CollectionMethod::Net30 => "NET_30",
            CollectionMethod::PullAch => "PULL_ACH",
        }
    }

    pub fn of_code(code: &str) -> Option<CollectionMethod> {
        CollectionMethod::EVERY.into_iter().find(|method| method.code() == code)
    }

    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            CollectionMethod::CreditCard => "Credit card, monthly autopay",
            CollectionMethod::Net30 => "Invoice, 30 days",
            CollectionMethod::PullAch => "Bank account, monthly autodraft",
        }
    }

    /// What choosing it means.
    pub fn hint(self) -> &'static str {
        match self {
            CollectionMethod::CreditCard => "Charged every month.",
            CollectionMethod::Net30 => "Sent by email every month, to be paid within 30 days.",
            CollectionMethod::PullAch => "Drafted every month.",
        }
    }

    /// What is set up at the payment provider for it; nothing for invoices.
    pub fn at_provider(self) -> Option<Kind> {
        match self {
            CollectionMethod::CreditCard => Some(Kind::Card),
            CollectionMethod::PullAch => Some(Kind::BankAccount),
            CollectionMethod::Net30 => None,
        }
    }
}

/// What somebody enters: everything but what the system gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries {
    pub collection_method: CollectionMethod,
    pub name: String,
    pub email: String,
    pub street: String,
    pub city: String,
    pub state: String,
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub allow_child_accounts: bool,
}

/// Characters that each entry may have; the name's are the published interface's.
pub mod most {
    pub const NAME: usize = 64;
    pub const STREET: usize = 128;
    pub const CITY: usize = 64;
    pub const STATE: usize = 64;
    pub const POSTAL_CODE: usize = 16;
    pub const COUNTRY: usize = 64;
}

/// An account's own payment method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    pub account: Key,
    /// `billing-…`
    pub id: String,
    pub entries: Entries,
    pub verified: bool,
    pub version: i64,
    pub stored: Stored,
}

/// What is kept of a card or a bank account; all of it empty for invoices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its id at the payment provider.
    pub provider_id: String,
    /// "Visa", or the bank's name.
    pub brand: String,
    /// The last four digits of its number.
    pub last_four: String,
    /// `individual` or `company`, of bank accounts.
    pub holder_type: String,
    /// From when it is expired; what does not expire: [`ids::never`].
    pub expires_at: NaiveDateTime,
    /// Since when charges to it fail.
    pub failed_at: Option<NaiveDateTime>,
    /// The end of the grace period after either: it does not pay from then on.
    pub pays_until: NaiveDateTime,
}

/// The permission to draft a bank account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    pub at: NaiveDateTime,
    /// The user who gave it.
    pub by: Key,
}

impl Default for Stored {
    fn default() -> Stored {
        Stored {
            provider_id: String::new(),
            brand: String::new(),
            last_four: String::new(),
            holder_type: String::new(),
            expires_at: ids::never(),
            failed_at: None,
            pays_until: ids::never(),
        }
    }
}

/// The first moment (UTC) after the month in which a card ends.
fn end_of_month((year, month): (i32, u32)) -> NaiveDateTime {
    let (year, month) = if month >= 12 { (year.saturating_add(1), 1) } else { (year, month + 1) };
    let day = NaiveDate::from_ymd_opt(year, month, 1).filter(|day| day.year() < 9999);
    day.and_then(|day| day.and_hms_opt(0, 0, 0)).unwrap_or_else(ids::never)
}

impl Stored {
    /// Of what the provider tells, when nothing failed yet.
    pub fn of(means: &Means, grace_days: i64) -> Stored {
        let expires_at = means.expiry.map_or_else(ids::never, end_of_month);
        let stored = Stored {
            provider_id: means.id.clone(),
            brand: means.brand.clone(),
            last_four: means.last_four.clone(),
            holder_type: means.holder_type.clone(),
            expires_at,
            ..Stored::default()
        };
        stored.failing_since(None, grace_days)
    }

    /// The same with charges failing since then, or not any more.
    #[must_use]
    pub fn failing_since(mut self, failed_at: Option<NaiveDateTime>, grace_days: i64) -> Stored {
        let grace = Duration::days(grace_days);
        let after_expiry = if self.expires_at == ids::never() { ids::never() } else { self.expires_at + grace };
        self.failed_at = failed_at;
        self.pays_until = failed_at.map_or(after_expiry, |at| after_expiry.min(at + grace));
        self
    }

    /// "Visa ending 4242"; nothing for invoices.
    pub fn words(&self) -> Option<String> {
        (!self.provider_id.is_empty()).then(|| format!("{} ending {}", self.brand, self.last_four))
    }

    pub fn expires(&self) -> bool {
        self.expires_at < ids::never()
    }

    /// "12/2030", the last month in which it can be charged.
    pub fn expiry_words(&self) -> String {
        if !self.expires() {
            return String::new();
        }
        (self.expires_at - Duration::days(1)).format("%m/%Y").to_string()
    }
}

impl Entries {
    /// Tells these entries from others.
    pub fn fingerprint(&self) -> String {
        let all: Vec<String> = self.fields().iter().map(|(_, value)| format!("{}:{value}", value.len())).collect();
        ids::sha256_hex(all.concat().as_bytes())[..32].to_owned()
    }

    /// Each entry with its name in the published interface and its value, in the order of the form.
    pub fn fields(&self) -> [(&'static str, &str); 9] {
        [
            ("collectionMethod", self.collection_method.code()),
            ("name", &self.name),
            ("email", &self.email),
            ("street", &self.street),
            ("city", &self.city),
            ("state", &self.state),
            ("postalCode", &self.postal_code),
            ("country", &self.country),
            ("allowChildAccounts", if self.allow_child_accounts { "true" } else { "false" }),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_pays_until_the_grace_period_after_its_last_month_or_its_first_failure() {
        let means = |expiry| Means {
            id: "pm_1".to_owned(),
            customer: None,
            kind: Kind::Card,
            brand: "Visa".to_owned(),
            last_four: "4242".to_owned(),
            expiry,
            holder_type: String::new(),
        };
        let day = |text: &str| format!("{text}T00:00:00").parse::<NaiveDateTime>().unwrap();
        let card = Stored::of(&means(Some((2030, 12))), 14);
        assert_eq!((card.expires_at, card.pays_until), (day("2031-01-01"), day("2031-01-15")));
        assert_eq!((card.expiry_words().as_str(), card.words()), ("12/2030", Some("Visa ending 4242".to_owned())));
        assert_eq!(card.clone().failing_since(Some(day("2030-03-01")), 14).pays_until, day("2030-03-15"));
        assert_eq!(card.failing_since(Some(day("2031-01-10")), 14).pays_until, day("2031-01-15"));
        for odd in [None, Some((99_999, 12)), Some((i32::MAX, 13))] {
            assert_eq!(Stored::of(&means(odd), 14).pays_until, ids::never());
        }
        assert_eq!(
            Stored::of(&means(None), 14).failing_since(Some(day("2030-03-01")), 0).pays_until,
            day("2030-03-01")
        );
    }

    #[test]
    fn every_collection_method_is_found_by_its_code() {
        for method in CollectionMethod::EVERY {
            assert_eq!(CollectionMethod::of_code(method.code()), Some(method));
        }
        assert_eq!(CollectionMethod::of_code("net_30"), None);
    }
}
