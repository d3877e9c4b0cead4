//! Changing what the fabric knows of a connection: one page with the fields that its kind can change.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::order::vault;
use crate::access::In;
use crate::access::policy::UpdateNetworks;
use crate::catalogue::SupportedConnection;
use crate::connections::asking::{FieldView, Look, Question, every_field, fields};
use crate::connections::editing::{self, Change};
use crate::connections::keys::PreSharedKey;
use crate::connections::settings::{Kind, Settings, checks};
use crate::connections::state::{Happening, next};
use crate::connections::{Connection, store};
use crate::ids::Key;
use crate::ports::Side;
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::text;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};

#[derive(Template)]
#[template(path = "connections/settings.html")]
struct SettingsPage {
    shell: Shell,
    form: Filled,
    views: Vec<FieldView>,
    back: String,
    /// After a stale save: field, what is stored now, what was typed.
    versions: Vec<(String, String, String)>,
    /// Why nothing can be changed now.
    refused: Option<String>,
}

/// What can be changed of a connection, and the lines for other speeds.
struct Now {
    connection: Connection,
    settings: Settings,
    lines: Vec<SupportedConnection>,
}

async fn now(by: &In<UpdateNetworks>, site: &Site, id: String) -> Result<Now, Problem> {
    let account = by.account().key;
    let read = move |db: &mut Db| {
        let connection = store::find(db, account, &id)?;
        let settings = Settings::of_stored(&connection.settings).ok_or(Problem::NotFound)?;
        let lines = editing::other_lines(db, &connection)?;
        Ok(Now { connection, settings, lines })
    };
    site.pool.read(read).await
}

/// The questions whose fields are on the page.
fn questions(kind: Kind) -> Vec<Question> {
    match kind {
        Kind::Port => vec![Question::Vlan, Question::Routing, Question::Asn, Question::Routes, Question::Networks],
        Kind::SiteIpsecVpn => vec![
            Question::Router,
            Question::Routing,
            Question::Asn,
            Question::Selectors,
            Question::Networks,
            Question::Ike,
            Question::Parameters,
        ],
        _ => vec![Question::Networks],
    }
}

/// The fields with what is stored, or with what was `sent`.
fn views(now: &Now, sent: Option<&Filled>) -> Vec<FieldView> {
    let (kind, double) = (now.settings.kind(), now.connection.high_availability);
    let stored: BTreeMap<&str, String> = now.settings.fields().into_iter().collect();
    // Both versions of IKE are on the page, so it offers what either has.
    let mut views: Vec<FieldView> =
        questions(kind).into_iter().flat_map(|question| fields::of_settings(question, kind, double, true)).collect();
    for view in views.iter_mut().filter(|view| ["asn", "routes", "selectors", "customer_networks"].contains(&view.name))
    {
        view.optional = true;
    }
    if !now.lines.is_empty() {
        let words = |line: &SupportedConnection| (line.key.to_string(), text::speed(line.speed), String::new());
        let keep = (String::new(), format!("{}, as it is", text::speed(now.connection.speed)), String::new());
        let choices = [keep].into_iter().chain(now.lines.iter().map(words)).collect();
        views.insert(0, FieldView::new(Look::Select, "speed", "Speed", "The price changes with it.").with(choices));
    }
    if kind == Kind::SiteIpsecVpn {
        let secret = |name, label: &str| {
            FieldView::new(Look::Secret, name, label, "Leave it empty to keep the one there is. It is not shown.")
                .optional()
        };
        views.push(secret("pre_shared_key", "New pre-shared key"));
        views.extend(double.then(|| secret("second_pre_shared_key", "New pre-shared key of the second gateway")));
    }
    for view in &mut views {
        let value = sent.map_or_else(|| stored.get(view.name).cloned(), |form| Some(form.value(view.name).to_owned()));
        if let Some(value) = value.filter(|_| !view.is("secret")) {
            view.value = value;
        }
        view.error = sent.and_then(|form| form.error(view.name)).map(str::to_owned);
    }
    views
}

/// What is stored now beside what was typed, where the two differ. Keys are not shown.
fn versions(now: &Now, typed: &Filled) -> Vec<(String, String, String)> {
    let words = |view: &FieldView, value: &str| {
        let choice = view.choices.iter().find(|(code, ..)| code == value);
        choice.map_or_else(|| value.lines().collect::<Vec<_>>().join(", "), |(_, words, _)| words.clone())
    };
    let stored = views(now, None).into_iter().filter(|view| !view.is("heading") && !view.is("secret"));
    let both = stored.map(|view| {
        let (now, typed) = (words(&view, &view.value), words(&view, typed.value(view.name)));
        (view.label, now, typed)
    });
    both.filter(|(_, now, typed)| now != typed).collect()
}

