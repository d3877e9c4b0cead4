//! Flags and environment, read once into [`Config`], with every complaint at once and by name.

mod mail;
mod operation;
mod payments;
mod provisioning;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args;
use ipnet::IpNet;
use url::Url;

pub use mail::{MailConfig, MailSettings};
pub use operation::{LogFormat, OperationConfig, OperationSettings};
pub use payments::{PaymentConfig, PaymentSettings, ProviderConfig};
pub use provisioning::{ProvisioningConfig, ProvisioningSettings, SigningKey, SystemConfig};

/// What can be set, as flags or in the environment. Everything is text here, so that all mistakes are found together.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings, of every command")]
pub struct Settings {
    /// Address and port to listen on.
    #[arg(
        long,
        global = true,
        allow_hyphen_values = true,
        env = "BIND",
        default_value = "127.0.0.1:8080",
        value_name = "ADDR"
    )]
    pub bind: String,
    /// postgres://… or the path of an SQLite file, made when missing [default: subtenant.db].
    #[arg(long, global = true, allow_hyphen_values = true, env = "DATABASE_URL", value_name = "URL")]
    pub database_url: Option<String>,
    /// The address people type, as https://console.example.com: decides links, cookie flags and HSTS
    /// [default: the bind address over http].
    #[arg(long, global = true, allow_hyphen_values = true, env = "PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Proxies whose X-Forwarded-For is believed: addresses or networks, comma-separated [default: none].
    #[arg(long, global = true, allow_hyphen_values = true, env = "TRUSTED_PROXIES", value_name = "NETS")]
    pub trusted_proxies: Option<String>,
    /// A secret of 32 characters or more that seals what is stored of second factors; the same for every instance
    /// [default: one that the database keeps].
    #[arg(
        long,
        global = true,
        allow_hyphen_values = true,
        env = "SECRET_KEY",
        hide_env_values = true,
        value_name = "TEXT"
    )]
    pub secret_key: Option<String>,
    /// How many levels a tree of accounts may have.
    #[arg(
        long,
        global = true,
        allow_hyphen_values = true,
        env = "MAX_DEPTH",
        default_value = "1000",
        value_name = "N"
    )]
    pub max_depth: String,
    /// Connections to the database for reading.
    #[arg(
        long,
        global = true,
        allow_hyphen_values = true,
        env = "DATABASE_CONNECTIONS",
        default_value = "16",
        value_name = "N"
    )]
    pub database_connections: String,
    #[command(flatten)]
    pub mail: MailSettings,
    #[command(flatten)]
    pub payments: PaymentSettings,
    #[command(flatten)]
    pub provisioning: ProvisioningSettings,
    #[command(flatten)]
    pub operation: OperationSettings,
}

const SHORTEST_SECRET: usize = 32;

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// The path of a file, made when missing.
    Sqlite(String),
    Postgres(String),
}

impl DatabaseUrl {
    /// A `postgres://` URL, or the path of an SQLite file with or without `sqlite:`.
    pub fn parse(text: &str) -> Result<DatabaseUrl, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(DatabaseUrl::Postgres(text.to_owned()));
        }
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).unwrap_or(text);
        if path.is_empty() || path.contains("://") || path.contains('\0') {
            return Err("it is neither a postgres:// URL nor the path of an SQLite file".to_owned());
        }
        Ok(DatabaseUrl::Sqlite(path.to_owned()))
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self, DatabaseUrl::Postgres(_))
    }

    /// The folder for what is kept beside the data: the SQLite file's, else the working directory.
    fn folder(&self) -> PathBuf {
        match self {
            DatabaseUrl::Sqlite(path) => Path::new(path).parent().map(Path::to_owned).unwrap_or_default(),
            DatabaseUrl::Postgres(_) => PathBuf::new(),
        }
    }
}

/// A text that no log shows.
#[derive(Clone)]
pub struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Settings that were found to be right.
#[derive(Debug, Clone)]
pub struct Config {
    pub bind: SocketAddr,
    pub database_url: DatabaseUrl,
    pub public_url: Url,
    pub trusted_proxies: Vec<IpNet>,
    /// Seals secrets, where the operator keeps it and not the database.
    pub secret_key: Option<Hidden>,
    pub max_depth: i64,
    pub database_connections: u32,
    /// Links, cookies and HSTS as for https.
    pub https: bool,
    pub mail: MailConfig,
    pub payments: PaymentConfig,
    pub provisioning: ProvisioningConfig,
    pub operation: OperationConfig,
    /// Nothing here is real, and every page says so.
    pub demo: bool,
}

