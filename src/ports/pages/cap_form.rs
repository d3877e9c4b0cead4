//! The form of a cap: what it starts with, and what was entered.

use crate::ports::caps::{Cap, NewCap};
use crate::problem::Problem;
use crate::web::form::Check;
use crate::web::{Filled, Form};

pub const FIELDS: [&str; 5] = ["speed", "connections", "first", "last", "pass"];

pub fn filled(cap: Option<&Cap>, version: i64) -> Filled {
    let number = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
    let field = |of: fn(&Cap) -> Option<i64>| number(cap.and_then(of));
    let mut form = Filled::with([
        ("speed", &*field(|cap| cap.most_speed)),
        ("connections", &*field(|cap| cap.most_connections)),
        ("first", &*field(|cap| cap.first_vlan)),
        ("last", &*field(|cap| cap.last_vlan)),
        ("pass", if cap.is_none_or(|cap| cap.may_share) { "yes" } else { "" }),
    ]);
    form.set_version(version);
    form
}

/// A whole number, or nothing.
fn number(check: &mut Check<'_>, field: &str, label: &str, least: i64, most: i64) -> Option<i64> {
    let typed = check.raw(field).trim().to_owned();
    if typed.is_empty() {
        return None;
    }
    let n = typed.parse().ok().filter(|n| (least..=most).contains(n));
    check.note(field, n.is_none().then(|| format!("{label} must be a whole number from {least} to {most}")));
    n
}

pub fn entered(form: &Form) -> Result<NewCap, Problem> {
    let mut check = form.check();
    let most_speed = number(&mut check, "speed", "Most speed", 1, 40_000);
    let most_connections = number(&mut check, "connections", "Most connections", 0, 4094);
    let first = number(&mut check, "first", "First VLAN", 1, 4094);
    let last = number(&mut check, "last", "Last VLAN", 1, 4094);
    let may_share = check.ticked("pass");
    if check.errors.is_empty() {
        match (first, last) {
            (Some(_), None) => check.note("last", Some("Enter the last VLAN as well".to_owned())),
            (None, Some(_)) => check.note("first", Some("Enter the first VLAN as well".to_owned())),
            (Some(a), Some(b)) if a > b => {
                check.note("last", Some("The last VLAN must not be before the first".to_owned()));
            }
            _ => {}
        }
    }
    check.finish()?;
    Ok(NewCap { most_speed, most_connections, vlans: first.zip(last), may_share })
}
