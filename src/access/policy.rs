//! What can be permitted (resource x verb), what the built-in roles hold, and which permission each act needs: the
//! whole policy on one page. `tests/it/access.txt` is the same printed as a grid of routes and roles.

pub use super::permissions::{Permission, Permissions};

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

/// What goes along with a verb on the same resource: whoever creates, changes or deletes something may see it too.
/// Added when a role is saved. Nothing else is implied.
pub const IMPLIED: [(Verb, Verb); 3] =
    [(Verb::Create, Verb::Read), (Verb::Update, Verb::Read), (Verb::Delete, Verb::Read)];

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
    /// A role of any kind that holds here or below: enough to leave, not to look.
    Part,
    /// Any permission at all: whoever holds one sees that the account exists.
    Sight,
    One(Permission),
}

impl Needs {
    pub fn met_by(self, held: Permissions) -> bool {
        match self {
            Needs::Part | Needs::Sight => !held.is_empty(),
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
    /// Giving up the roles that were given to oneself at the account, also where they hold below it only.
    LeaveAccount = Needs::Part;
    ReadAccounts = one(Accounts, Verb::Read);
    CreateAccounts = one(Accounts, Verb::Create);
    /// Name, description, contacts, tags, place in the tree, and accepting agreements in the account's name.
    UpdateAccounts = one(Accounts, Verb::Update);
    /// Asking for a second factor of everybody who enters the account or anything below.
    RequireSecondFactor = one(Accounts, Verb::Update), FRESH;
    /// Closing an account, and restoring a closed one below.
    DeleteAccounts = one(Accounts, Verb::Delete);
    /// Suspending and resuming an account below, with everything below it.
    SuspendAccounts = one(Accounts, Verb::Update), FRESH;
    /// How many of what an account below, or its branch, may have.
    LimitAccounts = one(Accounts, Verb::Update);
    ReadNetworks = one(Networks, Verb::Read);
    /// Networks, and ordering connections in them.
    CreateNetworks = one(Networks, Verb::Create);
    UpdateNetworks = one(Networks, Verb::Update);
    DeleteNetworks = one(Networks, Verb::Delete);
    ReadPorts = one(Ports, Verb::Read);
    /// Ordering ports.
    CreatePorts = one(Ports, Verb::Create);
    /// Also offering a port to child accounts, and what each may do with it.
    UpdatePorts = one(Ports, Verb::Update);
    DeletePorts = one(Ports, Verb::Delete);
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
