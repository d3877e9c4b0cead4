//! What somebody typed when the session had ended: kept for the same user over the sign-in, for a day.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};
use chrono::Duration;
use diesel::prelude::*;

use super::errors::ended_user;
use super::form::{Form, Sent};
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

/// Inside the session middleware: a form that comes after its session ended is kept for the person whose session it
/// was, and they are led to sign in and back to the page that shows it again.
pub async fn over_sign_in<B: MessageBody + 'static>(
    mut req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let path = req.path().to_owned();
    let ended = if req.method().is_safe() || path.starts_with("/sign-") { None } else { ended_user(req.request()) };
    let Some((user, pool)) = ended.zip(req.app_data::<Data<Pool>>().cloned()) else {
        return Ok(next.call(req).await?.map_into_left_body());
    };
    let body = req.extract::<Sent>().await.ok().and_then(|sent| sent.kept_text());
    let back = match body {
        Some(body) => {
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
    let answer = HttpResponse::SeeOther().insert_header((header::LOCATION, format!("/sign-in?{query}"))).finish();
    Ok(req.into_response(answer).map_into_right_body())
}
