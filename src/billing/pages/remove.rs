//! Removing an account's own payment method: back to the inherited one, or to none. The page is the question; only the
//! answer to what it shows is carried out.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::fields::EFFECTS;
use super::{ask, home};
use crate::access::In;
use crate::access::policy::DeleteBilling;
use crate::billing::{self, Change, provider};
use crate::payments::Payments;
use crate::problem::{Problem, Reason};
use crate::web::{Form, Reply, Sent, Site, once};

/// GET /a/{account}/billing/remove
pub async fn show(by: In<DeleteBilling>, site: Site) -> Result<HttpResponse, Problem> {
    let account = by.account().key;
    let Some(method) = site.pool.read(move |db| billing::own(db, account)).await? else {
        return Ok(site.see(&Reply::to(home(by.frame()), "!This account has no payment method of its own.")));
    };
    let version = Some(method.version);
    let question = ask::Question { change: Change::Remove, act: None, form: Form::default(), version, reason: None };
    ask::page(&by, &site, question).await
}

/// POST /a/{account}/billing/remove
pub async fn delete(
    by: In<DeleteBilling>,
    site: Site,
    payments: Data<Payments>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[EFFECTS])?;
    form.check().finish()?;
    let account = by.account().key;
    let before = site.pool.read(move |db| billing::own(db, account)).await?;
    let before = before.map_or_else(String::new, |own| own.stored.provider_id);
    let (receipt, grant, sent) = (form.receipt(), by.clone(), form.clone());
    let outcome = site.pool.write(move |db| {
        once(db, grant.actor().key, &receipt, |db| {
            billing::remove(db, &grant, sent.version(), sent.value(EFFECTS))?;
            Ok(Reply::to(home(grant.frame()), "Payment method removed."))
        })
    });
    match outcome.await {
        Ok(reply) => {
            provider::release(&site.pool, &payments, &before).await;
            Ok(site.see(&reply))
        }
        Err(Problem::Conflict(
            reason @ (Reason::Stale | Reason::Unconfirmed | Reason::BillingCannotBeRemoved { .. }),
        )) => again(&by, &site, form, reason).await,
        Err(other) => Err(other),
    }
}

/// The question once more, about what is stored now.
async fn again(by: &In<DeleteBilling>, site: &Site, form: Form, reason: Reason) -> Result<HttpResponse, Problem> {
    let account = by.account().key;
    let Some(method) = site.pool.read(move |db| billing::own(db, account)).await? else {
        return Ok(site.see(&Reply::to(home(by.frame()), "!Somebody else removed the payment method already.")));
    };
    // A stale page asks again as well: it showed another method than the one there is.
    let reason = if reason == Reason::Stale { Reason::Unconfirmed } else { reason };
    let (version, reason) = (Some(method.version), Some(reason));
    ask::page(by, site, ask::Question { change: Change::Remove, act: None, form, version, reason }).await
}
