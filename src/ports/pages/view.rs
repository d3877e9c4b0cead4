//! Ports as people read them.

use crate::text;
use crate::web::paging::Paged;

/// The words of an availability domain.
pub fn domain(code: &str) -> &'static str {
    if code == "SECONDARY" { "Secondary" } else { "Primary" }
}

/// The words of a term that is stored.
pub fn term(code: &str) -> &'static str {
    match code {
        "HOURLY" => "Hourly",
        "MONTHLY" => "Monthly",
        "ONE_YEAR" => "One year",
        "TWO_YEAR" => "Two years",
        _ => "",
    }
}

/// How much of a port is used.
pub struct Gauge {
    pub used: i64,
    pub of: i64,
    /// "300 Mbit/s of 10 Gbit/s used, 9,700 Mbit/s left"
    pub words: String,
    /// "good", "warn" from four fifths on, "bad" when it is full.
    pub tone: &'static str,
}

impl Gauge {
    pub fn of(used: i64, of: i64) -> Gauge {
        let tone = match () {
            () if used >= of => "bad",
            () if used * 5 >= of * 4 => "warn",
            () => "good",
        };
        Gauge { used, of, words: format!("{} of {} used", speed(used), text::speed(of)), tone }
    }

    /// "9,700 Mbit/s left"
    pub fn left(&self) -> String {
        format!("{} left", speed((self.of - self.used).max(0)))
    }
}

/// The words of a connection's state as it is stored.
pub fn state(code: &str) -> String {
    let words = code.to_lowercase().replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A speed that may be nothing at all.
pub fn speed(mbits: i64) -> String {
    if mbits == 0 { "0 Mbit/s".to_owned() } else { text::speed(mbits) }
}

/// The line below a list.
pub struct Pager {
    pub words: String,
    pub previous: String,
    pub next: String,
    /// Keyset pages have no numbers to go to.
    pub links: Vec<(String, String, bool)>,
}

impl Pager {
    /// `anchor`: where on the page the list is; empty for its top.
    pub fn of<T>(paged: &Paged<T>, anchor: &str) -> Pager {
        let href = |query: &str| if query.is_empty() { String::new() } else { format!("?{query}{anchor}") };
        Pager { words: paged.words(), previous: href(&paged.previous), next: href(&paged.next), links: Vec::new() }
    }

    pub fn is_single(&self) -> bool {
        self.previous.is_empty() && self.next.is_empty()
    }
}
