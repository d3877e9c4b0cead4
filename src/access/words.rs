//! A set of permissions as people say it: "everything", "see and change networks and ports". For pages that tell
//! somebody what they will be able to do; the rules are in [`super::policy`].

use super::policy::{Permission, Permissions, Resource, Verb};

/// In the order in which they are said.
const VERBS: [(Verb, &str); 4] =
    [(Verb::Read, "see"), (Verb::Create, "add"), (Verb::Update, "change"), (Verb::Delete, "remove")];

fn thing(resource: Resource) -> &'static str {
    match resource {
        Resource::All => "everything",
        Resource::Accounts => "accounts",
        Resource::Members => "members",
        Resource::Roles => "roles",
        Resource::Billing => "billing",
        Resource::Networks => "networks",
        Resource::Ports => "ports",
        Resource::ApiKeys => "API keys",
        Resource::Audit => "the audit log",
    }
}

/// "a", "a and b", "a, b and c".
pub fn joined(parts: &[&str]) -> String {
    match parts {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// What the set allows, one clause for all resources that it treats alike; what holds for everything comes first.
pub fn clauses(set: Permissions) -> Vec<String> {
    let verbs = |resource: Resource| -> Vec<&str> {
        let allowed = |verb: Verb| set.cover(Permissions::one(Permission(resource, verb)));
        let general =
            |verb: Verb| resource != Resource::All && set.cover(Permissions::one(Permission(Resource::All, verb)));
        VERBS.into_iter().filter(|(verb, _)| allowed(*verb) && !general(*verb)).map(|(_, word)| word).collect()
    };
    let mut groups: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for resource in Resource::EVERY {
        let verbs = verbs(resource);
        match groups.iter_mut().find(|(known, things)| *known == verbs && things[0] != thing(Resource::All)) {
            _ if verbs.is_empty() => {}
            Some((_, things)) => things.push(thing(resource)),
            None => groups.push((verbs, vec![thing(resource)])),
        }
    }
    groups.into_iter().map(|(verbs, things)| format!("{} {}", joined(&verbs), joined(&things))).collect()
}

/// The same in one phrase: "everything", "nothing", or the clauses.
pub fn powers(set: Permissions) -> String {
    let all = Permissions::one(Permission(Resource::All, Verb::All));
    let clauses = clauses(set);
    match clauses.as_slice() {
        [] => "nothing".to_owned(),
        _ if set.cover(all) => "everything".to_owned(),
        _ => clauses.join("; "),
    }
}

/// "Ports: update, Ports: delete".
pub fn titles(set: Permissions) -> String {
    set.list().map(Permission::title).collect::<Vec<_>>().join(", ")
}

/// The same as the log and the published interface write it: "ports: update, ports: delete".
pub fn codes(set: Permissions) -> String {
    set.list().map(|permission| permission.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::policy::BUILT_IN_ROLES;

    #[test]
    fn a_set_is_said_in_plain_words() {
        let said = BUILT_IN_ROLES.each_ref().map(|role| powers(role.permissions));
        assert_eq!(said[0], "everything");
        assert_eq!(said[1], "see, add, change and remove accounts, members and roles");
        assert_eq!(said[3], "see, add, change and remove networks and ports");
        assert_eq!(said[4], "see everything");
        let mixed = Permissions::of(&[
            Permission(Resource::All, Verb::Read),
            Permission(Resource::Ports, Verb::Update),
            Permission(Resource::Ports, Verb::Read),
            Permission(Resource::Networks, Verb::Update),
        ]);
        assert_eq!(powers(mixed), "see everything; change networks and ports");
        assert_eq!(powers(Permissions::NONE), "nothing");
        assert_eq!(titles(mixed), "All resources: read, Networks: update, Ports: read, Ports: update");
    }
}
