//! The Agreements page of an account: the texts in full, what is accepted and what is not, the boxes; and the receipt of
//! each acceptance, which stays.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::document::Kind;
use super::overview::overview;
use super::view::{self, Acceptance, Back, Card, Note, Tick};
use super::{accept, announced, named, receipt};
use crate::access::policy::{Action, SeeAccount, UpdateAccounts};
use crate::access::{Grant, In};
use crate::ids::Key;
use crate::problem::{Errors, Problem};
use crate::store::Db;
use crate::web::form::Form;
use crate::web::once::{Reply, once};
use crate::web::route::{Route, get, post};
use crate::web::shell::Section;
use crate::web::site::Keep;
use crate::web::{Filled, Sent, Shell, Site};

pub fn routes() -> Vec<Route> {
    vec![
        get("/a/{account}/consent", index),
        post("/a/{account}/consent", create),
        get("/a/{account}/consent/{consent}", show),
    ]
}

/// The boxes of versions announced for later have names of their own, as both forms can be on the page at once.
const NEXT: &str = "next-";
const EARLY: &str = "early";
const FIELDS: &[&str] = &["msa", "aup", "next-msa", "next-aup", EARLY];

#[derive(Template)]
#[template(path = "consent/index.html")]
struct IndexPage {
    shell: Shell,
    form: Filled,
    name: String,
    may_accept: bool,
    back: Option<Back>,
    notes: Vec<Note>,
    cards: Vec<Card>,
    needed: Vec<Tick>,
    early: Vec<Tick>,
    recorded: String,
    history: Vec<Acceptance>,
}

/// GET /a/{account}/consent
pub async fn index(by: In<SeeAccount>, site: Site) -> Result<HttpResponse, Problem> {
    let form = site.start_form(by.actor().key, Filled::with([])).await?;
    site.page(&index_page(&site, &by, form).await?, Keep::Private)
}

async fn index_page<A: Action>(site: &Site, by: &In<A>, form: Filled) -> Result<IndexPage, Problem> {
    let see = by.also::<SeeAccount>()?;
    let all = site.pool.read(move |db| overview(db, &see)).await?;
    let frame = by.frame();
    let home = home(by);
    let in_force = all.in_force.iter().map(|one| view::card(frame, one, false, &home));
    let later = all.announced.iter().map(|one| view::card(frame, one, true, &home));
    Ok(IndexPage {
        shell: site.shell(by, Section::Agreements, "Agreements").failing(form.failed()),
        name: by.account().name.clone(),
        may_accept: frame.may::<UpdateAccounts>(),
        back: view::back(&by.account().id, site.req.query_string()),
        notes: view::notes(frame, &all),
        cards: in_force.chain(later).collect(),
        needed: view::ticks(all.needed(), "", &form),
        early: view::ticks(all.early(), NEXT, &form),
        recorded: format!("{}, {}", by.actor().name(), by.actor().email),
        history: all.history.iter().map(|consent| view::acceptance(frame, consent, &home)).collect(),
        form,
    })
}

fn home<A: Action>(by: &Grant<A>) -> String {
    format!("/a/{}/consent", by.account().id)
}

/// POST /a/{account}/consent
pub async fn create(by: In<UpdateAccounts>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, FIELDS)?;
    let receipt = form.receipt();
    let (grant, asked) = (by.clone(), ticked(&form));
    let early = form.value(EARLY) == "yes";
    let way = by_the_way_back(&by, &site);
    let done = site.pool.write(move |db| {
        once(db, grant.actor().key, &receipt, |db| {
            let asked = asked?;
            if early && asked.is_empty() {
                nothing_ticked(db, grant.account().key)?;
            }
            let documents = named(db, &asked)?;
            let consents = accept(db, &grant, &documents)?;
            let id = consents.first().map_or("", |one| one.id.as_str());
            Ok(Reply::to(format!("{}/{id}{way}", home(&grant)), accepted_words(&grant.account().name, consents.len())))
        })
    });
    match done.await {
        Err(Problem::Invalid(errors)) => site.refused(&index_page(&site, &by, form.filled(errors)).await?),
        other => Ok(site.see(&other?)),
    }
}

fn accepted_words(account: &str, documents: usize) -> String {
    if documents == 1 {
        format!("Agreement accepted for {account}.")
    } else {
        format!("Agreements accepted for {account}.")
    }
}

/// The query string that keeps the way back.
fn by_the_way_back<A: Action>(by: &In<A>, site: &Site) -> String {
    let Some(back) = view::back(&by.account().id, site.req.query_string()) else { return String::new() };
    format!("?{}", url::form_urlencoded::Serializer::new(String::new()).append_pair("back", &back.href).finish())
}

/// The versions whose boxes are ticked.
fn ticked(form: &Form) -> Result<Vec<(Kind, i64)>, Problem> {
    let mut check = form.check();
    let mut asked = Vec::new();
    for (prefix, kind) in ["", NEXT].iter().flat_map(|prefix| Kind::EVERY.map(|kind| (prefix, kind))) {
        let field = format!("{prefix}{}", kind.slug());
        match check.raw(&field).parse::<i64>() {
            Ok(version) => asked.push((kind, version)),
            Err(_) if check.raw(&field).is_empty() => {}
            Err(_) => check.note(&field, Some("The box did not say which version it is for; tick it again".to_owned())),
        }
    }
    check.finish().map(|()| asked)
}

/// Says at the boxes of the second form that none of them is ticked, if there are any by now.
fn nothing_ticked(db: &mut Db, account: Key) -> Result<(), Problem> {
    let mut errors = Errors::default();
    for document in announced(db, account)? {
        let field = format!("{NEXT}{}", document.kind.slug());
        if errors.get(&field).is_none() {
            errors.add(&field, format!("Tick the box to accept the {}", document.words()));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Problem::Invalid(errors)) }
}

#[derive(Template)]
#[template(path = "consent/show.html")]
struct ReceiptPage {
    shell: Shell,
    name: String,
    account_id: String,
    home: String,
    back: Option<Back>,
    about: Acceptance,
    from_ip: String,
    documents: Vec<ReceiptLine>,
}

struct ReceiptLine {
    id: String,
    title: String,
    version: i64,
    effective: String,
    sha256: String,
    address: String,
}

/// GET /a/{account}/consent/{consent}
pub async fn show(by: In<SeeAccount>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (_, consent_id) = path.into_inner();
    let see = by.also::<SeeAccount>()?;
    let consents = site.pool.read(move |db| receipt(db, &see, &consent_id)).await?;
    let first = consents.first().ok_or(Problem::NotFound)?;
    let home = home(&by);
    let line = |one: &super::Consent| ReceiptLine {
        id: one.id.clone(),
        title: one.document.title.clone(),
        version: one.document.version,
        effective: crate::web::when::When::day(one.document.effective_at).words,
        sha256: one.document.sha256.clone(),
        address: one.document.path(),
    };
    let page = ReceiptPage {
        shell: site.shell(&by, Section::Agreements, "Receipt"),
        name: by.account().name.clone(),
        account_id: by.account().id.clone(),
        back: view::back(&by.account().id, site.req.query_string()),
        about: view::acceptance(by.frame(), first, &home),
        from_ip: first.address.clone(),
        documents: consents.iter().map(line).collect(),
        home,
    };
    site.page(&page, Keep::Nothing)
}
