//! Rows of invitations and of the roles in them. Every query by id also takes the account.

use chrono::NaiveDateTime;
use diesel::dsl::{count_star, exists, select};
use diesel::prelude::*;

use crate::access::Scope;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{MultiBackend, Run, one_of};
use crate::store::schema::{assignments, invitation_roles, invitations, roles, users};
use crate::text::{email_key, like_anywhere};
use crate::web::paging::{Want, is_backward};

/// The state of an invitation that can be accepted, if it did not run out.
pub const OPEN: &str = "OPEN";
pub const ACCEPTED: &str = "ACCEPTED";
pub const WITHDRAWN: &str = "WITHDRAWN";

/// One invitation.
#[derive(Debug, Clone)]
pub struct Invitation {
    pub key: Key,
    pub id: String,
    pub account: Key,
    pub email: String,
    pub email_key: String,
    pub scope: Scope,
    pub ends_at: NaiveDateTime,
    pub message: String,
    pub invited_by: Key,
    pub state: String,
    pub accepted_by: Option<Key>,
    pub created_at: NaiveDateTime,
    pub sent_at: NaiveDateTime,
    pub expires_at: NaiveDateTime,
    /// The link that works came by mail.
    pub mailed: bool,
}

impl Invitation {
    /// Neither used nor withdrawn nor run out.
    pub fn is_open(&self) -> bool {
        self.state == OPEN && self.expires_at > ids::now()
    }
}

type Row = (
    (Key, String, Key, String, String, String, NaiveDateTime, String),
    (Key, String, Option<Key>, NaiveDateTime, NaiveDateTime, NaiveDateTime, bool),
);

macro_rules! columns {
    () => {
        (
            (
                invitations::key,
                invitations::id,
                invitations::account_key,
                invitations::email,
                invitations::email_key,
                invitations::scope,
                invitations::ends_at,
                invitations::message,
            ),
            (
                invitations::invited_by,
                invitations::state,
                invitations::accepted_by,
                invitations::created_at,
                invitations::sent_at,
                invitations::expires_at,
                invitations::mailed,
            ),
        )
    };
}

fn invitation_of(row: Row) -> Result<Invitation, Problem> {
    let ((key, id, account, email, email_key, code, ends_at, message), rest) = row;
    let (invited_by, state, accepted_by, created_at, sent_at, expires_at, mailed) = rest;
    let scope = Scope::of_code(&code).ok_or_else(|| Problem::bug("an invitation has a scope of its own"))?;
    Ok(Invitation {
        key,
        id,
        account,
        email,
        email_key,
        scope,
        ends_at,
        message,
        invited_by,
        state,
        accepted_by,
        created_at,
        sent_at,
        expires_at,
        mailed,
    })
}

/// An invitation to be, with the hash of its link.
pub struct New<'a> {
    pub account: Key,
    pub email: &'a str,
    pub scope: Scope,
    pub ends_at: NaiveDateTime,
    pub message: &'a str,
    pub token_hash: &'a str,
    pub invited_by: Key,
    pub expires_at: NaiveDateTime,
    pub roles: &'a [Key],
}

pub fn insert(db: &mut Db, new: &New<'_>) -> Result<String, Problem> {
    let (key, id, now) = (ids::next_key(), ids::new_id("invite"), ids::now());
    diesel::insert_into(invitations::table)
        .values((
            invitations::key.eq(key),
            invitations::id.eq(&id),
            invitations::account_key.eq(new.account),
            invitations::email.eq(new.email),
            invitations::email_key.eq(email_key(new.email)),
            invitations::scope.eq(new.scope.code()),
            invitations::ends_at.eq(new.ends_at),
            invitations::message.eq(new.message),
            invitations::token_hash.eq(new.token_hash),
            invitations::invited_by.eq(new.invited_by),
            invitations::state.eq(OPEN),
            invitations::created_at.eq(now),
            invitations::sent_at.eq(now),
            invitations::expires_at.eq(new.expires_at),
        ))
        .execute(db)?;
    for role in new.roles {
        let row = (invitation_roles::invitation_key.eq(key), invitation_roles::role_key.eq(role));
        diesel::insert_into(invitation_roles::table).values(row).execute(db)?;
    }
    Ok(id)
}

/// The invitation that this link was made for, whatever became of it.
pub fn by_token(db: &mut Db, token_hash: &str) -> Result<Option<Invitation>, Problem> {
    let row = invitations::table.filter(invitations::token_hash.eq(token_hash));
    row.select(columns!()).first_row::<Row>(db).optional()?.map(invitation_of).transpose()
}

/// An invitation of this account that is neither used nor withdrawn; it may have run out.
pub fn pending(db: &mut Db, account: Key, id: &str) -> Result<Invitation, Problem> {
    if !ids::looks_like_id("invite", id) {
        return Err(Problem::NotFound);
    }
    let row = invitations::table
        .filter(invitations::account_key.eq(account))
        .filter(invitations::id.eq(id))
        .filter(invitations::state.eq(OPEN));
    invitation_of(row.select(columns!()).first_row::<Row>(db)?)
}

