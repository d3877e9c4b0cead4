//! Roles: named sets of permissions, owned by an account and usable there and below. Today the built-in ones, which
//! every root account is born with; making and editing roles comes with its own pages.

use diesel::prelude::*;

use crate::access::policy::{ADMINISTRATOR, BUILT_IN_ROLES};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::roles;
use crate::text::name_key;

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
