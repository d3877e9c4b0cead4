//! Sessions in the database, behind actix-session's store interface. Only the hash of the token is kept. A session
//! ends 30 minutes after its last use and 12 hours after signing in; a person has at most ten, the oldest gives way.

use std::collections::HashMap;

use actix_session::SessionExt;
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_web::HttpRequest;
use actix_web::cookie::time::Duration as CookieDuration;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;

use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::dialect::Run;
use crate::store::schema::{sessions, users};
use crate::store::{self, Db, Pool};

pub const IDLE_MINUTES: i64 = 30;
pub const ABSOLUTE_HOURS: i64 = 12;
pub const MOST_PER_USER: i64 = 10;
/// How long a proof of who one is serves for sensitive acts.
pub const FRESH_MINUTES: i64 = 5;
/// How long somebody whose password was right may take for the second factor.
pub const HALF_MINUTES: i64 = 5;
/// A session's last use is noted at most this often.
const TOUCH_SECONDS: i64 = 60;

/// What a session holds, as JSON texts in actix-session's map.
pub mod entry {
    pub const USER: &str = "user";
    pub const ID: &str = "sid";
    pub const CSRF: &str = "csrf";
    pub const ADDRESS: &str = "address";
    pub const USER_AGENT: &str = "user_agent";
    /// [`super::stamp`] of the password that was right, so that no session outlives it between two looks.
    pub const STAMP: &str = "stamp";
    /// When somebody signed in whose session goes on under a new token.
    pub const BEGAN: &str = "began";
    /// Whether the session was opened with a second factor.
    pub const SECOND_FACTOR: &str = "second_factor";
    /// Whose password was right, where the second factor is still to come. Without [`USER`] nothing opens.
    pub const HALF_USER: &str = "half_user";
    /// Set by [`super::Store::load`] alone: whose session this was before it ended.
    pub const ENDED_USER: &str = "ended_user";
    /// Set by [`super::Store::load`] alone: the sessions cannot be read now.
    pub const AWAY: &str = "away";
}

/// The session a request came with.
#[derive(Debug, Clone)]
pub struct SessionHandle {
    /// The public handle, not the token.
    pub id: String,
    pub csrf: String,
    pub signed_in_at: NaiveDateTime,
    pub last_used_at: NaiveDateTime,
    /// When the person last proved who they are.
    pub fresh_at: NaiveDateTime,
    /// Whether it was opened with a second factor.
    pub second_factor: bool,
}

impl SessionHandle {
    /// Whether who this is was proven within the last minutes, as sensitive acts want it.
    pub fn is_fresh(&self) -> bool {
        ids::now() - self.fresh_at < Duration::minutes(FRESH_MINUTES)
    }
}

type State = HashMap<String, String>;

/// The store that the session middleware uses.
pub struct Store {
    pool: Pool,
}

impl Store {
    pub fn new(pool: Pool) -> Store {
        Store { pool }
    }
}

fn hash(token: &str) -> String {
    ids::sha256_hex(token.as_bytes())
}

fn value<T: serde::de::DeserializeOwned>(state: &State, name: &str) -> Option<T> {
    serde_json::from_str(state.get(name)?).ok()
}

impl SessionStore for Store {
    async fn load(&self, token: &SessionKey) -> Result<Option<State>, LoadError> {
        let token_hash = hash(token.as_ref());
        match self.pool.read(move |db| load(db, &token_hash)).await {
            // An error would end the request before anything can make a page of it; whoever asks who this is, is told.
            Err(Problem::Unavailable(cause)) => {
                tracing::warn!(error = format!("{cause:#}"), "a session could not be read");
                Ok(Some(HashMap::from([(entry::AWAY.to_owned(), "true".to_owned())])))
            }
            found => found.map_err(|problem| LoadError::Other(problem.into())),
        }
    }

    async fn save(&self, state: State, _ttl: &CookieDuration) -> Result<SessionKey, SaveError> {
        let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let token_hash = hash(&token);
        let saved = self.pool.write(move |db| store::write(db, |db| insert(db, &token_hash, &state))).await;
        saved.map_err(|problem| SaveError::Other(problem.into()))?;
        SessionKey::try_from(token).map_err(|e| SaveError::Other(e.into()))
    }

