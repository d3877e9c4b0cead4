//! Cards and bank accounts: a method is set up beside the one in force and takes its place once it works. The steps
//! are operations here; the calls to the provider between them are made by [`super::provider`], outside of any
//! transaction.

use super::method::{Entries, Method, Stored};
use super::store::setups::{self, Setup, State};
use super::{Change, SUBJECT, store};
use crate::access::Grant;
use crate::access::policy::{Action, UpdateBilling};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::Key;
use crate::payments::Means;
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
        let id = setups::begin(db, account, entries, confirmed)?;
        let kind = entries.collection_method;
        let event = Event::new(EventType::BillingSetupCreate, Subject::new(SUBJECT, &id, kind.words()));
        Ok((id, event.with("collectionMethod", kind.code())))
    })
}

/// Carries out what the provider says. Conflict(Stale) when that set-up is not the account's any more,
/// Conflict(Unconfirmed) when it would take somebody's payer away who was not shown.
pub fn finish<A: Action>(db: &mut Db, by: &Grant<A>, outcome: &Outcome) -> Result<Settled, Problem> {
    audit::change(db, by, |db, by| settle(db, by.account().key, outcome))
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
    super::weigh(db, account, save(&setup.entries), &setup.confirmed)?;
    let own = store::own(db, account)?;
    let replaced = own.as_ref().map(|own| own.stored.provider_id.clone()).unwrap_or_default();
    if outcome.works {
        let event = install(db, &setup, own, outcome)?;
        setups::discard(db, account)?;
        return Ok((Settled { in_force: true, replaced }, event));
    }
    setups::set_state(db, &setup, State::Verifying, Some(&outcome.means))?;
    if super::payer(db, account)?.pays() {
        let event = Event::new(EventType::BillingVerify, Subject::new(SUBJECT, &setup.id, "Bank account"));
        let words = format!("{} ending {}", outcome.means.brand, outcome.means.last_four);
        return Ok((Settled { in_force: false, replaced: String::new() }, event.with("awaitsAmounts", words)));
    }
    // Nobody pays anyway: it takes its place at once and says what is to be done.
    let event = install(db, &setup, own, outcome)?;
    Ok((Settled { in_force: false, replaced }, event))
}

/// Writes it as the account's own method.
fn install(db: &mut Db, setup: &Setup, own: Option<Method>, outcome: &Outcome) -> Result<Event, Problem> {
    let account = setup.account;
    let stored = Stored::of(&outcome.means, outcome.grace_days);
    let (kind, id) = match &own {
        None => (EventType::AccountBillingCreate, store::insert(db, account, &setup.entries)?.id),
        Some(old) => {
            if !store::update(db, account, old.version, &setup.entries)? {
                return Err(Problem::Conflict(Reason::Stale));
            }
            (EventType::AccountBillingUpdate, old.id.clone())
        }
    };
    store::store(db, account, outcome.works, &stored)?;
    let subject = Subject::new(SUBJECT, &id, setup.entries.collection_method.words());
    let before = own.as_ref().map(|old| old.entries.fields());
    let mut event = Event::new(kind, subject);
    for (n, (field, value)) in setup.entries.fields().into_iter().enumerate() {
        event = event.changed(field, before.as_ref().map_or("", |fields| fields[n].1), value);
    }
    let old = own.map(|old| (old.verified, old.stored)).unwrap_or_default();
    Ok(told(event, &old.1, &stored).changed("verified", word(old.0), word(outcome.works)))
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
