//! People: signing up and in, throttling guesses, and what a person may change about themselves. Sessions are kept by
//! src/access/session.rs; this room starts and ends them.

mod again;
mod email;
mod email_pages;
mod letters;
mod links;
mod pages;
pub mod password;
mod profile;
mod recovery;
mod recovery_pages;
mod second;
mod store;
pub(crate) mod throttle;

use crate::access::{Actor, Me, Origin, session};
use crate::accounts;
use crate::audit::{self, Event, EventType, Subject};
use crate::factor;
use crate::ids::Key;
use crate::mail;
use crate::problem::{Problem, Reason};
use crate::store::{self as database, Db};
use crate::web::route::{Route, get, post};
use crate::web::shell::Section;
pub use email::post_verification;
use links::Purpose;
pub(crate) use pages::start_session;
pub use recovery::answer_asked;
pub use store::mark_verified;

pub fn routes() -> Vec<Route> {
    vec![
        get("/", pages::home),
        get("/sign-in", pages::new),
        post("/sign-in", pages::create),
        get("/sign-in/again", again::ask),
        post("/sign-in/again", again::confirm),
        get("/sign-in/second", second::ask),
        post("/sign-in/second", second::prove),
        get("/sign-up", pages::sign_up_form),
        post("/sign-up", pages::sign_up),
        post("/sign-out", pages::destroy),
        get("/password/forgot", recovery_pages::new),
        post("/password/forgot", recovery_pages::create),
        get("/password/sent", recovery_pages::sent),
        get("/password/reset/{token}", recovery_pages::edit),
        post("/password/reset/{token}", recovery_pages::update),
        get("/email/verify/{token}", email_pages::show_verification),
        post("/email/verify/{token}", email_pages::verify),
        get("/profile", profile::show),
        get("/profile/name", profile::edit_name),
        post("/profile/name", profile::update_name),
        get("/profile/password", profile::edit_password),
        post("/profile/password", profile::update_password),
        get("/profile/appearance", profile::edit_appearance),
        post("/profile/appearance", profile::update_appearance),
        get("/profile/sessions/{session}/end", profile::confirm_end),
        post("/profile/sessions/{session}/end", profile::end),
        get("/profile/alive", profile::alive),
        get("/profile/email", email_pages::edit),
        post("/profile/email", email_pages::update),
        get("/profile/email/{token}", email_pages::show_change),
        post("/profile/email/{token}", email_pages::change),
        get("/profile/verification", email_pages::show),
        post("/profile/verification", email_pages::send_again),
    ]
}

/// Somebody who signs up, everything checked.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub first_name: String,
    pub last_name: String,
    pub company: String,
    pub email: String,
    pub password_hash: String,
    pub account_name: String,
}

/// Who signed up and the account that was made.
#[derive(Debug, Clone)]
pub struct SignedUp {
    pub user: Key,
    pub account_id: String,
}

/// Makes the user, the root account with its built-in roles, and the membership, all or nothing.
/// Invalid(email) when somebody has that address already.
pub fn sign_up(db: &mut Db, new: &NewUser, origin: &Origin) -> Result<SignedUp, Problem> {
    database::write(db, |db| {
        let user = add_user(db, new, origin)?;
        let account_id = accounts::open_root(db, user, origin, &new.account_name)?;
        email::post_verification(db, user, &new.email, &new.first_name)?;
        Ok(SignedUp { user, account_id })
    })
}

/// Makes a user who is no member of anything yet. Invalid(email) when somebody has that address already.
pub fn add_user(db: &mut Db, new: &NewUser, origin: &Origin) -> Result<Key, Problem> {
    database::write(db, |db| {
        if store::by_email(db, &new.email)?.is_some() {
            return Err(store::taken());
        }
        let (user, user_id) = store::insert(db, new)?;
        let subject = Subject::new("USER", &user_id, &format!("{} {}", new.first_name, new.last_name));
        audit::record_for(db, user, origin, &Event::new(EventType::UserCreate, subject).with("email", &new.email))?;
        Ok(user)
    })
}

/// Notes in the log that somebody signed in, or proved again who they are, or tried to.
pub fn record_sign_in(db: &mut Db, user: Key, origin: &Origin, how: &str, failed: bool) -> Result<(), Problem> {
    let (id, name) = store::id_and_name(db, user)?;
    let mut event = Event::new(EventType::UserLogin, Subject::new("USER", &id, &name)).with("method", how);
    event.failed = failed;
    database::write(db, |db| audit::record_for(db, user, origin, &event))
}

