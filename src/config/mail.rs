//! How mail leaves: the settings, and what is wrong with them. A password in them is never repeated.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use lettre::message::Mailbox;
use url::{Host, Url};

use super::DatabaseUrl;

/// Flags and environment about mail.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings: mail")]
pub struct MailSettings {
    /// The server that takes mail, as smtps://user:password@mail.example.com, or smtp://…?tls=required for STARTTLS.
    /// Without it mails are kept as files.
    #[arg(
        long,
        global = true,
        allow_hyphen_values = true,
        env = "SMTP_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub smtp_url: Option<String>,
    /// Whom mails come from [default: noreply@ the host of the public URL].
    #[arg(long, global = true, allow_hyphen_values = true, env = "MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,
    /// The folder for mails where there is no SMTP_URL [default: mails, beside the SQLite file].
    #[arg(long, global = true, allow_hyphen_values = true, env = "MAIL_DIR", value_name = "FOLDER")]
    pub mail_dir: Option<String>,
}

/// How mail leaves, checked.
#[derive(Clone)]
pub struct MailConfig {
    /// Where mail is sent through; none: it is kept in `folder`.
    pub smtp_url: Option<Url>,
    pub from: Mailbox,
    pub folder: PathBuf,
}

impl fmt::Debug for MailConfig {
    /// The URL may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.smtp_url.as_ref().and_then(Url::host_str);
        f.debug_struct("MailConfig").field("smtp", &host).field("from", &self.from).finish_non_exhaustive()
    }
}

impl MailSettings {
    /// What is wrong is said; none where something else that this depends on is wrong.
    pub(super) fn check(
        &self,
        database: Option<&DatabaseUrl>,
        public: Option<&Url>,
        wrong: &mut Vec<String>,
    ) -> Option<MailConfig> {
        let smtp_url = self.smtp_url.as_deref().filter(|text| !text.is_empty()).map(smtp_url);
        let smtp_url = smtp_url.transpose().unwrap_or_else(|why| {
            wrong.push(format!("SMTP_URL (--smtp-url): {why}"));
            None
        });
        let from = match &self.mail_from {
            Some(text) => text.parse().ok(),
            None => public.and_then(sender),
        };
        if let (None, Some(text)) = (&from, &self.mail_from) {
            wrong.push(format!("MAIL_FROM (--mail-from) is {text:?}: it must be an address, as noreply@example.com"));
        }
        let folder = match &self.mail_dir {
            Some(folder) => PathBuf::from(folder),
            None => database?.folder().join("mails"),
        };
        if folder.as_os_str().is_empty() || folder.is_file() {
            wrong.push(format!("MAIL_DIR (--mail-dir) is {:?}: it must be a folder", folder.display()));
        }
        let Mailbox { name, email } = from?;
        let from = Mailbox::new(name.or_else(|| Some("Subtenant".to_owned())), email);
        Some(MailConfig { smtp_url, from, folder })
    }
}

/// Where nobody is named, mail comes from the console's own host.
fn sender(public: &Url) -> Option<Mailbox> {
    match public.host() {
        Some(Host::Domain(name)) => format!("noreply@{name}").parse().ok(),
        _ => "noreply@localhost".parse().ok(),
    }
}

/// The URL of a mail server; why not, without repeating it.
fn smtp_url(text: &str) -> Result<Url, String> {
    let shape = "it must be smtp:// or smtps:// and a host, as smtps://user:password@mail.example.com";
    let url = Url::parse(text).map_err(|_| shape)?;
    let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    let encrypted = url.scheme() == "smtps" || tls.as_deref() == Some("required");
    if !matches!(url.scheme(), "smtp" | "smtps") || url.host_str().is_none_or(str::is_empty) {
        return Err(shape.to_owned());
    }
    if tls.is_some_and(|tls| tls != "required" && tls != "opportunistic") {
        return Err("?tls= must be required or opportunistic".to_owned());
    }
    // Schemes that `url` does not know keep an IP address as a name.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let near = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if url.password().is_some() && !encrypted && !near {
        return Err("it would send the password in the clear: use smtps://, or add ?tls=required".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_sent_in_the_clear() {
        for fine in [
            "smtps://me:secret@mail.example.com",
            "smtp://me:secret@mail.example.com:587?tls=required",
            "smtp://relay.example.com",
            "smtp://me:secret@127.0.0.1:2525",
            "smtp://me:secret@[::1]:2525",
            "smtp://localhost",
        ] {
            assert!(smtp_url(fine).is_ok(), "{fine}");
        }
        for bad in [
            "smtp://me:secret@mail.example.com",
            "smtp://me:secret@mail.example.com?tls=opportunistic",
            "smtp://mail.example.com?tls=never",
            "mail.example.com",
            "https://mail.example.com",
            "smtp://",
        ] {
            let why = smtp_url(bad).expect_err(bad);
            assert!(!why.contains("secret"), "{why}");
        }
    }

    #[test]
    fn the_sender_is_the_product_at_the_public_host_unless_it_is_set() {
        let from = |from: Option<&str>, public: &str| {
            let settings = MailSettings { mail_from: from.map(str::to_owned), ..MailSettings::default() };
            let (database, public) = (DatabaseUrl::Sqlite("x/y.db".into()), Url::parse(public).unwrap());
            let config = settings.check(Some(&database), Some(&public), &mut Vec::new()).unwrap();
            (config.from.to_string(), config.folder.display().to_string())
        };
        let expected = |from: &str| (from.to_owned(), "x/mails".to_owned());
        let named = "Subtenant <noreply@console.example.com>";
        assert_eq!(from(None, "https://console.example.com"), expected(named));
        assert_eq!(from(None, "http://127.0.0.1:8080"), expected("Subtenant <noreply@localhost>"));
        let own = "Northwind <it@northwind.example>";
        assert_eq!(from(Some(own), "http://x"), expected(own));
    }
}
