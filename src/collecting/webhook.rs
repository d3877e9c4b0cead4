//! What the payment provider tells by itself. Anybody may send something here; what is not signed is not looked at.

use actix_web::http::header::HeaderMap;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};

use super::notices;
use crate::billing::provider::Fault;
use crate::ids;
use crate::payments::{Payments, webhook};
use crate::problem::Problem;
use crate::web::Site;

fn signature(headers: &HeaderMap) -> &str {
    headers.get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// POST /webhooks/stripe. 200 once it is applied, also when it was before; 400 when it is not the provider's; 503 when
/// it could not be applied now: the provider sends it again.
pub async fn take(
    req: HttpRequest,
    site: Site,
    payments: Data<Payments>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    let Payments::Stripe(_, config) = payments.get_ref() else { return Err(Problem::NotFound) };
    let secret = config.webhook_secret.as_ref().ok_or(Problem::NotFound)?;
    let now = ids::now().and_utc().timestamp();
    let Some(notice) = webhook::read(&secret.0, signature(req.headers()), &body, now) else {
        return Err(Problem::Malformed("The signature is not the payment provider’s, or it is too old."));
    };
    match notices::apply(&site.pool, &payments, site.config.payments.grace_days, notice).await {
        Ok(_) => Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")),
        Err(Fault::Here(problem)) => Err(problem),
        Err(Fault::Provider(trouble)) => Err(Problem::Unavailable(anyhow::anyhow!("the payment provider: {trouble}"))),
    }
}
