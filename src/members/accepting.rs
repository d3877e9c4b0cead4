//! Accepting an invitation: only by the person with the invited address, only while whoever invited may still give
//! what is in it, and only once. Everything is checked again under the tree's lock.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::inviting::{hash, offered, told};
use super::store::invitations::{self as rows, Invitation};
use super::store::{self, Held};
use super::{NewAssignment, assign};
use crate::access::policy::CreateMembers;
use crate::access::{self, Actor, Grant, Origin, Place, Scope};
use crate::audit::{self, EventType};
use crate::ids::{self, Key};
use crate::limits::{self, Resource};
use crate::problem::{Problem, Reason};
use crate::roles::Role;
use crate::store::schema::{accounts, users};
use crate::store::{Db, dialect};

/// An invitation that works, with whose word stands behind it.
#[derive(Debug)]
pub struct Offer {
    pub invitation: Invitation,
    pub inviter: Grant<CreateMembers>,
    pub roles: Vec<Role>,
}

fn spent() -> Problem {
    Problem::Conflict(Reason::LinkIsSpent)
}

/// What the link offers. Conflict(LinkIsSpent) for a link that nobody made, that was used, withdrawn, or ran out, and
/// where whoever invited could not give it any more: an invitation never outlives the rights of its maker.
pub fn offer(db: &mut Db, token: &str) -> Result<Offer, Problem> {
    let invitation = find(db, token)?;
    if !invitation.is_open() || invitation.ends_at <= ids::now() {
        return Err(spent());
    }
    let account: String = accounts::table.find(invitation.account).select(accounts::id).first(db)?;
    let given = access::grant::<CreateMembers>(db, invitation.invited_by, &account, Origin::default())
        .and_then(|inviter| offered(db, &inviter, &invitation).map(|roles| (inviter, roles)));
    match given {
        Ok((inviter, roles)) => Ok(Offer { invitation, inviter, roles }),
        Err(Problem::NotFound | Problem::Forbidden { .. } | Problem::Conflict(_)) => Err(spent()),
        Err(other) => Err(other),
    }
}

fn find(db: &mut Db, token: &str) -> Result<Invitation, Problem> {
    let found = if ids::looks_like_token(token) { rows::by_token(db, &hash(token))? } else { None };
    found.ok_or_else(spent)
}

/// The account to which this person was led by this link before, if they accepted it.
pub fn accepted_into(db: &mut Db, token: &str, user: Key) -> Result<Option<String>, Problem> {
    let found = if ids::looks_like_token(token) { rows::by_token(db, &hash(token))? } else { None };
    let Some(mine) = found.filter(|one| one.accepted_by == Some(user)) else { return Ok(None) };
    Ok(accounts::table.find(mine.account).select(accounts::id).first(db).optional()?)
}

/// Whether the invited address has a user already.
pub fn is_known(db: &mut Db, offer: &Offer) -> Result<bool, Problem> {
    let found = users::table.filter(users::email_key.eq(&offer.invitation.email_key)).select(users::key);
    Ok(found.first::<Key>(db).optional()?.is_some())
}

/// What was accepted.
#[derive(Debug, Clone)]
pub struct Accepted {
    pub account: Place,
    pub scope: Scope,
    /// By a link that came to the address: it is theirs.
    pub mailed: bool,
}

/// Gives what the invitation offers, exactly once. Conflict(LinkIsSpent); Conflict(LimitReached) where a limit leaves no
/// room for another member; NotFound for somebody with another address.
pub fn accept(db: &mut Db, actor: &Actor, origin: &Origin, token: &str) -> Result<Accepted, Problem> {
    audit::change_own(db, actor, origin, |db| {
        let account = find(db, token)?.account;
        let root: Key = accounts::table.find(account).select(accounts::root_key).first(db)?;
        dialect::lock_tree(db, root)?;
        let Offer { invitation, inviter, roles } = offer(db, token)?;
        if inviter.account().root_key != root {
            return Err(Problem::Unavailable(anyhow::anyhow!("the account moved to another tree just now")));
        }
        let mine: String = users::table.find(actor.key).select(users::email_key).first(db)?;
        if mine != invitation.email_key {
            return Err(Problem::NotFound);
        }
        if !rows::end(db, invitation.key, rows::ACCEPTED, Some(actor.key))? {
            return Err(spent());
        }
        let held = store::held_at(db, account, actor.key)?;
        if !held.iter().any(Held::is_live) {
            limits::room_for_one(db, account, Resource::Member)?;
        }
        for role in &roles {
            take(db, &invitation, role, actor.key, &held)?;
        }
        let event = told(EventType::MemberInviteAccept, &invitation, &roles).with("invitedBy", inviter.actor().name());
        let accepted =
            Accepted { account: inviter.account().clone(), scope: invitation.scope, mailed: invitation.mailed };
        Ok((accepted, event.in_account(account)))
    })
}

/// One role: what the person has of it already and reaches further or longer stays as it is.
fn take(db: &mut Db, of: &Invitation, role: &Role, user: Key, held: &[Held]) -> Result<(), Problem> {
    if let Some(have) = held.iter().find(|one| one.role == role.key && one.is_live()) {
        if !reaches_further(have, of.scope, of.ends_at) {
            return Ok(());
        }
        store::delete(db, of.account, &[have.key])?;
    }
    assign(
        db,
        &NewAssignment {
            account: of.account,
            user,
            role: role.key,
            role_account: role.account,
            scope: of.scope,
            ends_at: of.ends_at,
            granted_by: Some(of.invited_by),
        },
    )
}

/// Whether the offer holds everything that there is, and more.
fn reaches_further(have: &Held, scope: Scope, ends_at: NaiveDateTime) -> bool {
    let all = scope == Scope::HereAndBelow || scope == have.scope;
    all && ends_at >= have.ends_at
}
