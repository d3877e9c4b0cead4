//! Payment methods and who pays for whom. An account has at most one method of its own and may offer it to everything
//! below it; [`payer`] holds the rule. Adding, changing and removing say first who would be left without a payer, and
//! do nothing that leaves live connections without one. No card or bank number is known here.

mod country;
pub mod effects;
mod letters;
pub mod method;
mod pages;
pub mod payer;
pub mod provider;
pub mod setup;
pub(crate) mod store;
pub mod telling;
pub mod warnings;

use std::collections::HashMap;

use chrono::NaiveDateTime;

use crate::access::lookup;
use crate::access::policy::{CreateBilling, DeleteBilling, UpdateBilling};
use crate::access::{Grant, Place};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::Key;
use crate::problem::{Problem, Reason};
use crate::store::Db;
use effects::{Effects, Own, Tally};
pub use method::{CollectionMethod, Entries, Method, Stored};
pub use pages::routes;
pub use payer::{Counts, Held, How, Payer, Source, Standing, Walk};
pub use store::followers::Follower;
pub use store::owed::{Owed, owed};

/// What entries of the audit log call a payment method.
const SUBJECT: &str = "ACCOUNT_BILLING";

/// The account's own payment method.
pub fn own(db: &mut Db, account: Key) -> Result<Option<Method>, Problem> {
    store::own(db, account)
}

/// Its own method, if any, and what it would inherit without one.
pub fn standing(db: &mut Db, account: Key) -> Result<Standing, Problem> {
    store::payers::standing(db, account)
}

/// Who the account is to the payment provider, once it was told of it.
pub fn customer(db: &mut Db, account: Key) -> Result<Option<String>, Problem> {
    store::setups::customer(db, account)
}

/// Who pays for the account.
pub fn payer(db: &mut Db, account: Key) -> Result<Payer, Problem> {
    Ok(standing(db, account)?.payer())
}

/// Whether what does not pay for the account was verified: then it failed or expired, and its grace period is over.
pub fn has_lapsed(db: &mut Db, account: Key, payer: &Payer) -> Result<bool, Problem> {
    let at = match payer {
        Payer::Own { .. } => account,
        Payer::Inherited(source) => source.key,
        Payer::Nobody => return Ok(false),
    };
    Ok(store::own(db, at)?.is_some_and(|own| own.verified))
}

/// Who pays for each of these accounts, in two statements.
pub fn payers(db: &mut Db, accounts: &[Key]) -> Result<HashMap<Key, Payer>, Problem> {
    store::payers::payers(db, accounts)
}

/// The payers of accounts directly below this one: two statements that look no further up, account by account.
pub fn payers_of_children(db: &mut Db, parent: &Place, children: &[Key]) -> Result<HashMap<Key, Payer>, Problem> {
    let standing = standing(db, parent.key)?;
    let held = held(db, children)?;
    Ok(children.iter().map(|child| (*child, standing.of_child(parent, held.get(child).copied()))).collect())
}

/// What each of these accounts has of its own, if anything.
pub fn held(db: &mut Db, accounts: &[Key]) -> Result<HashMap<Key, Held>, Problem> {
    store::payers::held(db, accounts)
}

/// How everything open below the account is paid for.
pub fn below(db: &mut Db, account: Key) -> Result<Counts, Problem> {
    let standing = standing(db, account)?;
    store::payers::below(db, account, &standing)
}

/// A change of what an account has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A method is added, or the one there is changed, with or without offering it.
    Save {
        allow_child_accounts: bool,
    },
    Remove,
}

/// What the change would do to who pays, counted now.
pub fn effects(db: &mut Db, account: Key, change: Change) -> Result<Effects, Problem> {
    let standing = standing(db, account)?;
    let before = standing.own.map_or(Own::None, |held| Own::with(held.offered));
    let after = match change {
        Change::Save { allow_child_accounts } => Own::with(allow_child_accounts),
        Change::Remove => Own::None,
    };
    let above = standing.above;
    let reach = effects::losing(before, after, above.as_ref().is_some_and(|source| source.verified));
    let losing = match reach {
        Some(reach) => store::followers::tally(db, account, reach)?,
        None => Tally::default(),
    };
    let followers = followers(db, account)?;
    Ok(Effects { before, after, above, reach, losing, followers })
}

/// Accounts that lose their payer, those with live connections first; at most so many.
pub fn losers(db: &mut Db, account: Key, effects: &Effects, most: i64) -> Result<Vec<Follower>, Problem> {
    effects.reach.map_or(Ok(Vec::new()), |reach| store::followers::list(db, account, reach, most))
}

/// The same with the names on the way down from the account to each, as "Germany / Bavaria".
pub fn losers_with_paths(
    db: &mut Db,
    account: &Place,
    effects: &Effects,
    most: i64,
) -> Result<Vec<(Follower, String)>, Problem> {
    let losers = losers(db, account.key, effects, most)?;
    let keys: Vec<Key> = losers.iter().map(|one| one.key).collect();
    let mut paths = paths(db, account, &keys)?;
    let with_path = |one: Follower| {
        let path = paths.remove(&one.key).unwrap_or_default();
        (one, path)
    };
    Ok(losers.into_iter().map(with_path).collect())
}

