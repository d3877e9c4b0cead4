//! "Who can reach this account": everybody whose roles hold in it, people of the accounts above included, those who can
//! do most first. Filters are the address; a page costs the same number of queries for ten people and 100,000.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use chrono::{Duration, NaiveDateTime};

use super::filter::{self, Asked, Chip, Filter};
use super::store::{self, Person, Ranks};
use super::{Way, power};
use crate::access::policy::{Permissions, ReadMembers};
use crate::access::{Frame, Grant, In, words};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::roles;
use crate::store::Db;
use crate::text;
use crate::web::paging::{Cursor, PAGE, PageQuery, Paged, Want};
use crate::web::shell::Section;
use crate::web::site::Keep;
use crate::web::when::{self, When};
use crate::web::{Filled, Shell, Site, csv};

/// What "ends soon" means: the first reminder is sent then, too.
pub const SOON: Duration = Duration::days(30);
/// Ways shown in a row; the others are on the person's own page.
const WAYS_SHOWN: usize = 3;
const EXPORTED_AT_ONCE: usize = 2_000;
const MOST_EXPORTED: usize = 100_000;

#[derive(Template)]
#[template(path = "command/reach.html")]
struct ReachPage {
    shell: Shell,
    form: Filled,
    powers: Vec<(String, String)>,
    given: [(&'static str, &'static str); 3],
    chips: Vec<Chip>,
    lede: String,
    people: Vec<PersonView>,
    pager: String,
    previous: String,
    next: String,
    /// Pages that start after a row have no numbers to jump to.
    numbers: &'static [(String, String, bool)],
    export: String,
}

struct PersonView {
    name: String,
    email: String,
    is_me: bool,
    powers: String,
    ways: Vec<WayView>,
    more: String,
    why: String,
}

/// A role somebody has, and where from.
struct WayView {
    role: String,
    place: String,
    href: String,
    scope: &'static str,
    until: Option<When>,
    soon: bool,
}

/// What a page of the list reads.
struct Found {
    people: Vec<(Person, Vec<Way>)>,
    total: i64,
}

/// GET /a/{account}/reach
pub async fn index(by: In<ReadMembers>, site: Site) -> Result<HttpResponse, Problem> {
    let query = site.req.query_string();
    let page = Query::<PageQuery>::from_query(query).map(Query::into_inner).unwrap_or_default();
    let Asked { filter, form, query: rest, chips } = filter::read(query);
    let (grant, want) = (by.clone(), page.want());
    let found = site.pool.read_long(move |db| find(db, &grant, &filter, &want)).await?;
    let list = Paged::new(found.people, &page, &rest, Some(found.total), |(person, _)| cursor(person));
    let words = list.words();
    let link = |query: &str| if query.is_empty() { String::new() } else { format!("?{query}") };
    let account = by.account();
    let page = ReachPage {
        shell: site.shell(&by, Section::Chain, "Who can reach this account").noting(&words),
        form,
        powers: power::options("Anything"),
        given: filter::GIVEN,
        lede: lede(&account.name, found.total, chips.is_empty()),
        chips,
        pager: if words.is_empty() { text::count(found.total, "person", "people") } else { words },
        previous: link(&list.previous),
        next: link(&list.next),
        numbers: &[],
        people: list.rows.iter().map(|(person, ways)| person_view(by.frame(), person, ways)).collect(),
        export: format!("/a/{}/reach.csv?{rest}", account.id),
    };
    site.page(&page, Keep::Nothing)
}

fn lede(name: &str, total: i64, whole: bool) -> String {
    if !whole {
        return format!("{} with these filters", text::count(total, "person", "people"));
    }
    match total {
        1 => format!("One person can act in {name}."),
        many => format!("{many} people can act in {name}. Those who can do most come first."),
    }
}

fn cursor(person: &Person) -> Cursor {
    Cursor(person.email_key.clone(), person.place)
}

fn find(db: &mut Db, by: &Grant<ReadMembers>, filter: &Filter, want: &Want) -> Result<Found, Problem> {
    let roles = roles::available(db, by.frame())?;
    let ranks = Ranks::of(&roles, filter);
    let total = store::count(db, by.account().key, &ranks, filter)?;
    Ok(Found { people: with_ways(db, by, &ranks, filter, want, PAGE + 1)?, total })
}

