//! The operator's provisioning system, which makes what is ordered, and the token for metrics: what is set, and what is
//! wrong with it. Secrets are never repeated.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use url::Url;

use super::Hidden;
use super::payments::address;

/// Flags and environment about provisioning.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings: provisioning")]
pub struct ProvisioningSettings {
    /// Where each order to the fabric is posted, signed as Standard Webhooks describe; without it orders wait.
    #[arg(long, global = true, allow_hyphen_values = true, env = "PROVISIONING_URL", value_name = "URL")]
    pub provisioning_url: Option<String>,
    /// The secret that signs orders and the answers to /provisioning/callbacks, as whsec_ and base64 of 24 to 64 bytes;
    /// two with a comma while it is being changed.
    #[arg(
        long,
        global = true,
        allow_hyphen_values = true,
        env = "PROVISIONING_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub provisioning_secret: Option<String>,
    /// Seconds that the provisioning system may take to answer [default: 15].
    #[arg(long, global = true, allow_hyphen_values = true, env = "PROVISIONING_TIMEOUT", value_name = "N")]
    pub provisioning_timeout: Option<String>,
    /// The bearer token with which /metrics may be read, of 16 characters or more; without it there are no metrics.
    #[arg(
        long,
        global = true,
        allow_hyphen_values = true,
        env = "METRICS_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub metrics_token: Option<String>,
}

/// A secret of Standard Webhooks that no log shows.
#[derive(Clone)]
pub struct SigningKey(pub Vec<u8>);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Provisioning as it was set up, checked.
#[derive(Debug, Clone)]
pub struct ProvisioningConfig {
    /// None: orders wait.
    pub system: Option<SystemConfig>,
    /// None: there are no metrics.
    pub metrics_token: Option<Hidden>,
}

#[derive(Debug, Clone)]
pub struct SystemConfig {
    pub url: Url,
    /// One, or two while it is being changed.
    pub keys: Vec<SigningKey>,
    pub timeout: Duration,
}

const TIMEOUT: i64 = 15;
const LONGEST_TIMEOUT: i64 = 120;
const SHORTEST_TOKEN: usize = 16;
const EXAMPLE: &str = "https://provisioning.example.com/orders";

impl ProvisioningSettings {
    /// What is wrong is said; none of it where nothing was set.
    pub(super) fn check(&self, wrong: &mut Vec<String>) -> ProvisioningConfig {
        let given = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
        let named = given(&self.provisioning_url);
        let url = named
            .is_some()
            .then(|| address("PROVISIONING_URL (--provisioning-url)", named.clone(), EXAMPLE, wrong))
            .flatten();
        let secret = given(&self.provisioning_secret);
        let keys = secret.as_deref().map(keys);
        if keys.as_ref().is_some_and(Option::is_none) {
            wrong.push(
                "PROVISIONING_SECRET (--provisioning-secret): it must be whsec_ and base64 of 24 to 64 bytes, or two of \
                 these with a comma"
                    .to_owned(),
            );
        }
        match (&named, &secret) {
            (Some(_), None) => {
                wrong.push("PROVISIONING_SECRET (--provisioning-secret) is missing beside the address".to_owned());
            }
            (None, Some(_)) => {
                wrong.push("PROVISIONING_URL (--provisioning-url) is missing beside the secret".to_owned());
            }
            _ => {}
        }
        let timeout = self.timeout(wrong);
        let metrics_token = given(&self.metrics_token);
        if metrics_token.as_ref().is_some_and(|token| token.chars().count() < SHORTEST_TOKEN) {
            wrong.push(format!("METRICS_TOKEN (--metrics-token) must have {SHORTEST_TOKEN} characters or more"));
        }
        let system = url.zip(keys.flatten()).map(|(url, keys)| SystemConfig { url, keys, timeout });
        ProvisioningConfig { system, metrics_token: metrics_token.map(Hidden) }
    }

    fn timeout(&self, wrong: &mut Vec<String>) -> Duration {
        let text = self.provisioning_timeout.as_deref().filter(|text| !text.is_empty());
        match text.map_or(Ok(TIMEOUT), str::parse::<i64>) {
            Ok(seconds) if (1..=LONGEST_TIMEOUT).contains(&seconds) => Duration::from_secs(seconds.unsigned_abs()),
            _ => {
                wrong.push(format!(
                    "PROVISIONING_TIMEOUT (--provisioning-timeout): it must be a whole number from 1 to {LONGEST_TIMEOUT}"
                ));
                Duration::from_secs(TIMEOUT.unsigned_abs())
            }
        }
    }
}

/// The secrets; None when one of them is none, or there are too many.
fn keys(text: &str) -> Option<Vec<SigningKey>> {
    let key = |part: &str| {
        let bytes = STANDARD.decode(part.trim().strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&bytes.len()).then_some(SigningKey(bytes))
    };
    let keys: Vec<SigningKey> = text.split(',').map(key).collect::<Option<_>>()?;
    (1..=2).contains(&keys.len()).then_some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn checked(change: impl FnOnce(&mut ProvisioningSettings)) -> (ProvisioningConfig, Vec<String>) {
        let mut settings = ProvisioningSettings {
            provisioning_url: Some("https://fabric.example.com/orders".into()),
            provisioning_secret: Some(SECRET.into()),
            ..ProvisioningSettings::default()
        };
        change(&mut settings);
        let mut wrong = Vec::new();
        (settings.check(&mut wrong), wrong)
    }

    #[test]
    fn without_an_address_there_is_no_system_and_nothing_is_wrong() {
        let mut wrong = Vec::new();
        let config = ProvisioningSettings::default().check(&mut wrong);
        assert!(config.system.is_none() && config.metrics_token.is_none() && wrong.is_empty());
        let (config, wrong) = checked(|s| s.provisioning_secret = Some(format!("{SECRET},{SECRET}")));
        let system = config.system.expect("a system");
        assert!(wrong.is_empty() && system.keys.len() == 2 && system.timeout == Duration::from_secs(15), "{wrong:?}");
        assert!(!format!("{system:?}").contains("MfKQ"));
    }

    #[test]
    fn what_is_wrong_is_named_and_no_secret_repeated() {
        type Change = fn(&mut ProvisioningSettings);
        let changes: [(&str, Change); 8] = [
            ("PROVISIONING_SECRET", |s| s.provisioning_secret = None),
            ("PROVISIONING_SECRET", |s| s.provisioning_secret = Some("hunter2".into())),
            ("PROVISIONING_SECRET", |s| s.provisioning_secret = Some("whsec_aHVudGVyMg==".into())),
            ("PROVISIONING_SECRET", |s| s.provisioning_secret = Some([SECRET, SECRET, SECRET].join(","))),
            ("PROVISIONING_URL", |s| s.provisioning_url = None),
            ("PROVISIONING_URL", |s| s.provisioning_url = Some("http://fabric.example.com".into())),
            ("PROVISIONING_TIMEOUT", |s| s.provisioning_timeout = Some("never".into())),
            ("METRICS_TOKEN", |s| s.metrics_token = Some("hunter2".into())),
        ];
        for (name, change) in changes {
            let wrong = checked(change).1.join("\n");
            assert!(wrong.contains(name) && !wrong.contains("hunter2"), "{name}: {wrong}");
        }
    }
}
