//! The token that proves a form came from one of our pages: the session's secret, masked anew for every page.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

/// The session's secret under a mask of its own for every page, so that compression tells nothing about it.
pub fn masked_token(secret: &str) -> String {
    let secret = URL_SAFE_NO_PAD.decode(secret).unwrap_or_default();
    let mask: Vec<u8> = (0..secret.len()).map(|_| rand::random()).collect();
    let hidden = secret.iter().zip(&mask).map(|(s, m)| s ^ m);
    URL_SAFE_NO_PAD.encode(mask.iter().copied().chain(hidden).collect::<Vec<u8>>())
}

/// Whether the token was made of this secret.
pub fn token_matches(token: &str, secret: &str) -> bool {
    let (Ok(token), Ok(secret)) = (URL_SAFE_NO_PAD.decode(token), URL_SAFE_NO_PAD.decode(secret)) else { return false };
    if secret.len() < 16 || token.len() != secret.len() * 2 {
        return false;
    }
    let (mask, hidden) = token.split_at(secret.len());
    let plain: Vec<u8> = mask.iter().zip(hidden).map(|(m, h)| m ^ h).collect();
    plain.ct_eq(&secret).into()
}
