//! What a list says about each account besides its name: whether it may provision, its agreements and its payer. A few
//! queries, whatever the number of rows.

use std::collections::HashMap;

use crate::access::Frame;
use crate::billing::{self, Payer};
use crate::consent::{self, Brief};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::suspension;

/// State, agreements and payment of one account, in words; the tones are the badges'.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    pub state: &'static str,
    pub state_tone: &'static str,
    pub agreements: String,
    pub accepted: bool,
    pub payment: String,
    pub paid: bool,
    /// It is suspended itself, not by an account above it.
    pub resumable: bool,
}

/// The marks of these accounts, as somebody with this frame may know them: the name of an account above is told only
/// if they may see it.
pub fn of(db: &mut Db, frame: &Frame, keys: &[Key]) -> Result<HashMap<Key, Marks>, Problem> {
    let consents = consent::briefs(db, keys)?;
    let payers = billing::payers(db, keys)?;
    let suspended = suspension::among(db, keys)?;
    let marks = |key: &Key| marks(consents.get(key), payers.get(key), suspended.get(key).copied(), frame);
    Ok(keys.iter().map(|key| (*key, marks(key))).collect())
}

/// The same of accounts directly below the frame's: what they have from above, they all have from the same.
pub fn of_children(db: &mut Db, frame: &Frame, keys: &[Key]) -> Result<HashMap<Key, Marks>, Problem> {
    let consents = consent::briefs(db, keys)?;
    let payers = billing::payers_of_children(db, frame.account(), keys)?;
    let themselves = suspension::themselves(db, keys)?;
    let suspended = |key: &Key| match (themselves.contains(key), &frame.suspended) {
        (true, _) => Some(true),
        (false, Some(_)) => Some(false),
        (false, None) => None,
    };
    let marks = |key: &Key| marks(consents.get(key), payers.get(key), suspended(key), frame);
    Ok(keys.iter().map(|key| (*key, marks(key))).collect())
}

/// `suspended`: whether the account is so itself, where it or one above it is.
fn marks(consent: Option<&Brief>, payer: Option<&Payer>, suspended: Option<bool>, frame: &Frame) -> Marks {
    let accepted = consent.is_some_and(Brief::is_accepted);
    let paid = payer.is_some_and(Payer::pays);
    let (state, state_tone) = match (accepted, paid) {
        _ if suspended.is_some() => ("Suspended", "bad"),
        (true, true) => ("Active", "good"),
        (false, _) => ("Awaiting agreements", "warn"),
        (true, false) => ("Awaiting payment", "warn"),
    };
    Marks {
        state,
        state_tone,
        agreements: consent.map(Brief::words).unwrap_or_default(),
        accepted,
        payment: payer.map(|payer| payer.words(frame)).unwrap_or_default(),
        paid,
        resumable: suspended == Some(true),
    }
}
