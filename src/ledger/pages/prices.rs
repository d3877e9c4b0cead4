//! Whether an account shows prices to the accounts below it: one check box on a page of its own.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use crate::access::policy::{ReadBilling, UpdateBilling};
use crate::access::{Frame, In};
use crate::ledger::showing;
use crate::problem::{Errors, Problem, Reason};
use crate::web::site::Keep;
use crate::web::{Filled, Reply, Section, Sent, Shell, Site, once};

/// The published interface's name for it.
const BOX: &str = "showChildAccountPricing";

#[derive(Template)]
#[template(path = "ledger/prices.html")]
struct PricesPage {
    shell: Shell,
    name: String,
    form: Filled,
    back: String,
}

fn home(frame: &Frame) -> String {
    let section = if frame.may::<ReadBilling>() { Section::Invoices } else { Section::Dashboard };
    format!("/a/{}/{}", frame.account().id, section.slug())
}

/// GET /a/{account}/invoices/prices
pub async fn edit(by: In<UpdateBilling>, site: Site) -> Result<HttpResponse, Problem> {
    let account = by.account().key;
    let (shows, version) = site.pool.read(move |db| showing::chosen(db, account)).await?;
    let mut fresh = Filled::with([(BOX, if shows { "yes" } else { "" })]);
    fresh.set_version(version);
    let form = site.start_form(by.actor().key, fresh).await?;
    site.page(&page(&by, &site, form), Keep::Nothing)
}

fn page(by: &In<UpdateBilling>, site: &Site, form: Filled) -> PricesPage {
    PricesPage {
        shell: site.shell(by, Section::Invoices, "Prices for child accounts").failing(form.failed()),
        name: by.account().name.clone(),
        form,
        back: home(by.frame()),
    }
}

/// POST /a/{account}/invoices/prices
pub async fn update(by: In<UpdateBilling>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[BOX])?;
    let (receipt, grant, copy) = (form.receipt(), by.clone(), form.clone());
    let done = site.pool.write(move |db| {
        let mut check = copy.check();
        let show = check.ticked(BOX);
        check.finish()?;
        once(db, grant.actor().key, &receipt, |db| {
            showing::choose(db, &grant, show, copy.version())?;
            let words = if show { "Child accounts see prices now." } else { "Child accounts see no prices." };
            Ok(Reply::to(home(grant.frame()), words))
        })
    });
    match done.await {
        Ok(reply) => Ok(site.see(&reply)),
        Err(Problem::Invalid(errors)) => site.refused(&page(&by, &site, form.filled(errors))),
        Err(Problem::Conflict(Reason::Stale)) => {
            let account = by.account().key;
            let (shows, version) = site.pool.read(move |db| showing::chosen(db, account)).await?;
            let now = if shows { "shown" } else { "hidden" };
            let message = format!(
                "Somebody else changed this in the meantime: prices are {now} now. Save again to keep your choice"
            );
            let mut form = form.filled(Errors::one("", message));
            form.set_version(version);
            site.page_with(StatusCode::CONFLICT, &page(&by, &site, form), Keep::Nothing)
        }
        Err(other) => Err(other),
    }
}
