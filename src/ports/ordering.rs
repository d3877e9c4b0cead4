//! Ordering a port: everything that could stand in the way is asked again in the transaction that writes it.

use diesel::prelude::*;

use super::store::{self, Port};
use crate::access::Grant;
use crate::access::policy::CreatePorts;
use crate::audit::{self, Event, EventType};
use crate::catalogue::{self, SupportedPort, Term};
use crate::ids::{self, Key};
use crate::ledger::month::day_of;
use crate::ledger::prices::Prices;
use crate::limits::{self, Resource};
use crate::live;
use crate::problem::{Problem, Reason};
use crate::readiness;
use crate::store::Db;
use crate::store::schema::ports;
use crate::text::name_key;

/// What somebody orders. Everything else about a port is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPort {
    /// The line of the catalogue: facility, provider and speed.
    pub supported: Key,
    /// `PRIMARY` or `SECONDARY`.
    pub availability_domain: String,
    pub media_type: String,
    pub term: Term,
    pub name: String,
    pub description: String,
    pub loa_customer_name: String,
    pub available_to_child_accounts: bool,
}

/// Orders a port for the account. Conflict(NotReady), Conflict(LimitReached), and Conflict(NotSupported) where the
/// catalogue does not offer it (any more).
pub fn order(db: &mut Db, by: &Grant<CreatePorts>, new: &NewPort) -> Result<Port, Problem> {
    audit::change(db, by, |db, by| {
        let account = by.account();
        let blockers = readiness::blockers(db, account.key)?;
        if !blockers.is_empty() {
            return Err(Problem::Conflict(Reason::NotReady(blockers.iter().map(|blocker| blocker.code()).collect())));
        }
        limits::room_for_one(db, account.key, Resource::Port)?;
        let gone = || Problem::Conflict(Reason::NotSupported("The catalogue does not offer this port any more."));
        let line = catalogue::supported_port(db, new.supported)?.ok_or_else(gone)?;
        let price_code = price_code(&line, new).ok_or_else(gone)?;
        if Prices::of(db, [price_code.as_str()])?.on(&price_code, day_of(ids::now())).is_none() {
            return Err(Problem::Conflict(Reason::NotSupported("There is no price in force for it.")));
        }
        let key = insert(db, account.key, &line, new, &price_code)?;
        let port = store::by_key(db, key)?;
        let event = Event::new(EventType::PortCreate, port.subject())
            .with("name", &port.name)
            .with("description", &port.description)
            .with("loaCustomerName", &port.loa_customer_name)
            .with("facility", &line.facility.id)
            .with("availabilityDomain", &port.availability_domain)
            .with("speed", port.speed.to_string())
            .with("mediaType", &port.media_type)
            .with("billingTerm", &port.term)
            .with("availableToChildAccounts", port.available_to_child_accounts.to_string());
        Ok((port, event))
    })
}

/// The price code of what is ordered; None where the line does not offer it so.
fn price_code(line: &SupportedPort, new: &NewPort) -> Option<String> {
    let offered = line.domains.contains(&new.availability_domain) && line.media_types.contains(&new.media_type);
    line.prices.code(new.term).filter(|_| offered).map(str::to_owned)
}

fn insert(db: &mut Db, account: Key, line: &SupportedPort, new: &NewPort, price_code: &str) -> Result<Key, Problem> {
    let (key, now) = (ids::next_key(), ids::now());
    diesel::insert_into(ports::table)
        .values((
            (
                ports::key.eq(key),
                ports::id.eq(ids::new_id("port")),
                ports::account_key.eq(account),
                ports::name.eq(&new.name),
                ports::name_key.eq(name_key(&new.name)),
                ports::description.eq(&new.description),
                ports::loa_customer_name.eq(&new.loa_customer_name),
                ports::facility_key.eq(line.facility.key),
                ports::provider.eq(&line.provider),
                ports::availability_domain.eq(&new.availability_domain),
            ),
            (
                ports::speed.eq(line.speed),
                ports::media_type.eq(&new.media_type),
                ports::term.eq(new.term.code()),
                ports::price_code.eq(price_code),
                ports::state.eq("REQUESTED"),
                ports::available_to_child_accounts.eq(new.available_to_child_accounts),
                ports::look_at.eq(now),
                ports::created_at.eq(now),
            ),
        ))
        .execute(db)?;
    live::ring();
    Ok(key)
}
