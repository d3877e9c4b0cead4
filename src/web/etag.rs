//! Entity tags of pages: a page that says what the browser has already is not sent again. Tokens of forms and the time at
//! which a page would be printed are another each time and mean nothing.

use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::HttpRequest;
use actix_web::http::header;

/// What stands before something that is another each time, and where it ends.
const CHANGING: [(&str, char); 2] = [("name=\"_token\" value=\"", '"'), ("data-printed>", '<')];

/// The weak tag of a page: compressed or not, it says the same. `session`: whose tokens are in it, as those of another
/// session are of no use.
pub fn of(page: &str, session: &str) -> String {
    let mut hasher = DefaultHasher::new();
    session.hash(&mut hasher);
    let mut rest = page;
    while let Some((at, end)) = next(rest) {
        rest[..at].hash(&mut hasher);
        rest = rest[at..].find(end).map_or("", |length| &rest[at + length..]);
    }
    rest.hash(&mut hasher);
    format!("W/\"{:016x}\"", hasher.finish())
}

/// Where the next changing part begins, and what ends it.
fn next(text: &str) -> Option<(usize, char)> {
    let places = CHANGING.iter().filter_map(|(mark, end)| text.find(mark).map(|at| (at + mark.len(), *end)));
    places.min_by_key(|(at, _)| *at)
}

/// Whether the browser says that it has this.
pub fn is_known(req: &HttpRequest, tag: &str) -> bool {
    let known = req.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    known.split(',').any(|one| one.trim() == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_the_time_of_printing_do_not_count_and_all_else_does() {
        let page = |token: &str, key: &str, at: &str| {
            format!(
                "<input name=\"_token\" value=\"{token}\"><input name=\"_key\" value=\"{key}\"><p data-printed>{at}</p>end"
            )
        };
        let tag = of(&page("a", "k", "10:00"), "session");
        assert_eq!(tag, of(&page("bb", "k", "10:01"), "session"));
        assert_ne!(tag, of(&page("a", "other", "10:00"), "session"));
        assert_ne!(tag, of(&page("a", "k", "10:00"), "the next session"));
        assert_ne!(of("one", ""), of("two", ""));
    }
}
