//! What guards every request and response: where it came from, request ids, headers, and other sites' forms.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};
use url::Url;

use crate::access::{ClientAddress, RequestId};
use crate::config::Config;
use crate::ids;
use crate::problem::Problem;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'";

/// The policy of the one page that shows the payment provider's fields: its script, its frames and its interface, and
/// nothing else that the others do not allow.
pub fn policy_with(script: &Url, api: &Url) -> HeaderValue {
    let (host, api) = (script.origin().ascii_serialization(), api.origin().ascii_serialization());
    // Those that Stripe names for its elements and for 3-D Secure.
    let frames = if host == "https://js.stripe.com" { " https://*.js.stripe.com https://hooks.stripe.com" } else { "" };
    let policy = POLICY
        .replace("script-src 'self'", &format!("script-src 'self' {host}"))
        .replace("connect-src 'self'", &format!("connect-src 'self' {api} {host}; frame-src {host}{frames}"));
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(POLICY))
}

const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), \
    publickey-credentials-create=(self), publickey-credentials-get=(self)";

/// Outermost: names the request, finds the client's address, sets the headers that every response carries.
pub async fn frame(
    req: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let config = req.app_data::<Data<Config>>().cloned();
    let id = id_of_proxy(&req, config.as_ref()).unwrap_or_else(ids::token);
    let address = client_address(&req, config.as_ref().map(|c| c.get_ref()));
    req.extensions_mut().insert(RequestId(id.clone()));
    req.extensions_mut().insert(ClientAddress(address));
    let answered = next.call(req).await;
    let mut res = answered.map_err(|error| {
        tracing::error!(request_id = %id, %error, "a middleware failed");
        Error::from(Problem::Unavailable(anyhow::anyhow!("a middleware failed: {error}")))
    })?;
    set_headers(res.headers_mut(), &id, config.is_some_and(|c| c.https));
    Ok(res)
}

/// The name that a trusted proxy gave the request, so that its log and ours go together; nobody else's.
fn id_of_proxy(req: &ServiceRequest, config: Option<&Data<Config>>) -> Option<String> {
    let (peer, config) = (req.peer_addr()?.ip(), config?);
    let given = req.headers().get("x-request-id")?.to_str().ok()?;
    let trusted = config.trusted_proxies.iter().any(|net| net.contains(&peer));
    (trusted && is_request_id(given)).then(|| given.to_owned())
}

fn is_request_id(text: &str) -> bool {
    (8..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn set_headers(headers: &mut HeaderMap, request_id: &str, https: bool) {
    let mut always = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    always(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    always(header::X_FRAME_OPTIONS, "DENY");
    always(header::REFERRER_POLICY, "same-origin");
    always(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    always(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    always(HeaderName::from_static("permissions-policy"), PERMISSIONS);
    if https {
        always(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// The peer, or, behind proxies that the configuration trusts, the last address in X-Forwarded-For that is not one of
/// them. What a stranger writes into the header counts for nothing.
fn client_address(req: &ServiceRequest, config: Option<&Config>) -> IpAddr {
    let peer = req.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |a| a.ip());
    let Some(config) = config else { return peer };
    let forwarded: Vec<&str> = req
        .headers()
        .get_all(HeaderName::from_static("x-forwarded-for"))
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .collect();
    believed(peer, &forwarded, |ip| config.trusted_proxies.iter().any(|net| net.contains(ip)))
}

fn believed(peer: IpAddr, forwarded: &[&str], trusted: impl Fn(&IpAddr) -> bool) -> IpAddr {
    let mut address = peer;
    for hop in forwarded.iter().rev() {
        if !trusted(&address) {
            break;
        }
        match hop.trim().parse() {
            Ok(ip) => address = ip,
            Err(_) => break,
        }
    }
    address
}

/// Where the payment provider sends its notices.
pub const WEBHOOK: &str = "/webhooks/stripe";
/// Where the operator's provisioning system says what it did.
pub const CALLBACKS: &str = "/provisioning/callbacks";
/// The addresses that take what others send: it proves itself by a signature, and no session is looked at.
const SIGNED: [&str; 2] = [WEBHOOK, CALLBACKS];

/// Refuses forms that another site makes the browser send, before anything looks at them. Pages of ours also carry a
/// token ([`super::form`]).
pub async fn same_site<B: MessageBody>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let is_signed = SIGNED.contains(&req.path());
    if !req.method().is_safe() && !is_signed && !from_own_page(req.headers(), req.app_data::<Data<Config>>()) {
        return Ok(req.error_response(Problem::CrossSite).map_into_right_body());
    }
    Ok(next.call(req).await?.map_into_left_body())
}

fn from_own_page(headers: &HeaderMap, config: Option<&Data<Config>>) -> bool {
    let text = |name: &HeaderName| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    if let Some(site) = text(&HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin" || site == "none";
    }
    match text(&header::ORIGIN) {
        // No browser of the last ten years; the token in the form still has to be right.
        None => true,
        Some(origin) => {
            let host = text(&header::HOST).unwrap_or("");
            config.is_some_and(|c| origin == c.origin())
                || origin.split_once("://").is_some_and(|(_, rest)| rest == host)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_for_a_request_is_one_plain_word() {
        for good in ["0f8fad5b-d9cb-469f-a165-70867728950e", "node-7_00000001", &ids::token()] {
            assert!(is_request_id(good), "{good}");
        }
        for bad in ["", "short", "with blank", "line\nbreak", "<b>12345678", &"x".repeat(65)] {
            assert!(!is_request_id(bad), "{bad}");
        }
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxy = |address: &IpAddr| *address == ip("10.0.0.1") || *address == ip("10.0.0.2");
        assert_eq!(believed(ip("10.0.0.1"), &["6.6.6.6", "1.2.3.4", "10.0.0.2"], proxy), ip("1.2.3.4"));
        assert_eq!(believed(ip("9.9.9.9"), &["1.2.3.4"], proxy), ip("9.9.9.9"));
        assert_eq!(believed(ip("10.0.0.1"), &["nonsense"], proxy), ip("10.0.0.1"));
    }
}
