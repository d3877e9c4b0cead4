//! What a handler needs of the process, and how it answers: a page, or a redirect with one sentence.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderName};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use askama::Template;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::future::{Ready, ready};

use super::assets;
use super::etag;
use super::form::{Filled, Form, Sent};
use super::kept;
use super::once::Reply;
use super::shell::{Section, Shell, flash_cookie};
use super::wrote;
use crate::access::policy::Action;
use crate::access::session::session_cookie;
use crate::access::{In, Me};
use crate::config::Config;
use crate::ids::{self, Key};
use crate::problem::{Errors, Problem};
use crate::store::{Db, Pool};

/// The request with the pool and the configuration.
#[derive(Clone)]
pub struct Site {
    pub req: HttpRequest,
    pub pool: Pool,
    pub config: Data<Config>,
}

impl FromRequest for Site {
    type Error = Problem;
    type Future = Ready<Result<Site, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = req.app_data::<Data<Pool>>().zip(req.app_data::<Data<Config>>());
        ready(match found {
            Some((pool, config)) => Ok(Site { req: req.clone(), pool: pool.get_ref().clone(), config: config.clone() }),
            None => Err(Problem::bug("the app has no pool or no configuration")),
        })
    }
}

/// How long a browser may keep a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// May be shown again by the back button, asked for anew otherwise.
    Private,
    /// Money, members, sessions, evidence: never.
    Nothing,
}

impl Site {
    /// The shell of a page of the account.
    pub fn shell<A: Action>(&self, by: &In<A>, section: Section, heading: &str) -> Shell {
        Shell::of_account(&self.req, &self.config, heading, section, by.frame(), &by.session)
    }

    /// The shell of a page of the person.
    pub fn personal_shell(&self, me: &Me, heading: &str) -> Shell {
        Shell::personal(&self.req, &self.config, heading, &me.actor, &me.session)
    }

    /// [`Pool::read_late`], never behind what this browser wrote.
    pub async fn read_late<T, F>(&self, act: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Fn(&mut Db) -> Result<T, Problem> + Send + 'static,
    {
        self.pool.read_late(wrote::position(&self.req), act).await
    }

    /// [`Pool::read_late_briefly`], never behind what this browser wrote.
    pub async fn read_late_briefly<T, F>(&self, act: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Fn(&mut Db) -> Result<T, Problem> + Send + 'static,
    {
        self.pool.read_late_briefly(wrote::position(&self.req), act).await
    }

    /// A page; forms with errors answer 422, so that clients see the refusal as people do.
    pub fn page(&self, page: &impl Template, keep: Keep) -> Result<HttpResponse, Problem> {
        self.page_with(StatusCode::OK, page, keep)
    }

    pub fn page_with(&self, status: StatusCode, page: &impl Template, keep: Keep) -> Result<HttpResponse, Problem> {
        let body = page.render()?;
        let tag = (status == StatusCode::OK && keep == Keep::Private && self.req.method() == Method::GET).then(|| {
            etag::of(&body, self.req.cookie(session_cookie(self.config.https)).as_ref().map_or("", Cookie::value))
        });
        let is_known = tag.as_ref().is_some_and(|tag| etag::is_known(&self.req, tag));
        let mut answer = HttpResponse::build(if is_known { StatusCode::NOT_MODIFIED } else { status });
        if let Some(tag) = tag {
            answer.insert_header((header::ETAG, tag));
        }
        answer.insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"));
        let cache = if keep == Keep::Private { "private, no-cache" } else { "no-store" };
        answer.insert_header((header::CACHE_CONTROL, cache));
        if keep == Keep::Private {
            let rules = format!("\"{}\"", assets::rules_url());
            answer.insert_header((HeaderName::from_static("speculation-rules"), rules));
        }
        let flash = flash_cookie(self.config.https);
        if self.req.cookie(flash).is_some() {
            let mut gone = Cookie::build(flash, "").path("/").secure(self.config.https).http_only(true).finish();
            gone.make_removal();
            answer.cookie(gone);
        }
        Ok(if is_known { answer.finish() } else { answer.body(body) })
    }

    /// The page of a form that was refused.
    pub fn refused(&self, page: &impl Template) -> Result<HttpResponse, Problem> {
        self.page_with(StatusCode::UNPROCESSABLE_ENTITY, page, Keep::Nothing)
    }

    /// 303 to where the reply leads; its sentence is shown there once. A sentence that starts with `!` is a notice
    /// rather than a success.
    pub fn see(&self, reply: &Reply) -> HttpResponse {
        let mut answer = HttpResponse::SeeOther();
        answer.insert_header((header::LOCATION, reply.location.as_str()));
        if !reply.flash.is_empty() {
            let cookie = Cookie::build(flash_cookie(self.config.https), URL_SAFE_NO_PAD.encode(&reply.flash))
                .path("/")
                .http_only(true)
                .same_site(SameSite::Lax)
                .secure(self.config.https)
                .max_age(actix_web::cookie::time::Duration::minutes(2))
                .finish();
            answer.cookie(cookie);
        }
        answer.finish()
    }

    /// Opens a form sent to an address of this account.
    pub fn open<A: Action>(&self, by: &In<A>, sent: Sent, fields: &[&str]) -> Result<Form, Problem> {
        sent.open(&by.session.csrf, Some(&by.account().id), fields)
    }

    /// What the form of this page starts with: what was typed before the session ended, if the address says so, else
    /// `fresh`.
    pub async fn start_form(&self, user: Key, fresh: Filled) -> Result<Filled, Problem> {
        Ok(self.restored(user).await?.unwrap_or(fresh))
    }

    /// What this person typed on this page before the session ended.
    pub async fn restored(&self, user: Key) -> Result<Option<Filled>, Problem> {
        let query = url::form_urlencoded::parse(self.req.query_string().as_bytes());
        let kept = query.into_owned().find(|(name, id)| name == "restore" && ids::looks_like_token(id));
        let Some(id) = kept.map(|(_, id)| id) else {
            return Ok(None);
        };
        let path = self.req.path().to_owned();
        let kept = self.pool.read(move |db| kept::restore(db, user, &path, &id)).await?;
        Ok(kept.map(|form| form.filled(Errors::default())))
    }
}
