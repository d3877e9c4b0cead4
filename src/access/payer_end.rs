//! How long what pays for an account lasts, as every page of it says: read with the chain, so that it costs no query of
//! its own. Who pays and how much is known of it is the room `billing`'s to say.

use chrono::NaiveDateTime;

use crate::ids;
use crate::store::schema::payment_methods;

/// The end of the payment method that pays for an account. Whose it is and what kind is not for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayerEnd {
    /// The account's own, not one from above.
    pub own: bool,
    pub expires_at: NaiveDateTime,
    /// Charges to it fail.
    pub failing: bool,
    /// It pays no more from then on.
    pub pays_until: NaiveDateTime,
}

/// Whether a payment method is offered below, and its end.
pub(super) type MethodRow = (bool, NaiveDateTime, Option<NaiveDateTime>, NaiveDateTime);

pub(super) const METHOD_COLUMNS: (
    payment_methods::allow_child_accounts,
    payment_methods::expires_at,
    payment_methods::failed_at,
    payment_methods::pays_until,
) = (
    payment_methods::allow_child_accounts,
    payment_methods::expires_at,
    payment_methods::failed_at,
    payment_methods::pays_until,
);

impl PayerEnd {
    /// The nearest method pays for the account if it is its own, or offered to it from above.
    pub(super) fn of(own: bool, (offered, expires_at, failed_at, pays_until): MethodRow) -> Option<PayerEnd> {
        let ends = pays_until < ids::never() || failed_at.is_some();
        (ends && (own || offered)).then_some(PayerEnd { own, expires_at, failing: failed_at.is_some(), pays_until })
    }
}
