//! The list of ports: of this account with those offered from above, or of everything below.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use super::view::{self, Gauge, Pager};
use crate::access::policy::{CreatePorts, ReadPorts};
use crate::access::{Frame, In, lookup};
use crate::ids;
use crate::ports::choices;
use crate::ports::list::{self, Filter, Row, Scope, Sort, Whose};
use crate::ports::state::State;
use crate::problem::Problem;
use crate::store::Db;
use crate::text;
use crate::web::paging::{PAGE, PageQuery, Paged, Want};
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Reply, Section, Shell, Site};

/// The list as its address says it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    scope: String,
    state: String,
    whose: String,
    sort: String,
    #[serde(flatten)]
    pub page: PageQuery,
}

const STATES: [(&str, &str, Option<State>); 4] = [
    ("", "All but deleted", None),
    ("requested", "Requested", Some(State::Requested)),
    ("active", "Active", Some(State::Active)),
    ("deleted", "Deleted", Some(State::Deleted)),
];
const WHOSE: [(&str, &str, Whose); 3] =
    [("", "Own and shared", Whose::Any), ("own", "Own", Whose::Own), ("shared", "Shared", Whose::Shared)];

impl ListQuery {
    /// What it does not know is no filter.
    pub fn filter(&self) -> Filter {
        let (descending, sort) = match self.sort.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, self.sort.as_str()),
        };
        Filter {
            scope: if self.scope == "below" { Scope::Below } else { Scope::Here },
            state: STATES.iter().find(|(value, ..)| *value == self.state).and_then(|(.., state)| *state),
            whose: WHOSE.iter().find(|(value, ..)| *value == self.whose).map_or(Whose::Any, |(.., whose)| *whose),
            sort: if sort == "created" { Sort::Created } else { Sort::Name },
            descending,
        }
    }
}

fn state_word(filter: &Filter) -> &'static str {
    STATES.iter().find(|(.., state)| *state == filter.state).map_or("", |(value, ..)| value)
}

fn whose_word(filter: &Filter) -> &'static str {
    WHOSE.iter().find(|(.., whose)| *whose == filter.whose).map_or("", |(value, ..)| value)
}

