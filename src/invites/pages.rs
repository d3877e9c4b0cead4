//! The page of an invitation, in the three ways people come to it, and what it answers.

use actix_session::SessionExt;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::signing_up::{as_new, earlier};
use crate::access::{Me, extract};
use crate::members::{self, Accepted, Offer, words};
use crate::problem::{Errors, Problem, Reason};
use crate::sign_in::{self, throttle};
use crate::store::Db;
use crate::text::email_key;
use crate::web::guest::Guest;
use crate::web::shell::path_words;
use crate::web::site::Keep;
use crate::web::when::{self, When};
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site};

#[derive(Template)]
#[template(path = "invites/show.html")]
struct InvitePage {
    shell: Shell,
    invitation: View,
    /// What the visitor has to do: `sign-up`, `sign-in` or `accept`.
    step: &'static str,
    sign_in: String,
    form: Filled,
}

/// An invitation as people read it.
struct View {
    inviter: String,
    inviter_email: String,
    account: String,
    path: String,
    roles: Vec<(String, String)>,
    reach: String,
    until: Option<When>,
    message: String,
    email: String,
    expires: When,
    /// Entering the account takes a second factor.
    second_factor: bool,
}

#[derive(Template)]
#[template(path = "invites/other.html")]
struct OtherPage {
    shell: Shell,
    me: String,
    form: Filled,
}

const FIELDS: [&str; 5] = ["first_name", "last_name", "company", "password", "switch"];

/// Who looks at the page; a database that is away is no reason to take somebody for a stranger.
fn visitor(me: Result<Me, Problem>) -> Result<Option<Me>, Problem> {
    match me {
        Ok(me) => Ok(Some(me)),
        Err(Problem::SignIn) => Ok(None),
        Err(other) => Err(other),
    }
}

/// What the link means to whoever came with it.
pub(super) enum Meaning {
    Open(Box<Offer>, bool),
    /// This person accepted it before.
    Done(String),
}

pub(super) async fn meaning(site: &Site, me: Option<&Me>, token: &str) -> Result<Meaning, Problem> {
    let (user, asked) = (me.map(|me| me.actor.key), token.to_owned());
    let read = move |db: &mut Db| {
        if let Some(user) = user
            && let Some(account) = members::accepted_into(db, &asked, user)?
        {
            return Ok(Meaning::Done(account));
        }
        let offer = members::offer(db, &asked)?;
        let known = members::is_known(db, &offer)?;
        Ok(Meaning::Open(Box::new(offer), known))
    };
    match site.pool.read(read).await {
        Err(Problem::Conflict(Reason::LinkIsSpent)) => Err(refused(site).await),
        other => other,
    }
}

/// A link that does not work counts as a guess.
pub(super) async fn refused(site: &Site) -> Problem {
    let address = extract::origin(&site.req).address;
    match site.pool.write(move |db| throttle::count_link(db, &address)).await {
        Err(problem) => problem,
        Ok(()) => Problem::Conflict(Reason::LinkIsSpent),
    }
}

/// GET /invites/{token}
pub async fn show(
    guest: Guest,
    me: Result<Me, Problem>,
    site: Site,
    token: Path<String>,
) -> Result<HttpResponse, Problem> {
    let me = visitor(me)?;
    let (offer, known) = match meaning(&site, me.as_ref(), &token).await? {
        Meaning::Done(account) => return Ok(site.see(&Reply::to(format!("/a/{account}/dashboard"), ""))),
        Meaning::Open(offer, known) => (offer, known),
    };
    match me {
        Some(me) if !is_for(&offer, &me) => other(&site, &me),
        me => page(&guest, &site, me.as_ref(), &token, &offer, known, Filled::with([])),
    }
}

fn is_for(offer: &Offer, me: &Me) -> bool {
    offer.invitation.email_key == email_key(&me.actor.email)
}

pub(super) fn page(
    guest: &Guest,
    site: &Site,
    me: Option<&Me>,
    token: &str,
    offer: &Offer,
    known: bool,
    form: Filled,
) -> Result<HttpResponse, Problem> {
    let invitation = view(offer);
    let heading = format!("Join {}", invitation.account);
    let shell = match me {
        Some(me) => Shell::bare(&site.req, &site.config, &heading, &me.session.csrf),
        None => guest.shell(site, &heading),
    };
    let page = InvitePage {
        shell: shell.failing(form.failed()),
        invitation,
        step: match me {
            Some(_) => "accept",
            None if known => "sign-in",
            None => "sign-up",
        },
        sign_in: back_to(token),
        form,
    };
    let answer = if page.form.failed() { site.refused(&page)? } else { site.page(&page, Keep::Nothing)? };
    guest.remember(site, answer)
}

