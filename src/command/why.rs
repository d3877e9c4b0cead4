//! "Why can X do Y here?": one sentence, then each chain that leads to it: the role, where and by whom it was given,
//! down which accounts it comes, until when. For oneself the same page is "Your roles here", open to everybody.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use super::answer::{self, Answer, Verdict};
use super::{Way, power};
use crate::access::policy::{Action, CreateMembers, Permission, Permissions, ReadMembers, SeeAccount, UpdateMembers};
use crate::access::{Frame, In, Scope, words};
use crate::ids;
use crate::problem::Problem;
use crate::web::shell::Section;
use crate::web::site::Keep;
use crate::web::when::{self, When};
use crate::web::{Filled, Shell, Site};

/// Roles named as fitting.
const ROLES_NAMED: usize = 4;

#[derive(Template)]
#[template(path = "command/why.html")]
struct WhyPage {
    shell: Shell,
    here: String,
    name: String,
    email: String,
    is_me: bool,
    form: Filled,
    powers: Vec<(String, String)>,
    tone: &'static str,
    sentence: String,
    /// What is missing and who can help, where the answer is no.
    advice: Vec<String>,
    chains_heading: String,
    chains: Vec<ChainView>,
    others_heading: &'static str,
    others: Vec<ChainView>,
    reads_members: bool,
}

/// One role with everything that makes it hold here, or kept it from doing so.
struct ChainView {
    role: String,
    powers: String,
    place: String,
    href: String,
    scope: &'static str,
    given: String,
    since: When,
    until: Option<When>,
    ended: bool,
    /// From where it was given down to the account: name, address, whether it is the account itself.
    path: Vec<(String, String, bool)>,
    note: String,
}

/// GET /a/{account}/members/{user}/why
pub async fn show(by: In<ReadMembers>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let user = path.into_inner().1;
    page(&by, &site, user).await
}

/// GET /a/{account}/your-roles
pub async fn mine(by: In<SeeAccount>, site: Site) -> Result<HttpResponse, Problem> {
    let user = by.actor().id.clone();
    page(&by, &site, user).await
}

async fn page<A: Action>(by: &In<A>, site: &Site, user: String) -> Result<HttpResponse, Problem> {
    let query = url::form_urlencoded::parse(site.req.query_string().as_bytes());
    let asked = query.into_owned().find(|(name, _)| name == "action").map_or_else(String::new, |(_, value)| value);
    let power = power::of_code(&asked);
    let grant = by.clone();
    let answer = site.pool.read(move |db| answer::about(db, grant.frame(), &user, power)).await?;
    let frame = by.frame();
    let is_me = answer.subject.key == by.actor().key;
    let heading =
        if is_me { "Your roles here".to_owned() } else { format!("Why can {} do this?", answer.subject.name) };
    let (chains, others) = chains(&answer, frame, power);
    let page = WhyPage {
        shell: site.shell(by, Section::Chain, &heading),
        tone: tone(&answer, power),
        sentence: sentence(&answer, frame, power, is_me),
        advice: power.map_or_else(Vec::new, |power| advice(&answer, frame, power, is_me)),
        chains_heading: if power.is_some() { "What gives it".to_owned() } else { "Roles that hold here".to_owned() },
        chains,
        others_heading: if power.is_some() { "Roles that do not give it" } else { "Roles that do not hold here" },
        others,
        here: frame.account().name.clone(),
        name: answer.subject.name,
        email: answer.subject.email,
        is_me,
        form: Filled::with([("action", if power.is_some() { asked.as_str() } else { "" })]),
        powers: power::options("Anything"),
        reads_members: frame.may::<ReadMembers>(),
    };
    site.page(&page, Keep::Nothing)
}

fn tone(answer: &Answer, power: Option<Permission>) -> &'static str {
    match power.map(|power| answer.verdict(power)) {
        Some(Verdict::Yes) => "good",
        None if !answer.reaching.is_empty() => "info",
        Some(Verdict::NotAnyMore) => "warn",
        Some(Verdict::No) | None => "bad",
    }
}

/// The answer in one sentence.
fn sentence(answer: &Answer, frame: &Frame, power: Option<Permission>, is_me: bool) -> String {
    let here = &frame.account().name;
    let who = if is_me { "You" } else { &answer.subject.name };
    let Some(power) = power else {
        let is = if is_me { "are" } else { "is" };
        return match answer.powers() {
            Permissions::NONE => match removed(answer, frame, None) {
                Some(removed) => format!("{who} can do nothing in {here} any more: {removed}."),
                None if !answer.ended.is_empty() => format!("{who} can do nothing in {here} any more."),
                None => format!("{who} {is} in no role that holds in {here}."),
            },
            powers => format!("In {here} {} can: {}.", if is_me { "you" } else { who }, words::powers(powers)),
        };
    };
    let power_words = format!("“{}” in {here}", power::title(power));
    match answer.verdict(power) {
        Verdict::Yes => match answer.giving(power).count() {
            1 => format!("Yes. {who} can do {power_words}, by one role."),
            many => format!("Yes. {who} can do {power_words}, by {many} roles; each alone is enough."),
        },
        Verdict::NotAnyMore => format!("Not any more. {who} cannot do {power_words}: {}.", past(answer, frame, power)),
        Verdict::No => format!("No. {who} cannot do {power_words}."),
    }
}

