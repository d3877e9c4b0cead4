//! The letters of this room, in words.

use crate::access::Origin;
use crate::mail::{Kind, Letter, facts};

fn letter(kind: Kind, to: &str, subject: &str) -> Letter {
    Letter {
        kind,
        to: to.to_owned(),
        account: None,
        subject: subject.to_owned(),
        opening: Vec::new(),
        facts: Vec::new(),
        action: None,
        closing: Vec::new(),
    }
}

/// The link for a new password.
pub fn reset(to: &str, token: &str, origin: &Origin) -> Letter {
    Letter {
        opening: vec![
            "Somebody asked to set a new password for your account. If it was you, go on with this link.".to_owned(),
        ],
        facts: facts(origin),
        action: Some(("Set a new password".to_owned(), format!("/password/reset/{token}"))),
        closing: vec![
            "The link works once, for one hour, and best in the browser in which you asked for it.".to_owned(),
            "If it was not you, do nothing: your password stays as it is.".to_owned(),
        ],
        ..letter(Kind::PasswordReset, to, "Set a new password")
    }
}

/// To somebody whose second factor went with the password: nobody had shown that the address is theirs.
pub fn all_changed(to: &str, origin: &Origin) -> Letter {
    let mut letter = password_changed(to, origin);
    letter.opening.push(
        "Nobody had confirmed this address before, so the second factor that was set up does not count any more. You \
         can set up your own in your profile."
            .to_owned(),
    );
    letter
}

/// To somebody whose password is another one now.
pub fn password_changed(to: &str, origin: &Origin) -> Letter {
    Letter {
        opening: vec!["The password with which you sign in was changed.".to_owned()],
        facts: facts(origin),
        action: Some(("Set a new password".to_owned(), "/password/forgot".to_owned())),
        closing: vec![
            "If it was you, there is nothing to do.".to_owned(),
            "If it was not you, set a new password at once and tell an administrator of your accounts.".to_owned(),
        ],
        ..letter(Kind::SecurityNotice, to, "Your password was changed")
    }
}

/// To somebody who signed up, or wants this letter again.
pub fn verification(to: &str, name: &str, token: &str) -> Letter {
    Letter {
        opening: vec![
            format!("Hello {name},"),
            "please confirm that this address is yours, so that mail about your accounts reaches you.".to_owned(),
        ],
        action: Some(("Confirm email address".to_owned(), format!("/email/verify/{token}"))),
        closing: vec![
            "The link works once, for 7 days.".to_owned(),
            "If you did not sign up, somebody mistyped their address: do nothing.".to_owned(),
        ],
        ..letter(Kind::EmailVerification, to, "Confirm your email address")
    }
}

/// To the address that is to become somebody's.
pub fn change(to: &str, name: &str, old: &str, token: &str) -> Letter {
    Letter {
        opening: vec![format!("{name} ({old}) wants to sign in with this address from now on.")],
        action: Some(("Confirm email address".to_owned(), format!("/profile/email/{token}"))),
        closing: vec![
            "The link works once, for 24 hours, and asks you to sign in. Until then the old address stays.".to_owned(),
            "If you do not know about this, do nothing.".to_owned(),
        ],
        ..letter(Kind::EmailVerification, to, "Confirm your new email address")
    }
}

/// To somebody whose address another person wants to take.
pub fn somebody_tried(to: &str) -> Letter {
    Letter {
        opening: vec![
            "Somebody entered this address as their new one. You sign in with it already, so nothing was changed."
                .to_owned(),
        ],
        action: Some(("Sign in".to_owned(), "/sign-in".to_owned())),
        closing: vec![
            "If it was you: sign in with this address, or set a new password if you forgot it.".to_owned(),
            "If it was not you, there is nothing to do.".to_owned(),
        ],
        ..letter(Kind::SecurityNotice, to, "Somebody entered your email address")
    }
}

/// To the address somebody has still, when another one is to take its place.
pub fn change_asked(to: &str, new: &str, origin: &Origin) -> Letter {
    let mut facts = facts(origin);
    facts.insert(0, ("New address".to_owned(), new.to_owned()));
    Letter {
        opening: vec!["Somebody asked to change the address with which you sign in.".to_owned()],
        facts,
        action: Some(("Set a new password".to_owned(), "/password/forgot".to_owned())),
        closing: vec![
            "If it was you, open the link in the mail to the new address.".to_owned(),
            "If it was not you, somebody knows your password. Set a new one at once: that stops the change.".to_owned(),
        ],
        ..letter(Kind::SecurityNotice, to, "Your email address is about to change")
    }
}

/// To the address somebody had.
pub fn changed(to: &str, new: &str, origin: &Origin) -> Letter {
    let mut facts = facts(origin);
    facts.insert(0, ("New address".to_owned(), new.to_owned()));
    Letter {
        opening: vec!["The address with which you sign in was changed. This one does not work any more.".to_owned()],
        facts,
        closing: vec![
            "If it was you, there is nothing to do.".to_owned(),
            "If it was not you, tell an administrator of your accounts at once: they can take your access away until \
             it is sorted out."
                .to_owned(),
        ],
        ..letter(Kind::EmailChanged, to, "Your email address was changed")
    }
}
