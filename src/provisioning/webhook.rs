//! The operator's provisioning system: each intent is posted to it, signed, with the same id and the same body each
//! time, so that it can tell a repetition. What it cannot decide by itself (an answer that does not come, or that
//! speaks of our address or secret being wrong) is told again; what it refuses has failed.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::{Client, Response, StatusCode};

use super::fabric::{Fabric, Order, Outcome, Reply, words};
use super::signing;
use crate::config::SystemConfig;
use crate::ids;

const CONNECTING: Duration = Duration::from_secs(5);
/// Bytes that are read of one answer.
const LARGEST_ANSWER: usize = 64 * 1024;
/// Refusals that say something of our settings or of the moment, not of the order.
const NOT_OF_THE_ORDER: [StatusCode; 7] = [
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::NOT_FOUND,
    StatusCode::PROXY_AUTHENTICATION_REQUIRED,
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::TOO_EARLY,
    StatusCode::TOO_MANY_REQUESTS,
];

pub struct Webhook {
    http: Client,
    config: SystemConfig,
}

impl Webhook {
    pub fn new(config: &SystemConfig) -> anyhow::Result<Webhook> {
        // The one that mail uses; an error says that it is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .connect_timeout(CONNECTING)
            .timeout(config.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("subtenant/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Webhook { http, config: config.clone() })
    }

    async fn ask(&self, order: &Order) -> Result<Outcome, reqwest::Error> {
        let moment = ids::now().and_utc().timestamp();
        let signature = signing::sign(&self.config.keys, &order.id, moment, order.body.as_bytes());
        let answer = self
            .http
            .post(self.config.url.clone())
            .header("Content-Type", "application/json")
            .header("webhook-id", &order.id)
            .header("webhook-timestamp", moment)
            .header("webhook-signature", signature)
            .body(order.body.clone())
            .send()
            .await?;
        let status = answer.status();
        let body = read(answer).await?;
        Ok(outcome(status, body.as_deref()))
    }
}

/// The body; None when it is longer than any that is understood.
async fn read(mut answer: Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(more) = answer.chunk().await? {
        if body.len() + more.len() > LARGEST_ANSWER {
            return Ok(None);
        }
        body.extend_from_slice(&more);
    }
    Ok(Some(body))
}

/// What an answer means for the intent.
fn outcome(status: StatusCode, body: Option<&[u8]>) -> Outcome {
    let told = body.and_then(|body| serde_json::from_slice::<Reply>(body).ok()).and_then(Reply::outcome);
    if status.is_success() {
        return match (told, body) {
            (Some(told), _) => told,
            (None, Some(body)) if body.trim_ascii().is_empty() => Outcome::Accepted,
            _ => Outcome::Retry(format!("It was answered with {status} and something that is not understood.")),
        };
    }
    if !status.is_client_error() || NOT_OF_THE_ORDER.contains(&status) {
        return Outcome::Retry(format!("It was answered with {status}."));
    }
    match told {
        Some(failed @ Outcome::Failed { .. }) => failed,
        _ => Outcome::Failed { code: String::new(), message: format!("It was refused with {status}.") },
    }
}

impl Fabric for Webhook {
    fn deliver<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Outcome> {
        async move {
            // The address may hold something that is nobody else's business.
            self.ask(order).await.unwrap_or_else(|error| Outcome::Retry(why(&error.without_url())))
        }
        .boxed()
    }
}

/// The error with its causes, as far as they say something.
fn why(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    words(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_means() {
        let told = |status: u16, body: &str| outcome(StatusCode::from_u16(status).unwrap(), Some(body.as_bytes()));
        assert_eq!(told(200, ""), Outcome::Accepted);
        assert_eq!(told(204, " \n"), Outcome::Accepted);
        assert_eq!(told(202, r#"{"state":"DONE"}"#), Outcome::Done(Default::default()));
        assert!(matches!(told(200, "<html>"), Outcome::Retry(_)));
        assert!(matches!(outcome(StatusCode::OK, None), Outcome::Retry(_)));
        for ours in [301, 302, 307, 401, 403, 404, 408, 429, 500, 502, 503, 504] {
            assert!(matches!(told(ours, r#"{"state":"DONE"}"#), Outcome::Retry(_)), "{ours}");
        }
        for theirs in [400, 409, 410, 413, 422] {
            assert!(matches!(told(theirs, r#"{"state":"DONE"}"#), Outcome::Failed { .. }), "{theirs}");
        }
        let failed = told(409, r#"{"state":"FAILED","errorCode":"VLAN_IN_USE","errorMessage":"Taken"}"#);
        assert_eq!(failed, Outcome::Failed { code: "VLAN_IN_USE".to_owned(), message: "Taken".to_owned() });
    }
}
