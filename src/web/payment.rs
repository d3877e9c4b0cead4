//! What every page of an account says while the payment method that pays for it is about to end, or has ended. Of one
//! from above no more is told than those below need: not whose it is, and no day before it has ended.

use chrono::Duration;

use super::shell::PaymentNote;
use super::when::When;
use crate::access::policy::UpdateBilling;
use crate::access::{Frame, PayerEnd};
use crate::ids;

/// Days before the end of a card from which it is said.
const DAYS: i64 = 30;

pub fn note(frame: &Frame) -> Option<PaymentNote> {
    let end = frame.payer?;
    let words = words(&end, ids::now())?;
    let over = end.pays_until <= ids::now();
    let mine = end.own && frame.may::<UpdateBilling>();
    Some(PaymentNote { tone: if over { "bad" } else { "warn" }, words, mine })
}

fn words(end: &PayerEnd, now: chrono::NaiveDateTime) -> Option<String> {
    let which =
        if end.own { "The payment method of this account" } else { "The inherited payment method of this account" };
    let day = |at| When::day(at).words;
    if end.pays_until <= now {
        return Some(format!("{which} does not pay any more: new connections are blocked until it is replaced."));
    }
    if end.failing || end.expires_at <= now {
        let what = if end.failing { "failed" } else { "has expired" };
        return Some(format!("{which} {what}. Nothing stops before {}.", day(end.pays_until)));
    }
    if end.expires_at > now + Duration::days(DAYS) {
        return None;
    }
    Some(if end.own {
        format!("{which} expires on {}. Enter another one before.", day(end.expires_at))
    } else {
        format!("{which} expires soon. Whoever pays has been told.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_is_said_in_time_and_of_others_no_day_before_it_ended() {
        let now = ids::now();
        let end = |own, days, failing, grace| PayerEnd {
            own,
            expires_at: now + Duration::days(days),
            failing,
            pays_until: now + Duration::days(grace),
        };
        let said = |end| words(&end, now).unwrap_or_default();
        assert_eq!(said(end(true, 31, false, 45)), "");
        assert!(said(end(true, 29, false, 43)).contains("expires on"));
        assert!(!said(end(false, 29, false, 43)).contains("expires on"));
        assert!(said(end(false, -1, false, 13)).contains("has expired. Nothing stops before"));
        assert!(said(end(true, 300, true, 13)).contains("failed. Nothing stops before"));
        assert!(said(end(false, -15, false, -1)).contains("does not pay any more"));
    }
}
