//! Accounts: the tree. Opening a root or a child account, changing, moving, closing and restoring one. Whoever calls
//! has a grant; every act takes the tree's lock, checks again and writes its audit entry (src/audit).

mod children;
mod closing;
mod creating;
mod filter;
pub mod list;
mod marks;
mod matching;
mod query;
mod settings;
pub mod store;
mod tree;

use chrono::{Duration, NaiveDateTime};

use crate::access::policy::{CreateAccounts, DeleteAccounts, UpdateAccounts};
use crate::access::{self, Grant, Origin, Scope};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::{self, Key};
use crate::limits::{self, Resource};
use crate::problem::{Problem, Reason};
use crate::store::{self as database, Db, dialect};
use crate::web::route::{Route, get, post};
use crate::{consent, live, members, roles, suspension};

pub fn routes() -> Vec<Route> {
    vec![
        get("/a/{account}", children::enter),
        get("/a/{account}/child-accounts", children::index),
        get("/a/{account}/child-accounts.csv", children::export),
        get("/a/{account}/child-accounts/new", creating::new),
        post("/a/{account}/child-accounts/new", creating::create),
        get("/a/{account}/child-accounts/closed", closing::closed),
        get("/a/{account}/child-accounts/{child}/created", creating::created),
        get("/a/{account}/child-accounts/{child}/restore", closing::confirm_restore),
        post("/a/{account}/child-accounts/{child}/restore", closing::restore),
        get("/a/{account}/settings", settings::edit),
        post("/a/{account}/settings", settings::update),
        get("/a/{account}/settings/close", closing::confirm_close),
        post("/a/{account}/settings/close", closing::close),
    ]
}

/// Days for which a closed account can be restored.
pub const RESTORABLE_DAYS: i64 = 30;
/// Technical contacts of one account.
pub const MOST_CONTACTS: usize = 10;

/// What an account is called and who is asked about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Details {
    /// 1 to 64 characters.
    pub name: String,
    /// Up to 256 characters.
    pub description: String,
    pub contacts: Vec<String>,
    /// Name and value, sorted by name.
    pub tags: Vec<(String, String)>,
}

/// A child account to be, everything checked.
#[derive(Debug, Clone)]
pub struct NewChild {
    pub details: Details,
    /// Accept the agreements in force on behalf of the child; else its administrator does.
    pub accept_agreements: bool,
    /// How deep the tree may be.
    pub max_depth: i64,
}

/// An account that was just made.
#[derive(Debug, Clone)]
pub struct Opened {
    pub key: Key,
    pub id: String,
}

fn subject(id: &str, name: &str) -> Subject {
    Subject::new("ACCOUNT", id, name)
}

/// Makes the root account of somebody who signs up, with its built-in roles and them as its administrator.
pub fn open_root(db: &mut Db, user: Key, origin: &Origin, name: &str) -> Result<String, Problem> {
    database::write(db, |db| {
        let details = Details { name: name.to_owned(), ..Details::default() };
        let opened = store::insert(db, None, &details)?;
        let administrator = roles::create_built_in(db, opened.key)?;
        members::assign(
            db,
            &members::NewAssignment {
                account: opened.key,
                user,
                role: administrator,
                role_account: opened.key,
                scope: Scope::HereAndBelow,
                ends_at: ids::never(),
                granted_by: None,
            },
        )?;
        let event = Event::new(EventType::AccountCreate, subject(&opened.id, name)).with("name", name);
        audit::record_for(db, user, origin, &event.in_account(opened.key))?;
        Ok(opened.id)
    })
}

/// Makes a child account. Conflict(TooDeep) below the configured depth; Conflict(LimitReached); Forbidden when the agreements should be
/// accepted on its behalf and the actor may not do that.
pub fn open_child(db: &mut Db, by: &Grant<CreateAccounts>, new: NewChild) -> Result<Opened, Problem> {
    open_child_called(db, by, new, "")
}

/// The same for one that a system of somebody above knows by this reference, if it is not empty.
pub fn open_child_called(
    db: &mut Db,
    by: &Grant<CreateAccounts>,
    new: NewChild,
    reference: &str,
) -> Result<Opened, Problem> {
    database::write(db, |db| {
        let opened = open_below(db, by, &new, reference)?;
        if new.accept_agreements {
            let child = access::grant::<UpdateAccounts>(db, by.actor().key, &opened.id, by.origin().clone())?;
            let documents: Vec<Key> = consent::in_force(db)?.iter().map(|d| d.key).collect();
            consent::accept(db, &child, &documents)?;
        }
        Ok(opened)
    })
}

fn open_below(db: &mut Db, by: &Grant<CreateAccounts>, new: &NewChild, reference: &str) -> Result<Opened, Problem> {
    audit::change(db, by, |db, by| {
        let parent = by.account();
        if parent.depth + 1 >= new.max_depth {
            return Err(Problem::Conflict(Reason::TooDeep(new.max_depth)));
        }
        limits::room_for_one(db, parent.key, Resource::Account)?;
        let opened = store::insert(db, Some(parent), &new.details)?;
        let mut event = Event::new(EventType::AccountCreate, subject(&opened.id, &new.details.name))
            .with("name", &new.details.name)
            .with("parent", &parent.name)
            .with(
                "agreements",
                if new.accept_agreements { "accepted on its behalf" } else { "left to its administrator" },
            )
            .in_account(opened.key);
        if !reference.is_empty() {
            store::set_reference(db, opened.key, reference)?;
            event = event.with("externalReference", reference);
        }
        Ok((opened, event))
    })
}

