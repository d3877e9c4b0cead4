//! What inviting and changing have in common: role check boxes that say what each role allows, how far it reaches, and
//! until when it holds. What cannot be given is shown with the reason and refused when it is sent all the same.

use chrono::{Days, NaiveDate, NaiveDateTime};

use super::view;
use crate::access::policy::Permissions;
use crate::access::{self, Frame, Scope};
use crate::ids;
use crate::members::words;
use crate::problem::Problem;
use crate::roles::{self, Role};
use crate::store::Db;
use crate::text;
use crate::web::Filled;
use crate::web::form::Check;

pub const SCOPE: &str = "scope";
pub const ENDS_ON: &str = "ends_on";
/// What the names of the roles' check boxes begin with.
pub const ROLE: &str = "role_";

/// One check box.
pub struct Box {
    pub field: String,
    pub name: String,
    pub hint: String,
    pub checked: bool,
    /// Why it cannot be ticked; empty when it can.
    pub refusal: String,
}

/// Everything the shared fields need to be drawn.
pub struct Choice {
    pub roles: Vec<Box>,
    pub scopes: Vec<(&'static str, &'static str, String)>,
}

/// The name of a role's check box.
pub fn field(role: &Role) -> String {
    format!("{ROLE}{}", role.id)
}

/// The roles that exist for this account and the accounts below it, read once for a page.
pub fn read(db: &mut Db, frame: &Frame) -> Result<(Vec<Role>, i64), Problem> {
    let below = crate::members::store::list::accounts_below(db, frame.account().key)?;
    Ok((roles::available(db, frame)?, below))
}

/// The names of all fields of such a form.
pub fn fields<'a>(names: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    names.iter().map(String::as_str).chain([SCOPE, ENDS_ON]).chain(more.iter().copied()).collect()
}

impl Choice {
    pub fn of(frame: &Frame, roles: &[Role], below: i64, form: &Filled) -> Choice {
        Choice { roles: roles.iter().map(|role| role_box(frame, role, form)).collect(), scopes: scopes(below) }
    }

    /// The same for somebody whom accounts above give this much: each role says what it adds to that.
    #[must_use]
    pub fn adding_to(mut self, first: &str, inherited: Permissions, roles: &[Role]) -> Choice {
        if !inherited.is_empty() {
            for (shown, role) in self.roles.iter_mut().zip(roles) {
                shown.hint = format!("{} {}", shown.hint, added(first, inherited, role));
            }
        }
        self
    }
}

fn added(first: &str, inherited: Permissions, role: &Role) -> String {
    let more = role.permissions.beyond(inherited);
    if more.is_empty() {
        return format!("Adds nothing to what {first} inherits.");
    }
    match access::words::powers(more).as_str() {
        "everything" => format!("Adds everything to what {first} inherits."),
        powers => format!("Adds to what {first} inherits: {powers}."),
    }
}

fn role_box(frame: &Frame, role: &Role, form: &Filled) -> Box {
    let field = field(role);
    let origin = match role.account == frame.account().key || role.built_in {
        true => String::new(),
        false => {
            let step = frame.step(role.account).map_or("", |step| step.place.name.as_str());
            format!(" Role {}.", view::origin(frame, role.account, step))
        }
    };
    let refusal = if can_give(frame, role) { String::new() } else { refusal(frame, role) };
    Box {
        checked: form.is(&field, "yes"),
        name: role.name.clone(),
        hint: format!("{}{origin}", words::powers_line(role.permissions)),
        refusal,
        field,
    }
}

/// Whether it can be given with some scope.
fn can_give(frame: &Frame, role: &Role) -> bool {
    frame.covers(role.permissions, Scope::Here) || frame.covers(role.permissions, Scope::Below)
}

fn refusal(frame: &Frame, role: &Role) -> String {
    let lacking = role.permissions.list().map(Permissions::one).filter(|one| !frame.held().cover(*one));
    let lacking = access::words::powers(lacking.fold(Permissions::NONE, Permissions::and));
    let what = if lacking == "everything" { "do everything" } else { &lacking };
    format!("You cannot give it, because you cannot {what} yourself.")
}

fn scopes(below: i64) -> Vec<(&'static str, &'static str, String)> {
    let accounts = |n: i64| text::count(n, "account", "accounts");
    Scope::EVERY
        .into_iter()
        .map(|scope| {
            let reach = match scope {
                Scope::HereAndBelow if below == 0 => "Reaches 1 account now, and those made below it later.".to_owned(),
                Scope::HereAndBelow => {
                    format!("Reaches {}: this one and {} below.", accounts(below + 1), text::grouped(below))
                }
                Scope::Here => "Reaches 1 account.".to_owned(),
                Scope::Below if below == 0 => "Reaches no account now, but those made below later.".to_owned(),
                Scope::Below => format!("Reaches {}, and not this one.", accounts(below)),
            };
            (scope.code(), scope.words(), reach)
        })
        .collect()
}

/// What was chosen, as far as it is right; every complaint is noted at its field.
pub struct Chosen {
    pub role_ids: Vec<String>,
    pub scope: Scope,
    pub ends_at: NaiveDateTime,
}

pub fn check(check: &mut Check<'_>, frame: &Frame, roles: &[Role]) -> Chosen {
    let chosen: Vec<&Role> = roles.iter().filter(|role| check.ticked(&field(role))).collect();
    if chosen.is_empty() {
        check.note("roles", Some("Choose at least one role".to_owned()));
    }
    let offered = Scope::EVERY.map(|scope| (scope.code(), scope));
    let scope = check.one_of(SCOPE, "Choose how far the roles reach", &offered);
    for role in &chosen {
        if !can_give(frame, role) {
            let why = format!("You cannot give “{}”, because you do not hold everything it allows", role.name);
            check.note("roles", Some(why));
        } else if scope.is_some_and(|scope| !frame.covers(role.permissions, scope)) {
            let why = format!("You do not hold “{}” wherever that reaches. Choose less", role.name);
            check.note(SCOPE, Some(why));
        }
    }
    Chosen {
        role_ids: chosen.into_iter().map(|role| role.id.clone()).collect(),
        scope: scope.unwrap_or(Scope::Here),
        ends_at: end(check),
    }
}

/// The end of the day that was typed, or never.
fn end(check: &mut Check<'_>) -> NaiveDateTime {
    let typed = check.raw(ENDS_ON).trim().to_owned();
    if typed.is_empty() {
        return ids::never();
    }
    let day = NaiveDate::parse_from_str(&typed, "%Y-%m-%d").ok().and_then(|day| day.checked_add_days(Days::new(1)));
    let end = day.and_then(|day| day.and_hms_opt(0, 0, 0)).filter(|end| *end < ids::never());
    match end {
        None => check.note(ENDS_ON, Some("End date must be a day, as 2027-01-31".to_owned())),
        Some(end) if end <= ids::now() => {
            check.note(ENDS_ON, Some("End date must be today or later".to_owned()));
        }
        Some(_) => {}
    }
    end.unwrap_or_else(ids::never)
}
