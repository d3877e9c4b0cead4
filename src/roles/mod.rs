//! Roles: named sets of permissions, owned by an account and usable there and below. Today the built-in ones, which
//! every root account is born with; making and editing roles comes with its own pages.

use chrono::NaiveDateTime;
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use crate::access::Frame;
use crate::access::lookup::scope;
use crate::access::policy::{ADMINISTRATOR, BUILT_IN_ROLES, Permission, Permissions, Resource, Verb};
use crate::ids::{self, Key};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::schema::{assignments, roles};
use crate::text::name_key;

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

type RoleRow = (Key, String, Key, String, String, i64, bool, NaiveDateTime, i64);

const ROLE_COLUMNS: (
    roles::key,
    roles::id,
    roles::account_key,
    roles::name,
    roles::description,
    roles::permissions,
    roles::built_in,
    roles::created_at,
    roles::version,
) = (
    roles::key,
    roles::id,
    roles::account_key,
    roles::name,
    roles::description,
    roles::permissions,
    roles::built_in,
    roles::created_at,
    roles::version,
);

fn role_of((key, id, account, name, description, bits, built_in, created_at, version): RoleRow) -> Role {
    Role { key, id, account, name, description, permissions: Permissions(bits), built_in, created_at, version }
}

/// The roles that can be given in the account: built-in ones first in their own order, then by name, nearest owner
/// first. Whether this actor may give one is [`Frame::covers`]'s to say.
pub fn available(db: &mut Db, frame: &Frame) -> Result<Vec<Role>, Problem> {
    let chain: Vec<Key> = frame.chain.iter().map(|step| step.place.key).collect();
    let rows = roles::table.filter(roles::account_key.eq_any(chain.clone())).select(ROLE_COLUMNS);
    let mut found: Vec<Role> = rows.load::<RoleRow>(db)?.into_iter().map(role_of).collect();
    let level = |account: Key| chain.iter().rev().position(|key| *key == account);
    found.sort_by_cached_key(|role| {
        let built_in = BUILT_IN_ROLES.iter().position(|b| role.built_in && b.name == role.name);
        (built_in.unwrap_or(usize::MAX), name_key(&role.name), level(role.account))
    });
    Ok(found)
}

/// Gives a new root account its built-in roles; answers the key of *Administrator*.
pub fn create_built_in(db: &mut Db, root: Key) -> Result<Key, Problem> {
    let mut administrator = None;
    for role in &BUILT_IN_ROLES {
        let key = ids::next_key();
        diesel::insert_into(roles::table)
            .values((
                roles::key.eq(key),
                roles::id.eq(ids::new_id("role")),
                roles::account_key.eq(root),
                roles::name.eq(role.name),
                roles::name_key.eq(name_key(role.name)),
                roles::description.eq(role.description),
                roles::permissions.eq(role.permissions.0),
                roles::built_in.eq(true),
                roles::created_at.eq(ids::now()),
            ))
            .execute(db)?;
        if role.name == ADMINISTRATOR {
            administrator = Some(key);
        }
    }
    administrator.ok_or_else(|| Problem::bug("no role is called Administrator"))
}

/// The role of this name that the root account owns: its key.
pub fn built_in(db: &mut Db, root: Key, name: &str) -> Result<Key, Problem> {
    Ok(roles::table
        .filter(roles::account_key.eq(root))
        .filter(roles::name_key.eq(name_key(name)))
        .select(roles::key)
        .first(db)?)
}

/// Whether this set makes somebody an administrator.
pub fn is_administrator(permissions: Permissions) -> bool {
    permissions.allow(Permission(Resource::All, Verb::All))
}

/// Conflict(AdminAccessMustExist) when the root account has no direct member any more who may do everything there,
/// for good. To be asked after every change of assignments or roles, under the tree's lock.
pub fn keeps_administrator(db: &mut Db, root: Key) -> Result<(), Problem> {
    const NOBODY: Key = 0;
    let kept = administrator_besides(db, root, NOBODY)?;
    if kept { Ok(()) } else { Err(Problem::Conflict(Reason::AdminAccessMustExist)) }
}

/// Whether the root account has such a member who is not this person.
pub fn administrator_besides(db: &mut Db, root: Key, user: Key) -> Result<bool, Problem> {
    let owned = roles::table.filter(roles::account_key.eq(root)).select((roles::key, roles::permissions));
    let owned: Vec<(Key, i64)> = owned.load(db)?;
    let enough: Vec<Key> =
        owned.into_iter().filter(|(_, bits)| is_administrator(Permissions(*bits))).map(|(key, _)| key).collect();
    let in_charge = assignments::table
        .filter(assignments::account_key.eq(root))
        .filter(assignments::user_key.ne(user))
        .filter(assignments::role_key.eq_any(enough))
        .filter(assignments::scope.ne(scope::BELOW))
        .filter(assignments::ends_at.eq(ids::never()));
    Ok(select(exists(in_charge)).get_result(db)?)
}
