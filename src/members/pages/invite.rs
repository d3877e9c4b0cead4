//! Inviting people: one form that says on its face what each choice reaches and allows, and an answer for each address.

use actix_web::HttpResponse;
use askama::Template;

use super::choice::{self, Choice};
use crate::access::In;
use crate::access::policy::CreateMembers;
use crate::members::inviting::{self, Answer, LONGEST_MESSAGE, MOST_ADDRESSES, NewInvitation, VALID_DAYS};
use crate::problem::{Errors, Problem, Reason};
use crate::roles::Role;
use crate::store::Db;
use crate::text;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};

pub const EMAILS: &str = "emails";
const MESSAGE: &str = "message";
/// Addresses in the form's own address.
const TO: &str = "to";

#[derive(Template)]
#[template(path = "members/invite.html")]
struct InvitePage {
    shell: Shell,
    account: String,
    name: String,
    form: Filled,
    choice: Choice,
    valid_days: i64,
    most: usize,
}

#[derive(Template)]
#[template(path = "members/invited.html")]
struct AnswersPage {
    shell: Shell,
    account: String,
    sentence: String,
    answers: Vec<Answered>,
    /// The form again with the addresses that are not valid and everything else as it was; empty for none.
    correct: String,
}

/// One address.
struct Answered {
    address: String,
    words: &'static str,
    tone: &'static str,
    /// What to do about it, and where.
    more: &'static str,
    href: String,
}

/// GET /a/{account}/members/new?to=: and the other fields, where somebody comes back to correct addresses.
pub async fn new(by: In<CreateMembers>, site: Site) -> Result<HttpResponse, Problem> {
    let mut fresh = Filled::with([(choice::SCOPE, crate::access::Scope::HereAndBelow.code())]);
    for (name, value) in url::form_urlencoded::parse(site.req.query_string().as_bytes()) {
        match &*name {
            TO => fresh.set(EMAILS, &value),
            choice::SCOPE | choice::ENDS_ON | MESSAGE => fresh.set(&name, &value),
            role if role.starts_with(choice::ROLE) => fresh.set(role, &value),
            _ => {}
        }
    }
    let form = site.start_form(by.actor().key, fresh).await?;
    page(&by, &site, form).await
}

async fn page(by: &In<CreateMembers>, site: &Site, form: Filled) -> Result<HttpResponse, Problem> {
    let grant = by.clone();
    let (roles, below) = site.pool.read_long(move |db| choice::read(db, grant.frame())).await?;
    let failed = form.failed();
    let page = InvitePage {
        shell: site.shell(by, Section::Members, "Invite a user").failing(failed),
        account: by.account().id.clone(),
        name: by.account().name.clone(),
        choice: Choice::of(by.frame(), &roles, below, &form),
        form,
        valid_days: VALID_DAYS,
        most: MOST_ADDRESSES,
    };
    if failed { site.refused(&page) } else { site.page(&page, Keep::Nothing) }
}

/// POST /a/{account}/members/new
pub async fn create(by: In<CreateMembers>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let grant = by.clone();
    let roles = site.pool.read(move |db| crate::roles::available(db, grant.frame())).await?;
    let names: Vec<String> = roles.iter().map(choice::field).collect();
    let form = site.open(&by, sent, &choice::fields(&names, &[EMAILS, MESSAGE]))?;
    let (grant, copy, origin) = (by.clone(), form.clone(), site.config.origin());
    let sends = site.config.mail.smtp_url.is_some();
    let outcome = site.pool.write(move |db: &mut Db| {
        let new = checked(&copy, &grant, &roles, origin)?;
        let mut answers = Vec::new();
        let reply = once(db, grant.actor().key, &copy.receipt(), |db| {
            answers = inviting::invite(db, &grant, &new)?;
            if !answers.iter().any(|(_, answer)| *answer == Answer::Invited) {
                return Err(Problem::invalid(EMAILS, nobody(&answers)));
            }
            Ok(Reply::to(format!("/a/{}/members?show=invited", grant.account().id), sentence(&answers, sends)))
        })?;
        Ok((reply, answers))
    });
    match outcome.await {
        Ok((reply, answers)) if answers.iter().all(|(_, answer)| *answer == Answer::Invited) => Ok(site.see(&reply)),
        Ok((reply, answers)) => site.page(&answers_page(&by, &site, reply.flash, &answers, &form), Keep::Nothing),
        Err(Problem::Invalid(errors)) => page(&by, &site, form.filled(errors)).await,
        Err(Problem::Conflict(reason @ Reason::MoreThanHeld)) => {
            page(&by, &site, form.filled(Errors::one("roles", reason.words().happened))).await
        }
        Err(Problem::Conflict(reason @ Reason::LimitReached { .. })) => {
            page(&by, &site, form.filled(Errors::one(EMAILS, reason.in_form()))).await
        }
        Err(other) => Err(other),
    }
}

