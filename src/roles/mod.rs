//! Roles: named sets of permissions, owned by an account and usable there and below. Built-in ones, which every root
//! account is born with, can be copied only. Nobody makes a role that allows more than they do, here and below, and
//! an edit says first whose rights it changes ([`effects`]).

pub mod effects;
mod pages;
pub mod people;
mod store;

use chrono::NaiveDateTime;

use crate::access::policy::{
    ADMINISTRATOR, BUILT_IN_ROLES, CreateRoles, DeleteRoles, Permission, Permissions, Resource, UpdateRoles, Verb,
};
use crate::access::{Frame, Grant, Scope, words};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::Key;
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::text::name_key;
pub use pages::routes;
pub use store::{administrator_besides, find, keeps_administrator, stay_behind, uses};

/// Roles that one account can own.
pub const MOST_ROLES: i64 = 100;
/// What entries of the audit log call a role.
const SUBJECT: &str = "ROLE";

/// A role as it can be given in an account: its own, or of an account above.
#[derive(Debug, Clone)]
pub struct Role {
    pub key: Key,
    pub id: String,
    pub account: Key,
    pub name: String,
    pub description: String,
    pub permissions: Permissions,
    pub built_in: bool,
    pub created_at: NaiveDateTime,
    pub version: i64,
}

/// What somebody decides about a role, new or edited. Everything else about it is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRole {
    pub name: String,
    pub description: String,
    pub permissions: Permissions,
}

/// The roles that can be given in the account: built-in ones first in their own order, then by name, nearest owner
/// first. Whether this actor may give one is [`Frame::covers`]'s to say.
pub fn available(db: &mut Db, frame: &Frame) -> Result<Vec<Role>, Problem> {
    let mut found = store::usable(db, frame.account().key)?;
    let level = |account: Key| frame.chain.iter().rev().position(|step| step.place.key == account);
    found.sort_by_cached_key(|role| {
        let built_in = BUILT_IN_ROLES.iter().position(|b| role.built_in && b.name == role.name);
        (built_in.unwrap_or(usize::MAX), name_key(&role.name), level(role.account))
    });
    Ok(found)
}

/// Makes a role of the account. What its permissions imply is added. Invalid when its name is taken there, or when
/// it would allow more than its maker may do there and below.
pub fn create(db: &mut Db, by: &Grant<CreateRoles>, new: NewRole) -> Result<Role, Problem> {
    audit::change(db, by, |db, by| {
        let new = allowed(db, by.frame(), new, None)?;
        if store::owned(db, by.account().key)? >= MOST_ROLES {
            return Err(Problem::invalid(
                "",
                format!("An account can have {MOST_ROLES} roles of its own, and has them"),
            ));
        }
        let role = store::insert(db, by.account().key, &new, false)?;
        let event = Event::new(EventType::RoleCreate, subject(&role))
            .with("name", &role.name)
            .with("description", &role.description)
            .with("permissions", words::codes(role.permissions));
        Ok((role, event))
    })
}

/// Changes a role of the account, if it still is the version that was shown. Conflict(MoreThanHeld) when it allows
/// more than the one who edits may do; Conflict(AdminAccessMustExist) when a root account would lose its last
/// administrator.
pub fn update(
    db: &mut Db,
    by: &Grant<UpdateRoles>,
    role_id: &str,
    new: NewRole,
    version: i64,
) -> Result<Role, Problem> {
    edit(db, by, role_id, new, version, None)
}

/// The same for a page that showed the effects: `stamp` names them, and they are counted again.
pub fn update_as_shown(
    db: &mut Db,
    by: &Grant<UpdateRoles>,
    role_id: &str,
    new: NewRole,
    version: i64,
    stamp: &str,
) -> Result<Role, Problem> {
    edit(db, by, role_id, new, version, Some(stamp))
}

fn edit(
    db: &mut Db,
    by: &Grant<UpdateRoles>,
    role_id: &str,
    new: NewRole,
    version: i64,
    stamp: Option<&str>,
) -> Result<Role, Problem> {
    audit::change(db, by, |db, by| {
        let old = editable(db, by.frame(), role_id)?;
        if old.version != version {
            return Err(Problem::Conflict(Reason::Stale));
        }
        let new = allowed(db, by.frame(), new, Some(&old))?;
        let effects = stamp.map(|_| effects::of_change(db, &old, new.permissions)).transpose()?;
        if !store::update(db, &old, &new)? {
            return Err(Problem::Conflict(Reason::Stale));
        }
        if by.account().depth == 0 {
            store::keeps_administrator(db, by.account().key)?;
        }
        // Last: nobody is asked to confirm what is refused anyway.
        if let (Some(effects), Some(stamp)) = (effects, stamp) {
            effects.confirmed(stamp)?;
        }
        let event = Event::new(EventType::RoleUpdate, subject(&old))
            .changed("name", &old.name, &new.name)
            .changed("description", &old.description, &new.description)
            .changed("permissions", &words::codes(old.permissions), &words::codes(new.permissions));
        let NewRole { name, description, permissions } = new;
        Ok((Role { name, description, permissions, version: version + 1, ..old }, event))
    })
}