/// Changes name, description, contacts and tags. Conflict(Stale) when the row is not at `version` any more.
pub fn edit(db: &mut Db, by: &Grant<UpdateAccounts>, details: &Details, version: i64) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let account = by.account();
        let before = store::details(db, account.key)?;
        if account.version != version {
            return Err(Problem::Conflict(Reason::Stale));
        }
        store::update(db, account.key, details)?;
        let event = Event::new(EventType::AccountUpdate, subject(&account.id, &details.name))
            .changed("name", &before.name, &details.name)
            .changed("description", &before.description, &details.description)
            .changed("technicalContactEmails", &before.contacts.join(", "), &details.contacts.join(", "))
            .changed("tags", &tags_line(&before.tags), &tags_line(&details.tags));
        Ok(((), event))
    })
}

/// Whether there is an account at all.
pub fn are_there_any(db: &mut Db) -> Result<bool, Problem> {
    store::is_any(db)
}

/// Tags in one line: `cost-centre: 42, region: eu`.
pub fn tags_line(tags: &[(String, String)]) -> String {
    crate::tags::line(tags)
}

/// Closes a child account: hidden at once, restorable by its parent for 30 days. Conflict while it has child accounts
/// live ports or live connections, for a root account, and when the row is not at `version` any more.
pub fn close(db: &mut Db, by: &Grant<DeleteAccounts>, version: i64) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let account = by.account();
        if account.version != version {
            return Err(Problem::Conflict(Reason::Stale));
        }
        if account.depth == 0 {
            return Err(Problem::Conflict(Reason::RootCannotBeClosed));
        }
        if account.children_count > 0 {
            return Err(Problem::Conflict(Reason::HasChildAccounts(account.children_count)));
        }
        let connections = live::connections(db, account.key)?;
        if connections > 0 {
            return Err(Problem::Conflict(Reason::HasLiveConnections(connections)));
        }
        let ports = live::ports(db, account.key)?;
        if ports > 0 {
            return Err(Problem::Conflict(Reason::HasLivePorts(ports)));
        }
        store::set_closed(db, account.key, Some(ids::now()))?;
        Ok(((), Event::new(EventType::AccountClose, subject(&account.id, &account.name)).with("state", "closed")))
    })
}

/// Opens a closed child account again. Conflict(CannotBeRestored) after 30 days; Conflict(LimitReached) where there is no
/// room for it or its members.
pub fn restore(db: &mut Db, by: &Grant<DeleteAccounts>, child_id: &str) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let child = store::closed_child(db, by.account().key, child_id)?;
        if !is_restorable(child.closed_at) {
            return Err(Problem::Conflict(Reason::CannotBeRestored));
        }
        limits::room_for_one(db, by.account().key, Resource::Account)?;
        let members = members::people(db, child.key)?;
        limits::room_for(db, child.key, Resource::Member, members)?;
        store::set_closed(db, child.key, None)?;
        let event = Event::new(EventType::AccountRestore, subject(child_id, &child.name)).with("state", "open");
        Ok(((), event.in_account(child.key)))
    })
}

/// Until when an account closed then can be restored.
pub fn restorable_until(closed_at: NaiveDateTime) -> NaiveDateTime {
    closed_at + Duration::days(RESTORABLE_DAYS)
}

fn is_restorable(closed_at: NaiveDateTime) -> bool {
    ids::now() < restorable_until(closed_at)
}

/// Moves an account with everything below it under another parent. The right must hold at the account and at both
/// parents. Conflict(Cycle) when the new parent is the account itself or below it; Conflict(TooDeep);
/// Conflict(RolesStayBehind) when people below have roles of an account that would not be above them any more;
/// Conflict(SuspendedAbove) when it would leave a branch that is suspended; Conflict(LimitReached).
pub fn move_under(
    db: &mut Db,
    by: &Grant<UpdateAccounts>,
    new_parent: &Grant<CreateAccounts>,
    max_depth: i64,
) -> Result<(), Problem> {
    database::write(db, |db| {
        // Both trees, in an order that everybody takes, so that two moves cannot wait for each other.
        let mut roots = [by.account().root_key, new_parent.account().root_key];
        roots.sort_unstable();
        for root in roots {
            dialect::lock_tree(db, root)?;
        }
        let to = new_parent.check_again(db)?;
        audit::change(db, by, |db, by| {
            let account = by.account();
            let from = by.frame().chain.iter().rev().nth(1).ok_or(Problem::Conflict(Reason::Cycle))?;
            access::grant::<UpdateAccounts>(db, by.actor().key, &from.place.id, by.origin().clone())?;
            if to.frame().chain.iter().any(|step| step.place.key == account.key) {
                return Err(Problem::Conflict(Reason::Cycle));
            }
            if to.account().depth + 1 + store::height(db, account.key)? >= max_depth {
                return Err(Problem::Conflict(Reason::TooDeep(max_depth)));
            }
            let behind = roles::stay_behind(db, account.key, to.account().key)?;
            if behind > 0 {
                return Err(Problem::Conflict(Reason::RolesStayBehind(behind)));
            }
            let behind = live::ports_left_behind(db, account.key, to.account().key)?;
            if behind > 0 {
                return Err(Problem::Conflict(Reason::PortsStayBehind(behind)));
            }
            if suspension::leaves_suspended(db, account.key, to.account().key)? {
                return Err(Problem::Conflict(Reason::SuspendedAbove));
            }
            limits::room_for_branch(db, account.key, to.account().key)?;
            store::move_branch(db, account, from.place.key, to.account())?;
            let event = Event::new(EventType::AccountMove, subject(&account.id, &account.name))
                .changed("parent", &from.place.id, &to.account().id)
                .leaving(from.place.key);
            Ok(((), event))
        })
    })
}
