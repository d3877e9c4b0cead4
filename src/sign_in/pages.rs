//! Signing up, in and out, and the way from `/` to an account.

use actix_session::SessionExt;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde_json::{Value, json};

use super::throttle::{self, Attempt, Counted};
use super::{NewUser, password, store};
use crate::access::session::{self, entry};
use crate::access::{Me, extract};
use crate::factor::{self, Means, Question};
use crate::ids::{self, Key};
use crate::problem::{Errors, Problem};
use crate::store::{self as database, Db};
use crate::web::back::{own_path, way_back, with_way_back};
use crate::web::guest::Guest;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Sent, Shell, Site};

#[derive(Template)]
#[template(path = "sign_in/new.html")]
struct SignInPage {
    shell: Shell,
    form: Filled,
    back: String,
    /// For a passkey alone, which is two factors at once.
    question: Option<Question>,
}

#[derive(Template)]
#[template(path = "sign_in/sign_up.html")]
struct SignUpPage {
    shell: Shell,
    form: Filled,
}

#[derive(Template)]
#[template(path = "sign_in/nowhere.html")]
struct NowherePage {
    shell: Shell,
    words: String,
}

/// GET /: to the account used last; for members of no account, how to become one.
pub async fn home(me: Me, site: Site) -> Result<HttpResponse, Problem> {
    let actor = me.actor.clone();
    if let Some(to) = site.pool.read(move |db| super::home(db, &actor)).await? {
        return Ok(site.see(&Reply::to(to, "")));
    }
    let words = format!(
        "Somebody who manages the members of an account can invite you at {}. The invitation comes by email, and the \
         account is here as soon as you accept it. If you were a member before, your role was taken away, has ended, \
         or the account was closed.",
        me.actor.email
    );
    site.page(&NowherePage { shell: site.personal_shell(&me, "No account yet"), words }, Keep::Nothing)
}

/// GET /sign-in?back=
pub async fn new(guest: Guest, site: Site) -> Result<HttpResponse, Problem> {
    let back = way_back(&site.req);
    let page = sign_in_page(&guest, &site, Filled::with([]), back)?;
    guest.remember(&site, site.page(&page, Keep::Nothing)?)
}

fn sign_in_page(guest: &Guest, site: &Site, form: Filled, back: String) -> Result<SignInPage, Problem> {
    let question = Means::of(site)?.ask_anybody()?;
    Ok(SignInPage { shell: guest.shell(site, "Sign in").failing(form.failed()), form, back, question })
}

/// POST /sign-in: known and unknown addresses answer alike, in words and in time.
pub async fn create(guest: Guest, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = guest.open(sent, &["email", "password", "back", "ticket", "credential"])?;
    if let Err(Problem::Invalid(errors)) = form.check().finish() {
        return refuse_sign_in(&guest, &site, &form, errors);
    }
    let back = own_path(form.value("back"));
    let onward = if back.is_empty() { "/".to_owned() } else { back };
    if !form.value("credential").is_empty() {
        return by_passkey(&guest, &site, &form, onward).await;
    }
    let origin = extract::origin(&site.req);
    let attempt = Attempt::new(&origin.address, form.value("email"));
    let counted = site.pool.write(move |db| throttle::count(db, &attempt)).await?;

    let email = form.value("email").to_owned();
    let found = if email.contains('\0') { None } else { site.pool.read(move |db| store::by_email(db, &email)).await? };
    let user = found.as_ref().map(|(user, _)| *user);
    let stamp = found.as_ref().map(|(_, hash)| session::stamp(hash)).unwrap_or_default();
    let right = password::matches(form.value("password"), found.map(|(_, hash)| hash)).await?;
    let entered = match user.filter(|_| right) {
        Some(user) => enter(&site, user, stamp, counted, onward).await?,
        None => None,
    };
    match entered {
        Some(answer) => Ok(answer),
        None => {
            if let Some(user) = user {
                // Afterwards, because for an address that nobody has there is nothing to write.
                let noting = move |db: &mut Db| super::record_sign_in(db, user, &origin, "password", true);
                site.pool.write_afterwards("a failed sign-in was not noted", noting).await;
            }
            let errors = Errors::one("email", "Email or password is not right. Check both and try again");
            refuse_sign_in(&guest, &site, &form, errors)
        }
    }
}

