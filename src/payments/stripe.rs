//! Stripe's published HTTP interface: form-encoded calls, each with the version it was written for and, where it
//! changes something, an idempotency key. What was not answered is asked once more; the key makes that harmless.

use std::time::Duration;

use futures_util::FutureExt;
use reqwest::{Client, Method, StatusCode};
use serde::de::DeserializeOwned;

use super::amounts;
use super::reply::{ChargeReply, Event, List, Named, PaymentIntent, PaymentMethod, Refusal, SetupIntent};
use super::{Answer, Charge, Demand, Intent, Kind, Means, Notice, Payment, Provider, Trouble};
use crate::config::{Hidden, ProviderConfig};
use crate::ids;

/// The version of the interface that the replies are read as.
const VERSION: &str = "2024-06-20";
const CONNECTING: Duration = Duration::from_secs(5);
/// For one attempt, from the first byte to the last.
const PATIENCE: Duration = Duration::from_secs(15);
const ATTEMPTS: usize = 2;
/// Bytes that are read of one answer.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

pub struct Stripe {
    http: Client,
    /// Without a slash at its end.
    base: String,
    key: Hidden,
}

type Form<'a> = &'a [(&'a str, &'a str)];

impl Stripe {
    pub fn new(config: &ProviderConfig) -> anyhow::Result<Stripe> {
        // The one that mail uses; an error says that it is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .connect_timeout(CONNECTING)
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("subtenant/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let base = config.api_url.as_str().trim_end_matches('/').to_owned();
        Ok(Stripe { http, base, key: config.secret_key.clone() })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: Form<'_>) -> Result<T, Trouble> {
        self.call(Method::GET, path, query, None).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, form: Form<'_>, key: Option<&str>) -> Result<T, Trouble> {
        self.call(Method::POST, path, form, key).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        values: Form<'_>,
        key: Option<&str>,
    ) -> Result<T, Trouble> {
        let repeatable = method == Method::GET || key.is_some();
        let attempts = if repeatable { ATTEMPTS } else { 1 };
        let mut outcome = self.attempt(&method, path, values, key).await;
        for _ in 1..attempts {
            if !matches!(outcome, Err(Trouble::Away(_))) {
                break;
            }
            outcome = self.attempt(&method, path, values, key).await;
        }
        let bytes = outcome?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Trouble::Away(anyhow::anyhow!("the answer to {path} cannot be read: {error}")))
    }

    async fn attempt(
        &self,
        method: &Method,
        path: &str,
        values: Form<'_>,
        key: Option<&str>,
    ) -> Result<Vec<u8>, Trouble> {
        let mut request = self
            .http
            .request(method.clone(), format!("{}/v1/{path}", self.base))
            .bearer_auth(&self.key.0)
            .header("Stripe-Version", VERSION);
        request = if *method == Method::GET { request.query(values) } else { request.form(values) };
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        // The address may hold an id, never a key.
        let away = |error: reqwest::Error| Trouble::Away(anyhow::Error::from(error.without_url()));
        let mut answer = request.send().await.map_err(away)?;
        let status = answer.status();
        let mut bytes = Vec::new();
        // Its length need not be told before.
        while let Some(part) = answer.chunk().await.map_err(away)? {
            if bytes.len() + part.len() > LARGEST_ANSWER {
                return Err(Trouble::Away(anyhow::anyhow!("the answer to {path} is far too long")));
            }
            bytes.extend_from_slice(&part);
        }
        if status.is_success() {
            return Ok(bytes);
        }
        let why = serde_json::from_slice::<Refusal>(&bytes).map(|refusal| refusal.error).unwrap_or_default();
        Err(match status {
            StatusCode::NOT_FOUND => Trouble::Unknown,
            StatusCode::BAD_REQUEST | StatusCode::PAYMENT_REQUIRED => {
                let words = why.words();
                let code = why.decline_code.or(why.code).unwrap_or_default();
                if code == "resource_missing" { Trouble::Unknown } else { Trouble::Refused { code, words } }
            }
            // 401 and 403 say that our own key is wrong: nothing that the person could do about.
            _ => Trouble::Away(anyhow::anyhow!("{path} was answered with {status}: {}", why.words())),
        })
    }

    async fn read_intent(&self, reply: SetupIntent) -> Result<Intent, Trouble> {
        let means = match reply.method_to_fetch() {
            Some(id) => Some(self.read_means(&id).await?),
            None => None,
        };
        Ok(reply.intent(means))
    }

    async fn read_means(&self, id: &str) -> Result<Means, Trouble> {
        let reply: PaymentMethod = self.get(&format!("payment_methods/{}", segment(id)?), &[]).await?;
        reply.means().ok_or(Trouble::Unknown)
    }
}

/// An id as a part of an address: what is none is not asked about.
fn segment(id: &str) -> Result<&str, Trouble> {
    let fine = !id.is_empty() && id.len() <= 255 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if fine { Ok(id) } else { Err(Trouble::Unknown) }
}

impl Provider for Stripe {
    fn open_customer<'a>(&'a self, key: &'a str, account: &'a str, email: &'a str) -> Answer<'a, String> {
        async move {
            let form = [("email", email), ("description", account), ("metadata[account]", account)];
            let made: Named = self.post("customers", &form, Some(key)).await?;
            Ok(made.id)
        }
        .boxed()
    }

