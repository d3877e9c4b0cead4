//! Forms: what was sent is kept and shown again, what is wrong is said at its field, and nothing reaches an operation
//! unchecked. Also the token that proves a form came from one of our pages.

use std::collections::BTreeMap;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;

use super::multipart;
use super::token::token_matches;
use crate::ids;
use crate::problem::{Errors, Problem};
use crate::text;

/// The largest body that is read, in bytes. Larger than any form of ours, so that what was typed can be shown again
/// even when it is far too long.
pub const LARGEST_BODY: usize = 2 * 1024 * 1024;

/// Fields that every form of ours carries besides its own.
pub mod hidden {
    pub const TOKEN: &str = "_token";
    pub const KEY: &str = "_key";
    pub const ACCOUNT: &str = "_account";
    pub const VERSION: &str = "_version";
    pub const ALL: [&str; 4] = [TOKEN, KEY, ACCOUNT, VERSION];
}

/// The longest body, in bytes, that is kept while somebody signs in again.
pub(super) const LONGEST_KEPT: usize = 64 * 1024;

/// Fields that are read of one form; no form of ours has nearly as many.
const MOST_FIELDS: usize = 200;

/// Fields whose values are never stored, not even hashed: neither kept over a sign-in nor in what tells two forms apart.
const SECRETS: [&str; 8] = [
    hidden::TOKEN,
    "password",
    "current",
    "new_password",
    "code",
    "credential",
    "pre_shared_key",
    "second_pre_shared_key",
];

/// A body as it came in. Opened by a handler only after its access check, so that a stranger learns nothing from it.
#[derive(Debug, Clone)]
pub struct Sent {
    body: Bytes,
    kind: String,
}

impl FromRequest for Sent {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Sent, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = req.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let kind = kind.to_owned();
        let body = Bytes::from_request(req, payload);
        Box::pin(async move {
            let body = body.await.map_err(|error| match error.as_error::<PayloadError>() {
                Some(PayloadError::Overflow) => Problem::TooLarge,
                _ => Problem::Malformed("The form did not arrive whole."),
            })?;
            Ok(Sent { body, kind })
        })
    }
}

/// As most forms are sent.
const FORM: &str = "application/x-www-form-urlencoded";

impl Sent {
    /// For pages whose form carries a file: it may come in parts, and is read like every other from here on.
    pub fn with_file(self) -> Result<Sent, Problem> {
        let Some(boundary) = multipart::boundary(&self.kind) else { return Ok(self) };
        Ok(Sent { body: multipart::as_form(self.body, &boundary)?, kind: FORM.to_owned() })
    }

    /// Reads the form. `secret`: the session's; `account`: the id in the address, which a form of that account
    /// repeats; `fields`: every name the form may carry. Unknown and repeated fields become errors of the form, so
    /// that what was typed is kept.
    pub fn open(self, secret: &str, account: Option<&str>, fields: &[&str]) -> Result<Form, Problem> {
        if self.kind.split(';').next().is_none_or(|kind| kind.trim() != FORM) {
            return Err(Problem::Malformed("Forms are sent as application/x-www-form-urlencoded."));
        }
        let mut form = Form { digest: ids::sha256_hex(&without_secrets(&self.body)), ..Form::default() };
        for (n, (name, value)) in url::form_urlencoded::parse(&self.body).enumerate() {
            if n >= MOST_FIELDS {
                return Err(Problem::Malformed("The form has more fields than any page of this console."));
            }
            if !fields.contains(&name.as_ref()) && !hidden::ALL.contains(&name.as_ref()) {
                form.oddities.add("", "The form has a field that this page does not know. Nothing was saved.");
            } else if form.values.contains_key(name.as_ref()) {
                let shown: String = name.chars().take(40).collect();
                form.oddities.add("", format!("The form has the field “{shown}” twice. Nothing was saved."));
            } else {
                form.values.insert(name.into_owned(), value.into_owned());
            }
        }
        if !token_matches(form.value(hidden::TOKEN), secret) {
            return Err(Problem::CrossSite);
        }
        if account.is_some_and(|id| form.values.get(hidden::ACCOUNT).is_some_and(|sent| sent != id)) {
            return Err(Problem::Malformed("The form names another account than the address."));
        }
        Ok(form)
    }
}

/// The token differs from page to page, so it does not tell two forms apart; a password is nobody's to keep.
pub(super) fn without_secrets(body: &[u8]) -> Vec<u8> {
    let name = |part: &[u8]| url::form_urlencoded::parse(part).next().map(|(name, _)| name.into_owned());
    let parts = body.split(|b| *b == b'&').filter(|part| name(part).is_none_or(|n| !SECRETS.contains(&n.as_str())));
    parts.collect::<Vec<_>>().join(&b'&')
}

