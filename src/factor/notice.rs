//! What a person is told by mail when their second factor changes: so that somebody else's doing does not stay unseen.

use crate::access::{Actor, Origin};
use crate::mail::{self, Kind, Letter};

/// `what` happened, as in "passkey “Laptop” added".
pub fn of(actor: &Actor, origin: &Origin, what: &str) -> Letter {
    let mut facts = vec![("What".to_owned(), what.to_owned())];
    facts.extend(mail::facts(origin));
    Letter {
        kind: Kind::SecurityNotice,
        to: actor.email.clone(),
        account: None,
        subject: format!("Your second factor: {what}"),
        opening: vec!["How you sign in to Subtenant was changed.".to_owned()],
        facts,
        action: Some(("Look at your profile".to_owned(), "/profile".to_owned())),
        closing: vec![
            "If that was not you, sign in at once, change your password and end all other sessions.".to_owned(),
        ],
    }
}
