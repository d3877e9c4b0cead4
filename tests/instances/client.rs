//! Somebody's browser over the network: keeps its cookies, follows nothing, and says when no answer came.

use std::time::Duration;

use actix_web::http::StatusCode;

use crate::balancer::ANSWERED_BY;
use crate::browser::{FORM, encode};
use crate::page::{Form, Page};
use crate::world::{PASSWORD, email};

const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    origin: String,
    /// What the load balancer is told about where this comes from.
    from: Option<String>,
    /// How a proxy calls the requests.
    name: Option<String>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub location: String,
    pub request_id: String,
    /// The number of the instance, where the load balancer says it.
    pub by: Option<usize>,
    pub uri: String,
    pub body: String,
}

impl Reply {
    pub fn page(&self) -> Page {
        let status = StatusCode::from_u16(self.status).expect("a status");
        Page { status, uri: self.uri.clone(), body: self.body.clone() }
    }
}

impl Client {
    pub fn new(origin: &str) -> Client {
        let config = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false);
        let agent = config.timeout_global(Some(PATIENCE)).build().into();
        Client { agent, origin: origin.to_owned(), from: None, name: None }
    }

    /// The same, as if it came through a proxy in front from this address.
    pub fn from(origin: &str, address: &str) -> Client {
        Client { from: Some(address.to_owned()), ..Client::new(origin) }
    }

    /// The same browser with its cookies, talking to another address of the console.
    pub fn at(&self, origin: &str) -> Client {
        Client { origin: origin.to_owned(), ..self.clone() }
    }

    /// The same browser behind a proxy that gives its requests this name.
    pub fn named(&self, name: &str) -> Client {
        Client { name: Some(name.to_owned()), ..self.clone() }
    }

    /// Somebody who is signed in.
    pub fn signed_in(origin: &str, person: &str) -> Client {
        let client = Client::new(origin);
        assert_eq!(client.sign_in(person, PASSWORD).status, 303, "{person} cannot sign in");
        client
    }

    pub fn sign_in(&self, person: &str, password: &str) -> Reply {
        let mut form = self.form("/sign-in", "Sign in");
        form.fill("Email", &email(person));
        form.fill("Password", password);
        self.post("/sign-in", &form.pairs()).expect("an answer")
    }

    /// Looking may be repeated: a connection that was kept open may have been closed by the other side meanwhile.
    pub fn get(&self, path: &str) -> Option<Reply> {
        self.try_get(path).or_else(|| self.try_get(path))
    }

    fn try_get(&self, path: &str) -> Option<Reply> {
        let mut request = self.agent.get(format!("{}{path}", self.origin));
        if let Some(from) = &self.from {
            request = request.header("x-forwarded-for", from);
        }
        if let Some(name) = &self.name {
            request = request.header("x-request-id", name);
        }
        read(path, request.call().ok()?)
    }

    /// The page at this path, which is there.
    pub fn page(&self, path: &str) -> Page {
        let reply = self.get(path).unwrap_or_else(|| panic!("no answer from {path}"));
        assert_eq!(reply.status, 200, "{path}: {}", reply.page());
        reply.page()
    }

    /// The form with this button at this path.
    pub fn form(&self, path: &str, button: &str) -> Form {
        self.page(path).form(button)
    }

    pub fn post(&self, path: &str, pairs: &[(String, String)]) -> Option<Reply> {
        let mut request = self.agent.post(format!("{}{path}", self.origin)).content_type(FORM);
        if let Some(from) = &self.from {
            request = request.header("x-forwarded-for", from);
        }
        read(path, request.send(encode(pairs)).ok()?)
    }

    /// What a thief would have of this session.
    pub fn session(&self) -> String {
        let jar = self.agent.cookie_jar_lock();
        let cookie = jar.iter().find(|cookie| cookie.name() == "session").expect("a session");
        format!("session={}", cookie.value())
    }

    /// The status of a page for somebody who has only this cookie.
    pub fn status_with(origin: &str, path: &str, cookie: &str) -> u16 {
        let request = Client::new(origin).agent.get(format!("{origin}{path}")).header("cookie", cookie);
        request.call().expect("an answer").status().as_u16()
    }
}

fn read(path: &str, mut answer: ureq::http::Response<ureq::Body>) -> Option<Reply> {
    let header = |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let (location, by) = (header("location").unwrap_or_default(), header(ANSWERED_BY).and_then(|by| by.parse().ok()));
    let (status, request_id) = (answer.status().as_u16(), header("x-request-id").unwrap_or_default());
    let body = answer.body_mut().read_to_string().ok()?;
    Some(Reply { status, location, request_id, by, uri: path.to_owned(), body })
}
