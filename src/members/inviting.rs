//! Invitations by the account: making them, sending them again, copying the link, taking them back. A link is 128
//! random bits of which only the hash is kept, works for 14 days, and gives nothing before it is accepted.

use chrono::{Duration, NaiveDateTime};

use super::changing::{self, Wanted};
use super::letter;
use super::store::invitations::{self as rows, Invitation};
use crate::access::policy::CreateMembers;
use crate::access::{Grant, Scope};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::{self, Key};
use crate::limits::{self, Resource};
use crate::mail;
use crate::problem::{Problem, Reason};
use crate::roles::{self, Role};
use crate::store::{self as database, Db, dialect};
use crate::text::email_key;
use crate::web::form::is_email;

/// Days for which a link works.
pub const VALID_DAYS: i64 = 14;
/// Addresses of one form.
pub const MOST_ADDRESSES: usize = 50;
/// Invitations that one person sends in 24 hours, so that nobody mails the world through this console.
pub const MOST_A_DAY: i64 = 300;
/// Mails of invitations from one account to one address in an hour.
const MOST_AN_HOUR: i64 = 5;
/// Seconds.
const HOUR: i64 = 3_600;
/// Characters of a message.
pub const LONGEST_MESSAGE: usize = 1000;

/// An invitation to several people, everything but the addresses checked.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    pub addresses: Vec<String>,
    pub role_ids: Vec<String>,
    pub scope: Scope,
    /// [`ids::never`] where it has no end.
    pub ends_at: NaiveDateTime,
    pub message: String,
    /// What the link in the letter begins with: `https://console.example.com`.
    pub site: String,
}

/// What became of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Invited,
    AlreadyMember,
    AlreadyInvited,
    NotValid,
}

impl Answer {
    pub fn words(self) -> &'static str {
        match self {
            Answer::Invited => "Invited",
            Answer::AlreadyMember => "Already a member",
            Answer::AlreadyInvited => "Already invited",
            Answer::NotValid => "Not valid",
        }
    }
}

/// Invites each address, in one transaction, and answers each one. Invalid when there is none, too many, or no role;
/// Conflict(MoreThanHeld), Conflict(LimitReached).
pub fn invite(db: &mut Db, by: &Grant<CreateMembers>, new: &NewInvitation) -> Result<Vec<(String, Answer)>, Problem> {
    if new.addresses.is_empty() {
        return Err(Problem::invalid("emails", "Enter at least one email address"));
    }
    if new.addresses.len() > MOST_ADDRESSES {
        return Err(Problem::invalid("emails", format!("Enter at most {MOST_ADDRESSES} addresses; there are more")));
    }
    database::write(db, |db| {
        dialect::lock_tree(db, by.account().root_key)?;
        let by = by.check_again(db)?;
        let chosen = changing::choose(db, by.frame(), &wanted(new), &[])?;
        // Nobody is asked to join where there is no room; whether there is when they accept is asked then.
        limits::room_for_one(db, by.account().key, Resource::Member)?;
        let roles: Vec<Role> = chosen.into_iter().map(|(role, _)| role).collect();
        let sent = rows::sent_since(db, by.actor().key, ids::now() - Duration::days(1))?;
        if sent + new.addresses.len() as i64 > MOST_A_DAY {
            let words = "invitations a day are the most that one person sends. Invite the others tomorrow";
            return Err(Problem::invalid("emails", format!("{MOST_A_DAY} {words}")));
        }
        let mut answers: Vec<(String, Answer)> = Vec::with_capacity(new.addresses.len());
        for address in &new.addresses {
            if !answers.iter().any(|(known, _)| email_key(known) == email_key(address)) {
                answers.push((address.clone(), invite_one(db, &by, new, &roles, address)?));
            }
        }
        Ok(answers)
    })
}

fn wanted(new: &NewInvitation) -> Vec<Wanted> {
    let one = |id: &String| Wanted { role_id: id.clone(), scope: new.scope, ends_at: new.ends_at };
    new.role_ids.iter().map(one).collect()
}

/// Under the tree's lock.
fn invite_one(
    db: &mut Db,
    by: &Grant<CreateMembers>,
    new: &NewInvitation,
    roles: &[Role],
    address: &str,
) -> Result<Answer, Problem> {
    let account = by.account().key;
    if !is_email(address) {
        return Ok(Answer::NotValid);
    }
    if rows::is_member(db, account, address)? {
        return Ok(Answer::AlreadyMember);
    }
    let earlier = rows::pending_for(db, account, address)?;
    if earlier.as_ref().is_some_and(Invitation::is_open) {
        return Ok(Answer::AlreadyInvited);
    }
    if let Some(earlier) = earlier {
        // It ran out; the new one takes its place.
        rows::end(db, earlier.key, rows::WITHDRAWN, None)?;
    }
    let token = ids::token();
    audit::change(db, by, |db, by| {
        let row = rows::New {
            account,
            email: address,
            scope: new.scope,
            ends_at: new.ends_at,
            message: &new.message,
            token_hash: &hash(&token),
            invited_by: by.actor().key,
            expires_at: valid_until(),
            roles: &roles.iter().map(|role| role.key).collect::<Vec<_>>(),
        };
        let id = rows::insert(db, &row)?;
        let invitation = rows::pending(db, account, &id)?;
        mail::post(db, &letter::invitation(by.frame(), &invitation, roles, &link(&new.site, &token)))?;
        Ok(((), told(EventType::MemberInviteCreate, &invitation, roles)))
    })?;
    Ok(Answer::Invited)
}

