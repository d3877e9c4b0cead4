//! Countries of billing addresses: understood by name or by 2- or 3-letter code in any case, stored as ISO 3166-1
//! alpha-2, shown by the name people use. Also which parts of an address a country has.

use rust_iso3166::{ALL, CountryCode, from_alpha2, from_alpha3};

use crate::text;

/// Names in everyday use where the standard's own is another one: shown, offered and understood.
const EVERYDAY: [(&str, &str); 26] = [
    ("BO", "Bolivia"),
    ("BN", "Brunei"),
    ("CD", "Democratic Republic of the Congo"),
    ("CV", "Cape Verde"),
    ("FK", "Falkland Islands"),
    ("FM", "Micronesia"),
    ("GB", "United Kingdom"),
    ("IR", "Iran"),
    ("KP", "North Korea"),
    ("KR", "South Korea"),
    ("LA", "Laos"),
    ("MD", "Moldova"),
    ("MF", "Saint Martin"),
    ("NL", "Netherlands"),
    ("PS", "Palestine"),
    ("RU", "Russia"),
    ("SX", "Sint Maarten"),
    ("SY", "Syria"),
    ("TW", "Taiwan"),
    ("TZ", "Tanzania"),
    ("US", "United States"),
    ("VA", "Vatican City"),
    ("VE", "Venezuela"),
    ("VG", "British Virgin Islands"),
    ("VI", "U.S. Virgin Islands"),
    ("VN", "Vietnam"),
];

/// More that people type.
const ALSO: [(&str, &str); 8] = [
    ("GB", "UK"),
    ("GB", "Great Britain"),
    ("US", "U.S."),
    ("US", "U.S.A."),
    ("CZ", "Czech Republic"),
    ("TR", "Turkey"),
    ("NL", "Holland"),
    ("CI", "Ivory Coast"),
];

/// Where no letter carries a postal code.
const WITHOUT_POSTAL_CODES: &str = "AE AG AO AW BF BI BJ BO BQ BS BW BZ CD CF CG CI CK CM CW DJ DM ER FJ GA GD GH GM \
    GQ GY HK JM KI KM KN KP LY ML MO MR MW NR NU PA QA RW SB SC SL SO SR SS ST SX SY TD TG TK TL TO TV UG VU YE ZW";

/// The alpha-2 code of what was typed.
pub fn code_of(typed: &str) -> Option<&'static str> {
    let upper = typed.trim().to_uppercase();
    if let Some(found) = from_alpha2(&upper).or_else(|| from_alpha3(&upper)) {
        return Some(found.alpha2);
    }
    let key = text::name_key(typed);
    let given = EVERYDAY.iter().chain(&ALSO).find(|(_, name)| text::name_key(name) == key).map(|(code, _)| *code);
    given.or_else(|| ALL.iter().find(|country| text::name_key(country.name) == key).map(|country| country.alpha2))
}

/// The name shown for a code; the code itself when nobody knows it.
pub fn name_of(code: &str) -> String {
    from_alpha2(code).map_or_else(|| code.to_owned(), |country| name(&country).to_owned())
}

fn name(country: &CountryCode) -> &'static str {
    EVERYDAY.iter().find(|(code, _)| *code == country.alpha2).map_or(country.name, |(_, name)| name)
}

/// Every name, in order, for the form to suggest.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = ALL.iter().map(name).collect();
    names.sort_by_cached_key(|name| text::name_key(name));
    names
}

/// Whether an address there is incomplete without a state.
pub fn needs_state(code: &str) -> bool {
    matches!(code, "AU" | "CA" | "US")
}

/// Whether an address there is incomplete without a postal code.
pub fn needs_postal_code(code: &str) -> bool {
    !WITHOUT_POSTAL_CODES.split(' ').any(|one| one == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_understood_however_it_is_typed() {
        for typed in ["DE", "de", " deu ", "Germany", "GERMANY", "germany"] {
            assert_eq!(code_of(typed), Some("DE"), "{typed}");
        }
        for typed in ["cote d'ivoire", "Côte d'Ivoire", "CIV", "Ivory Coast"] {
            assert_eq!(code_of(typed), Some("CI"), "{typed}");
        }
        for typed in ["United States", "united states of america", "usa", "US", "U.S.A."] {
            assert_eq!(code_of(typed), Some("US"), "{typed}");
        }
        for typed in ["", "XX", "Atlantis", "Germ", "\0", "Deutschland"] {
            assert_eq!(code_of(typed), None, "{typed}");
        }
    }

    #[test]
    fn every_name_that_is_shown_is_understood_as_itself() {
        for country in ALL {
            assert_eq!(code_of(&name_of(country.alpha2)), Some(country.alpha2));
            assert_eq!(code_of(country.name), Some(country.alpha2));
        }
        assert_eq!(names().len(), ALL.len());
    }

    #[test]
    fn lists_of_codes_name_countries() {
        for code in WITHOUT_POSTAL_CODES.split(' ').chain(EVERYDAY.iter().chain(&ALSO).map(|(code, _)| *code)) {
            assert!(from_alpha2(code).is_some(), "{code}");
        }
        assert!(needs_postal_code("US") && !needs_postal_code("HK"));
    }
}
