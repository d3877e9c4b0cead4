//! Asking for another try at an invoice that was not paid. The invoice's page is the ledger's; the try itself is made in
//! the background.

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::{again, webhook};
use crate::access::In;
use crate::access::policy::UpdateBilling;
use crate::problem::{Problem, Reason};
use crate::web::route::{Route, post};
use crate::web::{Reply, Sent, Site, once, protect};

pub fn routes() -> Vec<Route> {
    vec![post("/a/{account}/invoices/{invoice}/pay", pay), post(protect::WEBHOOK, webhook::take)]
}

/// POST /a/{account}/invoices/{invoice}/pay
pub async fn pay(
    by: In<UpdateBilling>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[])?;
    form.check().finish()?;
    let (id, receipt, grant) = (path.1.clone(), form.receipt(), by.clone());
    let home = format!("/a/{}/invoices/{id}", by.account().id);
    let said = home.clone();
    let done = site.pool.write(move |db| {
        once(db, grant.actor().key, &receipt, |db| {
            again(db, &grant, &id)?;
            Ok(Reply::to(said, "The payment is tried now. How it went is here in a moment."))
        })
    });
    match done.await {
        Ok(reply) => Ok(site.see(&reply)),
        Err(Problem::Conflict(Reason::Stale)) => {
            Ok(site.see(&Reply::to(home, "!There is nothing to try: this is how the invoice stands now.")))
        }
        Err(other) => Err(other),
    }
}
