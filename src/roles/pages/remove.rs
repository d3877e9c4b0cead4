//! Deleting a role of the account. Its page says who still has it; only one that nobody has can go.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use crate::access::In;
use crate::access::policy::DeleteRoles;
use crate::access::words;
use crate::problem::{Problem, Reason};
use crate::roles;
use crate::store::Db;
use crate::text;
use crate::web::site::Keep;
use crate::web::{Filled, Reply, Section, Sent, Shell, Site, once};

#[derive(Template)]
#[template(path = "roles/delete.html")]
struct DeletePage {
    shell: Shell,
    form: Filled,
    back: String,
    powers: String,
    /// How often it is given, and offered by open invitations; empty for not at all.
    given: String,
    invited: String,
}

fn given_words(n: i64) -> String {
    if n == 0 { String::new() } else { format!("It is given {}.", text::count(n, "time", "times")) }
}

fn invited_words(n: i64) -> String {
    if n == 0 {
        String::new()
    } else {
        format!("{} it.", text::count(n, "open invitation offers", "open invitations offer"))
    }
}

/// GET /a/{account}/roles/{role}/delete
pub async fn show(by: In<DeleteRoles>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (grant, role_id) = (by.clone(), path.into_inner().1);
    let back = format!("/a/{}/roles/{role_id}", by.account().id);
    let read = move |db: &mut Db| {
        let role = roles::own(db, grant.frame(), &role_id)?;
        let uses = roles::uses(db, role.key)?;
        Ok((role, uses))
    };
    let (role, (given, invited)) = match site.pool.read(read).await {
        Err(Problem::Conflict(reason @ (Reason::RoleIsBuiltIn | Reason::RoleIsInherited))) => {
            let words = reason.words();
            return Ok(site.see(&Reply::to(back, format!("!{}. {}", words.heading, words.happened))));
        }
        found => found?,
    };
    let page = DeletePage {
        shell: site.shell(&by, Section::Roles, &format!("Delete the role “{}”?", role.name)),
        form: Filled::with([]),
        back,
        powers: words::powers(role.permissions),
        given: given_words(given),
        invited: invited_words(invited),
    };
    site.page(&page, Keep::Nothing)
}

/// POST /a/{account}/roles/{role}/delete
pub async fn delete(
    by: In<DeleteRoles>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[])?;
    form.check().finish()?;
    let (grant, role_id, receipt) = (by.clone(), path.into_inner().1, form.receipt());
    let reply = site.pool.write(move |db| {
        once(db, grant.actor().key, &receipt, |db| {
            roles::delete(db, &grant, &role_id)?;
            Ok(Reply::to(format!("/a/{}/roles", grant.account().id), "Role deleted."))
        })
    });
    Ok(site.see(&reply.await?))
}
