//! Folding text for comparison, the same on both databases because it is done here and stored beside the original.

use std::borrow::Borrow;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// NFKC- and case-folded, accents removed: "Ärzte ﬁne" and "arzte FINE" have the same key.
pub fn name_key(name: &str) -> String {
    let bare: String = name.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    // Up and down again folds what lower-casing alone leaves apart, as the German sharp s.
    bare.to_uppercase().to_lowercase().nfkc().collect::<String>().trim().to_owned()
}

/// An e-mail address as it is compared: case-blind, NFKC.
pub fn email_key(email: &str) -> String {
    email.trim().nfkc().collect::<String>().to_lowercase()
}

/// A `LIKE` pattern that finds the text anywhere; `\` is the escape character.
pub fn like_anywhere(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// The number with its noun: "1 account", "3,000 accounts".
pub fn count(n: i64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {many}", grouped(n)) }
}

/// A number as people read it: "578,197". Templates pass what they have by reference.
pub fn grouped(n: impl Borrow<i64>) -> String {
    let digits = n.borrow().unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if *n.borrow() < 0 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Mbit/s in words: "50 Mbit/s", "1,600 Mbit/s", "10 Gbit/s".
pub fn speed(mbits: i64) -> String {
    if mbits >= 1000 && mbits % 1000 == 0 {
        format!("{} Gbit/s", grouped(mbits / 1000))
    } else {
        format!("{} Mbit/s", grouped(mbits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_removes_case_accents_and_compatibility_forms() {
        assert_eq!(name_key("Ärzte ﬁne STRASSE"), name_key("arzte FINE straße"));
        assert_eq!(name_key("  Łódź "), "łodz");
    }

    #[test]
    fn large_numbers_are_grouped() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (578_197, "578,197"), (-1_000_000, "-1,000,000")];
        cases.into_iter().for_each(|(n, words)| assert_eq!(grouped(n), words));
        assert_eq!(count(1_000, "account", "accounts"), "1,000 accounts");
        assert_eq!([50, 1_600, 10_000].map(speed), ["50 Mbit/s", "1,600 Mbit/s", "10 Gbit/s"]);
    }

    #[test]
    fn wildcards_are_escaped() {
        assert_eq!(like_anywhere("50%_\\"), "%50\\%\\_\\\\%");
    }
}
