//! How much a role can do, so that the strongest comes first, and which powers one can ask about.

use crate::access::policy::{Permission, Permissions, Resource, Verb};

/// The more it allows, the greater; everything is the greatest.
pub fn strength(set: Permissions) -> i64 {
    let everything = i64::from(set.allow(Permission(Resource::All, Verb::All)));
    let allowed = single().filter(|one| set.allow(*one)).count();
    i64::try_from(allowed).unwrap_or(i64::MAX - 1) + everything
}

/// Every single act on every single thing.
pub fn single() -> impl Iterator<Item = Permission> {
    let verbs = |r: Resource| Verb::EVERY.into_iter().filter(|v| *v != Verb::All).map(move |v| Permission(r, v));
    Resource::EVERY.into_iter().filter(|r| *r != Resource::All).flat_map(verbs)
}

/// What one can ask about: everything, then every single act.
pub fn every() -> impl Iterator<Item = Permission> {
    std::iter::once(Permission(Resource::All, Verb::All)).chain(single())
}

/// As it stands in addresses: "ports:update".
pub fn code(Permission(resource, verb): Permission) -> String {
    format!("{}:{}", resource.word(), verb.word())
}

pub fn of_code(text: &str) -> Option<Permission> {
    every().find(|one| code(*one) == text)
}

/// As people read it: "Ports: update".
pub fn title(permission: Permission) -> String {
    if permission == Permission(Resource::All, Verb::All) {
        return "Everything".to_owned();
    }
    let text = permission.to_string().replace("apikeys", "API keys");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Values and words of the menu, with a first line for no choice.
pub fn options(none: &str) -> Vec<(String, String)> {
    let all = every().map(|one| (code(one), title(one)));
    std::iter::once((String::new(), none.to_owned())).chain(all).collect()
}

/// What the set allows, in few words: "everything", "read everything; update ports".
pub fn words(set: Permissions) -> String {
    const VERBS: [Verb; 4] = [Verb::Create, Verb::Read, Verb::Update, Verb::Delete];
    if set.allow(Permission(Resource::All, Verb::All)) {
        return "everything".to_owned();
    }
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for resource in Resource::EVERY {
        let whole = |verb: &Verb| set.allow(Permission(Resource::All, *verb));
        let here = |verb: &Verb| set.allow(Permission(resource, *verb));
        let verbs: Vec<&str> = if resource == Resource::All {
            VERBS.iter().filter(|v| whole(v)).map(|v| v.word()).collect()
        } else {
            VERBS.iter().filter(|v| here(v) && !whole(v)).map(|v| v.word()).collect()
        };
        let verbs = if verbs.len() == VERBS.len() { "manage".to_owned() } else { joined(&verbs) };
        let thing = match resource {
            Resource::All => "everything",
            Resource::ApiKeys => "API keys",
            Resource::Audit => "the audit log",
            other => other.word(),
        };
        match groups.iter_mut().find(|(known, things)| *known == verbs && things[0] != "everything") {
            _ if verbs.is_empty() => {}
            Some((_, things)) => things.push(thing),
            None => groups.push((verbs, vec![thing])),
        }
    }
    if groups.is_empty() {
        return "nothing".to_owned();
    }
    groups.into_iter().map(|(verbs, things)| format!("{verbs} {}", joined(&things))).collect::<Vec<_>>().join("; ")
}

/// "a", "a and b", "a, b and c".
pub fn joined(parts: &[&str]) -> String {
    match parts {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::policy::BUILT_IN_ROLES;

    #[test]
    fn the_strongest_allows_most() {
        let strengths = BUILT_IN_ROLES.each_ref().map(|role| strength(role.permissions));
        assert_eq!(strengths, [33, 12, 4, 8, 8]);
        assert_eq!(strength(Permissions::NONE), 0);
    }

    #[test]
    fn powers_are_said_in_few_words_and_found_by_their_codes() {
        let said = BUILT_IN_ROLES.each_ref().map(|role| words(role.permissions));
        assert_eq!(said[0], "everything");
        assert_eq!(said[1], "manage accounts, members and roles");
        assert_eq!(said[4], "read everything");
        assert!(every().all(|one| of_code(&code(one)) == Some(one)));
        assert_eq!(title(Permission(Resource::ApiKeys, Verb::Read)), "API keys: read");
        assert_eq!(of_code("ports:all"), None);
    }
}
