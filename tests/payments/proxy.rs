//! A proxy between the console and the payment provider, which loses what it is told to lose.

use std::sync::{Arc, Mutex, mpsc};

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use futures_util::stream;
use reqwest::{Client, Method};

use crate::fake_provider::Fault;

/// What happens to the next calls whose method and path begin and end like this.
struct Rule {
    method: &'static str,
    ending: &'static str,
    fault: Fault,
    times: usize,
}

struct Line {
    provider: String,
    http: Client,
    rules: Mutex<Vec<Rule>>,
}

pub struct Proxy {
    pub url: String,
    line: Arc<Line>,
    stop: actix_web::dev::ServerHandle,
}

impl Proxy {
    pub fn before(provider: &str) -> Proxy {
        // As the console does; an error says that it is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let line = Line { provider: provider.to_owned(), http: Client::new(), rules: Mutex::default() };
        let line = Arc::new(line);
        let (tell, told) = mpsc::channel();
        let shared = Data::from(line.clone());
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || App::new().app_data(shared.clone()).default_service(web::to(pass));
                let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").expect("a port");
                let port = server.addrs()[0].port();
                let running = server.run();
                tell.send((port, running.handle())).expect("the test waits");
                running.await
            })
        });
        let (port, stop) = told.recv().expect("the proxy starts");
        Proxy { url: format!("http://127.0.0.1:{port}"), line, stop }
    }

    /// The next so many calls of this method whose path ends like this.
    pub fn fail(&self, method: &'static str, ending: &'static str, fault: Fault, times: usize) {
        self.line.rules.lock().expect("the rules").push(Rule { method, ending, fault, times });
    }

    pub fn heal(&self) {
        self.line.rules.lock().expect("the rules").clear();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.stop(false));
    }
}

fn lost() -> HttpResponse {
    let broken = std::io::Error::other("the line is cut");
    HttpResponse::Ok().streaming(stream::iter([Err::<Bytes, std::io::Error>(broken)]))
}

async fn pass(req: HttpRequest, body: Bytes, line: Data<Line>) -> HttpResponse {
    let fault = {
        let mut rules = line.rules.lock().expect("the rules");
        let fits =
            |rule: &&mut Rule| rule.times > 0 && rule.method == req.method() && req.path().ends_with(rule.ending);
        rules.iter_mut().find(fits).map(|rule| {
            rule.times -= 1;
            rule.fault
        })
    };
    match fault {
        Some(Fault::Broken) => return HttpResponse::InternalServerError().body("{}"),
        Some(Fault::LostBefore) => return lost(),
        _ => {}
    }
    let method = Method::from_bytes(req.method().as_str().as_bytes()).expect("a method");
    let mut onward = line.http.request(method, format!("{}{}", line.provider, req.uri())).body(body);
    for name in ["authorization", "stripe-version", "idempotency-key", "content-type"] {
        if let Some(value) = req.headers().get(name) {
            onward = onward.header(name, value.as_bytes());
        }
    }
    let answer = onward.send().await.expect("the provider answers");
    let status = actix_web::http::StatusCode::from_u16(answer.status().as_u16()).expect("a status");
    let bytes = answer.bytes().await.expect("all of it");
    if fault == Some(Fault::LostAfter) { lost() } else { HttpResponse::build(status).body(bytes) }
}
