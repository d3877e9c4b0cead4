//! Entering a card or a bank account: the provider's own fields in its own frame. What the browser says came of it is
//! a hint to look; the provider is asked. In a demonstration there are named test methods to choose from instead.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::confirm_page::{self, HOLDER_TYPES};
use super::entry::Act;
use super::{ask, fields, home, view};
use crate::access::In;
use crate::access::policy::{Action, CreateBilling, UpdateBilling};
use crate::billing::provider::{self, Fault};
use crate::billing::setup::{self, Settled};
use crate::billing::store::setups::{Setup, State};
use crate::billing::{self, Change, CollectionMethod};
use crate::payments::{Intent, Kind, Payments, Progress};
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::web::{Form, Reply, Sent, Site};

const FIELDS: [&str; 6] = ["intent", "again", "choice", "holder", "holderType", "permission"];

pub const KEPT: &str = "Payment method saved. Its other entries were changed after you began: they stay as they are.";
const DEPOSITS_ON_THEIR_WAY: &str = "Two small deposits are on their way to the bank account. They take one or two \
    working days; enter their amounts then.";
/// GET /a/{account}/billing/new/confirm
pub async fn show_new(by: In<CreateBilling>, site: Site, payments: Data<Payments>) -> Result<HttpResponse, Problem> {
    show(&by, &site, &payments, Act::Add).await
}

/// GET /a/{account}/billing/edit/confirm
pub async fn show_edit(by: In<UpdateBilling>, site: Site, payments: Data<Payments>) -> Result<HttpResponse, Problem> {
    show(&by, &site, &payments, Act::Change).await
}

/// POST /a/{account}/billing/new/confirm
pub async fn take_new(
    by: In<CreateBilling>,
    site: Site,
    payments: Data<Payments>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    take(&by, &site, &payments, Act::Add, sent).await
}

/// POST /a/{account}/billing/edit/confirm
pub async fn take_edit(
    by: In<UpdateBilling>,
    site: Site,
    payments: Data<Payments>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    take(&by, &site, &payments, Act::Change, sent).await
}

/// Where the form leads that begins it.
pub fn address(account: &str, act: Act) -> String {
    format!("/a/{account}/billing/{}/confirm", act.slug())
}

/// Tells the provider of what was just begun. Where it does not answer, the page offers to try again.
pub async fn open<A: Action>(by: &In<A>, site: &Site, payments: &Payments) -> Result<(), Problem> {
    let Some((setup, _)) = waiting(by, site).await?.filter(|(setup, _)| setup.intent.is_empty()) else { return Ok(()) };
    match provider::open(&site.pool, payments, &by.account().id, &setup).await {
        Ok(()) => Ok(()),
        Err(Fault::Here(problem)) => Err(problem),
        Err(Fault::Provider(trouble)) => {
            tracing::warn!(%trouble, "the payment provider did not open a set-up");
            Ok(())
        }
    }
}

/// What is being set up, and which form finishes it: adding needs another right than changing.
async fn waiting<A: Action>(by: &In<A>, site: &Site) -> Result<Option<(Setup, Act)>, Problem> {
    let account = by.account().key;
    let read = move |db: &mut Db| Ok((setup::pending(db, account)?, billing::own(db, account)?.is_some()));
    let (setup, has_own) = site.pool.read(read).await?;
    let act = if has_own { Act::Change } else { Act::Add };
    Ok(setup.filter(|setup| setup.state == State::Open).map(|setup| (setup, act)))
}

/// What is being set up was begun with the other form.
fn elsewhere<A: Action>(by: &In<A>, site: &Site) -> HttpResponse {
    site.see(&Reply::to(home(by.frame()), "!What is being set up was begun in another way. Go on with it from here."))
}

async fn show<A: Action>(by: &In<A>, site: &Site, payments: &Payments, act: Act) -> Result<HttpResponse, Problem> {
    let Some((setup, begun)) = waiting(by, site).await? else { return nothing_to_do(by, site).await };
    if begun != act {
        return Ok(elsewhere(by, site));
    }
    let looked = look(site, payments, &setup).await;
    confirm_page::show(by, site, payments, act, &setup, looked, Form::default().filled(Errors::default()))
}

/// It was done already, by another window or by the provider's own word; or nothing was begun.
async fn nothing_to_do<A: Action>(by: &In<A>, site: &Site) -> Result<HttpResponse, Problem> {
    let account = by.account().key;
    let own = site.pool.read(move |db| crate::billing::own(db, account)).await?;
    let saved = own.is_some_and(|own| !own.stored.provider_id.is_empty());
    let words = if saved { "Payment method saved." } else { "!No payment method is being set up." };
    Ok(site.see(&Reply::to(home(by.frame()), words)))
}

