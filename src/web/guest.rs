//! Forms for people who are not signed in: their token belongs to a cookie of its own, as there is no session yet.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use std::future::{Ready, ready};

use super::form::{Form, Sent};
use super::shell::Shell;
use super::site::Site;
use crate::ids;
use crate::problem::Problem;

/// Somebody whose session, if any, does not matter.
#[derive(Debug, Clone)]
pub struct Guest {
    secret: String,
    is_new: bool,
}

fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-guest" } else { "guest" }
}

impl FromRequest for Guest {
    type Error = Problem;
    type Future = Ready<Result<Guest, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let https = req.app_data::<actix_web::web::Data<crate::config::Config>>().is_some_and(|c| c.https);
        let known = req.cookie(cookie_name(https)).map(|c| c.value().to_owned()).filter(|v| ids::looks_like_token(v));
        ready(Ok(match known {
            Some(secret) => Guest { secret, is_new: false },
            None => Guest { secret: ids::token(), is_new: true },
        }))
    }
}

impl Guest {
    pub fn shell(&self, site: &Site, heading: &str) -> Shell {
        Shell::bare(&site.req, &site.config, heading, &self.secret)
    }

    pub fn open(&self, sent: Sent, fields: &[&str]) -> Result<Form, Problem> {
        sent.open(&self.secret, None, fields)
    }

    /// What names this browser in a table, as long as its cookie lasts; the cookie cannot be made of it.
    pub fn browser_hash(&self) -> String {
        ids::sha256_hex(format!("browser {}", self.secret).as_bytes())
    }

    /// The page, with the cookie that its form needs.
    pub fn remember(&self, site: &Site, mut page: HttpResponse) -> Result<HttpResponse, Problem> {
        if self.is_new {
            let cookie = Cookie::build(cookie_name(site.config.https), self.secret.as_str())
                .path("/")
                .http_only(true)
                .same_site(SameSite::Lax)
                .secure(site.config.https)
                .finish();
            page.add_cookie(&cookie).map_err(|e| Problem::Bug(e.into()))?;
        }
        Ok(page)
    }
}
