//! The payment provider: its keys and addresses, and what is wrong with them. Keys are never repeated.

use std::net::IpAddr;

use clap::Args;
use url::Url;

use super::Hidden;

/// Flags and environment about payments.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings: payments")]
pub struct PaymentSettings {
    /// The secret key of the Stripe account that collects money, as sk_live_…; without it accounts pay by invoice
    /// only.
    #[arg(
        long,
        global = true,
        allow_hyphen_values = true,
        env = "STRIPE_SECRET_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub stripe_secret_key: Option<String>,
    /// The publishable key that goes with it, as pk_live_…
    #[arg(long, global = true, allow_hyphen_values = true, env = "STRIPE_PUBLISHABLE_KEY", value_name = "KEY")]
    pub stripe_publishable_key: Option<String>,
    /// The signing secret of the webhook at /webhooks/stripe, as whsec_…; without it webhooks are not taken.
    #[arg(
        long,
        global = true,
        allow_hyphen_values = true,
        env = "STRIPE_WEBHOOK_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub stripe_webhook_secret: Option<String>,
    /// Where the provider's interface is [default: https://api.stripe.com].
    #[arg(long, global = true, allow_hyphen_values = true, env = "STRIPE_API_URL", value_name = "URL")]
    pub stripe_api_url: Option<String>,
    /// The provider's script with the card fields [default: https://js.stripe.com/v3/].
    #[arg(long, global = true, allow_hyphen_values = true, env = "STRIPE_JS_URL", value_name = "URL")]
    pub stripe_js_url: Option<String>,
    /// Days for which nothing stops after a payment method failed or expired [default: 14].
    #[arg(long, global = true, allow_hyphen_values = true, env = "BILLING_GRACE_DAYS", value_name = "N")]
    pub billing_grace_days: Option<String>,
}

/// Payments as they were set up, checked.
#[derive(Debug, Clone)]
pub struct PaymentConfig {
    /// None: accounts pay by invoice only.
    pub provider: Option<ProviderConfig>,
    /// Days for which nothing stops after a payment method failed or expired.
    pub grace_days: i64,
}

#[derive(Debug, Clone)]
pub struct ProviderConfig {
    pub secret_key: Hidden,
    /// For the provider's script in the browser; no secret.
    pub publishable_key: String,
    /// None: webhooks are not taken.
    pub webhook_secret: Option<Hidden>,
    pub api_url: Url,
    pub js_url: Url,
}

const GRACE_DAYS: i64 = 14;
const MOST_GRACE_DAYS: i64 = 365;
const API: &str = "https://api.stripe.com";
const JS: &str = "https://js.stripe.com/v3/";

