//! What somebody typed when the session had ended, or when they had to prove again who they are: kept for the same
//! user over the sign-in, for a day.

use actix_session::SessionExt;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};
use chrono::Duration;
use diesel::prelude::*;
use futures_util::{StreamExt, stream};

use super::errors::{SIGN_IN, asking_page, ended_user};
use super::form::{Form, LONGEST_KEPT, without_secrets};
use super::multipart;
use crate::access::session::entry;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::schema::kept_forms;
use crate::store::{self, Db, Pool};

const KEPT_HOURS: i64 = 24;
const MOST_PER_USER: i64 = 5;

/// Keeps a form; answers the id under which it is found again.
pub fn keep(db: &mut Db, user: Key, path: &str, body: &str) -> Result<String, Problem> {
    let id = ids::token();
    store::write(db, |db| {
        let old = ids::now() - Duration::hours(KEPT_HOURS);
        diesel::delete(kept_forms::table.filter(kept_forms::created_at.lt(old))).execute(db)?;
        let kept: Vec<String> = kept_forms::table
            .filter(kept_forms::user_key.eq(user))
            .order(kept_forms::created_at.desc())
            .limit(MOST_PER_USER - 1)
            .select(kept_forms::id)
            .load(db)?;
        diesel::delete(kept_forms::table.filter(kept_forms::user_key.eq(user)).filter(kept_forms::id.ne_all(kept)))
            .execute(db)?;
        diesel::insert_into(kept_forms::table)
            .values((
                kept_forms::id.eq(&id),
                kept_forms::user_key.eq(user),
                kept_forms::path.eq(path),
                kept_forms::body.eq(body),
                kept_forms::created_at.eq(ids::now()),
            ))
            .execute(db)?;
        Ok(())
    })?;
    Ok(id)
}

/// The form kept under this id, if it is this user's and belongs to this page.
pub fn restore(db: &mut Db, user: Key, path: &str, id: &str) -> Result<Option<Form>, Problem> {
    let body: Option<String> = kept_forms::table
        .find(id)
        .filter(kept_forms::user_key.eq(user))
        .filter(kept_forms::path.eq(path))
        .select(kept_forms::body)
        .first(db)
        .optional()?;
    Ok(body.map(|body| Form::restored(&body)))
}

/// Inside the session middleware: a form that comes after its session ended, or one that wants
/// more proof of who this is, is kept for the person, and they are led to sign in and back to the page that shows it again.
pub async fn over_sign_in<B: MessageBody + 'static>(
    mut req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    // Neither has a session to come back to; and what their address holds is a secret that is not to be kept.
    let for_guests = ["/sign-", "/password/", "/email/", "/invites/"].iter().any(|start| req.path().starts_with(start));
    if req.method().is_safe() || for_guests {
        return Ok(next.call(req).await?.map_into_left_body());
    }
    let sent = peek(&mut req).await;
    if let Some(user) = ended_user(req.request()) {
        let answer = lead(req.request(), user, sent, SIGN_IN).await;
        return Ok(req.into_response(answer).map_into_right_body());
    }
    let res = next.call(req).await?;
    let asking = res.response().error().and_then(|error| asking_page(error.as_error::<Problem>()?));
    let user = res.request().get_session().get::<Key>(entry::USER).ok().flatten();
    let Some((user, page)) = user.zip(asking) else { return Ok(res.map_into_left_body()) };
    let answer = lead(res.request(), user, sent, page).await;
    Ok(ServiceResponse::new(res.into_parts().0, answer).map_into_right_body())
}

/// The body of a form, unless it is too long to be kept; the request has it still.
async fn peek(req: &mut ServiceRequest) -> Option<Bytes> {
    let kind = req.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let boundary = multipart::boundary(kind);
    if boundary.is_none() && !kind.starts_with(FORM) {
        return None;
    }
    let mut rest = req.take_payload();
    let (mut body, mut failed) = (BytesMut::new(), None);
    while let Some(part) = rest.next().await {
        match part {
            Ok(bytes) => body.extend_from_slice(&bytes),
            Err(error) => failed = Some(Err(error)),
        }
        if failed.is_some() || body.len() > LONGEST_KEPT {
            break;
        }
    }
    let body = body.freeze();
    let whole = failed.is_none() && body.len() <= LONGEST_KEPT;
    let again = stream::iter(std::iter::once(Ok(body.clone())).chain(failed)).chain(rest);
    req.set_payload(Payload::Stream { payload: Box::pin(again) });
    match boundary {
        Some(boundary) if whole => multipart::as_form(body, &boundary).ok(),
        _ => whole.then_some(body),
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// Keeps what was sent and leads to the page that asks who this is.
async fn lead(req: &HttpRequest, user: Key, sent: Option<Bytes>, to: &str) -> HttpResponse {
    let path = req.path().to_owned();
    let body = sent.map(|body| String::from_utf8_lossy(&without_secrets(&body)).into_owned());
    let back = match body.zip(req.app_data::<Data<Pool>>().cloned()) {
        Some((body, pool)) => {
            let page = path.clone();
            match pool.write(move |db| keep(db, user, &page, &body)).await {
                Ok(id) => format!("{path}?restore={id}"),
                Err(problem) => {
                    tracing::warn!(%problem, "a form could not be kept over the sign-in");
                    path
                }
            }
        }
        None => path,
    };
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("back", &back).finish();
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, format!("{to}?{query}")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}