/// A form that came from a page of ours.
#[derive(Debug, Clone, Default)]
pub struct Form {
    values: BTreeMap<String, String>,
    oddities: Errors,
    digest: String,
}

/// What makes the same form sent twice recognisable.
#[derive(Debug, Clone)]
pub struct Receipt {
    pub key: String,
    pub digest: String,
}

impl Form {
    /// Values that came in another way, to be checked by the same rules.
    pub fn of<'a>(values: impl IntoIterator<Item = (&'a str, String)>) -> Form {
        Form { values: values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), ..Form::default() }
    }

    /// The fields of a body that was kept over a sign-in.
    pub fn restored(body: &str) -> Form {
        let pairs = url::form_urlencoded::parse(body.as_bytes()).into_owned();
        Form { values: pairs.filter(|(name, _)| name != hidden::TOKEN).collect(), ..Form::default() }
    }

    pub fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// The row version that the page showed; 0, which no row has, when the field is missing or no number.
    pub fn version(&self) -> i64 {
        self.value(hidden::VERSION).parse().unwrap_or(0)
    }

    /// NotFound-proof: a form without a key counts as a form of its own each time.
    pub fn receipt(&self) -> Receipt {
        let sent = self.value(hidden::KEY);
        Receipt {
            key: if ids::looks_like_token(sent) { sent.to_owned() } else { ids::token() },
            digest: self.digest.clone(),
        }
    }

    pub fn check(&self) -> Check<'_> {
        Check { form: self, errors: self.oddities.clone() }
    }

    /// What the page shows again.
    pub fn filled(&self, errors: Errors) -> Filled {
        Filled { values: self.values.clone(), errors, key: ids::token() }
    }
}

/// A form as a page shows it: values, messages, and the key that makes a second sending harmless.
#[derive(Debug, Clone, Default)]
pub struct Filled {
    values: BTreeMap<String, String>,
    pub errors: Errors,
    pub key: String,
}

impl Filled {
    /// A form with these values and nothing wrong.
    pub fn with<const N: usize>(values: [(&str, &str); N]) -> Filled {
        Filled {
            values: values.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            errors: Errors::default(),
            key: ids::token(),
        }
    }

    pub fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    pub fn is(&self, name: &str, value: &str) -> bool {
        self.values.get(name).is_some_and(|v| v == value)
    }

    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.get(name)
    }

    pub fn failed(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Takes back what may not be shown again.
    pub fn forget(&mut self, name: &str) {
        self.values.remove(name);
    }

    /// Each field with its value.
    pub fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Puts in what the page adds.
    pub fn set(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    /// The row version the form goes back with.
    pub fn set_version(&mut self, version: i64) {
        self.values.insert(hidden::VERSION.to_owned(), version.to_string());
    }

    pub fn version(&self) -> &str {
        self.value(hidden::VERSION)
    }
}

/// Checks fields one by one and collects every complaint.
pub struct Check<'a> {
    form: &'a Form,
    pub errors: Errors,
}