/// The query string that says the same.
pub fn address(filter: &Filter) -> String {
    let sort = match (filter.sort, filter.descending) {
        (Sort::Name, false) => "",
        (Sort::Name, true) => "-name",
        (Sort::Created, false) => "created",
        (Sort::Created, true) => "-created",
    };
    let scope = if filter.scope == Scope::Below { "below" } else { "" };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in
        [("scope", scope), ("state", state_word(filter)), ("whose", whose_word(filter)), ("sort", sort)]
    {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

/// A column one can sort by.
struct Heading {
    label: &'static str,
    href: String,
    state: &'static str,
}

fn heading(filter: &Filter, label: &'static str, sort: Sort) -> Heading {
    let current = filter.sort == sort;
    let descending = current && !filter.descending;
    let state = match (current, filter.descending) {
        (false, _) => "",
        (true, false) => "ascending",
        (true, true) => "descending",
    };
    Heading { label, href: format!("?{}", address(&Filter { sort, descending, ..*filter })), state }
}

#[derive(Template)]
#[template(path = "ports/index.html")]
struct IndexPage {
    shell: Shell,
    account: String,
    name: String,
    filter: Filter,
    states: Vec<(&'static str, &'static str)>,
    state: &'static str,
    whose: Vec<(&'static str, &'static str)>,
    whose_now: &'static str,
    is_filtered: bool,
    chips: Vec<(String, String)>,
    found: String,
    by_name: Heading,
    by_created: Heading,
    items: Vec<Item>,
    pager: Pager,
    /// How many are below; None where the reader's role does not reach there.
    below: Option<i64>,
    here_link: String,
    below_link: String,
    clear_link: String,
    first_link: String,
    last_link: String,
    csv_link: String,
    may_order: bool,
}

/// One port as the list shows it.
pub struct Item {
    pub href: String,
    pub id: String,
    pub name: String,
    /// "Own", "Shared by Acme"; in the roll-up the account's name.
    pub owner: String,
    pub own: bool,
    pub path: String,
    pub place: String,
    pub state: State,
    pub failed: bool,
    pub speed: String,
    pub gauge: Gauge,
    /// "offered to child accounts"; empty for not.
    pub offered: String,
    pub created: When,
}

/// GET /a/{account}/ports?scope=&state=&whose=&sort=
pub async fn show(by: In<ReadPorts>, site: Site, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let (grant, filter, want) = (by.clone(), query.filter(), query.page.want());
    let reaches = by.frame().may_below::<ReadPorts>();
    let read = move |db: &mut Db| {
        let account = grant.account();
        if filter.scope == Scope::Below && !reaches {
            return Ok((Vec::new(), Vec::new(), 0, 0));
        }
        let all_below = Filter { scope: Scope::Below, ..Filter::default() };
        let below = if reaches { list::count(db, account.key, &all_below)? } else { 0 };
        let found = list::count(db, account.key, &filter)?;
        let rows = list::page(db, account.key, &filter, &want, PAGE)?;
        let items = items(db, grant.frame(), &rows, filter.scope)?;
        Ok((rows, items, found, below))
    };
    let (rows, items, found, below) = site.pool.read_long(read).await?;
    let rest = address(&filter);
    let and = if rest.is_empty() { "" } else { "&" };
    let last_link = format!("?{rest}{and}page=last");
    if rows.is_empty() && found > 0 && query.page.want() != Want::Last {
        // Beyond the end, as rows went meanwhile.
        return Ok(site.see(&Reply::to(format!("/a/{}/ports{last_link}", by.account().id), "")));
    }
    let pairs: Vec<(Row, Item)> = rows.into_iter().zip(items).collect();
    let paged = Paged::new(pairs, &query.page, &rest, Some(found), |(row, _)| row.cursor(filter.sort));
    let pager = Pager::of(&paged, "");
    let tail = |filter: Filter| format!("?{}", address(&filter));
    let plain = Filter { state: None, whose: Whose::Any, ..filter };
    let chip = |on: bool, words: &str, without: Filter| on.then(|| (words.to_owned(), tail(without)));
    let words_of = |value: &str, all: &[(&'static str, &'static str)]| {
        all.iter().find(|(known, _)| *known == value).map_or("", |(_, words)| *words)
    };
    let states: Vec<_> = STATES.iter().map(|(value, words, _)| (*value, *words)).collect();
    let whose: Vec<_> = WHOSE.iter().map(|(value, words, _)| (*value, *words)).collect();
    let (state, whose_now) = (state_word(&filter), whose_word(&filter));
    let chips = [
        chip(filter.state.is_some(), words_of(state, &states), Filter { state: None, ..filter }),
        chip(filter.whose != Whose::Any, words_of(whose_now, &whose), Filter { whose: Whose::Any, ..filter }),
    ];
    let page = IndexPage {
        shell: site.shell(&by, Section::Ports, Section::Ports.label()).noting(&pager.words),
        account: by.account().id.clone(),
        name: by.account().name.clone(),
        states,
        state,
        whose,
        whose_now,
        is_filtered: filter.state.is_some() || filter.whose != Whose::Any,
        chips: chips.into_iter().flatten().collect(),
        found: text::count(found, "port", "ports"),
        by_name: heading(&filter, "Name", Sort::Name),
        by_created: heading(&filter, "Created", Sort::Created),
        items: paged.rows.into_iter().map(|(_, item)| item).collect(),
        pager,
        below: reaches.then_some(below),
        here_link: tail(Filter { scope: Scope::Here, ..plain }),
        below_link: tail(Filter { scope: Scope::Below, ..plain }),
        clear_link: tail(plain),
        first_link: format!("?{rest}"),
        last_link,
        csv_link: format!("/a/{}/ports.csv?{rest}", by.account().id),
        may_order: by.frame().may::<CreatePorts>(),
        filter,
    };
    site.page(&page, Keep::Private)
}

/// The rows as people read them; one query more for the paths of a roll-up.
pub fn items(db: &mut Db, frame: &Frame, rows: &[Row], scope: Scope) -> Result<Vec<Item>, Problem> {
    let keys: Vec<_> = rows.iter().map(|row| row.account).collect();
    let paths =
        if scope == Scope::Below { lookup::paths(db, &keys, frame.account().depth)? } else { Default::default() };
    let here = frame.account();
    Ok(rows
        .iter()
        .map(|row| {
            let own = row.account == here.key;
            // What others use of a port from above is nobody's business here.
            let gauge = if own || scope == Scope::Below {
                Gauge::of(row.used_speed, row.speed)
            } else {
                Gauge { words: format!("{} used here", view::speed(row.own_use)), ..Gauge::of(row.own_use, row.speed) }
            };
            let at = if scope == Scope::Below { &row.account_id } else { &here.id };
            Item {
                href: format!("/a/{at}/ports/{}", row.id),
                id: row.id.clone(),
                name: row.name.clone(),
                owner: match scope {
                    Scope::Below => row.account_name.clone(),
                    Scope::Here if own => "Own".to_owned(),
                    Scope::Here => format!("Shared by {}", choices::owner(frame, row.account)),
                },
                own,
                path: paths.get(&row.account).map(|names| names.join(" / ")).unwrap_or_default(),
                place: format!("{}, {}", row.facility, row.location),
                state: row.state(),
                failed: row.state() == State::Requested && !row.error_code.is_empty(),
                speed: text::speed(row.speed),
                gauge,
                offered: if own || scope == Scope::Below { offered(row) } else { String::new() },
                created: When::day(row.created_at),
            }
        })
        .collect())
}

fn offered(row: &Row) -> String {
    match row.no_new_use_from {
        _ if !row.offered => String::new(),
        Some(from) if from <= ids::now() => "Closed to new use below".to_owned(),
        Some(from) => format!("Offered below until {}", When::day(from).words),
        None => "Offered below".to_owned(),
    }
}
