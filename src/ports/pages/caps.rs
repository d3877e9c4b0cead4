//! Caps: how much of a port the branch of an account below may have. The list with its use, a search for accounts, and
//! a form for each.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;

use super::cap_form::{FIELDS, entered, filled};
use super::edit::current;
use super::view::{self, Pager};
use crate::access::policy::{ReadPorts, UpdatePorts};
use crate::access::{In, lookup};
use crate::ids::Key;
use crate::ports::caps::{self, Cap, Target};
use crate::ports::store::{self, Port};
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::text;
use crate::web::paging::{Cursor, PAGE, PageQuery, Paged};
use crate::web::site::Keep;
use crate::web::{Filled, Reply, Section, Sent, Shell, Site, once};

/// Which page of caps, and what to look for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CapsQuery {
    q: String,
    #[serde(flatten)]
    page: PageQuery,
}

#[derive(Template)]
#[template(path = "ports/caps.html")]
struct CapsPage {
    shell: Shell,
    here: String,
    q: String,
    hits: Vec<(Target, String)>,
    rows: Vec<Row>,
    pager: Pager,
    may_update: bool,
}

/// One account with a cap.
struct Row {
    /// Empty where it may not be seen.
    id: String,
    name: String,
    path: String,
    speed: String,
    connections: String,
    vlans: String,
    may_share: bool,
}

