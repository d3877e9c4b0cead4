//! Cards and bank accounts: a method is set up beside the one in force and takes its place once it works. The steps
//! are operations here; the calls to the provider between them are made by [`super::provider`], outside of any
//! transaction.

use super::method::{Entries, Method, Permission, Stored};
use super::store::setups::{self, Setup, State};
use super::store::tries::{self, What};
use super::{Change, SUBJECT, store};
use crate::access::Grant;
use crate::access::policy::{Action, UpdateBilling};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::Key;
use crate::payments::{Kind, Means};
use crate::problem::{Problem, Reason};
use crate::store::{Db, dialect};

/// Amounts that may be entered for one bank account.
pub const MOST_TRIES: i64 = 5;

/// What the provider says of a set-up that has come to something.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// `setup-…`
    pub setup: String,
    pub means: Means,
    /// False while a bank account awaits its amounts.
    pub works: bool,
    pub grace_days: i64,
}

/// What came of it here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// It is the account's own method now; else it waits for the amounts of its deposits.
    pub in_force: bool,
    /// The provider's id of the one whose place it took; empty for none.
    pub replaced: String,
    /// The other entries were changed after it was begun: they stay as they are.
    pub kept_entries: bool,
}

/// What is being set up for the account.
pub fn pending(db: &mut Db, account: Key) -> Result<Option<Setup>, Problem> {
    setups::of(db, account)
}

/// Begins to set up a card or a bank account, in place of whatever was being set up. `version`: of the own method that
/// was shown, none where there was none. Answers its id. Nothing changes in who pays.
pub fn begin<A: Action>(
    db: &mut Db,
    by: &Grant<A>,
    version: Option<i64>,
    entries: &Entries,
    confirmed: &str,
) -> Result<String, Problem> {
    if entries.collection_method.at_provider().is_none() {
        return Err(Problem::bug("an invoice needs no set-up"));
    }
    audit::change(db, by, |db, by| {
        let account = by.account().key;
        match (store::own(db, account)?, version) {
            (Some(_), None) => return Err(Problem::Conflict(Reason::BillingExists)),
            (own, Some(version)) if own.as_ref().is_none_or(|own| own.version != version) => {
                return Err(Problem::Conflict(Reason::Stale));
            }
            _ => {}
        }
        super::weigh(db, account, save(entries), confirmed)?;
        let person = Some(by.actor().key);
        tries::count(db, What::Setup, account, person)?;
        if entries.collection_method.at_provider() == Some(Kind::BankAccount) {
            tries::count(db, What::Deposits, account, person)?;
        }
        let over = store::own(db, account)?.map_or_else(String::new, |own| own.entries.fingerprint());
        let before = setups::of(db, account)?;
        let id = setups::begin(db, account, entries, &over, confirmed)?;
        let kind = entries.collection_method;
        // Asked again about what was entered already: it need not be entered twice.
        let entered = |old: &Setup| old.state == State::Open && old.entries.collection_method == kind;
        if let Some(old) = before.filter(|old| entered(old) && !old.last_four.is_empty() && !confirmed.is_empty()) {
            setups::carry(db, &id, &old)?;
        }
        let event = Event::new(EventType::BillingSetupCreate, Subject::new(SUBJECT, &id, kind.words()));
        Ok((id, event.with("collectionMethod", kind.code())))
    })
}

/// Carries out what the provider says. `replaces`: whether this person may add a method, or change the one there is;
/// none for both. Conflict(Stale) when that set-up is not the account's any more, or not theirs to finish,
/// Conflict(Unconfirmed) when it would take somebody's payer away who was not shown.
pub fn finish<A: Action>(
    db: &mut Db,
    by: &Grant<A>,
    outcome: &Outcome,
    replaces: Option<bool>,
) -> Result<Settled, Problem> {
    audit::change(db, by, |db, by| {
        let account = by.account().key;
        let has_own = store::own(db, account)?.is_some();
        if replaces.is_some_and(|replaces| replaces != has_own) {
            return Err(Problem::Conflict(Reason::Stale));
        }
        settle(db, account, outcome)
    })
}

