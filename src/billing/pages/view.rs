//! What the pages of the room show in common: a method's entries as labelled facts, the inherited one without any
//! detail of it, and the form's values.

use crate::access::Frame;
use crate::access::policy::{CreateBilling, UpdateBilling};
use crate::billing::payer::Source;
use crate::billing::store::setups::{Setup, State};
use crate::billing::{CollectionMethod, Entries, Method, country};
use crate::ids;
use crate::web::Filled;
use crate::web::when::When;

/// One labelled value; `field` is the form's name for it, `differs` whether what was typed is something else.
pub struct Fact {
    pub field: &'static str,
    pub label: &'static str,
    pub value: String,
    pub differs: bool,
}

/// Everything that was entered but the kind and the sharing, which the pages say in their own words.
pub fn facts(entries: &Entries) -> Vec<Fact> {
    let fact = |field, label, value: &str| Fact { field, label, value: value.to_owned(), differs: false };
    vec![
        fact("collectionMethod", "Kind", entries.collection_method.words()),
        fact("name", "Account holder name", &entries.name),
        fact("email", "Billing email", &entries.email),
        fact("street", "Street", &entries.street),
        fact("city", "City", &entries.city),
        fact("state", "State", &entries.state),
        fact("postalCode", "Postal code", &entries.postal_code),
        fact("country", "Country", &country::name_of(&entries.country)),
    ]
}

/// The same with what is known of the card or bank account.
pub fn facts_of(method: &Method) -> Vec<Fact> {
    let mut facts = facts(&method.entries);
    let fact = |label, value: String| Fact { field: "", label, value, differs: false };
    let holder = match method.stored.holder_type.as_str() {
        "company" => "Company",
        "individual" => "Individual",
        _ => "",
    };
    let label = if method.entries.collection_method == CollectionMethod::PullAch { "Bank account" } else { "Card" };
    let more = [
        fact(label, method.stored.words().unwrap_or_default()),
        fact("Expires", method.stored.expiry_words()),
        fact("Account holder", holder.to_owned()),
        fact("Failing since", method.stored.failed_at.map_or_else(String::new, |at| When::from(at).words)),
    ];
    facts.splice(1..1, more);
    facts
}

/// How the account's own method stands, with its tone.
pub fn state(method: &Method) -> (&'static str, &'static str) {
    let (now, stored) = (ids::now(), &method.stored);
    let troubled = stored.failed_at.is_some() || stored.expires_at <= now;
    match (method.verified, stored.pays_until > now) {
        (false, _) => ("warn", "Not verified"),
        (true, false) => ("bad", if stored.failed_at.is_some() { "Failed" } else { "Expired" }),
        (true, true) if troubled => ("warn", "In use, needs to be replaced"),
        (true, true) => ("good", "In use"),
    }
}

/// A method that is being set up.
pub struct PendingView {
    pub words: String,
    pub what: &'static str,
    /// Empty where this person may not go on with it.
    pub href: String,
    pub label: &'static str,
    pub setup: String,
    /// Where the form leads that discards it; empty where this person may not, or it is the account's own already.
    pub discard: String,
}

pub fn pending(setup: &Setup, own: Option<&Method>, frame: &Frame) -> PendingView {
    let has_own = own.is_some();
    let id = &frame.account().id;
    let kind = setup.entries.collection_method.words();
    let bank = format!("{} ending {}", setup.brand, setup.last_four);
    let may_go_on = if has_own { frame.may::<UpdateBilling>() } else { frame.may::<CreateBilling>() };
    let slug = if has_own { "edit" } else { "new" };
    let (words, what, href, label, may) = match setup.state {
        State::Open if !setup.last_four.is_empty() => {
            let what = "It was entered, and is not used: what that would do to other accounts changed meanwhile.";
            (bank, what, format!("/a/{id}/billing/{slug}/confirm"), "Go on", may_go_on)
        }
        State::Open => {
            let href = format!("/a/{id}/billing/{slug}/confirm");
            (kind.to_owned(), "Nothing was entered yet.", href, "Go on", may_go_on)
        }
        State::Verifying => {
            let href = format!("/a/{id}/billing/verify");
            let what = "It is used as soon as the amounts of its two deposits are entered.";
            (bank, what, href, "Verify bank account", frame.may::<UpdateBilling>())
        }
        State::Spent => {
            let what = "It cannot be verified any more. Enter it again, or choose another kind.";
            (bank, what, format!("/a/{id}/billing/{slug}"), "Enter it again", may_go_on)
        }
    };
    let beside = own.is_none_or(|own| own.verified);
    PendingView {
        words,
        what,
        href: if may { href } else { String::new() },
        label,
        setup: setup.id.clone(),
        discard: if may_go_on && beside { format!("/a/{id}/billing/{slug}/discard") } else { String::new() },
    }
}

/// The same, compared with a form.
pub fn facts_beside(entries: &Entries, form: &Filled) -> Vec<Fact> {
    let stored = filled(entries);
    let sharing = if entries.allow_child_accounts { "Allowed" } else { "Not allowed" };
    let mut facts = facts(entries);
    facts.push(Fact {
        field: "allowChildAccounts",
        label: "Use by child accounts",
        value: sharing.to_owned(),
        differs: false,
    });
    for fact in &mut facts {
        let (typed, kept) = (form.value(fact.field).trim(), stored.value(fact.field));
        let same_country = || fact.field == "country" && country::code_of(typed) == Some(entries.country.as_str());
        fact.differs = typed != kept && !same_country();
    }
    facts
}

/// The form as it stands for these entries.
pub fn filled(entries: &Entries) -> Filled {
    Filled::with([
        ("collectionMethod", entries.collection_method.code()),
        ("name", &entries.name),
        ("email", &entries.email),
        ("street", &entries.street),
        ("city", &entries.city),
        ("state", &entries.state),
        ("postalCode", &entries.postal_code),
        ("country", &country::name_of(&entries.country)),
        ("allowChildAccounts", if entries.allow_child_accounts { "yes" } else { "" }),
    ])
}

/// The form for the method there is, with its version.
pub fn filled_with_version(method: &Method) -> Filled {
    let mut form = filled(&method.entries);
    form.set_version(method.version);
    form
}

/// Whose method an account inherits: the name where it may be seen, and never more.
pub struct Inherited {
    pub name: String,
    /// Empty where it may not be seen.
    pub href: String,
    pub levels: String,
    /// How it stands where it pays, with its tone; never why.
    pub state: (&'static str, &'static str),
}

impl Inherited {
    pub fn of(source: &Source, frame: &Frame) -> Inherited {
        let seen = frame.step(source.key).filter(|step| !step.held.is_empty());
        Inherited {
            name: source.shown_to(frame).to_owned(),
            href: seen.map_or_else(String::new, |step| super::billing_or_dashboard(&source.id, step.held)),
            levels: if seen.is_some() { format!(", {}", source.levels()) } else { String::new() },
            state: if source.verified { ("good", "In use") } else { ("warn", "Cannot be charged now") },
        }
    }
}

/// "invoice, 30 days", within a sentence.
pub fn lower_first(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
