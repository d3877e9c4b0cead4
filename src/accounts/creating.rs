//! The form that makes a child account, and the page that says what was made and what is left to do.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::marks::{self, Marks};
use super::{Details, MOST_CONTACTS, NewChild, store};
use crate::access::policy::{ADMINISTRATOR, CreateAccounts, CreateMembers, ReadAccounts, UpdateAccounts};
use crate::access::{self, In, lookup};
use crate::members::NewInvitation;
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::web::once::is_done;
use crate::web::shell::path_words;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};
use crate::{consent, ids, members, roles, text};

#[derive(Template)]
#[template(path = "accounts/new.html")]
struct NewPage {
    shell: Shell,
    form: Filled,
    account: String,
    parent: String,
    documents: Vec<(String, String)>,
    may_accept: bool,
    /// Why the contacts cannot be invited by this person; empty when they can.
    no_invitations: &'static str,
    namesake: Option<(String, String)>,
}

const NEW_FIELDS: [&str; 6] = ["name", "description", "contacts", "invite_contacts", "agreements", "same_name"];

/// GET /a/{account}/child-accounts/new
pub async fn new(by: In<CreateAccounts>, site: Site) -> Result<HttpResponse, Problem> {
    let form = site.start_form(by.actor().key, Filled::with([])).await?;
    let page = new_page(&by, &site, form, None).await?;
    site.page(&page, Keep::Private)
}

async fn new_page(
    by: &In<CreateAccounts>,
    site: &Site,
    form: Filled,
    namesake: Option<(String, String)>,
) -> Result<NewPage, Problem> {
    let documents = site.pool.read(consent::in_force).await?;
    Ok(NewPage {
        shell: site.shell(by, Section::ChildAccounts, "New child account").failing(form.failed()),
        account: by.account().id.clone(),
        parent: by.account().name.clone(),
        documents: documents.iter().map(|d| (format!("{}, version {}", d.title, d.version), d.path())).collect(),
        may_accept: by.frame().may_below::<UpdateAccounts>(),
        no_invitations: no_invitations(by),
        form,
        namesake,
    })
}

/// Why this person cannot invite an administrator to an account below; empty when they can.
fn no_invitations(by: &In<CreateAccounts>) -> &'static str {
    let may_give = roles::is_administrator(by.frame().below);
    match (by.frame().may_below::<CreateMembers>(), may_give) {
        (false, _) => "You cannot, because you may not invite people to accounts below.",
        (true, false) => "You cannot, because you are no administrator of the accounts below yourself.",
        (true, true) => "",
    }
}

/// What became of a sent form: made, or held back because a child of that name exists.
enum Made {
    Done(Reply),
    Namesake(String, String),
}

/// POST /a/{account}/child-accounts/new
pub async fn create(by: In<CreateAccounts>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &NEW_FIELDS)?;
    // An invitation asks for a fresh sign-in wherever it is made.
    if form.value("invite_contacts") == "yes" && !by.session.is_fresh() {
        return Err(Problem::Unproven);
    }
    let (grant, copy, depth, origin) = (by.clone(), form.clone(), site.config.max_depth, site.config.origin());
    let done = site.pool.write(move |db| {
        let new = checked(&copy, &grant, depth)?;
        let contacts = new.details.contacts.clone();
        let parent = grant.account().clone();
        let confirmed = text::name_key(copy.value("same_name")) == text::name_key(&new.details.name);
        // Whoever may not see the accounts below does not learn their names by trying.
        let warned = !confirmed && grant.frame().may_below::<ReadAccounts>();
        if warned && let Some((id, name)) = store::namesake(db, parent.key, &new.details.name)? {
            // The twin of a form that was carried out finds its own child: that is no namesake.
            if !is_done(db, grant.actor().key, &copy.receipt())? {
                return Ok(Made::Namesake(id, name));
            }
        }
        let reply = once(db, grant.actor().key, &copy.receipt(), |db| {
            let opened = super::open_child(db, &grant, new)?;
            let mut said = "Child account created.".to_owned();
            if copy.value("invite_contacts") == "yes" {
                invite_contacts(db, &grant, &opened.id, &contacts, origin)?;
                said.push_str(&format!(" Invited as administrator: {}.", contacts.join(", ")));
            }
            Ok(Reply::to(format!("/a/{}/child-accounts/{}/created", parent.id, opened.id), said))
        })?;
        Ok(Made::Done(reply))
    });
    match done.await {
        Ok(Made::Done(reply)) => Ok(site.see(&reply)),
        Ok(Made::Namesake(id, name)) => {
            let mut filled = form.filled(Errors::default());
            filled.set("same_name", form.value("name").trim());
            let page = new_page(&by, &site, filled, Some((id, name))).await?;
            site.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page, Keep::Nothing)
        }
        Err(Problem::Invalid(errors)) => {
            let page = new_page(&by, &site, form.filled(errors), None).await?;
            site.refused(&page)
        }
        Err(Problem::Conflict(reason @ Reason::LimitReached { .. })) => {
            let page = new_page(&by, &site, form.filled(Errors::one("", reason.in_form())), None).await?;
            site.refused(&page)
        }
        Err(other) => Err(other),
    }
}

