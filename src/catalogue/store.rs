//! Rows of the catalogue: what is offered now, in an order for people, and single rows also when they are not any more.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{CloudRegion, Facility, Location, SupportedConnection, SupportedPort, Terms};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{cloud_regions, facilities, locations, supported_connections, supported_ports};

pub fn location_keys(db: &mut Db) -> Result<HashMap<String, Key>, Problem> {
    let rows: Vec<(String, Key)> = locations::table.select((locations::id, locations::key)).load(db)?;
    Ok(rows.into_iter().collect())
}

pub fn facility_keys(db: &mut Db) -> Result<HashMap<String, Key>, Problem> {
    let rows: Vec<(String, Key)> = facilities::table.select((facilities::id, facilities::key)).load(db)?;
    Ok(rows.into_iter().collect())
}

pub fn supported_keys(db: &mut Db) -> Result<HashMap<String, Key>, Problem> {
    let rows = supported_connections::table.select((supported_connections::id, supported_connections::key));
    Ok(rows.load::<(String, Key)>(db)?.into_iter().collect())
}

/// Every location that is offered, by name.
pub fn locations(db: &mut Db) -> Result<Vec<Location>, Problem> {
    type Row = (Key, String, String, i64, i64);
    let rows = locations::table.filter(locations::offered.eq(true)).order((locations::name, locations::key)).select((
        locations::key,
        locations::id,
        locations::name,
        locations::latitude_e6,
        locations::longitude_e6,
    ));
    let location = |(key, id, name, latitude_e6, longitude_e6)| Location { key, id, name, latitude_e6, longitude_e6 };
    Ok(rows.load::<Row>(db)?.into_iter().map(location).collect())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = facilities)]
struct FacilityRow {
    key: Key,
    id: String,
    name: String,
    vendor: String,
    street: String,
    city: String,
    region: String,
    postal_code: String,
    country: String,
    location_key: Key,
}

fn facility_of((row, location_name): (FacilityRow, String)) -> Facility {
    Facility {
        key: row.key,
        id: row.id,
        name: row.name,
        vendor: row.vendor,
        street: row.street,
        city: row.city,
        region: row.region,
        postal_code: row.postal_code,
        country: row.country,
        location: row.location_key,
        location_name,
    }
}

/// Every facility that takes orders, by location and name.
pub fn facilities(db: &mut Db) -> Result<Vec<Facility>, Problem> {
    let rows = facilities::table
        .inner_join(locations::table)
        .filter(facilities::state.eq("ACTIVE"))
        .filter(locations::offered.eq(true))
        .order((locations::name, facilities::name, facilities::key))
        .select((FacilityRow::as_select(), locations::name));
    Ok(rows.load(db)?.into_iter().map(facility_of).collect())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = supported_ports)]
struct PortRow {
    key: Key,
    provider: String,
    speed: i64,
    domains: String,
    media_types: String,
    price_monthly: String,
    price_one_year: String,
    price_two_year: String,
}

type PortRows = (PortRow, FacilityRow, String);

fn words(list: &str) -> Vec<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

fn port_of((row, facility, location): PortRows) -> SupportedPort {
    SupportedPort {
        key: row.key,
        facility: facility_of((facility, location)),
        provider: row.provider,
        speed: row.speed,
        domains: words(&row.domains),
        media_types: words(&row.media_types),
        prices: Terms { monthly: row.price_monthly, one_year: row.price_one_year, two_year: row.price_two_year },
    }
}

/// Every kind of port that can be ordered now, by place and speed.
pub fn supported_ports(db: &mut Db) -> Result<Vec<SupportedPort>, Problem> {
    let rows = supported_ports::table
        .inner_join(facilities::table.inner_join(locations::table))
        .filter(supported_ports::offered.eq(true))
        .filter(facilities::state.eq("ACTIVE"))
        .filter(locations::offered.eq(true))
        .order((locations::name, facilities::name, supported_ports::speed, supported_ports::key))
        .select((PortRow::as_select(), FacilityRow::as_select(), locations::name));
    Ok(rows.load::<PortRows>(db)?.into_iter().map(port_of).collect())
}

/// The one of this key, while it can be ordered.
pub fn supported_port(db: &mut Db, key: Key) -> Result<Option<SupportedPort>, Problem> {
    let row = supported_ports::table
        .inner_join(facilities::table.inner_join(locations::table))
        .filter(supported_ports::key.eq(key))
        .filter(supported_ports::offered.eq(true))
        .filter(facilities::state.eq("ACTIVE"))
        .filter(locations::offered.eq(true))
        .select((PortRow::as_select(), FacilityRow::as_select(), locations::name));
    Ok(row.first::<PortRows>(db).optional()?.map(port_of))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = supported_connections)]
struct ConnectionRow {
    key: Key,
    id: String,
    kind: String,
    location_key: Key,
    speed: i64,
    high_availability: bool,
    peering: String,
    cloud_regions: String,
    requires_approval: bool,
    pending: bool,
    price_monthly: String,
    price_one_year: String,
    price_two_year: String,
}

fn connection_of((row, location_name): (ConnectionRow, String)) -> SupportedConnection {
    SupportedConnection {
        key: row.key,
        id: row.id,
        kind: row.kind,
        location: row.location_key,
        location_name,
        speed: row.speed,
        high_availability: row.high_availability,
        peering: row.peering,
        cloud_regions: words(&row.cloud_regions),
        requires_approval: row.requires_approval,
        pending: row.pending,
        prices: Terms { monthly: row.price_monthly, one_year: row.price_one_year, two_year: row.price_two_year },
    }
}

/// Every kind of connection of this type (of [`super::KINDS`]) that is offered, by place and speed; those that are only
/// announced as well.
pub fn supported_connections(db: &mut Db, kind: &str) -> Result<Vec<SupportedConnection>, Problem> {
    let rows = supported_connections::table
        .inner_join(locations::table)
        .filter(supported_connections::kind.eq(kind))
        .filter(supported_connections::offered.eq(true))
        .filter(locations::offered.eq(true))
        .order((locations::name, supported_connections::speed, supported_connections::id))
        .select((ConnectionRow::as_select(), locations::name));
    Ok(rows.load::<(ConnectionRow, String)>(db)?.into_iter().map(connection_of).collect())
}

/// The one of this key, and whether it is offered now.
pub fn supported_connection(db: &mut Db, key: Key) -> Result<(SupportedConnection, bool), Problem> {
    let row = supported_connections::table.inner_join(locations::table).filter(supported_connections::key.eq(key));
    let offered = (supported_connections::offered, locations::offered);
    let (row, name, (line, place)) =
        row.select((ConnectionRow::as_select(), locations::name, offered))
            .first::<(ConnectionRow, String, (bool, bool))>(db)?;
    Ok((connection_of((row, name)), line && place))
}

/// Every cloud region that is offered, by provider and name.
pub fn cloud_regions(db: &mut Db) -> Result<Vec<CloudRegion>, Problem> {
    type Row = (Key, String, String, String, String);
    let rows = cloud_regions::table
        .filter(cloud_regions::offered.eq(true))
        .order((cloud_regions::provider, cloud_regions::name, cloud_regions::key))
        .select((
            cloud_regions::key,
            cloud_regions::id,
            cloud_regions::provider,
            cloud_regions::name,
            cloud_regions::provider_id,
        ));
    let region = |(key, id, provider, name, provider_id)| CloudRegion { key, id, provider, name, provider_id };
    Ok(rows.load::<Row>(db)?.into_iter().map(region).collect())
}
