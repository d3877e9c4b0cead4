//! Amounts as the provider counts them: in the smallest unit of ISO 4217 almost everywhere, and in units of its own for
//! a few currencies (<https://docs.stripe.com/currencies>, *Zero-decimal*, *Three-decimal* and *Special cases*).

/// `amount` in minor units of ISO 4217. None when the provider cannot charge it.
pub fn at_provider(amount: i64, currency: &str) -> Option<i64> {
    match currency {
        // Two places there, none in ISO 4217.
        "ISK" | "UGX" => amount.checked_mul(100),
        // None there, two in ISO 4217.
        "MGA" => (amount % 100 == 0).then_some(amount / 100),
        // The third place must be 0.
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => (amount % 10 == 0).then_some(amount),
        _ => Some(amount),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_charged_a_hundredth_or_a_hundredfold() {
        assert_eq!(at_provider(7_900, "EUR"), Some(7_900));
        assert_eq!(at_provider(5_000, "JPY"), Some(5_000));
        assert_eq!(at_provider(5_000, "ISK"), Some(500_000));
        assert_eq!(at_provider(123_400, "MGA"), Some(1_234));
        assert_eq!(at_provider(123_450, "MGA"), None);
        assert_eq!(at_provider(1_230, "KWD"), Some(1_230));
        assert_eq!(at_provider(1_234, "KWD"), None);
    }
}
