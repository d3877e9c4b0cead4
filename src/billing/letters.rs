//! What the billing address is told about a payment method that fails or ends.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::method::Method;
use crate::ids;
use crate::mail::{self, Kind, Letter};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::accounts;
use crate::web::when::When;

/// A charge failed, or the provider does not know the method any more.
pub fn failed(db: &mut Db, own: &Method, pays_until: NaiveDateTime) -> Result<(), Problem> {
    let opening = "A charge to this payment method failed, or it was taken back at the payment provider.";
    post(db, own, "A payment method failed", opening, pays_until)
}

/// Nothing stops before `pays_until`, which is said where it is in sight.
pub fn post(db: &mut Db, own: &Method, subject: &str, opening: &str, pays_until: NaiveDateTime) -> Result<(), Problem> {
    let (id, name): (String, String) =
        accounts::table.find(own.account).select((accounts::id, accounts::name)).first(db)?;
    let mut facts = vec![("Account".to_owned(), name.clone())];
    facts.extend(own.stored.words().map(|words| ("Payment method".to_owned(), words)));
    let mut closing = Vec::new();
    if pays_until < ids::never() {
        facts.push(("Nothing stops before".to_owned(), When::from(pays_until).words));
        closing.push(
            "From that moment on it does not pay any more: neither this account nor the accounts that inherit it can \
             start new connections."
                .to_owned(),
        );
    }
    let letter = Letter {
        kind: Kind::PaymentNotice,
        to: own.entries.email.clone(),
        account: Some(own.account),
        subject: format!("{subject}: {name}"),
        opening: vec![opening.to_owned()],
        facts,
        action: Some(("Enter another payment method".to_owned(), format!("/a/{id}/billing/edit"))),
        closing,
    };
    mail::post(db, &letter)
}
