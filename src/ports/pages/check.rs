//! What was entered for a new port: whether it can be ordered so, and all answers once more in words.

use super::view;
use crate::catalogue::{SupportedPort, Term};
use crate::ports::NewPort;
use crate::problem::Problem;
use crate::text;
use crate::web::Form;

/// "place" orders, "back" leads to the form again, nothing asks to check.
pub const ACT: &str = "act";
pub const FIELDS: [&str; 10] =
    ["facility", "line", "domain", "media", "term", "name", "description", "customer", "offered", ACT];

/// What stands in the form for a line of the catalogue: it is unique in its facility.
pub fn line_value(line: &SupportedPort) -> String {
    format!("{}-{}", line.provider, line.speed)
}

/// The order, or everything that is wrong with it.
pub fn entered<'a>(form: &Form, lines: &'a [SupportedPort]) -> Result<(NewPort, &'a SupportedPort), Problem> {
    let mut check = form.check();
    let here: Vec<&SupportedPort> = lines.iter().filter(|line| line.facility.id == check.raw("facility")).collect();
    let values: Vec<String> = here.iter().map(|line| line_value(line)).collect();
    let offered: Vec<(&str, &'a SupportedPort)> = values.iter().map(String::as_str).zip(here.iter().copied()).collect();
    let line = check.one_of("line", "Choose a speed", &offered);
    let domain = check.raw("domain").to_owned();
    let media_type = check.raw("media").to_owned();
    let terms = Term::EVERY.map(|term| (term.code(), term));
    let term = check.one_of("term", "Choose a term", &terms);
    if domain.is_empty() {
        check.note("domain", Some("Choose an availability domain".to_owned()));
    }
    if media_type.is_empty() {
        check.note("media", Some("Choose a media type".to_owned()));
    }
    if let Some(line) = line {
        let speed = text::speed(line.speed);
        if !domain.is_empty() && !line.domains.contains(&domain) {
            check.note("domain", Some(format!("{speed} is not offered in this availability domain")));
        }
        if !media_type.is_empty() && !line.media_types.contains(&media_type) {
            let list = line.media_types.join(", ");
            check.note("media", Some(format!("{speed} is offered with these media types: {list}")));
        }
        if term.is_some_and(|term| line.prices.code(term).is_none()) {
            check.note("term", Some(format!("{speed} is not offered for this term")));
        }
    }
    let name = check.line("name", "Name", 1, 64);
    let description = check.block("description", "Description", 0, 1024);
    let loa_customer_name = check.line("customer", "Customer name", 0, 128);
    let available_to_child_accounts = check.ticked("offered");
    check.finish()?;
    let (Some(line), Some(term)) = (line, term) else {
        return Err(Problem::bug("an order without a line of the catalogue"));
    };
    let new = NewPort {
        supported: line.key,
        availability_domain: domain,
        media_type,
        term,
        name,
        description,
        loa_customer_name,
        available_to_child_accounts,
    };
    Ok((new, line))
}

/// The answers in words. `account`: who the letter names unless another name is given.
pub fn facts(new: &NewPort, line: &SupportedPort, account: &str) -> Vec<(&'static str, String)> {
    let customer = if new.loa_customer_name.is_empty() { account } else { &new.loa_customer_name };
    let offered = if new.available_to_child_accounts { "Yes, to all accounts below" } else { "No" };
    vec![
        ("Facility", format!("{}, {}", line.facility.name, line.facility.location_name)),
        ("Address", line.facility.address()),
        ("Speed", text::speed(line.speed)),
        ("Availability domain", view::domain(&new.availability_domain).to_owned()),
        ("Media type", new.media_type.clone()),
        ("Term", new.term.words().to_owned()),
        ("Name", new.name.clone()),
        ("Description", if new.description.is_empty() { "None".to_owned() } else { new.description.clone() }),
        ("Customer name on the letter", customer.to_owned()),
        ("Available to child accounts", offered.to_owned()),
    ]
}

/// What the page with the answers sends on.
pub fn carried(form: &Form) -> Vec<(String, String)> {
    let filled = FIELDS.into_iter().filter(|field| *field != ACT && !form.value(field).is_empty());
    filled.map(|field| (field.to_owned(), form.value(field).to_owned())).collect()
}