    fn open_intent<'a>(&'a self, key: &'a str, customer: &'a str, kind: Kind) -> Answer<'a, Intent> {
        async move {
            let mut form = vec![("customer", customer), ("usage", "off_session")];
            match kind {
                Kind::Card => form.push(("payment_method_types[]", "card")),
                Kind::BankAccount => form.extend([
                    ("payment_method_types[]", "us_bank_account"),
                    ("payment_method_options[us_bank_account][verification_method]", "microdeposits"),
                ]),
            }
            let made: SetupIntent = self.post("setup_intents", &form, Some(key)).await?;
            self.read_intent(made).await
        }
        .boxed()
    }

    fn intent<'a>(&'a self, id: &'a str) -> Answer<'a, Intent> {
        async move { self.read_intent(self.get(&format!("setup_intents/{}", segment(id)?), &[]).await?).await }.boxed()
    }

    fn means<'a>(&'a self, id: &'a str) -> Answer<'a, Means> {
        self.read_means(id).boxed()
    }

    fn attach<'a>(&'a self, id: &'a str, customer: &'a str) -> Answer<'a, ()> {
        async move {
            let path = format!("payment_methods/{}/attach", segment(id)?);
            let key = format!("{path}-{customer}");
            self.post::<Named>(&path, &[("customer", customer)], Some(&key)).await.map(|_| ())
        }
        .boxed()
    }

    fn detach<'a>(&'a self, id: &'a str) -> Answer<'a, ()> {
        async move {
            let path = format!("payment_methods/{}/detach", segment(id)?);
            match self.post::<Named>(&path, &[], Some(&path)).await {
                // Detached before, or gone: that is what was wanted.
                Ok(_) | Err(Trouble::Unknown | Trouble::Refused { .. }) => Ok(()),
                Err(away) => Err(away),
            }
        }
        .boxed()
    }

    fn verify<'a>(&'a self, intent: &'a str, amounts: [i64; 2]) -> Answer<'a, Intent> {
        async move {
            let amounts = amounts.map(|amount| amount.to_string());
            let form = [("amounts[]", amounts[0].as_str()), ("amounts[]", amounts[1].as_str())];
            let path = format!("setup_intents/{}/verify_microdeposits", segment(intent)?);
            let reply: SetupIntent = self.post(&path, &form, None).await?;
            self.read_intent(reply).await
        }
        .boxed()
    }

    fn charge<'a>(&'a self, id: &'a str) -> Answer<'a, Charge> {
        async move {
            let kind = if id.starts_with("pi_") { "payment_intents" } else { "charges" };
            let reply: ChargeReply = self.get(&format!("{kind}/{}", segment(id)?), &[]).await?;
            reply.charge().ok_or(Trouble::Unknown)
        }
        .boxed()
    }

    fn open_payment<'a>(&'a self, key: &'a str, demand: &'a Demand) -> Answer<'a, Payment> {
        async move {
            let amount = amounts::at_provider(demand.amount, &demand.currency).ok_or_else(|| Trouble::Refused {
                code: "amount".to_owned(),
                words: format!("The payment provider cannot charge this amount in {}.", demand.currency),
            })?;
            let (amount, currency) = (amount.to_string(), demand.currency.to_lowercase());
            let form = [
                ("amount", amount.as_str()),
                ("currency", &currency),
                ("customer", &demand.customer),
                ("payment_method", &demand.means),
                ("payment_method_types[]", if demand.kind == Kind::Card { "card" } else { "us_bank_account" }),
                ("metadata[invoice]", &demand.invoice),
            ];
            let made: PaymentIntent = self.post("payment_intents", &form, Some(key)).await?;
            Ok(made.payment())
        }
        .boxed()
    }

    fn payment<'a>(&'a self, id: &'a str) -> Answer<'a, Payment> {
        async move {
            let found: PaymentIntent = self.get(&format!("payment_intents/{}", segment(id)?), &[]).await?;
            Ok(found.payment())
        }
        .boxed()
    }

    fn confirm<'a>(&'a self, id: &'a str) -> Answer<'a, Payment> {
        async move {
            let path = format!("payment_intents/{}/confirm", segment(id)?);
            // A key of its own for each time it is asked: the payment itself is charged once, and the answer to a key,
            // even an error, is the same for a day.
            let key = format!("{path}-{}", ids::token());
            let done: PaymentIntent = self.post(&path, &[("off_session", "true")], Some(&key)).await?;
            Ok(done.payment())
        }
        .boxed()
    }

    fn cancel<'a>(&'a self, id: &'a str) -> Answer<'a, Payment> {
        async move {
            let path = format!("payment_intents/{}/cancel", segment(id)?);
            // Without a key: asked later, it may be answered otherwise.
            let done: PaymentIntent = self.post(&path, &[], None).await?;
            Ok(done.payment())
        }
        .boxed()
    }

    fn notices<'a>(&'a self, before: Option<&'a str>) -> Answer<'a, Vec<Notice>> {
        async move {
            let mut query = vec![("limit", "100")];
            query.extend(before.map(|id| ("starting_after", id)));
            let list: List<serde_json::Value> = self.get("events", &query).await?;
            // One that cannot be read is in nobody's way.
            let read = list.data.into_iter().filter_map(|one| serde_json::from_value::<Event>(one).ok());
            Ok(read.map(Event::notice).collect())
        }
        .boxed()
    }
}
