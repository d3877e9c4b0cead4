//! One line in the log and one observation for each answer. The address is named by its template: ids of accounts and
//! people stand in fields of their own, and what else a path or a query holds (links that were mailed, searches) nowhere.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};

use crate::access::extract::Seen;
use crate::access::{RequestId, Visitor};
use crate::meters::meters;

const UNKNOWN: &str = "unknown";

/// Just inside the outermost middleware, which names the request.
pub async fn answers<B: MessageBody>(req: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let started = Instant::now();
    let method = word(req.method());
    let res = next.call(req).await?;
    let (req, status, took) = (res.request(), res.status().as_u16(), started.elapsed());
    // Static files have hashes for names and one template.
    let route = req.match_pattern().unwrap_or_else(|| UNKNOWN.to_owned());
    meters().answered(&route, method, status, took);
    if tracing::enabled!(tracing::Level::INFO) {
        let Named { request_id, user, account } = named(req);
        let duration_ms = u64::try_from(took.as_micros()).unwrap_or(u64::MAX) as f64 / 1000.0;
        tracing::info!(request_id, method, route, status, duration_ms, user, account, "answered");
    }
    Ok(res)
}

struct Named {
    request_id: String,
    user: Option<String>,
    account: Option<String>,
}

fn named(req: &HttpRequest) -> Named {
    let extensions = req.extensions();
    Named {
        request_id: extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
        user: extensions.get::<Visitor>().map(|visitor| visitor.0.clone()),
        account: extensions.get::<Seen>().map(|seen| seen.0.account().id.clone()),
    }
}

/// Anybody may send any word as a method.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
