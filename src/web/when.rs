//! Moments as people read them: UTC in words, and the exact form for machines (script adds the local time).

use chrono::{Datelike, Duration, NaiveDateTime, Timelike};

use crate::ids;

/// A moment on a page.
#[derive(Debug, Clone)]
pub struct When {
    pub iso: String,
    pub words: String,
}

impl From<NaiveDateTime> for When {
    fn from(at: NaiveDateTime) -> When {
        When { iso: iso(at), words: format!("{}, {:02}:{:02} UTC", day(at), at.hour(), at.minute()) }
    }
}

impl When {
    /// Only the day.
    pub fn day(at: NaiveDateTime) -> When {
        When { iso: at.date().to_string(), words: day(at) }
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// "5 Nov 2026". Lists say it hundreds of times a page: no pattern is read for it.
fn day(at: NaiveDateTime) -> String {
    format!("{} {} {}", at.day(), MONTHS[at.month0() as usize], at.year())
}

/// The last day (UTC) on which something holds that ends at this moment; none for [`ids::never`].
pub fn last_day(ends_at: NaiveDateTime) -> Option<When> {
    (ends_at != ids::never()).then(|| When::day(ends_at - Duration::microseconds(1)))
}

/// ISO 8601 with seconds, in UTC.
pub fn iso(at: NaiveDateTime) -> String {
    let time = at.time();
    format!("{}T{:02}:{:02}:{:02}Z", at.date(), time.hour(), time.minute(), time.second())
}

/// RFC 3339 as exactly as it is stored, in UTC.
pub fn exact(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
