//! How an installation is run: the read replica beside the database, and the form of the log.

use clap::Args;

use super::DatabaseUrl;

/// Flags and environment about running it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings: operation")]
pub struct OperationSettings {
    /// postgres://… of a streaming replica of the database: lists and roll-ups that may be a second old are read there
    /// [default: none].
    #[arg(
        long,
        global = true,
        allow_hyphen_values = true,
        env = "DATABASE_REPLICA_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub database_replica_url: Option<String>,
    /// The form of the log on standard error: text, or json with one object to a line [default: text].
    #[arg(long, global = true, allow_hyphen_values = true, env = "LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<String>,
}

/// The same, checked.
#[derive(Debug, Clone, Default)]
pub struct OperationConfig {
    /// A standby of the database; none where there is no such.
    pub replica: Option<DatabaseUrl>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

impl OperationSettings {
    /// What is wrong is said, without the address, which may hold a password.
    pub(super) fn check(&self, database: Option<&DatabaseUrl>, wrong: &mut Vec<String>) -> OperationConfig {
        const NAME: &str = "DATABASE_REPLICA_URL (--database-replica-url)";
        if self.format().is_none() {
            wrong.push("LOG_FORMAT (--log-format) must be text or json".to_owned());
        }
        let given = self.database_replica_url.as_deref().filter(|url| !url.is_empty());
        let Some(given) = given else { return OperationConfig::default() };
        match (DatabaseUrl::parse(given), database) {
            (Ok(url), Some(database)) if url.is_postgres() && database.is_postgres() => {
                return OperationConfig { replica: Some(url) };
            }
            (_, Some(DatabaseUrl::Sqlite(_))) => {
                wrong.push(format!("{NAME} is set, but the database is an SQLite file, which has no replica"));
            }
            (Ok(url), None) if url.is_postgres() => {}
            _ => wrong.push(format!("{NAME} must be a postgres:// URL")),
        }
        OperationConfig::default()
    }

    /// The form of the log; none where there is no such form. Needed before anything else is checked.
    pub fn format(&self) -> Option<LogFormat> {
        match self.log_format.as_deref().unwrap_or_default() {
            "" | "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        }
    }
}