    async fn update(&self, token: SessionKey, state: State, _ttl: &CookieDuration) -> Result<SessionKey, UpdateError> {
        let token_hash = hash(token.as_ref());
        let updated = self
            .pool
            .write(move |db| {
                let text = serde_json::to_string(&state)?;
                diesel::update(sessions::table.find(token_hash)).set(sessions::state.eq(text)).execute(db)?;
                Ok(())
            })
            .await;
        updated.map_err(|problem| UpdateError::Other(problem.into()))?;
        Ok(token)
    }

    /// Unused: [`touch`] prolongs a session, and not for requests that a browser makes by itself.
    async fn update_ttl(&self, _token: &SessionKey, _ttl: &CookieDuration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, token: &SessionKey) -> Result<(), anyhow::Error> {
        let token_hash = hash(token.as_ref());
        let gone = self.pool.write(move |db| {
            diesel::delete(sessions::table.find(token_hash)).execute(db)?;
            Ok(())
        });
        gone.await.map_err(anyhow::Error::from)
    }
}

fn load(db: &mut Db, token_hash: &str) -> Result<Option<State>, Problem> {
    let row = sessions::table
        .find(token_hash)
        .select((sessions::state, sessions::user_key, sessions::created_at, sessions::expires_at))
        .first_row::<(String, Option<Key>, NaiveDateTime, NaiveDateTime)>(db)
        .optional()?;
    let Some((state, user, created_at, expires_at)) = row else { return Ok(None) };
    let now = ids::now();
    if now < expires_at && now < created_at + Duration::hours(ABSOLUTE_HOURS) {
        return Ok(Some(serde_json::from_str(&state)?));
    }
    Ok(user.map(|user| HashMap::from([(entry::ENDED_USER.to_owned(), user.to_string())])))
}

fn insert(db: &mut Db, token_hash: &str, state: &State) -> Result<(), Problem> {
    let now = ids::now();
    let user: Option<Key> = value(state, entry::USER);
    let mut lifetime = if state.contains_key(entry::HALF_USER) { HALF_MINUTES } else { IDLE_MINUTES };
    if let Some(user) = user {
        make_room(db, user)?;
        seen(db, user)?;
        // The person's row is held from here on: a password that is set now waits, and then ends this session too.
        let verified: Option<String> = value(state, entry::STAMP);
        if verified.is_some() && verified != Some(current_stamp(db, user)?) {
            lifetime = 0;
        }
    }
    diesel::insert_into(sessions::table)
        .values((
            sessions::token_hash.eq(token_hash),
            sessions::id.eq(value::<String>(state, entry::ID).unwrap_or_else(ids::token)),
            sessions::user_key.eq(user),
            sessions::state.eq(serde_json::to_string(state)?),
            sessions::address.eq(value::<String>(state, entry::ADDRESS).unwrap_or_default()),
            sessions::user_agent.eq(value::<String>(state, entry::USER_AGENT).unwrap_or_default()),
            sessions::created_at.eq(value::<NaiveDateTime>(state, entry::BEGAN).unwrap_or(now)),
            sessions::last_used_at.eq(now),
            sessions::expires_at.eq(now + Duration::minutes(lifetime)),
            sessions::fresh_at.eq(now),
            sessions::second_factor.eq(value(state, entry::SECOND_FACTOR).unwrap_or(false)),
        ))
        .execute(db)?;
    Ok(())
}

/// Tells a password from the one after it, without telling either.
pub fn stamp(password_hash: &str) -> String {
    ids::sha256_hex(password_hash.as_bytes())
}

/// The stamp of the password that somebody has now.
pub fn current_stamp(db: &mut Db, user: Key) -> Result<String, Problem> {
    let hash: String = users::table.find(user).select(users::password_hash).first_row(db)?;
    Ok(stamp(&hash))
}

/// Deletes what ended more than a day ago, and the least recently used sessions beyond the cap.
fn make_room(db: &mut Db, user: Key) -> Result<(), Problem> {
    let long_ago = ids::now() - Duration::days(1);
    diesel::delete(sessions::table.filter(sessions::expires_at.lt(long_ago))).execute(db)?;
    let kept: Vec<String> = sessions::table
        .filter(sessions::user_key.eq(user))
        .filter(sessions::expires_at.gt(ids::now()))
        .order(sessions::last_used_at.desc())
        .limit(MOST_PER_USER - 1)
        .select(sessions::token_hash)
        .rows(db)?;
    diesel::delete(sessions::table.filter(sessions::user_key.eq(user)).filter(sessions::token_hash.ne_all(kept)))
        .execute(db)?;
    Ok(())
}

