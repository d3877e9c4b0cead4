//! What a person may change about themselves: names, password, appearance, and where they are signed in.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{HttpResponse, Responder};
use askama::Template;

use super::store::SessionRow;
use super::throttle::{self, Attempt};
use super::{Names, email, password, store};
use crate::access::Me;
use crate::factor::{self, Means};
use crate::ids::{self, Key};
use crate::members::{self, Membership};
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::web::device;
use crate::web::form::Receipt;
use crate::web::once::again;
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Filled, Form, Reply, Sent, Shell, Site, once};

#[derive(Template)]
#[template(path = "sign_in/profile.html")]
struct ProfilePage {
    shell: Shell,
    email: String,
    state: email::State,
    verification: Filled,
    theme: String,
    names: Filled,
    password: Filled,
    appearance: Filled,
    sessions: Vec<SessionView>,
    factor: factor::view::View,
    memberships: Vec<Membership>,
    /// The errors of whichever form came back.
    errors: Errors,
}

struct SessionView {
    id: String,
    device: String,
    address: String,
    signed_in: When,
    last_used: When,
    current: bool,
    second_factor: bool,
}

#[derive(Template)]
#[template(path = "sign_in/end_session.html")]
struct EndPage {
    shell: Shell,
    form: Filled,
    session: SessionView,
}

/// Roles that the page lists; the switcher finds every account.
const MOST_MEMBERSHIPS: i64 = 50;

/// Which form of the page came back, and how.
#[derive(Default)]
struct Returned {
    names: Option<Filled>,
    password: Option<Filled>,
    appearance: Option<Filled>,
}

async fn page(me: &Me, site: &Site, returned: Returned) -> Result<HttpResponse, Problem> {
    let user = me.actor.key;
    let read = move |db: &mut Db| {
        let memberships = members::memberships(db, user, MOST_MEMBERSHIPS)?;
        let about = (factor::summary(db, user)?, email::state(db, user)?);
        Ok((store::names(db, user)?, store::live_sessions(db, user)?, about, memberships))
    };
    let (known, sessions, (factors, state), memberships) = site.pool.read(read).await?;
    let (Names { first_name, last_name, company }, version) = known;
    let mut names = Filled::with([("first_name", &*first_name), ("last_name", &*last_name), ("company", &*company)]);
    names.set_version(version);
    let mut names = returned.names.unwrap_or(names);
    // What was typed over a stale page goes back with the version it was compared with.
    names.set_version(version);
    let password = returned.password.unwrap_or_else(|| Filled::with([]));
    let appearance = returned.appearance.unwrap_or_else(|| Filled::with([]));
    let errors = [&names, &password, &appearance].into_iter().find(|form| form.failed());
    let errors = errors.map(|form| form.errors.clone()).unwrap_or_default();
    let failed = !errors.is_empty();
    let page = ProfilePage {
        shell: site.personal_shell(me, "Profile").failing(failed),
        email: me.actor.email.clone(),
        state,
        verification: Filled::with([]),
        theme: me.actor.theme.clone(),
        names,
        password,
        appearance,
        factor: factor::view::of(&Means::of(site)?, factors),
        memberships,
        sessions: sessions.into_iter().map(|row| view(row, &me.session.id)).collect(),
        errors,
    };
    if failed { site.refused(&page) } else { site.page(&page, Keep::Nothing) }
}

fn view(row: SessionRow, current: &str) -> SessionView {
    SessionView {
        current: row.id == current,
        second_factor: row.second_factor,
        device: device::words(&row.user_agent),
        address: row.address,
        signed_in: row.created_at.into(),
        last_used: row.last_used_at.into(),
        id: row.id,
    }
}

/// GET /profile
pub async fn show(me: Me, site: Site) -> Result<HttpResponse, Problem> {
    page(&me, &site, Returned::default()).await
}

/// GET /profile/name: the profile, with what was typed before the session ended.
pub async fn edit_name(me: Me, site: Site) -> Result<HttpResponse, Problem> {
    let kept = site.restored(me.actor.key).await?;
    page(&me, &site, Returned { names: kept, ..Returned::default() }).await
}

/// POST /profile/name
pub async fn update_name(me: Me, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = sent.open(&me.session.csrf, None, &["first_name", "last_name", "company"])?;
    let (actor, origin, receipt, copy) = (me.actor.clone(), me.origin.clone(), form.receipt(), form.clone());
    let done = site.pool.write(move |db| {
        once(db, actor.key, &receipt, |db| {
            super::rename(db, &actor, &origin, &names_of(&copy)?, copy.version())?;
            Ok(Reply::to("/profile", "Your profile is saved."))
        })
    });
    match done.await {
        Err(Problem::Invalid(errors)) => refused_name(&me, &site, &form, errors).await,
        Err(Problem::Conflict(Reason::Stale)) => {
            let user = me.actor.key;
            let now = site.pool.read(move |db| Ok(store::names(db, user)?.0)).await?;
            let message = format!(
                "Your profile was changed elsewhere in the meantime; stored now is “{} {}, {}”. Check what you typed and save again",
                now.first_name, now.last_name, now.company
            );
            let mut answer = refused_name(&me, &site, &form, Errors::one("", message)).await?;
            *answer.status_mut() = StatusCode::CONFLICT;
            Ok(answer)
        }
        other => Ok(site.see(&other?)),
    }
}

async fn refused_name(me: &Me, site: &Site, form: &Form, errors: Errors) -> Result<HttpResponse, Problem> {
    page(me, site, Returned { names: Some(form.filled(errors)), ..Returned::default() }).await
}

