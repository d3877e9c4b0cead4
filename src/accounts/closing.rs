//! Closing a child account and restoring it, each with a page of its own that first says what it does.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;

use super::store::ClosedRow;
use super::{restorable_until, store};
use crate::access::policy::{DeleteAccounts, ReadAccounts};
use crate::access::{Frame, In, Me};
use crate::ids;
use crate::live;
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::text;
use crate::web::errors::Words;
use crate::web::once::again;
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Filled, Reply, Section, Sent, Shell, Site, once};

#[derive(Template)]
#[template(path = "accounts/close.html")]
struct ClosePage {
    shell: Shell,
    account: String,
    name: String,
    form: Filled,
    /// Why it cannot be closed now.
    refusal: Option<Words>,
    members: String,
    own_method: bool,
    until: When,
}

#[derive(Template)]
#[template(path = "accounts/restore.html")]
struct RestorePage {
    shell: Shell,
    account: String,
    form: Filled,
    child: ClosedView,
}

#[derive(Template)]
#[template(path = "accounts/closed.html")]
struct ClosedPage {
    shell: Shell,
    account: String,
    children: Vec<ClosedView>,
    may_restore: bool,
}

struct ClosedView {
    id: String,
    name: String,
    closed: When,
    until: When,
}

fn view(row: ClosedRow) -> ClosedView {
    ClosedView {
        id: row.id,
        name: row.name,
        closed: row.closed_at.into(),
        until: When::day(restorable_until(row.closed_at)),
    }
}

/// GET /a/{account}/settings/close
pub async fn confirm_close(by: In<DeleteAccounts>, site: Site) -> Result<HttpResponse, Problem> {
    let page = close_page(&by, &site, Errors::default()).await?;
    site.page(&page, Keep::Nothing)
}

async fn close_page(by: &In<DeleteAccounts>, site: &Site, errors: Errors) -> Result<ClosePage, Problem> {
    let key = by.account().key;
    let read = move |db: &mut Db| {
        Ok((live::connections(db, key)?, live::ports(db, key)?, store::effects_of_closing(db, key)?))
    };
    let (connections, ports, (members, own_method)) = site.pool.read(read).await?;
    let account = by.account();
    let refusal = if account.depth == 0 {
        Some(Reason::RootCannotBeClosed)
    } else if account.children_count > 0 {
        Some(Reason::HasChildAccounts(account.children_count))
    } else if connections > 0 {
        Some(Reason::HasLiveConnections(connections))
    } else if ports > 0 {
        Some(Reason::HasLivePorts(ports))
    } else {
        None
    };
    let mut form = Filled::with([]);
    form.set_version(account.version);
    form.errors = errors;
    Ok(ClosePage {
        shell: site.shell(by, Section::Settings, &format!("Close {}?", account.name)).failing(form.failed()),
        account: account.id.clone(),
        name: account.name.clone(),
        form,
        refusal: refusal.map(|reason| words(&reason, by.frame())),
        members: text::count(members, "direct member", "direct members"),
        own_method,
        until: When::day(restorable_until(ids::now())),
    })
}

/// Why it cannot be closed, without the number of accounts for those who may not see them.
fn words(reason: &Reason, frame: &Frame) -> Words {
    let mut words = reason.words();
    if matches!(reason, Reason::HasChildAccounts(_)) && !frame.may_below::<ReadAccounts>() {
        words.happened = "What is directly below it must be closed first.".to_owned();
    }
    words
}

