//! Which invoices of the list are shown: by state, by year.

use serde::Deserialize;

use crate::ledger::store::list::Only;
use crate::web::paging::PageQuery;

/// As the address says it; what it does not know is no filter.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    state: String,
    year: String,
    #[serde(flatten)]
    pub page: PageQuery,
}

/// Value, words, and the states it stands for.
const STATES: [(&str, &str, &[&str]); 6] = [
    ("", "Any state", &[]),
    ("unpaid", "To be paid", &["OPEN", "FAILED"]),
    ("open", "Open", &["OPEN"]),
    ("paid", "Paid", &["PAID"]),
    ("failed", "Payment failed", &["FAILED"]),
    ("void", "Void", &["VOID"]),
];

/// What is asked for, and how the page says so.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub state: &'static str,
    /// "2025", or nothing.
    pub year: String,
    words: &'static str,
    pub only: Only,
}

impl Filter {
    pub fn of(query: &ListQuery) -> Filter {
        let state = STATES.iter().find(|(value, ..)| *value == query.state).unwrap_or(&STATES[0]);
        let is_year = query.year.len() == 4 && query.year.bytes().all(|byte| byte.is_ascii_digit());
        let year = if is_year { query.year.clone() } else { String::new() };
        let only = Only { states: state.2, year: year.clone() };
        Filter { state: state.0, year, words: if state.0.is_empty() { "" } else { state.1 }, only }
    }

    pub fn is_on(&self) -> bool {
        !(self.state.is_empty() && self.year.is_empty())
    }

    /// The query string that says the same; empty without a filter.
    pub fn query(&self) -> String {
        query(self.state, &self.year)
    }

    /// Each filter in force, with the address without it.
    pub fn chips(&self) -> Vec<(String, String)> {
        let state = (self.words.to_owned(), format!("?{}", query("", &self.year)));
        let year = (self.year.clone(), format!("?{}", query(self.state, "")));
        [state, year].into_iter().filter(|(words, _)| !words.is_empty()).collect()
    }

    pub fn states() -> Vec<(&'static str, &'static str)> {
        STATES.iter().map(|(value, words, _)| (*value, *words)).collect()
    }

    /// "Any year", then the years there are, the newest first, and the one asked for.
    pub fn years(&self, known: Option<(i64, i64)>) -> Vec<(String, String)> {
        let mut years: Vec<String> = known
            .map_or_else(Vec::new, |(first, last)| (first..=last).rev().map(|year| format!("{year:04}")).collect());
        if !self.year.is_empty() && !years.contains(&self.year) {
            years.push(self.year.clone());
        }
        let any = (String::new(), "Any year".to_owned());
        std::iter::once(any).chain(years.into_iter().map(|year| (year.clone(), year))).collect()
    }
}

fn query(state: &str, year: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in [("state", state), ("year", year)] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_does_not_know_is_no_filter() {
        let filter = |state: &str, year: &str| {
            Filter::of(&ListQuery { state: state.to_owned(), year: year.to_owned(), ..ListQuery::default() })
        };
        assert_eq!(filter("unpaid", "2025").query(), "state=unpaid&year=2025");
        assert_eq!(filter("unpaid", "2025").only.states, ["OPEN", "FAILED"]);
        for (state, year) in [("DRAFT", "25"), ("paid'", "20x5"), ("", "")] {
            assert!(!filter(state, year).is_on(), "{state} {year}");
        }
        assert_eq!(filter("", "2019").years(Some((2024, 2025))).len(), 4);
    }
}
