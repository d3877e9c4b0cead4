//! Names of things and moments. Public ids are a prefix and 22 characters of base64url, 128 random bits, so that
//! nobody can guess one; keys are integers for joins that never leave the process. `now()` is the only clock.

use std::sync::atomic::{AtomicI64, Ordering};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, NaiveDateTime, Utc};
use sha2::{Digest, Sha256};

/// The primary key of a row: microseconds since 2020 and 12 random bits, so that key order is time order.
pub type Key = i64;

/// UTC, cut to the microseconds that both databases keep.
pub fn now() -> NaiveDateTime {
    let micros = Utc::now().timestamp_micros();
    DateTime::from_timestamp_micros(micros).expect("the clock is between the years -262143 and 262142").naive_utc()
}

/// The end of what has no end: the last day that both databases keep.
pub fn never() -> NaiveDateTime {
    chrono::NaiveDate::from_ymd_opt(9999, 12, 31).and_then(|day| day.and_hms_opt(0, 0, 0)).expect("a day")
}

static LAST_KEY: AtomicI64 = AtomicI64::new(0);
const EPOCH_2020_MICROS: i64 = 1_577_836_800_000_000;

/// A new key, larger than every key this process made before. Two processes would have to draw the same 12 bits in
/// the same microsecond to collide, and then the primary key refuses the second row: its request is told to come again.
pub fn next_key() -> Key {
    let drawn = ((Utc::now().timestamp_micros() - EPOCH_2020_MICROS) << 12) | i64::from(rand::random::<u16>() & 0xfff);
    let last = LAST_KEY.fetch_max(drawn, Ordering::Relaxed);
    if drawn > last { drawn } else { LAST_KEY.fetch_add(1, Ordering::Relaxed) + 1 }
}

/// The smallest key that [`next_key`] draws at this moment: where a range of time begins among rows in key order.
pub fn first_key_at(at: NaiveDateTime) -> Key {
    at.and_utc().timestamp_micros().saturating_sub(EPOCH_2020_MICROS).saturating_mul(1 << 12)
}

/// 128 random bits as 22 characters of base64url.
pub fn token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}

/// `ac-…`, `user-…`, `role-…`: the prefix and a token.
pub fn new_id(prefix: &str) -> String {
    format!("{prefix}-{}", token())
}

/// Whether the text could be an id with this prefix; everything else is not found without asking the database.
pub fn looks_like_id(prefix: &str, text: &str) -> bool {
    text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')).is_some_and(looks_like_token)
}

/// Whether the text could be one of our tokens.
pub fn looks_like_token(text: &str) -> bool {
    text.len() == 22 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// SHA-256 in hexadecimal: what is kept of a secret, and what names a text.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_process_only_grow() {
        let keys: Vec<Key> = (0..10_000).map(|_| next_key()).collect();
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_range_of_time_is_a_range_of_keys() {
        let before = first_key_at(now());
        let key = next_key();
        assert!(before <= key && key < first_key_at(now() + chrono::Duration::seconds(60)));
    }

    #[test]
    fn ids_look_like_ids() {
        assert!(looks_like_id("ac", &new_id("ac")));
        assert!(!looks_like_id("ac", "ac-short"));
        assert!(!looks_like_id("ac", &new_id("user")));
    }
}
