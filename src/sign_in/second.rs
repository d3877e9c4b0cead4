//! The second step of signing in: a code from the app, a recovery code or a passkey, after the right password. The
//! same page serves somebody who is signed in without a second factor and comes to an account that asks for one.

use actix_web::HttpResponse;
use askama::Template;

use super::pages::start_session;
use super::throttle;
use crate::access::extract::{self, Half};
use crate::access::session;
use crate::access::{Actor, Me, Origin, lookup};
use crate::factor::{self, How, Means, Question, requirement};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::text;
use crate::web::back::{way_back, with_way_back};
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Sent, Shell, Site};

#[derive(Template)]
#[template(path = "sign_in/second.html")]
struct SecondPage {
    shell: Shell,
    form: Filled,
    /// Why it is asked for, where an account does; else "".
    reason: String,
    /// Whether there is a second factor to use.
    on: bool,
    /// What the field is called, and what it takes.
    label: (&'static str, &'static str),
    question: Option<Question>,
    cancel: &'static str,
    /// Where an app, or a passkey, is set up, with the way back from there.
    set_up: [String; 2],
}

/// Who is to prove themselves.
#[derive(Clone)]
enum Who {
    /// The password was right just now.
    Half(Half),
    /// Signed in, without a second factor so far.
    Whole(Box<Me>),
}

impl Who {
    fn of(site: &Site, me: Result<Me, Problem>) -> Result<Who, Problem> {
        match (extract::half(&site.req), me) {
            (Some(half), Err(Problem::SignIn)) => Ok(Who::Half(half)),
            (_, me) => Ok(Who::Whole(Box::new(me?))),
        }
    }

    fn user(&self) -> Key {
        match self {
            Who::Half(half) => half.user,
            Who::Whole(me) => me.actor.key,
        }
    }

    /// The stamp of the password now: of the same one that opened the half session, or in a session that is alive.
    fn still(&self, db: &mut Db) -> Result<String, Problem> {
        let now = session::current_stamp(db, self.user())?;
        let holds = match self {
            Who::Half(half) => half.stamp == now,
            Who::Whole(me) => session::used_second_factor(db, &me.session.id)?.is_some(),
        };
        if holds { Ok(now) } else { Err(Problem::SignIn) }
    }

    fn csrf(&self) -> &str {
        match self {
            Who::Half(half) => &half.csrf,
            Who::Whole(me) => &me.session.csrf,
        }
    }
}

fn onward(site: &Site) -> String {
    let back = way_back(&site.req);
    if back.is_empty() { "/".to_owned() } else { back }
}

/// GET /sign-in/second?back=
pub async fn ask(me: Result<Me, Problem>, site: Site) -> Result<HttpResponse, Problem> {
    let who = Who::of(&site, me)?;
    if matches!(&who, Who::Whole(me) if me.session.second_factor) {
        return Ok(site.see(&Reply::to(onward(&site), "")));
    }
    site.page(&page(&who, &site, Filled::with([])).await?, Keep::Nothing)
}

async fn page(who: &Who, site: &Site, mut form: Filled) -> Result<SecondPage, Problem> {
    let (user, whole) = (who.user(), matches!(who, Who::Whole(_)));
    let back = way_back(&site.req);
    let account = back.strip_prefix("/a/").and_then(|rest| rest.split(['/', '?']).next().map(str::to_owned));
    let read = move |db: &mut Db| {
        let asking = match account.filter(|_| whole) {
            Some(id) => lookup::frame(db, user, &id).ok().filter(|frame| !frame.held().is_empty()),
            None => None,
        };
        Ok((factor::summary(db, user)?, asking.and_then(|frame| requirement::asking(&frame))))
    };
    let (known, asking) = site.pool.read(read).await?;
    let question = Means::of(site)?.ask(user, &known.passkeys)?;
    let heading = if asking.is_some() { "This account asks for a second factor" } else { "Second step" };
    form.forget("code");
    Ok(SecondPage {
        shell: Shell::bare(&site.req, &site.config, heading, who.csrf()).failing(form.failed()),
        reason: asking
            .map(|name| format!("{name} asks for one of everybody who enters it or anything below."))
            .unwrap_or_default(),
        on: known.is_on(),
        label: match known.app {
            Some(_) => ("Code from the app", "Six digits. A recovery code does as well."),
            None => ("Recovery code", "If your passkey is not at hand."),
        },
        question,
        cancel: if whole { "/profile" } else { "/sign-in" },
        set_up: factor::SET_UP.map(|page| with_way_back(page, &back)),
        form,
    })
}

/// POST /sign-in/second?back=: counted for the person, from wherever they come.
pub async fn prove(me: Result<Me, Problem>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let who = Who::of(&site, me)?;
    let form = sent.open(who.csrf(), None, &["code", "ticket", "credential"])?;
    match check(&who, &site, &form).await {
        Err(Problem::Invalid(errors)) => {
            let page = page(&who, &site, form.filled(errors)).await?;
            site.refused(&page)
        }
        Err(other) => Err(other),
        Ok((stamp, flash)) => {
            match &who {
                Who::Half(half) => start_session(&site.req, half.user, true, &stamp)?,
                Who::Whole(me) => session::go_on(&site.req, &me.session, true, &stamp)?,
            }
            Ok(site.see(&Reply::to(onward(&site), flash)))
        }
    }
}

/// What the session goes on with, and the sentence to say afterwards.
async fn check(who: &Who, site: &Site, form: &Form) -> Result<(String, String), Problem> {
    let mut check = form.check();
    let by_passkey = !form.value("credential").is_empty();
    if !by_passkey && form.value("code").trim().is_empty() {
        check.note("code", Some("Enter the code that the app shows, or a recovery code".to_owned()));
    }
    check.finish()?;
    let (user, means, origin, form) = (who.user(), Means::of(site)?, extract::origin(&site.req), form.clone());
    let who = who.clone();
    let proving = site.pool.write(move |db| {
        let stamp = who.still(db)?;
        // Whoever is here knows the password, so the count may lock the codes; a passkey cannot be guessed.
        if !by_passkey {
            throttle::count_code(db, user)?;
        }
        let how = if by_passkey {
            let right = factor::use_passkey(db, &means, user, form.value("ticket"), form.value("credential"))?;
            right.then_some(How::Passkey)
        } else {
            factor::use_code(db, &means, user, form.value("code"))?
        };
        Ok((stamp, settle(db, user, &origin, how, by_passkey)?))
    });
    proving.await
}

/// Notes how it went.
fn settle(db: &mut Db, user: Key, origin: &Origin, how: Option<How>, by_passkey: bool) -> Result<String, Problem> {
    let tried = how.map_or(if by_passkey { "passkey" } else { "code" }, How::words);
    super::record_sign_in(db, user, origin, &format!("password, then {tried}"), how.is_none())?;
    match how {
        None if by_passkey => Err(Problem::invalid("", "The passkey was not accepted. Try again, or use a code")),
        None => Err(Problem::invalid("code", "This code is not right, or was used before. Wait for the next one")),
        Some(How::RecoveryCode) => {
            throttle::code_was_right(db, user)?;
            let actor: Actor = lookup::actor(db, user)?;
            let left = factor::note_recovery(db, &actor, origin)?;
            Ok(format!(
                "!{} left. Make new ones in your profile.",
                text::count(left, "recovery code is", "recovery codes are")
            ))
        }
        Some(_) => throttle::code_was_right(db, user).map(|()| String::new()),
    }
}
