//! The form that sets the limits of an account below. A stale form comes back with what is stored now beside what was
//! typed; nothing that is there is taken away.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::setting::{self, Limits, field, words};
use super::{MOST, Resource, show, store};
use crate::access::policy::LimitAccounts;
use crate::access::{In, Place, lookup};
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::text;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};

/// The stamp of the limits that the form was made for.
const SEEN: &str = "seen";

#[derive(Template)]
#[template(path = "limits/edit.html")]
struct EditPage {
    shell: Shell,
    account: String,
    child: Place,
    path: String,
    form: Filled,
    seen: String,
    groups: Vec<Group>,
    /// After a stale save: field, what is stored now, what was typed.
    versions: Vec<(String, String, String)>,
}

/// The two limits of one resource.
struct Group {
    title: String,
    fields: Vec<Field>,
}

struct Field {
    name: &'static str,
    label: &'static str,
    value: String,
    hint: String,
    error: Option<String>,
}

/// Every field that the form may carry.
fn fields() -> Vec<&'static str> {
    let limits = Limits::default();
    limits.every().map(|(resource, branch, _)| field(resource, branch)).chain([SEEN]).collect()
}

fn label(branch: bool) -> &'static str {
    if branch { "It and everything below" } else { "The account itself" }
}

pub(super) fn title(resource: Resource) -> String {
    let plural = resource.plural();
    plural[..1].to_uppercase() + &plural[1..]
}

/// GET /a/{account}/child-accounts/{child}/limits
pub async fn edit(by: In<LimitAccounts>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let restored = site.restored(by.actor().key).await?;
    page(&by, &site, &path.1, restored, false).await
}

fn fill(limits: &Limits) -> Filled {
    let mut form = Filled::with([]);
    for (resource, branch, most) in limits.every() {
        form.set(field(resource, branch), &most.map(|most| most.to_string()).unwrap_or_default());
    }
    form.set(SEEN, &limits.stamp());
    form
}

async fn page(
    by: &In<LimitAccounts>,
    site: &Site,
    child: &str,
    returned: Option<Filled>,
    stale: bool,
) -> Result<HttpResponse, Problem> {
    let (grant, id) = (by.clone(), child.to_owned());
    let read = move |db: &mut Db| {
        let child = lookup::below(db, &grant, &id)?;
        let names = lookup::paths(db, &[child.key], grant.account().depth)?.remove(&child.key).unwrap_or_default();
        let (limits, has) = (store::of(db, child.key)?, show::counts(db, child.key)?);
        Ok((child, names.join(" / "), limits, has))
    };
    let (child, path, limits, has) = site.pool.read_long(read).await?;
    let mut form = returned.unwrap_or_else(|| fill(&limits));
    let versions = if stale { differences(&limits, &form) } else { Vec::new() };
    if stale {
        form.set(SEEN, &limits.stamp());
    }
    let failed = form.failed() || stale;
    let one = |resource, branch: bool, has: i64| Field {
        name: field(resource, branch),
        label: label(branch),
        value: form.value(field(resource, branch)).to_owned(),
        hint: format!("There are {}.", show::number(has)),
        error: form.error(field(resource, branch)).map(str::to_owned),
    };
    let groups = Resource::EVERY.into_iter().zip(has.chunks(2)).map(|(resource, has)| Group {
        title: title(resource),
        fields: [false, true].into_iter().zip(has).map(|(branch, has)| one(resource, branch, *has)).collect(),
    });
    let page = EditPage {
        shell: site.shell(by, Section::ChildAccounts, &format!("Limits of {}", child.name)).failing(failed),
        account: by.account().id.clone(),
        path,
        seen: form.value(SEEN).to_owned(),
        groups: groups.collect(),
        versions,
        child,
        form,
    };
    match (stale, failed) {
        (true, _) => site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing),
        (_, true) => site.refused(&page),
        _ => site.page(&page, Keep::Private),
    }
}

fn differences(now: &Limits, typed: &Filled) -> Vec<(String, String, String)> {
    let one = |(resource, branch, most): (Resource, bool, Option<i64>)| {
        let typed = typed.value(field(resource, branch)).trim();
        let typed = if typed.is_empty() { words(None) } else { typed.to_owned() };
        (format!("{}: {}", title(resource), label(branch)), words(most), typed)
    };
    now.every().map(one).filter(|(_, now, typed)| now != typed).collect()
}

/// POST /a/{account}/child-accounts/{child}/limits
pub async fn update(
    by: In<LimitAccounts>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &fields())?;
    let (grant, copy, child) = (by.clone(), form.clone(), path.1.clone());
    let done = site.pool.write(move |db: &mut Db| {
        let child = lookup::below(db, &grant, &child)?;
        let limits = checked(&copy)?;
        once(db, grant.actor().key, &copy.receipt(), |db| {
            let over = setting::set(db, &grant, &child.id, &limits, copy.value(SEEN))?;
            let said = match over.join(", ") {
                over if over.is_empty() => format!("The limits of {} are saved.", child.name),
                over => format!(
                    "!The limits of {} are saved. There are more than they allow: {over}. Nothing is taken away, and nothing new begins.",
                    child.name
                ),
            };
            Ok(Reply::to(format!("/a/{}/child-accounts", grant.account().id), said))
        })
    });
    match done.await {
        Ok(reply) => Ok(site.see(&reply)),
        Err(Problem::Invalid(errors)) => page(&by, &site, &path.1, Some(form.filled(errors)), false).await,
        Err(Problem::Conflict(Reason::Stale)) => {
            page(&by, &site, &path.1, Some(form.filled(Errors::default())), true).await
        }
        Err(other) => Err(other),
    }
}

fn checked(form: &Form) -> Result<Limits, Problem> {
    let mut check = form.check();
    let mut limits = Limits::default();
    for (resource, branch, _) in Limits::default().every() {
        let name = field(resource, branch);
        let typed = check.line(name, "Limit", 0, 20);
        // "20,000" as pages write it; "1,5" is no whole number.
        let is_written = |most: &i64| !typed.contains(',') || text::grouped(most) == typed;
        let most: Option<i64> = typed.replace(',', "").parse().ok();
        let most = most.filter(|most| (0..=MOST).contains(most) && is_written(most));
        if most.is_none() && !typed.is_empty() {
            let wrong = "Enter a whole number from 0 to 1,000,000, or nothing for no limit".to_owned();
            check.note(name, Some(wrong));
        }
        limits.set(resource, branch, most);
    }
    check.finish()?;
    Ok(limits)
}
