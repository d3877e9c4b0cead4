//! Entering a payment method, new or changed. What would take somebody's payer away is asked first ([`super::ask`]),
//! and what was typed is carried through every page that comes between.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;

use super::fields::{BACK, EFFECTS, FIELDS, Fields, REPLACE, entries, fields};
use super::view::{self, Fact, Inherited};
use super::{ask, confirm, home};
use crate::access::In;
use crate::access::policy::{Action, CreateBilling, UpdateBilling};
use crate::billing::{self, Change, CollectionMethod, provider, setup};
use crate::ids;
use crate::payments::Payments;
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};

/// Which of the two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Add,
    Change,
}

impl Act {
    fn heading(self) -> &'static str {
        if self == Act::Add { "New payment method" } else { "Change payment method" }
    }

    pub fn slug(self) -> &'static str {
        if self == Act::Add { "new" } else { "edit" }
    }
}

#[derive(Template)]
#[template(path = "billing/form.html")]
struct FormPage {
    shell: Shell,
    action: String,
    fields: Fields,
    replaces: Option<Inherited>,
}

#[derive(Template)]
#[template(path = "billing/changed.html")]
struct ChangedPage {
    shell: Shell,
    action: String,
    fields: Fields,
    /// What is stored now; nothing when it was removed.
    stored: Vec<Fact>,
    version: i64,
    happened: String,
}

/// GET /a/{account}/billing/new
pub async fn new(by: In<CreateBilling>, site: Site, payments: Data<Payments>) -> Result<HttpResponse, Problem> {
    let account = by.account().key;
    if site.pool.read(move |db| billing::own(db, account)).await?.is_some() {
        return Ok(site.see(&Reply::to(home(by.frame()), "!This account already has its own payment method.")));
    }
    let only = if payments.is_on() { "" } else { CollectionMethod::Net30.code() };
    let form = site.start_form(by.actor().key, Filled::with([("collectionMethod", only)])).await?;
    show(&by, &site, &payments, Act::Add, form).await
}

/// POST /a/{account}/billing/new
pub async fn create(
    by: In<CreateBilling>,
    site: Site,
    payments: Data<Payments>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &FIELDS)?;
    if form.value(BACK) == "yes" {
        return show(&by, &site, &payments, Act::Add, back(Act::Add, &form)).await;
    }
    let (receipt, grant, sent, is_on) = (form.receipt(), by.clone(), form.clone(), payments.is_on());
    let outcome = site.pool.write(move |db| {
        once(db, grant.actor().key, &receipt, |db| {
            let entries = entries(&sent, is_on)?;
            if entries.collection_method.at_provider().is_some() {
                setup::begin(db, &grant, None, &entries, sent.value(EFFECTS))?;
                return Ok(Reply::to(confirm::address(&grant.account().id, Act::Add), ""));
            }
            billing::add(db, &grant, &entries, sent.value(EFFECTS))?;
            Ok(Reply::to(home(grant.frame()), "Payment method added."))
        })
    });
    answer(&by, &site, &payments, Act::Add, form, outcome.await).await
}

/// GET /a/{account}/billing/edit
pub async fn edit(by: In<UpdateBilling>, site: Site, payments: Data<Payments>) -> Result<HttpResponse, Problem> {
    let account = by.account().key;
    let Some(method) = site.pool.read(move |db| billing::own(db, account)).await? else {
        return Ok(site.see(&Reply::to(home(by.frame()), "!This account has no payment method of its own.")));
    };
    let mut fresh = view::filled_with_version(&method);
    if method.stored.failed_at.is_some() || method.stored.expires_at <= ids::now() {
        // Whoever comes here comes for that.
        fresh.set("replace", "yes");
    }
    let form = site.start_form(by.actor().key, fresh).await?;
    show(&by, &site, &payments, Act::Change, form).await
}

/// POST /a/{account}/billing/edit
pub async fn update(
    by: In<UpdateBilling>,
    site: Site,
    payments: Data<Payments>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &FIELDS)?;
    if form.value(BACK) == "yes" {
        return show(&by, &site, &payments, Act::Change, back(Act::Change, &form)).await;
    }
    let account = by.account().key;
    let before = site.pool.read(move |db| billing::own(db, account)).await?;
    let before = before.map_or_else(String::new, |own| own.stored.provider_id);
    let (receipt, grant, sent, is_on) = (form.receipt(), by.clone(), form.clone(), payments.is_on());
    let outcome = site.pool.write(move |db| {
        once(db, grant.actor().key, &receipt, |db| {
            let (entries, version) = (entries(&sent, is_on)?, sent.version());
            let kept = billing::own(db, grant.account().key)?.map(|own| own.entries.collection_method);
            let kept = sent.value(REPLACE) != "yes" && kept == Some(entries.collection_method);
            if entries.collection_method.at_provider().is_some() && !kept {
                setup::begin(db, &grant, Some(version), &entries, sent.value(EFFECTS))?;
                return Ok(Reply::to(confirm::address(&grant.account().id, Act::Change), ""));
            }
            billing::change(db, &grant, version, &entries, sent.value(EFFECTS))?;
            Ok(Reply::to(home(grant.frame()), "Payment method saved."))
        })
    });
    let outcome = outcome.await;
    if outcome.is_ok() {
        provider::release(&site.pool, &payments, &before).await;
    }
    answer(&by, &site, &payments, Act::Change, form, outcome).await
}

