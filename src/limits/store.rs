//! Rows of limits: one for each account, resource and reach that has one.

use diesel::prelude::*;

use super::setting::Limits;
use super::{BRANCH, Resource};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::Run;
use crate::store::schema::{account_ancestry, resource_limits};

const ACCOUNT: &str = "ACCOUNT";

fn reach(branch: bool) -> &'static str {
    if branch { BRANCH } else { ACCOUNT }
}

/// The limits set at the account itself.
pub fn of(db: &mut Db, account: Key) -> Result<Limits, Problem> {
    let rows = resource_limits::table
        .filter(resource_limits::account_key.eq(account))
        .select((resource_limits::resource, resource_limits::reach, resource_limits::most))
        .rows::<(String, String, i64)>(db)?;
    let mut limits = Limits::default();
    for (resource, reach, most) in rows {
        if let Some(resource) = Resource::of_code(&resource) {
            limits.set(resource, reach == BRANCH, Some(most));
        }
    }
    Ok(limits)
}

/// Limits of branches at the accounts above, from the nearest up: where, of what, how many.
pub fn above(db: &mut Db, account: Key) -> Result<Vec<(Key, Resource, i64)>, Problem> {
    let rows: Vec<(Key, String, i64)> = account_ancestry::table
        .inner_join(resource_limits::table.on(resource_limits::account_key.eq(account_ancestry::ancestor_key)))
        .filter(account_ancestry::descendant_key.eq(account))
        .filter(account_ancestry::distance.gt(0))
        .filter(resource_limits::reach.eq(BRANCH))
        .order(account_ancestry::distance)
        .select((account_ancestry::ancestor_key, resource_limits::resource, resource_limits::most))
        .rows(db)?;
    Ok(rows.into_iter().filter_map(|(at, code, most)| Some((at, Resource::of_code(&code)?, most))).collect())
}

/// Puts one in place of what is there; none takes it away.
pub fn set(db: &mut Db, account: Key, resource: Resource, branch: bool, most: Option<i64>) -> Result<(), Problem> {
    diesel::delete(resource_limits::table.find((account, resource.code(), reach(branch)))).execute(db)?;
    if let Some(most) = most {
        diesel::insert_into(resource_limits::table)
            .values((
                resource_limits::account_key.eq(account),
                resource_limits::resource.eq(resource.code()),
                resource_limits::reach.eq(reach(branch)),
                resource_limits::most.eq(most),
                resource_limits::set_at.eq(ids::now()),
            ))
            .execute(db)?;
    }
    Ok(())
}
