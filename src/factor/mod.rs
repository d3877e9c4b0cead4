//! The second factor: what somebody has besides a password. An authenticator app, passkeys, and recovery codes for the
//! day on which both are gone; and accounts that ask for one of everybody who enters them or anything below. Whether a
//! session used one is in its row; signing in with one is `sign_in`'s, asking at the door is `access`'s.

mod app;
pub mod gate;
mod notice;
mod pages;
mod passkey;
mod passkey_pages;
mod recovery;
mod removing;
pub mod requirement;
mod store;
pub mod vault;
pub mod view;

use std::collections::HashSet;

use actix_web::web::Data;

use crate::access::session;
use crate::access::{Actor, Me, Origin};
use crate::audit::{self, Event, EventType, Subject};
use crate::config::Config;
use crate::ids::{self, Key};
use crate::mail;
use crate::problem::Problem;
use crate::store::{self as database, Db};
use crate::text;
use crate::web::Site;
use crate::web::route::{Route, get, post};
pub use passkey::Question;
pub use store::{AppRow, PasskeyRow};
use vault::Vault;

pub fn routes() -> Vec<Route> {
    vec![
        get("/profile/second-factor/app", pages::new_app),
        post("/profile/second-factor/app", pages::create_app),
        get("/profile/second-factor/app/remove", removing::confirm_app),
        post("/profile/second-factor/app/remove", removing::remove_app),
        get("/profile/second-factor/codes", pages::new_codes),
        post("/profile/second-factor/codes", pages::keep_codes),
        get("/profile/second-factor/passkeys/new", passkey_pages::new),
        post("/profile/second-factor/passkeys/new", passkey_pages::create),
        get("/profile/second-factor/passkeys/{passkey}/remove", removing::confirm_passkey),
        post("/profile/second-factor/passkeys/{passkey}/remove", removing::remove_passkey),
        get("/a/{account}/settings/second-factor", requirement::edit),
        post("/a/{account}/settings/second-factor", requirement::update),
    ]
}

/// Where somebody sets up a first one: an app, or a passkey.
pub const SET_UP: [&str; 2] = ["/profile/second-factor/app", "/profile/second-factor/passkeys/new"];

/// What the room needs of the process. Cheap to clone.
#[derive(Clone)]
pub struct Means {
    config: Data<Config>,
    vault: Data<Vault>,
}

impl Means {
    pub fn of(site: &Site) -> Result<Means, Problem> {
        let vault = site.req.app_data::<Data<Vault>>().ok_or_else(|| Problem::bug("the app has no vault"))?;
        Ok(Means { config: site.config.clone(), vault: vault.clone() })
    }

    /// Whether browsers know passkeys for this console's address.
    pub fn passkeys_possible(&self) -> bool {
        passkey::relying_party(&self.config).is_some()
    }

    /// What a sign-in page asks for; none where passkeys are impossible.
    pub fn ask_anybody(&self) -> Result<Option<Question>, Problem> {
        passkey::relying_party(&self.config).map(|party| passkey::ask_anybody(&party, &self.vault)).transpose()
    }

    /// Asks for one of this person's passkeys, if there are any.
    pub fn ask(&self, user: Key, passkeys: &[PasskeyRow]) -> Result<Option<Question>, Problem> {
        let Some(party) = passkey::relying_party(&self.config) else { return Ok(None) };
        passkey::ask(&party, &self.vault, user, passkeys)
    }
}

/// What somebody has.
#[derive(Debug, Clone)]
pub struct Summary {
    pub app: Option<AppRow>,
    pub passkeys: Vec<PasskeyRow>,
    pub codes_left: i64,
}

impl Summary {
    /// Whether there is a second factor at all; recovery codes alone are none.
    pub fn is_on(&self) -> bool {
        self.app.is_some() || !self.passkeys.is_empty()
    }

    fn is_last(&self) -> bool {
        usize::from(self.app.is_some()) + self.passkeys.len() == 1
    }
}

pub fn summary(db: &mut Db, user: Key) -> Result<Summary, Problem> {
    Ok(Summary {
        app: store::app(db, user)?,
        passkeys: store::passkeys(db, user)?,
        codes_left: store::codes_left(db, user)?,
    })
}

/// Which of these people have a second factor; two statements whatever their number.
pub fn enabled_for(db: &mut Db, users: &[Key]) -> Result<HashSet<Key>, Problem> {
    store::enabled_for(db, users)
}

/// With what somebody proved themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    App,
    RecoveryCode,
    Passkey,
}

impl How {
    pub fn words(self) -> &'static str {
        match self {
            How::App => "code from an app",
            How::RecoveryCode => "recovery code",
            How::Passkey => "passkey",
        }
    }
}

/// Uses a code from the app, or a recovery code: each works once. None when it is not right.
pub fn use_code(db: &mut Db, means: &Means, user: Key, typed: &str) -> Result<Option<How>, Problem> {
    database::write(db, |db| {
        if let Some(hash) = recovery::hash(typed) {
            return Ok(store::use_code(db, user, &hash)?.then_some(How::RecoveryCode));
        }
        let Some(app) = store::app(db, user)? else { return Ok(None) };
        let Some(secret) = means.vault.open(&app_of(user), &app.sealed) else {
            tracing::error!("the secret of an authenticator app does not open: was SECRET_KEY changed?");
            return Ok(None);
        };
        match app::step_of(&secret, typed, ids::now().and_utc().timestamp()) {
            Some(step) => Ok(store::use_step(db, user, step)?.then_some(How::App)),
            None => Ok(None),
        }
    })
}

/// Whether this is the right answer of one of the person's passkeys.
pub fn use_passkey(db: &mut Db, means: &Means, user: Key, ticket: &str, answer: &str) -> Result<bool, Problem> {
    let Some(party) = passkey::relying_party(&means.config) else { return Ok(false) };
    database::write(db, |db| passkey::check(db, &party, &means.vault, user, ticket, answer))
}

