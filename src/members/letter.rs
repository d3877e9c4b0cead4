//! The letter that carries an invitation.

use super::store::invitations::Invitation;
use crate::access::Frame;
use crate::mail::{Kind, Letter};
use crate::roles::Role;
use crate::web::shell::path_words;
use crate::web::when::{self, When};

/// `frame`: of who invites, who sees the path.
pub fn invitation(frame: &Frame, invitation: &Invitation, roles: &[Role], link: &str) -> Letter {
    let account = frame.account();
    let inviter = &frame.actor;
    let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
    let mut opening = vec![format!(
        "{} ({}) invites you to become a member of the account {} in Subtenant.",
        inviter.name(),
        inviter.email,
        account.name
    )];
    if !invitation.message.is_empty() {
        opening.push(format!("{} writes:", inviter.first_name));
        opening.extend(invitation.message.lines().map(str::to_owned).filter(|line| !line.trim().is_empty()));
    }
    let mut facts = vec![
        ("Account".to_owned(), path_words(frame)),
        (if names.len() == 1 { "Role" } else { "Roles" }.to_owned(), names.join(", ")),
        ("Reaches".to_owned(), invitation.scope.words().to_owned()),
    ];
    if let Some(day) = when::last_day(invitation.ends_at) {
        facts.push(("Until".to_owned(), format!("the end of {} (UTC)", day.words)));
    }
    if frame.asks_second_factor().is_some() {
        let words = "needed to enter; you can set one up after accepting";
        facts.push(("Second factor".to_owned(), words.to_owned()));
    }
    Letter {
        kind: Kind::Invitation,
        to: invitation.email.clone(),
        account: Some(account.key),
        subject: format!("{} invites you to {}", inviter.name(), account.name),
        opening,
        facts,
        action: Some(("Accept invitation".to_owned(), link.to_owned())),
        closing: vec![
            format!(
                "The link works once, until {}, and only for this address.",
                When::from(invitation.expires_at).words
            ),
            "You have no access before you accept. If you did not expect this, do nothing.".to_owned(),
        ],
    }
}