fn checked(form: &Form, by: &In<CreateMembers>, roles: &[Role], site: String) -> Result<NewInvitation, Problem> {
    let mut check = form.check();
    let addresses = addresses(check.raw(EMAILS));
    if addresses.is_empty() {
        check.note(EMAILS, Some("Enter at least one email address".to_owned()));
    }
    if addresses.len() > MOST_ADDRESSES {
        check.note(EMAILS, Some(format!("Enter at most {MOST_ADDRESSES} addresses; there are more")));
    }
    let chosen = choice::check(&mut check, by.frame(), roles);
    let message = check.block(MESSAGE, "Message", 0, LONGEST_MESSAGE);
    check.finish()?;
    Ok(NewInvitation {
        addresses,
        role_ids: chosen.role_ids,
        scope: chosen.scope,
        ends_at: chosen.ends_at,
        message,
        site,
    })
}

/// What was typed, one by one, whatever it looks like: commas, semicolons, lines and blanks part addresses, and
/// "Ann Lee <ann@example.com>" is one of them. One more than is allowed is enough to see that there are too many.
fn addresses(typed: &str) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for part in typed.split([',', ';', '\n', '\r', '\t']).map(str::trim).filter(|part| !part.is_empty()) {
        let named = part.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')).map(|(_, inner)| inner.trim());
        let several = part.split_whitespace();
        for one in named.map_or_else(|| several.collect::<Vec<_>>(), |inner| vec![inner]) {
            let one: String = one.chars().filter(|c| !c.is_control()).take(255).collect();
            if list.len() <= MOST_ADDRESSES && !list.iter().any(|known| text::email_key(known) == text::email_key(&one))
            {
                list.push(one);
            }
        }
    }
    list
}

fn sentence(answers: &[(String, Answer)], sends: bool) -> String {
    let count = |wanted: Answer| answers.iter().filter(|(_, answer)| *answer == wanted).count();
    if let [(address, Answer::Invited)] = answers {
        return if sends { format!("Invitation sent to {address}.") } else { super::invitation::kept(address) };
    }
    let said = [
        (Answer::Invited, "invited"),
        (Answer::AlreadyMember, "already a member"),
        (Answer::AlreadyInvited, "already invited"),
        (Answer::NotValid, "not valid"),
    ];
    let parts: Vec<String> = said
        .into_iter()
        .map(|(answer, word)| (count(answer), word))
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    format!("{}: {}.", text::count(answers.len() as i64, "address", "addresses"), parts.join(", "))
}

/// Why none of them was invited.
fn nobody(answers: &[(String, Answer)]) -> String {
    const NAMED: usize = 5;
    let said: Vec<String> = answers
        .iter()
        .take(NAMED)
        .map(|(address, answer)| format!("“{address}” is {}", answer.words().to_lowercase()))
        .collect();
    let more = if answers.len() > NAMED { format!(", and {} more", answers.len() - NAMED) } else { String::new() };
    format!("Nobody was invited: {}{more}", said.join(", "))
}

fn answers_page(
    by: &In<CreateMembers>,
    site: &Site,
    sentence: String,
    answers: &[(String, Answer)],
    form: &Form,
) -> AnswersPage {
    let account = by.account().id.clone();
    AnswersPage {
        shell: site.shell(by, Section::Members, "Who was invited"),
        sentence,
        answers: answers.iter().map(|(address, answer)| answered(&account, address, *answer)).collect(),
        correct: correct(&account, answers, form),
        account,
    }
}

fn answered(account: &str, address: &str, answer: Answer) -> Answered {
    let at = |show: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", address).finish();
        format!("/a/{account}/members?show={show}&{query}")
    };
    let (tone, more, href) = match answer {
        Answer::Invited => ("good", "Open the invitation", at("invited")),
        Answer::AlreadyMember => ("", "Open the member", at("own")),
        Answer::AlreadyInvited => ("", "Open the invitation", at("invited")),
        Answer::NotValid => ("bad", "An email address looks like ann@example.com.", String::new()),
    };
    Answered { address: address.to_owned(), words: answer.words(), tone, more, href }
}

/// The way back to the form for those that are not valid.
fn correct(account: &str, answers: &[(String, Answer)], form: &Form) -> String {
    let wrong = answers.iter().filter(|(_, answer)| *answer == Answer::NotValid).map(|(address, _)| address.as_str());
    let wrong: Vec<&str> = wrong.collect();
    if wrong.is_empty() {
        return String::new();
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair(TO, &wrong.join("\n"));
    let kept = |name: &str| [choice::SCOPE, choice::ENDS_ON, MESSAGE].contains(&name) || name.starts_with(choice::ROLE);
    for (name, value) in form.filled(Errors::default()).values().filter(|(name, _)| kept(name)) {
        query.append_pair(name, value);
    }
    format!("/a/{account}/members/new?{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::addresses;

    #[test]
    fn addresses_are_found_however_they_are_parted() {
        let typed = "a@x.com, b@x.com;c@x.com d@x.com\r\n Ann Lee <ann@x.com>\nA@X.com\nnonsense";
        assert_eq!(addresses(typed), ["a@x.com", "b@x.com", "c@x.com", "d@x.com", "ann@x.com", "nonsense"]);
        let many: String = (0..100).map(|n| format!("{n}@x.com\n")).collect();
        assert_eq!(addresses(&many).len(), 51);
    }
}
