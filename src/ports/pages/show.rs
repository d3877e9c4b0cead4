//! One port. Its account sees everything about it and who uses it; an account below, to which it is offered, sees what
//! it may do with it and what it uses itself.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use diesel::prelude::*;

use super::view::{self, Gauge, Pager};
use crate::access::policy::{DeletePorts, ReadPorts, UpdatePorts};
use crate::access::{Frame, In};
use crate::ids;
use crate::ports::choices::{self, Allowance};
use crate::ports::state::State;
use crate::ports::store::Port;
use crate::ports::using::{self, Of, Seen};
use crate::ports::{caps, within_reach};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{facilities, locations};
use crate::tags::{self, Tags};
use crate::text;
use crate::web::paging::{Cursor, PAGE, PageQuery, Paged};
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Section, Shell, Site};

#[derive(Template)]
#[template(path = "ports/show.html")]
struct OwnPage {
    shell: Shell,
    here: String,
    port: Port,
    place: Place,
    gauge: Gauge,
    speed: String,
    domain: &'static str,
    term: &'static str,
    offer: (&'static str, String),
    customer: String,
    tags: Tags,
    created: When,
    active: Option<When>,
    deleted: Option<When>,
    waits: bool,
    lines: Vec<Line>,
    pager: Pager,
    capped: String,
    may_update: bool,
    may_delete: bool,
}

#[derive(Template)]
#[template(path = "ports/shared.html")]
struct SharedPage {
    shell: Shell,
    here: String,
    port: Port,
    place: Place,
    owner: String,
    allowance: Allowance,
    free: String,
    takes_new: bool,
    until: Option<When>,
    speed: String,
    domain: &'static str,
    own_use: String,
    lines: Vec<Line>,
    pager: Pager,
}

/// Where a port is.
pub struct Place {
    pub name: String,
    pub address: String,
    pub location: String,
}

/// One VLAN in use.
pub struct Line {
    pub seen: Seen,
    pub href: String,
    pub speed: String,
    pub state: String,
}

impl Line {
    pub fn of(seen: Seen) -> Line {
        let connection = || format!("/a/{}/connections/{}", seen.account_id, seen.of.connection_id);
        Line {
            href: if seen.may_read { connection() } else { String::new() },
            speed: text::speed(seen.of.speed),
            state: view::state(&seen.of.state),
            seen,
        }
    }
}

/// The facility of a port in words.
pub fn place(db: &mut Db, port: &Port) -> Result<Place, Problem> {
    type Row = (String, String, String, String, String, String, String);
    let (name, street, postal_code, city, region, country, location): Row = facilities::table
        .inner_join(locations::table.on(locations::key.eq(facilities::location_key)))
        .filter(facilities::key.eq(port.facility))
        .select((
            facilities::name,
            facilities::street,
            facilities::postal_code,
            facilities::city,
            facilities::region,
            facilities::country,
            locations::name,
        ))
        .first(db)?;
    let town = format!("{postal_code} {city}");
    let parts = [street.as_str(), town.trim(), &region, &country];
    let address = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    Ok(Place { name, address, location })
}

/// What was read of a port.
struct Found {
    port: Port,
    place: Place,
    uses: Vec<Seen>,
    tags: Tags,
    caps: i64,
    own_use: i64,
    allowance: Allowance,
    takes_new: bool,
}

fn read(db: &mut Db, frame: &Frame, id: &str, page: &PageQuery) -> Result<Found, Problem> {
    let account = frame.account().key;
    let port = within_reach(db, account, id)?;
    let place = place(db, &port)?;
    let own = port.account == account;
    let of = if own { Of::Everybody } else { Of::Account(account) };
    let uses = using::page(db, &port, of, &page.want(), PAGE)?;
    let uses = using::seen(db, frame, uses)?;
    let along = if own { Vec::new() } else { caps::along(db, account)?.remove(&port.key).unwrap_or_default() };
    Ok(Found {
        tags: if own { tags::of(db, account, &port.id)? } else { Tags::new() },
        caps: if own { caps::count(db, port.key)? } else { 0 },
        own_use: using::speed_of(db, &port, account)?,
        allowance: Allowance::of(port.free(), &along),
        takes_new: choices::takes_new(&port, &along, ids::now()),
        port,
        place,
        uses,
    })
}

/// GET /a/{account}/ports/{port}
pub async fn show(
    by: In<ReadPorts>,
    site: Site,
    path: Path<(String, String)>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (grant, id, query) = (by.clone(), path.into_inner().1, page.clone());
    let mut found = site.pool.read_long(move |db| read(db, grant.frame(), &id, &query)).await?;
    let uses = std::mem::take(&mut found.uses);
    let paged = Paged::new(uses, &page, "", None, |one: &Seen| Cursor(String::new(), one.of.vlan));
    let pager = Pager::of(&paged, "#uses");
    let uses: Vec<Line> = paged.rows.into_iter().map(Line::of).collect();
    let shell = site.shell(&by, Section::Ports, &found.port.name).noting(&pager.words);
    if found.port.account == by.account().key {
        site.page(&own(&by, shell, found, uses, pager), Keep::Private)
    } else {
        site.page(&shared(&by, shell, found, uses, pager), Keep::Private)
    }
}

fn own(by: &In<ReadPorts>, shell: Shell, found: Found, lines: Vec<Line>, pager: Pager) -> OwnPage {
    let (port, frame) = (found.port, by.frame());
    let alive = port.state != State::Deleted;
    OwnPage {
        shell,
        here: format!("/a/{}/ports/{}", frame.account().id, port.id),
        place: found.place,
        gauge: Gauge::of(port.used_speed, port.speed),
        speed: text::speed(port.speed),
        domain: view::domain(&port.availability_domain),
        term: view::term(&port.term),
        offer: offer_words(&port),
        customer: customer(&port, &frame.account().name),
        tags: found.tags,
        created: port.created_at.into(),
        active: port.active_at.map(When::from),
        deleted: port.deleted_at.map(When::from),
        waits: port.state == State::Requested && !port.waits_for.is_empty(),
        lines,
        pager,
        capped: text::count(found.caps, "account below has", "accounts below have"),
        may_update: alive && frame.may::<UpdatePorts>(),
        may_delete: alive && frame.may::<DeletePorts>(),
        port,
    }
}

fn shared(by: &In<ReadPorts>, shell: Shell, found: Found, lines: Vec<Line>, pager: Pager) -> SharedPage {
    let port = found.port;
    SharedPage {
        shell,
        here: format!("/a/{}/ports/{}", by.account().id, port.id),
        place: found.place,
        owner: choices::owner(by.frame(), port.account),
        free: view::speed(found.allowance.free),
        allowance: found.allowance,
        takes_new: found.takes_new,
        until: port.no_new_use_from.map(When::from),
        speed: text::speed(port.speed),
        domain: view::domain(&port.availability_domain),
        own_use: view::speed(found.own_use),
        lines,
        pager,
        port,
    }
}

/// Who the letter names.
pub fn customer(port: &Port, account: &str) -> String {
    if port.loa_customer_name.is_empty() { account.to_owned() } else { port.loa_customer_name.clone() }
}

/// Whether accounts below may use it: a badge's tone, and words.
pub fn offer_words(port: &Port) -> (&'static str, String) {
    match port.no_new_use_from {
        _ if !port.available_to_child_accounts => ("", "Not available to child accounts".to_owned()),
        None => ("good", "Available to child accounts".to_owned()),
        Some(from) if from <= ids::now() => ("warn", "In use below, closed to new use".to_owned()),
        Some(from) => ("warn", format!("Available to child accounts, nothing new from {}", When::from(from).words)),
    }
}