impl Settings {
    /// All settings checked; the error lists every wrong one.
    pub fn check(&self, default_database: &str) -> Result<Config, Vec<String>> {
        let mut wrong = Vec::new();
        let bind = self.bind.parse::<SocketAddr>().ok();
        if bind.is_none() {
            wrong
                .push(format!("BIND (--bind) is {:?}: it must be an address and a port, as 127.0.0.1:8080", self.bind));
        }
        let database = self.database_url.as_deref().unwrap_or(default_database);
        let database_url = match DatabaseUrl::parse(database) {
            Ok(url) => Some(url),
            Err(why) => {
                wrong.push(format!("DATABASE_URL (--database-url): {why}"));
                None
            }
        };
        let fallback = format!("http://{}", self.bind);
        let public = self.public_url.as_deref().unwrap_or(&fallback);
        let public_url = Url::parse(public).ok().filter(is_public);
        if public_url.is_none() && (self.public_url.is_some() || bind.is_some()) {
            wrong.push(format!(
                "PUBLIC_URL (--public-url) is {public:?}: it must be http:// or https:// and a host, without a path"
            ));
        }
        let trusted_proxies = self.proxies().unwrap_or_else(|bad| {
            wrong.push(format!("TRUSTED_PROXIES (--trusted-proxies): {bad:?} is neither an address nor a network"));
            Vec::new()
        });
        let secret_key = self.secret_key.clone().filter(|key| !key.is_empty());
        if secret_key.as_ref().is_some_and(|key| key.chars().count() < SHORTEST_SECRET) {
            wrong.push(format!("SECRET_KEY (--secret-key) must have {SHORTEST_SECRET} characters or more"));
        }
        let max_depth = self.number("MAX_DEPTH (--max-depth)", &self.max_depth, 1, 10_000, &mut wrong);
        let database_connections = self.number(
            "DATABASE_CONNECTIONS (--database-connections)",
            &self.database_connections,
            1,
            1_000,
            &mut wrong,
        );
        let mail = self.mail.check(database_url.as_ref(), public_url.as_ref(), &mut wrong);
        let payments = self.payments.check(&mut wrong);
        let provisioning = self.provisioning.check(&mut wrong);
        let operation = self.operation.check(database_url.as_ref(), &mut wrong);
        match (bind, database_url, public_url, mail) {
            (Some(bind), Some(database_url), Some(public_url), Some(mail)) if wrong.is_empty() => Ok(Config {
                bind,
                database_url,
                https: public_url.scheme() == "https",
                public_url,
                trusted_proxies,
                secret_key: secret_key.map(Hidden),
                max_depth,
                mail,
                payments,
                provisioning,
                operation,
                demo: false,
                database_connections: u32::try_from(database_connections).unwrap_or(16),
            }),
            _ => Err(wrong),
        }
    }

    fn proxies(&self) -> Result<Vec<IpNet>, String> {
        let list = self.trusted_proxies.as_deref().unwrap_or("");
        list.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| {
                let single = part.parse::<IpAddr>().map(IpNet::from);
                single.or_else(|_| part.parse::<IpNet>()).map_err(|_| part.to_owned())
            })
            .collect()
    }

    fn number(&self, name: &str, text: &str, least: i64, most: i64, wrong: &mut Vec<String>) -> i64 {
        match text.parse::<i64>() {
            Ok(n) if (least..=most).contains(&n) => n,
            _ => {
                wrong.push(format!("{name} is {text:?}: it must be a whole number from {least} to {most}"));
                least
            }
        }
    }
}

fn is_public(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.username().is_empty()
}

impl Config {
    /// `https://console.example.com`, without the slash.
    pub fn origin(&self) -> String {
        self.public_url.origin().ascii_serialization()
    }
}

#[cfg(test)]
#[path = "config/config_tests.rs"]
mod tests;