async fn take<A: Action>(
    by: &In<A>,
    site: &Site,
    payments: &Payments,
    act: Act,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(by, sent, &FIELDS)?;
    form.check().finish()?;
    permit(by, site, &form).await?;
    let Some((setup, begun)) = waiting(by, site).await? else { return nothing_to_do(by, site).await };
    if begun != act {
        return Ok(elsewhere(by, site));
    }
    let here = address(&by.account().id, act);
    if setup.intent.is_empty() || form.value("again") == "yes" {
        return match provider::open(&site.pool, payments, &by.account().id, &setup).await {
            Ok(()) => Ok(site.see(&Reply::to(here, ""))),
            Err(Fault::Here(problem)) => Err(problem),
            fault => {
                let looked = fault.map(|()| None);
                confirm_page::show(by, site, payments, act, &setup, looked, form.filled(Errors::default()))
            }
        };
    }
    if setup.entries.collection_method.at_provider() == Some(Kind::BankAccount) {
        let mut check = form.check();
        check.one_of("holderType", "Choose who holds the bank account", &HOLDER_TYPES);
        if !check.ticked("permission") {
            check.note("permission", Some("Give the permission to draft, or choose another kind".to_owned()));
        }
        if let Err(Problem::Invalid(errors)) = check.finish() {
            let looked = look(site, payments, &setup).await;
            return confirm_page::show(by, site, payments, act, &setup, looked, form.filled(errors));
        }
    }
    if let Payments::Demo(demo) = payments
        && !demo.choose(&setup.intent, form.value("choice"))
    {
        let errors = Errors::one("choice", "Choose one of the test methods");
        let looked = look(site, payments, &setup).await;
        return confirm_page::show(by, site, payments, act, &setup, looked, form.filled(errors));
    }
    let sent = form.value("intent");
    if !sent.is_empty() && sent != setup.intent {
        let errors = Errors::one("", "These entries belong to another attempt. Enter the details again.");
        let looked = look(site, payments, &setup).await;
        return confirm_page::show(by, site, payments, act, &setup, looked, form.filled(errors));
    }
    match look(site, payments, &setup).await {
        Ok(Some(intent)) => conclude(by, site, payments, act, &setup, &form, intent).await,
        looked => confirm_page::show(by, site, payments, act, &setup, looked, form.filled(Errors::default())),
    }
}

/// Notes the permission to draft, also when the provider's own word was faster and the deposits are on their way.
async fn permit<A: Action>(by: &In<A>, site: &Site, form: &Form) -> Result<(), Problem> {
    if form.value("permission") != "yes" {
        return Ok(());
    }
    let grant = by.clone();
    site.pool
        .write(move |db| match setup::pending(db, grant.account().key)? {
            Some(setup) if setup.entries.collection_method == CollectionMethod::PullAch => {
                setup::permit(db, &grant, &setup)
            }
            _ => Ok(()),
        })
        .await
}

/// What the provider says; nothing where it knows of no set-up.
async fn look(site: &Site, payments: &Payments, setup: &Setup) -> Result<Option<Intent>, Fault> {
    if setup.intent.is_empty() {
        return Ok(None);
    }
    provider::look(&site.pool, payments, setup).await.map(Some)
}

/// What was entered works, and what it does to other accounts is not what was confirmed: it is kept, and the question
/// comes again.
async fn ask_again<A: Action>(
    by: &In<A>,
    site: &Site,
    act: Act,
    setup: &Setup,
    intent: Intent,
    reason: Reason,
) -> Result<HttpResponse, Problem> {
    let (entered, account) = (setup.clone(), by.account().key);
    let version = site
        .pool
        .write(move |db| {
            setup::note_entered(db, &entered, intent.means.as_ref())?;
            Ok(billing::own(db, account)?.map(|own| own.version))
        })
        .await?;
    let change = Change::Save { allow_child_accounts: setup.entries.allow_child_accounts };
    let form = fields::form_of(&view::filled(&setup.entries), &setup.confirmed);
    ask::page(by, site, ask::Question { change, act: Some(act), form, version, reason: Some(reason) }).await
}

async fn conclude<A: Action>(
    by: &In<A>,
    site: &Site,
    payments: &Payments,
    act: Act,
    setup: &Setup,
    form: &Form,
    intent: Intent,
) -> Result<HttpResponse, Problem> {
    let id = &by.account().id;
    let Some(outcome) = provider::outcome(setup, &intent, site.config.payments.grace_days) else {
        let words = match &intent.progress {
            Progress::Holder if matches!(payments, Payments::Demo(_)) => {
                return Ok(site.see(&Reply::to(address(id, act), "")));
            }
            Progress::Undecided => {
                let words = "!The payment provider has not decided yet. The payment method is used as soon as it has.";
                return Ok(site.see(&Reply::to(home(by.frame()), words)));
            }
            Progress::Holder => "Your bank has not confirmed that it is you. Try again.".to_owned(),
            Progress::Waiting(Some(why)) => why.clone(),
            Progress::Cancelled => "This attempt was given up. Start again.".to_owned(),
            _ => "Nothing was entered yet.".to_owned(),
        };
        return confirm_page::show(
            by,
            site,
            payments,
            act,
            setup,
            Ok(Some(intent)),
            form.filled(Errors::one("choice", words)),
        );
    };
    let (grant, replaces) = (by.clone(), Some(act == Act::Change));
    match site.pool.write(move |db| setup::finish(db, &grant, &outcome, replaces)).await {
        Ok(Settled { in_force, replaced, kept_entries }) => {
            provider::release(&site.pool, payments, &replaced).await;
            let words = match (in_force, kept_entries) {
                (true, false) => "Payment method saved.",
                (true, true) => KEPT,
                (false, _) => DEPOSITS_ON_THEIR_WAY,
            };
            Ok(site.see(&Reply::to(home(by.frame()), words)))
        }
        Err(Problem::Conflict(Reason::Stale)) => nothing_to_do(by, site).await,
        Err(Problem::Conflict(reason @ (Reason::Unconfirmed | Reason::BillingCannotBeRemoved { .. }))) => {
            ask_again(by, site, act, setup, intent, reason).await
        }
        Err(problem) => Err(problem),
    }
}
