//! Which connection has which VLAN of a port. A VLAN is given once (the primary key says so as well), and the speeds of
//! what uses a port never add up to more than its own (a check on the port's row says so as well).

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::ids::{self, Key};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::dialect::{Run, said};
use crate::store::schema::{account_ancestry, port_caps, port_uses, ports};
use crate::text;

/// Which of a connection's two gateways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Primary,
    Secondary,
}

impl Side {
    /// As it is stored.
    pub fn code(self) -> &'static str {
        match self {
            Side::Primary => "PRIMARY",
            Side::Secondary => "SECONDARY",
        }
    }
}

/// A VLAN of a port that a connection shall have.
#[derive(Debug, Clone)]
pub struct NewUse {
    pub port: Key,
    /// 1 to 4094.
    pub vlan: i64,
    pub connection: Key,
    /// The account of the connection.
    pub account: Key,
    pub side: Side,
    /// Mbit/s.
    pub speed: i64,
}

/// Gives the VLAN to the connection, in the caller's transaction, which has the tree's lock. Conflict(PortNotAvailable)
/// when the port is not active, not the account's own and not offered to it; Conflict(PortCap), Conflict(VlanInUse),
/// Conflict(PortIsFull).
pub fn reserve(db: &mut Db, new: &NewUse) -> Result<(), Problem> {
    let found = ports::table
        .inner_join(account_ancestry::table.on(account_ancestry::ancestor_key.eq(ports::account_key)))
        .filter(ports::key.eq(new.port))
        .filter(ports::state.eq("ACTIVE"))
        .filter(account_ancestry::descendant_key.eq(new.account))
        .select((
            ports::account_key,
            ports::speed,
            ports::used_speed,
            ports::available_to_child_accounts,
            ports::no_new_use_from,
        ))
        .first_row::<(Key, i64, i64, bool, Option<chrono::NaiveDateTime>)>(db)
        .optional()?;
    let unavailable = Problem::Conflict(Reason::PortNotAvailable);
    let Some((owner, speed, used, offered, until)) = found else { return Err(unavailable) };
    let is_open = offered && until.is_none_or(|until| ids::now() < until);
    if owner != new.account && !is_open {
        return Err(unavailable);
    }
    within_caps(db, new)?;
    let taken = port_uses::table.find((new.port, new.vlan)).select(port_uses::connection_key);
    if taken.first_row::<Key>(db).optional()?.is_some() {
        return Err(Problem::Conflict(Reason::VlanInUse(new.vlan)));
    }
    if used + new.speed > speed {
        return Err(Problem::Conflict(Reason::PortIsFull(speed - used)));
    }
    diesel::insert_into(port_uses::table)
        .values((
            port_uses::port_key.eq(new.port),
            port_uses::vlan.eq(new.vlan),
            port_uses::port_account_key.eq(owner),
            port_uses::connection_key.eq(new.connection),
            port_uses::account_key.eq(new.account),
            port_uses::side.eq(new.side.code()),
            port_uses::speed.eq(new.speed),
        ))
        .execute(db)?;
    diesel::update(ports::table.find(new.port)).set(ports::used_speed.eq(ports::used_speed + new.speed)).execute(db)?;
    Ok(())
}

/// Takes every VLAN back that the connection has.
pub fn release(db: &mut Db, connection: Key) -> Result<(), Problem> {
    let held = port_uses::table.filter(port_uses::connection_key.eq(connection));
    let uses: Vec<(Key, i64)> = held.select((port_uses::port_key, port_uses::speed)).rows(db)?;
    for (port, speed) in uses {
        diesel::update(ports::table.find(port)).set(ports::used_speed.eq(ports::used_speed - speed)).execute(db)?;
    }
    diesel::delete(held).execute(db)?;
    Ok(())
}

#[derive(Queryable)]
struct Cap {
    account: Key,
    most_speed: Option<i64>,
    most_connections: Option<i64>,
    first_vlan: Option<i64>,
    last_vlan: Option<i64>,
    may_share: bool,
}

#[derive(QueryableByName)]
struct Used {
    #[diesel(sql_type = BigInt)]
    speed: i64,
    #[diesel(sql_type = BigInt)]
    connections: i64,
}

/// Every cap on the port at the account and above it holds for all that is below it.
fn within_caps(db: &mut Db, new: &NewUse) -> Result<(), Problem> {
    let caps: Vec<Cap> = port_caps::table
        .inner_join(account_ancestry::table.on(account_ancestry::ancestor_key.eq(port_caps::account_key)))
        .filter(port_caps::port_key.eq(new.port))
        .filter(account_ancestry::descendant_key.eq(new.account))
        .order(account_ancestry::distance)
        .select((
            port_caps::account_key,
            port_caps::most_speed,
            port_caps::most_connections,
            port_caps::first_vlan,
            port_caps::last_vlan,
            port_caps::may_share,
        ))
        .rows(db)?;
    for cap in caps {
        let refuse = |why: String| Err(Problem::Conflict(Reason::PortCap(why)));
        if !cap.may_share && cap.account != new.account {
            return refuse("An account above may use the port itself, and not pass it on.".to_owned());
        }
        if let (Some(first), Some(last)) = (cap.first_vlan, cap.last_vlan)
            && !(first..=last).contains(&new.vlan)
        {
            return refuse(format!("VLANs {first} to {last} may be used here."));
        }
        let used: Used = said(
            "SELECT CAST(COALESCE(SUM(u.speed), 0) AS BIGINT) AS speed,
                    COUNT(DISTINCT CASE WHEN u.connection_key <> $1 THEN u.connection_key END) AS connections
             FROM port_uses u
             JOIN account_ancestry b ON b.descendant_key = u.account_key AND b.ancestor_key = $2
             WHERE u.port_key = $3",
        )
        .bind(new.connection)
        .bind(cap.account)
        .bind(new.port)
        .row(db)?;
        if let Some(most) = cap.most_speed.filter(|most| used.speed + new.speed > *most) {
            return refuse(format!("Connections here may have {} together.", text::speed(most)));
        }
        if let Some(most) = cap.most_connections.filter(|most| used.connections + 1 > *most) {
            return refuse(format!("{} may use the port here.", text::count(most, "connection", "connections")));
        }
    }
    Ok(())
}
