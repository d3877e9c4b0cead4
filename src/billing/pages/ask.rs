//! The page between a dangerous change and its doing: what it does to whom, in numbers and by name, counted now. The
//! form carries what was typed and the stamp of what is shown; when the effects are others by then, this page comes
//! again.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::entry::Act;
use super::fields::{EFFECTS, ENTRIES};
use super::{billing_or_dashboard, home};
use crate::access::policy::{Action, ReadBilling, SeeAccount};
use crate::access::{Frame, In};
use crate::billing::effects::{Effects, Own};
use crate::billing::{self, Change, Follower, Owed};
use crate::money;
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::text;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Section, Shell, Site};

/// How many accounts the page names; the file has them all.
const NAMED: i64 = 20;

/// What is to be confirmed.
pub struct Question {
    pub change: Change,
    /// Which form it came from; none for removing.
    pub act: Option<Act>,
    pub form: Form,
    /// The row version that is asked about, where it is not the form's.
    pub version: Option<i64>,
    /// Why the page is shown instead of the thing being done; none when it is only looked at.
    pub reason: Option<Reason>,
}

#[derive(Template)]
#[template(path = "billing/ask.html")]
struct AskPage {
    shell: Shell,
    action: String,
    form: Filled,
    carried: Vec<(&'static str, String)>,
    stamp: String,
    /// The effects changed since they were shown.
    again: bool,
    first: String,
    more: Vec<String>,
    /// What happens to invoices that are not paid yet.
    owed: String,
    owed_href: String,
    refused: String,
    losers: Vec<Loser>,
    count: i64,
    csv: String,
    verb: &'static str,
    keep: &'static str,
    /// Where the way back leads; empty when it is the form, with what was typed.
    back: String,
}

struct Loser {
    name: String,
    href: String,
    path: String,
    live: i64,
}

/// Shows the question: 200 when it is asked, 409 when an answer to it was not accepted.
pub async fn page<A: Action>(by: &In<A>, site: &Site, question: Question) -> Result<HttpResponse, Problem> {
    let Question { change, act, form, version, reason } = question;
    let account = by.account().clone();
    let read = move |db: &mut Db| {
        let effects = billing::effects(db, account.key, change)?;
        let losers = billing::losers_with_paths(db, &account, &effects, NAMED)?;
        Ok((effects, losers, billing::owed(db, account.key)?))
    };
    let (effects, losers, owed) = site.pool.read_long(read).await?;
    let frame = by.frame();
    let answered = !form.value(EFFECTS).is_empty();
    let refused = effects.allowed().is_err();
    let words = words(&effects, act);
    let mut filled = form.filled(Errors::default());
    if let Some(version) = version {
        filled.set_version(version);
    }
    let page = AskPage {
        shell: site.shell(by, Section::Billing, words.heading).failing(reason.is_some() && (answered || refused)),
        action: format!("/a/{}/billing/{}", by.account().id, act.map_or("remove", Act::slug)),
        carried: carried(act, &form),
        form: filled,
        stamp: effects.stamp(),
        again: reason == Some(Reason::Unconfirmed) && answered,
        first: first(&effects, frame),
        more: if refused { Vec::new() } else { more(&effects, frame) },
        owed: owed_words(&owed),
        owed_href: if owed.is_empty() {
            String::new()
        } else {
            format!("/a/{}/invoices?state=unpaid", by.account().id)
        },
        refused: if refused { refusal(&effects, frame) } else { String::new() },
        count: if sees_below(frame) { effects.losing.accounts } else { 0 },
        csv: csv(&effects, change, frame),
        losers: losers.into_iter().filter(|(one, _)| is_named(one, frame)).map(|row| loser(row, frame)).collect(),
        verb: words.verb,
        keep: words.keep,
        back: if act.is_none() { home(frame) } else { String::new() },
    };
    let refusing = refused && reason.is_some();
    let status = if page.again || refusing { StatusCode::CONFLICT } else { StatusCode::OK };
    site.page_with(status, &page, Keep::Nothing)
}

struct Words {
    heading: &'static str,
    verb: &'static str,
    keep: &'static str,
}

fn words(effects: &Effects, act: Option<Act>) -> Words {
    match (act, effects.above.is_some()) {
        (Some(Act::Add), _) => Words {
            heading: "Add this payment method for this account alone?",
            verb: "Add payment method",
            keep: "Go back to the form",
        },
        (Some(Act::Change), _) => Words {
            heading: "Stop sharing this payment method?",
            verb: "Stop sharing this payment method",
            keep: "Keep sharing",
        },
        (None, true) => Words {
            heading: "Go back to inherited billing details?",
            verb: "Go back to inherited billing details",
            keep: "Keep the own payment method",
        },
        (None, false) => Words {
            heading: "Remove this payment method?",
            verb: "Remove this payment method",
            keep: "Keep the payment method",
        },
    }
}

/// Everything that was typed, for the form to send again.
fn carried(act: Option<Act>, form: &Form) -> Vec<(&'static str, String)> {
    let entries = if act.is_some() { &ENTRIES[..] } else { &[] };
    entries.iter().map(|name| (*name, form.value(name).to_owned())).filter(|(_, value)| !value.is_empty()).collect()
}

/// Whether the accounts below, their names and how many they are, are this person's to know.
fn sees_below(frame: &Frame) -> bool {
    frame.may_below::<SeeAccount>()
}

const UNSHOWN: &str = "Accounts below that use it lose their payer; your role does not show them.";

fn first(effects: &Effects, frame: &Frame) -> String {
    let lost = effects.losing.accounts;
    if lost > 0 && !sees_below(frame) {
        let own = effects.reach.is_some_and(|reach| reach.from == 0);
        return if own { format!("This account loses its payer. {UNSHOWN}") } else { UNSHOWN.to_owned() };
    }
    if lost > 0 {
        let who = text::count(lost, "account loses its payer", "accounts lose their payer");
        let own = effects.reach.is_some_and(|reach| reach.from == 0);
        return match (own, lost) {
            (true, 1) => "This account loses its payer. No account below it does.".to_owned(),
            (true, _) => format!("{who}, this account among them."),
            (false, _) => format!("{who}. This account does not."),
        };
    }
    match &effects.above {
        Some(source) if source.verified => {
            let payer = if source.is_seen_by(frame) { &source.name } else { "An account above" };
            format!("Nobody loses a payer. {payer} pays for this account from then on.")
        }
        _ => "Nobody loses a payer.".to_owned(),
    }
}

/// What else happens when it is done; nothing to say where it cannot be.
fn more(effects: &Effects, frame: &Frame) -> Vec<String> {
    let mut sentences = Vec::new();
    match effects.losing.accounts {
        0 => {}
        _ if !sees_below(frame) => {}
        1 => sentences.push("It has no live connections, and cannot start new ones then.".to_owned()),
        _ => sentences.push("None of them has live connections, and none can start new ones then.".to_owned()),
    }
    if effects.after != Own::None {
        return sentences;
    }
    if effects.above.as_ref().is_some_and(|source| !source.verified) {
        sentences.push("An account above offers its payment method, but it cannot be charged now.".to_owned());
    } else if effects.above.is_some() && effects.followers > 0 && sees_below(frame) {
        let who = text::count(effects.followers, "account below inherits", "accounts below inherit");
        sentences.push(format!("{who} in the same way."));
    }
    sentences.push("The entries of this payment method are deleted. It can be entered again at any time.".to_owned());
    sentences
}

/// Who pays changes for what is used from now on; what was billed stays with the account it was billed to.
fn owed_words(owed: &[Owed]) -> String {
    let invoices: i64 = owed.iter().map(|one| one.invoices).sum();
    if invoices == 0 {
        return "This account has no invoice to pay.".to_owned();
    }
    let sums: Vec<String> = owed.iter().map(|one| money::words(one.total, &one.currency)).collect();
    let (who, stay) = if invoices == 1 { ("is", "It stays") } else { ("are", "They stay") };
    format!(
        "{} of this account {who} not paid yet: {}. {stay} to be paid by this account.",
        text::count(invoices, "invoice", "invoices"),
        sums.join(" and ")
    )
}

fn refusal(effects: &Effects, frame: &Frame) -> String {
    if !sees_below(frame) {
        return "There are live connections that nobody else would pay for. Give a payment method of its own to each \
                account that has some, or delete the connections."
            .to_owned();
    }
    let accounts = text::count(effects.losing.connected, "account has", "accounts have");
    let connections = text::count(effects.losing.connections, "live connection", "live connections");
    format!(
        "{accounts} {connections} and no other payer. Give a payment method of its own to each, or delete the connections."
    )
}

fn is_named(one: &Follower, frame: &Frame) -> bool {
    one.key == frame.account().key || sees_below(frame)
}

fn loser((one, path): (Follower, String), frame: &Frame) -> Loser {
    let itself = one.key == frame.account().key;
    let held = if itself { frame.held() } else { frame.below };
    let path = if itself { "this account".to_owned() } else { path };
    Loser { href: billing_or_dashboard(&one.id, held), name: one.name, path, live: one.live }
}

/// The address of the file with all of them, for those who may read it.
fn csv(effects: &Effects, change: Change, frame: &Frame) -> String {
    if effects.losing.accounts == 0 || !sees_below(frame) || !frame.may::<ReadBilling>() {
        return String::new();
    }
    let change = if change == Change::Remove { "remove" } else { "keep" };
    format!("/a/{}/billing/losing.csv?change={change}", frame.account().id)
}
