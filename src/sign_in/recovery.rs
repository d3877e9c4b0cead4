//! A new password for somebody who forgot theirs. Asking writes one row and looks at nobody, so that it tells nothing
//! about who exists, in words or in time; the background work answers it by mail. The link is bound to the browser in
//! which it was asked for; in another one the e-mail address has to be entered again.

use chrono::Duration;

use super::links::{self, Asked, Purpose};
use super::throttle::{self, Attempt};
use super::{letters, store};
use crate::access::{Origin, session};
use crate::audit::{self, Event, EventType, Subject};
use crate::factor;
use crate::ids;
use crate::mail;
use crate::problem::Problem;
use crate::store::{self as database, Db, Pool};
use crate::text::email_key;
use crate::web::form::Receipt;
use crate::web::once::Reply;

/// Links that one person is sent in a window, whoever asks; more would fill a mailbox and end each other.
const MOST_LINKS: i64 = 5;
const WINDOW_MINUTES: i64 = 15;
const AT_ONCE: i64 = 50;

/// Notes that somebody wants a new password. TooMany when this address asks too often.
pub fn ask(db: &mut Db, email: &str, browser: &str, origin: &Origin) -> Result<(), Problem> {
    // In a transaction of its own: a refused request counts too.
    database::write(db, |db| throttle::count_reset(db, &origin.address, email))?;
    database::write(db, |db| links::ask(db, email, browser, origin))?;
    mail::ring();
    Ok(())
}

/// Answers what was asked; how many requests that were. One that cannot be answered waits for the next time, and the
/// others do not wait for it.
pub async fn answer_asked(pool: &Pool) -> Result<usize, Problem> {
    let (mut answered, mut looked_at) = (0, 0);
    loop {
        let waiting = pool.read_long(move |db| links::asked(db, looked_at, AT_ONCE)).await?;
        if waiting.is_empty() {
            return Ok(answered);
        }
        for asked in waiting {
            looked_at = asked.key;
            match pool.write(move |db| database::write(db, |db| answer(db, &asked))).await {
                Ok(()) => answered += 1,
                Err(away @ Problem::Unavailable(_)) => return Err(away),
                Err(problem) => tracing::error!(%problem, "a request for a new password was not answered"),
            }
        }
    }
}

fn answer(db: &mut Db, asked: &Asked) -> Result<(), Problem> {
    if !links::dismiss(db, asked)? || asked.expires_at < ids::now() {
        return Ok(());
    }
    let Some((user, _)) = store::by_email(db, &asked.email)? else { return Ok(()) };
    let since = ids::now() - Duration::minutes(WINDOW_MINUTES);
    let attempt = Attempt::new(&asked.origin.address, &asked.email);
    if links::answered_since(db, user, since)? >= MOST_LINKS && !throttle::is_known(db, &attempt)? {
        return Ok(());
    }
    let token = links::answer(db, asked, user)?;
    let (id, name) = store::id_and_name(db, user)?;
    let event = Event::new(EventType::UserPasswordForgotten, Subject::new("USER", &id, &name));
    audit::record_for(db, user, &asked.origin, &event)?;
    // To the address on record, not to the one that was typed: they may differ and still count as equal.
    let email = store::email(db, user)?;
    mail::post(db, &letters::reset(&email, &token, &asked.origin))
}

/// Somebody with a link for a new password.
#[derive(Debug, Clone)]
pub struct Opened {
    pub link: links::Link,
    /// Their own words, which make no good password.
    pub context: [String; 4],
    /// The browser is the one that asked.
    pub same_browser: bool,
}

/// Looks at a link without using it: machines that check mails for danger open every link there is.
pub fn look(db: &mut Db, token: &str, browser: &str) -> Result<Opened, Problem> {
    let link = links::find(db, Purpose::PasswordReset, token)?;
    let names = store::names(db, link.user)?.0;
    let context = [names.first_name, names.last_name, names.company, store::email(db, link.user)?];
    Ok(Opened { same_browser: link.browser == browser, context, link })
}

/// Whether this is the person's address; every try from another browser counts.
pub fn check_email(db: &mut Db, opened: &Opened, typed: &str) -> Result<bool, Problem> {
    database::write(db, |db| throttle::count_guess(db, &opened.link.email))?;
    Ok(email_key(typed) == email_key(&opened.context[3]))
}

/// The answer to this form, if it was carried out before: the link is spent, and the person is not to be told so.
pub fn again(db: &mut Db, token: &str, receipt: &Receipt) -> Result<Option<Reply>, Problem> {
    links::again(db, Purpose::PasswordReset, token, receipt)
}

/// Sets the new password, ends every session and every other link, and tells the person. Whoever signed up with an
/// address that was not theirs may have set up a second factor: it goes when its owner comes for the first time.
/// Conflict(LinkIsSpent) when the link was used meanwhile.
pub fn reset(db: &mut Db, opened: &Opened, hash: &str, origin: &Origin) -> Result<(), Problem> {
    database::write(db, |db| {
        let (user, email) = (opened.link.user, &opened.context[3]);
        links::spend(db, &opened.link)?;
        links::spend_all(db, user, &[Purpose::PasswordReset, Purpose::EmailChange])?;
        store::set_password(db, user, hash)?;
        let gone = !super::email::state(db, user)?.verified && factor::forget(db, user)?;
        store::mark_verified(db, user)?;
        let ended = session::end_others(db, user, "")?;
        throttle::recognise(db, &Attempt::new(&origin.address, email))?;
        let (id, name) = store::id_and_name(db, user)?;
        let mut event = Event::new(EventType::UserUpdate, Subject::new("USER", &id, &name))
            .with("method", "new password by a mailed link")
            .with("sessionsEnded", ended.to_string());
        if gone {
            event = event.with("secondFactor", "removed, because nobody had confirmed the address");
        }
        audit::record_for(db, user, origin, &event)?;
        let letter = if gone { letters::all_changed(email, origin) } else { letters::password_changed(email, origin) };
        mail::post(db, &letter)
    })
}
