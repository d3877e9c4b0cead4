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
    Permission::every().filter(|one| one.0 != Resource::All && one.1 != Verb::All)
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
    permission.title()
}

/// Values and words of the menu, with a first line for no choice.
pub fn options(none: &str) -> Vec<(String, String)> {
    let all = every().map(|one| (code(one), title(one)));
    std::iter::once((String::new(), none.to_owned())).chain(all).collect()
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
    fn powers_are_found_by_their_codes() {
        assert!(every().all(|one| of_code(&code(one)) == Some(one)));
        assert_eq!(title(Permission(Resource::ApiKeys, Verb::Read)), "API keys: read");
        assert_eq!(of_code("ports:all"), None);
    }
}
