//! The app: middleware in order and every room mounted. The binary and the tests build the same one.

use actix_session::SessionMiddleware;
use actix_session::config::{BrowserSession, CookieContentSecurity, TtlExtensionPolicy};
use actix_web::body::MessageBody;
use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Key as CookieKey, SameSite};
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{self, Data, PayloadConfig};
use actix_web::{App, Error, HttpResponse};

use crate::access::session;
use crate::config::Config;
use crate::factor::vault::Vault;
use crate::payments::Payments;
use crate::problem::Problem;
use crate::store::Pool;
use crate::web::form::LARGEST_BODY;
use crate::web::route::{self, Route, get};
use crate::web::{assets, errors, kept, protect, watch, wrote};
use crate::{
    accounts, audit, billing, collecting, command, connections, consent, dashboard, factor, help, importing, invites,
    ledger, limits, members, metrics, networks, ports, provisioning, readiness, roles, sign_in, suspension, switcher,
};

/// What every worker of one process shares.
#[derive(Clone)]
pub struct Parts {
    pub config: Data<Config>,
    pub pool: Data<Pool>,
    pub vault: Data<Vault>,
    pub payments: Data<Payments>,
    pub cookie_key: CookieKey,
}

/// Every route but the static files, in the order they are tried.
pub fn routes() -> Vec<Route> {
    let mut all = vec![get("/healthz", healthz), get("/readyz", readyz)];
    all.extend(sign_in::routes());
    all.extend(factor::routes());
    all.extend(invites::routes());
    all.extend(accounts::routes());
    all.extend(importing::routes());
    all.extend(suspension::routes());
    all.extend(limits::routes());
    all.extend(members::routes());
    all.extend(consent::routes());
    all.extend(billing::routes());
    all.extend(ledger::routes());
    all.extend(collecting::routes());
    all.extend(roles::routes());
    all.extend(readiness::routes());
    all.extend(provisioning::routes());
    all.extend(metrics::routes());
    all.extend(command::routes());
    all.extend(networks::routes());
    all.extend(connections::routes());
    all.extend(ports::routes());
    all.extend(dashboard::routes());
    all.extend(switcher::routes());
    all.extend(audit::pages::routes());
    all.extend(help::routes());
    all
}

/// The whole console. Middleware runs from the last `wrap` to the first.
pub fn build(
    parts: Parts,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .app_data(parts.config.clone())
        .app_data(parts.pool.clone())
        .app_data(parts.vault.clone())
        .app_data(parts.payments.clone())
        .app_data(PayloadConfig::new(LARGEST_BODY))
        .service(web::resource("/static/{name:.*}").route(web::get().to(assets::show)))
        .service(
            web::scope("")
                .wrap(from_fn(kept::over_sign_in))
                .wrap(sessions(&parts))
                .configure(|app| route::mount(routes(), app)),
        )
        .wrap(from_fn(protect::same_site))
        .wrap(from_fn(audit::refused::note))
        .wrap(from_fn(wrote::note))
        .wrap(from_fn(errors::dress))
        .wrap(Compress::default())
        .wrap(from_fn(watch::answers))
        .wrap(from_fn(protect::frame))
}

fn sessions(parts: &Parts) -> SessionMiddleware<session::Store> {
    let https = parts.config.https;
    let lifetime = BrowserSession::default()
        .state_ttl(CookieDuration::minutes(session::IDLE_MINUTES))
        .state_ttl_extension_policy(TtlExtensionPolicy::OnStateChanges);
    SessionMiddleware::builder(session::Store::new(parts.pool.get_ref().clone()), parts.cookie_key.clone())
        .cookie_name(session::session_cookie(https).to_owned())
        .cookie_content_security(CookieContentSecurity::Signed)
        .cookie_secure(https)
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .cookie_path("/".to_owned())
        .session_lifecycle(lifetime)
        .build()
}

/// GET /healthz: the process runs.
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// GET /readyz: the database answers.
async fn readyz(pool: Data<Pool>) -> Result<HttpResponse, Problem> {
    use diesel::RunQueryDsl;
    pool.read(|db| Ok(diesel::sql_query("SELECT 1").execute(db)?)).await?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"))
}
