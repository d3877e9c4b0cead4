//! Keyset paging: a page starts after (or ends before) the last row somebody saw, so page 1,000 costs what page 1
//! costs and new rows shift nothing. The page number in the address is for people only.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::ids::Key;
use crate::text::grouped;

/// Rows on a page.
pub const PAGE: usize = 50;

/// A place between two rows: the value sorted by, as text, and the row's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(pub String, pub Key);

impl Cursor {
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    fn decode(text: &str) -> Option<Cursor> {
        let cursor: Cursor = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        // No text in a database holds one.
        (!cursor.0.contains('\0')).then_some(cursor)
    }
}

/// The part of a query string that says which page.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PageQuery {
    after: String,
    before: String,
    page: String,
}

/// Which rows are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    First,
    After(Cursor),
    Before(Cursor),
    Last,
}

impl PageQuery {
    /// A cursor that cannot be read is the first page, as every address leads somewhere.
    pub fn want(&self) -> Want {
        if let Some(cursor) = Cursor::decode(&self.after) {
            return Want::After(cursor);
        }
        if let Some(cursor) = Cursor::decode(&self.before) {
            return Want::Before(cursor);
        }
        if self.page == "last" { Want::Last } else { Want::First }
    }

    /// 0 where nobody can tell: the last page of nobody knows how many, and those that one came to from there.
    fn number(&self, total: Option<i64>) -> i64 {
        match self.want() {
            Want::First => 1,
            Want::Last => total.map_or(0, pages),
            _ => self.page.parse().unwrap_or(0).clamp(0, 1_000_000_000),
        }
    }
}

/// How many pages the total makes; at least one.
pub fn pages(total: i64) -> i64 {
    ((total + PAGE as i64 - 1) / PAGE as i64).max(1)
}

/// Whether the query runs against the sort order (then [`Paged::new`] turns the rows round).
pub fn is_backward(want: &Want) -> bool {
    matches!(want, Want::Before(_) | Want::Last)
}

/// One page of rows and where the neighbours are.
#[derive(Debug)]
pub struct Paged<T> {
    pub rows: Vec<T>,
    /// Query strings of the neighbouring pages, without a leading `?`; empty when there is none.
    pub previous: String,
    pub next: String,
    pub number: i64,
    pub total: Option<i64>,
}

impl<T> Paged<T> {
    /// Goes on from `cursor` though this page is not full, as there is more to look through beyond it.
    #[must_use]
    pub fn going_on(mut self, query: &PageQuery, rest: &str, cursor: &Cursor) -> Paged<T> {
        let number = query.number(self.total);
        if is_backward(&query.want()) {
            self.previous = link(rest, "before", cursor, step(number, -1));
        } else {
            self.next = link(rest, "after", cursor, step(number, 1));
        }
        self
    }

    /// `rows`: up to `PAGE + 1` as the query gave them; `rest`: the query string that every page keeps (filter, sort);
    /// `cursor`: where a row stands in the order.
    pub fn new(
        mut rows: Vec<T>,
        query: &PageQuery,
        rest: &str,
        total: Option<i64>,
        cursor: impl Fn(&T) -> Cursor,
    ) -> Paged<T> {
        let want = query.want();
        let more = rows.len() > PAGE;
        rows.truncate(PAGE);
        if is_backward(&want) {
            rows.reverse();
        }
        let number = query.number(total);
        let (has_previous, has_next) = match want {
            Want::First => (false, more),
            Want::After(_) => (true, more),
            Want::Before(_) => (more, true),
            Want::Last => (more, false),
        };
        // Where nothing is left on this page, the way out leads to the first.
        let first = || url::form_urlencoded::Serializer::new(rest.to_owned()).append_pair("page", "1").finish();
        let to =
            |name: &str, row: Option<&T>, page: i64| row.map_or_else(first, |row| link(rest, name, &cursor(row), page));
        let previous = if has_previous { to("before", rows.first(), step(number, -1)) } else { String::new() };
        let next = if has_next { to("after", rows.last(), step(number, 1)) } else { String::new() };
        Paged { rows, previous, next, number, total }
    }

    /// "Page 2 of 7" where the total is known, and nothing where one page holds all.
    pub fn words(&self) -> String {
        match self.total {
            Some(total) if pages(total) > 1 => {
                let number = self.number.clamp(1, pages(total));
                format!("Page {} of {}", grouped(number), grouped(pages(total)))
            }
            None if self.is_single() => String::new(),
            None if self.number > 0 => format!("Page {}", grouped(self.number)),
            None if self.next.is_empty() => "Last page".to_owned(),
            _ => String::new(),
        }
    }

    pub fn is_single(&self) -> bool {
        self.previous.is_empty() && self.next.is_empty()
    }
}

/// The query string of the page that starts at a place.
pub fn starting_at(rest: &str, place: &Cursor) -> String {
    link(rest, "after", place, 0)
}

/// The number of a neighbour, where this one has a number.
fn step(number: i64, by: i64) -> i64 {
    if number == 0 { 0 } else { (number + by).max(1) }
}

/// The query string of another page; a page of 0 has no number.
fn link(rest: &str, name: &str, cursor: &Cursor, page: i64) -> String {
    let mut query = url::form_urlencoded::Serializer::new(rest.to_owned());
    query.append_pair(name, &cursor.encode());
    if page > 0 {
        query.append_pair("page", &page.to_string());
    }
    query.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_a_page_on_which_nothing_is_left_the_way_leads_to_the_first() {
        let beyond = Cursor(String::new(), 1).encode();
        let page =
            |query: PageQuery| Paged::new(Vec::new(), &query, "q=x", None, |key: &Key| Cursor(String::new(), *key));
        let after = page(PageQuery { after: beyond.clone(), ..PageQuery::default() });
        assert_eq!((after.previous.as_str(), after.next.as_str()), ("q=x&page=1", ""));
        let before = page(PageQuery { before: beyond, ..PageQuery::default() });
        assert_eq!((before.previous.as_str(), before.next.as_str()), ("", "q=x&page=1"));
        assert!(page(PageQuery::default()).is_single(), "an empty list has one page");
    }

    #[test]
    fn cursors_survive_an_address_and_nonsense_is_the_first_page() {
        let cursor = Cursor("ärger \" &".to_owned(), 42);
        let query = PageQuery { after: cursor.encode(), ..PageQuery::default() };
        assert_eq!(query.want(), Want::After(cursor));
        assert_eq!(PageQuery { after: "!!".to_owned(), ..PageQuery::default() }.want(), Want::First);
    }

    #[test]
    fn the_ends_have_no_neighbour() {
        let rows: Vec<i64> = (0..51).collect();
        let paged = Paged::new(rows, &PageQuery::default(), "sort=name", Some(51), |r| Cursor(r.to_string(), *r));
        assert!(paged.previous.is_empty());
        assert!(paged.next.starts_with("sort=name&after="));
        assert_eq!(paged.words(), "Page 1 of 2");
        assert_eq!(paged.rows.len(), 50);
    }
}
