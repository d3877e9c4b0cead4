//! Passwords: which are taken (ASVS 5.0, 6.2), and their hashes. Argon2id with 19 MiB and two passes, never on the
//! threads that serve requests, at most four at once.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::problem::Problem;

pub const SHORTEST: usize = 8;
pub const LONGEST: usize = 1024;
/// Shorter ones are taken, with the advice to use a longer one.
pub const ADVISED: usize = 15;
/// Below this many guesses (as a power of ten) a password counts as a common one.
const COMMON_BELOW: f64 = 6.0;

static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// Stands in where no user is, so that an unknown address takes as long as a known one.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c3VidGVuYW50LW5vYm9keQ$QqMZ1xSbBlnPjNIZAlEzA7ZHdSdZ5j2w0Z0Q0m1xqkA";

/// Why a password is not taken, if so. `context`: words that belong to this person and this product. No rules of
/// composition.
pub fn refusal(password: &str, context: &[&str]) -> Option<String> {
    let length = password.chars().count();
    if length == 0 {
        return Some("Enter a password".to_owned());
    }
    if length < SHORTEST {
        return Some(format!("Password must be at least {SHORTEST} characters; {ADVISED} or more are better"));
    }
    if length > LONGEST {
        return Some(format!("Password must be {LONGEST} characters or fewer; it has {length}"));
    }
    if password.contains('\0') {
        return Some("Password must not contain the NUL character".to_owned());
    }
    let estimate = estimate(password, context);
    if estimate.guesses_log10() >= COMMON_BELOW && !is_made_of(password, context) {
        return None;
    }
    let why = estimate.feedback().and_then(|f| f.warning()).map(|w| format!(" {w}")).unwrap_or_default();
    Some(format!("This password is easy to guess: it is common, or made of your own or our names.{why}"))
}

/// The strength in a word, for the answer after a password was set.
pub fn strength(password: &str, context: &[&str]) -> &'static str {
    let long = password.chars().count() >= ADVISED;
    match estimate(password, context).guesses_log10() {
        log if log >= 12.0 && long => "very strong",
        log if log >= 10.0 => "strong",
        log if log >= 8.0 => "fair",
        _ => "weak; a longer one would be better",
    }
}

/// The texts themselves and the words in them, with the product's own.
fn words<'a>(context: &[&'a str]) -> Vec<&'a str> {
    let mut words: Vec<&str> = vec!["subtenant", "console", "account", "tenant"];
    for text in context {
        words.push(text);
        words.extend(text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 2));
    }
    words
}

/// Whether next to nothing is left of the password without those words.
fn is_made_of(password: &str, context: &[&str]) -> bool {
    let typed = password.to_lowercase();
    let mut left = typed.clone();
    for word in words(context).into_iter().filter(|word| !word.is_empty()) {
        left = left.replace(&word.to_lowercase(), "");
    }
    left != typed && left.chars().filter(|c| c.is_alphanumeric()).count() < 4
}

fn estimate(password: &str, context: &[&str]) -> zxcvbn::Entropy {
    let words = words(context);
    // What follows the first hundred characters makes no password weaker, and the estimate costs the square of the length.
    let start: String = password.chars().take(100).collect();
    zxcvbn::zxcvbn(&start, &words)
}

/// The hash to store.
pub async fn hash(password: &str) -> Result<String, Problem> {
    let password = password.to_owned();
    aside(move || {
        let hash = Argon2::default().hash_password(password.as_bytes());
        hash.map(|h| h.to_string()).map_err(|e| Problem::Bug(anyhow::anyhow!("hashing failed: {e}")))
    })
    .await?
}

/// Whether the password is the one of the hash. Without a hash it takes as long and is never right.
pub async fn matches(password: &str, hash: Option<String>) -> Result<bool, Problem> {
    let password = password.to_owned();
    aside(move || {
        let known = hash.is_some();
        let text = hash.unwrap_or_else(|| NOBODY.to_owned());
        let right = PasswordHash::new(&text)
            .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
        known && right
    })
    .await
}

async fn aside<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let place = AT_ONCE.acquire().await.map_err(|e| Problem::Bug(e.into()))?;
    let done = tokio::task::spawn_blocking(act).await.map_err(|e| Problem::Bug(e.into()));
    drop(place);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_and_context_words_are_refused_and_composition_is_free() {
        for bad in ["short", "password1", "12345678", "qwertyuiop", "subtenant2026", "Hudson-Hudson"] {
            assert!(refusal(bad, &["Ann Hudson", "ann@hudson.example"]).is_some(), "{bad}");
        }
        for good in ["correct horse battery staple", "tiny wool glacier", "xkq7wpzmr2vt", "%&#*@!$^~{|<=;"] {
            assert_eq!(refusal(good, &["Ann Hudson"]), None, "{good}");
        }
        assert!(refusal(&"x1".repeat(513), &[]).is_some());
    }

    #[actix_web::test]
    async fn a_hash_matches_its_password_only() {
        let stored = hash("tiny wool glacier").await.unwrap();
        assert!(matches("tiny wool glacier", Some(stored.clone())).await.unwrap());
        assert!(!matches("tiny wool Glacier", Some(stored)).await.unwrap());
        assert!(!matches("tiny wool glacier", None).await.unwrap());
    }

    #[test]
    fn the_stand_in_costs_what_a_real_hash_costs() {
        let parsed = PasswordHash::new(NOBODY).unwrap();
        let real = Argon2::default().hash_password(b"x").unwrap();
        assert_eq!(parsed.params.to_string(), real.params.to_string());
    }
}
