//! Signing up, in and out, and the way from `/` to an account.

use actix_session::SessionExt;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::throttle::{self, Attempt};
use super::{NewUser, password, store};
use crate::access::session::entry;
use crate::access::{Me, extract};
use crate::ids::{self, Key};
use crate::problem::{Errors, Problem};
use crate::web::guest::Guest;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Sent, Shell, Site};

#[derive(Template)]
#[template(path = "sign_in/new.html")]
struct SignInPage {
    shell: Shell,
    form: Filled,
    back: String,
}

#[derive(Template)]
#[template(path = "sign_in/sign_up.html")]
struct SignUpPage {
    shell: Shell,
    form: Filled,
}

/// GET /: to the account used last.
pub async fn home(me: Me, site: Site) -> Result<HttpResponse, Problem> {
    let to = site.pool.read(move |db| super::home(db, &me.actor)).await?;
    Ok(site.see(&Reply::to(to.unwrap_or_else(|| "/profile".to_owned()), "")))
}

/// GET /sign-in?back=
pub async fn new(guest: Guest, site: Site) -> Result<HttpResponse, Problem> {
    let back = way_back(&site.req);
    let page = SignInPage { shell: guest.shell(&site, "Sign in"), form: Filled::with([]), back };
    let page = site.page(&page, Keep::Nothing)?;
    guest.remember(&site, page)
}

/// Where the address says that somebody wants to go on.
pub(super) fn way_back(req: &HttpRequest) -> String {
    let mut query = url::form_urlencoded::parse(req.query_string().as_bytes());
    query.find(|(name, _)| name == "back").map(|(_, back)| own_path(&back)).unwrap_or_default()
}

/// A path of this console, or nothing: a link must not lead people from here to another site.
pub(super) fn own_path(back: &str) -> String {
    let fine =
        back.starts_with('/') && !back.starts_with("//") && !back.contains('\\') && !back.contains(char::is_control);
    if fine && !back.starts_with("/sign-") { back.to_owned() } else { String::new() }
}

/// POST /sign-in: known and unknown addresses answer alike, in words and in time.
pub async fn create(guest: Guest, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = guest.open(sent, &["email", "password", "back"])?;
    if let Err(Problem::Invalid(errors)) = form.check().finish() {
        return refuse_sign_in(&guest, &site, &form, errors);
    }
    let origin = extract::origin(&site.req);
    let attempt = Attempt::new(&origin.address, form.value("email"));
    let counted = attempt.clone();
    site.pool.write(move |db| throttle::count(db, &counted)).await?;

    let email = form.value("email").to_owned();
    let found = if email.contains('\0') { None } else { site.pool.read(move |db| store::by_email(db, &email)).await? };
    let user = found.as_ref().map(|(user, _)| *user);
    let right = password::matches(form.value("password"), found.map(|(_, hash)| hash)).await?;
    let noted = (user, right);
    let noting = site.pool.write(move |db| {
        if noted.1 {
            throttle::succeeded(db, &attempt)?;
        }
        if let Some(user) = noted.0 {
            super::record_sign_in(db, user, &origin, "password", !noted.1)?;
        }
        Ok(())
    });
    noting.await?;
    match user.filter(|_| right) {
        Some(user) => {
            start_session(&site.req, user)?;
            let back = own_path(form.value("back"));
            Ok(site.see(&Reply::to(if back.is_empty() { "/".to_owned() } else { back }, "")))
        }
        None => {
            let errors = Errors::one("email", "Email or password is not right. Check both and try again");
            refuse_sign_in(&guest, &site, &form, errors)
        }
    }
}

fn refuse_sign_in(guest: &Guest, site: &Site, form: &Form, errors: Errors) -> Result<HttpResponse, Problem> {
    let back = own_path(form.value("back"));
    let mut form = form.filled(errors);
    form.forget("password");
    let page = SignInPage { shell: guest.shell(site, "Sign in").failing(true), form, back };
    guest.remember(site, site.refused(&page)?)
}

