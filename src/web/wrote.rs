//! Whoever wrote something sees it on the next page, also where pages are read at a replica that is a moment behind:
//! every answer to a form says in a cookie where the log of the database stood after it. Only where there is a replica.
//! The cookie is no secret and decides about nothing else; without it, or with another one, pages are a second old.

use actix_web::Error;
use actix_web::HttpRequest;
use actix_web::body::MessageBody;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::config::Config;
use crate::store::{LogPosition, Pool};

/// Longer than what a replica shows may be old; after that the cookie says nothing new.
const REMEMBERED: Duration = Duration::seconds(30);

fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-wrote" } else { "wrote" }
}

fn is_https(req: &HttpRequest) -> bool {
    req.app_data::<Data<Config>>().is_some_and(|config| config.https)
}

/// Up to where this browser must see.
pub fn position(req: &HttpRequest) -> Option<LogPosition> {
    req.cookie(cookie_name(is_https(req)))?.value().parse().ok()
}

/// Notes where the log stands after whatever may have written.
pub async fn note<B: MessageBody>(req: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let pool = req.app_data::<Data<Pool>>().filter(|pool| !req.method().is_safe() && pool.has_replica()).cloned();
    let mut res = next.call(req).await?;
    if let Some(pool) = pool {
        // Where nobody can say it, the database itself is read.
        let position = pool.log_position().await.unwrap_or(LogPosition::MAX);
        let https = is_https(res.request());
        let cookie = Cookie::build(cookie_name(https), position.to_string())
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(https)
            .max_age(REMEMBERED)
            .finish();
        res.response_mut().add_cookie(&cookie)?;
    }
    Ok(res)
}
