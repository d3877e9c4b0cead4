//! Ports, and what uses one, as files: every row of the view that the address says.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};

use super::index::{ListQuery, items};
use crate::access::In;
use crate::access::policy::ReadPorts;
use crate::ports::list::{self, Scope};
use crate::ports::using::{self, Of};
use crate::ports::within_reach;
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::{Cursor, Want};
use crate::web::{Site, csv, when};

/// Rows read at once.
const AT_ONCE: usize = 500;

const LIST_HEAD: [&str; 16] = [
    "id",
    "name",
    "accountId",
    "account",
    "path",
    "ownership",
    "facility",
    "location",
    "state",
    "speed",
    "used",
    "availabilityDomain",
    "mediaType",
    "billingTerm",
    "availableToChildAccounts",
    "createdAt",
];

/// GET /a/{account}/ports.csv?scope=&state=&whose=&sort=
pub async fn list(by: In<ReadPorts>, site: Site, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let filter = query.filter();
    let reaches = filter.scope == Scope::Here || by.frame().may_below::<ReadPorts>();
    let name = format!("Ports {}.csv", by.account().name);
    let read = move |db: &mut Db| {
        let (mut out, mut want) = (Vec::new(), Want::First);
        if !reaches {
            return Ok(out);
        }
        loop {
            let here = by.account();
            let mut rows = list::page(db, here.key, &filter, &want, AT_ONCE)?;
            let more = rows.len() > AT_ONCE;
            rows.truncate(AT_ONCE);
            let items = items(db, by.frame(), &rows, filter.scope)?;
            for (row, item) in rows.iter().zip(items) {
                // The account above may be one that its reader may not see.
                let open = item.own || filter.scope == Scope::Below;
                let shared = item.owner.strip_prefix("Shared by ").unwrap_or_default().to_owned();
                out.push(vec![
                    row.id.clone(),
                    row.name.clone(),
                    if open { row.account_id.clone() } else { String::new() },
                    if open { row.account_name.clone() } else { shared },
                    item.path,
                    if open { "OWN" } else { "SHARED" }.to_owned(),
                    row.facility.clone(),
                    row.location.clone(),
                    row.state().code().to_owned(),
                    row.speed.to_string(),
                    if open { row.used_speed } else { row.own_use }.to_string(),
                    row.availability_domain.clone(),
                    if open { row.media_type.clone() } else { String::new() },
                    if open { row.term.clone() } else { String::new() },
                    if open { row.offered.to_string() } else { String::new() },
                    when::iso(row.created_at),
                ]);
            }
            match rows.last() {
                Some(last) if more => want = Want::After(last.cursor(filter.sort)),
                _ => return Ok(out),
            }
        }
    };
    csv::file(&name, &LIST_HEAD, site.pool.read_long(read).await?)
}

const USES_HEAD: [&str; 9] =
    ["vlan", "speed", "gateway", "accountId", "account", "path", "connectionId", "connection", "connectionState"];

/// GET /a/{account}/ports/{port}/uses.csv: all of them for the port's own account, its own for one below.
pub async fn uses(by: In<ReadPorts>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let id = path.into_inner().1;
    let read = move |db: &mut Db| {
        let account = by.account().key;
        let port = within_reach(db, account, &id)?;
        let of = if port.account == account { Of::Everybody } else { Of::Account(account) };
        let (mut out, mut want) = (Vec::new(), Want::First);
        loop {
            let mut rows = using::page(db, &port, of, &want, AT_ONCE)?;
            let more = rows.len() > AT_ONCE;
            rows.truncate(AT_ONCE);
            let last = rows.last().map(|one| one.vlan);
            for one in using::seen(db, by.frame(), rows)? {
                let connection_id = if one.may_read { one.of.connection_id } else { String::new() };
                out.push(vec![
                    one.of.vlan.to_string(),
                    one.of.speed.to_string(),
                    one.of.side,
                    one.account_id,
                    one.account,
                    one.path,
                    connection_id,
                    one.connection,
                    one.of.state,
                ]);
            }
            match last {
                Some(vlan) if more => want = Want::After(Cursor(String::new(), vlan)),
                _ => return Ok((port.name, out)),
            }
        }
    };
    let (name, rows) = site.pool.read_long(read).await?;
    csv::file(&format!("Uses of {name}.csv"), &USES_HEAD, rows)
}