/// A page of people, each with what reaches the account, the strongest first.
fn with_ways(
    db: &mut Db,
    by: &Grant<ReadMembers>,
    ranks: &Ranks,
    filter: &Filter,
    want: &Want,
    limit: usize,
) -> Result<Vec<(Person, Vec<Way>)>, Problem> {
    let account = by.account().key;
    let people = store::people(db, account, ranks, filter, want, limit)?;
    let keys: Vec<Key> = people.iter().map(|person| person.key).collect();
    let now = ids::now();
    let mut ways: std::collections::HashMap<Key, Vec<Way>> = std::collections::HashMap::new();
    for way in store::ways(db, account, &keys)?.into_iter().filter(|way| way.reaches() && way.is_live(now)) {
        ways.entry(way.user).or_default().push(way);
    }
    let of = |person: Person| {
        let mut ways = ways.remove(&person.key).unwrap_or_default();
        ways.sort_by_key(|way| -power::strength(way.permissions));
        (person, ways)
    };
    Ok(people.into_iter().map(of).collect())
}

fn sum(ways: &[Way]) -> Permissions {
    ways.iter().fold(Permissions::NONE, |sum, way| sum.and(way.permissions))
}

fn person_view(frame: &Frame, person: &Person, ways: &[Way]) -> PersonView {
    let now = ids::now();
    let more = ways.len().saturating_sub(WAYS_SHOWN);
    PersonView {
        name: person.name(),
        email: person.email.clone(),
        is_me: person.key == frame.actor.key,
        powers: words::powers(sum(ways)),
        ways: ways.iter().take(WAYS_SHOWN).map(|way| way_view(frame, way, now)).collect(),
        more: if more == 0 { String::new() } else { format!("and {more} more") },
        why: format!("/a/{}/members/{}/why", frame.account().id, person.id),
    }
}

fn way_view(frame: &Frame, way: &Way, now: NaiveDateTime) -> WayView {
    let here = way.distance == 0;
    let seen = frame.step(way.at).filter(|step| !here && !step.held.is_empty());
    WayView {
        role: way.role.clone(),
        place: if here { "this account".to_owned() } else { way.place(frame) },
        href: seen.map_or_else(String::new, |step| format!("/a/{}/dashboard", step.place.id)),
        scope: super::scope_words(way.scope),
        until: when::last_day(way.until),
        soon: way.until <= now + SOON,
    }
}

/// GET /a/{account}/reach.csv
pub async fn export(by: In<ReadMembers>, site: Site) -> Result<HttpResponse, Problem> {
    let filter = filter::read(site.req.query_string()).filter;
    let name = format!("who-can-reach-{}.csv", by.account().id);
    let bytes = site.pool.read_long(move |db| table(db, &by, &filter)).await?;
    Ok(csv::answer(&name, bytes))
}

/// One row for each role, so that a spreadsheet can sort and count them.
fn table(db: &mut Db, by: &Grant<ReadMembers>, filter: &Filter) -> Result<Vec<u8>, Problem> {
    let head =
        ["Name", "Email", "User id", "Can do", "Role", "Given in", "Account id", "Scope", "Since", "Until", "Given by"];
    let mut table = csv::Table::new(&head)?;
    let ranks = Ranks::of(&roles::available(db, by.frame())?, filter);
    let (mut want, mut left) = (Want::First, MOST_EXPORTED);
    loop {
        let people = with_ways(db, by, &ranks, filter, &want, EXPORTED_AT_ONCE.min(left))?;
        for (person, ways) in &people {
            for way in ways {
                table.row(&cells(by.frame(), person, way, &words::powers(sum(ways))))?;
            }
        }
        left -= people.len();
        match people.last() {
            Some((last, _)) if people.len() == EXPORTED_AT_ONCE && left > 0 => want = Want::After(cursor(last)),
            _ => return table.finish(),
        }
    }
}

fn cells(frame: &Frame, person: &Person, way: &Way, powers: &str) -> Vec<String> {
    let seen = frame.step(way.at).filter(|step| !step.held.is_empty());
    vec![
        person.name(),
        person.email.clone(),
        person.id.clone(),
        powers.to_owned(),
        way.role.clone(),
        way.place(frame),
        seen.map_or_else(String::new, |step| step.place.id.clone()),
        way.scope.words().to_owned(),
        when::iso(way.since),
        if way.until < ids::never() { when::iso(way.until) } else { String::new() },
        way.granted_by.clone().filter(|_| seen.is_some()).unwrap_or_default(),
    ]
}
