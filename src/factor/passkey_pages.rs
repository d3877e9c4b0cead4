//! Adding a passkey. The browser makes it, which takes script; the form carries the question there and the answer back.

use actix_web::HttpResponse;
use askama::Template;

use super::passkey::{self, Question};
use super::{Means, gate, pages};
use crate::access::{FreshMe, Me};
use crate::problem::Problem;
use crate::web::back::way_back;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Sent, Shell, Site, once};

#[derive(Template)]
#[template(path = "factor/passkey.html")]
struct PasskeyPage {
    shell: Shell,
    form: Filled,
    on: bool,
    /// None where passkeys are impossible.
    question: Option<Question>,
    impossible: String,
}

/// GET /profile/second-factor/passkeys/new
pub async fn new(me: FreshMe, site: Site) -> Result<HttpResponse, Problem> {
    gate::look(&me, &site).await?;
    let form = site.start_form(me.actor.key, Filled::with([("back", &*way_back(&site.req))])).await?;
    site.page(&page(&me, &site, form).await?, Keep::Nothing)
}

async fn page(me: &Me, site: &Site, form: Filled) -> Result<PasskeyPage, Problem> {
    let means = Means::of(site)?;
    let user = me.actor.key;
    let known = site.pool.read(move |db| super::summary(db, user)).await?;
    let party = passkey::relying_party(&means.config);
    let question = party.map(|party| passkey::ask_new(&party, &means.vault, &me.actor, &known.passkeys)).transpose()?;
    Ok(PasskeyPage {
        shell: site.personal_shell(me, "Add a passkey").failing(form.failed()),
        form,
        on: known.is_on(),
        question,
        impossible: format!(
            "Browsers tie a passkey to a name, and this console is opened at {}. Use an authenticator app, or ask whoever \
             runs the console for an address with a name and https.",
            site.config.origin()
        ),
    })
}

/// POST /profile/second-factor/passkeys/new
pub async fn create(me: FreshMe, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = sent.open(&me.session.csrf, None, &["name", "ticket", "credential", "end_others", "back"])?;
    match put(&me, &site, &form).await {
        Err(Problem::Invalid(errors)) => {
            let page = page(&me, &site, form.filled(errors)).await?;
            site.refused(&page)
        }
        other => Ok(site.see(&other?)),
    }
}

async fn put(me: &Me, site: &Site, form: &Form) -> Result<Reply, Problem> {
    let mut check = form.check();
    let name = check.line("name", "Name", 1, 64);
    let end_others = check.ticked("end_others");
    check.finish()?;
    let means = Means::of(site)?;
    let (me, receipt, copy) = (me.clone(), form.receipt(), form.clone());
    let done = site.pool.write(move |db| {
        once(db, me.actor.key, &receipt, |db| {
            let answer = (copy.value("ticket"), copy.value("credential"));
            super::put_passkey(db, &means, &me, &name, answer, end_others)?;
            let left = super::summary(db, me.actor.key)?.codes_left;
            Ok(Reply::to(pages::onward(left, copy.value("back")), "The passkey is added. You can sign in with it."))
        })
    });
    done.await
}
