//! A payment method as the room knows it: how it is collected, who gets the invoice, and whether accounts below may
//! use it. The words are the published interface's (`AccountBilling`). Card and bank numbers have no place here: of
//! those kinds only what the payment provider hands out will ever be stored.

use crate::ids::Key;

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

    /// What the form offers today. The others need the payment provider's own fields.
    pub const OFFERED: [CollectionMethod; 1] = [CollectionMethod::Net30];

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
            CollectionMethod::CreditCard => "Card, monthly autopay",
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

    /// Whether a new one counts at once. A bank account is verified by two small deposits first.
    pub fn is_verified_at_once(self) -> bool {
        self != CollectionMethod::PullAch
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
}

impl Entries {
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
    fn every_collection_method_is_found_by_its_code() {
        for method in CollectionMethod::EVERY {
            assert_eq!(CollectionMethod::of_code(method.code()), Some(method));
        }
        assert_eq!(CollectionMethod::of_code("net_30"), None);
    }
}