/// Whether the last use is old enough to be noted anew.
pub fn wants_touch(last_used_at: NaiveDateTime) -> bool {
    ids::now() - last_used_at > Duration::seconds(TOUCH_SECONDS)
}

/// Notes when somebody was here last; sessions that ended are forgotten, this is not.
fn seen(db: &mut Db, user: Key) -> Result<(), Problem> {
    diesel::update(users::table.find(user)).set(users::last_seen_at.eq(ids::now())).execute(db)?;
    Ok(())
}

/// Notes that a session of this person is in use.
pub fn touch(db: &mut Db, session_id: &str, user: Key) -> Result<(), Problem> {
    let now = ids::now();
    seen(db, user)?;
    // One that was ended since the request came in stays ended.
    let live = sessions::table.filter(sessions::id.eq(session_id)).filter(sessions::expires_at.gt(now));
    diesel::update(live)
        .set((sessions::last_used_at.eq(now), sessions::expires_at.eq(now + Duration::minutes(IDLE_MINUTES))))
        .execute(db)?;
    Ok(())
}

/// Whether a session used the second factor; none when it ended.
pub fn used_second_factor(db: &mut Db, session_id: &str) -> Result<Option<bool>, Problem> {
    let live = sessions::table.filter(sessions::id.eq(session_id)).filter(sessions::expires_at.gt(ids::now()));
    Ok(live.select(sessions::second_factor).first_row(db).optional()?)
}

/// The same session under a new token, from now on fresh. Forms that are open in other tabs stay valid. `stamp`: of the
/// password that the person had when they proved themselves.
pub fn go_on(req: &HttpRequest, handle: &SessionHandle, second_factor: bool, stamp: &str) -> Result<(), Problem> {
    let session = req.get_session();
    session.renew();
    let failed = |e: actix_session::SessionInsertError| Problem::Bug(anyhow::anyhow!("{e}"));
    session.insert(entry::SECOND_FACTOR, second_factor).map_err(failed)?;
    session.insert(entry::STAMP, stamp).map_err(failed)?;
    session.insert(entry::BEGAN, handle.signed_in_at).map_err(failed)
}

/// A session that proved a second factor while it was open.
pub fn note_second_factor(db: &mut Db, session_id: &str) -> Result<(), Problem> {
    diesel::update(sessions::table.filter(sessions::id.eq(session_id)))
        .set(sessions::second_factor.eq(true))
        .execute(db)?;
    Ok(())
}

/// Nobody has used a second factor any more who has none.
pub fn forget_second_factor(db: &mut Db, user: Key) -> Result<(), Problem> {
    diesel::update(sessions::table.filter(sessions::user_key.eq(user)))
        .set(sessions::second_factor.eq(false))
        .execute(db)?;
    Ok(())
}

/// Ends all of a person's sessions but this one; how many there were. Rows of sessions that were ended stay for a day,
/// so that what is typed there until then is kept for the person's next sign-in.
pub fn end_others(db: &mut Db, user: Key, current: &str) -> Result<usize, Problem> {
    let now = ids::now();
    let live = sessions::table.filter(sessions::user_key.eq(user)).filter(sessions::expires_at.gt(now));
    Ok(diesel::update(live.filter(sessions::id.ne(current))).set(sessions::expires_at.eq(now)).execute(db)?)
}

/// Ends one of a person's sessions; 0 when there is none.
pub fn end(db: &mut Db, user: Key, session_id: &str) -> Result<usize, Problem> {
    let now = ids::now();
    let live = sessions::table.filter(sessions::user_key.eq(user)).filter(sessions::expires_at.gt(now));
    Ok(diesel::update(live.filter(sessions::id.eq(session_id))).set(sessions::expires_at.eq(now)).execute(db)?)
}

/// What the cookie with the session's token is called.
pub fn session_cookie(https: bool) -> &'static str {
    if https { "__Host-session" } else { "session" }
}
