//! Rows of mailed links. A link is good once, for one thing, until its time is over; a newer one of its kind ends it.
//! Only the hash of its token is kept. A row that was asked for and not answered yet has no token.

use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;

use crate::access::Origin;
use crate::ids::{self, Key, sha256_hex};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::schema::mailed_links as links;
use crate::web::form::Receipt;
use crate::web::once::{self, Reply};

/// What a link is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    PasswordReset,
    EmailVerification,
    EmailChange,
}

impl Purpose {
    pub const EVERY: [Purpose; 3] = [Purpose::PasswordReset, Purpose::EmailVerification, Purpose::EmailChange];

    fn code(self) -> &'static str {
        match self {
            Purpose::PasswordReset => "PASSWORD_RESET",
            Purpose::EmailVerification => "EMAIL_VERIFICATION",
            Purpose::EmailChange => "EMAIL_CHANGE",
        }
    }

    pub fn lasts(self) -> Duration {
        match self {
            Purpose::PasswordReset => Duration::hours(1),
            Purpose::EmailVerification => Duration::days(7),
            Purpose::EmailChange => Duration::hours(24),
        }
    }
}

/// A link that can still be used.
#[derive(Debug, Clone)]
pub struct Link {
    key: Key,
    /// Whose it is.
    pub user: Key,
    /// Where it was sent.
    pub email: String,
    /// The browser in which it was asked for; empty where that does not matter.
    pub browser: String,
}

/// Somebody who asked for a new password and has no answer yet.
#[derive(Debug, Clone)]
pub struct Asked {
    pub key: Key,
    pub email: String,
    pub origin: Origin,
    pub expires_at: NaiveDateTime,
}

/// Opens a link and answers its token; earlier ones of its kind are spent.
pub fn open(db: &mut Db, purpose: Purpose, user: Key, email: &str) -> Result<String, Problem> {
    spend_all(db, user, &[purpose])?;
    let (token, now) = (ids::token(), ids::now());
    diesel::insert_into(links::table)
        .values((
            links::key.eq(ids::next_key()),
            links::kind.eq(purpose.code()),
            links::state.eq("OPEN"),
            links::user_key.eq(user),
            links::email.eq(email),
            links::token_hash.eq(sha256_hex(token.as_bytes())),
            links::created_at.eq(now),
            links::expires_at.eq(now + purpose.lasts()),
        ))
        .execute(db)?;
    Ok(token)
}

/// The link with this token. Conflict(LinkIsSpent) when there is none, or it was used, overtaken or ran out.
pub fn find(db: &mut Db, purpose: Purpose, token: &str) -> Result<Link, Problem> {
    if !ids::looks_like_token(token) {
        return Err(Problem::Conflict(Reason::LinkIsSpent));
    }
    let row = links::table
        .filter(links::token_hash.eq(sha256_hex(token.as_bytes())))
        .filter(links::kind.eq(purpose.code()))
        .filter(links::state.eq("OPEN"))
        .filter(links::expires_at.gt(ids::now()))
        .select((links::key, links::user_key, links::email, links::browser_hash))
        .first::<(Key, Option<Key>, String, String)>(db)
        .optional()?;
    match row {
        Some((key, Some(user), email, browser)) => Ok(Link { key, user, email, browser }),
        _ => Err(Problem::Conflict(Reason::LinkIsSpent)),
    }
}

/// Whose link this is or was, whatever became of it.
pub fn owner(db: &mut Db, purpose: Purpose, token: &str) -> Result<Option<Key>, Problem> {
    let row = links::table.filter(links::token_hash.eq(sha256_hex(token.as_bytes())));
    let row = row.filter(links::kind.eq(purpose.code())).select(links::user_key);
    Ok(row.first::<Option<Key>>(db).optional()?.flatten())
}

/// The answer to this form, if its link's owner sent it before.
pub fn again(db: &mut Db, purpose: Purpose, token: &str, receipt: &Receipt) -> Result<Option<Reply>, Problem> {
    match owner(db, purpose, token)? {
        Some(user) => once::again(db, user, receipt),
        None => Ok(None),
    }
}

/// Uses the link up. Conflict(LinkIsSpent) when somebody else was faster.
pub fn spend(db: &mut Db, link: &Link) -> Result<(), Problem> {
    let open = links::table.find(link.key).filter(links::state.eq("OPEN"));
    match diesel::update(open).set(links::state.eq("SPENT")).execute(db)? {
        0 => Err(Problem::Conflict(Reason::LinkIsSpent)),
        _ => Ok(()),
    }
}

