//! What somebody asks of the list of people who reach an account, read from the address. What cannot be read is left
//! out, as every address leads somewhere.

use url::form_urlencoded;

use super::power;
use crate::access::policy::Permission;
use crate::web::Filled;

/// Where the role was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Given {
    #[default]
    Anywhere,
    Here,
    Above,
}

#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub power: Option<Permission>,
    pub given: Given,
    /// Only what ends within [`super::reach::SOON`].
    pub ends_soon: bool,
    /// Part of the name or the e-mail.
    pub text: String,
}

/// The filter, the form that shows it again, and the links that take parts of it away.
pub struct Asked {
    pub filter: Filter,
    pub form: Filled,
    /// The filter as a query string.
    pub query: String,
    pub chips: Vec<Chip>,
}

/// A part of the filter in force; the link is the page without it.
pub struct Chip {
    pub words: String,
    pub href: String,
}

pub const GIVEN: [(&str, &str); 3] =
    [("", "Anywhere on the way"), ("here", "In this account"), ("above", "In an account above")];
const FIELDS: [&str; 4] = ["q", "power", "given", "ends"];
const LONGEST: usize = 200;

type Parts = Vec<(&'static str, String, String)>;

pub fn read(query: &str) -> Asked {
    let values = FIELDS.map(|name| (name, value(query, name)));
    let [text, power, given, ends] = values.each_ref().map(|(_, value)| value.as_str());
    let mut parts = Parts::new();
    let mut filter = Filter { text: text.to_owned(), ..Filter::default() };
    if !text.is_empty() {
        parts.push(("q", text.to_owned(), format!("Person: {text}")));
    }
    if let Some(known) = power::of_code(power) {
        filter.power = Some(known);
        parts.push(("power", power.to_owned(), format!("Can do: {}", power::title(known))));
    }
    filter.given = match given {
        "here" => Given::Here,
        "above" => Given::Above,
        _ => Given::Anywhere,
    };
    if let Some((code, words)) = GIVEN.into_iter().find(|(code, _)| *code == given && !code.is_empty()) {
        parts.push(("given", code.to_owned(), format!("Given {}", words.to_lowercase())));
    }
    if ends == "soon" {
        filter.ends_soon = true;
        parts.push(("ends", "soon".to_owned(), "Ends within 30 days".to_owned()));
    }
    let form = Filled::with(values.each_ref().map(|(name, value)| (*name, value.as_str())));
    let chip = |(name, _, words): &(&str, String, String)| Chip {
        words: words.clone(),
        href: format!("?{}", encoded(&parts, name)),
    };
    Asked { filter, form, query: encoded(&parts, ""), chips: parts.iter().map(chip).collect() }
}

fn value(query: &str, name: &str) -> String {
    let found = form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name);
    let text = found.map_or_else(String::new, |(_, value)| value.trim().to_owned());
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

fn encoded(parts: &Parts, without: &str) -> String {
    let kept = parts.iter().filter(|(name, _, _)| *name != without).map(|(name, value, _)| (name, value));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_read_holds_and_each_chip_takes_its_part_away() {
        let asked = read("q=an%00n&power=ports:update&given=above&ends=soon&page=3");
        assert_eq!((asked.filter.text.as_str(), asked.filter.given), ("ann", Given::Above));
        assert!(asked.filter.ends_soon && asked.filter.power.is_some());
        assert_eq!(asked.query, "q=ann&power=ports%3Aupdate&given=above&ends=soon");
        assert_eq!(asked.chips[1].href, "?q=ann&given=above&ends=soon");
        let nothing = read("power=ports:fly&given=sideways&ends=never");
        assert!(nothing.query.is_empty() && nothing.chips.is_empty());
    }
}
