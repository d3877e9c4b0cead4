//! A list of things as its address says it: of this account or of everything below, filtered, and which page. Networks
//! and connections have the same.

use serde::Deserialize;

use crate::web::paging::PageQuery;

/// What the address says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    scope: String,
    q: String,
    state: String,
    tag: String,
    kind: String,
    network: String,
    #[serde(flatten)]
    pub page: PageQuery,
}

/// Which things.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of everything below the account, not of the account itself.
    pub below: bool,
    /// Part of the name; empty for all, as the others.
    pub text: String,
    /// A state's code; without one, all that is not deleted.
    pub state: String,
    /// `name` or `name: value` of a tag.
    pub tag: String,
    pub kind: String,
    /// The id of a network.
    pub network: String,
}

impl ListQuery {
    /// `reaches_below`: whether the reader may read what is below.
    pub fn filter(&self, reaches_below: bool) -> Filter {
        let clean = |text: &str| -> String { text.trim().chars().filter(|c| !c.is_control()).take(100).collect() };
        Filter {
            below: reaches_below && self.scope == "below",
            text: clean(&self.q),
            state: clean(&self.state),
            tag: clean(&self.tag),
            kind: clean(&self.kind),
            network: clean(&self.network),
        }
    }
}

impl Filter {
    /// Whether anything is left out of the list.
    pub fn is_on(&self) -> bool {
        *self != Filter { below: self.below, ..Filter::default() }
    }

    /// The name of the tag and its value, where one was given.
    pub fn tag_parts(&self) -> Option<(String, Option<String>)> {
        if self.tag.is_empty() {
            return None;
        }
        Some(match self.tag.split_once([':', '=']) {
            Some((name, value)) => (name.trim().to_owned(), Some(value.trim().to_owned())),
            None => (self.tag.clone(), None),
        })
    }

    /// The query string of this list.
    pub fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if self.below {
            query.append_pair("scope", "below");
        }
        let pairs = [
            ("q", &self.text),
            ("state", &self.state),
            ("kind", &self.kind),
            ("network", &self.network),
            ("tag", &self.tag),
        ];
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        query.finish()
    }

    /// What is filtered by, in words, each with the list without it.
    pub fn chips(&self, state: &str, kind: &str, network: &str) -> Vec<(String, String)> {
        let all = [
            (&self.text, format!("Name: {}", self.text), Filter { text: String::new(), ..self.clone() }),
            (&self.state, format!("State: {state}"), Filter { state: String::new(), ..self.clone() }),
            (&self.kind, format!("Kind: {kind}"), Filter { kind: String::new(), ..self.clone() }),
            (&self.network, format!("Network: {network}"), Filter { network: String::new(), ..self.clone() }),
            (&self.tag, format!("Tag: {}", self.tag), Filter { tag: String::new(), ..self.clone() }),
        ];
        let on = all.into_iter().filter(|(value, _, _)| !value.is_empty());
        on.map(|(_, words, without)| (words, format!("?{}", without.query()))).collect()
    }

    /// The list without any filter.
    pub fn clear(&self) -> String {
        format!("?{}", Filter { below: self.below, ..Filter::default() }.query())
    }

    /// The same list of this account, and of all below.
    pub fn scopes(&self) -> (String, String) {
        let of = |below| format!("?{}", Filter { below, network: String::new(), ..self.clone() }.query());
        (of(false), of(true))
    }
}

/// The line below a list; keyset pages have no numbers to go to.
pub struct Pager {
    pub words: String,
    pub previous: String,
    pub next: String,
    pub links: Vec<(String, String, bool)>,
}

impl Pager {
    pub fn of<T>(paged: &crate::web::paging::Paged<T>) -> Pager {
        let href = |query: &str| if query.is_empty() { String::new() } else { format!("?{query}") };
        Pager { words: paged.words(), previous: href(&paged.previous), next: href(&paged.next), links: Vec::new() }
    }

    pub fn is_single(&self) -> bool {
        self.previous.is_empty() && self.next.is_empty()
    }
}