/// The names on the way down from (and without) an account to each of these (without themselves); none for those
/// directly below.
pub(crate) fn paths(db: &mut Db, top: &Place, accounts: &[Key]) -> Result<HashMap<Key, String>, Problem> {
    let mut paths = HashMap::with_capacity(accounts.len());
    for some in accounts.chunks(1_000) {
        let names = lookup::paths(db, some, top.depth)?;
        paths.extend(names.into_iter().map(|(key, names)| (key, names.join(" / "))));
    }
    Ok(paths)
}

/// How many open accounts below have no payment method of their own and none between: those that would use, or do
/// use, one of this account's that is offered.
pub fn followers(db: &mut Db, account: Key) -> Result<i64, Problem> {
    Ok(store::followers::tally(db, account, effects::Reach::FOLLOWERS)?.accounts)
}

/// A country's name as it stands in an address.
pub fn country_name(code: &str) -> String {
    country::name_of(code)
}

/// Who changed the account's payment method last, and when.
pub fn last_change(db: &mut Db, account: Key) -> Result<Option<(String, NaiveDateTime)>, Problem> {
    store::last_change(db, account)
}

/// Gives the account its own payment method, in place of an inherited one. `confirmed`: the stamp of the effects
/// that somebody saw, needed only where an account loses its payer.
pub fn add(db: &mut Db, by: &Grant<CreateBilling>, new: &Entries, confirmed: &str) -> Result<Method, Problem> {
    audit::change(db, by, |db, by| {
        let account = by.account().key;
        only_invoices(new)?;
        if store::own(db, account)?.is_some() {
            return Err(Problem::Conflict(Reason::BillingExists));
        }
        weigh(db, account, Change::Save { allow_child_accounts: new.allow_child_accounts }, confirmed)?;
        let method = store::insert(db, account, new)?;
        store::setups::discard(db, account)?;
        let event = new.fields().into_iter().fold(
            Event::new(EventType::AccountBillingCreate, subject(&method)),
            |event, (field, value)| {
                if value.is_empty() { event } else { event.with(field, value) }
            },
        );
        Ok((method, event))
    })
}

/// Changes the account's own payment method, if it still is the version that was shown: its entries, or to an invoice
/// in place of a card or bank account.
pub fn change(
    db: &mut Db,
    by: &Grant<UpdateBilling>,
    version: i64,
    new: &Entries,
    confirmed: &str,
) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let account = by.account().key;
        let old = current(db, account, version)?;
        let other_kind = new.collection_method != old.entries.collection_method;
        if other_kind {
            only_invoices(new)?;
        }
        weigh(db, account, Change::Save { allow_child_accounts: new.allow_child_accounts }, confirmed)?;
        if !store::update(db, account, version, new)? {
            return Err(Problem::Conflict(Reason::Stale));
        }
        let mut event = old.entries.fields().into_iter().zip(new.fields()).fold(
            Event::new(EventType::AccountBillingUpdate, subject(&old)),
            |event, ((field, before), (_, after))| event.changed(field, before, after),
        );
        if other_kind {
            let nothing = Stored::default();
            store::store(db, account, true, &nothing)?;
            store::permit(db, account, None)?;
            store::setups::discard(db, account)?;
            event = setup::told(event, &old.stored, &nothing);
        } else if !old.verified {
            setup::follow(db, account, new)?;
        }
        Ok(((), event))
    })
}

/// Removes the account's own payment method: back to the inherited one, or to none. Always needs the stamp.
pub fn remove(db: &mut Db, by: &Grant<DeleteBilling>, version: i64, confirmed: &str) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let account = by.account().key;
        let old = current(db, account, version)?;
        let effects = weigh(db, account, Change::Remove, confirmed)?;
        effects.confirmed(confirmed)?;
        if !store::delete(db, account, version)? {
            return Err(Problem::Conflict(Reason::Stale));
        }
        store::setups::discard(db, account)?;
        let event = old.entries.fields().into_iter().fold(
            Event::new(EventType::AccountBillingDelete, subject(&old)),
            |event, (field, value)| {
                if value.is_empty() { event } else { event.without(field, value) }
            },
        );
        let event = setup::told(event, &old.stored, &Stored::default());
        Ok(((), event))
    })
}

/// Cards and bank accounts come in through [`setup`].
fn only_invoices(new: &Entries) -> Result<(), Problem> {
    match new.collection_method.at_provider() {
        None => Ok(()),
        Some(_) => Err(Problem::invalid("collectionMethod", "Enter the card or the bank account first")),
    }
}

fn subject(method: &Method) -> Subject {
    Subject::new(SUBJECT, &method.id, method.entries.collection_method.words())
}

fn current(db: &mut Db, account: Key, version: i64) -> Result<Method, Problem> {
    let method = store::own(db, account)?.ok_or(Problem::Conflict(Reason::Stale))?;
    if method.version == version { Ok(method) } else { Err(Problem::Conflict(Reason::Stale)) }
}

/// Under the tree's lock: refuses what leaves live connections without a payer, and what takes somebody's payer away
/// without having been confirmed as it is now.
fn weigh(db: &mut Db, account: Key, change: Change, confirmed: &str) -> Result<Effects, Problem> {
    let effects = effects(db, account, change)?;
    effects.allowed()?;
    if effects.losing.accounts > 0 {
        effects.confirmed(confirmed)?;
    }
    Ok(effects)
}
