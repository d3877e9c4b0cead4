//! Taking an authenticator app or a passkey away, each on a page of its own that says what it does. The last one stays
//! while an account that the person can enter asks for a second factor.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::{Gone, gate, requirement};
use crate::access::{FreshMe, Me};
use crate::problem::{Errors, Problem};
use crate::web::site::Keep;
use crate::web::{Filled, Reply, Sent, Shell, Site, once};

#[derive(Template)]
#[template(path = "factor/remove.html")]
struct RemovePage {
    shell: Shell,
    form: Filled,
    /// `the authenticator app`, `the passkey “Laptop”`
    what: String,
    last: bool,
    /// Why it cannot be done now; "" when it can.
    refusal: String,
}

/// GET /profile/second-factor/app/remove
pub async fn confirm_app(me: FreshMe, site: Site) -> Result<HttpResponse, Problem> {
    gate::look(&me, &site).await?;
    site.page(&page(&me, &site, Gone::App, Errors::default()).await?, Keep::Nothing)
}

/// GET /profile/second-factor/passkeys/{passkey}/remove
pub async fn confirm_passkey(me: FreshMe, site: Site, id: Path<String>) -> Result<HttpResponse, Problem> {
    gate::look(&me, &site).await?;
    site.page(&page(&me, &site, Gone::Passkey(id.into_inner()), Errors::default()).await?, Keep::Nothing)
}

async fn page(me: &Me, site: &Site, which: Gone, errors: Errors) -> Result<RemovePage, Problem> {
    let user = me.actor.key;
    let read = site.pool.read(move |db| Ok((super::summary(db, user)?, requirement::asking_of(db, user)?)));
    let (known, asking) = read.await?;
    let last = known.is_last();
    let what = match which {
        Gone::App => known.app.map(|_| "the authenticator app".to_owned()),
        Gone::Passkey(id) => {
            let key = known.passkeys.into_iter().find(|key| key.id == id);
            key.map(|key| format!("the passkey “{}”", key.name))
        }
    };
    let what = what.ok_or(Problem::NotFound)?;
    let mut form = Filled::with([]);
    form.errors = errors;
    Ok(RemovePage {
        shell: site.personal_shell(me, &format!("Remove {what}?")).failing(form.failed()),
        form,
        what,
        last,
        refusal: asking.filter(|_| last).map(|account| requirement::refusal(&account)).unwrap_or_default(),
    })
}

/// POST /profile/second-factor/app/remove
pub async fn remove_app(me: FreshMe, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    remove(me, site, sent, Gone::App).await
}

/// POST /profile/second-factor/passkeys/{passkey}/remove
pub async fn remove_passkey(me: FreshMe, site: Site, id: Path<String>, sent: Sent) -> Result<HttpResponse, Problem> {
    remove(me, site, sent, Gone::Passkey(id.into_inner())).await
}

async fn remove(me: FreshMe, site: Site, sent: Sent, which: Gone) -> Result<HttpResponse, Problem> {
    let form = sent.open(&me.session.csrf, None, &[])?;
    let (person, gone) = (Me::clone(&me), which.clone());
    let done = site.pool.write(move |db| {
        form.check().finish()?;
        once(db, person.actor.key, &form.receipt(), |db| {
            super::remove(db, &person, &gone)?;
            Ok(Reply::to("/profile", "It is removed."))
        })
    });
    match done.await {
        Err(Problem::Invalid(errors)) => {
            let page = page(&me, &site, which, errors).await?;
            site.refused(&page)
        }
        other => Ok(site.see(&other?)),
    }
}
