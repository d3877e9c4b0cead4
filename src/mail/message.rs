//! A letter as a message: headers, plain text and HTML. What people typed reaches headers only through lettre, which
//! encodes it.

use askama::Template;
use chrono::NaiveDateTime;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};

use super::Letter;
use super::wrap::wrapped;
use crate::config::Config;
use crate::web::shell::PRODUCT;

#[derive(Template)]
#[template(path = "mail/letter.txt")]
struct PlainText<'a> {
    letter: &'a Letter,
    opening: Vec<String>,
    closing: Vec<String>,
    action: &'a Option<(String, String)>,
    reason: String,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Html<'a> {
    letter: &'a Letter,
    /// What lists of mail show beside the subject.
    preview: &'a str,
    action: &'a Option<(String, String)>,
    reason: &'a str,
    product: &'a str,
    origin: &'a str,
}

/// Says to other machines that nobody waits for an answer (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<AutoSubmitted, Box<dyn std::error::Error + Send + Sync>> {
        Ok(AutoSubmitted)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(AutoSubmitted::name(), "auto-generated".to_owned())
    }
}

/// The message to send; an error when nothing can be sent to that address, ever.
pub(super) fn message(config: &Config, id: &str, at: NaiveDateTime, letter: &Letter) -> anyhow::Result<Message> {
    let (origin, from) = (config.origin(), &config.mail.from);
    let action = letter.action.as_ref().map(|(words, address)| (words.clone(), full(&origin, address)));
    let text = PlainText {
        letter,
        opening: letter.opening.iter().map(|text| wrapped(text)).collect(),
        closing: letter.closing.iter().map(|text| wrapped(text)).collect(),
        action: &action,
        reason: wrapped(&format!("{} Sent by {PRODUCT} at {origin}.", letter.kind.reason())),
    };
    let html = Html {
        letter,
        preview: letter.opening.first().map_or("", String::as_str),
        action: &action,
        reason: letter.kind.reason(),
        product: PRODUCT,
        origin: &origin,
    };
    let message = Message::builder()
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .date(at.and_utc().into())
        .from(from.clone())
        .to(Mailbox::new(None, letter.to.parse::<Address>()?))
        .subject(one_line(&letter.subject))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(text.render()?, html.render()?))?;
    Ok(message)
}

fn full(origin: &str, address: &str) -> String {
    if address.starts_with('/') { format!("{origin}{address}") } else { address.to_owned() }
}

/// Breaks and the like become blanks.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
