//! Which accounts below one a list shows, and in which order.

use crate::access::Place;
use crate::access::below::LARGE;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Direct,
    Below,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Name,
    Children,
    Created,
}

/// Which accounts, in which order.
#[derive(Debug, Clone)]
pub struct Filter {
    pub scope: Scope,
    /// Part of the name; empty for all.
    pub text: String,
    pub sort: Sort,
    pub descending: bool,
}

impl Filter {
    /// The same where the account has so many below: what is not read in the order of an index has the order of names.
    #[must_use]
    pub fn within(self, account: &Place) -> Filter {
        let apart = self.scope == Scope::Below || !self.text.is_empty();
        if apart && size(account, self.scope) > LARGE { Filter { sort: Sort::Name, ..self } } else { self }
    }

    /// Whether a page is some rows of an index, one after the other, and what is said of them is read in a moment: of
    /// direct children, as everything above them is the same.
    pub fn is_brief(&self) -> bool {
        self.text.is_empty() && self.scope == Scope::Direct && self.sort != Sort::Children
    }
}

/// How many accounts there are before any filter.
pub fn size(account: &Place, scope: Scope) -> i64 {
    match scope {
        Scope::Direct => account.children_count,
        Scope::Below => account.below_count,
    }
}
