//! Permissions and sets of them: what a set allows, whether it covers another, in which few words two differ. Which
//! resources, verbs and implications there are is [`super::policy`]'s to say.

use std::fmt;

use super::policy::{IMPLIED, Resource, Verb};

/// One permission: a verb on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission(pub Resource, pub Verb);

impl Permission {
    /// Each there is, resource by resource.
    pub fn every() -> impl Iterator<Item = Permission> {
        Resource::EVERY
            .into_iter()
            .flat_map(|resource| Verb::EVERY.into_iter().map(move |verb| Permission(resource, verb)))
    }

    /// As people read it: "Ports: update".
    pub fn title(self) -> String {
        format!("{}: {}", self.0.title(), self.1.word())
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.word(), self.1.word())
    }
}

/// A set of permissions, one bit each, as it is stored in `roles.permissions`: bit = resource x 5 + verb, in the
/// order of the enumerations above (never reorder them). Sets add up; nothing takes a permission away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(pub i64);

impl Permissions {
    pub const NONE: Permissions = Permissions(0);

    pub const fn of(list: &[Permission]) -> Permissions {
        let mut bits = 0;
        let mut i = 0;
        while i < list.len() {
            bits |= Permissions::bit(list[i]);
            i += 1;
        }
        Permissions(bits)
    }

    const fn bit(permission: Permission) -> i64 {
        1 << (permission.0 as i64 * 5 + permission.1 as i64)
    }

    pub const fn one(permission: Permission) -> Permissions {
        Permissions(Permissions::bit(permission))
    }

    /// Every permission there is, spelled out.
    pub fn every() -> Permissions {
        Permission::every().map(Permissions::one).fold(Permissions::NONE, Permissions::and)
    }

    /// Whether this very permission is in the set, whatever others stand for it.
    pub fn has(self, permission: Permission) -> bool {
        self.0 & Permissions::bit(permission) != 0
    }

    /// What is in the set, resource by resource.
    pub fn list(self) -> impl Iterator<Item = Permission> {
        Permission::every().filter(move |permission| self.has(*permission))
    }

    /// Whether every bit stands for a permission there is.
    pub fn is_known(self) -> bool {
        self.0 & !Permissions::every().0 == 0
    }

    /// With everything that [`IMPLIED`] says goes along.
    #[must_use]
    pub fn with_implied(self) -> Permissions {
        let pairs = Resource::EVERY.into_iter().flat_map(|r| IMPLIED.map(|(verb, along)| (r, verb, along)));
        let missing =
            pairs.filter(|(r, verb, along)| self.has(Permission(*r, *verb)) && !self.allow(Permission(*r, *along)));
        missing.fold(self, |set, (r, _, along)| set.and(Permissions::one(Permission(r, along))))
    }

    /// What this allows and `other` does not, in the fewest words: a whole row or column is said as one.
    #[must_use]
    pub fn beyond(self, other: Permissions) -> Permissions {
        let single = |p: &Permission| p.0 != Resource::All && p.1 != Verb::All;
        let new = |cell: &Permission| self.allow(*cell) && !other.allow(*cell);
        let within = |cell: &Permission, p: &Permission| Permissions::one(*p).allow(*cell);
        let mut widest_first: Vec<Permission> = Permission::every().collect();
        widest_first.sort_by_key(|p| u8::from(p.0 != Resource::All) + u8::from(p.1 != Verb::All));
        widest_first.iter().fold(Permissions::NONE, |said, p| {
            let mut cells = Permission::every().filter(single).filter(|cell| within(cell, p));
            if cells.all(|cell| new(&cell)) && !said.covers_one(p.0, p.1) {
                said.and(Permissions::one(*p))
            } else {
                said
            }
        })
    }

    #[must_use]
    pub fn and(self, more: Permissions) -> Permissions {
        Permissions(self.0 | more.0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the set allows this: by itself, by `all` verbs of the resource, or by the verb on all resources.
    pub fn allow(self, Permission(resource, verb): Permission) -> bool {
        [(resource, verb), (resource, Verb::All), (Resource::All, verb), (Resource::All, Verb::All)]
            .into_iter()
            .any(|(r, v)| self.0 & Permissions::bit(Permission(r, v)) != 0)
    }

    /// Whether everything that `other` allows is allowed here too: nobody can grant more than this.
    pub fn cover(self, other: Permissions) -> bool {
        Resource::EVERY.into_iter().all(|r| {
            Verb::EVERY.into_iter().all(|v| other.0 & Permissions::bit(Permission(r, v)) == 0 || self.covers_one(r, v))
        })
    }

    fn covers_one(self, resource: Resource, verb: Verb) -> bool {
        if self.allow(Permission(resource, verb)) {
            return true;
        }
        let resources: &[Resource] = if resource == Resource::All { &Resource::EVERY[1..] } else { &[resource] };
        let verbs: &[Verb] = if verb == Verb::All { &Verb::EVERY[1..] } else { &[verb] };
        (resource == Resource::All || verb == Verb::All)
            && resources.iter().all(|r| verbs.iter().all(|v| self.allow(Permission(*r, *v))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::policy::BUILT_IN_ROLES;
    use crate::access::policy::Resource::*;

    #[test]
    fn all_stands_for_every_verb_and_every_resource() {
        let admin = BUILT_IN_ROLES[0].permissions;
        assert!(admin.allow(Permission(Billing, Verb::Delete)));
        let reader = BUILT_IN_ROLES[4].permissions;
        assert!(reader.allow(Permission(Audit, Verb::Read)));
        assert!(!reader.allow(Permission(Audit, Verb::Update)));
        assert!(Permissions::NONE.is_empty());
    }

    #[test]
    fn whoever_acts_sees_and_a_difference_is_said_in_the_fewest_words() {
        let set = Permissions::of(&[Permission(Ports, Verb::Delete), Permission(Roles, Verb::All)]);
        let whole = set.with_implied();
        assert_eq!(whole.beyond(set), Permissions::one(Permission(Ports, Verb::Read)));
        assert_eq!(whole.with_implied(), whole);
        let admin = BUILT_IN_ROLES[0].permissions;
        assert_eq!(admin.beyond(Permissions::NONE), admin);
        assert_eq!(admin.beyond(admin), Permissions::NONE);
        let rest: Vec<String> = admin.beyond(BUILT_IN_ROLES[4].permissions).list().map(Permission::title).collect();
        assert_eq!(rest, ["All resources: create", "All resources: update", "All resources: delete"]);
        assert!(!Permissions(1 << 45).is_known() && !Permissions(-1).is_known() && whole.is_known());
    }

    #[test]
    fn nobody_covers_more_than_they_hold() {
        let [admin, manager, _, _, reader] = BUILT_IN_ROLES.each_ref().map(|role| role.permissions);
        assert!(admin.cover(manager) && admin.cover(reader));
        assert!(!manager.cover(reader) && !reader.cover(manager));
        let spelled_out = Permissions::of(&[
            Permission(Ports, Verb::Create),
            Permission(Ports, Verb::Read),
            Permission(Ports, Verb::Update),
            Permission(Ports, Verb::Delete),
        ]);
        assert!(spelled_out.cover(Permissions::of(&[Permission(Ports, Verb::All)])));
    }
}
