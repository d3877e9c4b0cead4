//! What those who invite people are told where mail does not arrive.

use super::outbox;
use crate::access::Frame;
use crate::access::policy::CreateMembers;
use crate::config::Config;
use crate::problem::Problem;
use crate::store::Db;
use crate::text;

/// Failures are told for so long.
const DAYS: i64 = 7;

/// One sentence or two for somebody who may invite people here; none when all is well.
pub fn notice(db: &mut Db, config: &Config, frame: &Frame) -> Result<Option<String>, Problem> {
    if !frame.may::<CreateMembers>() {
        return Ok(None);
    }
    if config.mail.smtp_url.is_none() {
        let kept = "Mails are not sent: no mail server is set, so they are kept as files on the server. Whoever runs \
                    this console sets SMTP_URL; until then pass links on yourself.";
        return Ok(Some(kept.to_owned()));
    }
    let (failed, waiting) = outbox::troubles(db, frame.account().key, DAYS)?;
    let mut sentences = Vec::new();
    if failed > 0 {
        let what = text::count(failed, "mail of this account was", "mails of this account were");
        sentences.push(format!("{what} refused in the last {DAYS} days. Check the addresses and send them again."));
    }
    if waiting > 0 {
        let what = text::count(waiting, "mail is", "mails are");
        sentences.push(format!("{what} waiting because the mail server did not take them; they are tried again."));
    }
    Ok((!sentences.is_empty()).then(|| sentences.join(" ")))
}