/// Ends every open link of these kinds.
pub fn spend_all(db: &mut Db, user: Key, purposes: &[Purpose]) -> Result<(), Problem> {
    let kinds: Vec<&str> = purposes.iter().map(|purpose| purpose.code()).collect();
    let open = links::table.filter(links::user_key.eq(user)).filter(links::state.eq("OPEN"));
    diesel::update(open.filter(links::kind.eq_any(kinds))).set(links::state.eq("SPENT")).execute(db)?;
    Ok(())
}

/// The address that waits to become this person's.
pub fn pending_change(db: &mut Db, user: Key) -> Result<Option<String>, Problem> {
    let open = links::table
        .filter(links::user_key.eq(user))
        .filter(links::state.eq("OPEN"))
        .filter(links::kind.eq(Purpose::EmailChange.code()))
        .filter(links::expires_at.gt(ids::now()));
    Ok(open.select(links::email).first(db).optional()?)
}

/// Writes down that somebody wants a new password. The same one row whoever has the address, if anybody; a second
/// request from one browser within a minute is the first.
pub fn ask(db: &mut Db, email: &str, browser: &str, origin: &Origin) -> Result<(), Problem> {
    let now = ids::now();
    let twin = links::table
        .filter(links::key.gt(ids::first_key_at(now - Duration::minutes(1))))
        .filter(links::browser_hash.eq(browser))
        .filter(links::email.eq(email));
    if diesel::select(diesel::dsl::exists(twin)).get_result(db)? {
        return Ok(());
    }
    diesel::insert_into(links::table)
        .values((
            links::key.eq(ids::next_key()),
            links::kind.eq(Purpose::PasswordReset.code()),
            links::state.eq("ASKED"),
            links::email.eq(email),
            links::browser_hash.eq(browser),
            links::address.eq(&origin.address),
            links::user_agent.eq(&origin.user_agent),
            links::request_id.eq(&origin.request_id),
            links::created_at.eq(now),
            links::expires_at.eq(now + Purpose::PasswordReset.lasts()),
        ))
        .execute(db)?;
    Ok(())
}

/// Requests without an answer that were made after this one, the oldest first.
pub fn asked(db: &mut Db, after: Key, most: i64) -> Result<Vec<Asked>, Problem> {
    let rows = links::table
        .filter(links::state.eq("ASKED"))
        .filter(links::key.gt(after))
        .order(links::key)
        .limit(most)
        .select(((links::key, links::email, links::expires_at), (links::address, links::user_agent, links::request_id)))
        .load::<((Key, String, NaiveDateTime), (String, String, String))>(db)?;
    let asked = |((key, email, expires_at), (address, user_agent, request_id))| Asked {
        key,
        email,
        expires_at,
        origin: Origin { address, user_agent, request_id },
    };
    Ok(rows.into_iter().map(asked).collect())
}

/// Ends a request without a link; false when another process answered it.
pub fn dismiss(db: &mut Db, asked: &Asked) -> Result<bool, Problem> {
    let waiting = links::table.find(asked.key).filter(links::state.eq("ASKED"));
    Ok(diesel::update(waiting).set(links::state.eq("SPENT")).execute(db)? == 1)
}

/// Answers a request that was just dismissed with a link after all; answers its token.
pub fn answer(db: &mut Db, asked: &Asked, user: Key) -> Result<String, Problem> {
    spend_all(db, user, &[Purpose::PasswordReset])?;
    let token = ids::token();
    diesel::update(links::table.find(asked.key))
        .set((
            links::state.eq("OPEN"),
            links::user_key.eq(user),
            links::token_hash.eq(sha256_hex(token.as_bytes())),
            links::expires_at.eq(ids::now() + Purpose::PasswordReset.lasts()),
        ))
        .execute(db)?;
    Ok(token)
}

/// How many links for a new password this person was sent since then.
pub fn answered_since(db: &mut Db, user: Key, since: NaiveDateTime) -> Result<i64, Problem> {
    let sent = links::table
        .filter(links::user_key.eq(user))
        .filter(links::kind.eq(Purpose::PasswordReset.code()))
        .filter(links::created_at.gt(since));
    Ok(sent.count().get_result(db)?)
}

/// Links that ran out a day ago or more are forgotten.
pub fn forget_old(db: &mut Db) -> Result<usize, Problem> {
    let old = links::table.filter(links::expires_at.lt(ids::now() - Duration::days(1)));
    Ok(diesel::delete(old).execute(db)?)
}