#[derive(Template)]
#[template(path = "ports/cap.html")]
struct CapPage {
    shell: Shell,
    form: Filled,
    back: String,
    name: String,
    used: String,
    is_new: bool,
    /// After a stale save: field, what is stored now, what was typed.
    versions: Vec<(&'static str, String, String)>,
}

#[derive(Template)]
#[template(path = "ports/cap_remove.html")]
struct RemovePage {
    shell: Shell,
    form: Filled,
    back: String,
    cap: String,
    used: String,
}

/// GET /a/{account}/ports/{port}/caps?q=
pub async fn index(
    by: In<ReadPorts>,
    site: Site,
    path: Path<(String, String)>,
    query: Query<CapsQuery>,
) -> Result<HttpResponse, Problem> {
    let (grant, id, want) = (by.clone(), path.1.clone(), query.page.want());
    let q: String = query.q.trim().chars().filter(|c| !c.is_control()).take(64).collect();
    let (wanted, may_update) = (q.clone(), by.frame().may::<UpdatePorts>());
    let read = move |db: &mut Db| {
        let port = store::find(db, grant.account().key, &id)?;
        let rows = caps::page(db, port.key, &want, PAGE)?;
        let keys: Vec<Key> = rows.iter().map(|cap| cap.account).collect();
        let chains = lookup::chains(db, grant.actor().key, &keys)?;
        let hits =
            if wanted.is_empty() || !may_update { Vec::new() } else { caps::search(db, grant.frame(), &wanted)? };
        Ok((port, rows, chains, hits))
    };
    let (port, rows, chains, hits) = site.pool.read_long(read).await?;
    let paged = Paged::new(rows, &query.page, "", None, |cap: &Cap| Cursor(cap.name_key.clone(), cap.account));
    let pager = Pager::of(&paged, "");
    let depth = by.account().depth;
    let row = |cap: Cap| match chains.get(&cap.account) {
        Some(chain) => row(&cap, caps::path(chain, depth)),
        None => Row { id: String::new(), name: "An account below".to_owned(), ..row(&cap, String::new()) },
    };
    let page = CapsPage {
        shell: site.shell(&by, Section::Ports, &format!("Caps on {}", port.name)).noting(&pager.words),
        here: format!("/a/{}/ports/{}", by.account().id, port.id),
        q,
        hits,
        rows: paged.rows.into_iter().map(row).collect(),
        pager,
        may_update: may_update && port.deleted_at.is_none(),
    };
    site.page(&page, Keep::Private)
}

fn row(cap: &Cap, path: String) -> Row {
    let most = |most: Option<String>| most.map_or_else(String::new, |most| format!(" of {most}"));
    Row {
        id: cap.id.clone(),
        name: cap.name.clone(),
        path,
        speed: format!("{}{}", view::speed(cap.used_speed), most(cap.most_speed.map(view::speed))),
        connections: format!("{}{}", cap.used_connections, most(cap.most_connections.map(|n| n.to_string()))),
        vlans: cap.first_vlan.zip(cap.last_vlan).map_or_else(|| "Any".to_owned(), |(a, b)| format!("{a} to {b}")),
        may_share: cap.may_share,
    }
}

fn used(cap: Option<&Cap>) -> String {
    cap.map_or_else(String::new, |cap| {
        let connections = text::count(cap.used_connections, "connection", "connections");
        format!("{connections} with {} together", view::speed(cap.used_speed))
    })
}

async fn look(
    by: &In<UpdatePorts>,
    site: &Site,
    port: &str,
    child: &str,
) -> Result<(Port, Target, Option<Cap>), Problem> {
    let port = current(by, site, port).await?;
    let (grant, child) = (by.clone(), child.to_owned());
    let read = move |db: &mut Db| {
        let target = caps::target(db, &grant, &child)?;
        let cap = caps::one(db, port.key, target.key)?;
        Ok((port, target, cap))
    };
    site.pool.read(read).await
}

/// GET /a/{account}/ports/{port}/caps/{child}
pub async fn edit(
    by: In<UpdatePorts>,
    site: Site,
    path: Path<(String, String, String)>,
) -> Result<HttpResponse, Problem> {
    let (port, target, cap) = look(&by, &site, &path.1, &path.2).await?;
    let form = site.start_form(by.actor().key, filled(cap.as_ref(), port.version)).await?;
    site.page(&page(&by, &site, &port, &target, cap.as_ref(), form), Keep::Private)
}

fn page(by: &In<UpdatePorts>, site: &Site, port: &Port, target: &Target, cap: Option<&Cap>, form: Filled) -> CapPage {
    let heading = format!("Cap {} on {}", target.name, port.name);
    CapPage {
        shell: site.shell(by, Section::Ports, &heading).failing(form.failed()),
        back: format!("/a/{}/ports/{}/caps", by.account().id, port.id),
        name: target.name.clone(),
        used: used(cap),
        is_new: cap.is_none(),
        form,
        versions: Vec::new(),
    }
}

/// POST /a/{account}/ports/{port}/caps/{child}
pub async fn save(
    by: In<UpdatePorts>,
    site: Site,
    path: Path<(String, String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &FIELDS)?;
    let (grant, copy, (_, id, child)) = (by.clone(), form.clone(), path.into_inner());
    let (port_id, child_id) = (id.clone(), child.clone());
    let done = site.pool.write(move |db| {
        let new = entered(&copy)?;
        once(db, grant.actor().key, &copy.receipt(), |db| {
            let target = caps::set(db, &grant, &port_id, &child_id, &new, copy.version())?;
            let back = format!("/a/{}/ports/{port_id}/caps", grant.account().id);
            Ok(Reply::to(back, format!("{} is capped: {}.", target.name, new.words())))
        })
    });
    match done.await {
        Err(Problem::Invalid(errors)) => {
            let (port, target, cap) = look(&by, &site, &id, &child).await?;
            site.refused(&page(&by, &site, &port, &target, cap.as_ref(), form.filled(errors)))
        }
        Err(Problem::Conflict(Reason::Stale)) => {
            let (port, target, cap) = look(&by, &site, &id, &child).await?;
            let mut again = form.filled(Errors::default());
            again.set_version(port.version);
            let mut page = page(&by, &site, &port, &target, cap.as_ref(), again);
            let now = cap.map_or_else(|| "None".to_owned(), |cap| cap.decided().words());
            page.versions = vec![("Cap", now, entered(&form)?.words())];
            page.shell = page.shell.failing(true);
            site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
        }
        other => Ok(site.see(&other?)),
    }
}

/// GET /a/{account}/ports/{port}/caps/{child}/remove
pub async fn ask(
    by: In<UpdatePorts>,
    site: Site,
    path: Path<(String, String, String)>,
) -> Result<HttpResponse, Problem> {
    let (port, target, cap) = look(&by, &site, &path.1, &path.2).await?;
    let cap = cap.ok_or(Problem::NotFound)?;
    let mut form = Filled::with([]);
    form.set_version(port.version);
    let page = RemovePage {
        shell: site.shell(&by, Section::Ports, &format!("Remove the cap of {}?", target.name)),
        form,
        back: format!("/a/{}/ports/{}/caps", by.account().id, port.id),
        cap: cap.decided().words(),
        used: used(Some(&cap)),
    };
    site.page(&page, Keep::Nothing)
}

/// POST /a/{account}/ports/{port}/caps/{child}/remove
pub async fn remove(
    by: In<UpdatePorts>,
    site: Site,
    path: Path<(String, String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[])?;
    let (_, id, child) = path.into_inner();
    let done = site.pool.write(move |db| {
        form.check().finish()?;
        once(db, by.actor().key, &form.receipt(), |db| {
            let target = caps::remove(db, &by, &id, &child, form.version())?;
            let back = format!("/a/{}/ports/{id}/caps", by.account().id);
            Ok(Reply::to(back, format!("The cap of {} is removed.", target.name)))
        })
    });
    Ok(site.see(&done.await?))
}