/// `sent`: what was typed and not taken. It is shown again even where nothing can be changed now.
fn page(by: &In<UpdateNetworks>, site: &Site, now: &Now, sent: Option<Filled>) -> SettingsPage {
    let state = now.connection.state;
    let refused = (sent.is_none() && next(state, Happening::Edit).is_none()).then(|| {
        format!(
            "It is in the state “{}”. It can be changed while it is active or down, or when a change failed.",
            state.words()
        )
    });
    let views = views(now, sent.as_ref());
    let mut form = sent.unwrap_or_else(|| Filled::with([]));
    form.set_version(now.connection.version);
    SettingsPage {
        shell: site
            .shell(by, Section::Connections, &format!("Change settings of {}", now.connection.name))
            .failing(form.failed()),
        views,
        versions: Vec::new(),
        back: format!("/a/{}/connections/{}", by.account().id, now.connection.id),
        refused,
        form,
    }
}

/// GET /a/{account}/connections/{connection}/settings
pub async fn edit(by: In<UpdateNetworks>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let now = now(&by, &site, path.into_inner().1).await?;
    site.page(&page(&by, &site, &now, None), Keep::Nothing)
}

/// What was sent over what is stored, as a form to be checked.
fn entered(now: &Now, form: &Form) -> Result<Change, Problem> {
    let kind = now.settings.kind();
    let mut values: BTreeMap<&str, String> = now.settings.fields().into_iter().collect();
    for field in
        questions(kind).into_iter().flat_map(|question| question.fields(kind, now.connection.high_availability))
    {
        values.insert(field, form.value(field).to_owned());
    }
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    let merged = Form::restored(&body.extend_pairs(&values).finish());
    let mut check = merged.check();
    let settings = Settings::read(kind, &mut check, now.connection.high_availability);
    let mut keys = Vec::new();
    for (side, field) in [(Side::Primary, "pre_shared_key"), (Side::Secondary, "second_pre_shared_key")] {
        let key = form.value(field);
        if !key.is_empty() && kind == Kind::SiteIpsecVpn {
            check.note(field, checks::pre_shared_key(key).err());
            keys.push((side, PreSharedKey(key.to_owned())));
        }
    }
    let chosen = form.value("speed");
    let line: Option<Key> = now.lines.iter().map(|line| line.key).find(|key| key.to_string() == chosen);
    check.note("speed", (!chosen.is_empty() && line.is_none()).then(|| "Choose one of those offered".to_owned()));
    check.errors.0.extend(form.check().errors.0);
    check.finish()?;
    Ok(Change { settings, line, keys })
}

/// POST /a/{account}/connections/{connection}/settings
pub async fn update(
    by: In<UpdateNetworks>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &every_field())?;
    let id = path.into_inner().1;
    let before = now(&by, &site, id.clone()).await?;
    let vault = vault(&site)?;
    let (grant, copy, connection) = (by.clone(), form.clone(), id.clone());
    let changed = entered(&before, &form);
    let done = site.pool.write(move |db| {
        let changed = changed?;
        once(db, grant.actor().key, &copy.receipt(), |db| {
            editing::change(db, &vault, &grant, &connection, &changed, copy.version())?;
            let to = format!("/a/{}/connections/{connection}", grant.account().id);
            Ok(Reply::to(to, "Saved. The change is being carried out."))
        })
    });
    let mut stale = false;
    let (errors, status) = match done.await {
        Err(Problem::Invalid(errors)) => (errors, StatusCode::UNPROCESSABLE_ENTITY),
        Err(Problem::Conflict(Reason::Stale)) => {
            stale = true;
            (Errors::default(), StatusCode::CONFLICT)
        }
        Err(Problem::Conflict(reason)) if reason != Reason::FormReused => {
            let words = reason.words();
            (Errors::one("", format!("{}. {} {}", words.heading, words.happened, words.advice)), StatusCode::CONFLICT)
        }
        other => return Ok(site.see(&other?)),
    };
    let now = now(&by, &site, id).await?;
    let mut filled = form.filled(errors);
    filled.forget("pre_shared_key");
    filled.forget("second_pre_shared_key");
    let versions = if stale { versions(&now, &filled) } else { Vec::new() };
    if stale && versions.is_empty() {
        let why =
            "Its name, description, tags or state changed in the meantime, and none of these settings. Save again";
        filled.errors.add("", why);
    }
    let mut page = page(&by, &site, &now, Some(filled));
    page.shell = page.shell.failing(page.form.failed() || !versions.is_empty());
    page.versions = versions;
    site.page_with(status, &page, Keep::Nothing)
}
