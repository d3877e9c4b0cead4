//! What permissions, ends and places are called on the pages and in the letters of this room.

use chrono::{Duration, NaiveDateTime};

use crate::access::Frame;
use crate::access::policy::{Permission, Permissions, Resource, Verb};
use crate::ids;
use crate::web::when::When;

const VERBS: [(Verb, &str); 4] =
    [(Verb::Read, "see"), (Verb::Create, "create"), (Verb::Update, "change"), (Verb::Delete, "delete")];

fn noun(resource: Resource) -> &'static str {
    match resource {
        Resource::All => "everything",
        Resource::Accounts => "accounts",
        Resource::Members => "members and invitations",
        Resource::Roles => "roles",
        Resource::Billing => "payment methods and invoices",
        Resource::Networks => "networks and connections",
        Resource::Ports => "ports",
        Resource::ApiKeys => "API keys",
        Resource::Audit => "the audit log",
    }
}

/// What somebody can do with these, a short sentence each: "see, create and change ports".
pub fn powers(held: Permissions) -> Vec<String> {
    let verbs_on_everything: Vec<&str> = verbs(held, Resource::All);
    if verbs_on_everything.len() == VERBS.len() {
        return vec!["do everything".to_owned()];
    }
    let mut sentences = Vec::new();
    if !verbs_on_everything.is_empty() {
        sentences.push(format!("{} everything", joined(&verbs_on_everything)));
    }
    for resource in Resource::EVERY.into_iter().filter(|r| *r != Resource::All) {
        let more: Vec<&str> = verbs(held, resource);
        if more.iter().any(|verb| !verbs_on_everything.contains(verb)) {
            sentences.push(match more.len() == VERBS.len() {
                true => format!("do everything with {}", noun(resource)),
                false => format!("{} {}", joined(&more), noun(resource)),
            });
        }
    }
    sentences
}

/// The same as one sentence.
pub fn powers_line(held: Permissions) -> String {
    let sentences = powers(held);
    if sentences.is_empty() { "Allows nothing.".to_owned() } else { format!("Can {}.", sentences.join("; ")) }
}

fn verbs(held: Permissions, resource: Resource) -> Vec<&'static str> {
    let allowed = |verb: Verb| held.allow(Permission(resource, verb));
    VERBS.into_iter().filter(|(verb, _)| allowed(*verb)).map(|(_, word)| word).collect()
}

/// "see", "see and change", "see, create and change".
pub fn joined(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The last day on which something holds that ends then; none where it has no end.
pub fn last_day(ends_at: NaiveDateTime) -> Option<When> {
    (ends_at != ids::never()).then(|| When::day(ends_at - Duration::microseconds(1)))
}

/// Where it reaches and until when: "This account and all below, until 3 Dec 2026".
pub fn reach(scope: crate::access::Scope, ends_at: NaiveDateTime) -> String {
    match last_day(ends_at) {
        Some(day) if ends_at <= ids::now() => format!("{}, ended {}", scope.words(), day.words),
        Some(day) => format!("{}, until {}", scope.words(), day.words),
        None => scope.words().to_owned(),
    }
}

/// The account with those above it that this person may see: "Acme / EU / Berlin".
pub fn path(frame: &Frame) -> String {
    let seen = frame.chain.iter().filter(|step| !step.held.is_empty() || step.place.key == frame.account().key);
    seen.map(|step| step.place.name.as_str()).collect::<Vec<_>>().join(" / ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::policy::BUILT_IN_ROLES;

    #[test]
    fn powers_are_said_in_words_and_once() {
        let lines = BUILT_IN_ROLES.each_ref().map(|role| powers_line(role.permissions));
        assert_eq!(lines[0], "Can do everything.");
        assert_eq!(lines[2], "Can do everything with payment methods and invoices.");
        assert_eq!(lines[4], "Can see everything.");
        let mixed = BUILT_IN_ROLES[4].permissions.and(Permissions::of(&[Permission(Resource::Ports, Verb::Update)]));
        assert_eq!(powers_line(mixed), "Can see everything; see and change ports.");
        assert_eq!(powers_line(Permissions::NONE), "Allows nothing.");
    }
}
