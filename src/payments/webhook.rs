//! Whether a webhook comes from the provider: HMAC-SHA256 over the moment and the body, compared in constant time, and
//! no older (or newer) than some minutes, so that a recorded one cannot be played again for ever.

use ring::hmac;

use super::Notice;
use super::reply::Event;

/// Seconds that a signature may be away from now.
pub const TOLERANCE: i64 = 300;

/// What the body says, if the header `Stripe-Signature` (`t=…,v1=…`) is right. `now`: seconds since 1970.
pub fn read(secret: &str, header: &str, body: &[u8], now: i64) -> Option<Notice> {
    let mut moment = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) => moment = value.parse::<i64>().ok(),
            // While a secret is being changed there are two.
            Some(("v1", value)) => signatures.extend(bytes(value)),
            _ => {}
        }
    }
    let moment = moment.filter(|moment| now.abs_diff(*moment) <= TOLERANCE.unsigned_abs())?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut signed = format!("{moment}.").into_bytes();
    signed.extend_from_slice(body);
    signatures.iter().find(|signature| hmac::verify(&key, &signed, signature).is_ok())?;
    Some(serde_json::from_slice::<Event>(body).ok()?.notice())
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| (b as char).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pair = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    if hex.len() != 64 { None } else { hex.as_bytes().chunks_exact(2).map(pair).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header that the provider would send.
    fn signature(secret: &str, body: &[u8], at: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let mut signed = format!("{at}.").into_bytes();
        signed.extend_from_slice(body);
        let tag = hmac::sign(&key, &signed);
        let hex: String = tag.as_ref().iter().map(|b| format!("{b:02x}")).collect();
        format!("t={at},v1={hex}")
    }

    const BODY: &[u8] =
        br#"{"id":"evt_1","type":"setup_intent.succeeded","created":5,"data":{"object":{"id":"seti_1"}}}"#;

    #[test]
    fn only_what_the_provider_signed_lately_is_read() {
        let fine = signature("whsec_1", BODY, 1000);
        let notice = read("whsec_1", &fine, BODY, 1000 + TOLERANCE).expect("a notice");
        assert_eq!((notice.id.as_str(), notice.object.as_str(), notice.created), ("evt_1", "seti_1", 5));
        assert!(read("whsec_1", &fine, BODY, 1001 + TOLERANCE).is_none());
        assert!(read("whsec_1", &fine, BODY, 999 - TOLERANCE).is_none());
        assert!(read("whsec_2", &fine, BODY, 1000).is_none());
        assert!(read("whsec_1", &fine, &BODY[1..], 1000).is_none());
        let later = fine.replace("t=1000", "t=1001");
        assert!(read("whsec_1", &later, BODY, 1000).is_none());
        for nonsense in ["", "t=1000", "v1=00", "t=x,v1=y", "t=1000,v1=", "=,=,,"] {
            assert!(read("whsec_1", nonsense, BODY, 1000).is_none(), "{nonsense}");
        }
        let two = format!("t=1000,v1={},{}", "00".repeat(32), fine.split_once(',').unwrap().1);
        assert!(read("whsec_1", &two, BODY, 1000).is_some());
    }
}
