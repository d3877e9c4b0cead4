//! What every page of an account says while the payment method that pays for it fails, is about to end, or has ended:
//! until when nothing stops, and what to do. Of one from above no more is told than those below need: not whose it is,
//! and not the day on which it ends.

use chrono::Duration;

use super::shell::PaymentNote;
use super::when::When;
use crate::access::policy::{CreateBilling, UpdateBilling};
use crate::access::{Frame, PayerEnd};
use crate::ids;

/// Days before the end of a card from which it is said.
const DAYS: i64 = 30;

pub fn note(frame: &Frame) -> Option<PaymentNote> {
    let end = frame.payer?;
    let (may_replace, may_add) = (frame.may::<UpdateBilling>(), frame.may::<CreateBilling>());
    let words = words(&end, may_replace, ids::now())?;
    let over = end.pays_until <= ids::now();
    let action = match end.own {
        true if may_replace => Some(("Replace it", "billing")),
        false if may_add => Some(("Add a payment method of its own", "billing/new")),
        _ => None,
    };
    Some(PaymentNote { tone: if over { "bad" } else { "warn" }, words, action })
}

fn words(end: &PayerEnd, may_replace: bool, now: chrono::NaiveDateTime) -> Option<String> {
    let which =
        if end.own { "The payment method of this account" } else { "The inherited payment method of this account" };
    let day = |at| When::day(at).words;
    let to_do = match end.own {
        true if may_replace => "",
        true => " Ask somebody who may change its billing to replace it.",
        false => " Whoever pays has been told.",
    };
    if end.pays_until <= now {
        return Some(format!(
            "{which} does not pay any more: new connections are blocked until it is replaced.{to_do}"
        ));
    }
    let until = day(end.pays_until);
    if end.failing || end.expires_at <= now {
        let what = if end.failing { "failed" } else { "has expired" };
        return Some(format!("{which} {what}. Nothing stops before {until}.{to_do}"));
    }
    if end.expires_at > now + Duration::days(DAYS) {
        return None;
    }
    Some(if end.own {
        let expires = day(end.expires_at);
        format!("{which} expires on {expires}. Enter another one before; nothing stops before {until}.{to_do}")
    } else {
        format!("{which} expires soon.{to_do} Nothing stops before {until}.")
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
        let said = |end| words(&end, false, now).unwrap_or_default();
        assert_eq!(said(end(true, 31, false, 45)), "");
        assert!(said(end(true, 29, false, 43)).contains("expires on"));
        assert!(!said(end(false, 29, false, 43)).contains("expires on"));
        assert!(said(end(false, -1, false, 13)).contains("has expired. Nothing stops before"));
        assert!(said(end(true, 300, true, 13)).contains("failed. Nothing stops before"));
        assert!(said(end(false, -15, false, -1)).contains("does not pay any more"));
        assert!(said(end(true, 300, true, 13)).ends_with("Ask somebody who may change its billing to replace it."));
        for (days, failing, grace) in [(29, false, 43), (-1, false, 13), (300, true, 13), (-15, false, -1)] {
            let said = said(end(false, days, failing, grace));
            assert!(said.contains("Whoever pays has been told."), "{said}");
            let until = When::day(now + Duration::days(grace)).words;
            assert_eq!(said.contains(&until), grace > 0, "{said}");
        }
    }
}
