//! The switcher as a page with a search form, and its hits as a fragment for the popover: the same address, the same
//! rules, with and without script.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use super::{Around, COUNTED, Chain, Found, MOST_HITS};
use crate::access::In;
use crate::access::policy::SeeAccount;
use crate::problem::Problem;
use crate::text::count;
use crate::web::site::Keep;
use crate::web::{Filled, Reply, Section, Sent, Shell, Site, once};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SwitchQuery {
    from: String,
    q: String,
    part: String,
}

impl SwitchQuery {
    /// The section to stay in; the switcher itself is none.
    fn section(&self) -> Section {
        Section::of_slug(&self.from).filter(|section| *section != Section::Switch).unwrap_or(Section::Dashboard)
    }
}

/// One account to go to.
struct Hit {
    number: usize,
    href: String,
    name: String,
    path: String,
    short_path: String,
    short_id: String,
    current: bool,
}

struct Group {
    number: usize,
    label: &'static str,
    hits: Vec<Hit>,
}

#[derive(Template)]
#[template(path = "switcher/hits.html")]
struct HitsPart {
    groups: Vec<Group>,
    status: String,
}

#[derive(Template)]
#[template(path = "switcher/index.html")]
struct SwitchPage {
    shell: Shell,
    account: String,
    name: String,
    from: &'static str,
    text: String,
    groups: Vec<Group>,
    status: String,
    is_favourite: bool,
    has_recents: bool,
    form: Filled,
    recents_form: Filled,
}

/// GET /a/{account}/switch?from=&q=
pub async fn index(by: In<SeeAccount>, site: Site, query: Query<SwitchQuery>) -> Result<HttpResponse, Problem> {
    let (section, text) = (query.section(), query.q.trim().to_owned());
    let (grant, wanted) = (by.clone(), text.clone());
    let (around, found) = site
        .pool
        .read_long(move |db| {
            if wanted.is_empty() {
                Ok((super::around(db, &grant)?, None))
            } else {
                Ok((Around::default(), Some(super::search(db, &grant, &wanted)?)))
            }
        })
        .await?;
    let current = &by.account().id;
    let (groups, status) = match &found {
        Some(found) => (groups_of(vec![("Accounts", &found.hits)], section, current), status_of(found)),
        None => offered(&around, section, current),
    };
    if query.part == "hits" {
        return site.page(&HitsPart { groups, status }, Keep::Private);
    }
    let page = SwitchPage {
        shell: site.shell(&by, Section::Switch, Section::Switch.label()),
        account: current.clone(),
        name: by.account().name.clone(),
        from: section.slug(),
        text,
        groups,
        status,
        is_favourite: around.is_favourite,
        has_recents: !around.recents.is_empty(),
        form: Filled::with([]),
        recents_form: Filled::with([]),
    };
    site.page(&page, Keep::Private)
}

fn offered(around: &Around, section: Section, current: &str) -> (Vec<Group>, String) {
    let here: Vec<Chain> = around.current.iter().cloned().collect();
    let up: Vec<Chain> = around.parent.iter().cloned().collect();
    let lists = vec![
        ("Current", &here),
        ("Up one", &up),
        ("Favourites", &around.favourites),
        ("Recent", &around.recents),
        ("Your accounts", &around.yours),
        ("Child accounts", &around.children),
    ];
    (groups_of(lists, section, current), "Type to search all accounts".to_owned())
}

fn status_of(found: &Found) -> String {
    match (found.hits.len(), found.total) {
        (0, Some(_)) => "No account matches".to_owned(),
        (1, Some(_)) => "1 account".to_owned(),
        (shown, Some(total)) if shown < MOST_HITS || total <= MOST_HITS => format!("{shown} accounts"),
        (shown, Some(total)) if total >= COUNTED => format!("Showing {shown} of more than 1,000, type more"),
        (shown, Some(total)) => format!("Showing {shown} of {total}, type more"),
        (0, None) => "No account found yet, type more".to_owned(),
        (shown, None) if shown < MOST_HITS => format!("{shown} accounts; there may be others, type more"),
        (shown, None) => format!("Showing the first {shown}, type more"),
    }
}

