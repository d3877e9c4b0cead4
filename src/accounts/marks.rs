//! What a list says about each account besides its name: whether it may provision, its agreements and its payer. One
//! query for each kind, whatever the number of rows.

use std::collections::HashMap;

use crate::access::Frame;
use crate::billing;
use crate::consent;
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
    let consents = consent::states(db, keys)?;
    let payers = billing::payers(db, keys)?;
    let suspended = suspension::among(db, keys)?;
    Ok(keys
        .iter()
        .map(|key| {
            let consent = consents.get(key);
            let accepted = consent.is_some_and(consent::State::is_accepted);
            let payer = payers.get(key);
            let paid = payer.is_some_and(billing::Payer::pays);
            let (state, state_tone) = match (accepted, paid) {
                _ if suspended.contains_key(key) => ("Suspended", "bad"),
                (true, true) => ("Active", "good"),
                (false, _) => ("Awaiting agreements", "warn"),
                (true, false) => ("Awaiting payment", "warn"),
            };
            let marks = Marks {
                state,
                state_tone,
                agreements: consent.map(consent::State::words).unwrap_or_default(),
                accepted,
                payment: payer.map(|payer| payer.words(frame)).unwrap_or_default(),
                paid,
                resumable: suspended.get(key) == Some(&true),
            };
            (*key, marks)
        })
        .collect())
}
