//! One invitation that is out: what it says, sending it again, copying its link once, and taking it back.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::view::{self, Invited};
use crate::access::In;
use crate::access::policy::{Action, CreateMembers, ReadMembers};
use crate::members::inviting;
use crate::members::store::{self, invitations};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::web::site::Keep;
use crate::web::{Filled, Reply, Section, Sent, Shell, Site, once};

#[derive(Template)]
#[template(path = "members/invitation.html")]
struct InvitationPage {
    shell: Shell,
    account: String,
    one: Invited,
    message: String,
    form: Filled,
    may_invite: bool,
    valid_days: i64,
}

#[derive(Template)]
#[template(path = "members/link.html")]
struct LinkPage {
    shell: Shell,
    account: String,
    id: String,
    email: String,
    link: String,
    valid_days: i64,
}

#[derive(Template)]
#[template(path = "members/withdraw.html")]
struct WithdrawPage {
    shell: Shell,
    account: String,
    one: Invited,
    form: Filled,
}

const GONE: &str = "!That invitation is not out any more.";

const BEYOND: &str =
    "!That invitation gives more, or for longer, than you hold. Ask somebody who holds as much to see to it.";

/// What is said where no mail is sent.
pub fn kept(email: &str) -> String {
    format!("{email} is invited, and the mail is kept on the server: none are sent here. Pass a link on yourself.")
}

fn list<A: Action>(by: &In<A>) -> String {
    format!("/a/{}/members?show=invited", by.account().id)
}

async fn read<A: Action>(by: &In<A>, site: &Site, id: &str) -> Result<(Invited, String), Problem> {
    let (account, id) = (by.account().key, id.to_owned());
    let read = move |db: &mut Db| {
        let invitation = invitations::pending(db, account, &id)?;
        let name = store::name(db, invitation.invited_by)?;
        let message = invitation.message.clone();
        let one = view::invited(db, vec![(invitation, name)])?.pop().ok_or(Problem::NotFound)?;
        Ok((one, message))
    };
    site.pool.read(read).await
}

/// GET /a/{account}/members/invitations/{invitation}
pub async fn show(by: In<ReadMembers>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (one, message) = read(&by, &site, &path.1).await?;
    let page = InvitationPage {
        shell: site.shell(&by, Section::Members, &format!("Invitation to {}", one.email)),
        account: by.account().id.clone(),
        one,
        message,
        form: Filled::with([]),
        may_invite: by.frame().may::<CreateMembers>(),
        valid_days: inviting::VALID_DAYS,
    };
    site.page(&page, Keep::Nothing)
}

/// POST /a/{account}/members/invitations/{invitation}: sends it again, or makes a link that is shown this once.
pub async fn renew(
    by: In<CreateMembers>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &["act"])?;
    let mut check = form.check();
    let act =
        check.one_of("act", "Choose whether to send it again or to make a link", &[("send", false), ("link", true)]);
    check.finish()?;
    let (grant, id, origin) = (by.clone(), path.1.clone(), site.config.origin());
    let (to, sends) = (list(&by), site.config.mail.smtp_url.is_some());
    let outcome = site.pool.write(move |db: &mut Db| {
        let mut link = None;
        let email = invitations::pending(db, grant.account().key, &id)?.email;
        let reply = once(db, grant.actor().key, &form.receipt(), |db| {
            if act == Some(true) {
                link = Some(inviting::copy_link(db, &grant, &id, &origin)?);
                return Ok(Reply::to(to, "!That link was shown once and cannot be shown again. Make a new one."));
            }
            inviting::send_again(db, &grant, &id, &origin)?;
            Ok(Reply::to(to, if sends { format!("Invitation sent to {email} again.") } else { kept(&email) }))
        })?;
        Ok((reply, link, email))
    });
    let (reply, link, email) = match outcome.await {
        Err(Problem::NotFound) => return Ok(site.see(&Reply::to(list(&by), GONE))),
        Err(Problem::Conflict(Reason::LinkIsSpent)) => {
            let words = "!It cannot be sent again, because a role in it is gone or its end is past. Withdraw it and invite anew.";
            return Ok(site.see(&Reply::to(list(&by), words)));
        }
        Err(Problem::TooMany { .. }) => {
            let words =
                "!Five mails went to that address within an hour. Wait, or copy a link and pass it on yourself.";
            return Ok(site.see(&Reply::to(list(&by), words)));
        }
        Err(Problem::Conflict(Reason::MoreThanHeld)) => return Ok(site.see(&Reply::to(list(&by), BEYOND))),
        other => other?,
    };
    let Some(link) = link else { return Ok(site.see(&reply)) };
    let page = LinkPage {
        shell: site.shell(&by, Section::Members, "Copy the link"),
        account: by.account().id.clone(),
        id: path.1.clone(),
        email,
        link,
        valid_days: inviting::VALID_DAYS,
    };
    site.page(&page, Keep::Nothing)
}

/// GET /a/{account}/members/invitations/{invitation}/withdraw
pub async fn confirm_withdraw(
    by: In<CreateMembers>,
    site: Site,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (one, _) = read(&by, &site, &path.1).await?;
    let page = WithdrawPage {
        shell: site.shell(&by, Section::Members, &format!("Withdraw the invitation to {}?", one.email)),
        account: by.account().id.clone(),
        one,
        form: Filled::with([]),
    };
    site.page(&page, Keep::Nothing)
}

/// POST /a/{account}/members/invitations/{invitation}/withdraw
pub async fn withdraw(
    by: In<CreateMembers>,
    site: Site,
    path: Path<(String, String)>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &[])?;
    form.check().finish()?;
    let (grant, id, to) = (by.clone(), path.1.clone(), list(&by));
    let outcome = site.pool.write(move |db: &mut Db| {
        once(db, grant.actor().key, &form.receipt(), |db| {
            inviting::withdraw(db, &grant, &id)?;
            Ok(Reply::to(to, "Invitation withdrawn. Its link does not work any more."))
        })
    });
    match outcome.await {
        Err(Problem::NotFound) => Ok(site.see(&Reply::to(list(&by), GONE))),
        Err(Problem::Conflict(Reason::MoreThanHeld)) => Ok(site.see(&Reply::to(list(&by), BEYOND))),
        other => Ok(site.see(&other?)),
    }
}
