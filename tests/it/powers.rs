//! Roles of a test's own: made, given and asked for by name, past the pages. `World` gives the built-in ones.

use chrono::NaiveDateTime;
use subtenant::access::policy::{CreateRoles, Permission, Permissions, Resource, Verb};
use subtenant::access::{Scope, lookup};
use subtenant::{ids, members, roles};

use crate::world::{World, admin_of};

pub fn one(resource: Resource, verb: Verb) -> Permissions {
    Permissions::one(Permission(resource, verb))
}

/// A role of the account, made by the administrator of its root.
pub fn role(world: &World, root: &str, account: &str, name: &str, permissions: Permissions) -> roles::Role {
    let by = world.grant::<CreateRoles>(&admin_of(root), account).expect("the administrator may");
    let new = roles::NewRole { name: name.to_owned(), description: String::new(), permissions };
    world.write(|db| roles::create(db, &by, new)).expect("a role")
}

pub fn give(world: &World, person: &str, account: &str, role: &roles::Role, scope: Scope) {
    give_until(world, person, account, role, scope, ids::never());
}

pub fn give_until(
    world: &World,
    person: &str,
    account: &str,
    role: &roles::Role,
    scope: Scope,
    ends_at: NaiveDateTime,
) {
    let (account, user) = (world.key(account), world.person(person));
    let new = members::NewAssignment {
        account,
        user,
        role: role.key,
        role_account: role.account,
        scope,
        ends_at,
        granted_by: None,
    };
    world.write(|db| members::assign(db, &new)).expect("the role is given");
}

/// What somebody holds in an account, by the check itself.
pub fn held(world: &World, person: &str, account: &str) -> Permissions {
    let (user, id) = (world.person(person), world.id(account));
    world.read(|db| Ok(lookup::frame(db, user, &id)?.held())).expect("the account exists")
}

/// A set by its words, as the log writes them: `["ports: read"]`.
pub fn one_of(words: &[&str]) -> Permissions {
    let named = Permission::every().filter(|permission| words.contains(&permission.to_string().as_str()));
    let set = named.map(Permissions::one).fold(Permissions::NONE, Permissions::and);
    assert_eq!(set.list().count(), words.len(), "{words:?}");
    set
}
