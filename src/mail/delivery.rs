//! Sending what is due. Each mail is claimed in a short transaction, sent without one, and its end written down in
//! another, so that any number of processes may do this at once and none holds the database while a server thinks.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use chrono::NaiveDateTime;
use lettre::transport::smtp::Error as SmtpError;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::message::message;
use super::outbox::{self, Claimed, Outcome};
use crate::config::Config;
use crate::problem::Problem;
use crate::store::{self as database, Pool};

/// How long a server may take for one step.
const PATIENCE: Duration = Duration::from_secs(30);
/// And for a whole mail; less than a claim holds.
const LONGEST: Duration = Duration::from_secs(120);
const AT_ONCE: i64 = 50;

/// What carries mail away.
pub struct Carrier {
    config: Config,
    smtp: Option<AsyncSmtpTransport<Tokio1Executor>>,
}

impl Carrier {
    /// As the settings say; nothing is connected yet.
    pub fn new(config: &Config) -> anyhow::Result<Carrier> {
        let build = |url: &url::Url| {
            let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str());
            builder.map(|builder| builder.timeout(Some(PATIENCE)).build())
        };
        let smtp = config.mail.smtp_url.as_ref().map(build).transpose();
        let smtp = smtp.map_err(|error| anyhow::anyhow!("SMTP_URL (--smtp-url): {error}"))?;
        Ok(Carrier { config: config.clone(), smtp })
    }

    /// Whether the server could not be spoken to at all comes second: then no other mail would fare better.
    async fn carry(&self, mail: &Claimed) -> (Outcome, bool) {
        let unreadable = || anyhow::anyhow!("the letter cannot be read");
        let letter = mail.letter.as_ref().ok_or_else(unreadable);
        let message = match letter.and_then(|letter| message(&self.config, &mail.id, mail.posted_at, letter)) {
            Ok(message) => message,
            Err(why) => return (Outcome::Never(words(&format!("{why:#}"))), false),
        };
        let Some(smtp) = &self.smtp else {
            let kept = keep(&self.config.mail.folder, &mail.id, mail.posted_at, &message);
            return match kept {
                Ok(()) => (Outcome::Kept, false),
                Err(error) => (Outcome::Later(words(&format!("the folder for mails: {error}"))), true),
            };
        };
        match tokio::time::timeout(LONGEST, smtp.send(message)).await {
            Ok(Ok(_)) => (Outcome::Sent, false),
            Ok(Err(error)) => refused(&error),
            Err(_) => (Outcome::Later("the mail server did not answer in time".to_owned()), true),
        }
    }
}

/// What the server's refusal means for this mail.
fn refused(error: &SmtpError) -> (Outcome, bool) {
    let why = words(&error.to_string());
    let code = error.status().map(u16::from);
    // A wrong password, or a server that wants one, is nothing that is wrong with the mail.
    let ours = matches!(code, Some(530 | 534 | 535 | 538));
    if error.is_permanent() && !ours {
        return (Outcome::Never(why), false);
    }
    let away = ours || code == Some(421) || (code.is_none() && !error.is_client());
    (Outcome::Later(why), away)
}

/// One short line for the table.
fn words(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(300)
        .collect()
}

/// Writes the message into the folder, for its owner alone. A second time it replaces the first.
fn keep(folder: &Path, id: &str, at: NaiveDateTime, message: &Message) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let name = format!("{}-{id}.eml", at.format("%Y%m%dT%H%M%S"));
    let half = folder.join(format!(".{name}.part"));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
    file.write_all(&message.formatted())?;
    file.sync_all()?;
    fs::rename(&half, folder.join(name))
}

/// Sends what is due; answers how many mails were tried. Stops early when there is nobody to give them to.
pub async fn deliver_due(pool: &Pool, carrier: &Carrier) -> Result<usize, Problem> {
    let mut tried = 0;
    loop {
        let due = pool.read_long(|db| outbox::due(db, AT_ONCE)).await?;
        if due.is_empty() {
            return Ok(tried);
        }
        for key in due {
            let claimed = pool.write(move |db| database::write(db, |db| outbox::claim(db, key))).await?;
            let Some(mail) = claimed else { continue };
            let (outcome, away) = carrier.carry(&mail).await;
            if let Outcome::Later(why) | Outcome::Never(why) = &outcome {
                tracing::warn!(mail = %mail.id, %why, "a mail was not taken");
            }
            pool.write(move |db| database::write(db, |db| outbox::settle(db, &mail, &outcome))).await?;
            tried += 1;
            if away {
                return Ok(tried);
            }
        }
    }
}