fn names_of(form: &Form) -> Result<Names, Problem> {
    let mut check = form.check();
    let first_name = check.line("first_name", "First name", 1, 128);
    let last_name = check.line("last_name", "Last name", 1, 128);
    let company = check.line("company", "Company", 1, 128);
    check.finish()?;
    Ok(Names { first_name, last_name, company })
}

/// GET /profile/password
pub async fn edit_password(me: Me, site: Site) -> Result<HttpResponse, Problem> {
    factor::gate::look(&me, &site).await?;
    page(&me, &site, Returned::default()).await
}

/// POST /profile/password: asks for the current one; ends the other sessions if wanted.
pub async fn update_password(me: Me, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = sent.open(&me.session.csrf, None, &["current", "new_password", "end_others"])?;
    match set_password(&me, &site, &form).await {
        Err(Problem::Invalid(errors)) => {
            let mut form = form.filled(errors);
            form.forget("current");
            form.forget("new_password");
            page(&me, &site, Returned { password: Some(form), ..Returned::default() }).await
        }
        other => Ok(site.see(&other?)),
    }
}

async fn earlier(site: &Site, user: Key, receipt: &Receipt) -> Result<Option<Reply>, Problem> {
    let receipt = receipt.clone();
    site.pool.read(move |db| again(db, user, &receipt)).await
}

async fn set_password(me: &Me, site: &Site, form: &Form) -> Result<Reply, Problem> {
    let user = me.actor.key;
    let receipt = form.receipt();
    // Sent again, the current password is another one by now.
    if let Some(reply) = earlier(site, user, &receipt).await? {
        return Ok(reply);
    }
    factor::gate::look(me, site).await?;
    let (stored, names) =
        site.pool.read(move |db| Ok((store::password_hash(db, user)?, store::names(db, user)?.0))).await?;
    let mut check = form.check();
    let typed = check.raw("new_password").to_owned();
    let context = [&*names.first_name, &*names.last_name, &*names.company, &*me.actor.email];
    check.note("new_password", password::refusal(&typed, &context));
    let end_others = check.ticked("end_others");
    // Guessing here counts like guessing at sign-in.
    let attempt = Attempt::new(&me.origin.address, &me.actor.email);
    let counted = site.pool.write(move |db| throttle::count(db, &attempt)).await?;
    if password::matches(check.raw("current"), Some(stored.clone())).await? {
        site.pool.write(move |db| throttle::succeeded(db, &counted)).await?;
    } else if let Some(reply) = earlier(site, user, &receipt).await? {
        // A twin that was sent at the same time changed it meanwhile.
        return Ok(reply);
    } else {
        check.note("current", Some(super::NOT_CURRENT.to_owned()));
    }
    check.finish()?;
    let hash = password::hash(&typed).await?;
    let me = me.clone();
    let sentence = format!("Your password is changed. It is {}.", password::strength(&typed, &context));
    let done = site.pool.write(move |db| {
        once(db, user, &receipt, |db| {
            super::change_password(db, &me, (&stored, &hash), end_others)?;
            Ok(Reply::to("/profile", sentence))
        })
    });
    done.await
}

/// GET /profile/appearance
pub async fn edit_appearance(me: Me, site: Site) -> Result<HttpResponse, Problem> {
    page(&me, &site, Returned::default()).await
}

/// POST /profile/appearance
pub async fn update_appearance(me: Me, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = sent.open(&me.session.csrf, None, &["theme"])?;
    let mut check = form.check();
    let offered = [("auto", "auto"), ("light", "light"), ("dark", "dark")];
    let theme = check.one_of("theme", "Choose one of the three", &offered);
    if let Err(Problem::Invalid(errors)) = check.finish() {
        return page(&me, &site, Returned { appearance: Some(form.filled(errors)), ..Returned::default() }).await;
    }
    let (actor, origin, receipt) = (me.actor.clone(), me.origin.clone(), form.receipt());
    let done = site.pool.write(move |db| {
        once(db, actor.key, &receipt, |db| {
            super::set_theme(db, &actor, &origin, theme.unwrap_or("auto"))?;
            Ok(Reply::to("/profile", "The appearance is saved."))
        })
    });
    Ok(site.see(&done.await?))
}

/// GET /profile/sessions/{session}/end
pub async fn confirm_end(me: Me, site: Site, id: Path<String>) -> Result<HttpResponse, Problem> {
    let user = me.actor.key;
    let rows = site.pool.read(move |db| store::live_sessions(db, user)).await?;
    let row = rows.into_iter().find(|row| row.id == *id).ok_or(Problem::NotFound)?;
    let page = EndPage {
        shell: site.personal_shell(&me, "End this session?"),
        form: Filled::with([]),
        session: view(row, &me.session.id),
    };
    site.page(&page, Keep::Nothing)
}

/// POST /profile/sessions/{session}/end
pub async fn end(me: Me, site: Site, id: Path<String>, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = sent.open(&me.session.csrf, None, &[])?;
    form.check().finish()?;
    if !ids::looks_like_token(&id) {
        return Err(Problem::NotFound);
    }
    let (actor, origin, receipt) = (me.actor.clone(), me.origin.clone(), form.receipt());
    let done = site.pool.write(move |db| {
        once(db, actor.key, &receipt, |db| {
            super::end_session(db, &actor, &origin, &id)?;
            Ok(Reply::to("/profile", "The session is ended. That browser is signed out."))
        })
    });
    Ok(site.see(&done.await?))
}

/// GET /profile/alive: a request that keeps the session from ending, for somebody still reading.
pub async fn alive(_: Me) -> impl Responder {
    HttpResponse::NoContent()
}