/// POST /a/{account}/settings/close
pub async fn close(
    by: Result<In<DeleteAccounts>, Problem>,
    me: Me,
    site: Site,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let by = match by {
        // The second half of a double click finds the account gone.
        Err(Problem::NotFound) => return closed_already(&me, &site, sent).await,
        other => other?,
    };
    let form = site.open(&by, sent, &[])?;
    let (grant, copy) = (by.clone(), form.clone());
    let back = by.frame().visible_parent().map(|parent| format!("/a/{}/child-accounts", parent.id));
    let sentence = format!("{} is closed. It can be restored for 30 days.", by.account().name);
    let done = site.pool.write(move |db| {
        copy.check().finish()?;
        once(db, grant.actor().key, &copy.receipt(), |db| {
            super::close(db, &grant, copy.version())?;
            Ok(Reply::to(back.unwrap_or_else(|| "/".to_owned()), sentence))
        })
    });
    match done.await {
        Err(Problem::Invalid(errors)) => {
            let page = close_page(&by, &site, errors).await?;
            site.refused(&page)
        }
        Err(Problem::Conflict(Reason::Stale)) => {
            let message = "The account was changed in the meantime. Look at it again before you close it";
            let page = close_page(&by, &site, Errors::one("", message)).await?;
            site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
        }
        Err(Problem::Conflict(Reason::HasChildAccounts(_))) if !by.frame().may_below::<ReadAccounts>() => {
            let page = close_page(&by, &site, Errors::default()).await?;
            site.page_with(StatusCode::CONFLICT, &page, Keep::Nothing)
        }
        other => Ok(site.see(&other?)),
    }
}

async fn closed_already(me: &Me, site: &Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = sent.open(&me.session.csrf, None, &[]).map_err(|_| Problem::NotFound)?;
    let (user, receipt) = (me.actor.key, form.receipt());
    let reply = site.pool.read(move |db| again(db, user, &receipt)).await?;
    reply.map(|reply| site.see(&reply)).ok_or(Problem::NotFound)
}

/// GET /a/{account}/child-accounts/closed
pub async fn closed(by: In<ReadAccounts>, site: Site) -> Result<HttpResponse, Problem> {
    let grant = by.clone();
    let rows = site
        .pool
        .read(move |db| {
            let reaches = grant.frame().may_below::<ReadAccounts>();
            if reaches { store::closed_children(db, grant.account().key) } else { Ok(Vec::new()) }
        })
        .await?;
    let page = ClosedPage {
        shell: site.shell(&by, Section::ChildAccounts, "Closed child accounts"),
        account: by.account().id.clone(),
        children: rows.into_iter().map(view).collect(),
        may_restore: by.frame().may::<DeleteAccounts>(),
    };
    site.page(&page, Keep::Private)
}

/// GET /a/{account}/child-accounts/{child}/restore
pub async fn confirm_restore(
    by: In<DeleteAccounts>,
    site: Site,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    restore_page(&by, &site, path.into_inner().1, Errors::default()).await
}

async fn restore_page(
    by: &In<DeleteAccounts>,
    site: &Site,
    child: String,
    errors: Errors,
) -> Result<HttpResponse, Problem> {
    let parent = by.account().key;
    let child = view(site.pool.read(move |db| store::closed_child(db, parent, &child)).await?);
    let mut form = Filled::with([]);
    form.errors = errors;
    let page = RestorePage {
        shell: site.shell(by, Section::ChildAccounts, &format!("Restore {}?", child.name)).failing(form.failed()),
        account: by.account().id.clone(),
        form,
        child,
    };
    if page.form.failed() { site.refused(&page) } else { site.page(&page, Keep::Nothing) }
}

/// POST /a/{account}/child-accounts/{child}/restore
pub async fn restore(
    by: In<DeleteAccounts>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[])?;
    let (grant, child) = (by.clone(), path.1.clone());
    let done = site.pool.write(move |db| {
        form.check().finish()?;
        if !ids::looks_like_id("ac", &child) {
            return Err(Problem::NotFound);
        }
        once(db, grant.actor().key, &form.receipt(), |db| {
            super::restore(db, &grant, &child)?;
            Ok(Reply::to(format!("/a/{}/child-accounts", grant.account().id), "The account is open again."))
        })
    });
    match done.await {
        Err(Problem::Conflict(reason @ Reason::LimitReached { .. })) => {
            restore_page(&by, &site, path.into_inner().1, Errors::one("", reason.in_form())).await
        }
        other => Ok(site.see(&other?)),
    }
}
