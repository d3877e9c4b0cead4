//! The matrix of a role: resources in rows, verbs in columns, a box for each permission. What somebody does not hold
//! here and below is shown and not offered.

use std::sync::LazyLock;

use crate::access::Frame;
use crate::access::policy::{Permission, Permissions, Resource, Verb};
use crate::roles::not_held;
use crate::web::Filled;
use crate::web::form::Check;

/// What stands for all others comes last.
pub const ROWS: [Resource; 9] = [
    Resource::Accounts,
    Resource::Members,
    Resource::Roles,
    Resource::Billing,
    Resource::Networks,
    Resource::Ports,
    Resource::ApiKeys,
    Resource::Audit,
    Resource::All,
];
pub const COLUMNS: [Verb; 5] = [Verb::Create, Verb::Read, Verb::Update, Verb::Delete, Verb::All];

/// The name of a permission's box in the form.
pub fn field(Permission(resource, verb): Permission) -> String {
    format!("{}-{}", resource.word(), verb.word())
}

/// The names of all boxes.
pub static FIELDS: LazyLock<Vec<String>> = LazyLock::new(|| Permission::every().map(field).collect());

pub struct Row {
    pub resource: &'static str,
    pub cells: Vec<Cell>,
}

pub struct Cell {
    pub field: String,
    pub verb: &'static str,
    /// The box is ticked; on a page that only shows, the permission itself is there.
    pub ticked: bool,
    /// Allowed, by itself or by one that stands for it.
    pub allowed: bool,
    pub offered: bool,
}

fn rows(cell: impl Fn(Permission) -> Cell) -> Vec<Row> {
    let row = |resource: Resource| Row {
        resource: resource.title(),
        cells: COLUMNS.map(|verb| cell(Permission(resource, verb))).into_iter().collect(),
    };
    ROWS.into_iter().map(row).collect()
}

/// To be ticked by this actor.
pub fn of_form(form: &Filled, frame: &Frame) -> Vec<Row> {
    let lacking = not_held(frame, Permissions::every());
    rows(|permission| {
        let field = field(permission);
        let offered = !lacking.has(permission);
        let ticked = offered && form.is(&field, "yes");
        Cell { ticked, allowed: ticked, offered, field, verb: permission.1.word() }
    })
}

/// To be looked at.
pub fn of_role(permissions: Permissions) -> Vec<Row> {
    rows(|permission| Cell {
        ticked: permissions.has(permission),
        allowed: permissions.cover(Permissions::one(permission)),
        offered: false,
        field: String::new(),
        verb: permission.1.word(),
    })
}

/// What was ticked; a box that came with something else is complained of.
pub fn ticked(check: &mut Check<'_>) -> Permissions {
    let mut set = Permissions::NONE;
    for permission in Permission::every() {
        if check.ticked(&field(permission)) {
            set = set.and(Permissions::one(permission));
        }
    }
    set
}

/// Ticks the boxes of a set.
pub fn fill(form: &mut Filled, permissions: Permissions) {
    for permission in permissions.list() {
        form.set(&field(permission), "yes");
    }
}
