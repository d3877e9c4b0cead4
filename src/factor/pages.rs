//! Setting up an authenticator app, and recovery codes. Neither is stored before its form says that it is kept: until
//! then it travels sealed in the form, so looking changes nothing and a page that is left has no effect.

use actix_web::HttpResponse;
use askama::Template;

use super::app::{self, SetUp};
use super::{Means, gate, recovery};
use crate::access::{FreshMe, Me};
use crate::problem::{Errors, Problem};
use crate::web::back::{own_path, way_back, with_way_back};
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Sent, Shell, Site, once};

/// How long a page may lie open.
const MINUTES: i64 = 60;
const CODES: &str = "/profile/second-factor/codes";
const TOO_OLD: &str = "This page lay open too long. It is a new one now; start again";

#[derive(Template)]
#[template(path = "factor/app.html")]
struct AppPage {
    shell: Shell,
    form: Filled,
    set_up: SetUp,
    ticket: String,
    replaces: bool,
    /// Whether there is a second factor already.
    on: bool,
}

#[derive(Template)]
#[template(path = "factor/codes.html")]
struct CodesPage {
    shell: Shell,
    form: Filled,
    codes: Vec<String>,
    ticket: String,
    not_now: String,
    left: i64,
    on: bool,
}

/// On to recovery codes where there are none, else to where somebody wanted to go.
pub(super) fn onward(codes_left: i64, back: &str) -> String {
    let back = own_path(back);
    match codes_left {
        0 => with_way_back(CODES, &back),
        _ if back.is_empty() => "/profile".to_owned(),
        _ => back,
    }
}

fn app_ticket(me: &Me) -> String {
    format!("setting up an app for {}", me.actor.key)
}

/// GET /profile/second-factor/app
pub async fn new_app(me: FreshMe, site: Site) -> Result<HttpResponse, Problem> {
    gate::look(&me, &site).await?;
    let form = site.start_form(me.actor.key, Filled::with([("back", &*way_back(&site.req))])).await?;
    site.page(&app_page(&me, &site, form).await?, Keep::Nothing)
}

/// With the secret of the form that came back, or a new one.
async fn app_page(me: &Me, site: &Site, mut form: Filled) -> Result<AppPage, Problem> {
    let means = Means::of(site)?;
    let kept = means.vault.redeem::<Vec<u8>>(&app_ticket(me), form.value("ticket"), MINUTES);
    form.forget("code");
    let secret = kept.unwrap_or_else(app::new_secret);
    let user = me.actor.key;
    let known = site.pool.read(move |db| super::summary(db, user)).await?;
    Ok(AppPage {
        shell: site.personal_shell(me, "Set up an authenticator app").failing(form.failed()),
        set_up: app::set_up(&secret, &me.actor.email)?,
        ticket: means.vault.ticket(&app_ticket(me), &secret)?,
        replaces: known.app.is_some(),
        on: known.is_on(),
        form,
    })
}

/// POST /profile/second-factor/app
pub async fn create_app(me: FreshMe, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = sent.open(&me.session.csrf, None, &["ticket", "code", "end_others", "back"])?;
    match put_app(&me, &site, &form).await {
        Err(Problem::Invalid(errors)) => {
            let page = app_page(&me, &site, form.filled(errors)).await?;
            site.refused(&page)
        }
        other => Ok(site.see(&other?)),
    }
}

async fn put_app(me: &Me, site: &Site, form: &Form) -> Result<Reply, Problem> {
    let mut check = form.check();
    let end_others = check.ticked("end_others");
    let code = check.raw("code").to_owned();
    if code.trim().is_empty() {
        check.note("code", Some("Enter the code that the app shows".to_owned()));
    }
    check.finish()?;
    let means = Means::of(site)?;
    let secret = means.vault.redeem::<Vec<u8>>(&app_ticket(me), form.value("ticket"), MINUTES);
    let secret = secret.ok_or_else(|| Problem::Invalid(Errors::one("", TOO_OLD)))?;
    let (me, receipt, back) = (me.clone(), form.receipt(), form.value("back").to_owned());
    let done = site.pool.write(move |db| {
        once(db, me.actor.key, &receipt, |db| {
            super::put_app(db, &means, &me, &secret, &code, end_others)?;
            let left = super::summary(db, me.actor.key)?.codes_left;
            let sentence = "The authenticator app is set up. From now on signing in asks for its code.";
            Ok(Reply::to(onward(left, &back), sentence))
        })
    });
    done.await
}

fn codes_ticket(me: &Me) -> String {
    format!("recovery codes for {}", me.actor.key)
}

/// GET /profile/second-factor/codes: new ones at each look; they work once somebody says that they are kept.
pub async fn new_codes(me: FreshMe, site: Site) -> Result<HttpResponse, Problem> {
    gate::look(&me, &site).await?;
    let form = site.start_form(me.actor.key, Filled::with([("back", &*way_back(&site.req))])).await?;
    site.page(&codes_page(&me, &site, form).await?, Keep::Nothing)
}

async fn codes_page(me: &Me, site: &Site, form: Filled) -> Result<CodesPage, Problem> {
    let means = Means::of(site)?;
    // The ticket stays the same one: it is good once, and for its hour.
    let (codes, ticket) = match means.vault.redeem(&codes_ticket(me), form.value("ticket"), MINUTES) {
        Some(codes) => (codes, form.value("ticket").to_owned()),
        None => {
            let codes = recovery::make();
            let ticket = means.vault.ticket(&codes_ticket(me), &codes)?;
            (codes, ticket)
        }
    };
    let user = me.actor.key;
    let known = site.pool.read(move |db| super::summary(db, user)).await?;
    Ok(CodesPage {
        shell: site.personal_shell(me, "Recovery codes").failing(form.failed()),
        ticket,
        not_now: onward(1, form.value("back")),
        left: known.codes_left,
        on: known.is_on(),
        codes,
        form,
    })
}

/// POST /profile/second-factor/codes
pub async fn keep_codes(me: FreshMe, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = sent.open(&me.session.csrf, None, &["ticket", "back"])?;
    match put_codes(&me, &site, &form).await {
        Err(Problem::Invalid(errors)) => {
            let mut form = form.filled(errors);
            form.forget("ticket");
            let page = codes_page(&me, &site, form).await?;
            site.refused(&page)
        }
        other => Ok(site.see(&other?)),
    }
}

async fn put_codes(me: &Me, site: &Site, form: &Form) -> Result<Reply, Problem> {
    form.check().finish()?;
    let means = Means::of(site)?;
    let ticket = form.value("ticket").to_owned();
    let codes = means.vault.redeem::<Vec<String>>(&codes_ticket(me), &ticket, MINUTES);
    let codes = codes.ok_or_else(|| Problem::Invalid(Errors::one("", TOO_OLD)))?;
    let (me, receipt, back) = (me.clone(), form.receipt(), form.value("back").to_owned());
    let done = site.pool.write(move |db| {
        once(db, me.actor.key, &receipt, |db| {
            if !super::summary(db, me.actor.key)?.is_on() {
                return Err(Problem::invalid("", "Set up an authenticator app or a passkey first"));
            }
            super::put_codes(db, &me, &codes, &ticket)?;
            let sentence = "The recovery codes work from now on, each once. Those from before do not.";
            Ok(Reply::to(onward(1, &back), sentence))
        })
    });
    done.await
}