/// The password was right: in, or on to the second step. None when it was replaced while it was looked at.
async fn enter(
    site: &Site,
    user: Key,
    stamp: String,
    counted: Counted,
    onward: String,
) -> Result<Option<HttpResponse>, Problem> {
    let (origin, verified) = (extract::origin(&site.req), stamp.clone());
    let note = move |db: &mut Db| {
        if session::current_stamp(db, user)? != verified {
            return Ok(None);
        }
        throttle::succeeded(db, &counted)?;
        let half = !factor::enabled_for(db, &[user])?.is_empty();
        // With a second step to come nobody is in yet.
        if !half {
            super::record_sign_in(db, user, &origin, "password", false)?;
        }
        Ok(Some(half))
    };
    let Some(half) = site.pool.write(move |db| database::write(db, note)).await? else { return Ok(None) };
    if half {
        begin(&site.req, &[(entry::HALF_USER, json!(user)), (entry::STAMP, json!(stamp))])?;
        return Ok(Some(site.see(&Reply::to(with_way_back("/sign-in/second", &onward), ""))));
    }
    start_session(&site.req, user, false, &stamp)?;
    Ok(Some(site.see(&Reply::to(onward, ""))))
}

/// A passkey wants the person itself, so it stands for the password and the second factor.
async fn by_passkey(guest: &Guest, site: &Site, form: &Form, onward: String) -> Result<HttpResponse, Problem> {
    let (means, origin, copy) = (Means::of(site)?, extract::origin(&site.req), form.clone());
    let proving = site.pool.write(move |db| {
        throttle::count_passkey(db, &origin.address)?;
        let user = factor::use_any_passkey(db, &means, copy.value("ticket"), copy.value("credential"))?;
        let Some(user) = user else { return Ok(None) };
        throttle::passkey_was_right(db, &origin.address)?;
        super::record_sign_in(db, user, &origin, "passkey", false)?;
        Ok(Some((user, session::current_stamp(db, user)?)))
    });
    match proving.await? {
        Some((user, stamp)) => {
            start_session(&site.req, user, true, &stamp)?;
            Ok(site.see(&Reply::to(onward, "")))
        }
        None => {
            let message = "This passkey is not known here, or it took too long. Try again, or use your password";
            refuse_sign_in(guest, site, form, Errors::one("", message))
        }
    }
}

fn refuse_sign_in(guest: &Guest, site: &Site, form: &Form, errors: Errors) -> Result<HttpResponse, Problem> {
    let back = own_path(form.value("back"));
    let mut form = form.filled(errors);
    form.forget("password");
    let page = sign_in_page(guest, site, form, back)?;
    guest.remember(site, site.refused(&page)?)
}

/// A new token at each sign-in; the old one, if any, is dead. `stamp`: of the password as it was when they proved who
/// they are.
pub(crate) fn start_session(req: &HttpRequest, user: Key, second_factor: bool, stamp: &str) -> Result<(), Problem> {
    let origin = extract::origin(req);
    let entries = [
        (entry::USER, json!(user)),
        (entry::SECOND_FACTOR, json!(second_factor)),
        (entry::STAMP, json!(stamp)),
        (entry::ADDRESS, json!(origin.address)),
        (entry::USER_AGENT, json!(origin.user_agent)),
    ];
    begin(req, &entries)
}

fn begin(req: &HttpRequest, entries: &[(&str, Value)]) -> Result<(), Problem> {
    let session = req.get_session();
    session.clear();
    session.renew();
    let own = [(entry::ID, json!(ids::token())), (entry::CSRF, json!(ids::token()))];
    for (name, value) in own.iter().chain(entries) {
        session.insert(*name, value).map_err(|e| Problem::Bug(anyhow::anyhow!("{e}")))?;
    }
    Ok(())
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
            let (reply, user, stamp) = other?;
            start_session(&site.req, user, false, &stamp)?;
            Ok(site.see(&reply))
        }
    }
}

async fn register(site: &Site, form: &Form) -> Result<(Reply, Key, String), Problem> {
    let (mut new, typed) = checked(form)?;
    let origin = extract::origin(&site.req);
    let address = origin.address.clone();
    site.pool.write(move |db| throttle::count_sign_up(db, &address)).await?;
    new.password_hash = password::hash(&typed).await?;
    let stamp = session::stamp(&new.password_hash);
    let context = [new.first_name.clone(), new.last_name.clone(), new.email.clone(), new.company.clone()];
    let made = site.pool.write(move |db| super::sign_up(db, &new, &origin)).await?;
    let strength = password::strength(&typed, &context.each_ref().map(String::as_str));
    let flash = format!("Welcome. Your account is made; your password is {strength}. Next: the agreements.");
    Ok((Reply::to(format!("/a/{}/consent", made.account_id), flash), made.user, stamp))
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