fn valid_until() -> NaiveDateTime {
    ids::now() + Duration::days(VALID_DAYS)
}

pub(super) fn hash(token: &str) -> String {
    ids::sha256_hex(token.as_bytes())
}

fn link(site: &str, token: &str) -> String {
    format!("{site}/invites/{token}")
}

fn subject(invitation: &Invitation) -> Subject {
    Subject::new("MEMBER_INVITE", &invitation.id, &invitation.email)
}

pub(super) fn told(kind: EventType, invitation: &Invitation, roles: &[Role]) -> Event {
    let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
    Event::new(kind, subject(invitation))
        .with("email", &invitation.email)
        .with("roles", names.join(", "))
        .with("scope", invitation.scope.words())
        .with("endsAt", changing::end_words(invitation.ends_at))
}

/// Sends a new link to the same address; the old one is dead. Whoever sends it answers for it from then on.
/// NotFound, Conflict(MoreThanHeld), Conflict(LinkIsSpent) when a role in it is gone, TooMany after five in an hour.
pub fn send_again(db: &mut Db, by: &Grant<CreateMembers>, id: &str, site: &str) -> Result<(), Problem> {
    renew(db, by, id, true, |db, by, invitation, roles, token| {
        mail::post(db, &letter::invitation(by.frame(), invitation, roles, &link(site, token)))
    })?;
    Ok(())
}

/// Makes a new link to be handed over by other means; the mailed one is dead. The only time it can be seen.
pub fn copy_link(db: &mut Db, by: &Grant<CreateMembers>, id: &str, site: &str) -> Result<String, Problem> {
    let token = renew(db, by, id, false, |_, _, _, _, _| Ok(()))?;
    Ok(link(site, &token))
}

fn renew(
    db: &mut Db,
    by: &Grant<CreateMembers>,
    id: &str,
    mailed: bool,
    hand_over: impl FnOnce(&mut Db, &Grant<CreateMembers>, &Invitation, &[Role], &str) -> Result<(), Problem>,
) -> Result<String, Problem> {
    audit::change(db, by, |db, by| {
        let (invitation, roles) = answered_for(db, by, id)?;
        if invitation.ends_at <= ids::now() {
            return Err(Problem::Conflict(Reason::LinkIsSpent));
        }
        let token = ids::token();
        if mailed && mail::sent_to(db, by.account().key, &invitation.email, HOUR)? >= MOST_AN_HOUR {
            return Err(Problem::TooMany { seconds: HOUR });
        }
        rows::renew(db, invitation.key, &hash(&token), by.actor().key, valid_until(), mailed)?;
        let before = changing::end_words(invitation.expires_at);
        let invitation = rows::pending(db, by.account().key, id)?;
        hand_over(db, by, &invitation, &roles, &token)?;
        let event = Event::new(EventType::MemberInviteUpdate, subject(&invitation))
            .changed("expiresAt", &before, &changing::end_words(invitation.expires_at))
            .with("newLink", if mailed { "mailed" } else { "shown once, to be handed over" });
        Ok((token, event))
    })
}

/// Takes the invitation back; its link is dead. NotFound when it is not pending any more, so that a second time does
/// nothing. Conflict(MoreThanHeld) where it gives more than the actor holds.
pub fn withdraw(db: &mut Db, by: &Grant<CreateMembers>, id: &str) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let invitation = rows::pending(db, by.account().key, id)?;
        let roles = still_there(db, by, invitation.key)?;
        if !roles.iter().all(|role| by.frame().covers(role.permissions, invitation.scope)) {
            return Err(Problem::Conflict(Reason::MoreThanHeld));
        }
        rows::end(db, invitation.key, rows::WITHDRAWN, None)?;
        let names: Vec<String> = roles.into_iter().map(|role| role.name).collect();
        let event = Event::new(EventType::MemberInviteDelete, subject(&invitation))
            .without("email", &invitation.email)
            .without("roles", names.join(", "));
        Ok(((), event))
    })
}

/// A pending invitation with its roles, all of which are there and held by the actor.
fn answered_for(db: &mut Db, by: &Grant<CreateMembers>, id: &str) -> Result<(Invitation, Vec<Role>), Problem> {
    let invitation = rows::pending(db, by.account().key, id)?;
    let roles = offered(db, by, &invitation)?;
    Ok((invitation, roles))
}

/// The roles of an invitation as this person can give them: all there, all held by them.
pub(super) fn offered(db: &mut Db, by: &Grant<CreateMembers>, of: &Invitation) -> Result<Vec<Role>, Problem> {
    let roles = still_there(db, by, of.key)?;
    if roles.is_empty() || roles.len() != rows::roles_of(db, of.key)?.len() {
        return Err(Problem::Conflict(Reason::LinkIsSpent));
    }
    let held = roles.iter().all(|role| by.frame().covers_until(role.permissions, of.scope, of.ends_at));
    if held { Ok(roles) } else { Err(Problem::Conflict(Reason::MoreThanHeld)) }
}

/// Those of the invitation's roles that can be given in the account now.
fn still_there(db: &mut Db, by: &Grant<CreateMembers>, invitation: Key) -> Result<Vec<Role>, Problem> {
    let wanted = rows::roles_of(db, invitation)?;
    let available = roles::available(db, by.frame())?;
    Ok(available.into_iter().filter(|role| wanted.contains(&role.key)).collect())
}
