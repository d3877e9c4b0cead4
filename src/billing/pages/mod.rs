//! Who pays, on one page: the case in a sentence, the account's own method and the inherited one as separate blocks,
//! and how everything below is paid for. Money is never kept by a browser.

mod ask;
mod confirm;
mod confirm_page;
mod discard;
mod entry;
mod fields;
mod remove;
mod uses;
mod verify;
mod view;

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use super::{Change, Counts, Follower, Method, Payer, setup};
use crate::access::below::is_large;
use crate::access::policy::{Action, CreateBilling, DeleteBilling, ReadBilling, UpdateBilling};
use crate::access::{Frame, In};
use crate::problem::{Errors, Problem};
use crate::store::Db;
use crate::text;
use crate::web::route::{Route, get, post};
use crate::web::site::Keep;
use crate::web::{Filled, Form, Section, Shell, Site, csv};
use view::{Fact, Inherited, PendingView};

pub fn routes() -> Vec<Route> {
    let mut all = vec![
        get("/a/{account}/billing", index),
        get("/a/{account}/billing/losing.csv", losing),
        get("/a/{account}/billing/new", entry::new),
        post("/a/{account}/billing/new", entry::create),
        get("/a/{account}/billing/edit", entry::edit),
        post("/a/{account}/billing/edit", entry::update),
        get("/a/{account}/billing/new/confirm", confirm::show_new),
        post("/a/{account}/billing/new/confirm", confirm::take_new),
        get("/a/{account}/billing/edit/confirm", confirm::show_edit),
        post("/a/{account}/billing/edit/confirm", confirm::take_edit),
        post("/a/{account}/billing/new/discard", discard::new),
        post("/a/{account}/billing/edit/discard", discard::edit),
        get("/a/{account}/billing/verify", verify::show),
        post("/a/{account}/billing/verify", verify::verify),
        get("/a/{account}/billing/remove", remove::show),
        post("/a/{account}/billing/remove", remove::delete),
    ];
    all.extend(uses::routes());
    all
}

#[derive(Template)]
#[template(path = "billing/index.html")]
struct IndexPage {
    shell: Shell,
    sentence: String,
    own: Option<OwnView>,
    pending: Option<PendingView>,
    /// Of the button that discards it.
    form: Filled,
    inherited: Option<Inherited>,
    is_root: bool,
    may_add: bool,
    below: Option<Counts>,
}

struct OwnView {
    facts: Vec<Fact>,
    shared: String,
    /// How it stands, with its tone.
    state: (&'static str, &'static str),
    may_change: bool,
    may_remove: bool,
    /// Whether the list of those who pay with it may be opened.
    may_list: bool,
}

/// GET /a/{account}/billing
pub async fn index(by: In<ReadBilling>, site: Site) -> Result<HttpResponse, Problem> {
    let account = by.account().key;
    let sees_below = by.frame().may_below::<ReadBilling>();
    let (own, pending, standing, followers, below) = site
        .pool
        .read_long(move |db| {
            let own = super::own(db, account)?;
            let standing = super::standing(db, account)?;
            let pending = setup::pending(db, account)?;
            // Nobody counts a hundred thousand accounts for a page.
            let large = is_large(db, account)?;
            let followers = if own.is_some() && !large { Some(super::followers(db, account)?) } else { None };
            let sees_below = sees_below && !large;
            let below = if sees_below { Some(super::store::payers::below(db, account, &standing)?) } else { None };
            Ok((own, pending, standing, followers, below))
        })
        .await?;
    let frame = by.frame();
    let payer = standing.payer();
    let page = IndexPage {
        shell: site.shell(&by, Section::Billing, Section::Billing.label()),
        sentence: sentence(&payer, own.as_ref(), frame),
        pending: pending.map(|setup| view::pending(&setup, own.as_ref(), frame)),
        form: Form::default().filled(Errors::default()),
        own: own.map(|method| own_view(&method, followers, frame)),
        inherited: standing.above.map(|source| Inherited::of(&source, frame)),
        is_root: frame.chain.len() == 1,
        may_add: frame.may::<CreateBilling>(),
        below: below.filter(|counts| counts.accounts > 0),
    };
    site.page(&page, Keep::Nothing)
}

fn sentence(payer: &Payer, own: Option<&Method>, frame: &Frame) -> String {
    match (payer, own) {
        (Payer::Own { verified: true }, Some(method)) => {
            let kind = method.stored.words();
            let kind = kind.unwrap_or_else(|| view::lower_first(method.entries.collection_method.words()));
            let shared = if method.entries.allow_child_accounts { ", shared with all accounts below" } else { "" };
            format!("{}: {kind}{shared}", payer.sentence(frame))
        }
        (Payer::Own { verified: false }, Some(method)) if method.verified => {
            "The payment method of this account failed or expired: new connections are blocked".to_owned()
        }
        _ => payer.sentence(frame),
    }
}

/// `followers`: None where they are not counted.
fn own_view(method: &Method, followers: Option<i64>, frame: &Frame) -> OwnView {
    let shared = match followers.filter(|_| frame.may_below::<ReadBilling>()) {
        _ if !method.entries.allow_child_accounts => "Not with child accounts".to_owned(),
        None => "With child accounts".to_owned(),
        Some(n) => {
            let users = text::count(n, "account below pays with it", "accounts below pay with it");
            format!("With child accounts; {users}")
        }
    };
    OwnView {
        facts: view::facts_of(method),
        shared,
        state: view::state(method),
        may_change: frame.may::<UpdateBilling>(),
        may_remove: frame.may::<DeleteBilling>(),
        may_list: frame.may_below::<ReadBilling>(),
    }
}

/// The page a finished change leads to: billing, for those who may read it.
fn home(frame: &Frame) -> String {
    let section = if frame.may::<ReadBilling>() { Section::Billing } else { Section::Dashboard };
    format!("/a/{}/{}", frame.account().id, section.slug())
}

/// Where a link to an account's billing may lead somebody who holds this there.
fn billing_or_dashboard(id: &str, held: crate::access::policy::Permissions) -> String {
    let section = if ReadBilling::NEEDS.met_by(held) { Section::Billing } else { Section::Dashboard };
    format!("/a/{id}/{}", section.slug())
}

#[derive(Deserialize)]
pub struct LosingQuery {
    #[serde(default)]
    change: String,
}

/// GET /a/{account}/billing/losing.csv?change=remove|keep: every account that would lose its payer.
pub async fn losing(by: In<ReadBilling>, site: Site, query: Query<LosingQuery>) -> Result<HttpResponse, Problem> {
    if by.frame().below.is_empty() {
        return Err(Problem::NotFound);
    }
    let account = by.account().clone();
    let change = if query.change == "remove" { Change::Remove } else { Change::Save { allow_child_accounts: false } };
    let read = move |db: &mut Db, after: Option<Follower>| match super::effects(db, account.key, change)?.reach {
        Some(reach) => uses::followers_file(db, &account, reach, after),
        None => Ok((Vec::new(), None)),
    };
    csv::stream(&site.pool, "accounts-that-lose-their-payer.csv", &uses::HEAD, read).await
}