/// The same, when the provider told it and nobody is there.
pub fn finish_by_system(db: &mut Db, account: Key, root: Key, outcome: &Outcome) -> Result<Settled, Problem> {
    by_system(db, account, root, |db| settle(db, account, outcome))
}

/// A change of an account that the provider brings about.
pub fn by_system<T>(
    db: &mut Db,
    account: Key,
    root: Key,
    act: impl FnOnce(&mut Db) -> Result<(T, Event), Problem>,
) -> Result<T, Problem> {
    audit::change_by_system(db, |db| {
        dialect::lock_tree(db, root)?;
        let (value, event) = act(db)?;
        Ok((value, event.in_account(account)))
    })
}

fn settle(db: &mut Db, account: Key, outcome: &Outcome) -> Result<(Settled, Event), Problem> {
    let setup = setups::of(db, account)?.filter(|setup| setup.id == outcome.setup);
    let setup = setup.ok_or(Problem::Conflict(Reason::Stale))?;
    let own = store::own(db, account)?;
    let (entries, kept_entries) = entries(&setup, own.as_ref())?;
    super::weigh(db, account, save(&entries), &setup.confirmed)?;
    let replaced = own.as_ref().map(|own| own.stored.provider_id.clone()).unwrap_or_default();
    if outcome.works {
        let event = install(db, &setup, own, &entries, outcome)?;
        setups::discard(db, account)?;
        return Ok((Settled { in_force: true, replaced, kept_entries }, event));
    }
    setups::set_state(db, &setup, State::Verifying, Some(&outcome.means))?;
    if super::payer(db, account)?.pays() {
        let event = Event::new(EventType::BillingVerify, Subject::new(SUBJECT, &setup.id, "Bank account"));
        let words = format!("{} ending {}", outcome.means.brand, outcome.means.last_four);
        let event = permitted(db, event.with("awaitsAmounts", words), setup.permission)?;
        return Ok((Settled { in_force: false, replaced: String::new(), kept_entries: false }, event));
    }
    // Nobody pays anyway: it takes its place at once and says what is to be done.
    let event = install(db, &setup, own, &entries, outcome)?;
    setups::follow(db, account, &entries)?;
    Ok((Settled { in_force: false, replaced, kept_entries }, event))
}

/// What the method will have entered: what was typed for the set-up, unless the own method's entries were changed after
/// it was begun. Then those stay, and only the kind is new; true.
fn entries(setup: &Setup, own: Option<&Method>) -> Result<(Entries, bool), Problem> {
    match own {
        Some(own) if own.entries.fingerprint() != setup.begun_over => {
            let kind = setup.entries.collection_method;
            Ok((Entries { collection_method: kind, ..own.entries.clone() }, true))
        }
        None if !setup.begun_over.is_empty() => Err(Problem::Conflict(Reason::Stale)),
        _ => Ok((setup.entries.clone(), false)),
    }
}

/// The entry says who permitted drafts, and when.
fn permitted(db: &mut Db, event: Event, permission: Option<Permission>) -> Result<Event, Problem> {
    let Some(given) = permission else { return Ok(event) };
    let who = setups::giver(db, given)?;
    Ok(event.with("draftsPermittedBy", who).with("draftsPermittedAt", crate::web::when::iso(given.at)))
}

/// Writes it as the account's own method.
fn install(
    db: &mut Db,
    setup: &Setup,
    own: Option<Method>,
    entries: &Entries,
    outcome: &Outcome,
) -> Result<Event, Problem> {
    let account = setup.account;
    let stored = Stored::of(&outcome.means, outcome.grace_days);
    let (kind, id) = match &own {
        None => (EventType::AccountBillingCreate, store::insert(db, account, entries)?.id),
        Some(old) => {
            if !store::update(db, account, old.version, entries)? {
                return Err(Problem::Conflict(Reason::Stale));
            }
            (EventType::AccountBillingUpdate, old.id.clone())
        }
    };
    store::store(db, account, outcome.works, &stored)?;
    store::permit(db, account, setup.permission)?;
    let subject = Subject::new(SUBJECT, &id, entries.collection_method.words());
    let before = own.as_ref().map(|old| old.entries.fields());
    let mut event = Event::new(kind, subject);
    for (n, (field, value)) in entries.fields().into_iter().enumerate() {
        event = event.changed(field, before.as_ref().map_or("", |fields| fields[n].1), value);
    }
    let old = own.map(|old| (old.verified, old.stored)).unwrap_or_default();
    let event = permitted(db, event, setup.permission)?;
    Ok(told(event, &old.1, &stored).changed("verified", word(old.0), word(outcome.works)))
}