/// The form as it was typed, with the sharing that the question was about.
fn back(act: Act, form: &Form) -> Filled {
    let mut filled = form.filled(Errors::default());
    if act == Act::Change {
        filled.set("allowChildAccounts", "yes");
    }
    filled
}

async fn answer<A: Action>(
    by: &In<A>,
    site: &Site,
    payments: &Payments,
    act: Act,
    form: Form,
    outcome: Result<Reply, Problem>,
) -> Result<HttpResponse, Problem> {
    match outcome {
        Ok(reply) => {
            if reply.location == confirm::address(&by.account().id, act) {
                confirm::open(by, site, payments).await?;
            }
            Ok(site.see(&reply))
        }
        Err(Problem::Invalid(errors)) => show(by, site, payments, act, form.filled(errors)).await,
        Err(Problem::Conflict(reason @ (Reason::Stale | Reason::BillingExists))) => {
            changed(by, site, payments, form, reason).await
        }
        Err(Problem::Conflict(reason @ (Reason::Unconfirmed | Reason::BillingCannotBeRemoved { .. }))) => {
            let change = Change::Save { allow_child_accounts: form.value("allowChildAccounts") == "yes" };
            let question = ask::Question { change, act: Some(act), form, version: None, reason: Some(reason) };
            ask::page(by, site, question).await
        }
        Err(other) => Err(other),
    }
}

async fn show<A: Action>(
    by: &In<A>,
    site: &Site,
    payments: &Payments,
    act: Act,
    form: Filled,
) -> Result<HttpResponse, Problem> {
    let account = by.account().key;
    let read = move |db: &mut Db| {
        Ok((billing::own(db, account)?, billing::standing(db, account)?.above, billing::followers(db, account)?))
    };
    let (own, above, followers) = site.pool.read_long(read).await?;
    let failed = form.failed();
    let page = FormPage {
        shell: site.shell(by, Section::Billing, act.heading()).failing(failed),
        action: format!("/a/{}/billing/{}", by.account().id, act.slug()),
        replaces: above.filter(|_| act == Act::Add).map(|source| Inherited::of(&source, by.frame())),
        fields: fields(by, payments, form, followers, own.as_ref().filter(|_| act == Act::Change)),
    };
    if failed { site.refused(&page) } else { site.page(&page, Keep::Nothing) }
}

/// Somebody else was quicker: both versions side by side, and what was typed ready to be saved over the other.
async fn changed<A: Action>(
    by: &In<A>,
    site: &Site,
    payments: &Payments,
    form: Form,
    reason: Reason,
) -> Result<HttpResponse, Problem> {
    let account = by.account().key;
    let read = move |db: &mut Db| {
        Ok((billing::own(db, account)?, billing::last_change(db, account)?, billing::followers(db, account)?))
    };
    let (stored, last, followers) = site.pool.read_long(read).await?;
    let frame = by.frame();
    let may_go_on = if stored.is_some() { frame.may::<UpdateBilling>() } else { frame.may::<CreateBilling>() };
    if !may_go_on {
        return Err(Problem::Conflict(reason));
    }
    let who = last.map_or_else(|| "Somebody".to_owned(), |(name, at)| format!("{name} ({})", When::from(at).words));
    let mut filled = form.filled(Errors::default());
    let act = if stored.is_some() { Act::Change } else { Act::Add };
    let verb = if stored.is_some() { "saved" } else { "removed" };
    filled.set_version(stored.as_ref().map_or(0, |method| method.version));
    let page = ChangedPage {
        shell: site.shell(by, Section::Billing, "Somebody else changed this payment method").failing(true),
        action: format!("/a/{}/billing/{}", by.account().id, act.slug()),
        stored: stored.as_ref().map_or_else(Vec::new, |method| view::facts_beside(&method.entries, &filled)),
        version: stored.map_or(0, |method| method.version),
        happened: format!("{who} {verb} it after you opened the form. Nothing of yours is lost: choose what to keep."),
        fields: fields(by, payments, filled, followers, None),
    };
    site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
}
