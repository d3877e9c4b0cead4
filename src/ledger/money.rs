//! Amounts: whole numbers in the minor unit of an ISO 4217 currency (cents of a dollar, yen), never a fraction.
//!
//! Part of a month costs its days' part of the month's price, rounded to the minor unit for each line, exactly half way
//! up. That is a choice of this product's and what commerce usually does; Council Regulation (EC) No 1103/97, Article 5,
//! rounds in the same way, but speaks of amounts that are converted into the euro and not of prices by the day. The total
//! of an invoice is the sum of its rounded lines and is not rounded again.

pub use crate::money::{currency, plain, words};

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
}
