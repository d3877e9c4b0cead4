//! Access that was refused is an entry too: somebody who may see an account tried what their roles do not allow. A
//! stranger leaves nothing, as the account does not exist for them. The entry is written after the answer, which stays
//! the refusal whatever becomes of it, and a client that tries again and again does not fill the log.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};
use chrono::Duration;
use diesel::prelude::*;

use super::event::{Event, EventType, Subject};
use super::store::{self, NewEntry};
use crate::access::extract::{Seen, origin};
use crate::access::policy::Needs;
use crate::access::{Frame, Origin};
use crate::ids;
use crate::problem::Problem;
use crate::store::schema::audit_entries;
use crate::store::{self as database, Db, Pool, dialect};

/// The same refusal (person, account, permission) is noted once in this time …
const QUIET_SECONDS: i64 = 60;
/// … and of one person at most this many in all.
const MOST_OF_ONE_PERSON: i64 = 60;

struct Refusal {
    frame: Arc<Frame>,
    origin: Origin,
    permission: String,
    method: String,
    url: String,
}

/// Notes every refusal that leaves a room.
pub async fn note<B: MessageBody + 'static>(req: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let res = next.call(req).await?;
    if let Some((refusal, pool)) = refusal(&res).zip(res.request().app_data::<Data<Pool>>()) {
        pool.write_afterwards("a refused access was not noted", move |db| record(db, &refusal)).await;
    }
    Ok(res)
}

fn refusal<B>(res: &ServiceResponse<B>) -> Option<Refusal> {
    let Problem::Forbidden { permission, .. } = res.response().error()?.as_error::<Problem>()? else { return None };
    let req = res.request();
    Some(Refusal {
        frame: req.extensions().get::<Seen>()?.0.clone(),
        origin: origin(req),
        permission: permission.clone(),
        method: req.method().to_string(),
        url: req.match_pattern().unwrap_or_default(),
    })
}

fn record(db: &mut Db, refusal: &Refusal) -> Result<(), Problem> {
    let (frame, permission) = (&refusal.frame, refusal.permission.as_str());
    // Looked at before the tree's lock is asked for, and again under it, so that a loop keeps nobody waiting.
    if database::read(db, |db| is_enough(db, frame, permission))? {
        return Ok(());
    }
    let account = frame.account();
    let event = Event::new(EventType::AccessRefused, Subject::new("ACCOUNT", &account.id, &account.name))
        .with("permission", permission)
        .with("method", &refusal.method)
        .with("url", &refusal.url)
        .failing();
    let acting = frame.acting(Needs::Sight);
    let entry = NewEntry {
        event: &event,
        actor: Some(frame.actor.key),
        acting: acting.as_ref(),
        account: Some(account.key),
        origin: &refusal.origin,
        source: "CONSOLE",
    };
    database::write(db, |db| {
        dialect::lock_tree(db, account.root_key)?;
        if is_enough(db, frame, permission)? { Ok(()) } else { store::insert(db, &entry) }
    })
}

/// Whether this refusal, or too many others of this person, were noted a moment ago.
fn is_enough(db: &mut Db, frame: &Frame, permission: &str) -> Result<bool, Problem> {
    let since = ids::first_key_at(ids::now() - Duration::seconds(QUIET_SECONDS));
    let noted: Vec<(Option<ids::Key>, String)> = audit_entries::table
        .filter(audit_entries::actor_key.eq(frame.actor.key))
        .filter(audit_entries::key.ge(since))
        .filter(audit_entries::event_type.eq(EventType::AccessRefused.code()))
        .limit(MOST_OF_ONE_PERSON)
        .select((audit_entries::account_key, audit_entries::after))
        .load(db)?;
    let same = |after: &str| {
        let fields: Vec<(String, String)> = serde_json::from_str(after).unwrap_or_default();
        fields.iter().any(|(name, value)| name == "permission" && value == permission)
    };
    let here = Some(frame.account().key);
    Ok(noted.len() as i64 == MOST_OF_ONE_PERSON || noted.iter().any(|(at, after)| *at == here && same(after)))
}