/// A new token at each sign-in; the old one, if any, is dead.
fn start_session(req: &HttpRequest, user: Key) -> Result<(), Problem> {
    let session = req.get_session();
    let origin = extract::origin(req);
    session.clear();
    session.renew();
    let insert =
        |name: &str, value: &str| session.insert(name, value).map_err(|e| Problem::Bug(anyhow::anyhow!("{e}")));
    session.insert(entry::USER, user).map_err(|e| Problem::Bug(anyhow::anyhow!("{e}")))?;
    insert(entry::ID, &ids::token())?;
    insert(entry::CSRF, &ids::token())?;
    insert(entry::ADDRESS, &origin.address)?;
    insert(entry::USER_AGENT, &origin.user_agent)
}

const SIGN_UP_FIELDS: [&str; 6] = ["first_name", "last_name", "company", "email", "password", "account_name"];

/// GET /sign-up
pub async fn sign_up_form(guest: Guest, site: Site) -> Result<HttpResponse, Problem> {
    let page = SignUpPage { shell: guest.shell(&site, "Sign up"), form: Filled::with([]) };
    let page = site.page(&page, Keep::Nothing)?;
    guest.remember(&site, page)
}

/// POST /sign-up
pub async fn sign_up(guest: Guest, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = guest.open(sent, &SIGN_UP_FIELDS)?;
    match register(&site, &form).await {
        Err(Problem::Invalid(errors)) => {
            let mut form = form.filled(errors);
            form.forget("password");
            let page = SignUpPage { shell: guest.shell(&site, "Sign up").failing(true), form };
            guest.remember(&site, site.refused(&page)?)
        }
        other => {
            let (reply, user) = other?;
            start_session(&site.req, user)?;
            Ok(site.see(&reply))
        }
    }
}

async fn register(site: &Site, form: &Form) -> Result<(Reply, Key), Problem> {
    let (mut new, typed) = checked(form)?;
    let origin = extract::origin(&site.req);
    let address = origin.address.clone();
    site.pool.write(move |db| throttle::count_sign_up(db, &address)).await?;
    new.password_hash = password::hash(&typed).await?;
    let context = [new.first_name.clone(), new.last_name.clone(), new.email.clone(), new.company.clone()];
    let made = site.pool.write(move |db| super::sign_up(db, &new, &origin)).await?;
    let strength = password::strength(&typed, &context.each_ref().map(String::as_str));
    let flash = format!("Welcome. Your account is made; your password is {strength}. Next: the agreements.");
    Ok((Reply::to(format!("/a/{}/consent", made.account_id), flash), made.user))
}

fn checked(form: &Form) -> Result<(NewUser, String), Problem> {
    let mut check = form.check();
    let first_name = check.line("first_name", "First name", 1, 128);
    let last_name = check.line("last_name", "Last name", 1, 128);
    let company = check.line("company", "Company", 1, 128);
    let email = check.email("email", "Email");
    let account_name = check.line("account_name", "Account name", 1, 64);
    let typed = check.raw("password").to_owned();
    let context = [&first_name, &last_name, &company, &email, &account_name].map(String::as_str);
    check.note("password", password::refusal(&typed, &context));
    check.finish()?;
    Ok((NewUser { first_name, last_name, company, email, password_hash: String::new(), account_name }, typed))
}

/// POST /sign-out: the session is gone on the server, and the browser is told to forget what it kept.
pub async fn destroy(me: Me, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    sent.open(&me.session.csrf, None, &[])?;
    let (actor, origin, session) = (me.actor.clone(), me.origin.clone(), me.session.id.clone());
    site.pool.write(move |db| super::sign_out(db, &actor, &origin, &session)).await?;
    site.req.get_session().purge();
    let mut answer = site.see(&Reply::to("/sign-in", "You are signed out."));
    let clear = HeaderValue::from_static("\"cache\", \"storage\"");
    answer.headers_mut().insert(HeaderName::from_static("clear-site-data"), clear);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn the_way_back_never_leads_elsewhere() {
        for foreign in ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/a\r\nx: y", "/sign-out"]
        {
            assert_eq!(own_path(foreign), "", "{foreign}");
        }
        assert_eq!(own_path("/a/ac-x/billing?x=1"), "/a/ac-x/billing?x=1");
    }
}