/// Deletes a role of the account that nobody has. Assignments that ran out go with it.
pub fn delete(db: &mut Db, by: &Grant<DeleteRoles>, role_id: &str) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let role = own(db, by.frame(), role_id)?;
        let (given, invited) = store::uses(db, role.key)?;
        if given + invited > 0 {
            return Err(Problem::Conflict(Reason::RoleInUse { given, invited }));
        }
        store::delete(db, &role)?;
        let event = Event::new(EventType::RoleDelete, subject(&role))
            .without("name", &role.name)
            .without("description", &role.description)
            .without("permissions", words::codes(role.permissions));
        Ok(((), event))
    })
}

/// A role that this very account owns and can change.
pub fn own(db: &mut Db, frame: &Frame, role_id: &str) -> Result<Role, Problem> {
    let role = find(db, frame.account().key, role_id)?;
    match () {
        () if role.built_in => Err(Problem::Conflict(Reason::RoleIsBuiltIn)),
        () if role.account != frame.account().key => Err(Problem::Conflict(Reason::RoleIsInherited)),
        () => Ok(role),
    }
}

/// One that this actor may change as well: it allows nothing that they may not do themselves.
pub fn editable(db: &mut Db, frame: &Frame, role_id: &str) -> Result<Role, Problem> {
    let role = own(db, frame, role_id)?;
    if !frame.covers(role.permissions, Scope::HereAndBelow) {
        return Err(Problem::Conflict(Reason::MoreThanHeld));
    }
    Ok(role)
}

/// What would be stored, or everything that is wrong with it. `old`: the role that it replaces.
pub fn allowed(db: &mut Db, frame: &Frame, new: NewRole, old: Option<&Role>) -> Result<NewRole, Problem> {
    let mut errors = crate::problem::Errors::default();
    if store::is_taken(db, frame.account().key, &new.name, old.map(|role| role.key))? {
        errors.add("name", "Another role of this account has this name");
    }
    if !new.permissions.is_known() {
        errors.add("permissions", "There is a permission that nobody knows");
    } else if new.permissions.is_empty() {
        errors.add("permissions", "Tick at least one permission");
    }
    let permissions = new.permissions.with_implied();
    let missing = not_held(frame, permissions);
    if let (Some(old), true) = (old, missing.is_empty()) {
        // Those who have the role may have it for longer than its editor.
        let lasting = |one| frame.covers_until(one, Scope::HereAndBelow, crate::ids::never());
        let mut added = permissions.beyond(old.permissions).list().map(Permissions::one);
        if !added.all(lasting) {
            errors.add(
                "permissions",
                "What you add would stay, and your own hold on it ends. Ask somebody whose access has no end",
            );
        }
    }
    if !missing.is_empty() {
        let which = words::titles(missing);
        errors.add("permissions", format!("You do not hold this here and in the accounts below yourself: {which}"));
    }
    if errors.is_empty() { Ok(NewRole { permissions, ..new }) } else { Err(Problem::Invalid(errors)) }
}

/// Those of the permissions that this actor cannot put into a role of the account.
pub fn not_held(frame: &Frame, permissions: Permissions) -> Permissions {
    let lacking = permissions.list().map(Permissions::one).filter(|one| !frame.covers(*one, Scope::HereAndBelow));
    lacking.fold(Permissions::NONE, Permissions::and)
}

fn subject(role: &Role) -> Subject {
    Subject::new(SUBJECT, &role.id, &role.name)
}

/// Gives a new root account its built-in roles; answers the key of *Administrator*.
pub fn create_built_in(db: &mut Db, root: Key) -> Result<Key, Problem> {
    let mut administrator = None;
    for role in &BUILT_IN_ROLES {
        let new = NewRole {
            name: role.name.to_owned(),
            description: role.description.to_owned(),
            permissions: role.permissions,
        };
        let made = store::insert(db, root, &new, true)?;
        if role.name == ADMINISTRATOR {
            administrator = Some(made.key);
        }
    }
    administrator.ok_or_else(|| Problem::bug("no role is called Administrator"))
}

/// The role of this name that the account owns: its key.
pub fn built_in(db: &mut Db, root: Key, name: &str) -> Result<Key, Problem> {
    store::by_name(db, root, name)
}

/// Whether this set makes somebody an administrator.
pub fn is_administrator(permissions: Permissions) -> bool {
    permissions.allow(Permission(Resource::All, Verb::All))
}
