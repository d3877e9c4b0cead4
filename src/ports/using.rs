//! What uses a port, connection by connection, and how much of it a person may be told: names of accounts and
//! connections that they may not see are left out.

use std::collections::HashMap;

use diesel::prelude::*;

use super::caps::path;
use super::store::Port;
use crate::access::policy::{Action, ReadNetworks};
use crate::access::{Frame, Step, lookup};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{MultiBackend, Run};
use crate::store::schema::{connections, port_uses};
use crate::web::paging::{Want, is_backward};

/// Whose uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Everybody,
    /// One account's.
    Account(Key),
    /// Those of the accounts below the port's own.
    Below,
}

/// One VLAN that a connection has.
#[derive(Debug, Clone, Queryable)]
pub struct Use {
    pub vlan: i64,
    pub account: Key,
    /// `PRIMARY` or `SECONDARY`.
    pub side: String,
    /// Mbit/s.
    pub speed: i64,
    pub connection_id: String,
    pub connection: String,
    /// The connection's, as stored.
    pub state: String,
}

/// By VLAN: at most `limit + 1`, turned round when the page before is wanted.
pub fn page(db: &mut Db, port: &Port, of: Of, want: &Want, limit: usize) -> Result<Vec<Use>, Problem> {
    let mut query = port_uses::table
        .inner_join(connections::table.on(connections::key.eq(port_uses::connection_key)))
        .filter(port_uses::port_key.eq(port.key))
        .into_boxed::<MultiBackend>();
    query = match of {
        Of::Everybody => query,
        Of::Account(account) => query.filter(port_uses::account_key.eq(account)),
        Of::Below => query.filter(port_uses::account_key.ne(port.account)),
    };
    query = match want {
        Want::After(cursor) => query.filter(port_uses::vlan.gt(cursor.1)),
        Want::Before(cursor) => query.filter(port_uses::vlan.lt(cursor.1)),
        Want::First | Want::Last => query,
    };
    query = if is_backward(want) { query.order(port_uses::vlan.desc()) } else { query.order(port_uses::vlan.asc()) };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    Ok(query
        .limit(limit)
        .select((
            port_uses::vlan,
            port_uses::account_key,
            port_uses::side,
            port_uses::speed,
            connections::id,
            connections::name,
            connections::state,
        ))
        .load(db)?)
}

/// What one account has of the port.
pub fn speed_of(db: &mut Db, port: &Port, account: Key) -> Result<i64, Problem> {
    let own = port_uses::table.filter(port_uses::port_key.eq(port.key)).filter(port_uses::account_key.eq(account));
    let speeds: Vec<i64> = own.select(port_uses::speed).rows(db)?;
    Ok(speeds.iter().sum())
}

/// A use as a person may be told of it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub of: Use,
    /// "An account below" where it may not be seen.
    pub account: String,
    /// Empty where it may not be seen.
    pub account_id: String,
    /// The names between the port's account and this one.
    pub path: String,
    /// "A connection" where it may not be read.
    pub connection: String,
    pub may_read: bool,
}

/// As much of them as the person of the frame may see. Two queries, whatever the number.
pub fn seen(db: &mut Db, frame: &Frame, uses: Vec<Use>) -> Result<Vec<Seen>, Problem> {
    let mut keys: Vec<Key> = uses.iter().map(|one| one.account).collect();
    keys.sort_unstable();
    keys.dedup();
    let chains = lookup::chains(db, frame.actor.key, &keys)?;
    Ok(uses.into_iter().map(|one| told(one, frame, &chains)).collect())
}

fn told(one: Use, frame: &Frame, chains: &HashMap<Key, Vec<Step>>) -> Seen {
    let chain = chains.get(&one.account).map_or(&[][..], Vec::as_slice);
    let here = frame.account();
    let Some(last) = chain.last() else {
        return Seen {
            account: "An account below".to_owned(),
            account_id: String::new(),
            path: String::new(),
            connection: "A connection".to_owned(),
            may_read: false,
            of: one,
        };
    };
    let may_read = ReadNetworks::NEEDS.met_by(last.held);
    Seen {
        account: if last.place.key == here.key { "This account".to_owned() } else { last.place.name.clone() },
        account_id: last.place.id.clone(),
        path: path(chain, here.depth),
        connection: if may_read { one.connection.clone() } else { "A connection".to_owned() },
        may_read,
        of: one,
    }
}