/// What ended the power last.
fn past(answer: &Answer, frame: &Frame, power: Permission) -> String {
    match (removed(answer, frame, Some(power)), answer.last_ended(power)) {
        (Some(removed), _) => removed,
        (None, Some(way)) => {
            format!(
                "the role {}, given in {}, ended on {}",
                way.role,
                way.place(frame),
                when::last_day(way.until).map(|day| day.words).unwrap_or_default()
            )
        }
        (None, None) => "the role ended".to_owned(),
    }
}

fn removed(answer: &Answer, frame: &Frame, power: Option<Permission>) -> Option<String> {
    let removal = match power {
        Some(power) => answer.last_removal(power)?,
        None => answer.removal.as_ref()?,
    };
    let place = removal.account.and_then(|key| frame.step(key)).map_or("an account above", |step| &step.place.name);
    let by = removal.by.as_ref().map_or_else(String::new, |(first, last)| format!(" by {first} {last}"));
    Some(format!("removed from the members of {place} on {}{by}", When::from(removal.at).words))
}

/// What would be needed, and who can give it.
fn advice(answer: &Answer, frame: &Frame, power: Permission, is_me: bool) -> Vec<String> {
    if answer.verdict(power) == Verdict::Yes {
        return Vec::new();
    }
    let here = &frame.account().name;
    let mut named: Vec<&str> = answer.needed.iter().map(String::as_str).collect();
    let more = named.len().saturating_sub(ROLES_NAMED);
    named.truncate(ROLES_NAMED);
    let roles = match (named.as_slice(), more) {
        ([], _) => format!("No role that can be given in {here} allows it; one would have to be made first."),
        (named, 0) => format!("A role that allows it would be needed: {}.", named.join(", ")),
        (named, more) => format!("A role that allows it would be needed: {} or {more} others.", named.join(", ")),
    };
    let below = if frame.account().depth > 0 {
        format!("It counts when it is given in {here}, or in an account above with “{}”.", Scope::HereAndBelow.words())
    } else {
        format!("It counts when it is given in {here}.")
    };
    let may = frame.may::<UpdateMembers>() || frame.may::<CreateMembers>();
    let covered = frame.held().cover(Permissions::of(&[power]));
    let who = match answer.givers.as_slice() {
        _ if may && covered && !is_me => "You can give it: open Members.".to_owned(),
        [] => "Nobody whom you can see may give it. Ask the account above.".to_owned(),
        names => format!("{} can give it.", words::joined(&names.iter().map(String::as_str).collect::<Vec<_>>())),
    };
    vec![roles, below, who]
}

/// What gives the power (or all that holds), and the rest with why it does not.
fn chains(answer: &Answer, frame: &Frame, power: Option<Permission>) -> (Vec<ChainView>, Vec<ChainView>) {
    let gives = |way: &&Way| power.is_none_or(|power| way.permissions.allow(power));
    let chains = answer.reaching.iter().filter(gives).map(|way| chain(way, frame, String::new())).collect();
    let missing = answer.reaching.iter().filter(|way| !gives(way)).map(|way| {
        let title = power.map_or_else(String::new, power::title);
        chain(way, frame, format!("It does not allow “{title}”."))
    });
    let elsewhere = answer.elsewhere.iter().map(|way| {
        let place = way.place(frame);
        let note = match way.scope {
            Scope::Below => format!("It holds in the accounts below {place} only, not in {place} itself."),
            _ => format!("It holds in {place} only, not in the accounts below."),
        };
        chain(way, frame, note)
    });
    let ended = answer.ended.iter().map(|way| chain(way, frame, "It has ended.".to_owned()));
    (chains, missing.chain(elsewhere).chain(ended).collect())
}

fn chain(way: &Way, frame: &Frame, note: String) -> ChainView {
    let here = frame.account().key;
    let seen = way.is_seen_by(frame);
    let from = frame.chain.iter().position(|step| step.place.key == way.at).unwrap_or(0);
    let crumb = |step: &crate::access::Step| match step.held.is_empty() {
        true => ("restricted".to_owned(), String::new(), false),
        false => (step.place.name.clone(), format!("/a/{}/dashboard", step.place.id), step.place.key == here),
    };
    ChainView {
        role: way.role.clone(),
        powers: words::powers(way.permissions),
        place: way.place(frame),
        href: if seen && way.at != here {
            format!("/a/{}/dashboard", frame.step(way.at).map_or("", |s| &s.place.id))
        } else {
            String::new()
        },
        scope: way.scope.words(),
        given: given(way, seen),
        since: way.since.into(),
        until: when::last_day(way.until),
        ended: !way.is_live(ids::now()),
        path: path(&frame.chain[from..], crumb),
        note,
    }
}

/// Long ways are told by their ends.
fn path(
    steps: &[crate::access::Step],
    crumb: impl Fn(&crate::access::Step) -> (String, String, bool),
) -> Vec<(String, String, bool)> {
    const LONGEST: usize = 8;
    if steps.len() <= LONGEST {
        return steps.iter().map(crumb).collect();
    }
    let between = (format!("{} accounts between", steps.len() - LONGEST + 1), String::new(), false);
    let (start, end) = (&steps[..LONGEST / 2], &steps[steps.len() - LONGEST / 2 + 1..]);
    start.iter().map(&crumb).chain([between]).chain(end.iter().map(&crumb)).collect()
}

/// Who gave it.
fn given(way: &Way, seen: bool) -> String {
    match &way.granted_by {
        _ if !seen => "by somebody of an account above".to_owned(),
        Some(name) => format!("by {name}"),
        None => "when the account was made".to_owned(),
    }
}
