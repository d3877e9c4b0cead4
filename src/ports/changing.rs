//! Changing a port: its names, whether accounts below may use it, and its end.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::state::State;
use super::store::{self, Port};
use crate::access::Grant;
use crate::access::policy::{DeletePorts, UpdatePorts};
use crate::audit::{self, Event, EventType};
use crate::ids;
use crate::ledger;
use crate::live;
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::schema::{port_caps, ports};
use crate::tags::{self, Tags};
use crate::text::name_key;
use crate::web::when;

/// What somebody may change about a port that is ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    pub name: String,
    pub description: String,
    pub loa_customer_name: String,
    pub tags: Tags,
}

/// The details as they are.
pub fn details(db: &mut Db, port: &Port) -> Result<Details, Problem> {
    Ok(Details {
        name: port.name.clone(),
        description: port.description.clone(),
        loa_customer_name: port.loa_customer_name.clone(),
        tags: tags::of(db, port.account, &port.id)?,
    })
}

/// Changes the details, if the port still is the version that was shown.
pub fn update(db: &mut Db, by: &Grant<UpdatePorts>, id: &str, new: &Details, version: i64) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let port = store::find_version(db, by.account().key, id, version)?;
        let before = details(db, &port)?;
        store::touch(db, &port)?;
        diesel::update(ports::table.find(port.key))
            .set((
                ports::name.eq(&new.name),
                ports::name_key.eq(name_key(&new.name)),
                ports::description.eq(&new.description),
                ports::loa_customer_name.eq(&new.loa_customer_name),
            ))
            .execute(db)?;
        tags::replace(db, port.account, &port.id, &new.tags)?;
        let event = Event::new(EventType::PortUpdate, port.subject())
            .changed("name", &before.name, &new.name)
            .changed("description", &before.description, &new.description)
            .changed("loaCustomerName", &before.loa_customer_name, &new.loa_customer_name)
            .changed("tags", &tags::line(&before.tags), &tags::line(&new.tags));
        Ok(((), event))
    })
}

/// Whether accounts below may use a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// All of them, without an end.
    Open,
    /// What uses it keeps it, and nothing new begins from this moment on.
    Until(NaiveDateTime),
    /// None. Refused while one uses it.
    Withdrawn,
}

impl Offer {
    fn words(self) -> String {
        match self {
            Offer::Open => "true".to_owned(),
            Offer::Until(from) => format!("true, nothing new from {}", when::iso(from)),
            Offer::Withdrawn => "false".to_owned(),
        }
    }

    pub fn of(port: &Port) -> Offer {
        match (port.available_to_child_accounts, port.no_new_use_from) {
            (false, _) => Offer::Withdrawn,
            (true, Some(from)) => Offer::Until(from),
            (true, None) => Offer::Open,
        }
    }
}

/// Decides over it, if the port still is the version that was shown. Conflict(PortUsedBelow) when it is withdrawn while
/// a connection of an account below uses it.
pub fn offer(db: &mut Db, by: &Grant<UpdatePorts>, id: &str, offer: Offer, version: i64) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let port = store::find_version(db, by.account().key, id, version)?;
        if offer == Offer::Withdrawn {
            let (_, below) = store::uses(db, &port)?;
            if below > 0 {
                return Err(Problem::Conflict(Reason::PortUsedBelow(below)));
            }
        }
        let until = if let Offer::Until(from) = offer { Some(from.max(ids::now())) } else { None };
        store::touch(db, &port)?;
        diesel::update(ports::table.find(port.key))
            .set((ports::available_to_child_accounts.eq(offer != Offer::Withdrawn), ports::no_new_use_from.eq(until)))
            .execute(db)?;
        let event = Event::new(EventType::PortUpdate, port.subject()).changed(
            "availableToChildAccounts",
            &Offer::of(&port).words(),
            &offer.words(),
        );
        Ok(((), event))
    })
}

/// Deletes the port, if it still is the version that was shown: the background tells the fabric, and nothing more is
/// charged from the next day on. Conflict(PortHasConnections) while something uses it.
pub fn delete(db: &mut Db, by: &Grant<DeletePorts>, id: &str, version: i64) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let port = store::find_version(db, by.account().key, id, version)?;
        let (uses, _) = store::uses(db, &port)?;
        if uses > 0 {
            return Err(Problem::Conflict(Reason::PortHasConnections(uses)));
        }
        store::touch(db, &port)?;
        diesel::delete(port_caps::table.filter(port_caps::port_key.eq(port.key))).execute(db)?;
        let now = ids::now();
        diesel::update(ports::table.find(port.key))
            .set((
                ports::state.eq(State::Deleted.code()),
                ports::deleted_at.eq(now),
                ports::available_to_child_accounts.eq(false),
                ports::no_new_use_from.eq(None::<NaiveDateTime>),
                ports::waits_for.eq(""),
                ports::look_at.eq(now),
            ))
            .execute(db)?;
        live::ring();
        if port.active_at.is_some() && !port.price_code.is_empty() {
            ledger::end_item(db, port.account, &port.id, now)?;
        }
        tags::forget(db, port.account, &port.id)?;
        let event = Event::new(EventType::PortDelete, port.subject()).without("state", port.state.code());
        Ok(((), event))
    })
}

/// Has a port tried again that the fabric could not make.
pub fn retry(db: &mut Db, by: &Grant<UpdatePorts>, id: &str, version: i64) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let port = store::find_version(db, by.account().key, id, version)?;
        if port.state != State::Requested || port.error_code.is_empty() {
            return Err(Problem::Conflict(Reason::PortState(port.state.code())));
        }
        store::touch(db, &port)?;
        diesel::update(ports::table.find(port.key))
            .set((ports::error_code.eq(""), ports::error_message.eq(""), ports::look_at.eq(ids::now())))
            .execute(db)?;
        live::ring();
        let event = Event::new(EventType::PortUpdate, port.subject()).without("errorCode", &port.error_code);
        Ok(((), event))
    })
}
