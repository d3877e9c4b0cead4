//! Entries as people read them. An account is named only where the reader may see it now: by the path above, or
//! because it is at or below the reader's account today. Of others the entry says what happened, not who they became.

use std::collections::HashMap;

use super::event::EventType;
use super::list::Row;
use super::store::Near;
use crate::access::Frame;
use crate::ids::Key;
use crate::web::when::{self, When};

/// One entry on the page and in the export.
#[derive(Debug)]
pub struct Entry {
    pub at: When,
    pub what: String,
    pub failed: bool,
    pub object: Linked,
    pub actor: String,
    pub email: String,
    /// The account acted from, where that is another than the entry's.
    pub from: Option<String>,
    /// The role that gave the right, where the account acted from may be seen.
    pub role: String,
    pub account: Linked,
    pub account_id: String,
    pub changes: Vec<Field>,
    /// Whether any of the changes has such a side: what came to be had nothing before.
    pub before: bool,
    pub after: bool,
    pub fields: String,
    pub row: Row,
}

/// A name, with an address where there is one to go to.
#[derive(Debug, Clone, Default)]
pub struct Linked {
    pub name: String,
    pub href: String,
}

/// One changed field.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Every account that the rows speak of.
pub fn accounts_of(rows: &[Row]) -> Vec<Key> {
    let mut keys: Vec<Key> = rows.iter().flat_map(|row| [row.account, row.acting_from]).flatten().collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

pub fn entry(frame: &Frame, near: &HashMap<Key, Near>, row: Row) -> Entry {
    let account = row.account.map_or_else(Linked::default, |key| account(near, key));
    let near_account = row.account.and_then(|key| near.get(&key));
    let own = near_account.is_some_and(|one| one.id == row.subject_id);
    let object = Linked {
        name: if row.subject_name.is_empty() { row.subject_id.clone() } else { row.subject_name.clone() },
        href: if own { account.href.clone() } else { String::new() },
    };
    let changes = changes(&row.before, &row.after);
    let event = EventType::of_code(&row.event_type);
    let (actor, email) = match &row.actor {
        Some((_, first, last, email)) => (format!("{first} {last}"), email.clone()),
        None => ("System".to_owned(), String::new()),
    };
    Entry {
        at: When { iso: when::iso(row.at), words: row.at.format("%-d %b %Y, %H:%M:%S UTC").to_string() },
        what: event.map_or_else(|| row.event_type.clone(), |e| e.words().to_owned()),
        failed: row.result == "FAILURE",
        object,
        actor,
        email,
        from: row.acting_from.filter(|key| Some(*key) != row.account).map(|key| from(frame, near, key)),
        role: if row.acting_from.is_some_and(|key| name(frame, near, key).is_some()) {
            row.acting_role.clone()
        } else {
            String::new()
        },
        account,
        account_id: near_account.map_or_else(String::new, |one| one.id.clone()),
        before: changes.iter().any(|field| field.before.is_some()),
        after: changes.iter().any(|field| field.after.is_some()),
        fields: match changes.len() as i64 {
            _ if event.is_some_and(EventType::is_sign_in) => "Details".to_owned(),
            0 => "Details".to_owned(),
            n => crate::text::count(n, "field", "fields"),
        },
        changes,
        row,
    }
}

fn account(near: &HashMap<Key, Near>, key: Key) -> Linked {
    match near.get(&key) {
        Some(one) if one.closed => Linked { name: format!("{} (closed)", one.name), href: String::new() },
        Some(one) => Linked { name: one.name.clone(), href: format!("/a/{}/dashboard", one.id) },
        None => Linked { name: "an account that is no longer below".to_owned(), href: String::new() },
    }
}

/// The name of the account acted from, for "from Acme Group".
fn from(frame: &Frame, near: &HashMap<Key, Near>, key: Key) -> String {
    name(frame, near, key).unwrap_or_else(|| "an account above".to_owned())
}

/// An account's name, if the reader may see it.
fn name(frame: &Frame, near: &HashMap<Key, Near>, key: Key) -> Option<String> {
    let seen = || frame.step(key).filter(|step| !step.held.is_empty()).map(|step| step.place.name.clone());
    near.get(&key).map(|one| one.name.clone()).or_else(seen)
}

fn pairs(json: &str) -> Vec<(String, String)> {
    serde_json::from_str(json).unwrap_or_default()
}

/// Before and after side by side, in the order in which they were noted.
fn changes(before: &str, after: &str) -> Vec<Field> {
    let mut fields: Vec<Field> =
        pairs(before).into_iter().map(|(name, value)| Field { name, before: Some(value), after: None }).collect();
    for (name, value) in pairs(after) {
        match fields.iter_mut().find(|field| field.name == name && field.after.is_none()) {
            Some(field) => field.after = Some(value),
            None => fields.push(Field { name, before: None, after: Some(value) }),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_and_after_stand_side_by_side() {
        let sides = changes(r#"[["name","Old"],["gone","x"]]"#, r#"[["name","New"],["came","y"]]"#);
        let shown: Vec<_> = sides.iter().map(|f| (f.name.as_str(), f.before.as_deref(), f.after.as_deref())).collect();
        assert_eq!(shown, [("name", Some("Old"), Some("New")), ("gone", Some("x"), None), ("came", None, Some("y"))]);
        assert!(changes("broken", "[]").is_empty());
    }
}