impl PaymentSettings {
    /// What is wrong is said; none of it where nothing was set.
    pub(super) fn check(&self, wrong: &mut Vec<String>) -> PaymentConfig {
        let given = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
        let (secret, publishable) = (given(&self.stripe_secret_key), given(&self.stripe_publishable_key));
        let webhook_secret = given(&self.stripe_webhook_secret);
        for (name, value, start) in [
            ("STRIPE_SECRET_KEY (--stripe-secret-key)", &secret, &["sk_", "rk_"][..]),
            ("STRIPE_PUBLISHABLE_KEY (--stripe-publishable-key)", &publishable, &["pk_"]),
            ("STRIPE_WEBHOOK_SECRET (--stripe-webhook-secret)", &webhook_secret, &["whsec_"]),
        ] {
            let fine = |text: &String| start.iter().any(|s| text.starts_with(s)) && text.bytes().all(is_key);
            if value.as_ref().is_some_and(|text| !fine(text)) {
                wrong
                    .push(format!("{name}: it must start with {} and go on in letters and digits", start.join(" or ")));
            }
        }
        let api_url = address("STRIPE_API_URL (--stripe-api-url)", given(&self.stripe_api_url), API, wrong);
        let js_url = address("STRIPE_JS_URL (--stripe-js-url)", given(&self.stripe_js_url), JS, wrong);
        let grace_days = match given(&self.billing_grace_days).map_or(Ok(GRACE_DAYS), |text| text.parse::<i64>()) {
            Ok(days) if (0..=MOST_GRACE_DAYS).contains(&days) => days,
            _ => {
                wrong.push(format!(
                    "BILLING_GRACE_DAYS (--billing-grace-days): it must be a whole number from 0 to {MOST_GRACE_DAYS}"
                ));
                GRACE_DAYS
            }
        };
        let provider = match (secret, publishable, api_url, js_url) {
            (Some(secret_key), Some(publishable_key), Some(api_url), Some(js_url)) => Some(ProviderConfig {
                secret_key: Hidden(secret_key),
                publishable_key,
                webhook_secret: webhook_secret.map(Hidden),
                api_url,
                js_url,
            }),
            (Some(_), None, ..) => {
                wrong.push("STRIPE_PUBLISHABLE_KEY (--stripe-publishable-key) is missing beside the secret key".into());
                None
            }
            (None, Some(_), ..) => {
                wrong.push("STRIPE_SECRET_KEY (--stripe-secret-key) is missing beside the publishable key".into());
                None
            }
            _ => None,
        };
        PaymentConfig { provider, grace_days }
    }
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Secrets go over https, or to this very machine.
pub(super) fn address(name: &str, given: Option<String>, default: &str, wrong: &mut Vec<String>) -> Option<Url> {
    let url = Url::parse(given.as_deref().unwrap_or(default)).ok().filter(|url| {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let near = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        (url.scheme() == "https" || (url.scheme() == "http" && near)) && url.username().is_empty() && !host.is_empty()
    });
    if url.is_none() {
        wrong.push(format!("{name}: it must be an https:// address, as {default}"));
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(change: impl FnOnce(&mut PaymentSettings)) -> (PaymentConfig, Vec<String>) {
        let mut settings = PaymentSettings {
            stripe_secret_key: Some("sk_test_12345".into()),
            stripe_publishable_key: Some("pk_test_12345".into()),
            ..PaymentSettings::default()
        };
        change(&mut settings);
        let mut wrong = Vec::new();
        (settings.check(&mut wrong), wrong)
    }

    #[test]
    fn without_keys_there_is_no_provider_and_nothing_is_wrong() {
        let mut wrong = Vec::new();
        let config = PaymentSettings::default().check(&mut wrong);
        assert!(config.provider.is_none() && wrong.is_empty() && config.grace_days == GRACE_DAYS);
        let (config, wrong) = checked(|_| ());
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(config.provider.expect("a provider").api_url.as_str(), "https://api.stripe.com/");
    }

    #[test]
    fn what_is_wrong_is_named_and_no_key_repeated() {
        type Change = fn(&mut PaymentSettings);
        let changes: [(&str, Change); 7] = [
            ("STRIPE_SECRET_KEY", |s| s.stripe_secret_key = None),
            ("STRIPE_SECRET_KEY", |s| s.stripe_secret_key = Some("pk_hunter2".into())),
            ("STRIPE_PUBLISHABLE_KEY", |s| s.stripe_publishable_key = Some("sk_hunter2".into())),
            ("STRIPE_WEBHOOK_SECRET", |s| s.stripe_webhook_secret = Some("hunter2".into())),
            ("STRIPE_API_URL", |s| s.stripe_api_url = Some("http://api.example.com".into())),
            ("STRIPE_JS_URL", |s| s.stripe_js_url = Some("js.stripe.com".into())),
            ("BILLING_GRACE_DAYS", |s| s.billing_grace_days = Some("many".into())),
        ];
        for (name, change) in changes {
            let wrong = checked(change).1.join("\n");
            assert!(wrong.contains(name) && !wrong.contains("hunter2"), "{name}: {wrong}");
        }
    }
}
