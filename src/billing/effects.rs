//! What a change of a payment method does to who pays. The accounts below that have no method between themselves and
//! this account follow it: all of them are paid for alike, before and after, so the rule needs to look at two cases
//! only (the account itself, its followers), and the database only to count them.

use super::payer::Source;
use crate::ids;
use crate::problem::{Problem, Reason};

/// What an account has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    None,
    /// For itself alone.
    Kept,
    /// For the accounts below as well.
    Offered,
}

impl Own {
    pub fn with(allow_child_accounts: bool) -> Own {
        if allow_child_accounts { Own::Offered } else { Own::Kept }
    }
}

/// Distances from the account within which all its followers (and it itself, at 0) are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    pub from: i64,
    pub to: i64,
}

impl Reach {
    pub const FOLLOWERS: Reach = Reach { from: 1, to: i64::MAX };
    pub const ALL: Reach = Reach { from: 0, to: i64::MAX };
    pub const ITSELF: Reach = Reach { from: 0, to: 0 };

    fn of(itself: bool, followers: bool) -> Option<Reach> {
        match (itself, followers) {
            (true, true) => Some(Reach::ALL),
            (true, false) => Some(Reach::ITSELF),
            (false, true) => Some(Reach::FOLLOWERS),
            (false, false) => None,
        }
    }
}

/// Who is without a payer after the change and had one before; `above`: whether a method above is offered and can be
/// charged. One that cannot catches nobody.
pub fn losing(before: Own, after: Own, above: bool) -> Option<Reach> {
    let pays_itself = |own| own != Own::None || above;
    let pays_followers = |own| own == Own::Offered || (own == Own::None && above);
    Reach::of(pays_itself(before) && !pays_itself(after), pays_followers(before) && !pays_followers(after))
}

/// Some accounts, counted, with what makes the same number of other accounts noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub accounts: i64,
    /// Those with live connections, and how many connections that are.
    pub connected: i64,
    pub connections: i64,
    pub checksum: i64,
}

/// What a change would do, counted now.
#[derive(Debug, Clone)]
pub struct Effects {
    pub before: Own,
    pub after: Own,
    /// The method above that is offered, if there is one.
    pub above: Option<Source>,
    pub reach: Option<Reach>,
    /// The accounts that lose their payer.
    pub losing: Tally,
    /// Open accounts that follow this one, without itself.
    pub followers: i64,
}

impl Effects {
    /// Names these effects, so that a page shown before can be told from what is true now.
    pub fn stamp(&self) -> String {
        let Tally { accounts, connected, connections, checksum } = self.losing;
        let (above, pays) = self.above.as_ref().map_or((0, false), |source| (source.key, source.verified));
        let all = format!("{accounts}-{connected}-{connections}-{checksum}-{above}-{pays}-{}", self.followers);
        // The numbers are not for everybody who may confirm.
        ids::sha256_hex(all.as_bytes())[..32].to_owned()
    }

    /// Refuses what would leave live connections without a payer.
    pub fn allowed(&self) -> Result<(), Problem> {
        let Tally { connected, connections, .. } = self.losing;
        if connections == 0 {
            return Ok(());
        }
        Err(Problem::Conflict(Reason::BillingCannotBeRemoved { accounts: connected, connections }))
    }

    /// Refuses what was not confirmed as it is now.
    pub fn confirmed(&self, stamp: &str) -> Result<(), Problem> {
        if stamp == self.stamp() { Ok(()) } else { Err(Problem::Conflict(Reason::Unconfirmed)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_loses_what_the_account_above_offers_in_its_place() {
        assert_eq!(losing(Own::Offered, Own::None, true), None);
        assert_eq!(losing(Own::Kept, Own::None, true), None);
        assert_eq!(losing(Own::Offered, Own::None, false), Some(Reach::ALL));
        assert_eq!(losing(Own::Kept, Own::None, false), Some(Reach::ITSELF));
    }

    #[test]
    fn a_method_that_is_not_offered_ends_the_search_for_those_below() {
        assert_eq!(losing(Own::Offered, Own::Kept, true), Some(Reach::FOLLOWERS));
        assert_eq!(losing(Own::Offered, Own::Kept, false), Some(Reach::FOLLOWERS));
        assert_eq!(losing(Own::None, Own::Kept, true), Some(Reach::FOLLOWERS));
        assert_eq!(losing(Own::None, Own::Kept, false), None);
        assert_eq!(losing(Own::None, Own::Offered, true), None);
    }
}
