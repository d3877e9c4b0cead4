//! The page with the provider's own fields in its own frame, or with the named test methods of a demonstration.

use actix_web::HttpResponse;
use actix_web::http::header;
use askama::Template;

use super::confirm::address;
use super::entry::Act;
use super::home;
use crate::access::In;
use crate::access::policy::Action;
use crate::billing::provider::Fault;
use crate::billing::store::setups::Setup;
use crate::payments::{Choice, Demo, Intent, Kind, Payments, Progress, Trouble};
use crate::problem::Problem;
use crate::web::site::Keep;
use crate::web::{Filled, Section, Shell, Site, protect};

pub const HOLDER_TYPES: [(&str, &str); 2] = [("individual", "Individual"), ("company", "Company")];
const NO_ANSWER: &str = "The payment provider does not answer. Nothing was charged and nothing changed.";

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

pub fn show<A: Action>(
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
