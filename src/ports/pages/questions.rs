//! The pages of an order: what stands in the way, where, and what kind of port.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::check;
use super::order::Read;
use crate::access::In;
use crate::access::policy::CreatePorts;
use crate::catalogue::{Facility, SupportedPort, Term};
use crate::ledger::money;
use crate::ledger::prices::Plan;
use crate::problem::Problem;
use crate::readiness::Blocker;
use crate::text;
use crate::web::site::Keep;
use crate::web::{Filled, Section, Shell, Site};

#[derive(Template)]
#[template(path = "ports/order_blocked.html")]
struct BlockedPage {
    shell: Shell,
    blockers: Vec<Step>,
    /// A limit that is reached, in words; empty for none.
    limit: String,
}

/// What to do before anything can be ordered.
struct Step {
    words: String,
    code: &'static str,
    /// Up to three people who can; empty where it is the reader, or nobody is known.
    who: String,
    may: bool,
}

#[derive(Template)]
#[template(path = "ports/order_place.html")]
struct PlacePage {
    shell: Shell,
    places: Vec<Place>,
}

struct Place {
    id: String,
    name: String,
    location: String,
    vendor: String,
    address: String,
    speeds: String,
    from: String,
}

#[derive(Template)]
#[template(path = "ports/order_form.html")]
struct FormPage {
    shell: Shell,
    form: Filled,
    facility: Facility,
    lines: Vec<(String, String, String)>,
    domains: Vec<(String, String, String)>,
    media: Vec<(String, String)>,
    terms: Vec<(String, String, String)>,
    prices: Vec<PriceRow>,
    offered_hint: &'static str,
}

/// What one speed costs for each term.
struct PriceRow {
    speed: String,
    cells: Vec<(&'static str, String)>,
}

pub fn blocked(by: &In<CreatePorts>, site: &Site, read: &Read, status: StatusCode) -> Result<HttpResponse, Problem> {
    let held = by.frame().held();
    let step = |(blocker, who): (&Blocker, &Vec<String>)| {
        let may = blocker.needs().met_by(held);
        Step {
            words: blocker.words(),
            code: blocker.code(),
            who: if may { String::new() } else { who.join(", ") },
            may,
        }
    };
    let page = BlockedPage {
        shell: site.shell(by, Section::Ports, "Order a port"),
        blockers: read.blockers.iter().zip(&read.who).map(step).collect(),
        limit: read.limit.clone(),
    };
    site.page_with(status, &page, Keep::Nothing)
}

pub fn places(by: &In<CreatePorts>, site: &Site, read: &Read) -> Result<HttpResponse, Problem> {
    let places = read.lines.chunk_by(|one, other| one.facility.id == other.facility.id).filter_map(|lines| {
        let facility = &lines.first()?.facility;
        let mut speeds: Vec<i64> = lines.iter().map(|line| line.speed).collect();
        speeds.dedup();
        let plans = lines.iter().flat_map(|line| Term::EVERY.map(|term| read.plan(line, term)));
        let least = plans.flatten().min_by_key(|plan| plan.amount);
        Some(Place {
            id: facility.id.clone(),
            name: facility.name.clone(),
            location: facility.location_name.clone(),
            vendor: facility.vendor.clone(),
            address: facility.address(),
            speeds: speeds.into_iter().map(text::speed).collect::<Vec<_>>().join(", "),
            from: least.map(monthly).unwrap_or_default(),
        })
    });
    let page = PlacePage { shell: site.shell(by, Section::Ports, "Order a port"), places: places.collect() };
    site.page(&page, Keep::Nothing)
}

/// "EUR 499.00 a month"
pub fn monthly(plan: &Plan) -> String {
    format!("{} a month", money::words(plan.amount, &plan.currency))
}

/// The same with what is due once.
fn in_full(plan: &Plan) -> String {
    if plan.setup_amount == 0 {
        return monthly(plan);
    }
    format!("{}, {} once", monthly(plan), money::words(plan.setup_amount, &plan.currency))
}

pub fn form(
    by: &In<CreatePorts>,
    site: &Site,
    read: &Read,
    mut form: Filled,
    status: StatusCode,
) -> Result<HttpResponse, Problem> {
    let lines = read.at(form.value("facility"));
    let Some(facility) = lines.first().map(|line| line.facility.clone()) else {
        return places(by, site, read);
    };
    let all = |of: fn(&SupportedPort) -> &Vec<String>| {
        let mut words: Vec<&String> = lines.iter().flat_map(|line| of(line)).collect();
        words.sort();
        words.dedup();
        words.into_iter().cloned().collect::<Vec<String>>()
    };
    let media = all(|line| &line.media_types);
    let domains = all(|line| &line.domains);
    // What there is no choice about is chosen.
    let only = |values: &[String]| values.first().filter(|_| values.len() == 1).cloned().unwrap_or_default();
    for (field, value) in [("domain", only(&domains)), ("media", only(&media))] {
        if form.value(field).is_empty() && !value.is_empty() {
            form.set(field, &value);
        }
    }
    let terms = Term::EVERY.into_iter().filter(|term| lines.iter().any(|line| line.prices.code(*term).is_some()));
    let page = FormPage {
        shell: site.shell(by, Section::Ports, &format!("Order a port in {}", facility.name)).failing(form.failed()),
        lines: lines.iter().map(|line| (check::line_value(line), text::speed(line.speed), hint(line))).collect(),
        domains: domains
            .iter()
            .map(|code| (code.clone(), super::view::domain(code).to_owned(), String::new()))
            .collect(),
        media: std::iter::once((String::new(), "Choose a media type".to_owned()))
            .chain(media.into_iter().map(|code| (code.clone(), code)))
            .collect(),
        terms: terms.map(|term| (term.code().to_owned(), term.words().to_owned(), String::new())).collect(),
        prices: lines.iter().filter_map(|line| price_row(read, line)).collect(),
        offered_hint: if by.account().children_count > 0 {
            "Every account below may use the port, within its capacity and caps you can set."
        } else {
            "There are no accounts below now. Those that come may use the port."
        },
        facility,
        form,
    };
    let keep = if status == StatusCode::OK { Keep::Private } else { Keep::Nothing };
    site.page_with(status, &page, keep)
}

fn hint(line: &SupportedPort) -> String {
    format!("Media: {}", line.media_types.join(", "))
}

fn price_row(read: &Read, line: &SupportedPort) -> Option<PriceRow> {
    read.prices.as_ref()?;
    let price = |term| read.plan(line, term).map_or_else(|| "Not offered".to_owned(), in_full);
    let cells = Term::EVERY.map(|term| (term.words(), price(term))).into();
    Some(PriceRow { speed: text::speed(line.speed), cells })
}
