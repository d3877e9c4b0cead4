//! The pages of a forgotten password. The answer to asking is one page for everybody.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::password;
use super::recovery::{self, Opened};
use crate::access::extract;
use crate::problem::{Errors, Problem, Reason};
use crate::web::guest::Guest;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Sent, Shell, Site, once};

#[derive(Template)]
#[template(path = "sign_in/forgot.html")]
struct ForgotPage {
    shell: Shell,
    form: Filled,
}

#[derive(Template)]
#[template(path = "sign_in/sent.html")]
struct SentPage {
    shell: Shell,
}

#[derive(Template)]
#[template(path = "sign_in/reset.html")]
struct ResetPage {
    shell: Shell,
    form: Filled,
    same_browser: bool,
}

const FORGOT: &str = "Forgot your password?";
const RESET: &str = "Set a new password";

/// GET /password/forgot
pub async fn new(guest: Guest, site: Site) -> Result<HttpResponse, Problem> {
    let page = ForgotPage { shell: guest.shell(&site, FORGOT), form: Filled::with([]) };
    let page = site.page(&page, Keep::Nothing)?;
    guest.remember(&site, page)
}

/// POST /password/forgot: the same for every address.
pub async fn create(guest: Guest, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = guest.open(sent, &["email"])?;
    let mut check = form.check();
    let email = check.email("email", "Email");
    if let Err(Problem::Invalid(errors)) = check.finish() {
        let page = ForgotPage { shell: guest.shell(&site, FORGOT).failing(true), form: form.filled(errors) };
        return guest.remember(&site, site.refused(&page)?);
    }
    let (browser, origin) = (guest.browser_hash(), extract::origin(&site.req));
    site.pool.write(move |db| recovery::ask(db, &email, &browser, &origin)).await?;
    Ok(site.see(&Reply::to("/password/sent", "")))
}

/// GET /password/sent
pub async fn sent(guest: Guest, site: Site) -> Result<HttpResponse, Problem> {
    site.page(&SentPage { shell: guest.shell(&site, "Check your mail") }, Keep::Nothing)
}

async fn look(guest: &Guest, site: &Site, token: &str) -> Result<Opened, Problem> {
    let (token, browser) = (token.to_owned(), guest.browser_hash());
    site.pool.read(move |db| recovery::look(db, &token, &browser)).await
}

/// GET /password/reset/{token}
pub async fn edit(guest: Guest, site: Site, token: Path<String>) -> Result<HttpResponse, Problem> {
    let same_browser = look(&guest, &site, &token).await?.same_browser;
    let page = ResetPage { shell: guest.shell(&site, RESET), form: Filled::with([]), same_browser };
    let page = site.page(&page, Keep::Nothing)?;
    guest.remember(&site, page)
}

/// POST /password/reset/{token}
pub async fn update(guest: Guest, site: Site, token: Path<String>, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = guest.open(sent, &["email", "new_password"])?;
    match tried(&guest, &site, &token, &form).await {
        // The twin of a form that was carried out finds the link spent: it gets the same answer.
        Err(Problem::Conflict(Reason::LinkIsSpent)) => {
            let receipt = form.receipt();
            let earlier = site.pool.read(move |db| recovery::again(db, &token, &receipt)).await?;
            earlier.map(|reply| site.see(&reply)).ok_or(Problem::Conflict(Reason::LinkIsSpent))
        }
        other => other,
    }
}

async fn tried(guest: &Guest, site: &Site, token: &str, form: &Form) -> Result<HttpResponse, Problem> {
    let opened = look(guest, site, token).await?;
    let same_browser = opened.same_browser;
    match set(site, form, opened).await {
        Err(Problem::Invalid(errors)) => refuse(guest, site, form, errors, same_browser),
        other => Ok(site.see(&other?)),
    }
}

async fn set(site: &Site, form: &Form, opened: Opened) -> Result<Reply, Problem> {
    let mut check = form.check();
    let typed = check.raw("new_password").to_owned();
    let context = opened.context.each_ref().map(String::as_str);
    check.note("new_password", password::refusal(&typed, &context));
    if !opened.same_browser {
        let (copy, email) = (opened.clone(), check.raw("email").trim().to_owned());
        let right = site.pool.write(move |db| recovery::check_email(db, &copy, &email)).await?;
        let wrong = "Enter the email address that this link was sent to";
        check.note("email", (!right).then(|| wrong.to_owned()));
    }
    check.finish()?;
    let sentence = format!("Your password is set. It is {}. Sign in with it.", password::strength(&typed, &context));
    let (hash, origin, receipt) = (password::hash(&typed).await?, extract::origin(&site.req), form.receipt());
    let done = site.pool.write(move |db| {
        once(db, opened.link.user, &receipt, |db| {
            recovery::reset(db, &opened, &hash, &origin)?;
            Ok(Reply::to("/sign-in", sentence))
        })
    });
    done.await
}

fn refuse(
    guest: &Guest,
    site: &Site,
    form: &Form,
    errors: Errors,
    same_browser: bool,
) -> Result<HttpResponse, Problem> {
    let mut form = form.filled(errors);
    form.forget("new_password");
    let page = ResetPage { shell: guest.shell(site, RESET).failing(true), form, same_browser };
    guest.remember(site, site.refused(&page)?)
}
