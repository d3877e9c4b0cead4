//! Entering a card or a bank account: the provider's own fields in its own frame. What the browser says came of it is
//! a hint to look; the provider is asked. In a demonstration there are named test methods to choose from instead.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use askama::Template;

use super::entry::Act;
use super::home;
use crate::access::In;
use crate::access::policy::{Action, CreateBilling, UpdateBilling};
use crate::billing::provider::{self, Fault};
use crate::billing::setup::{self, Settled};
use crate::billing::store::setups::{Setup, State};
use crate::payments::{Choice, Demo, Intent, Kind, Payments, Progress, Trouble};
use crate::problem::{Errors, Problem, Reason};
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, protect};

const FIELDS: [&str; 6] = ["intent", "again", "choice", "holder", "holderType", "permission"];
pub const HOLDER_TYPES: [(&str, &str); 2] = [("individual", "Individual"), ("company", "Company")];

#[derive(Template)]
#[template(path = "billing/confirm.html")]
struct ConfirmPage {
    shell: Shell,
    action: String,
    form: Filled,
    back: String,
    home: String,
    kind: Kind,
    /// The provider does not answer, or the set-up ended there.
    trouble: String,
    /// Trying again means to begin anew with the provider.
    again: bool,
    /// What is offered instead of fields, in a demonstration.
    choices: Vec<Choice>,
    fields: Option<ProviderFields>,
    holder: String,
    email: String,
    holder_types: Vec<(&'static str, &'static str, &'static str)>,
}

/// What the provider's script needs.
struct ProviderFields {
    script: String,
    key: String,
    secret: String,
    intent: String,
    /// The card is in, and only has to be taken over.
    done: bool,
}

const DEPOSITS_ON_THEIR_WAY: &str = "Two small deposits are on their way to the bank account. They take one or two \
    working days; enter their amounts then.";
const NO_ANSWER: &str = "The payment provider does not answer. Nothing was charged and nothing changed.";

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
    let Some(setup) = waiting(by, site).await?.filter(|setup| setup.intent.is_empty()) else { return Ok(()) };
    match provider::open(&site.pool, payments, &by.account().id, &setup).await {
        Ok(()) => Ok(()),
        Err(Fault::Here(problem)) => Err(problem),
        Err(Fault::Provider(trouble)) => {
            tracing::warn!(%trouble, "the payment provider did not open a set-up");
            Ok(())
        }
    }
}

async fn waiting<A: Action>(by: &In<A>, site: &Site) -> Result<Option<Setup>, Problem> {
    let account = by.account().key;
    Ok(site.pool.read(move |db| setup::pending(db, account)).await?.filter(|setup| setup.state == State::Open))
}

async fn show<A: Action>(by: &In<A>, site: &Site, payments: &Payments, act: Act) -> Result<HttpResponse, Problem> {
    let Some(setup) = waiting(by, site).await? else { return nothing_to_do(by, site).await };
    let looked = look(site, payments, &setup).await;
    page(by, site, payments, act, &setup, looked, Form::default().filled(Errors::default()))
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
    let Some(setup) = waiting(by, site).await? else { return nothing_to_do(by, site).await };
    let here = address(&by.account().id, act);
    if setup.intent.is_empty() || form.value("again") == "yes" {
        return match provider::open(&site.pool, payments, &by.account().id, &setup).await {
            Ok(()) => Ok(site.see(&Reply::to(here, ""))),
            Err(Fault::Here(problem)) => Err(problem),
            fault => {
                let looked = fault.map(|()| None);
                page(by, site, payments, act, &setup, looked, form.filled(Errors::default()))
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
            return page(by, site, payments, act, &setup, looked, form.filled(errors));
        }
    }
    if let Payments::Demo(demo) = payments
        && !demo.choose(&setup.intent, form.value("choice"))
    {
        let errors = Errors::one("choice", "Choose one of the test methods");
        let looked = look(site, payments, &setup).await;
        return page(by, site, payments, act, &setup, looked, form.filled(errors));
    }
    let sent = form.value("intent");
    if !sent.is_empty() && sent != setup.intent {
        let errors = Errors::one("", "These entries belong to another attempt. Enter the details again.");
        let looked = look(site, payments, &setup).await;
        return page(by, site, payments, act, &setup, looked, form.filled(errors));
    }
    match look(site, payments, &setup).await {
        Ok(Some(intent)) => conclude(by, site, payments, act, &setup, &form, intent).await,
        looked => page(by, site, payments, act, &setup, looked, form.filled(Errors::default())),
    }
}

/// What the provider says; nothing where it knows of no set-up.
async fn look(site: &Site, payments: &Payments, setup: &Setup) -> Result<Option<Intent>, Fault> {
    if setup.intent.is_empty() {
        return Ok(None);
    }
    provider::look(&site.pool, payments, setup).await.map(Some)
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
        return page(by, site, payments, act, setup, Ok(Some(intent)), form.filled(Errors::one("choice", words)));
    };
    let grant = by.clone();
    match site.pool.write(move |db| setup::finish(db, &grant, &outcome)).await {
        Ok(Settled { in_force, replaced }) => {
            provider::release(&site.pool, payments, &replaced).await;
            let words = if in_force { "Payment method saved." } else { DEPOSITS_ON_THEIR_WAY };
            Ok(site.see(&Reply::to(home(by.frame()), words)))
        }
        Err(Problem::Conflict(Reason::Stale)) => nothing_to_do(by, site).await,
        Err(Problem::Conflict(Reason::Unconfirmed)) => {
            let words = "!What this change does to other accounts changed meanwhile. Nothing was changed; start again.";
            Ok(site.see(&Reply::to(home(by.frame()), words)))
        }
        Err(problem) => Err(problem),
    }
}

