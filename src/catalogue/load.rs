//! Loading a catalogue: every file is checked, beside the others and beside what is stored, and then all of it is taken
//! over in one transaction. Rows keep their keys; what is missing is not offered any more.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use diesel::prelude::*;
use rust_embed::RustEmbed;

use super::files::{self, Files};
use super::{Term, Terms, store};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::{self, Key};
use crate::ledger::prices::Prices;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{cloud_regions, facilities, locations, supported_connections, supported_ports};
use crate::text;

/// The first catalogue, with its prices: for demonstrations and tests, and as a pattern.
#[derive(RustEmbed)]
#[folder = "catalogue/"]
struct Shipped;

fn shipped(name: &str) -> Result<Vec<u8>, String> {
    Shipped::get(name).map(|file| file.data.into_owned()).ok_or_else(|| format!("{name} is not shipped"))
}

/// Loads the files of a folder; answers a sentence, or every complaint about them. Then nothing is loaded.
pub fn load_folder(db: &mut Db, folder: &Path) -> Result<String, Vec<String>> {
    load(db, |name| {
        let path = folder.join(name);
        std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    })
}

/// The catalogue that comes with the product, and its prices from `effective` (2027-01-31) on.
pub fn load_shipped(db: &mut Db, effective: &str) -> Result<String, Vec<String>> {
    let prices = shipped("prices.csv").map_err(|why| vec![why])?;
    crate::ledger::prices::load(db, effective, &prices)?;
    load(db, shipped)
}

/// The same with files from anywhere, by their names.
pub fn load(db: &mut Db, file: impl Fn(&str) -> Result<Vec<u8>, String>) -> Result<String, Vec<String>> {
    let files = files::read(file)?;
    let mut complaints = beside_each_other(&files);
    if !complaints.is_empty() {
        return Err(complaints);
    }
    let loaded = audit::change_by_system(db, |db| {
        complaints = beside_the_known(db, &files)?;
        if !complaints.is_empty() {
            return Err(Problem::bug("the catalogue is refused"));
        }
        write(db, &files)?;
        let event = Event::new(EventType::CatalogueUpdate, Subject::new("CATALOGUE", "catalogue", "Catalogue"))
            .with("locations", files.locations.len().to_string())
            .with("facilities", files.facilities.len().to_string())
            .with("supportedPorts", files.ports.len().to_string())
            .with("supportedConnections", files.connections.len().to_string());
        Ok(((), event))
    });
    match loaded {
        Ok(()) => Ok(format!(
            "Loaded {}, {}, {} and {}.",
            text::count(files.locations.len() as i64, "location", "locations"),
            text::count(files.facilities.len() as i64, "facility", "facilities"),
            text::count(files.ports.len() as i64, "kind of port", "kinds of port"),
            text::count(files.connections.len() as i64, "kind of connection", "kinds of connection")
        )),
        Err(_) if !complaints.is_empty() => Err(complaints),
        Err(problem) => Err(vec![format!("the database could not take it: {problem}")]),
    }
}

/// What names something that the other files do not have.
fn beside_each_other(files: &Files) -> Vec<String> {
    let places: HashSet<&str> = files.locations.iter().map(|place| place.id.as_str()).collect();
    let houses: HashSet<&str> = files.facilities.iter().map(|house| house.id.as_str()).collect();
    let regions: HashSet<&str> = files.regions.iter().map(|region| region.id.as_str()).collect();
    let mut wrong = Vec::new();
    let mut known = |at: &str, what: &str, id: &str, all: &HashSet<&str>| {
        if !all.contains(id) {
            wrong.push(format!("{at}: no {what} is called {id:?}"));
        }
    };
    for house in &files.facilities {
        known(&house.at, "location", &house.location, &places);
    }
    for line in &files.ports {
        known(&line.at, "facility", &line.facility, &houses);
    }
    for line in &files.connections {
        known(&line.at, "location", &line.location, &places);
        for region in line.regions.split_whitespace() {
            known(&line.at, "cloud region", region, &regions);
        }
    }
    wrong
}

