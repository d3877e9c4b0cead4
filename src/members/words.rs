//! What permissions, ends and places are called on the pages and in the letters of this room.

use chrono::NaiveDateTime;

use crate::access::policy::Permissions;
use crate::access::{Scope, words};
use crate::ids;
use crate::web::when::last_day;

/// What a role with these allows, as a sentence.
pub fn powers_line(held: Permissions) -> String {
    match words::powers(held).as_str() {
        "everything" => "Can do everything.".to_owned(),
        "nothing" => "Allows nothing.".to_owned(),
        powers => format!("Can {powers}."),
    }
}

/// Where it reaches and until when: "This account and all below, until 3 Dec 2026".
pub fn reach(scope: Scope, ends_at: NaiveDateTime) -> String {
    match last_day(ends_at) {
        Some(day) if ends_at <= ids::now() => format!("{}, ended {}", scope.words(), day.words),
        Some(day) => format!("{}, until {}", scope.words(), day.words),
        None => scope.words().to_owned(),
    }
}
