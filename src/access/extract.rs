//! The extractors: [`Me`] (who is signed in) and [`In<A>`] (who, in which account, may they). `In<A>` is the only
//! reader of the account id, and it reads it from the path alone.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use actix_session::SessionExt;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use futures_util::future::LocalBoxFuture;

use super::lookup::{self, ACTOR_COLUMNS, actor_of};
use super::policy::{Action, Needs};
use super::session::{self, entry};
use super::{Actor, ClientAddress, Frame, Grant, Origin, RequestId, SessionHandle, Visitor};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::dialect::Run;
use crate::store::schema::{recents, sessions, users};
use crate::store::{Db, Pool};

/// Who is signed in.
#[derive(Debug, Clone)]
pub struct Me {
    pub actor: Actor,
    pub session: SessionHandle,
    pub origin: Origin,
}

/// The same, having proven it within the last minutes.
#[derive(Debug, Clone)]
pub struct FreshMe(Me);

impl Deref for FreshMe {
    type Target = Me;
    fn deref(&self) -> &Me {
        &self.0
    }
}

/// The proof that the signed-in person may do `A` in the account of the address, and the session it came with.
#[derive(Debug)]
pub struct In<A> {
    grant: Grant<A>,
    pub session: SessionHandle,
}

impl<A> Clone for In<A> {
    fn clone(&self) -> In<A> {
        In { grant: self.grant.clone(), session: self.session.clone() }
    }
}

impl<A> Deref for In<A> {
    type Target = Grant<A>;
    fn deref(&self) -> &Grant<A> {
        &self.grant
    }
}

/// What the error pages can still show when a request is refused after the account was seen.
#[derive(Debug, Clone)]
pub struct Seen(pub Arc<Frame>, pub SessionHandle);

/// Where the request came from; the address is the one the outermost middleware believed.
pub fn origin(req: &HttpRequest) -> Origin {
    let extensions = req.extensions();
    let user_agent = req.headers().get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or("");
    Origin {
        address: extensions.get::<ClientAddress>().map(|a| a.0.to_string()).unwrap_or_default(),
        user_agent: user_agent.chars().filter(|c| !c.is_control()).take(256).collect(),
        request_id: extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
    }
}

/// A page that the browser fetched on a guess leaves no trace.
fn is_prefetch(req: &HttpRequest) -> bool {
    ["sec-purpose", "purpose"]
        .iter()
        .any(|name| req.headers().get(*name).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("prefetch")))
}

struct Signed {
    user: Key,
    session_id: String,
    csrf: String,
}

fn signed(req: &HttpRequest) -> Result<Signed, Problem> {
    let session = req.get_session();
    let read = |name: &str| session.get::<String>(name).ok().flatten();
    if session.get::<bool>(entry::AWAY).ok().flatten() == Some(true) {
        return Err(Problem::Unavailable(anyhow::anyhow!("the sessions cannot be read")));
    }
    match (session.get::<Key>(entry::USER).ok().flatten(), read(entry::ID), read(entry::CSRF)) {
        (Some(user), Some(session_id), Some(csrf)) => Ok(Signed { user, session_id, csrf }),
        _ => Err(Problem::SignIn),
    }
}

/// Somebody whose password was right and whose second factor is still to come: enough for that one page, for nothing
/// else.
#[derive(Debug, Clone)]
pub struct Half {
    pub user: Key,
    pub csrf: String,
    /// Of the password that was right.
    pub stamp: String,
}

/// The half session that the request came with, if any.
pub fn half(req: &HttpRequest) -> Option<Half> {
    let session = req.get_session();
    let user = session.get::<Key>(entry::HALF_USER).ok().flatten()?;
    let read = |name: &str| session.get::<String>(name).ok().flatten();
    Some(Half { user, csrf: read(entry::CSRF)?, stamp: read(entry::STAMP).unwrap_or_default() })
}

fn pool(req: &HttpRequest) -> Result<Pool, Problem> {
    let pool = req.app_data::<Data<Pool>>().ok_or_else(|| Problem::bug("the app has no pool"))?;
    Ok(pool.get_ref().clone())
}

type Person = (Key, String, String, String, String, String, Option<Key>);
type SessionRow = (NaiveDateTime, NaiveDateTime, NaiveDateTime, bool);

const SESSION_COLUMNS: (sessions::created_at, sessions::last_used_at, sessions::fresh_at, sessions::second_factor) =
    (sessions::created_at, sessions::last_used_at, sessions::fresh_at, sessions::second_factor);

