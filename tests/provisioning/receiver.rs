//! A fabric for tests: a server that takes signed orders, does each once however often it is told (by its
//! `webhook-id`), keeps what it was sent, and can be told what to answer and what shall happen at which moment. Without
//! a script it goes by the name of what is ordered: “slow” ones are accepted first and done when asked again, “bad”
//! ones fail when they are to be made, everything else is done.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use subtenant::config::{ProvisioningSettings, SigningKey};
use subtenant::ids;
use subtenant::provisioning::signing;

pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub fn key() -> SigningKey {
    SigningKey(STANDARD.decode(SECRET.trim_start_matches("whsec_")).expect("a key"))
}

/// One request that came.
#[derive(Debug, Clone)]
pub struct Received {
    pub id: String,
    pub signed: bool,
    pub body: String,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The public id of what it is about.
    pub fn subject(&self) -> String {
        let data = self.json()["data"].clone();
        let subject = ["connection", "port"].into_iter().find_map(|kind| data[kind]["id"].as_str().map(str::to_owned));
        subject.expect("a subject")
    }
}

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It came; nothing is done.
    Received,
    /// It was done; the answer is not on its way.
    Acted,
    /// The answer is about to leave.
    Answered,
}

pub const MOMENTS: [Moment; 3] = [Moment::Received, Moment::Acted, Moment::Answered];

type Hook = Box<dyn FnMut(Moment, &Received) + Send>;

#[derive(Default)]
pub struct Books {
    pub received: Vec<Received>,
    /// `webhook-id`, type and subject of everything that was done.
    pub acts: Vec<(String, String, String)>,
    seen: BTreeSet<String>,
    pub script: VecDeque<(u16, String)>,
}

struct Shared {
    books: Mutex<Books>,
    hook: Mutex<Option<Hook>>,
}

pub struct Receiver {
    shared: Arc<Shared>,
    pub url: String,
    stop: actix_web::dev::ServerHandle,
}

impl Receiver {
    pub fn start() -> Receiver {
        let shared = Arc::new(Shared { books: Mutex::default(), hook: Mutex::new(None) });
        let (tell, told) = mpsc::channel();
        let data = Data::from(shared.clone());
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || App::new().app_data(data.clone()).default_service(web::to(answer));
                let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").expect("a port");
                let port = server.addrs()[0].port();
                let running = server.run();
                tell.send((port, running.handle())).expect("the test waits");
                running.await
            })
        });
        let (port, stop) = told.recv().expect("the fabric starts");
        Receiver { shared, url: format!("http://127.0.0.1:{port}/orders"), stop }
    }

    /// A console that is connected with it.
    pub fn settings(&self) -> ProvisioningSettings {
        ProvisioningSettings {
            provisioning_url: Some(self.url.clone()),
            provisioning_secret: Some(SECRET.to_owned()),
            provisioning_timeout: Some("2".to_owned()),
            ..ProvisioningSettings::default()
        }
    }

    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.shared.books.lock().expect("the books")
    }

    /// The next answers, whatever is ordered.
    pub fn answer(&self, answers: &[(u16, &str)]) {
        self.books().script.extend(answers.iter().map(|(status, body)| (*status, (*body).to_owned())));
    }

    /// What happens at each moment of each request from now on.
    pub fn at(&self, hook: impl FnMut(Moment, &Received) + Send + 'static) {
        *self.shared.hook.lock().expect("the hook") = Some(Box::new(hook));
    }

    pub fn unhook(&self) {
        *self.shared.hook.lock().expect("the hook") = None;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.stop.stop(false));
    }
}

async fn answer(req: HttpRequest, body: Bytes, shared: Data<Shared>) -> HttpResponse {
    let header = |name: &str| req.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
    let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(header);
    let now = ids::now().and_utc().timestamp();
    let signed = signing::is_right(&[key()], &headers[0], &headers[1], &headers[2], &body, now);
    let body = String::from_utf8(body.to_vec()).expect("text");
    let [id, ..] = headers;
    let received = Received { id, signed, body };
    let happen = |moment: Moment| {
        if let Some(hook) = shared.hook.lock().expect("the hook").as_mut() {
            hook(moment, &received);
        }
    };
    happen(Moment::Received);
    let (status, body) = act(&mut shared.books.lock().expect("the books"), &received);
    happen(Moment::Acted);
    happen(Moment::Answered);
    HttpResponse::build(StatusCode::from_u16(status).expect("a status")).body(body)
}

fn act(books: &mut Books, received: &Received) -> (u16, String) {
    books.received.push(received.clone());
    if let Some(scripted) = books.script.pop_front() {
        return scripted;
    }
    let said = received.json();
    let kind = said["type"].as_str().unwrap_or_default().to_owned();
    let known = !books.seen.insert(received.id.clone());
    if !known {
        books.acts.push((received.id.clone(), kind.clone(), received.subject()));
    }
    let name = said["data"]["connection"]["name"].as_str().unwrap_or_default();
    if name.contains("slow") && !known {
        return (202, r#"{"state":"ACCEPTED"}"#.to_owned());
    }
    if name.contains("bad") && kind == "connection.provision" {
        let why = r#"{"state":"FAILED","errorCode":"INSUFFICIENT_CAPACITY","errorMessage":"No room."}"#;
        return (200, why.to_owned());
    }
    (200, r#"{"state":"DONE","attributes":{"primaryGatewayIP":"192.0.2.1","deviceId":"ras1"}}"#.to_owned())
}
