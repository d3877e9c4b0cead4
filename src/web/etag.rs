//! Entity tags of pages: a page that says what the browser has already is not sent again. Tokens of forms and the time at
//! which a page would be printed are another each time and mean nothing.

use actix_web::HttpRequest;
use actix_web::http::header;
use memchr::{memchr, memmem};
use xxhash_rust::xxh3::Xxh3;

/// What stands before something that is another each time, and where it ends.
const CHANGING: [(&str, u8); 2] = [("name=\"_token\" value=\"", b'"'), ("data-printed>", b'<')];

/// The weak tag of a page: compressed or not, it says the same. `session`: whose tokens are in it, as those of another
/// session are of no use.
pub fn of(page: &str, session: &str) -> String {
    let mut hash = Xxh3::new();
    hash.update(session.as_bytes());
    hash.update(&[0]);
    let page = page.as_bytes();
    let mut from = 0;
    for (start, end) in changing(page) {
        // A mark inside of what another one began is no mark.
        if start >= from {
            hash.update(&page[from..start]);
            from = memchr(end, &page[start..]).map_or(page.len(), |length| start + length);
        }
    }
    hash.update(&page[from..]);
    format!("W/\"{:016x}\"", hash.digest())
}

/// Where the changing parts begin, in their order, and what ends each.
fn changing(page: &[u8]) -> Vec<(usize, u8)> {
    let places = |(mark, end): (&'static str, u8)| {
        memmem::find_iter(page, mark.as_bytes()).map(move |at| (at + mark.len(), end)).collect::<Vec<_>>()
    };
    let mut all: Vec<(usize, u8)> = CHANGING.into_iter().flat_map(places).collect();
    all.sort_unstable();
    all
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