/// Characters that change the direction of the text around them, and could make one name look like another.
fn is_bidi_mark(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Why a text cannot be taken, if so. `label` opens the sentence.
fn refusal(label: &str, value: &str, least: usize, most: usize, lines: bool) -> Option<String> {
    if value.is_empty() && least > 0 {
        return Some(format!("Enter {}", article(label)));
    }
    if value.chars().any(|c| c.is_control() && !(lines && (c == '\n' || c == '\t'))) {
        return Some(format!("{label} must not contain control characters"));
    }
    if value.chars().any(is_bidi_mark) {
        return Some(format!("{label} must not contain invisible marks that change the direction of text"));
    }
    if value.contains('\u{FFFD}') {
        return Some(format!("{label} contains characters that could not be read"));
    }
    let length = value.chars().count();
    if length > most {
        return Some(format!("{label} must be {most} characters or fewer; it has {length}"));
    }
    (length < least).then(|| format!("{label} must be at least {least} characters"))
}

fn article(label: &str) -> String {
    let lower = label.to_lowercase();
    let an = lower.starts_with(['a', 'e', 'i', 'o']) || lower.starts_with("mfa");
    format!("{} {lower}", if an { "an" } else { "a" })
}

/// Whether this could be somebody's address.
pub fn is_email(value: &str) -> bool {
    email_refusal("Email", value).is_none()
}

/// Why an e-mail address cannot be taken, if so.
fn email_refusal(label: &str, value: &str) -> Option<String> {
    refusal(label, value, 1, 254, false).or_else(|| {
        let fine = email_address::EmailAddress::is_valid(value) && value.contains('@') && !value.contains(['"', '[']);
        (!fine).then(|| format!("{label} must look like name@example.com"))
    })
}

impl Check<'_> {
    /// One line of text, blanks around it taken off. `least` and `most` in characters.
    pub fn line(&mut self, field: &str, label: &str, least: usize, most: usize) -> String {
        let value = self.form.value(field).trim().to_owned();
        self.note(field, refusal(label, &value, least, most, false));
        value
    }

    /// Text that may have several lines.
    pub fn block(&mut self, field: &str, label: &str, least: usize, most: usize) -> String {
        let value = self.form.value(field).replace("\r\n", "\n").trim().to_owned();
        self.note(field, refusal(label, &value, least, most, true));
        value
    }

    pub fn email(&mut self, field: &str, label: &str) -> String {
        let value = self.form.value(field).trim().to_owned();
        self.note(field, email_refusal(label, &value));
        value
    }

    /// Addresses one to a line or separated by commas; each once (case does not count).
    pub fn emails(&mut self, field: &str, label: &str, most: usize) -> Vec<String> {
        let mut list: Vec<String> = Vec::new();
        for address in self.form.value(field).split([',', ';', '\n', '\r']).map(str::trim).filter(|a| !a.is_empty()) {
            if let Some(why) = email_refusal(label, address) {
                let shown: String = address.chars().filter(|c| !c.is_control()).take(80).collect();
                self.note(field, Some(format!("{why}: “{shown}” does not")));
                return list;
            }
            // Far too many are not even compared with each other.
            if list.len() > most {
                break;
            }
            if !list.iter().any(|known| text::email_key(known) == text::email_key(address)) {
                list.push(address.to_owned());
            }
        }
        let n = list.len();
        self.note(field, (n > most).then(|| format!("Enter at most {most} addresses; there are more")));
        list
    }

    /// One of the values a page offers. `missing`: what to say when none was chosen.
    pub fn one_of<T: Copy>(&mut self, field: &str, missing: &str, offered: &[(&str, T)]) -> Option<T> {
        let value = self.form.value(field);
        let found = offered.iter().find(|(name, _)| *name == value).map(|(_, meaning)| *meaning);
        self.note(field, found.is_none().then(|| missing.to_owned()));
        found
    }

    /// Whether a box is ticked.
    pub fn ticked(&mut self, field: &str) -> bool {
        match self.form.value(field) {
            "" => false,
            "yes" => true,
            _ => {
                self.note(field, Some("Tick the box or leave it".to_owned()));
                false
            }
        }
    }

    /// Exactly what was typed.
    pub fn raw(&self, field: &str) -> &str {
        self.form.value(field)
    }

    pub fn note(&mut self, field: &str, message: Option<String>) {
        if let Some(message) = message {
            self.errors.add(field, message);
        }
    }

    /// Everything that is wrong, at once.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::Invalid(self.errors)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::token::masked_token;

    fn sent(body: &str) -> Sent {
        Sent { body: Bytes::copy_from_slice(body.as_bytes()), kind: FORM.to_owned() }
    }

    #[test]
    fn a_token_proves_the_session_and_no_other() {
        let (mine, other) = (ids::token(), ids::token());
        let body = format!("_token={}&name=x", masked_token(&mine));
        assert!(sent(&body).open(&mine, None, &["name"]).is_ok());
        assert!(matches!(sent(&body).open(&other, None, &["name"]), Err(Problem::CrossSite)));
        assert!(matches!(sent("name=x").open(&mine, None, &["name"]), Err(Problem::CrossSite)));
        assert_ne!(masked_token(&mine), masked_token(&mine));
    }

    #[test]
    fn unknown_and_repeated_fields_are_errors_and_what_was_typed_is_kept() {
        let secret = ids::token();
        let body = format!("_token={}&name=x&name=y&admin=1", masked_token(&secret));
        let form = sent(&body).open(&secret, None, &["name"]).unwrap();
        assert_eq!(form.value("name"), "x");
        assert_eq!(form.check().errors.0.len(), 2);
    }

    #[test]
    fn nasty_texts_are_refused_with_a_reason() {
        for nasty in ["", "a\0b", "a\u{202E}b", "a\u{1b}[0m", &"x".repeat(65)] {
            assert!(refusal("Name", nasty, 1, 64, false).is_some(), "{nasty:?}");
        }
        for fine in ["Łódź GmbH & Co", "株式会社", "👨‍👩‍👧 family", &"x".repeat(64)] {
            assert_eq!(refusal("Name", fine, 1, 64, false), None);
        }
    }

    #[test]
    fn addresses_come_by_line_or_comma_once_each() {
        let secret = ids::token();
        let list = "a%40x.com%2C+b%40x.com%0D%0AA%40X.com%0D%0A";
        let body = format!("_token={}&mails={list}", masked_token(&secret));
        let form = sent(&body).open(&secret, None, &["mails"]).unwrap();
        let mut check = form.check();
        assert_eq!(check.emails("mails", "Email", 10), ["a@x.com", "b@x.com"]);
        assert!(check.finish().is_ok());
    }
}
