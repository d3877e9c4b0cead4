//! What a branch below may do with an offered port: its speed, its connections, its VLANs, and whether accounts further
//! below may use it. An account without a cap has no limit but the port's own.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::store;
use crate::access::policy::UpdatePorts;
use crate::access::{Frame, Grant, Step, lookup};
use crate::audit::{self, Event, EventType};
use crate::ids::{self, Key};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::dialect::{Run, said};
use crate::store::schema::{account_ancestry, accounts, port_caps};
use crate::text;
use crate::web::paging::{Want, is_backward};

/// What somebody decides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewCap {
    /// Mbit/s, of all connections of the branch together.
    pub most_speed: Option<i64>,
    pub most_connections: Option<i64>,
    pub vlans: Option<(i64, i64)>,
    pub may_share: bool,
}

impl NewCap {
    /// In one line, for the audit log and for lists.
    pub fn words(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.most_speed.map(|speed| format!("up to {}", text::speed(speed))));
        parts.extend(self.most_connections.map(|n| format!("up to {}", text::count(n, "connection", "connections"))));
        parts.extend(self.vlans.map(|(first, last)| format!("VLANs {first} to {last}")));
        parts.push(if self.may_share { "may be passed on" } else { "not passed on" }.to_owned());
        parts.join(", ")
    }
}

/// An account with a cap, and what its branch has of it.
#[derive(Debug, Clone, QueryableByName)]
pub struct Cap {
    #[diesel(sql_type = BigInt)]
    pub account: Key,
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub name_key: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub most_speed: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub most_connections: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub first_vlan: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub last_vlan: Option<i64>,
    #[diesel(sql_type = Bool)]
    pub may_share: bool,
    #[diesel(sql_type = BigInt)]
    pub used_speed: i64,
    #[diesel(sql_type = BigInt)]
    pub used_connections: i64,
}

impl Cap {
    pub fn decided(&self) -> NewCap {
        NewCap {
            most_speed: self.most_speed,
            most_connections: self.most_connections,
            vlans: self.first_vlan.zip(self.last_vlan),
            may_share: self.may_share,
        }
    }
}

/// What the branch of the cap `c` has of its port: speed, and connections.
const USED: &str = "(SELECT CAST(COALESCE(SUM(u.speed), 0) AS BIGINT) FROM port_uses u
           JOIN account_ancestry b ON b.descendant_key = u.account_key AND b.ancestor_key = c.account_key
           WHERE u.port_key = c.port_key) AS used_speed,
         (SELECT COUNT(DISTINCT u.connection_key) FROM port_uses u
           JOIN account_ancestry b ON b.descendant_key = u.account_key AND b.ancestor_key = c.account_key
           WHERE u.port_key = c.port_key) AS used_connections";

/// The caps of the port by name of the account: at most `limit + 1`.
pub fn page(db: &mut Db, port: Key, want: &Want, limit: usize) -> Result<Vec<Cap>, Problem> {
    let (order, than) = if is_backward(want) { ("DESC", "<") } else { ("ASC", ">") };
    let beyond = match want {
        Want::After(_) | Want::Before(_) => {
            format!("AND (a.name_key {than} $2 OR (a.name_key = $2 AND a.key {than} $3))")
        }
        Want::First | Want::Last => String::new(),
    };
    let query = said(format!(
        "SELECT c.account_key AS account, a.id, a.name, a.name_key, c.most_speed, c.most_connections, c.first_vlan,
                c.last_vlan, c.may_share, {USED}
         FROM port_caps c JOIN accounts a ON a.key = c.account_key
         WHERE c.port_key = $1 {beyond} ORDER BY a.name_key {order}, a.key {order} LIMIT {}",
        limit + 1
    ))
    .bind(port);
    Ok(match want {
        Want::After(cursor) | Want::Before(cursor) => query.bind(cursor.0.as_str()).bind(cursor.1).rows(db)?,
        Want::First | Want::Last => query.rows(db)?,
    })
}

/// How many accounts have one.
pub fn count(db: &mut Db, port: Key) -> Result<i64, Problem> {
    Ok(port_caps::table.filter(port_caps::port_key.eq(port)).count().row(db)?)
}

/// The cap of this account, if it has one.
pub fn one(db: &mut Db, port: Key, account: Key) -> Result<Option<Cap>, Problem> {
    let query = said(format!(
        "SELECT c.account_key AS account, a.id, a.name, a.name_key, c.most_speed, c.most_connections, c.first_vlan,
                c.last_vlan, c.may_share, {USED}
         FROM port_caps c JOIN accounts a ON a.key = c.account_key WHERE c.port_key = $1 AND c.account_key = $2"
    ));
    Ok(query.bind(port).bind(account).row(db).optional()?)
}

/// A cap that holds for an account, at itself or above it, and what its branch has of it.
#[derive(Debug, Clone, QueryableByName)]
pub struct Along {
    #[diesel(sql_type = BigInt)]
    port: Key,
    /// Levels above the account.
    #[diesel(sql_type = BigInt)]
    pub distance: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub most_speed: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub most_connections: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub first_vlan: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub last_vlan: Option<i64>,
    #[diesel(sql_type = Bool)]
    pub may_share: bool,
    #[diesel(sql_type = BigInt)]
    pub used_speed: i64,
    #[diesel(sql_type = BigInt)]
    pub used_connections: i64,
}

