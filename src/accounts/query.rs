//! The Child Accounts list as its address says it: scope, view, filter, sort and page, and the addresses of its
//! neighbours.

use serde::Deserialize;

use super::list::{Filter, Scope, Sort};
use crate::access::Place;
use crate::web::paging::PageQuery;

/// What the address says about the list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    scope: String,
    view: String,
    pub open: String,
    q: String,
    sort: String,
    #[serde(flatten)]
    pub page: PageQuery,
}

impl ListQuery {
    pub fn filter(&self) -> Filter {
        let (descending, name) = match self.sort.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, self.sort.as_str()),
        };
        let sort = match name {
            "children" => Sort::Children,
            "created" => Sort::Created,
            _ => Sort::Name,
        };
        let scope = if self.scope == "below" { Scope::Below } else { Scope::Direct };
        let text: String = self.q.trim().chars().filter(|c| !c.is_control()).take(64).collect();
        Filter { scope, text, sort, descending }
    }

    pub fn is_tree(&self) -> bool {
        self.view == "tree"
    }
}

/// The query string of the same list with something else about it.
pub fn address(filter: &Filter, sort: Option<&str>, scope: Scope, keep_text: bool) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if scope == Scope::Below {
        query.append_pair("scope", "below");
    }
    if keep_text && !filter.text.is_empty() {
        query.append_pair("q", &filter.text);
    }
    let now = sort_word(filter);
    let sort = sort.unwrap_or(&now);
    if sort != "name" {
        query.append_pair("sort", sort);
    }
    query.finish()
}

fn sort_word(filter: &Filter) -> String {
    let name = match filter.sort {
        Sort::Name => "name",
        Sort::Children => "children",
        Sort::Created => "created",
    };
    if filter.descending { format!("-{name}") } else { name.to_owned() }
}

/// A column one can sort by; without an address, one cannot.
pub struct Heading {
    pub label: &'static str,
    pub href: String,
    pub state: &'static str,
    pub class: &'static str,
}

/// `account`: whose list it is, as not every large one can be sorted.
pub fn headings(filter: &Filter, account: &Place) -> Vec<Heading> {
    [
        ("Name", "name", Sort::Name, ""),
        ("Children", "children", Sort::Children, "num"),
        ("Created", "created", Sort::Created, "num"),
    ]
    .into_iter()
    .map(|(label, word, sort, class)| {
        let current = filter.sort == sort;
        let next = if current && !filter.descending { format!("-{word}") } else { word.to_owned() };
        let state = match (current, filter.descending) {
            (false, _) => "",
            (true, false) => "ascending",
            (true, true) => "descending",
        };
        let kept = Filter { sort, ..filter.clone() }.within(account).sort == sort;
        let href = if kept { format!("?{}", address(filter, Some(&next), filter.scope, true)) } else { String::new() };
        Heading { label, href, state, class }
    })
    .collect()
}
