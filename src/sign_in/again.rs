//! Proving again who one is, for acts that are worth it: the session goes on under a new token and is fresh for some
//! minutes. The way out leads to the page before the one that asked.

use actix_web::HttpResponse;
use askama::Template;

use super::throttle::{self, Attempt};
use super::{password, store};
use crate::access::Me;
use crate::access::session::{self, FRESH_MINUTES};
use crate::factor::{self, Means, Question};
use crate::problem::Problem;
use crate::store::{self as database, Db};
use crate::web::back::way_back;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Sent, Shell, Site};

#[derive(Template)]
#[template(path = "sign_in/again.html")]
struct AgainPage {
    shell: Shell,
    form: Filled,
    email: String,
    hint: String,
    cancel: String,
    question: Option<Question>,
}

/// GET /sign-in/again?back=
pub async fn ask(me: Me, site: Site) -> Result<HttpResponse, Problem> {
    site.page(&page(&me, &site, Filled::with([])).await?, Keep::Nothing)
}

async fn page(me: &Me, site: &Site, form: Filled) -> Result<AgainPage, Problem> {
    let user = me.actor.key;
    let known = site.pool.read(move |db| factor::summary(db, user)).await?;
    Ok(AgainPage {
        shell: site.personal_shell(me, "Confirm that it is you").failing(form.failed()),
        form,
        email: me.actor.email.clone(),
        hint: format!("Serves for {FRESH_MINUTES} minutes. What you typed before is kept."),
        cancel: way_out(&way_back(&site.req)),
        question: Means::of(site)?.ask(user, &known.passkeys)?,
    })
}

/// Where somebody goes who does not want to after all: to the section of the page, which asks for nothing.
fn way_out(back: &str) -> String {
    let path = back.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts.as_slice() {
        // The section itself was sent as a form; what was typed is shown there again.
        ["a", _, _] => back.to_owned(),
        ["a", account, section, ..] => format!("/a/{account}/{section}"),
        ["profile", ..] => "/profile".to_owned(),
        _ => "/".to_owned(),
    }
}

/// POST /sign-in/again?back=: counted like signing in.
pub async fn confirm(me: Me, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = sent.open(&me.session.csrf, None, &["password", "ticket", "credential"])?;
    let by_passkey = !form.value("credential").is_empty();
    let checked = if by_passkey { check_passkey(&me, &site, &form).await } else { check(&me, &site, &form).await };
    match checked {
        Err(Problem::Invalid(errors)) => {
            let mut form = form.filled(errors);
            form.forget("password");
            let page = page(&me, &site, form).await?;
            site.refused(&page)
        }
        Err(other) => Err(other),
        Ok(stamp) => {
            session::go_on(&site.req, &me.session, by_passkey || me.session.second_factor, &stamp)?;
            let back = way_back(&site.req);
            Ok(site.see(&Reply::to(if back.is_empty() { "/".to_owned() } else { back }, "")))
        }
    }
}

/// The stamp of the password at that moment; the session has to be alive still.
async fn check_passkey(me: &Me, site: &Site, form: &Form) -> Result<String, Problem> {
    form.check().finish()?;
    let (user, origin, means, form) = (me.actor.key, me.origin.clone(), Means::of(site)?, form.clone());
    let id = me.session.id.clone();
    let proving = site.pool.write(move |db| {
        session::used_second_factor(db, &id)?.ok_or(Problem::SignIn)?;
        let right = factor::use_passkey(db, &means, user, form.value("ticket"), form.value("credential"))?;
        super::record_sign_in(db, user, &origin, "passkey, again", !right)?;
        Ok(if right { Some(session::current_stamp(db, user)?) } else { None })
    });
    let message = "The passkey was not accepted. Try again, or use your password";
    proving.await?.ok_or_else(|| Problem::invalid("", message))
}

/// The same by password, which has to be the right one still when the session goes on.
async fn check(me: &Me, site: &Site, form: &Form) -> Result<String, Problem> {
    let mut check = form.check();
    if check.raw("password").is_empty() {
        check.note("password", Some("Enter your password".to_owned()));
    }
    check.finish()?;
    let attempt = Attempt::new(&me.origin.address, &me.actor.email);
    let user = me.actor.key;
    let counting = site.pool.write(move |db| Ok((throttle::count(db, &attempt)?, store::password_hash(db, user)?)));
    let (counted, hash) = counting.await?;
    let stamp = session::stamp(&hash);
    let matches = password::matches(form.value("password"), Some(hash)).await?;
    let (origin, id, verified) = (me.origin.clone(), me.session.id.clone(), stamp.clone());
    let note = move |db: &mut Db| {
        session::used_second_factor(db, &id)?.ok_or(Problem::SignIn)?;
        let right = matches && session::current_stamp(db, user)? == verified;
        if right {
            throttle::succeeded(db, &counted)?;
        }
        super::record_sign_in(db, user, &origin, "password, again", !right)?;
        Ok(right)
    };
    let right = site.pool.write(move |db| database::write(db, note)).await?;
    if right {
        Ok(stamp)
    } else {
        Err(Problem::invalid("password", "This is not your password. Check it and try again"))
    }
}

#[cfg(test)]
mod tests {
    use super::way_out;

    #[test]
    fn the_way_out_leads_to_a_page_that_asks_nothing() {
        for (back, out) in [
            ("/a/ac-x/billing/new?restore=y", "/a/ac-x/billing"),
            ("/a/ac-x/settings?restore=y", "/a/ac-x/settings?restore=y"),
            ("/profile/second-factor", "/profile"),
            ("", "/"),
        ] {
            assert_eq!(way_out(back), out);
        }
    }
}