/// Every cap on any port that holds for the account, by port.
pub fn along(db: &mut Db, account: Key) -> Result<HashMap<Key, Vec<Along>>, Problem> {
    let rows: Vec<Along> = said(format!(
        "SELECT c.port_key AS port, up.distance, c.most_speed, c.most_connections, c.first_vlan, c.last_vlan,
                c.may_share, {USED}
         FROM account_ancestry up JOIN port_caps c ON c.account_key = up.ancestor_key
         WHERE up.descendant_key = $1"
    ))
    .bind(account)
    .rows(db)?;
    let mut along: HashMap<Key, Vec<Along>> = HashMap::new();
    for row in rows {
        along.entry(row.port).or_default().push(row);
    }
    Ok(along)
}

/// An account below that a cap can be for.
#[derive(Debug, Clone)]
pub struct Target {
    pub key: Key,
    pub id: String,
    pub name: String,
}

/// The open account of this id below the grant's, if the person may see it.
pub fn target(db: &mut Db, by: &Grant<UpdatePorts>, id: &str) -> Result<Target, Problem> {
    if !ids::looks_like_id("ac", id) {
        return Err(Problem::NotFound);
    }
    let (key, name): (Key, String) = accounts::table
        .inner_join(account_ancestry::table.on(account_ancestry::descendant_key.eq(accounts::key)))
        .filter(account_ancestry::ancestor_key.eq(by.account().key))
        .filter(account_ancestry::distance.gt(0))
        .filter(accounts::id.eq(id))
        .filter(accounts::closed_at.is_null())
        .select((accounts::key, accounts::name))
        .first_row(db)?;
    if !lookup::chains(db, by.actor().key, &[key])?.contains_key(&key) {
        return Err(Problem::NotFound);
    }
    Ok(Target { key, id: id.to_owned(), name })
}

/// Accounts found at once.
const MOST_HITS: i64 = 50;

/// Open accounts below with this in their names, or with this id, that the person may see; each with the names between.
pub fn search(db: &mut Db, frame: &Frame, text: &str) -> Result<Vec<(Target, String)>, Problem> {
    let here = frame.account();
    let name = accounts::name_key.like(text::like_anywhere(&text::name_key(text))).escape('\\');
    let rows: Vec<(Key, String, String)> = accounts::table
        .inner_join(account_ancestry::table.on(account_ancestry::descendant_key.eq(accounts::key)))
        .filter(account_ancestry::ancestor_key.eq(here.key))
        .filter(account_ancestry::distance.gt(0))
        .filter(accounts::closed_at.is_null())
        .filter(name.or(accounts::id.eq(text.trim())))
        .order((accounts::name_key, accounts::key))
        .limit(MOST_HITS)
        .select((accounts::key, accounts::id, accounts::name))
        .rows(db)?;
    let keys: Vec<Key> = rows.iter().map(|(key, ..)| *key).collect();
    let chains = lookup::chains(db, frame.actor.key, &keys)?;
    let hit = |(key, id, name)| Some((Target { key, id, name }, path(chains.get(&key)?, here.depth)));
    Ok(rows.into_iter().filter_map(hit).collect())
}

/// The names between the account at `depth` and the last of the chain, as far as they may be seen.
pub fn path(chain: &[Step], depth: i64) -> String {
    let name = |step: &Step| if step.held.is_empty() { "restricted".to_owned() } else { step.place.name.clone() };
    let between = chain.split_last().map_or(&[][..], |(_, above)| above);
    between.iter().filter(|step| step.place.depth > depth).map(name).collect::<Vec<_>>().join(" / ")
}

/// Caps what the branch of an account below may do with the port, if the port still is the version that was shown.
pub fn set(
    db: &mut Db,
    by: &Grant<UpdatePorts>,
    port_id: &str,
    account_id: &str,
    new: &NewCap,
    version: i64,
) -> Result<Target, Problem> {
    audit::change(db, by, |db, by| {
        let port = store::find_version(db, by.account().key, port_id, version)?;
        let target = target(db, by, account_id)?;
        let before = one(db, port.key, target.key)?.map(|cap| cap.decided().words());
        store::touch(db, &port)?;
        diesel::delete(port_caps::table.find((port.key, target.key))).execute(db)?;
        diesel::insert_into(port_caps::table)
            .values((
                port_caps::port_key.eq(port.key),
                port_caps::port_account_key.eq(port.account),
                port_caps::account_key.eq(target.key),
                port_caps::most_speed.eq(new.most_speed),
                port_caps::most_connections.eq(new.most_connections),
                port_caps::first_vlan.eq(new.vlans.map(|(first, _)| first)),
                port_caps::last_vlan.eq(new.vlans.map(|(_, last)| last)),
                port_caps::may_share.eq(new.may_share),
            ))
            .execute(db)?;
        let event = Event::new(EventType::PortUpdate, port.subject()).with("capAccount", &target.id).changed(
            "cap",
            &before.unwrap_or_default(),
            &new.words(),
        );
        Ok((target, event))
    })
}

/// Takes the cap away: the account may use what is left of the port.
pub fn remove(
    db: &mut Db,
    by: &Grant<UpdatePorts>,
    port_id: &str,
    account_id: &str,
    version: i64,
) -> Result<Target, Problem> {
    audit::change(db, by, |db, by| {
        let port = store::find_version(db, by.account().key, port_id, version)?;
        let target = target(db, by, account_id)?;
        let before = one(db, port.key, target.key)?.ok_or(Problem::Conflict(Reason::Stale))?;
        store::touch(db, &port)?;
        diesel::delete(port_caps::table.find((port.key, target.key))).execute(db)?;
        let event = Event::new(EventType::PortUpdate, port.subject())
            .without("capAccount", &target.id)
            .without("cap", before.decided().words());
        Ok((target, event))
    })
}