/// The key of each role in the invitation, also of those that are gone.
pub fn roles_of(db: &mut Db, invitation: Key) -> Result<Vec<Key>, Problem> {
    let rows = invitation_roles::table.filter(invitation_roles::invitation_key.eq(invitation));
    Ok(rows.order(invitation_roles::role_key).select(invitation_roles::role_key).rows(db)?)
}

/// Whether this address has a live role at the account itself.
pub fn is_member(db: &mut Db, account: Key, email: &str) -> Result<bool, Problem> {
    let given = assignments::table
        .inner_join(users::table.on(users::key.eq(assignments::user_key)))
        .filter(assignments::account_key.eq(account))
        .filter(users::email_key.eq(email_key(email)))
        .filter(assignments::ends_at.gt(ids::now()));
    Ok(select(exists(given)).row(db)?)
}

/// The pending invitation of this address, if there is one; it may have run out.
pub fn pending_for(db: &mut Db, account: Key, email: &str) -> Result<Option<Invitation>, Problem> {
    let row = invitations::table
        .filter(invitations::account_key.eq(account))
        .filter(invitations::email_key.eq(email_key(email)))
        .filter(invitations::state.eq(OPEN))
        .order(invitations::key.desc());
    row.select(columns!()).first_row::<Row>(db).optional()?.map(invitation_of).transpose()
}

/// A new link in place of the old one, answered for by somebody who may be another than before.
pub fn renew(
    db: &mut Db,
    of: Key,
    hash: &str,
    by: Key,
    expires_at: NaiveDateTime,
    mailed: bool,
) -> Result<(), Problem> {
    diesel::update(invitations::table.find(of))
        .set((
            invitations::token_hash.eq(hash),
            invitations::invited_by.eq(by),
            invitations::sent_at.eq(ids::now()),
            invitations::expires_at.eq(expires_at),
            invitations::mailed.eq(mailed),
        ))
        .execute(db)?;
    Ok(())
}

/// Ends the invitation; whether it was open until now.
pub fn end(db: &mut Db, of: Key, state: &str, accepted_by: Option<Key>) -> Result<bool, Problem> {
    let open = invitations::table.filter(invitations::key.eq(of)).filter(invitations::state.eq(OPEN));
    let ended = (invitations::state.eq(state), invitations::accepted_by.eq(accepted_by));
    Ok(diesel::update(open).set(ended).execute(db)? == 1)
}

/// How many invitations somebody sent since then, in every account.
pub fn sent_since(db: &mut Db, by: Key, since: NaiveDateTime) -> Result<i64, Problem> {
    let sent = invitations::table.filter(invitations::invited_by.eq(by)).filter(invitations::sent_at.gt(since));
    Ok(sent.select(count_star()).first_row(db)?)
}

/// How many are pending at the account.
pub fn count(db: &mut Db, account: Key) -> Result<i64, Problem> {
    let open = invitations::table.filter(invitations::account_key.eq(account)).filter(invitations::state.eq(OPEN));
    Ok(open.select(count_star()).first_row(db)?)
}

/// A page of pending invitations, the newest first, each with the name of who invited.
pub fn page(
    db: &mut Db,
    account: Key,
    text: &str,
    want: &Want,
    limit: usize,
) -> Result<Vec<(Invitation, String)>, Problem> {
    let mut query = invitations::table
        .inner_join(users::table.on(users::key.eq(invitations::invited_by)))
        .filter(invitations::account_key.eq(account))
        .filter(invitations::state.eq(OPEN))
        .into_boxed::<MultiBackend>();
    if !text.is_empty() {
        query = query.filter(invitations::email_key.like(like_anywhere(&email_key(text))).escape('\\'));
    }
    query = match want {
        Want::After(cursor) => query.filter(invitations::key.lt(cursor.1)),
        Want::Before(cursor) => query.filter(invitations::key.gt(cursor.1)),
        Want::First | Want::Last => query,
    };
    query = if is_backward(want) { query.order(invitations::key.asc()) } else { query.order(invitations::key.desc()) };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    let rows = query.limit(limit).select((columns!(), (users::first_name, users::last_name)));
    let rows: Vec<(Row, (String, String))> = rows.load(db)?;
    let with_name =
        |(row, (first, last)): (Row, (String, String))| Ok((invitation_of(row)?, format!("{first} {last}")));
    rows.into_iter().map(with_name).collect()
}

/// The names of the roles in each of these invitations.
pub fn role_names(db: &mut Db, of: &[Key]) -> Result<Vec<(Key, String)>, Problem> {
    Ok(invitation_roles::table
        .inner_join(roles::table.on(roles::key.eq(invitation_roles::role_key)))
        .filter(one_of(invitation_roles::invitation_key, of))
        .order((roles::name_key, roles::key))
        .select((invitation_roles::invitation_key, roles::name))
        .rows(db)?)
}
