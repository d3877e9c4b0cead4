//! Passkeys (WebAuthn): what the browser is asked, and whether its answer is right. The state between question and
//! answer travels sealed in the form; each question is answered once. A passkey wants the person itself (finger, face
//! or PIN), so one alone is two factors. Works for hosts with a name over https, and for localhost.

use serde_json::Value;
use webauthn_rs::prelude::{
    AuthenticationResult, DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyAuthentication,
    PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Uuid, Webauthn, WebauthnBuilder,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::store::{self, PasskeyRow};
use super::vault::Vault;
use crate::access::Actor;
use crate::config::Config;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;

/// How long a question may be answered.
const MINUTES: i64 = 5;
const SIGN_IN: &str = "signing in with a passkey";

/// What the page asks the browser, and what comes back with the answer.
#[derive(Debug, Clone)]
pub struct Question {
    /// JSON for `navigator.credentials`.
    pub options: String,
    pub ticket: String,
}

/// None where browsers know no passkeys: the host is an address, or the way to it is not encrypted.
pub fn relying_party(config: &Config) -> Option<Webauthn> {
    let url = &config.public_url;
    let host = url.domain().filter(|host| config.https || *host == "localhost")?;
    WebauthnBuilder::new(host, url).ok()?.rp_name("Subtenant").build().ok()
}

/// `user-…` holds the 16 bytes by which authenticators know somebody.
fn handle(user_id: &str) -> Result<Uuid, Problem> {
    let bytes = user_id.strip_prefix("user-").and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok()).ok_or_else(|| Problem::bug("a user's id has no 16 bytes"))
}

fn user_id(handle: Uuid) -> String {
    format!("user-{}", URL_SAFE_NO_PAD.encode(handle.as_bytes()))
}

fn adding(user: Key) -> String {
    format!("adding a passkey to {user}")
}

fn asking(user: Key) -> String {
    format!("asking for a passkey of {user}")
}

fn question(vault: &Vault, purpose: &str, options: Value, state: &impl serde::Serialize) -> Result<Question, Problem> {
    let options = options.get("publicKey").cloned().unwrap_or_default();
    Ok(Question { options: options.to_string(), ticket: vault.ticket(purpose, state)? })
}

fn odd(error: webauthn_rs::prelude::WebauthnError) -> Problem {
    Problem::Bug(anyhow::anyhow!("a passkey cannot be asked for: {error}"))
}

/// Asks for a new passkey, on something that has none of these yet.
pub fn ask_new(party: &Webauthn, vault: &Vault, actor: &Actor, known: &[PasskeyRow]) -> Result<Question, Problem> {
    let known = known.iter().filter_map(parsed).map(|key| key.cred_id().clone()).collect();
    let (options, state) =
        party.start_passkey_registration(handle(&actor.id)?, &actor.email, &actor.name(), Some(known)).map_err(odd)?;
    let mut options = serde_json::to_value(options)?;
    // So that it can be found without an e-mail address, where the device can do that.
    options["publicKey"]["authenticatorSelection"]["residentKey"] = "preferred".into();
    question(vault, &adding(actor.key), options, &state)
}

/// The new passkey: its id and what is stored of it.
pub fn check_new(party: &Webauthn, vault: &Vault, user: Key, ticket: &str, answer: &str) -> Option<(String, String)> {
    let state: PasskeyRegistration = vault.redeem(&adding(user), ticket, MINUTES)?;
    let answer: RegisterPublicKeyCredential = serde_json::from_str(answer).ok()?;
    let key = party.finish_passkey_registration(&answer, &state).inspect_err(refused).ok()?;
    Some((URL_SAFE_NO_PAD.encode(key.cred_id()), serde_json::to_string(&key).ok()?))
}

fn refused(error: &webauthn_rs::prelude::WebauthnError) {
    tracing::warn!(%error, "a passkey was not accepted");
}

fn parsed(row: &PasskeyRow) -> Option<Passkey> {
    serde_json::from_str(&row.credential).ok()
}

/// Asks for one of somebody's passkeys; none when there are none.
pub fn ask(party: &Webauthn, vault: &Vault, user: Key, rows: &[PasskeyRow]) -> Result<Option<Question>, Problem> {
    let keys: Vec<Passkey> = rows.iter().filter_map(parsed).collect();
    if keys.is_empty() {
        return Ok(None);
    }
    let (options, state) = party.start_passkey_authentication(&keys).map_err(odd)?;
    question(vault, &asking(user), serde_json::to_value(options)?, &state).map(Some)
}

/// Whether the answer is right and the first one to this question; notes the use.
pub fn check(
    db: &mut Db,
    party: &Webauthn,
    vault: &Vault,
    user: Key,
    ticket: &str,
    answer: &str,
) -> Result<bool, Problem> {
    let Some(state) = vault.redeem::<PasskeyAuthentication>(&asking(user), ticket, MINUTES) else { return Ok(false) };
    let Ok(answer) = serde_json::from_str::<PublicKeyCredential>(answer) else { return Ok(false) };
    let found = party.finish_passkey_authentication(&answer, &state).inspect_err(refused);
    let Ok(found) = found else { return Ok(false) };
    let rows = store::passkeys(db, user)?;
    used(db, &rows, &found, ticket)
}

/// Asks for any passkey for this console.
pub fn ask_anybody(party: &Webauthn, vault: &Vault) -> Result<Question, Problem> {
    let (options, state) = party.start_discoverable_authentication().map_err(odd)?;
    question(vault, SIGN_IN, serde_json::to_value(options)?, &state)
}

/// Whose passkey answered, if it is right and the first answer to this question.
pub fn check_anybody(
    db: &mut Db,
    party: &Webauthn,
    vault: &Vault,
    ticket: &str,
    answer: &str,
) -> Result<Option<Key>, Problem> {
    let Some(state) = vault.redeem::<DiscoverableAuthentication>(SIGN_IN, ticket, MINUTES) else { return Ok(None) };
    let Ok(answer) = serde_json::from_str::<PublicKeyCredential>(answer) else { return Ok(None) };
    let Ok((handle, id)) = party.identify_discoverable_authentication(&answer) else { return Ok(None) };
    let Some((user, _)) = store::user_by_id(db, &user_id(handle))? else { return Ok(None) };
    let rows = store::passkeys(db, user)?;
    let Some(key) = rows.iter().filter_map(parsed).find(|key| key.cred_id().as_slice() == id) else { return Ok(None) };
    let found = party.finish_discoverable_authentication_v2(&answer, state, DiscoverableKey::from(&key));
    let Ok(found) = found.inspect_err(refused) else { return Ok(None) };
    Ok(used(db, &rows, &found, ticket)?.then_some(user))
}

/// Notes that the question was answered and by which key.
fn used(db: &mut Db, rows: &[PasskeyRow], found: &AuthenticationResult, ticket: &str) -> Result<bool, Problem> {
    let which = rows.iter().filter_map(|row| Some((row.key, parsed(row)?)));
    let Some((row, mut key)) = which.into_iter().find(|(_, key)| key.cred_id() == found.cred_id()) else {
        return Ok(false);
    };
    if !store::spend(db, &ids::sha256_hex(ticket.as_bytes()))? {
        return Ok(false);
    }
    key.update_credential(found);
    store::note_use(db, row, &serde_json::to_string(&key)?)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authenticator_knows_somebody_by_their_id() {
        let id = ids::new_id("user");
        assert_eq!(user_id(handle(&id).unwrap()), id);
        assert!(handle("user-short").is_err());
    }
}
