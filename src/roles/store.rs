//! Rows of roles, and who has them. Each query takes the account, or the accounts above it.

use chrono::NaiveDateTime;
use diesel::dsl::{count_star, exists, select};
use diesel::prelude::*;

use super::{NewRole, Role};
use crate::access::lookup::scope;
use crate::access::policy::Permissions;
use crate::ids::{self, Key};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::dialect::Run;
use crate::store::schema::{account_ancestry, assignments, invitation_roles, invitations, roles};
use crate::text::name_key;

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

/// Every role that can be given in the account: its own and those of the accounts above.
pub fn usable(db: &mut Db, account: Key) -> Result<Vec<Role>, Problem> {
    let rows = roles::table
        .inner_join(account_ancestry::table.on(account_ancestry::ancestor_key.eq(roles::account_key)))
        .filter(account_ancestry::descendant_key.eq(account))
        .select(ROLE_COLUMNS)
        .rows::<RoleRow>(db)?;
    Ok(rows.into_iter().map(role_of).collect())
}

/// The one with this id among them.
pub fn find(db: &mut Db, account: Key, id: &str) -> Result<Role, Problem> {
    if !ids::looks_like_id("role", id) {
        return Err(Problem::NotFound);
    }
    let row = roles::table
        .inner_join(account_ancestry::table.on(account_ancestry::ancestor_key.eq(roles::account_key)))
        .filter(account_ancestry::descendant_key.eq(account))
        .filter(roles::id.eq(id))
        .select(ROLE_COLUMNS)
        .first_row::<RoleRow>(db)?;
    Ok(role_of(row))
}

/// Whether another role of the account has this name.
pub fn is_taken(db: &mut Db, account: Key, name: &str, except: Option<Key>) -> Result<bool, Problem> {
    let same = roles::table.filter(roles::account_key.eq(account)).filter(roles::name_key.eq(name_key(name)));
    let found: Option<Key> = same.select(roles::key).first_row(db).optional()?;
    Ok(found.is_some() && found != except)
}

/// How many roles the account owns.
pub fn owned(db: &mut Db, account: Key) -> Result<i64, Problem> {
    Ok(roles::table.filter(roles::account_key.eq(account)).count().row(db)?)
}

/// The key of the account's role of this name.
pub fn by_name(db: &mut Db, account: Key, name: &str) -> Result<Key, Problem> {
    let same = roles::table.filter(roles::account_key.eq(account)).filter(roles::name_key.eq(name_key(name)));
    Ok(same.select(roles::key).first_row(db)?)
}

pub fn insert(db: &mut Db, account: Key, new: &NewRole, built_in: bool) -> Result<Role, Problem> {
    let role = Role {
        key: ids::next_key(),
        id: ids::new_id("role"),
        account,
        name: new.name.clone(),
        description: new.description.clone(),
        permissions: new.permissions,
        built_in,
        created_at: ids::now(),
        version: 1,
    };
    diesel::insert_into(roles::table)
        .values((
            roles::key.eq(role.key),
            roles::id.eq(&role.id),
            roles::account_key.eq(role.account),
            roles::name.eq(&role.name),
            roles::name_key.eq(name_key(&role.name)),
            roles::description.eq(&role.description),
            roles::permissions.eq(role.permissions.0),
            roles::built_in.eq(role.built_in),
            roles::created_at.eq(role.created_at),
            roles::version.eq(role.version),
        ))
        .execute(db)?;
    Ok(role)
}

/// Writes over the version that was read; false when it is not that version any more.
pub fn update(db: &mut Db, old: &Role, new: &NewRole) -> Result<bool, Problem> {
    let row = roles::table.filter(roles::key.eq(old.key)).filter(roles::account_key.eq(old.account));
    let changed = diesel::update(row.filter(roles::version.eq(old.version)))
        .set((
            roles::name.eq(&new.name),
            roles::name_key.eq(name_key(&new.name)),
            roles::description.eq(&new.description),
            roles::permissions.eq(new.permissions.0),
            roles::version.eq(old.version + 1),
        ))
        .execute(db)?;
    Ok(changed == 1)
}

/// Deletes a role of the account, with what is left of assignments that ran out.
pub fn delete(db: &mut Db, role: &Role) -> Result<(), Problem> {
    let given = assignments::table.filter(assignments::role_key.eq(role.key));
    diesel::delete(given.filter(assignments::ends_at.le(ids::now()))).execute(db)?;
    let row = roles::table.filter(roles::key.eq(role.key)).filter(roles::account_key.eq(role.account));
    diesel::delete(row).execute(db)?;
    Ok(())
}

/// How many assignments of the role hold now, and how many invitations that can be accepted would give it.
pub fn uses(db: &mut Db, role: Key) -> Result<(i64, i64), Problem> {
    let live = assignments::table.filter(assignments::ends_at.gt(ids::now()));
    let given: i64 = live.filter(assignments::role_key.eq(role)).select(count_star()).first_row(db)?;
    let open = invitation_roles::table
        .inner_join(invitations::table)
        .filter(invitation_roles::role_key.eq(role))
        .filter(invitations::state.eq("OPEN"))
        .filter(invitations::expires_at.gt(ids::now()));
    let invited: i64 = open.select(count_star()).first_row(db)?;
    Ok((given, invited))
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
    let owned: Vec<(Key, i64)> = owned.rows(db)?;
    let enough: Vec<Key> =
        owned.into_iter().filter(|(_, bits)| super::is_administrator(Permissions(*bits))).map(|(key, _)| key).collect();
    let in_charge = assignments::table
        .filter(assignments::account_key.eq(root))
        .filter(assignments::user_key.ne(user))
        .filter(assignments::role_key.eq_any(enough))
        .filter(assignments::scope.ne(scope::BELOW))
        .filter(assignments::ends_at.eq(ids::never()));
    Ok(select(exists(in_charge)).row(db)?)
}

/// How many assignments in the branch below `account` hold now whose role would not exist under `new_parent`. Those that
/// ran out do not count, and go.
pub fn stay_behind(db: &mut Db, account: Key, new_parent: Key) -> Result<i64, Problem> {
    let branch = || account_ancestry::table.filter(account_ancestry::ancestor_key.eq(account));
    let above = account_ancestry::table.filter(account_ancestry::descendant_key.eq(new_parent));
    let lost: Vec<Key> = assignments::table
        .filter(assignments::account_key.eq_any(branch().select(account_ancestry::descendant_key)))
        .filter(assignments::role_account_key.ne_all(branch().select(account_ancestry::descendant_key)))
        .filter(assignments::role_account_key.ne_all(above.select(account_ancestry::ancestor_key)))
        .select(assignments::role_account_key)
        .distinct()
        .rows(db)?;
    let theirs = || {
        assignments::table
            .filter(assignments::account_key.eq_any(branch().select(account_ancestry::descendant_key)))
            .filter(assignments::role_account_key.eq_any(lost.clone()))
    };
    diesel::delete(theirs().filter(assignments::ends_at.le(ids::now()))).execute(db)?;
    Ok(theirs().select(count_star()).first_row(db)?)
}
