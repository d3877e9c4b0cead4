//! Account Settings: name, description, contacts, tags. A stale form comes back with both versions side by side.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::{Details, MOST_CONTACTS, store, tags_line};
use crate::access::policy::{DeleteAccounts, ReadAccounts, UpdateAccounts};
use crate::access::{Frame, In};
use crate::factor::requirement;
use crate::problem::{Errors, Problem, Reason};
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};
use crate::{tags, text};

#[derive(Template)]
#[template(path = "accounts/settings.html")]
struct SettingsPage {
    shell: Shell,
    account: String,
    form: Filled,
    created: When,
    /// What it is called in a system of those above; empty for nothing.
    reference: String,
    version: i64,
    parent: Option<(String, String)>,
    is_root: bool,
    children: String,
    may_update: bool,
    may_close: bool,
    second_factor: String,
    /// After a stale save: field, what is stored now, what was typed.
    versions: Vec<(&'static str, String, String)>,
}

const FIELDS: [&str; 4] = ["name", "description", "contacts", "tags"];

/// GET /a/{account}/settings
pub async fn edit(by: In<ReadAccounts>, site: Site) -> Result<HttpResponse, Problem> {
    let restored = site.restored(by.actor().key).await?;
    let page = page(&by, &site, restored, false).await?;
    site.page(&page, Keep::Private)
}

fn fill(details: &Details, version: i64) -> Filled {
    let tags: Vec<String> = details.tags.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let mut form = Filled::with([
        ("name", &*details.name),
        ("description", &*details.description),
        ("contacts", &*details.contacts.join("\n")),
        ("tags", &*tags.join("\n")),
    ]);
    form.set_version(version);
    form
}

async fn page<A: crate::access::policy::Action>(
    by: &In<A>,
    site: &Site,
    returned: Option<Filled>,
    stale: bool,
) -> Result<SettingsPage, Problem> {
    let key = by.account().key;
    // Read anew: after a refused save the grant's picture of the account may be old.
    let (frame, details, (created, reference)) = {
        let (user, id) = (by.actor().key, by.account().id.clone());
        let read = site.pool.read(move |db| {
            let frame = crate::access::lookup::frame(db, user, &id)?;
            Ok((frame, store::details(db, key)?, store::origin(db, key)?))
        });
        read.await?
    };
    let version = frame.account().version;
    let mut form = returned.unwrap_or_else(|| fill(&details, version));
    let versions = if stale { differences(&details, &form) } else { Vec::new() };
    if stale {
        form.set_version(version);
    }
    let failed = form.failed() || stale;
    Ok(SettingsPage {
        shell: site.shell(by, Section::Settings, Section::Settings.label()).failing(failed),
        account: frame.account().id.clone(),
        created: created.into(),
        reference: reference.unwrap_or_default(),
        version,
        parent: frame.visible_parent().map(|p| (p.id.clone(), p.name.clone())),
        is_root: frame.account().depth == 0,
        children: below(&frame),
        may_update: frame.may::<UpdateAccounts>(),
        may_close: frame.may::<DeleteAccounts>() && frame.account().depth > 0,
        second_factor: second_factor(&frame),
        form,
        versions,
    })
}

/// Who asks for a second factor here.
fn second_factor(frame: &Frame) -> String {
    let below = "of everybody who enters here or below";
    match requirement::asking(frame) {
        None => "Not required here: whoever has none signs in with the password alone.".to_owned(),
        Some(_) if frame.account().requires_second_factor => format!("Required {below}."),
        Some(name) => format!("{name} asks for one {below}."),
    }
}

/// How many child accounts there are, for those who may see them.
fn below(frame: &Frame) -> String {
    if frame.may_below::<ReadAccounts>() {
        text::count(frame.account().children_count, "child account", "child accounts")
    } else {
        "Not shown: your role does not hold below this account".to_owned()
    }
}

fn differences(now: &Details, typed: &Filled) -> Vec<(&'static str, String, String)> {
    let lines = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join(", ");
    [
        ("Name", now.name.clone(), typed.value("name").to_owned()),
        ("Description", now.description.clone(), typed.value("description").to_owned()),
        ("Technical contact email", now.contacts.join(", "), lines(typed.value("contacts"))),
        ("Tags", tags_line(&now.tags), lines(typed.value("tags"))),
    ]
    .into_iter()
    .collect()
}

/// POST /a/{account}/settings
pub async fn update(by: In<UpdateAccounts>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &FIELDS)?;
    let (grant, copy) = (by.clone(), form.clone());
    let done = site.pool.write(move |db| {
        let details = checked(&copy)?;
        once(db, grant.actor().key, &copy.receipt(), |db| {
            super::edit(db, &grant, &details, copy.version())?;
            Ok(Reply::to(format!("/a/{}/settings", grant.account().id), "Settings saved."))
        })
    });
    match done.await {
        Err(Problem::Invalid(errors)) => {
            let page = page(&by, &site, Some(form.filled(errors)), false).await?;
            site.refused(&page)
        }
        Err(Problem::Conflict(Reason::Stale)) => {
            let page = page(&by, &site, Some(form.filled(Errors::default())), true).await?;
            site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
        }
        other => Ok(site.see(&other?)),
    }
}

fn checked(form: &Form) -> Result<Details, Problem> {
    let mut check = form.check();
    let name = check.line("name", "Name", 1, 64);
    let description = check.block("description", "Description", 0, 256);
    let contacts = check.emails("contacts", "Technical contact email", MOST_CONTACTS);
    let typed = check.block("tags", "Tags", 0, 20_000);
    let tags = match tags::of_text(&typed) {
        Ok(tags) => tags,
        Err(why) => {
            check.note("tags", Some(why));
            Vec::new()
        }
    };
    check.finish()?;
    Ok(Details { name, description, contacts, tags })
}