fn groups_of(lists: Vec<(&'static str, &Vec<Chain>)>, section: Section, current: &str) -> Vec<Group> {
    let mut number = 0;
    let mut groups = Vec::new();
    for (label, chains) in lists.into_iter().filter(|(_, chains)| !chains.is_empty()) {
        let hits = chains
            .iter()
            .map(|chain| {
                number += 1;
                hit(chain, number, section, current)
            })
            .collect();
        groups.push(Group { number: groups.len() + 1, label, hits });
    }
    groups
}

fn hit(chain: &Chain, number: usize, section: Section, current: &str) -> Hit {
    let last = &chain[chain.len() - 1];
    let names: Vec<&str> = chain[..chain.len() - 1]
        .iter()
        .map(|step| if step.held.is_empty() { "restricted" } else { step.place.name.as_str() })
        .collect();
    let href = if section.needs().met_by(last.held) {
        format!("/a/{}/{}", last.place.id, section.slug())
    } else {
        format!("/a/{}/dashboard?denied={}", last.place.id, section.slug())
    };
    Hit {
        number,
        href,
        name: last.place.name.clone(),
        short_path: cut_middle(&names),
        path: whole(&names),
        short_id: last.place.id.chars().take(9).collect(),
        current: last.place.id == current,
    }
}

/// Levels of a path that are all named; fifty hits of a thousand levels each would be megabytes.
const MOST_LEVELS: usize = 60;

/// The whole path; of a chain deeper than anybody reads, both ends.
fn whole(names: &[&str]) -> String {
    if names.len() <= MOST_LEVELS {
        return names.join(" / ");
    }
    let half = MOST_LEVELS / 2;
    let (start, end) = (&names[..half], &names[names.len() - half..]);
    let left_out = i64::try_from(names.len() - MOST_LEVELS).unwrap_or(i64::MAX);
    let left_out = count(left_out, "more level", "more levels");
    format!("{} / … {left_out} … / {}", start.join(" / "), end.join(" / "))
}

/// A long path without its middle levels; both ends tell most. A path of two long names is cut by the letter.
fn cut_middle(names: &[&str]) -> String {
    const LONGEST: usize = 48;
    let letters: usize = names.iter().map(|name| name.chars().count() + " / ".len()).sum();
    let short = match names {
        [first, _, .., last] if letters > LONGEST + " / ".len() => format!("{first} / … / {last}"),
        _ => names.join(" / "),
    };
    let letters: Vec<char> = short.chars().collect();
    if letters.len() <= LONGEST {
        return short;
    }
    let end = LONGEST / 2 - 1;
    let (start, finish): (String, String) =
        (letters[..end].iter().collect(), letters[letters.len() - end..].iter().collect());
    format!("{} … {}", start.trim_end(), finish.trim_start())
}

/// GET of an address that only takes forms: back to the switcher.
pub async fn back(by: In<SeeAccount>, site: Site) -> HttpResponse {
    site.see(&Reply::to(format!("/a/{}/switch", by.account().id), ""))
}

/// POST /a/{account}/switch/favourite
pub async fn mark(by: In<SeeAccount>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &["favourite"])?;
    let done = site.pool.write(move |db| {
        let mut check = form.check();
        let favourite = check.one_of("favourite", "Choose to add or to remove", &[("add", true), ("remove", false)]);
        check.finish()?;
        once(db, by.actor().key, &form.receipt(), |db| {
            let favourite = favourite.unwrap_or(false);
            super::mark(db, &by, favourite)?;
            let name = &by.account().name;
            let sentence = if favourite {
                format!("{name} is a favourite now.")
            } else {
                format!("{name} is no favourite any more.")
            };
            Ok(Reply::to(format!("/a/{}/switch", by.account().id), sentence))
        })
    });
    Ok(site.see(&done.await?))
}

/// POST /a/{account}/switch/recents: forgets them.
pub async fn clear(by: In<SeeAccount>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[])?;
    let done = site.pool.write(move |db| {
        form.check().finish()?;
        once(db, by.actor().key, &form.receipt(), |db| {
            super::clear_recents(db, &by)?;
            Ok(Reply::to(format!("/a/{}/switch", by.account().id), "Your recent accounts are forgotten."))
        })
    });
    Ok(site.see(&done.await?))
}

#[cfg(test)]
mod tests {
    use super::{cut_middle, whole};

    #[test]
    fn a_chain_of_a_thousand_levels_names_both_ends() {
        let names: Vec<String> = (0..999).map(|level| format!("Level {level}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let path = whole(&names);
        assert!(path.starts_with("Level 0 / Level 1 / ") && path.ends_with(" / Level 997 / Level 998"), "{path}");
        assert!(path.contains("Level 29 / … 939 more levels … / Level 969 / "), "{path}");
        assert_eq!(whole(&names[..60]), names[..60].join(" / "));
        assert!(whole(&names[..61]).contains("Level 29 / … 1 more level … / Level 31 / "), "{}", whole(&names[..61]));
    }

    #[test]
    fn long_paths_keep_both_ends() {
        let names = ["Northwind Group", "EMEA Managed Services", "Germany", "Retail"];
        assert_eq!(cut_middle(&names), "Northwind Group / … / Retail");
        assert_eq!(cut_middle(&["Acme"]), "Acme");
        assert_eq!(cut_middle(&[&"x".repeat(64), &"y".repeat(64)]).chars().count(), 49);
    }
}
