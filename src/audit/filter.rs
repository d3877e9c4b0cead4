//! What somebody asks of the log, read from the address: each part that cannot be read is said at its field and left
//! out, the rest holds. Nothing unreadable ever reaches the database.

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};
use url::form_urlencoded;

use super::event::EventType;
use super::list::Filter;
use crate::problem::Errors;
use crate::web::Filled;

/// Longer than any e-mail address or id.
const LONGEST: usize = 254;
const FIELDS: [&str; 8] = ["from", "to", "actor", "event", "subject", "request", "result", "below"];
const RESULTS: [(&str, &str); 2] = [("SUCCESS", "Succeeded"), ("FAILURE", "Failed")];

/// The filter, the form that shows it again, and the links that take parts of it away.
#[derive(Debug)]
pub struct Asked {
    pub filter: Filter,
    pub form: Filled,
    /// The filter as a query string, without what could not be read.
    pub query: String,
    pub chips: Vec<Chip>,
}

/// A part of the filter in force; the link is the page without it.
#[derive(Debug)]
pub struct Chip {
    pub words: String,
    pub href: String,
}

/// Values and words of a menu.
pub type Options = Vec<(&'static str, &'static str)>;

/// What can be in an account's log; of what people do to themselves, their signing in alone is.
pub fn event_options() -> Options {
    let personal = |code: &str| ["USER_", "SESSION_", "LEGAL_"].iter().any(|start| code.starts_with(start));
    let every = EventType::EVERY.into_iter().filter(|event| event.is_sign_in() || !personal(event.code()));
    std::iter::once(("", "Any event")).chain(every.map(|event| (event.code(), event.words()))).collect()
}

pub fn result_options() -> Options {
    std::iter::once(("", "Any result")).chain(RESULTS).collect()
}

/// Parts of the filter that hold: name and value as in the address, and how the chip says it.
type Parts = Vec<(&'static str, String, String)>;

/// Reads the query string. `may_below`: whether the reader's role holds below this account too.
pub fn read(query: &str, may_below: bool) -> Asked {
    let values = FIELDS.map(|name| (name, value(query, name)));
    let [from, to, actor, event, subject, request, result, below] = values.each_ref().map(|(_, value)| value.as_str());
    let mut errors = Errors::default();
    let mut parts = Parts::new();
    let mut filter = Filter::default();
    read_days(&mut filter, &mut parts, &mut errors, from, to);
    read_words(&mut parts, &mut errors, "actor", "Actor’s email", actor, &mut filter.actor);
    filter.event_type = EventType::of_code(event).map(EventType::code);
    if let Some(known) = EventType::of_code(event) {
        parts.push(("event", event.to_owned(), known.words().to_owned()));
    } else if !event.is_empty() {
        errors.add("event", "Choose an event from the list");
    }
    read_words(&mut parts, &mut errors, "subject", "Object id", subject, &mut filter.subject);
    read_words(&mut parts, &mut errors, "request", "Request id", request, &mut filter.request);
    match RESULTS.into_iter().find(|(code, _)| *code == result) {
        Some((code, words)) => {
            filter.result = Some(code);
            parts.push(("result", code.to_owned(), words.to_owned()));
        }
        None if result.is_empty() => {}
        None => errors.add("result", "Choose a result from the list"),
    }
    filter.below = below == "yes" && may_below;
    filter.inside = !may_below;
    if filter.below {
        parts.push(("below", "yes".to_owned(), "And all below".to_owned()));
    }
    let mut form = Filled::with(values.each_ref().map(|(name, value)| (*name, value.as_str())));
    form.errors = errors;
    Asked { filter, form, query: encoded(&parts, ""), chips: chips(&parts) }
}

fn value(query: &str, name: &str) -> String {
    let found = form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name);
    found.map_or_else(String::new, |(_, value)| value.trim().to_owned())
}