pub(super) fn back_to(token: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    format!("/sign-in?{}", query.append_pair("back", &format!("/invites/{token}")).finish())
}

fn view(offer: &Offer) -> View {
    let frame = offer.inviter.frame();
    let invitation = &offer.invitation;
    View {
        inviter: frame.actor.name(),
        inviter_email: frame.actor.email.clone(),
        account: frame.account().name.clone(),
        path: path_words(frame),
        roles: offer.roles.iter().map(|r| (r.name.clone(), words::powers_line(r.permissions))).collect(),
        reach: invitation.scope.words().to_owned(),
        until: when::last_day(invitation.ends_at),
        message: invitation.message.clone(),
        email: invitation.email.clone(),
        expires: invitation.expires_at.into(),
        second_factor: frame.asks_second_factor().is_some(),
    }
}

/// Somebody else is signed in: nothing of the invitation is told, not even for whom it is.
fn other(site: &Site, me: &Me) -> Result<HttpResponse, Problem> {
    let page = OtherPage {
        shell: Shell::bare(&site.req, &site.config, "This invitation is for somebody else", &me.session.csrf),
        me: me.actor.email.clone(),
        form: Filled::with([]),
    };
    site.page_with(StatusCode::FORBIDDEN, &page, Keep::Nothing)
}

/// POST /invites/{token}
pub async fn accept(
    guest: Guest,
    me: Result<Me, Problem>,
    site: Site,
    token: Path<String>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    match visitor(me)? {
        Some(me) => {
            let form = match sent.clone().open(&me.session.csrf, None, &FIELDS) {
                // The second click of signing up: the session of the first is there already.
                Err(Problem::CrossSite) => {
                    let twin = earlier(&site, &token, &guest.open(sent, &FIELDS)?).await?;
                    return twin.map(|reply| site.see(&reply)).ok_or(Problem::CrossSite);
                }
                opened => opened?,
            };
            form.check().finish()?;
            if form.value("switch") == "yes" {
                return sign_out(&site, &me, &token).await;
            }
            as_known(&guest, &site, &me, &token, &form).await
        }
        None => {
            let form = match guest.open(sent, &FIELDS) {
                // The button to accept, of a session that ended.
                Err(Problem::CrossSite) => return Ok(site.see(&Reply::to(back_to(&token), ""))),
                opened => opened?,
            };
            as_new(&guest, &site, &token, form).await
        }
    }
}

/// Out, and to the sign-in that leads back here.
async fn sign_out(site: &Site, me: &Me, token: &str) -> Result<HttpResponse, Problem> {
    let (actor, origin, session) = (me.actor.clone(), me.origin.clone(), me.session.id.clone());
    site.pool.write(move |db| sign_in::sign_out(db, &actor, &origin, &session)).await?;
    site.req.get_session().purge();
    Ok(site.see(&Reply::to(back_to(token), "You are signed out.")))
}

async fn as_known(guest: &Guest, site: &Site, me: &Me, token: &str, form: &Form) -> Result<HttpResponse, Problem> {
    let offer = match meaning(site, Some(me), token).await? {
        Meaning::Done(account) => return Ok(site.see(&Reply::to(format!("/a/{account}/dashboard"), ""))),
        Meaning::Open(offer, _) if !is_for(&offer, me) => return other(site, me),
        Meaning::Open(offer, _) => offer,
    };
    let (actor, origin, asked) = (me.actor.clone(), me.origin.clone(), token.to_owned());
    match site.pool.write(move |db| members::accept(db, &actor, &origin, &asked)).await {
        Ok(accepted) => Ok(site.see(&landing(&accepted))),
        Err(Problem::Conflict(reason @ Reason::LimitReached { .. })) => {
            page(guest, site, Some(me), token, &offer, true, form.filled(Errors::one("", reason.in_form())))
        }
        // Their address changed this moment.
        Err(Problem::NotFound) => other(site, me),
        // The same button twice: the first click did it.
        Err(Problem::Conflict(Reason::LinkIsSpent)) => match meaning(site, Some(me), token).await? {
            Meaning::Done(account) => Ok(site.see(&Reply::to(format!("/a/{account}/dashboard"), ""))),
            Meaning::Open(..) => Err(Problem::Conflict(Reason::LinkIsSpent)),
        },
        Err(other) => Err(other),
    }
}

/// Into the account; where the roles hold below it only, to the topmost account that can be seen.
pub(super) fn landing(accepted: &Accepted) -> Reply {
    let name = &accepted.account.name;
    if accepted.scope.holds_here() {
        let to = format!("/a/{}/{}", accepted.account.id, Section::Dashboard.slug());
        return Reply::to(to, format!("You are a member of {name} now."));
    }
    Reply::to("/", format!("You are a member of {name} now. Your roles reach the accounts below it."))
}
