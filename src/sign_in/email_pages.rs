//! The pages of a person's e-mail address: confirming it, having the mail sent again, changing it. A link that is
//! opened shows what it would do; only its button does it, because machines open the links in mails too.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::throttle::{self, Attempt};
use super::{email, password, store};
use crate::access::{Me, extract};
use crate::factor::gate;
use crate::problem::Problem;
use crate::web::guest::Guest;
use crate::web::once::again;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Sent, Shell, Site, once};

#[derive(Template)]
#[template(path = "sign_in/email.html")]
struct EmailPage {
    shell: Shell,
    form: Filled,
    email: String,
    pending: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in/verification.html")]
struct VerificationPage {
    shell: Shell,
    form: Filled,
    email: String,
    verified: bool,
}

#[derive(Template)]
#[template(path = "sign_in/verify.html")]
struct VerifyPage {
    shell: Shell,
    form: Filled,
    email: String,
}

#[derive(Template)]
#[template(path = "sign_in/confirm_email.html")]
struct ConfirmPage {
    shell: Shell,
    form: Filled,
    old: String,
    new: String,
}

const CONFIRM: &str = "Confirm your email address";
const CHANGE: &str = "Change your email address";

/// GET /email/verify/{token}
pub async fn show_verification(guest: Guest, site: Site, token: Path<String>) -> Result<HttpResponse, Problem> {
    let email = site.pool.read(move |db| email::look(db, &token)).await?;
    let page =
        site.page(&VerifyPage { shell: guest.shell(&site, CONFIRM), form: Filled::with([]), email }, Keep::Nothing)?;
    guest.remember(&site, page)
}

/// POST /email/verify/{token}
pub async fn verify(guest: Guest, site: Site, token: Path<String>, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = guest.open(sent, &[])?;
    form.check().finish()?;
    let (origin, receipt) = (extract::origin(&site.req), form.receipt());
    let done = site.pool.write(move |db| email::verify(db, &token, &receipt, &origin)).await?;
    Ok(site.see(&done))
}

/// GET /profile/verification
pub async fn show(me: Me, site: Site) -> Result<HttpResponse, Problem> {
    let user = me.actor.key;
    let state = site.pool.read(move |db| email::state(db, user)).await?;
    let page = VerificationPage {
        shell: site.personal_shell(&me, CONFIRM),
        form: Filled::with([]),
        email: me.actor.email,
        verified: state.verified,
    };
    site.page(&page, Keep::Nothing)
}

fn on_its_way(sends: bool, email: &str) -> String {
    if sends {
        format!("A mail is on its way to {email}")
    } else {
        format!(
            "A mail to {email} is kept on the server, because none are sent here: ask whoever runs this console for it"
        )
    }
}

/// POST /profile/verification
pub async fn send_again(me: Me, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = sent.open(&me.session.csrf, None, &[])?;
    form.check().finish()?;
    let (actor, origin, receipt) = (me.actor.clone(), me.origin.clone(), form.receipt());
    let sends = site.config.mail.smtp_url.is_some();
    let done = site.pool.write(move |db| {
        once(db, actor.key, &receipt, |db| {
            if email::state(db, actor.key)?.verified {
                return Ok(Reply::to("/profile", "Your email address is confirmed already."));
            }
            throttle::count_letter(db, actor.key)?;
            email::send_again(db, &actor, &origin)?;
            Ok(Reply::to("/profile", format!("{}.", on_its_way(sends, &actor.email))))
        })
    });
    Ok(site.see(&done.await?))
}

async fn page(me: &Me, site: &Site, form: Filled) -> Result<EmailPage, Problem> {
    let user = me.actor.key;
    let pending = site.pool.read(move |db| email::state(db, user)).await?.pending;
    let shell = site.personal_shell(me, CHANGE).failing(form.failed());
    Ok(EmailPage { shell, form, email: me.actor.email.clone(), pending })
}

/// GET /profile/email
pub async fn edit(me: Me, site: Site) -> Result<HttpResponse, Problem> {
    gate::look(&me, &site).await?;
    let form = site.start_form(me.actor.key, Filled::with([])).await?;
    site.page(&page(&me, &site, form).await?, Keep::Nothing)
}

/// POST /profile/email: asks for the password; answers alike whoever has the new address.
pub async fn update(me: Me, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = sent.open(&me.session.csrf, None, &["new_email", "current"])?;
    match ask(&me, &site, &form).await {
        Err(Problem::Invalid(errors)) => {
            let mut form = form.filled(errors);
            form.forget("current");
            site.refused(&page(&me, &site, form).await?)
        }
        other => Ok(site.see(&other?)),
    }
}

async fn ask(me: &Me, site: &Site, form: &Form) -> Result<Reply, Problem> {
    let (user, receipt) = (me.actor.key, form.receipt());
    let copy = receipt.clone();
    if let Some(reply) = site.pool.read(move |db| again(db, user, &copy)).await? {
        return Ok(reply);
    }
    gate::look(me, site).await?;
    let mut check = form.check();
    let new = check.email("new_email", "New email");
    check.note("new_email", (new == me.actor.email).then(|| "This is your email address already".to_owned()));
    // Guessing here counts like guessing at sign-in.
    let attempt = Attempt::new(&me.origin.address, &me.actor.email);
    let counting = site.pool.write(move |db| Ok((throttle::count(db, &attempt)?, store::password_hash(db, user)?)));
    let (counted, stored) = counting.await?;
    if password::matches(check.raw("current"), Some(stored.clone())).await? {
        site.pool.write(move |db| throttle::succeeded(db, &counted)).await?;
    } else {
        check.note("current", Some(super::NOT_CURRENT.to_owned()));
    }
    check.finish()?;
    let (me, sends) = (me.clone(), site.config.mail.smtp_url.is_some());
    let done = site.pool.write(move |db| {
        once(db, user, &receipt, |db| {
            throttle::count_letter(db, user)?;
            super::still_current(db, user, &stored)?;
            email::ask_change(db, &me, &new)?;
            let sentence = format!("{}. The link in it makes the change.", on_its_way(sends, &new));
            Ok(Reply::to("/profile", sentence))
        })
    });
    done.await
}

/// GET /profile/email/{token}
pub async fn show_change(me: Me, site: Site, token: Path<String>) -> Result<HttpResponse, Problem> {
    gate::look(&me, &site).await?;
    let actor = me.actor.clone();
    let new = site.pool.read(move |db| email::look_at_change(db, &actor, &token)).await?;
    let shell = site.personal_shell(&me, CONFIRM);
    site.page(&ConfirmPage { shell, form: Filled::with([]), old: me.actor.email, new }, Keep::Nothing)
}

/// POST /profile/email/{token}
pub async fn change(me: Me, site: Site, token: Path<String>, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = sent.open(&me.session.csrf, None, &[])?;
    form.check().finish()?;
    let receipt = form.receipt();
    let done = site.pool.write(move |db| {
        once(db, me.actor.key, &receipt, |db| {
            email::change(db, &me, &token)?;
            Ok(Reply::to("/profile", "Your email address is changed. Sign in with it from now on."))
        })
    });
    Ok(site.see(&done.await?))
}