/// Whose passkey this is, if the answer is right.
pub fn use_any_passkey(db: &mut Db, means: &Means, ticket: &str, answer: &str) -> Result<Option<Key>, Problem> {
    let Some(party) = passkey::relying_party(&means.config) else { return Ok(None) };
    database::write(db, |db| passkey::check_anybody(db, &party, &means.vault, ticket, answer))
}

/// What the secret of somebody's app is sealed for.
fn app_of(user: Key) -> String {
    format!("authenticator app of {user}")
}

fn subject(actor: &Actor) -> Subject {
    Subject::new("USER", &actor.id, &actor.name())
}

/// Takes everything away that somebody has; whether there was a second factor.
pub fn forget(db: &mut Db, user: Key) -> Result<bool, Problem> {
    store::delete_all(db, user)
}

/// A change of what somebody has: entry, notice by mail, and whatever else belongs to each. The first one ends all other
/// sessions: they were opened without it.
fn change(
    db: &mut Db,
    me: &Me,
    end_others: bool,
    act: impl FnOnce(&mut Db) -> Result<String, Problem>,
) -> Result<(), Problem> {
    audit::change_own(db, &me.actor, &me.origin, |db| {
        let on = gate::check(db, me)?;
        let what = act(db)?;
        let mut event = Event::new(EventType::UserUpdate, subject(&me.actor)).with("secondFactor", &what);
        if end_others || !on {
            let ended = session::end_others(db, me.actor.key, &me.session.id)?;
            event = event.with("sessionsEnded", ended.to_string());
        }
        mail::post(db, &notice::of(&me.actor, &me.origin, &what))?;
        Ok(((), event))
    })
}

/// Puts the app with this secret in place of the one before, if the code proves that it is in an app.
pub fn put_app(
    db: &mut Db,
    means: &Means,
    me: &Me,
    secret: &[u8],
    code: &str,
    end_others: bool,
) -> Result<(), Problem> {
    let step = app::step_of(secret, code, ids::now().and_utc().timestamp());
    let step = step.ok_or_else(|| {
        Problem::invalid("code", "This is not the code that the app shows now. Wait for the next one and try again")
    })?;
    let sealed = means.vault.seal(&app_of(me.actor.key), secret)?;
    change(db, me, end_others, |db| {
        let replaced = store::put_app(db, me.actor.key, &sealed, step)?;
        session::note_second_factor(db, &me.session.id)?;
        Ok(if replaced { "authenticator app replaced" } else { "authenticator app added" }.to_owned())
    })
}

/// Stores the passkey that answered the question of the ticket.
pub fn put_passkey(
    db: &mut Db,
    means: &Means,
    me: &Me,
    name: &str,
    (ticket, answer): (&str, &str),
    end_others: bool,
) -> Result<(), Problem> {
    let party = passkey::relying_party(&means.config);
    let made = party.and_then(|party| passkey::check_new(&party, &means.vault, me.actor.key, ticket, answer));
    let (id, credential) = made.ok_or_else(|| {
        Problem::invalid("", "No passkey came with the form, or it took too long. Try again; it needs script")
    })?;
    change(db, me, end_others, |db| {
        store::put_passkey(db, me.actor.key, name, &id, &credential)?;
        session::note_second_factor(db, &me.session.id)?;
        Ok(format!("passkey “{name}” added"))
    })
}

/// From now on these recovery codes work, and those before no more.
/// Invalid when they were kept before: those of them that were used since do not work again.
fn put_codes(db: &mut Db, me: &Me, codes: &[String], ticket: &str) -> Result<(), Problem> {
    let hashes: Vec<String> = codes.iter().filter_map(|code| recovery::hash(code)).collect();
    change(db, me, false, |db| {
        if !store::spend(db, &ids::sha256_hex(ticket.as_bytes()))? {
            return Err(Problem::invalid("", "Those codes were kept before. Here are new ones"));
        }
        store::put_codes(db, me.actor.key, &hashes)?;
        Ok("new recovery codes made".to_owned())
    })
}

/// What is taken away.
#[derive(Debug, Clone)]
pub enum Gone {
    App,
    /// By its id.
    Passkey(String),
}

/// Takes one away; with the last one the recovery codes go too. Invalid while an account asks for a second factor.
pub fn remove(db: &mut Db, me: &Me, which: &Gone) -> Result<(), Problem> {
    let user = me.actor.key;
    change(db, me, false, |db| {
        let before = summary(db, user)?;
        let (gone, what) = match which {
            Gone::App => (store::delete_app(db, user)?, "authenticator app removed".to_owned()),
            Gone::Passkey(id) => {
                let name = before.passkeys.iter().find(|key| key.id == *id).map(|key| key.name.clone());
                (store::delete_passkey(db, user, id)?, format!("passkey “{}” removed", name.unwrap_or_default()))
            }
        };
        if !gone {
            return Err(Problem::NotFound);
        }
        if before.is_last() {
            if let Some(account) = requirement::asking_of(db, user)? {
                return Err(Problem::invalid("", requirement::refusal(&account)));
            }
            store::delete_codes(db, user)?;
            session::forget_second_factor(db, user)?;
        }
        Ok(what)
    })
}

/// Somebody signed in with a recovery code: how many are left, also by mail.
pub fn note_recovery(db: &mut Db, actor: &Actor, origin: &Origin) -> Result<i64, Problem> {
    let left = store::codes_left(db, actor.key)?;
    let words = text::count(left, "code is", "codes are");
    mail::post(db, &notice::of(actor, origin, &format!("recovery code used; {words} left")))?;
    Ok(left)
}
