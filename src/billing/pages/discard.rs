//! Giving up a payment method that is being set up: one button, because what pays now stays as it is.

use actix_web::HttpResponse;

use super::entry::Act;
use super::home;
use crate::access::In;
use crate::access::policy::{Action, CreateBilling, UpdateBilling};
use crate::billing::setup;
use crate::problem::{Problem, Reason};
use crate::web::{Reply, Sent, Site, once};

/// POST /a/{account}/billing/new/discard
pub async fn new(by: In<CreateBilling>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    discard(&by, &site, Act::Add, sent).await
}

/// POST /a/{account}/billing/edit/discard
pub async fn edit(by: In<UpdateBilling>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    discard(&by, &site, Act::Change, sent).await
}

async fn discard<A: Action>(by: &In<A>, site: &Site, act: Act, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = site.open(by, sent, &["setup"])?;
    form.check().finish()?;
    let (receipt, grant) = (form.receipt(), by.clone());
    let done = site.pool.write(move |db| {
        once(db, grant.actor().key, &receipt, |db| {
            setup::discard(db, &grant, form.value("setup"), act == Act::Change)?;
            Ok(Reply::to(home(grant.frame()), "Set-up discarded. Nothing else changed."))
        })
    });
    match done.await {
        Ok(reply) => Ok(site.see(&reply)),
        Err(Problem::Conflict(Reason::Stale)) => {
            Ok(site.see(&Reply::to(home(by.frame()), "!This payment method is not being set up any more.")))
        }
        Err(other) => Err(other),
    }
}
