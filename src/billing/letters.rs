//! What is told about a payment method that fails or ends: to its billing address, and to the people of the accounts
//! that it pays for.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::method::Method;
use super::telling::Person;
use super::warnings::{self, Stage};
use crate::ids;
use crate::mail::{self, Kind, Letter};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::accounts;
use crate::text;
use crate::web::when::When;

/// A charge failed, or the provider does not know the method any more.
pub fn failed(db: &mut Db, own: &Method, pays_until: NaiveDateTime) -> Result<(), Problem> {
    let opening = "A charge to this payment method failed, or it was taken back at the payment provider.";
    post(db, own, "A payment method failed", opening, pays_until)?;
    warnings::note(db, own, pays_until, Stage::Failed)?;
    Ok(())
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

/// To somebody who may change the payment methods of accounts for which this one pays. Of the method and of accounts
/// that they may not see nothing is told; `payer`: its name, where they may see it.
pub fn to_person_below(
    db: &mut Db,
    person: &Person,
    stage: Stage,
    payer: Option<&str>,
    pays_until: NaiveDateTime,
) -> Result<(), Problem> {
    let what = match stage {
        Stage::Before(..) => "expires soon",
        Stage::Expired => "has expired",
        Stage::Failed => "failed",
        Stage::Over => "does not pay any more",
    };
    let others = person.accounts - 1;
    let (which, accounts) = if others == 0 {
        (person.name.clone(), person.name.clone())
    } else {
        let more = text::count(others, "more account", "more accounts");
        (text::count(person.accounts, "account", "accounts"), format!("{} and {more}", person.name))
    };
    let payer = payer.unwrap_or("an account above");
    let mut facts = vec![("Paid by".to_owned(), payer.to_owned()), ("Your accounts".to_owned(), accounts)];
    let closing = if stage == Stage::Over {
        "New connections are blocked until it is replaced, or until your account has a payment method of its own."
    } else {
        facts.push(("Nothing stops before".to_owned(), When::from(pays_until).words));
        "If it is replaced until then, there is nothing to do. An account with a payment method of its own does not \
         depend on it."
    };
    let letter = Letter {
        kind: Kind::PayerNotice,
        to: person.email.clone(),
        account: Some(person.account),
        subject: format!("The payment method that pays for {which} {what}"),
        opening: vec![format!("It is inherited from {payer}, where the billing address has been told.")],
        facts,
        action: Some(("Open billing".to_owned(), format!("/a/{}/billing", person.account_id))),
        closing: vec![closing.to_owned()],
    };
    mail::post(db, &letter)
}
