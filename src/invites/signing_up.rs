//! Signing up on the page of an invitation: the user, the membership and the session in one. The button pressed twice
//! leads where the first click led.

use actix_web::HttpResponse;

use super::pages::{Meaning, back_to, meaning, page, refused};
use crate::access::{extract, session};
use crate::ids::Key;
use crate::members::Offer;
use crate::problem::{Errors, Problem, Reason};
use crate::sign_in::{self, NewUser, password, throttle};
use crate::web::guest::Guest;
use crate::web::{Filled, Form, Reply, Site};

/// The answer to signing up with this form, if it was sent before.
pub(super) async fn earlier(site: &Site, token: &str, form: &Form) -> Result<Option<Reply>, Problem> {
    let (token, receipt) = (token.to_owned(), form.receipt());
    site.pool.read(move |db| super::again(db, &token, &receipt)).await
}

pub(super) async fn as_new(guest: &Guest, site: &Site, token: &str, form: Form) -> Result<HttpResponse, Problem> {
    if let Some(reply) = earlier(site, token, &form).await? {
        return Ok(site.see(&reply));
    }
    let (offer, known) = match meaning(site, None, token).await {
        Ok(Meaning::Open(offer, known)) => (offer, known),
        // The first of two clicks may have been faster by a moment.
        Ok(Meaning::Done(_)) | Err(Problem::Conflict(Reason::LinkIsSpent)) => {
            let reply = earlier(site, token, &form).await?;
            return reply.map(|reply| site.see(&reply)).ok_or(Problem::Conflict(Reason::LinkIsSpent));
        }
        Err(other) => return Err(other),
    };
    if known {
        return Ok(site.see(&Reply::to(back_to(token), "")));
    }
    match register(site, token, &offer, &form).await {
        Ok((user, stamp, reply)) => {
            sign_in::start_session(&site.req, user, false, &stamp)?;
            Ok(site.see(&reply))
        }
        // Somebody signed up with the address this moment: the first of two clicks, or elsewhere.
        Err(Problem::Invalid(errors)) if errors.get("email").is_some() => {
            let reply = earlier(site, token, &form).await?;
            Ok(site.see(&reply.unwrap_or_else(|| Reply::to(back_to(token), ""))))
        }
        Err(Problem::Invalid(errors)) => page(guest, site, None, token, &offer, false, without_password(&form, errors)),
        Err(Problem::Conflict(reason @ Reason::LimitReached { .. })) => {
            let errors = Errors::one("", reason.in_form());
            page(guest, site, None, token, &offer, false, without_password(&form, errors))
        }
        Err(other) => Err(other),
    }
}

fn without_password(form: &Form, errors: Errors) -> Filled {
    let mut filled = form.filled(errors);
    filled.forget("password");
    filled
}

async fn register(site: &Site, token: &str, offer: &Offer, form: &Form) -> Result<(Key, String, Reply), Problem> {
    let mut check = form.check();
    let first_name = check.line("first_name", "First name", 1, 128);
    let last_name = check.line("last_name", "Last name", 1, 128);
    let company = check.line("company", "Company", 1, 128);
    let typed = check.raw("password").to_owned();
    let email = offer.invitation.email.clone();
    let account = &offer.inviter.account().name;
    let context = [&*first_name, &*last_name, &*company, &*email, &**account];
    check.note("password", password::refusal(&typed, &context));
    check.finish()?;
    let origin = extract::origin(&site.req);
    let address = origin.address.clone();
    site.pool.write(move |db| throttle::count_sign_up(db, &address)).await?;
    let password_hash = password::hash(&typed).await?;
    let new = NewUser { first_name, last_name, company, email, password_hash, account_name: String::new() };
    let (asked, receipt, stamp) = (token.to_owned(), form.receipt(), session::stamp(&new.password_hash));
    let made = site.pool.write(move |db| super::sign_up(db, &new, &origin, &asked, &receipt)).await;
    match made {
        Ok((user, reply)) => Ok((user, stamp, reply)),
        Err(Problem::Conflict(Reason::LinkIsSpent)) => Err(refused(site).await),
        Err(other) => Err(other),
    }
}
