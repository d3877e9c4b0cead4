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
