//! The receipt that goes by mail to whoever accepted: what, for which account, when, and where the record stays.

use super::{Consent, Document};
use crate::access::{Actor, Frame};
use crate::ids::Key;
use crate::mail::{Kind, Letter};
use crate::web::shell::path_words;
use crate::web::when::When;

/// One letter for one act. `account`: the account bound, as the one who accepted sees it.
pub(super) fn letter(actor: &Actor, frame: &Frame, account: Key, all: &[Consent]) -> Letter {
    let (id, name) = (&frame.account().id, &frame.account().name);
    let mut facts = vec![("Account".to_owned(), path_words(frame))];
    for Consent { document: Document { title, version, sha256, .. }, .. } in all {
        facts.push((title.clone(), format!("Version {version}, SHA-256 {sha256}")));
    }
    if let Some(first) = all.first() {
        facts.push(("Accepted".to_owned(), When::from(first.accepted_at).words));
        facts.push(("By".to_owned(), format!("{}, acting from {}", actor.name(), first.from.name)));
        facts.push(("From address".to_owned(), first.address.clone()));
    }
    let action = all.first().map(|one| ("Open the receipt".to_owned(), format!("/a/{id}/consent/{}", one.id)));
    Letter {
        kind: Kind::AgreementReceipt,
        to: actor.email.clone(),
        account: Some(account),
        subject: format!("Receipt: agreements accepted for {name}"),
        opening: vec![format!("You accepted these agreements, and {name} is bound by them.")],
        facts,
        action,
        closing: vec!["The record can be seen by everybody who can see the account, and is never changed.".to_owned()],
    }
}
