//! Whoever makes what is ordered, behind one small trait: the operator's own system ([`super::Webhook`]), and one that
//! only pretends ([`super::Simulated`]). No call is ever made inside a transaction.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

/// What the fabric tells about what it made, by name.
pub type Attributes = BTreeMap<String, String>;

/// One intent, as it is told.
pub struct Order {
    /// The same each time that the intent is told.
    pub id: String,
    /// JSON, the same each time.
    pub body: String,
    /// The public id of the port or connection.
    pub subject: String,
    pub is_port: bool,
    /// It was accepted before, and this asks what became of it.
    pub accepted: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done(Attributes),
    /// In hand: asked again after a while, unless the fabric says so by itself before.
    Accepted,
    /// Not possible. The code is one of the published interface, or empty.
    Failed {
        code: String,
        message: String,
    },
    /// Nobody knows yet, and why: told again later.
    Retry(String),
}

pub trait Fabric: Send + Sync {
    fn deliver<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Outcome>;
}

const MOST_ATTRIBUTES: usize = 50;
const LONGEST_CODE: usize = 64;
const LONGEST_MESSAGE: usize = 500;

/// What the operator's system says of an intent, in its answer or by itself.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Reply {
    state: String,
    error_code: Option<String>,
    error_message: Option<String>,
    attributes: Option<BTreeMap<String, Value>>,
}

impl Reply {
    /// None when its state is none of those that there are.
    pub fn outcome(self) -> Option<Outcome> {
        Some(match self.state.as_str() {
            "DONE" => Outcome::Done(attributes(self.attributes.unwrap_or_default())),
            "ACCEPTED" => Outcome::Accepted,
            "FAILED" => Outcome::Failed {
                code: code(&self.error_code.unwrap_or_default()),
                message: words(&self.error_message.unwrap_or_default()),
            },
            _ => return None,
        })
    }
}

fn attributes(given: BTreeMap<String, Value>) -> Attributes {
    let text = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        _ => None,
    };
    let short = |(name, value): (String, Value)| Some((cut(&name, LONGEST_CODE), cut(&text(value)?, LONGEST_MESSAGE)));
    given.into_iter().filter_map(short).take(MOST_ATTRIBUTES).collect()
}

/// A code as those of the published interface are written; empty for anything else.
fn code(text: &str) -> String {
    let fine =
        text.len() <= LONGEST_CODE && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if fine { text.to_owned() } else { String::new() }
}

/// One short line.
pub fn words(text: &str) -> String {
    let line = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    cut(&line.collect::<Vec<_>>().join(" "), LONGEST_MESSAGE)
}

fn cut(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Outcome> {
        serde_json::from_str::<Reply>(json).ok()?.outcome()
    }

    #[test]
    fn replies_are_read_as_far_as_they_are_understood() {
        let done = r#"{"state":"DONE","attributes":{"deviceId":"ras1","vlan":7,"deep":{"x":1},"none":null}}"#;
        let told = [("deviceId", "ras1"), ("vlan", "7")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read(done), Some(Outcome::Done(Attributes::from(told))));
        assert_eq!(read(r#"{"state":"ACCEPTED","more":[]}"#), Some(Outcome::Accepted));
        let failed = r#"{"state":"FAILED","errorCode":"VLAN_IN_USE","errorMessage":"VLAN\n12 is\u0000 taken"}"#;
        let (code, message) = ("VLAN_IN_USE".to_owned(), "VLAN 12 is taken".to_owned());
        assert_eq!(read(failed), Some(Outcome::Failed { code, message }));
        let (code, message) = (String::new(), String::new());
        assert_eq!(read(r#"{"state":"FAILED","errorCode":"<b>"}"#), Some(Outcome::Failed { code, message }));
        for nonsense in ["", "{}", "[]", r#"{"state":"done"}"#, r#"{"state":7}"#] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }
}
