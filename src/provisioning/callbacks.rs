//! What the operator's system says by itself: how an intent ended, and that a connection's link went down or came up.
//! Anybody may send something here; what is not signed is not looked at. The same said twice, late or out of order does
//! no harm: an intent ends once, and of a link only what is newer than what is known counts.

use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Duration, NaiveDateTime};
use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::fabric::Reply;
use super::store::{self, Kind};
use super::{intents, outcome, signing};
use crate::ids::{self, Key};
use crate::live;
use crate::problem::Problem;
use crate::store::schema::connections;
use crate::store::{self as database, Db};
use crate::web::Site;

#[derive(Deserialize)]
struct Said {
    /// How this intent ended …
    intent: Option<String>,
    #[serde(flatten)]
    reply: Reply,
    /// … or what happened to the link of this connection.
    connection: Option<String>,
    event: Option<String>,
    at: Option<String>,
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// POST /provisioning/callbacks. 200 with whether it changed anything; 400 when it is not signed or not understood, 404
/// for an intent or connection that there never was, and where no system is set up.
pub async fn take(req: HttpRequest, site: Site, body: Bytes) -> Result<HttpResponse, Problem> {
    let system = site.config.provisioning.system.as_ref().ok_or(Problem::NotFound)?;
    let [id, moment, signatures] =
        ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| header(req.headers(), name));
    let now = ids::now().and_utc().timestamp();
    if !signing::is_right(&system.keys, id, moment, signatures, &body, now) {
        return Err(Problem::Malformed("The signature is not the provisioning system’s, or it is too old."));
    }
    let not_understood = Problem::Malformed("It is neither the end of an intent nor an event of a connection.");
    let Ok(said) = serde_json::from_slice::<Said>(&body) else { return Err(not_understood) };
    let applied = match said {
        Said { intent: Some(intent), reply, .. } => {
            let Some(outcome) = reply.outcome() else { return Err(not_understood) };
            site.pool
                .write(move |db| {
                    let key = intents::key_of(db, &intent)?;
                    outcome::apply(db, key, &outcome)
                })
                .await?
        }
        Said { connection: Some(connection), event: Some(event), at: Some(at), .. } => {
            let is_down = match event.as_str() {
                "DOWN" => true,
                "UP" => false,
                _ => return Err(not_understood),
            };
            let Some(at) = time(&at) else { return Err(not_understood) };
            site.pool.write(move |db| link(db, &connection, is_down, at)).await?
        }
        _ => return Err(not_understood),
    };
    Ok(HttpResponse::Ok().json(json!({"applied": applied})))
}

/// RFC 3339, and not in the future, after which nothing would count any more.
fn time(text: &str) -> Option<NaiveDateTime> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.naive_utc();
    let earliest = chrono::NaiveDate::from_ymd_opt(2020, 1, 1)?.and_hms_opt(0, 0, 0)?;
    (earliest <= at && at <= ids::now() + Duration::seconds(signing::TOLERANCE)).then_some(at)
}

/// Notes what is known of the link; the step that it means is the background work's next.
fn link(db: &mut Db, id: &str, is_down: bool, at: NaiveDateTime) -> Result<bool, Problem> {
    let key: Key = connections::table.filter(connections::id.eq(id)).select(connections::key).first(db)?;
    let changed = database::write(db, |db| {
        let account = store::account_of(db, Kind::Connection, key)?;
        store::lock(db, account)?;
        let older = connections::link_at.is_null().or(connections::link_at.lt(at));
        let living = connections::table.find(key).filter(connections::state.ne("DELETED")).filter(older);
        let said = (connections::link_down.eq(is_down), connections::link_at.eq(Some(at)));
        if diesel::update(living).set(said).execute(db)? == 0 {
            return Ok(false);
        }
        let settled = connections::table.find(key).filter(connections::state.eq_any(["ACTIVE", "DOWN"]));
        diesel::update(settled).set(connections::look_at.eq(ids::now())).execute(db)?;
        Ok(true)
    })?;
    if changed {
        live::ring();
    }
    Ok(changed)
}
