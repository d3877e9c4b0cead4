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
    pub account: Linked,
    pub account_id: String,
    pub changes: Vec<Field>,
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
    let (actor, email) = match &row.actor {
        Some((_, first, last, email)) => (format!("{first} {last}"), email.clone()),
        None => ("System".to_owned(), String::new()),
    };
    Entry {
        at: When { iso: when::iso(row.at), words: row.at.format("%-d %b %Y, %H:%M:%S UTC").to_string() },
        what: EventType::of_code(&row.event_type).map_or_else(|| row.event_type.clone(), |e| e.words().to_owned()),
        failed: row.result == "FAILURE",
        object,
        actor,
        email,
        from: row.acting_from.filter(|key| Some(*key) != row.account).map(|key| from(frame, near, key)),
        account,
        account_id: near_account.map_or_else(String::new, |one| one.id.clone()),
        fields: crate::text::count(changes.len() as i64, "field", "fields"),
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
    if let Some(one) = near.get(&key) {
        return one.name.clone();
    }
    match frame.step(key) {
        Some(step) if !step.held.is_empty() => step.place.name.clone(),
        _ => "an account above".to_owned(),
    }
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

/// The columns of the export.
pub const HEAD: [&str; 20] = [
    "time",
    "event",
    "what",
    "result",
    "source",
    "object_type",
    "object_id",
    "object_name",
    "account_id",
    "account_name",
    "actor_id",
    "actor_name",
    "actor_email",
    "acting_from",
    "before",
    "after",
    "address",
    "user_agent",
    "request_id",
    "entry_id",
];

pub fn cells(entry: Entry) -> Vec<String> {
    let Entry { at, what, account, account_id, actor, email, from, changes, row, .. } = entry;
    let side = |of: fn(&Field) -> &Option<String>| {
        let each = changes.iter().filter_map(|f| of(f).as_ref().map(|value| format!("{}: {value}", f.name)));
        each.collect::<Vec<_>>().join("\n")
    };
    let (before, after) = (side(|f| &f.before), side(|f| &f.after));
    let actor_id = row.actor.map(|(id, ..)| id).unwrap_or_default();
    vec![
        at.iso,
        row.event_type,
        what,
        row.result,
        row.source,
        row.subject_type,
        row.subject_id,
        row.subject_name,
        account_id,
        account.name,
        actor_id,
        actor,
        email,
        from.unwrap_or_default(),
        before,
        after,
        row.address,
        row.user_agent,
        row.request_id,
        row.id,
    ]
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
