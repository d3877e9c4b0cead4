//! Sealing: what is stored of a second factor, and what a form carries between two of its pages, is readable and
//! changeable by this console alone. AES-256-GCM under a key derived from SECRET_KEY, or from the database's own.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ids;
use crate::problem::Problem;

pub struct Vault {
    key: LessSafeKey,
}

impl Vault {
    pub fn new(secret: &str) -> Result<Vault, Problem> {
        let derived = Salt::new(HKDF_SHA256, b"subtenant").extract(secret.as_bytes());
        let derived = derived.expand(&[b"second factor"], &AES_256_GCM);
        let key = derived.map_err(|_| Problem::bug("the key cannot be derived"))?;
        Ok(Vault { key: LessSafeKey::new(UnboundKey::from(key)) })
    }

    /// `purpose` says what it is and whose; it opens for the same purpose only.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Result<String, Problem> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut body = plain.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(purpose), &mut body)
            .map_err(|_| Problem::bug("a secret cannot be sealed"))?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &body].concat()))
    }

    /// None when it was sealed for something else, by another key, or is no sealed text at all.
    pub fn open(&self, purpose: &str, sealed: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, body) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        Some(self.key.open_in_place(nonce, Aad::from(purpose), &mut body).ok()?.to_vec())
    }

    /// What a form carries from its page to its answer.
    pub fn ticket(&self, purpose: &str, value: &impl Serialize) -> Result<String, Problem> {
        self.seal(purpose, &serde_json::to_vec(&(ids::now().and_utc().timestamp(), value))?)
    }

    /// None when it is not ours or older than so many minutes.
    pub fn redeem<T: DeserializeOwned>(&self, purpose: &str, ticket: &str, minutes: i64) -> Option<T> {
        let plain = self.open(purpose, ticket)?;
        let (at, value) = serde_json::from_slice::<(i64, T)>(&plain).ok()?;
        (ids::now().and_utc().timestamp() - at <= minutes * 60).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_purpose_and_key_only() {
        let vault = Vault::new("one secret").unwrap();
        let sealed = vault.seal("app of 1", b"text").unwrap();
        assert_eq!(vault.open("app of 1", &sealed).unwrap(), b"text");
        assert_eq!(vault.open("app of 2", &sealed), None);
        assert_eq!(Vault::new("another").unwrap().open("app of 1", &sealed), None);
        assert_ne!(vault.seal("app of 1", b"text").unwrap(), sealed);
        for nonsense in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAA", &sealed[1..]] {
            assert_eq!(vault.open("app of 1", nonsense), None);
        }
    }

    #[test]
    fn a_ticket_is_good_for_some_minutes() {
        let vault = Vault::new("one secret").unwrap();
        let ticket = vault.ticket("x", &"value").unwrap();
        assert_eq!(vault.redeem::<String>("x", &ticket, 5), Some("value".to_owned()));
        assert_eq!(vault.redeem::<String>("x", &ticket, -1), None);
    }
}
