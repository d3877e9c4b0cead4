//! The fields of a payment method's form: what they offer, what is typed into them, and what is wrong with it.

use super::home;
use crate::access::In;
use crate::access::policy::{Action, SeeAccount};
use crate::billing::method::most;
use crate::billing::{CollectionMethod, Entries, Method, country};
use crate::payments::Payments;
use crate::problem::Problem;
use crate::text;
use crate::web::{Filled, Form};

/// Every entry of the form.
pub const ENTRIES: [&str; 10] = [
    "collectionMethod",
    "name",
    "email",
    "street",
    "city",
    "state",
    "postalCode",
    "country",
    "allowChildAccounts",
    REPLACE,
];
/// Another card or bank account in place of the one of the same kind.
pub const REPLACE: &str = "replace";
/// The stamp of the effects that somebody saw before confirming.
pub const EFFECTS: &str = "effects";
/// Sent by the button that leads from the question back to the form.
pub const BACK: &str = "back";
pub const FIELDS: [&str; 12] = [
    "collectionMethod",
    "name",
    "email",
    "street",
    "city",
    "state",
    "postalCode",
    "country",
    "allowChildAccounts",
    REPLACE,
    EFFECTS,
    BACK,
];

/// What the fields need to be drawn.
pub struct Fields {
    pub form: Filled,
    pub kinds: Vec<(&'static str, &'static str, &'static str)>,
    pub countries: Vec<&'static str>,
    pub users: String,
    pub back: String,
    /// Why only invoices are offered.
    pub only_invoices: bool,
    /// The card or bank account there is, which the form keeps unless another one is asked for.
    pub kept: String,
}

/// The form's entries, or everything that is wrong with them.
pub fn entries(form: &Form, with_provider: bool) -> Result<Entries, Problem> {
    let mut check = form.check();
    let offered: Vec<_> =
        CollectionMethod::offered(with_provider).iter().map(|method| (method.code(), *method)).collect();
    let collection_method = check.one_of("collectionMethod", "Choose the kind of payment method", &offered);
    let name = check.line("name", "Account holder name", 1, most::NAME);
    let email = check.email("email", "Billing email");
    let street = check.line("street", "Street", 1, most::STREET);
    let city = check.line("city", "City", 1, most::CITY);
    let typed = country::code_of(form.value("country"));
    let state = check.line("state", "State", usize::from(typed.is_some_and(country::needs_state)), most::STATE);
    let needs_postal_code = usize::from(typed.is_some_and(country::needs_postal_code));
    let postal_code = check.line("postalCode", "Postal code", needs_postal_code, most::POSTAL_CODE);
    check.line("country", "Country", 1, most::COUNTRY);
    if typed.is_none() && check.errors.get("country").is_none() {
        check.note("country", Some("Country must be a country’s name, or its code of two or three letters".to_owned()));
    }
    let allow_child_accounts = check.ticked("allowChildAccounts");
    check.ticked(REPLACE);
    check.finish()?;
    match (collection_method, typed) {
        (Some(collection_method), Some(code)) => {
            let country = code.to_owned();
            Ok(Entries {
                collection_method,
                name,
                email,
                street,
                city,
                state,
                postal_code,
                country,
                allow_child_accounts,
            })
        }
        _ => Err(Problem::bug("a form without complaints lacks a value")),
    }
}

/// The form as it was sent when somebody typed this; `confirmed`: the stamp that they saw.
pub fn form_of(typed: &Filled, confirmed: &str) -> Form {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(typed.values());
    // Without a stamp it was answered all the same.
    body.append_pair(REPLACE, "yes").append_pair(EFFECTS, if confirmed.is_empty() { "-" } else { confirmed });
    Form::restored(&body.finish())
}

pub fn fields<A: Action>(
    by: &In<A>,
    payments: &Payments,
    form: Filled,
    followers: i64,
    own: Option<&Method>,
) -> Fields {
    let users = match followers {
        _ if !by.frame().may_below::<SeeAccount>() => "Accounts below may use it then.".to_owned(),
        0 => "No account below would use it now; accounts made later do.".to_owned(),
        1 => "1 account below would use it now.".to_owned(),
        n => format!("{} accounts below would use it now.", text::grouped(n)),
    };
    Fields {
        form,
        kinds: kinds(payments.is_on()),
        only_invoices: !payments.is_on(),
        kept: own.and_then(|own| own.stored.words()).filter(|_| payments.is_on()).unwrap_or_default(),
        countries: country::names(),
        users,
        back: home(by.frame()),
    }
}

fn kinds(with_provider: bool) -> Vec<(&'static str, &'static str, &'static str)> {
    let offered = CollectionMethod::offered(with_provider).iter();
    offered.map(|method| (method.code(), method.words(), method.hint())).collect()
}
