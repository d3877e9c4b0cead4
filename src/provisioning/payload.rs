//! What an intent says to the fabric, in the published interface's words: the same each time that it is told. Pre-shared
//! keys are in here and nowhere else.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use serde_json::{Map, Value, json};

use super::fabric::Order;
use super::intents::{Act, Intent};
use super::store::Kind;
use crate::connections::{store::by_key, work};
use crate::factor::vault::Vault;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::{
    accounts, connection_keys, facilities, locations, networks, port_uses, ports, supported_connections,
};

fn moment(at: NaiveDateTime) -> String {
    at.and_utc().to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// A link as the published interface has them.
fn named(id: &str, title: &str) -> Value {
    json!({"id": id, "title": title})
}

/// The intent as it is told.
pub fn order(db: &mut Db, vault: &Vault, intent: &Intent) -> Result<Order, Problem> {
    let (account, name): (String, String) =
        accounts::table.find(intent.account).select((accounts::id, accounts::name)).first(db)?;
    let (word, subject) = match intent.kind {
        Kind::Connection => ("connection", connection(db, vault, intent)?),
        Kind::Port => ("port", port(db, intent)?),
    };
    let act = match intent.act {
        Act::Provision => "provision",
        Act::Update => "update",
        Act::Delete => "delete",
    };
    let body = json!({
        "type": format!("{word}.{act}"),
        "timestamp": moment(intent.created_at),
        "data": {
            "intent": intent.id,
            "number": intent.number,
            "account": named(&account, &name),
            word: subject,
        },
    });
    Ok(Order {
        id: intent.id.clone(),
        body: body.to_string(),
        subject: intent.subject_id.clone(),
        is_port: intent.kind == Kind::Port,
        accepted: intent.accepted,
    })
}

fn connection(db: &mut Db, vault: &Vault, intent: &Intent) -> Result<Value, Problem> {
    let row = by_key(db, intent.subject)?;
    let mut said = Map::new();
    let mut say = |name: &str, value: Value| said.insert(name.to_owned(), value);
    say("id", json!(row.id));
    say("name", json!(row.name));
    say("description", json!(row.description));
    say("type", json!(row.kind));
    say("speed", json!(row.speed));
    say("highAvailability", json!(row.high_availability));
    say("billingTerm", json!(row.term));
    say("settings", serde_json::from_str(&row.settings).unwrap_or(Value::Null));
    say("attributes", json!(work::attributes(db, row.key)?));
    if let Some(location) = row.location {
        let (id, name): (String, String) =
            locations::table.find(location).select((locations::id, locations::name)).first(db)?;
        say("location", named(&id, &name));
    }
    if let Some(network) = row.network {
        let (id, name): (String, String) =
            networks::table.find(network).select((networks::id, networks::name)).first(db)?;
        say("network", named(&id, &name));
    }
    if let Some(supported) = row.supported {
        let id: String = supported_connections::table.find(supported).select(supported_connections::id).first(db)?;
        say("supportedConnection", json!({"id": id}));
    }
    for (side, vlan, id, name) in vlans(db, row.key)? {
        let side = side.to_lowercase();
        say(&format!("{side}Port"), named(&id, &name));
        say(&format!("{side}CustomerVlan"), json!(vlan));
    }
    // What is taken down needs no key.
    if intent.act != Act::Delete {
        for (side, key) in keys(db, vault, row.key, &row.id)? {
            say(&format!("{}Key", side.to_lowercase()), json!(key));
        }
    }
    Ok(Value::Object(said))
}

fn vlans(db: &mut Db, connection: Key) -> Result<Vec<(String, i64, String, String)>, Problem> {
    Ok(port_uses::table
        .inner_join(ports::table.on(ports::key.eq(port_uses::port_key)))
        .filter(port_uses::connection_key.eq(connection))
        .order(port_uses::side)
        .select((port_uses::side, port_uses::vlan, ports::id, ports::name))
        .load(db)?)
}

fn keys(db: &mut Db, vault: &Vault, connection: Key, id: &str) -> Result<Vec<(String, String)>, Problem> {
    let rows: Vec<(String, String)> = connection_keys::table
        .filter(connection_keys::connection_key.eq(connection))
        .order(connection_keys::side)
        .select((connection_keys::side, connection_keys::sealed))
        .load(db)?;
    rows.into_iter()
        .map(|(side, sealed)| {
            let plain = vault.open(&work::key_purpose(id, &side), &sealed);
            let text = plain.and_then(|plain| String::from_utf8(plain).ok());
            Ok((side, text.ok_or_else(|| Problem::bug("a pre-shared key cannot be opened"))?))
        })
        .collect()
}

fn port(db: &mut Db, intent: &Intent) -> Result<Value, Problem> {
    type Row = (String, String, String, String, String, String, i64, String, String, String, String);
    let row: Row = ports::table
        .find(intent.subject)
        .select((
            ports::id,
            ports::name,
            ports::description,
            ports::loa_customer_name,
            ports::provider,
            ports::availability_domain,
            ports::speed,
            ports::media_type,
            ports::term,
            ports::device_id,
            ports::interface_id,
        ))
        .first(db)?;
    let (facility, title): (String, String) = ports::table
        .inner_join(facilities::table.on(facilities::key.eq(ports::facility_key)))
        .filter(ports::key.eq(intent.subject))
        .select((facilities::id, facilities::name))
        .first(db)?;
    Ok(json!({
        "id": row.0,
        "name": row.1,
        "description": row.2,
        "loaCustomerName": row.3,
        "provider": row.4,
        "availabilityDomain": row.5,
        "speed": row.6,
        "mediaType": row.7,
        "billingTerm": row.8,
        "deviceId": row.9,
        "interfaceId": row.10,
        "facility": named(&facility, &title),
    }))
}
