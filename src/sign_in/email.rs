//! A person's e-mail address: showing that mail to it arrives, and changing it. The new address holds once somebody who
//! is signed in as that person opens the link that was sent there, so that a mistyped one gives nothing away. Whether
//! another person has the new address is said to that person alone, by mail.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::links::{self, Purpose};
use super::{letters, store, subject};
use crate::access::{Actor, Me, Origin};
use crate::audit::{self, Event, EventType, Subject};
use crate::factor::gate;
use crate::ids::{self, Key};
use crate::mail;
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::schema::users;
use crate::text::email_key;
use crate::web::form::Receipt;
use crate::web::once::{Reply, once};

/// What is known about somebody's address.
#[derive(Debug, Clone)]
pub struct State {
    pub verified: bool,
    /// The address that waits to be confirmed in its place.
    pub pending: Option<String>,
}

pub fn state(db: &mut Db, user: Key) -> Result<State, Problem> {
    let at: Option<chrono::NaiveDateTime> = users::table.find(user).select(users::email_verified_at).first(db)?;
    Ok(State { verified: at.is_some(), pending: links::pending_change(db, user)? })
}

/// Mails the link with which somebody confirms their address, in the transaction that is open.
pub fn post_verification(db: &mut Db, user: Key, email: &str, name: &str) -> Result<(), Problem> {
    let token = links::open(db, Purpose::EmailVerification, user, email)?;
    mail::post(db, &letters::verification(email, name, &token))
}

/// The same once more, because somebody asks for it.
pub fn send_again(db: &mut Db, actor: &Actor, origin: &Origin) -> Result<(), Problem> {
    audit::change_own(db, actor, origin, |db| {
        post_verification(db, actor.key, &actor.email, &actor.first_name)?;
        Ok(((), Event::new(EventType::UserUpdate, subject(actor)).with("verification", "mailed again")))
    })
}

/// The address that a link confirms, without using the link.
pub fn look(db: &mut Db, token: &str) -> Result<String, Problem> {
    let link = links::find(db, Purpose::EmailVerification, token)?;
    let email = store::email(db, link.user)?;
    if email == link.email { Ok(email) } else { Err(Problem::Conflict(Reason::LinkIsSpent)) }
}

/// Uses the link: mail to the address arrives. The same form sent again gets the same answer.
pub fn verify(db: &mut Db, token: &str, receipt: &Receipt, origin: &Origin) -> Result<Reply, Problem> {
    let owner = links::owner(db, Purpose::EmailVerification, token)?;
    once(db, owner.ok_or(Problem::Conflict(Reason::LinkIsSpent))?, receipt, |db| {
        let link = links::find(db, Purpose::EmailVerification, token)?;
        links::spend(db, &link)?;
        store::mark_verified(db, link.user)?;
        let (id, name) = store::id_and_name(db, link.user)?;
        let event = Event::new(EventType::UserUpdate, Subject::new("USER", &id, &name));
        audit::record_for(db, link.user, origin, &event.with("emailVerified", &link.email))?;
        Ok(Reply::to("/profile", "Your email address is confirmed."))
    })
}

/// Begins a change: mails the link to the new address and tells the old one. When somebody has the new address, they
/// are told instead, and this person sees no difference.
pub fn ask_change(db: &mut Db, me: &Me, new: &str) -> Result<(), Problem> {
    let (actor, origin) = (&me.actor, &me.origin);
    audit::change_own(db, actor, origin, |db| {
        gate::check(db, me)?;
        let taken = store::by_email(db, new)?.map(|(user, _)| user).filter(|user| *user != actor.key);
        let token = links::open(db, Purpose::EmailChange, actor.key, new)?;
        let letter = match taken {
            Some(other) => letters::somebody_tried(&store::email(db, other)?),
            None => letters::change(new, &actor.name(), &actor.email, &token),
        };
        mail::post(db, &letter)?;
        mail::post(db, &letters::change_asked(&actor.email, new, origin))?;
        Ok(((), Event::new(EventType::UserUpdate, subject(actor)).with("emailAskedFor", new)))
    })
}

/// The address that a link of this person's would make theirs.
pub fn look_at_change(db: &mut Db, actor: &Actor, token: &str) -> Result<String, Problem> {
    let link = links::find(db, Purpose::EmailChange, token)?;
    if link.user == actor.key { Ok(link.email) } else { Err(Problem::Conflict(Reason::LinkIsSpent)) }
}

/// Uses the link: the new address is the person's, every other link is spent, and the old address is told.
pub fn change(db: &mut Db, me: &Me, token: &str) -> Result<(), Problem> {
    let (actor, origin) = (&me.actor, &me.origin);
    audit::change_own(db, actor, origin, |db| {
        gate::check(db, me)?;
        let link = links::find(db, Purpose::EmailChange, token)?;
        if link.user != actor.key {
            return Err(Problem::Conflict(Reason::LinkIsSpent));
        }
        links::spend(db, &link)?;
        links::spend_all(db, actor.key, &Purpose::EVERY)?;
        let old = store::email(db, actor.key)?;
        set(db, actor.key, &link.email)?;
        mail::post(db, &letters::changed(&old, &link.email, origin))?;
        Ok(((), Event::new(EventType::UserUpdate, subject(actor)).changed("email", &old, &link.email)))
    })
}

fn set(db: &mut Db, user: Key, email: &str) -> Result<(), Problem> {
    let columns = (
        users::email.eq(email),
        users::email_key.eq(email_key(email)),
        users::email_verified_at.eq(ids::now()),
        users::version.eq(users::version + 1),
    );
    let done = diesel::update(users::table.find(user)).set(columns).execute(db);
    match done {
        // Somebody took the address meanwhile; the link is as good as spent.
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            Err(Problem::Conflict(Reason::LinkIsSpent))
        }
        other => Ok(other.map(|_| ())?),
    }
}