/// What cannot be beside what is stored: prices that nobody loaded, and things that would become others.
fn beside_the_known(db: &mut Db, files: &Files) -> Result<Vec<String>, Problem> {
    let mut wrong = Vec::new();
    let (prices, now) = (Prices::read(db)?, ids::now());
    let ports = files.ports.iter().map(|line| (&line.at, &line.prices));
    for (at, terms) in ports.chain(files.connections.iter().map(|line| (&line.at, &line.prices))) {
        for (term, code) in terms.offered() {
            if prices.on(code, now).is_none() {
                wrong.push(format!("{at}: {code} ({}) has no price today; load the prices first", term.words()));
            }
        }
    }
    let place = |key: &Key, all: &HashMap<String, Key>| all.iter().find(|(_, k)| *k == key).map(|(id, _)| id.clone());
    let locations = store::location_keys(db)?;
    let facilities: Vec<(String, Key)> =
        facilities::table.select((facilities::id, facilities::location_key)).load(db)?;
    let facilities: HashMap<String, Key> = facilities.into_iter().collect();
    for house in &files.facilities {
        if let Some(was) = facilities.get(&house.id).and_then(|key| place(key, &locations))
            && was != house.location
        {
            wrong.push(format!("{}: {} is in {was} and stays there; give the new one another id", house.at, house.id));
        }
    }
    let rows = supported_connections::table.inner_join(locations::table).select((
        supported_connections::id,
        supported_connections::kind,
        locations::id,
        supported_connections::speed,
        supported_connections::high_availability,
    ));
    let known: Vec<(String, String, String, i64, bool)> = rows.load(db)?;
    let known: HashMap<String, (String, String, i64, bool)> =
        known.into_iter().map(|(id, kind, place, speed, ha)| (id, (kind, place, speed, ha))).collect();
    for line in &files.connections {
        let now = (line.kind.clone(), line.location.clone(), line.speed, line.high_availability);
        if known.get(&line.id).is_some_and(|was| *was != now) {
            wrong.push(format!(
                "{}: {} is of another type, location, speed or availability; give the new one another id",
                line.at, line.id
            ));
        }
    }
    Ok(wrong)
}

fn write(db: &mut Db, files: &Files) -> Result<(), Problem> {
    diesel::update(locations::table).set(locations::offered.eq(false)).execute(db)?;
    diesel::update(facilities::table).set(facilities::state.eq("DELETED")).execute(db)?;
    diesel::update(cloud_regions::table).set(cloud_regions::offered.eq(false)).execute(db)?;
    diesel::update(supported_ports::table).set(supported_ports::offered.eq(false)).execute(db)?;
    diesel::update(supported_connections::table).set(supported_connections::offered.eq(false)).execute(db)?;
    write_locations(db, files)?;
    write_facilities(db, files)?;
    write_regions(db, files)?;
    write_ports(db, files)?;
    write_connections(db, files)
}

fn write_locations(db: &mut Db, files: &Files) -> Result<(), Problem> {
    let known = store::location_keys(db)?;
    for place in &files.locations {
        let values = (
            locations::id.eq(&place.id),
            locations::name.eq(&place.name),
            locations::latitude_e6.eq(place.latitude_e6),
            locations::longitude_e6.eq(place.longitude_e6),
            locations::offered.eq(true),
        );
        match known.get(&place.id) {
            Some(key) => diesel::update(locations::table.find(key)).set(values).execute(db)?,
            None => diesel::insert_into(locations::table)
                .values((locations::key.eq(ids::next_key()), values))
                .execute(db)?,
        };
    }
    Ok(())
}

fn write_facilities(db: &mut Db, files: &Files) -> Result<(), Problem> {
    let (places, known) = (store::location_keys(db)?, store::facility_keys(db)?);
    for house in &files.facilities {
        let [name, vendor, street, city, region, postal_code, country] = &house.words;
        let values = (
            facilities::id.eq(&house.id),
            facilities::location_key.eq(found(&places, &house.location)?),
            facilities::name.eq(name),
            facilities::vendor.eq(vendor),
            facilities::street.eq(street),
            facilities::city.eq(city),
            facilities::region.eq(region),
            facilities::postal_code.eq(postal_code),
            facilities::country.eq(country),
            facilities::state.eq(&house.state),
        );
        match known.get(&house.id) {
            Some(key) => diesel::update(facilities::table.find(key)).set(values).execute(db)?,
            None => diesel::insert_into(facilities::table)
                .values((facilities::key.eq(ids::next_key()), values))
                .execute(db)?,
        };
    }
    Ok(())
}

