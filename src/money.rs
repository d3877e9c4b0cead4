//! Amounts as they are written: whole numbers in the minor unit of an ISO 4217 currency (cents of a dollar, yen), never
//! a fraction.

use iso_currency::Currency;

/// The currency of this code, in capital letters.
pub fn currency(code: &str) -> Option<Currency> {
    Currency::from_code(code).filter(|currency| currency.exponent().is_some())
}

fn places(code: &str) -> usize {
    currency(code).and_then(|currency| currency.exponent()).map_or(2, usize::from)
}

/// For files: "1234.50", "-3.00", "500" of a currency without a minor unit.
pub fn plain(amount: i64, code: &str) -> String {
    let places = places(code);
    let digits = format!("{:0width$}", amount.unsigned_abs(), width = places + 1);
    let (whole, rest) = digits.split_at(digits.len() - places);
    let sign = if amount < 0 { "-" } else { "" };
    if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

/// For people: "EUR 1,234.50".
pub fn words(amount: i64, code: &str) -> String {
    let plain = plain(amount, code);
    let (whole, rest) = plain.split_once('.').map_or((plain.as_str(), String::new()), |(w, r)| (w, format!(".{r}")));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut grouped = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{code} {sign}{grouped}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_the_currencys_own_places() {
        assert_eq!(words(123_456_789, "EUR"), "EUR 1,234,567.89");
        assert_eq!(words(5, "USD"), "USD 0.05");
        assert_eq!(words(1_500, "JPY"), "JPY 1,500");
        assert_eq!(words(1_234_500, "KWD"), "KWD 1,234.500");
        assert_eq!((plain(-305, "EUR").as_str(), words(-100_000, "EUR").as_str()), ("-3.05", "EUR -1,000.00"));
        assert!(currency("EUR").is_some() && currency("eur").is_none() && currency("XAU").is_none());
    }
}
