//! What the pages of the room show in common: a method's entries as labelled facts, the inherited one without any
//! detail of it, and the form's values.

use crate::access::Frame;
use crate::billing::payer::Source;
use crate::billing::{Entries, Method, country};
use crate::web::Filled;

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
}

impl Inherited {
    pub fn of(source: &Source, frame: &Frame) -> Inherited {
        let seen = frame.step(source.key).filter(|step| !step.held.is_empty());
        Inherited {
            name: source.shown_to(frame).to_owned(),
            href: seen.map_or_else(String::new, |step| super::billing_or_dashboard(&source.id, step.held)),
            levels: if seen.is_some() { format!(", {}", source.levels()) } else { String::new() },
        }
    }
}

/// "invoice, 30 days", within a sentence.
pub fn lower_first(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
