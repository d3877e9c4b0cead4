//! Who has a role, at an account and below it: how many people for each role in one query, and the assignments of one
//! role a page at a time, newest first.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::dsl::count;
use diesel::prelude::*;

use crate::access::Frame;
use crate::access::policy::ReadMembers;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::Run;
use crate::store::schema::{account_ancestry, accounts, assignments, invitation_roles, invitations, users};
use crate::web::paging::{PAGE, Want, is_backward};

/// Whose memberships a reader may know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Nobody,
    Here,
    HereAndBelow,
}

impl Seen {
    pub fn by(frame: &Frame) -> Seen {
        match (frame.may::<ReadMembers>(), frame.may_below::<ReadMembers>()) {
            (true, true) => Seen::HereAndBelow,
            (true, false) => Seen::Here,
            _ => Seen::Nobody,
        }
    }

    fn distance(self) -> i64 {
        if self == Seen::HereAndBelow { i64::MAX } else { 0 }
    }
}

/// People with each role at the account and, where that may be seen, below it. Roles that nobody has are left out.
pub fn counts(db: &mut Db, account: Key, seen: Seen) -> Result<HashMap<Key, i64>, Problem> {
    if seen == Seen::Nobody {
        return Ok(HashMap::new());
    }
    if seen == Seen::Here {
        let here = assignments::table.filter(assignments::account_key.eq(account));
        let rows = here
            .filter(assignments::ends_at.gt(ids::now()))
            .group_by(assignments::role_key)
            .select((assignments::role_key, count(assignments::user_key).aggregate_distinct()))
            .rows::<(Key, i64)>(db)?;
        return Ok(rows.into_iter().collect());
    }
    let rows = assignments::table
        .inner_join(accounts::table.on(accounts::key.eq(assignments::account_key)))
        .inner_join(account_ancestry::table.on(account_ancestry::descendant_key.eq(assignments::account_key)))
        .filter(account_ancestry::ancestor_key.eq(account))
        .filter(assignments::ends_at.gt(ids::now()))
        .filter(accounts::closed_at.is_null())
        .group_by(assignments::role_key)
        .select((assignments::role_key, count(assignments::user_key).aggregate_distinct()))
        .rows::<(Key, i64)>(db)?;
    Ok(rows.into_iter().collect())
}

/// An open invitation that offers a role.
#[derive(Debug, Clone, Queryable)]
pub struct Invited {
    pub id: String,
    pub email: String,
    pub account_id: String,
    pub account_name: String,
}

/// Open invitations that offer the role at the account or, where that may be seen, below it; the oldest, so many.
pub fn invited(db: &mut Db, account: Key, role: Key, seen: Seen, most: i64) -> Result<Vec<Invited>, Problem> {
    if seen == Seen::Nobody {
        return Ok(Vec::new());
    }
    let rows = invitation_roles::table
        .inner_join(invitations::table)
        .inner_join(accounts::table.on(accounts::key.eq(invitations::account_key)))
        .inner_join(account_ancestry::table.on(account_ancestry::descendant_key.eq(invitations::account_key)))
        .filter(invitation_roles::role_key.eq(role))
        .filter(invitations::state.eq("OPEN"))
        .filter(invitations::expires_at.gt(ids::now()))
        .filter(account_ancestry::ancestor_key.eq(account))
        .filter(account_ancestry::distance.le(seen.distance()))
        .order(invitations::key)
        .limit(most)
        .select((invitations::id, invitations::email, accounts::id, accounts::name));
    Ok(rows.rows(db)?)
}

/// Somebody with the role, and where.
#[derive(Debug, Clone, Queryable)]
pub struct Holder {
    pub key: Key,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub account: Key,
    pub account_id: String,
    pub account_name: String,
    pub scope: String,
    pub since: NaiveDateTime,
    pub ends_at: NaiveDateTime,
}

/// A page of the assignments that hold now; one more than fits tells that there are others.
pub fn page(db: &mut Db, account: Key, role: Key, seen: Seen, want: &Want) -> Result<Vec<Holder>, Problem> {
    if seen == Seen::Nobody {
        return Ok(Vec::new());
    }
    let mut rows = assignments::table
        .inner_join(users::table.on(users::key.eq(assignments::user_key)))
        .inner_join(accounts::table.on(accounts::key.eq(assignments::account_key)))
        .inner_join(account_ancestry::table.on(account_ancestry::descendant_key.eq(assignments::account_key)))
        .filter(assignments::role_key.eq(role))
        .filter(account_ancestry::ancestor_key.eq(account))
        .filter(account_ancestry::distance.le(seen.distance()))
        .filter(assignments::ends_at.gt(ids::now()))
        .filter(accounts::closed_at.is_null())
        .select((
            assignments::key,
            users::first_name,
            users::last_name,
            users::email,
            accounts::key,
            accounts::id,
            accounts::name,
            assignments::scope,
            assignments::created_at,
            assignments::ends_at,
        ))
        .limit(PAGE as i64 + 1)
        .into_boxed();
    rows = match want {
        Want::After(cursor) => rows.filter(assignments::key.lt(cursor.1)),
        Want::Before(cursor) => rows.filter(assignments::key.gt(cursor.1)),
        Want::First | Want::Last => rows,
    };
    let rows = if is_backward(want) { rows.order(assignments::key.asc()) } else { rows.order(assignments::key.desc()) };
    Ok(rows.load(db)?)
}