fn encoded(parts: &Parts, without: &str) -> String {
    let kept = parts.iter().filter(|(name, _, _)| *name != without).map(|(name, value, _)| (name, value));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish()
}

fn chips(parts: &Parts) -> Vec<Chip> {
    let chip = |(name, _, words): &(&str, String, String)| Chip {
        words: words.clone(),
        href: format!("?{}", encoded(parts, name)),
    };
    parts.iter().map(chip).collect()
}

fn read_words(parts: &mut Parts, errors: &mut Errors, name: &'static str, label: &str, text: &str, into: &mut String) {
    if text.is_empty() {
        return;
    }
    if text.chars().any(char::is_control) {
        errors.add(name, format!("{label} must not contain control characters"));
    } else if text.chars().count() > LONGEST {
        errors.add(name, format!("{label} must be {LONGEST} characters or fewer"));
    } else {
        text.clone_into(into);
        parts.push((name, text.to_owned(), format!("{label}: {text}")));
    }
}

/// Both days are wanted whole, in UTC.
fn read_days(filter: &mut Filter, parts: &mut Parts, errors: &mut Errors, from: &str, to: &str) {
    let start = day(errors, "from", "From", from);
    let end = day(errors, "to", "To", to);
    if let (Some(start), Some(end)) = (start, end)
        && end < start
    {
        errors.add("to", "To must not be before From");
        filter.from = Some(start);
        parts.push(("from", from.to_owned(), format!("From {from}")));
        return;
    }
    if let Some(start) = start {
        filter.from = Some(start);
        parts.push(("from", from.to_owned(), format!("From {from}")));
    }
    if let Some(end) = end {
        filter.until = end.checked_add_days(Days::new(1));
        parts.push(("to", to.to_owned(), format!("To {to}")));
    }
}

fn day(errors: &mut Errors, name: &str, label: &str, text: &str) -> Option<NaiveDateTime> {
    if text.is_empty() {
        return None;
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10 && text < "9000");
    if day.is_none() {
        errors.add(name, format!("{label} must be a day such as 2026-11-23"));
    }
    day.map(|day| day.and_time(NaiveTime::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_read_holds_and_the_rest_is_said_at_its_field() {
        let asked = read("from=2026-11-01&to=nonsense&event=ACCOUNT_CREATE&actor=a%00b&below=yes&page=3", true);
        assert!(asked.filter.below && asked.filter.until.is_none() && asked.filter.actor.is_empty());
        assert_eq!(asked.filter.event_type, Some("ACCOUNT_CREATE"));
        assert_eq!(asked.query, "from=2026-11-01&event=ACCOUNT_CREATE&below=yes");
        let fields: Vec<&str> = asked.form.errors.0.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["to", "actor"]);
        assert_eq!(asked.form.value("to"), "nonsense");
        assert_eq!(asked.chips[0].href, "?event=ACCOUNT_CREATE&below=yes");
    }

    #[test]
    fn the_last_day_is_wanted_whole_and_no_day_before_the_first() {
        let asked = read("from=2026-11-23&to=2026-11-23", false);
        let (from, until) = (asked.filter.from.unwrap(), asked.filter.until.unwrap());
        assert_eq!(until - from, chrono::Duration::days(1));
        let turned = read("from=2026-11-23&to=2026-11-22", false);
        assert!(turned.filter.until.is_none() && turned.form.errors.get("to").is_some());
    }

    #[test]
    fn a_role_that_holds_here_only_does_not_look_below() {
        let filter = read("below=yes", false).filter;
        assert!(!filter.below && filter.inside);
        assert!(!read("", true).filter.inside);
    }

    #[test]
    fn strange_days_are_refused() {
        for nasty in ["+99999-01-01", "2026-02-30", "9999-12-31", "1.1.2026", "2026-1-1"] {
            assert!(
                read(&format!("from={}", nasty.replace('+', "%2B")), true).form.errors.get("from").is_some(),
                "{nasty}"
            );
        }
    }
}