/// Changes a person's own names. Conflict(Stale) when they were changed since the form was opened.
pub fn rename(db: &mut Db, actor: &Actor, origin: &Origin, names: &Names, version: i64) -> Result<(), Problem> {
    audit::change_own(db, actor, origin, |db| {
        let before = store::names(db, actor.key)?;
        if before.1 != version || store::update_names(db, actor.key, names, version)? == 0 {
            return Err(Problem::Conflict(Reason::Stale));
        }
        let before = before.0;
        let event = Event::new(EventType::UserUpdate, subject(actor))
            .changed("firstName", &before.first_name, &names.first_name)
            .changed("lastName", &before.last_name, &names.last_name)
            .changed("company", &before.company, &names.company);
        Ok(((), event))
    })
}

/// What a person is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    pub first_name: String,
    pub last_name: String,
    pub company: String,
}

const NOT_CURRENT: &str = "This is not your current password";

/// Invalid(current) when the password is not the one any more that was looked at.
fn still_current(db: &mut Db, user: Key, hash: &str) -> Result<(), Problem> {
    if store::password_hash(db, user)? == hash { Ok(()) } else { Err(Problem::invalid("current", NOT_CURRENT)) }
}

/// Sets a new password in place of the one that was looked at and, if wanted, ends every other session. Mailed links
/// that a stranger may have are spent.
pub fn change_password(db: &mut Db, me: &Me, (old, new): (&str, &str), end_others: bool) -> Result<(), Problem> {
    let (actor, origin) = (&me.actor, &me.origin);
    audit::change_own(db, actor, origin, |db| {
        factor::gate::check(db, me)?;
        still_current(db, actor.key, old)?;
        store::set_password(db, actor.key, new)?;
        links::spend_all(db, actor.key, &[Purpose::PasswordReset, Purpose::EmailChange])?;
        mail::post(db, &letters::password_changed(&actor.email, origin))?;
        let mut event = Event::new(EventType::UserUpdate, subject(actor)).changed("password", "old", "new");
        if end_others {
            let ended = session::end_others(db, actor.key, &me.session.id)?;
            event = event.with("sessionsEnded", ended.to_string());
        }
        Ok(((), event))
    })
}

/// Ends one of a person's own sessions, at once and for good.
pub fn end_session(db: &mut Db, actor: &Actor, origin: &Origin, session_id: &str) -> Result<(), Problem> {
    audit::change_own(db, actor, origin, |db| {
        if store::end_session(db, actor.key, session_id)? == 0 {
            return Err(Problem::NotFound);
        }
        Ok(((), Event::new(EventType::SessionEnd, Subject::new("SESSION", session_id, ""))))
    })
}

/// Ends the session somebody is using.
pub fn sign_out(db: &mut Db, actor: &Actor, origin: &Origin, session_id: &str) -> Result<(), Problem> {
    audit::change_own(db, actor, origin, |db| {
        store::end_session(db, actor.key, session_id)?;
        Ok(((), Event::new(EventType::UserLogout, subject(actor))))
    })
}

/// How pages look for this person: `auto`, `light` or `dark`.
pub fn set_theme(db: &mut Db, actor: &Actor, origin: &Origin, theme: &str) -> Result<(), Problem> {
    audit::change_own(db, actor, origin, |db| {
        store::set_theme(db, actor.key, theme)?;
        Ok(((), Event::new(EventType::UserUpdate, subject(actor)).changed("theme", &actor.theme, theme)))
    })
}

/// Takes away links and counts that tell nothing any more; answers how many.
pub fn tidy(db: &mut Db) -> Result<usize, Problem> {
    Ok(links::forget_old(db)? + throttle::sweep(db)?)
}

fn subject(actor: &Actor) -> Subject {
    Subject::new("USER", &actor.id, &actor.name())
}

/// Where a person lands who asked for nothing in particular: the account used last, else the topmost of theirs.
pub fn home(db: &mut Db, actor: &Actor) -> Result<Option<String>, Problem> {
    let account = store::home_account(db, actor)?;
    Ok(account.map(|id| format!("/a/{id}/{}", Section::Dashboard.slug())))
}
