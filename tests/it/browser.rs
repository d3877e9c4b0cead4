//! Somebody's browser: keeps cookies, follows redirects, fills in forms by the labels of their fields and sends them
//! with everything else that the page put in, as browsers do (CRLF in text areas, own-origin headers). `Console` is
//! the app in this process. Leaves out: script.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;

use actix_web::dev::Service;
use actix_web::http::header::{self, HeaderMap};
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, init_service};
use actix_web::{HttpResponse, cookie::Cookie};
use futures_util::future::LocalBoxFuture;
use subtenant::app::{self, Parts};

use crate::page::Page;

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

type Call = dyn Fn(TestRequest) -> LocalBoxFuture<'static, Answer>;

/// The app, answering in this process.
#[derive(Clone)]
pub struct Console(Rc<Call>);

impl Console {
    pub async fn of(parts: Parts) -> Console {
        let service = Rc::new(init_service(app::build(parts)).await);
        Console(Rc::new(move |request| {
            let service = service.clone();
            Box::pin(async move {
                // An error that left the outermost middleware is answered as the server would.
                let (head, body) = match service.call(request.to_request()).await {
                    Ok(answered) => answered.into_parts().1.map_into_boxed_body().into_parts(),
                    Err(error) => HttpResponse::from_error(error).into_parts(),
                };
                let body = actix_web::body::to_bytes(body).await.map_err(|_| ()).expect("a whole body");
                Answer { status: head.status(), headers: head.headers().clone(), body: body.to_vec() }
            })
        }))
    }

    pub async fn send(&self, request: TestRequest) -> Answer {
        (self.0)(request).await
    }
}

/// The place on the network from which tests come unless they say so.
pub const HOME: &str = "192.0.2.10:40000";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const MOST_REDIRECTS: usize = 10;

#[derive(Clone)]
pub struct Browser {
    pub console: Console,
    pub cookies: BTreeMap<String, String>,
    pub peer: SocketAddr,
    pub page: Page,
}

impl Browser {
    pub fn new(console: &Console) -> Browser {
        let peer = HOME.parse().expect("an address");
        Browser { console: console.clone(), cookies: BTreeMap::new(), peer, page: Page::default() }
    }

    /// A request as this browser sends it, to be changed by tests that want to.
    pub fn request(&self, method: Method, uri: &str) -> TestRequest {
        let mut request = TestRequest::with_uri(uri).method(method).peer_addr(self.peer);
        for (name, value) in [("host", "127.0.0.1:8080"), ("user-agent", FIREFOX), ("sec-fetch-site", "same-origin")] {
            request = request.insert_header((name, value));
        }
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if cookies.is_empty() { request } else { request.insert_header((header::COOKIE, cookies.join("; "))) }
    }

    /// One request and its answer; cookies are kept, redirects not followed.
    pub async fn send(&mut self, request: TestRequest) -> Answer {
        let answer = self.console.send(request).await;
        for line in answer.headers.get_all(header::SET_COOKIE) {
            let cookie = Cookie::parse(line.to_str().expect("a readable cookie").to_owned()).expect("a cookie");
            if cookie.max_age().is_some_and(|age| age.is_zero()) {
                self.cookies.remove(cookie.name());
            } else {
                self.cookies.insert(cookie.name().to_owned(), cookie.value().to_owned());
            }
        }
        answer
    }

    async fn follow(&mut self, mut uri: String, mut answer: Answer) -> &Page {
        for _ in 0..MOST_REDIRECTS {
            if !answer.status.is_redirection() {
                self.page = Page::read(&uri, &answer);
                return &self.page;
            }
            uri = answer.header("location").to_owned();
            answer = self.send(self.request(Method::GET, &uri)).await;
        }
        panic!("more than {MOST_REDIRECTS} redirects, the last to {uri}");
    }

    /// Goes to an address.
    pub async fn get(&mut self, uri: &str) -> &Page {
        let answer = self.send(self.request(Method::GET, uri)).await;
        self.follow(uri.to_owned(), answer).await
    }

    /// Follows the link with this text or accessible name.
    pub async fn click(&mut self, words: &str) -> &Page {
        let uri = self.page.link(words).unwrap_or_else(|| panic!("no link “{words}” on\n{}", self.page));
        self.get(&uri).await
    }

    /// Fills in the form with this button (fields by label, boxes and radios with "yes" or "no") and sends it.
    pub async fn submit(&mut self, button: &str, fields: &[(&str, &str)]) -> &Page {
        let mut form = self.page.form(button);
        for (label, value) in fields {
            form.fill(label, value);
        }
        let (uri, answer) = (form.action.clone(), self.post(&form.action, &form.pairs()).await);
        self.follow(uri, answer).await
    }

    /// Sends pairs as a form; the answer as it comes.
    pub async fn post(&mut self, uri: &str, pairs: &[(String, String)]) -> Answer {
        let request = self.request(Method::POST, uri).insert_header((header::CONTENT_TYPE, FORM));
        self.send(request.set_payload(encode(pairs))).await
    }

    pub async fn sign_in(&mut self, email: &str, password: &str) -> &Page {
        if self.page.path() != "/sign-in" {
            self.get("/sign-in").await;
        }
        self.submit("Sign in", &[("Email", email), ("Password", password)]).await
    }
}

pub const FORM: &str = "application/x-www-form-urlencoded";

pub fn encode(pairs: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