/// Invites the technical contacts of an account that was just made, in the transaction that is open.
fn invite_contacts(
    db: &mut Db,
    by: &In<CreateAccounts>,
    child: &str,
    contacts: &[String],
    site: String,
) -> Result<(), Problem> {
    let child = access::grant::<CreateMembers>(db, by.actor().key, child, by.origin().clone())?;
    let administrator = roles::available(db, child.frame())?
        .into_iter()
        .find(|role| role.built_in && role.name == ADMINISTRATOR)
        .ok_or_else(|| Problem::bug("no role is called Administrator"))?;
    let new = NewInvitation {
        addresses: contacts.to_vec(),
        role_ids: vec![administrator.id],
        scope: access::Scope::HereAndBelow,
        ends_at: ids::never(),
        message: String::new(),
        site,
    };
    members::invite(db, &child, &new).map(drop)
}

fn checked(form: &Form, by: &In<CreateAccounts>, max_depth: i64) -> Result<NewChild, Problem> {
    let mut check = form.check();
    let name = check.line("name", "Name", 1, 64);
    let description = check.block("description", "Description", 0, 256);
    let contacts = check.emails("contacts", "Technical contact email", MOST_CONTACTS);
    if check.ticked("invite_contacts") {
        let none = "Enter the technical contact who shall be invited";
        check.note("contacts", contacts.is_empty().then(|| none.to_owned()));
        let refusal = no_invitations(by);
        check.note("invite_contacts", (!refusal.is_empty()).then(|| refusal.to_owned()));
    }
    let missing = "Choose who accepts the agreements";
    let accept = check.one_of("agreements", missing, &[("accept", true), ("leave", false)]);
    if accept == Some(true) && !by.frame().may_below::<UpdateAccounts>() {
        let message =
            "You may not accept agreements for accounts below; leave them to the child account's administrator";
        check.note("agreements", Some(message.to_owned()));
    }
    check.finish()?;
    let details = Details { name, description, contacts, tags: Vec::new() };
    Ok(NewChild { details, accept_agreements: accept.unwrap_or(false), max_depth })
}

#[derive(Template)]
#[template(path = "accounts/created.html")]
struct CreatedPage {
    shell: Shell,
    account: String,
    child: CreatedView,
    may_create: bool,
}

struct CreatedView {
    id: String,
    name: String,
    path: String,
    description: String,
    contacts: Vec<String>,
    marks: Marks,
    members: i64,
    invited: i64,
    /// Where to invite somebody; empty for people who may not.
    invite: String,
}

/// GET /a/{account}/child-accounts/{child}/created: what was made and what is left to do.
pub async fn created(by: In<ReadAccounts>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let child_id = path.into_inner().1;
    let (grant, one_factor) = (by.clone(), !by.session.second_factor);
    let child = site
        .pool
        .read(move |db| {
            let frame = lookup::frame(db, grant.actor().key, &child_id)?;
            let place = frame.account().clone();
            let is_child = frame.chain.iter().rev().nth(1).is_some_and(|step| step.place.key == grant.account().key);
            if !is_child || frame.held().is_empty() {
                return Err(Problem::NotFound);
            }
            if one_factor && frame.asks_second_factor().is_some() {
                return Err(Problem::SecondFactor);
            }
            let details = store::details(db, place.key)?;
            let marks = marks::of(db, &frame, &[place.key])?.remove(&place.key).unwrap_or_default();
            let path = path_words(&frame);
            let may_invite = frame.may::<CreateMembers>();
            Ok(CreatedView {
                members: members::count(db, place.key)?,
                invited: members::pending(db, place.key)?,
                invite: if may_invite { format!("/a/{}/members/new", place.id) } else { String::new() },
                id: place.id,
                name: place.name,
                path,
                description: details.description,
                contacts: details.contacts,
                marks,
            })
        })
        .await?;
    let shell = site.shell(&by, Section::ChildAccounts, &child.name);
    let page =
        CreatedPage { shell, account: by.account().id.clone(), child, may_create: by.frame().may::<CreateAccounts>() };
    site.page(&page, Keep::Private)
}