fn page<A: Action>(
    by: &In<A>,
    site: &Site,
    payments: &Payments,
    act: Act,
    setup: &Setup,
    looked: Result<Option<Intent>, Fault>,
    form: Filled,
) -> Result<HttpResponse, Problem> {
    let kind = setup.entries.collection_method.at_provider().unwrap_or(Kind::Card);
    // Without an intent at the provider, or with one that ended, another one is opened.
    let mut again = true;
    let (trouble, intent) = match looked {
        Ok(Some(intent)) if intent.progress == Progress::Cancelled => ("This attempt was given up.".to_owned(), None),
        Ok(Some(intent)) => (String::new(), Some(intent)),
        Err(Fault::Here(Problem::NotFound)) => ("This attempt is not this account’s.".to_owned(), None),
        Err(Fault::Here(problem)) => return Err(problem),
        Ok(None) => (NO_ANSWER.to_owned(), None),
        Err(Fault::Provider(trouble)) => {
            tracing::warn!(%trouble, "the payment provider does not offer its fields");
            again = setup.intent.is_empty() || !matches!(trouble, Trouble::Away(_));
            (NO_ANSWER.to_owned(), None)
        }
    };
    let failed = form.failed();
    let heading = if kind == Kind::Card { "Enter a card" } else { "Enter a bank account" };
    let choices = match (payments, &intent) {
        (Payments::Demo(_), Some(intent)) => choices(kind, intent),
        _ => Vec::new(),
    };
    let fields = match (payments, intent) {
        (Payments::Stripe(_, config), Some(intent)) => Some(ProviderFields {
            script: config.js_url.to_string(),
            key: config.publishable_key.clone(),
            done: intent.progress == Progress::Done,
            secret: intent.client_secret.0,
            intent: intent.id,
        }),
        _ => None,
    };
    let page = ConfirmPage {
        shell: site.shell(by, Section::Billing, heading).failing(failed),
        action: address(&by.account().id, act),
        form,
        back: format!("/a/{}/billing/{}", by.account().id, act.slug()),
        home: home(by.frame()),
        kind,
        choices,
        fields,
        trouble,
        again,
        holder: setup.entries.name.clone(),
        email: setup.entries.email.clone(),
        holder_types: HOLDER_TYPES.map(|(code, words)| (code, words, "")).to_vec(),
    };
    let mut answer = if failed { site.refused(&page)? } else { site.page(&page, Keep::Nothing)? };
    if let Payments::Stripe(_, config) = payments {
        let policy = protect::policy_with(&config.js_url, &config.api_url);
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(answer)
}

/// The test methods, or what the card's holder can answer.
fn choices(kind: Kind, intent: &Intent) -> Vec<Choice> {
    if intent.progress != Progress::Holder {
        return Demo::choices(kind).to_vec();
    }
    let choice = |code, words| Choice { code, words, hint: "" };
    vec![choice("approve", "Yes, it is me"), choice("refuse", "No, it is not")]
}