/// The account's own method, which waits for its amounts, has other entries now: so has its set-up.
pub(super) fn follow(db: &mut Db, account: Key, new: &Entries) -> Result<(), Problem> {
    let waits = |setup: &Setup| setup.state != State::Open && setup.entries.collection_method == new.collection_method;
    if setups::of(db, account)?.is_some_and(|setup| waits(&setup)) {
        setups::follow(db, account, new)?;
    }
    Ok(())
}

/// What was entered works, and is not used before somebody has looked at what it does to other accounts now.
pub fn note_entered(db: &mut Db, setup: &Setup, means: Option<&Means>) -> Result<(), Problem> {
    setups::set_state(db, setup, State::Open, means)
}

/// Notes that this person permits drafts from the bank account that is being set up.
pub fn permit<A: Action>(db: &mut Db, by: &Grant<A>, setup: &Setup) -> Result<(), Problem> {
    setups::permit(db, setup, Permission { at: crate::ids::now(), by: by.actor().key })
}

fn word(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}

/// What changed in what the provider tells.
pub fn told(event: Event, before: &Stored, after: &Stored) -> Event {
    let moment = |stored: &Stored| stored.failed_at.map(crate::web::when::iso).unwrap_or_default();
    event
        .changed("brand", &before.brand, &after.brand)
        .changed("lastFour", &before.last_four, &after.last_four)
        .changed("holderType", &before.holder_type, &after.holder_type)
        .changed("expires", &before.expiry_words(), &after.expiry_words())
        .changed("failedSince", &moment(before), &moment(after))
}

/// Ends a set-up that nothing came of yet; what pays goes on paying. `replaces`: whether it stood beside a method of the
/// account's own. Conflict(Stale) when it is not being set up any more, or is the account's own method already.
pub fn discard<A: Action>(db: &mut Db, by: &Grant<A>, setup: &str, replaces: bool) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let account = by.account().key;
        let row = setups::of(db, account)?.filter(|row| row.id == setup);
        let row = row.ok_or(Problem::Conflict(Reason::Stale))?;
        let own = store::own(db, account)?;
        if own.is_some() != replaces || own.as_ref().is_some_and(|own| !own.verified) {
            return Err(Problem::Conflict(Reason::Stale));
        }
        setups::discard(db, account)?;
        let kind = row.entries.collection_method;
        let event = Event::new(EventType::BillingSetupDelete, Subject::new(SUBJECT, &row.id, kind.words()));
        Ok(((), event.with("collectionMethod", kind.code())))
    })
}

/// Notes that amounts were wrong; the last try ends it.
pub fn note_wrong_amounts(db: &mut Db, by: &Grant<UpdateBilling>, setup: &str, ended: bool) -> Result<bool, Problem> {
    audit::change(db, by, |db, by| {
        let row = setups::of(db, by.account().key)?.filter(|row| row.id == setup);
        let row = row.ok_or(Problem::Conflict(Reason::Stale))?;
        let spent = ended || row.tries >= MOST_TRIES;
        if spent {
            setups::set_state(db, &row, State::Spent, None)?;
        }
        let words = format!("{} ending {}", row.brand, row.last_four);
        let event = Event::new(EventType::BillingVerify, Subject::new(SUBJECT, &row.id, &words)).failing();
        Ok((spent, event.with("tries", row.tries.to_string())))
    })
}

fn save(entries: &Entries) -> Change {
    Change::Save { allow_child_accounts: entries.allow_child_accounts }
}