fn person(db: &mut Db, signed: &Signed) -> Result<(Actor, SessionHandle), Problem> {
    let row = users::table
        .inner_join(sessions::table.on(sessions::user_key.eq(users::key.nullable())))
        .filter(users::key.eq(signed.user))
        .filter(sessions::id.eq(&signed.session_id))
        .filter(sessions::expires_at.gt(crate::ids::now()))
        .select((ACTOR_COLUMNS, SESSION_COLUMNS))
        .first_row::<(Person, SessionRow)>(db)
        .optional()?;
    // The session was ended between the middleware's look and this one.
    let Some((actor, (signed_in_at, last_used_at, fresh_at, second_factor))) = row else { return Err(Problem::SignIn) };
    let (id, csrf) = (signed.session_id.clone(), signed.csrf.clone());
    let session = SessionHandle { id, csrf, signed_in_at, last_used_at, fresh_at, second_factor };
    Ok((actor_of(actor), session))
}

/// Notes the use of the session and, for a person who came to another account, the account. Pages go on without it
/// when the database cannot write.
async fn leave_trace(req: &HttpRequest, pool: &Pool, actor: &Actor, session: &SessionHandle, account: Option<Key>) {
    if is_prefetch(req) {
        return;
    }
    let touch = session::wants_touch(session.last_used_at).then(|| session.id.clone());
    let visit = account.filter(|account| actor.last_account != Some(*account));
    if touch.is_none() && visit.is_none() {
        return;
    }
    let user = actor.key;
    let noted = pool.write(move |db| {
        crate::store::write(db, |db| {
            if let Some(id) = &touch {
                session::touch(db, id, user)?;
            }
            if let Some(account) = visit {
                remember(db, user, account)?;
            }
            Ok(())
        })
    });
    if let Err(problem) = noted.await {
        tracing::warn!(%problem, "the visit was not noted");
    }
}

/// How many recent accounts are kept for each person.
pub const RECENTS_KEPT: i64 = 10;

fn remember(db: &mut Db, user: Key, account: Key) -> Result<(), Problem> {
    diesel::update(users::table.find(user)).set(users::last_account_key.eq(account)).execute(db)?;
    diesel::delete(recents::table.find((user, account))).execute(db)?;
    diesel::insert_into(recents::table)
        .values((
            recents::user_key.eq(user),
            recents::account_key.eq(account),
            recents::visited_at.eq(crate::ids::now()),
        ))
        .execute(db)?;
    let kept: Vec<Key> = recents::table
        .filter(recents::user_key.eq(user))
        .order(recents::visited_at.desc())
        .limit(RECENTS_KEPT)
        .select(recents::account_key)
        .rows(db)?;
    diesel::delete(recents::table.filter(recents::user_key.eq(user)).filter(recents::account_key.ne_all(kept)))
        .execute(db)?;
    Ok(())
}

impl FromRequest for Me {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Me, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let signed = signed(&req)?;
            let pool = pool(&req)?;
            let (actor, session) = pool.read(move |db| person(db, &signed)).await?;
            req.extensions_mut().insert(Visitor(actor.id.clone()));
            leave_trace(&req, &pool, &actor, &session, None).await;
            Ok(Me { actor, session, origin: origin(&req) })
        })
    }
}

impl FromRequest for FreshMe {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<FreshMe, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let me = Me::from_request(req, payload);
        Box::pin(async move {
            let me = me.await?;
            if me.session.is_fresh() { Ok(FreshMe(me)) } else { Err(Problem::Unproven) }
        })
    }
}

impl<A: Action> FromRequest for In<A> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<In<A>, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let signed = signed(&req)?;
            let account_id = req.match_info().get("account").unwrap_or_default().to_owned();
            let pool = pool(&req)?;
            let (frame, session) = pool
                .read(move |db| {
                    let (actor, session) = person(db, &signed)?;
                    Ok((lookup::frame_for(db, actor, &account_id)?, session))
                })
                .await?;
            req.extensions_mut().insert(Visitor(frame.actor.id.clone()));
            enter(&req, &pool, Arc::new(frame), session, PhantomData).await
        })
    }
}

async fn enter<A: Action>(
    req: &HttpRequest,
    pool: &Pool,
    frame: Arc<Frame>,
    session: SessionHandle,
    _: PhantomData<A>,
) -> Result<In<A>, Problem> {
    let checked = Grant::<A>::check(frame.clone(), origin(req));
    if !matches!(checked, Err(Problem::NotFound)) {
        if !session.second_factor && frame.asks_second_factor().is_some() {
            return Err(Problem::SecondFactor);
        }
        req.extensions_mut().insert(Seen(frame.clone(), session.clone()));
    }
    let grant = match checked {
        Err(Problem::Forbidden { permission, .. }) => {
            let Needs::One(power) = A::NEEDS else { return Err(Problem::NotFound) };
            let helpers = pool.read(move |db| lookup::givers(db, &frame, power)).await.unwrap_or_default();
            return Err(Problem::Forbidden { permission, helpers });
        }
        other => other?,
    };
    if A::FRESH && !session.is_fresh() {
        return Err(Problem::Unproven);
    }
    leave_trace(req, pool, grant.actor(), &session, Some(grant.account().key)).await;
    let grant = Grant { one_factor: !session.second_factor, ..grant };
    Ok(In { grant, session })
}
