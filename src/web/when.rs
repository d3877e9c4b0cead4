//! Moments as people read them: UTC in words, and the exact form for machines (script adds the local time).

use chrono::{Duration, NaiveDateTime};

use crate::ids;

/// A moment on a page.
#[derive(Debug, Clone)]
pub struct When {
    pub iso: String,
    pub words: String,
}

impl From<NaiveDateTime> for When {
    fn from(at: NaiveDateTime) -> When {
        When { iso: iso(at), words: at.format("%-d %b %Y, %H:%M UTC").to_string() }
    }
}

impl When {
    /// Only the day.
    pub fn day(at: NaiveDateTime) -> When {
        When { iso: at.format("%Y-%m-%d").to_string(), words: at.format("%-d %b %Y").to_string() }
    }
}

/// The last day (UTC) on which something holds that ends at this moment; none for [`ids::never`].
pub fn last_day(ends_at: NaiveDateTime) -> Option<When> {
    (ends_at != ids::never()).then(|| When::day(ends_at - Duration::microseconds(1)))
}

/// ISO 8601 with seconds, in UTC.
pub fn iso(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// RFC 3339 as exactly as it is stored, in UTC.
pub fn exact(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