fn write_regions(db: &mut Db, files: &Files) -> Result<(), Problem> {
    let known: Vec<(String, Key)> = cloud_regions::table.select((cloud_regions::id, cloud_regions::key)).load(db)?;
    let known: HashMap<String, Key> = known.into_iter().collect();
    for region in &files.regions {
        let values = (
            cloud_regions::id.eq(&region.id),
            cloud_regions::provider.eq(&region.provider),
            cloud_regions::name.eq(&region.name),
            cloud_regions::provider_id.eq(&region.provider_id),
            cloud_regions::offered.eq(true),
        );
        match known.get(&region.id) {
            Some(key) => diesel::update(cloud_regions::table.find(key)).set(values).execute(db)?,
            None => diesel::insert_into(cloud_regions::table)
                .values((cloud_regions::key.eq(ids::next_key()), values))
                .execute(db)?,
        };
    }
    Ok(())
}

fn write_ports(db: &mut Db, files: &Files) -> Result<(), Problem> {
    let houses = store::facility_keys(db)?;
    for line in &files.ports {
        let facility = found(&houses, &line.facility)?;
        let same = supported_ports::table
            .filter(supported_ports::facility_key.eq(facility))
            .filter(supported_ports::provider.eq(&line.provider))
            .filter(supported_ports::speed.eq(line.speed));
        let known: Option<Key> = same.select(supported_ports::key).first(db).optional()?;
        let values = (
            supported_ports::facility_key.eq(facility),
            supported_ports::provider.eq(&line.provider),
            supported_ports::speed.eq(line.speed),
            supported_ports::domains.eq(&line.domains),
            supported_ports::media_types.eq(&line.media_types),
            supported_ports::price_monthly.eq(price(&line.prices, Term::Monthly)),
            supported_ports::price_one_year.eq(price(&line.prices, Term::OneYear)),
            supported_ports::price_two_year.eq(price(&line.prices, Term::TwoYear)),
            supported_ports::offered.eq(true),
        );
        match known {
            Some(key) => diesel::update(supported_ports::table.find(key)).set(values).execute(db)?,
            None => diesel::insert_into(supported_ports::table)
                .values((supported_ports::key.eq(ids::next_key()), values))
                .execute(db)?,
        };
    }
    Ok(())
}

fn write_connections(db: &mut Db, files: &Files) -> Result<(), Problem> {
    let (places, known) = (store::location_keys(db)?, store::supported_keys(db)?);
    for line in &files.connections {
        let values = (
            supported_connections::id.eq(&line.id),
            supported_connections::kind.eq(&line.kind),
            supported_connections::location_key.eq(found(&places, &line.location)?),
            supported_connections::speed.eq(line.speed),
            supported_connections::high_availability.eq(line.high_availability),
            supported_connections::peering.eq(&line.peering),
            supported_connections::cloud_regions.eq(&line.regions),
            supported_connections::requires_approval.eq(line.requires_approval),
            supported_connections::pending.eq(line.pending),
            supported_connections::price_monthly.eq(price(&line.prices, Term::Monthly)),
            supported_connections::price_one_year.eq(price(&line.prices, Term::OneYear)),
            supported_connections::price_two_year.eq(price(&line.prices, Term::TwoYear)),
            supported_connections::offered.eq(true),
        );
        match known.get(&line.id) {
            Some(key) => diesel::update(supported_connections::table.find(key)).set(values).execute(db)?,
            None => diesel::insert_into(supported_connections::table)
                .values((supported_connections::key.eq(ids::next_key()), values))
                .execute(db)?,
        };
    }
    Ok(())
}

fn price(terms: &Terms, term: Term) -> &str {
    terms.code(term).unwrap_or("")
}

fn found(all: &HashMap<String, Key>, id: &str) -> Result<Key, Problem> {
    all.get(id).copied().ok_or_else(|| Problem::bug("a catalogue that names what it does not have"))
}
