//! Amounts: whole numbers in the minor unit of an ISO 4217 currency (cents of a dollar, yen), never a fraction.
//!
//! Part of a month costs its days' part of the month's price, rounded to the minor unit for each line, exactly half way
//! up: Council Regulation (EC) No 1103/97, Article 5 ("if the application of the conversion rate gives a result which is
//! exactly half-way, the sum shall be rounded up"), which is also what commercial practice does. The total of an
//! invoice is the sum of its rounded lines and is not rounded again.

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

/// What so many days of a month cost; the whole month costs exactly its price. Never more than the price, and nothing
/// for no days. `amount` is not negative, `0 <= days <= days_in_month`, `days_in_month > 0`.
pub fn pro_rata(amount: i64, days: i64, days_in_month: i64) -> i64 {
    let (amount, days, all) = (i128::from(amount), i128::from(days), i128::from(days_in_month));
    i64::try_from((2 * amount * days + all) / (2 * all)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_cent_is_rounded_up_and_a_whole_month_is_exact() {
        assert_eq!(pro_rata(10_000, 31, 31), 10_000);
        assert_eq!(pro_rata(i64::MAX, 28, 28), i64::MAX);
        assert_eq!(pro_rata(1, 15, 30), 1);
        assert_eq!(pro_rata(1, 14, 30), 0);
        assert_eq!(pro_rata(10_000, 1, 31), 323); // 322.58
        assert_eq!(pro_rata(10_000, 0, 31), 0);
    }

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
