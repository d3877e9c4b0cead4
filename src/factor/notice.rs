//! What a person is told by mail when their second factor changes: so that somebody else's doing does not stay unseen.

use super::Means;
use crate::access::Actor;
use crate::ids;
use crate::mail::{Kind, Letter};

/// `what` happened, as in "passkey “Laptop” added".
pub fn of(means: &Means, actor: &Actor, address: &str, what: &str) -> Letter {
    Letter {
        kind: Kind::SecurityNotice,
        to: actor.email.clone(),
        account: None,
        subject: format!("Your second factor: {what}"),
        opening: vec!["How you sign in to Subtenant was changed.".to_owned()],
        facts: vec![
            ("What".to_owned(), what.to_owned()),
            ("When".to_owned(), ids::now().format("%-d %b %Y, %H:%M UTC").to_string()),
            ("From".to_owned(), address.to_owned()),
        ],
        action: Some(("Look at your profile".to_owned(), format!("{}/profile", means.config.origin()))),
        closing: vec![
            "If that was not you, sign in at once, change your password and end all other sessions.".to_owned(),
        ],
    }
}
