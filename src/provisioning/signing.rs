//! Signatures as Standard Webhooks describe them: HMAC-SHA256 over the message's id, the moment and the body, compared
//! in constant time, and no older (or newer) than some minutes. While a secret is being changed there are two: what goes
//! out is signed with both, what comes in may be signed with either.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::hmac;

use crate::config::SigningKey;

/// Seconds that a signature may be away from now.
pub const TOLERANCE: i64 = 300;

fn signed(id: &str, moment: &str, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{id}.{moment}.").into_bytes();
    text.extend_from_slice(body);
    text
}

fn key(key: &SigningKey) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &key.0)
}

/// The value of `webhook-signature`. `moment`: seconds since 1970.
pub fn sign(keys: &[SigningKey], id: &str, moment: i64, body: &[u8]) -> String {
    let text = signed(id, &moment.to_string(), body);
    let one = |secret: &SigningKey| format!("v1,{}", STANDARD.encode(hmac::sign(&key(secret), &text)));
    keys.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Whether the three headers are right for the body. `now`: seconds since 1970.
pub fn is_right(keys: &[SigningKey], id: &str, moment: &str, signatures: &str, body: &[u8], now: i64) -> bool {
    let fresh = moment.parse::<i64>().is_ok_and(|moment| now.abs_diff(moment) <= TOLERANCE.unsigned_abs());
    if id.is_empty() || !fresh {
        return false;
    }
    let text = signed(id, moment, body);
    let given = signatures.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
    given.into_iter().any(|tag| keys.iter().any(|secret| hmac::verify(&key(secret), &text, &tag).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published example.
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const MOMENT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secret(text: &str) -> SigningKey {
        SigningKey(STANDARD.decode(text).unwrap())
    }

    fn published() -> SigningKey {
        secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    }

    #[test]
    fn the_published_example_is_signed_as_published() {
        assert_eq!(sign(&[published()], ID, MOMENT, BODY), SIGNATURE);
    }

    #[test]
    fn only_what_was_signed_lately_with_one_of_the_secrets_is_right() {
        let (old, new) = (published(), secret("aGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8="));
        let right = |keys: &[SigningKey], id: &str, moment: &str, signatures: &str, body: &[u8], now: i64| {
            is_right(keys, id, moment, signatures, body, now)
        };
        let (moment, both) = (MOMENT.to_string(), [new.clone(), old.clone()]);
        assert!(right(&both, ID, &moment, SIGNATURE, BODY, MOMENT + TOLERANCE));
        assert!(right(&both, ID, &moment, &format!("v1a,x v1,AAAA {SIGNATURE}"), BODY, MOMENT));
        assert!(right(
            std::slice::from_ref(&old),
            ID,
            &moment,
            &sign(&both, ID, MOMENT, BODY),
            BODY,
            MOMENT - TOLERANCE
        ));
        assert!(!right(&[new], ID, &moment, SIGNATURE, BODY, MOMENT));
        assert!(!right(&both, ID, &moment, SIGNATURE, BODY, MOMENT + TOLERANCE + 1));
        assert!(!right(&both, ID, &moment, SIGNATURE, BODY, MOMENT - TOLERANCE - 1));
        assert!(!right(&both, "msg_other", &moment, SIGNATURE, BODY, MOMENT));
        assert!(!right(&both, ID, &(MOMENT + 1).to_string(), SIGNATURE, BODY, MOMENT));
        assert!(!right(&both, ID, &moment, SIGNATURE, &BODY[1..], MOMENT));
        for nonsense in ["", "v1", "v1,", "v1,????", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="] {
            assert!(!right(&both, ID, &moment, nonsense, BODY, MOMENT), "{nonsense}");
        }
        assert!(!right(&both, "", &moment, SIGNATURE, BODY, MOMENT));
        assert!(!right(&both, ID, "soon", SIGNATURE, BODY, MOMENT));
    }
}
