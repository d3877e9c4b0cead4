//! A month of the calendar, as 2026-10: what is charged and invoiced at a time. Days begin at midnight UTC.

use std::fmt;

use chrono::{Datelike, Duration, Months, NaiveDate, NaiveDateTime, NaiveTime};

/// A month from the year 2000 on; ordered by time, and its text sorts the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(NaiveDate);

/// Stored where nothing is left to charge: after every month there is.
pub const NEVER: &str = "9999-12";

impl Month {
    /// The month that a moment is in.
    pub fn of(at: NaiveDateTime) -> Month {
        Month(at.date().with_day(1).unwrap_or(at.date()))
    }

    /// `2026-10` and nothing else.
    pub fn parse(text: &str) -> Option<Month> {
        let first = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok()?;
        (text.len() == 7 && (2000..9000).contains(&first.year())).then_some(Month(first))
    }

    /// Its first moment.
    pub fn first(self) -> NaiveDateTime {
        self.0.and_time(NaiveTime::MIN)
    }

    pub fn next(self) -> Month {
        Month(self.0.checked_add_months(Months::new(1)).unwrap_or(self.0))
    }

    pub fn previous(self) -> Month {
        Month(self.0.checked_sub_months(Months::new(1)).unwrap_or(self.0))
    }

    /// 28 to 31.
    pub fn days(self) -> i64 {
        (self.next().0 - self.0).num_days()
    }

    /// The days of it from `starts` to before `ends`: the first of them, and how many.
    pub fn overlap(self, starts: NaiveDateTime, ends: NaiveDateTime) -> (NaiveDateTime, i64) {
        let from = starts.max(self.first());
        let days = (ends.min(self.next().first()) - from).num_days();
        (from, days.max(0))
    }

    /// "October 2026"
    pub fn words(self) -> String {
        self.0.format("%B %Y").to_string()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m"))
    }
}

/// The month that the database has, in words; as it is where it cannot be read.
pub fn words_of(stored: &str) -> String {
    Month::parse(stored).map_or_else(|| stored.to_owned(), Month::words)
}

/// Midnight at the beginning of the day of this moment.
pub fn day_of(at: NaiveDateTime) -> NaiveDateTime {
    at.date().and_time(NaiveTime::MIN)
}

/// "1–31 Oct 2026", "5 Oct 2026": so many days of one month from one on.
pub fn days_words(from: NaiveDateTime, days: i64) -> String {
    let last = from + Duration::days((days - 1).max(0));
    if days <= 1 {
        from.format("%-d %b %Y").to_string()
    } else {
        format!("{}–{}", from.day(), last.format("%-d %b %Y"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDateTime {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap().and_time(NaiveTime::MIN)
    }

    #[test]
    fn a_month_is_written_one_way() {
        let october = Month::parse("2026-10").unwrap();
        assert_eq!((october.to_string().as_str(), october.days()), ("2026-10", 31));
        assert_eq!(october.words(), "October 2026");
        assert_eq!((october.next().to_string(), october.previous().to_string()), ("2026-11".into(), "2026-09".into()));
        assert_eq!(Month::parse("2028-02").map(Month::days), Some(29));
        for wrong in ["", "2026", "2026-13", "26-10", "2026-1", "2026-10-01", "+026-10", "9999-12"] {
            assert_eq!(Month::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn days_of_a_month_are_those_from_the_first_to_before_the_end() {
        let october = Month::parse("2026-10").unwrap();
        assert_eq!(october.overlap(day("2026-01-01"), day("9999-12-31")), (day("2026-10-01"), 31));
        assert_eq!(october.overlap(day("2026-10-31"), day("2026-11-05")), (day("2026-10-31"), 1));
        assert_eq!(october.overlap(day("2026-10-05"), day("2026-10-08")), (day("2026-10-05"), 3));
        assert_eq!(october.overlap(day("2026-09-05"), day("2026-10-01")).1, 0);
        assert_eq!(days_words(day("2026-10-05"), 3), "5–7 Oct 2026");
        assert_eq!(days_words(day("2026-10-05"), 1), "5 Oct 2026");
    }
}
