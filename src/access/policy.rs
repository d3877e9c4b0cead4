//! What can be permitted (resource x verb), what the built-in roles hold, and which permission each act needs: the
//! whole policy on one page. `tests/it/access.txt` is the same printed as a grid of routes and roles.

use std::fmt;

/// What a permission is about. The words are the published interface's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    All,
    Accounts,
    Members,
    Roles,
    Billing,
    Networks,
    Ports,
    ApiKeys,
    Audit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    All,
    Create,
    Read,
    Update,
    Delete,
}

impl Resource {
    pub const EVERY: [Resource; 9] = [
        Resource::All,
        Resource::Accounts,
        Resource::Members,
        Resource::Roles,
        Resource::Billing,
        Resource::Networks,
        Resource::Ports,
        Resource::ApiKeys,
        Resource::Audit,
    ];

    pub fn word(self) -> &'static str {
        ["all", "accounts", "members", "roles", "billing", "networks", "ports", "apikeys", "audit"][self as usize]
    }

    /// As people read it.
    pub fn title(self) -> &'static str {
        const TITLES: [&str; 9] =
            ["All resources", "Accounts", "Members", "Roles", "Billing", "Networks", "Ports", "API keys", "Audit"];
        TITLES[self as usize]
    }
}

impl Verb {
    pub const EVERY: [Verb; 5] = [Verb::All, Verb::Create, Verb::Read, Verb::Update, Verb::Delete];

    pub fn word(self) -> &'static str {
        ["all", "create", "read", "update", "delete"][self as usize]
    }
}

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
        self.list().map(Permissions::bit).sum::<i64>() == self.0
    }

    /// With what goes along: whoever creates, changes or deletes something may see it too. Nothing else is implied.
    #[must_use]
    pub fn with_implied(self) -> Permissions {
        let acts = [Verb::Create, Verb::Update, Verb::Delete];
        let blind =
            |r: &Resource| acts.iter().any(|v| self.has(Permission(*r, *v))) && !self.allow(Permission(*r, Verb::Read));
        let implied = Resource::EVERY.into_iter().filter(blind).map(|r| Permissions::one(Permission(r, Verb::Read)));
        implied.fold(self, Permissions::and)
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

/// A role that every root account is born with; it holds at all accounts below as well.
pub struct BuiltIn {
    pub name: &'static str,
    pub description: &'static str,
    pub permissions: Permissions,
}

use Resource::*;

pub const ADMINISTRATOR: &str = "Administrator";

pub const BUILT_IN_ROLES: [BuiltIn; 5] = [
    BuiltIn {
        name: ADMINISTRATOR,
        description: "Everything, here and below.",
        permissions: Permissions::of(&[Permission(All, Verb::All)]),
    },
    BuiltIn {
        name: "Account manager",
        description: "Accounts, members and roles.",
        permissions: Permissions::of(&[
            Permission(Accounts, Verb::All),
            Permission(Members, Verb::All),
            Permission(Roles, Verb::All),
        ]),
    },
    BuiltIn {
        name: "Billing manager",
        description: "Payment methods and invoices.",
        permissions: Permissions::of(&[Permission(Billing, Verb::All)]),
    },
    BuiltIn {
        name: "Network operator",
        description: "Networks, connections and ports.",
        permissions: Permissions::of(&[Permission(Networks, Verb::All), Permission(Ports, Verb::All)]),
    },
    BuiltIn {
        name: "Read only",
        description: "Sees everything, changes nothing.",
        permissions: Permissions::of(&[Permission(All, Verb::Read)]),
    },
];

/// What an act needs at the account in the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Any permission at all: whoever holds one sees that the account exists.
    Sight,
    One(Permission),
}

impl Needs {
    pub fn met_by(self, held: Permissions) -> bool {
        match self {
            Needs::Sight => !held.is_empty(),
            Needs::One(permission) => held.allow(permission),
        }
    }
}

/// Something that can be done in an account; a type, so that an operation's signature names its permission.
pub trait Action: Send + Sync + 'static {
    const NEEDS: Needs;
    /// Whether it asks who one is again when that was proven more than some minutes ago.
    const FRESH: bool;
}

/// Written after what an action of the list below needs.
const FRESH: bool = true;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $needs:expr $(, $fresh:ident)?;)*) => {
        $($(#[$doc])* #[derive(Debug)] pub struct $name;
        impl Action for $name {
            const NEEDS: Needs = $needs;
            const FRESH: bool = false $(| $fresh)?;
        })*
    };
}

const fn one(resource: Resource, verb: Verb) -> Needs {
    Needs::One(Permission(resource, verb))
}

actions! {
    /// Dashboard, readiness, agreements in force, switching.
    SeeAccount = Needs::Sight;
    ReadAccounts = one(Accounts, Verb::Read);
    CreateAccounts = one(Accounts, Verb::Create);
    /// Name, description, contacts, tags, place in the tree, and accepting agreements in the account's name.
    UpdateAccounts = one(Accounts, Verb::Update);
    /// Closing an account, and restoring a closed one below.
    DeleteAccounts = one(Accounts, Verb::Delete);
    ReadMembers = one(Members, Verb::Read);
    /// Inviting people.
    CreateMembers = one(Members, Verb::Create), FRESH;
    /// Giving a member other roles, another scope or another end.
    UpdateMembers = one(Members, Verb::Update), FRESH;
    DeleteMembers = one(Members, Verb::Delete), FRESH;
    ReadRoles = one(Roles, Verb::Read);
    CreateRoles = one(Roles, Verb::Create), FRESH;
    UpdateRoles = one(Roles, Verb::Update), FRESH;
    DeleteRoles = one(Roles, Verb::Delete), FRESH;
    ReadBilling = one(Billing, Verb::Read);
    CreateBilling = one(Billing, Verb::Create), FRESH;
    UpdateBilling = one(Billing, Verb::Update), FRESH;
    DeleteBilling = one(Billing, Verb::Delete), FRESH;
    ReadAudit = one(Audit, Verb::Read);
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
