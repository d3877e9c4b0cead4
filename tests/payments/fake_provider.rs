//! A payment provider for tests, written from Stripe's published reference: customers, set-up intents for cards and US
//! bank accounts with micro-deposits, payment methods, charges, events, idempotency keys. It keeps what it was asked,
//! and can fail before or after doing what it was asked. What a person types into the provider's fields is typed here
//! by [`FakeProvider::enter`]. `localstripe` says whether it answers as others understand the reference.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};

use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use futures_util::stream;
use serde_json::{Value, json};
use subtenant::config::{PaymentSettings, Settings};

pub const WEBHOOK_SECRET: &str = "whsec_test";
/// Typed into the provider's fields; nothing of ours may ever hold it.
pub const VISA: &str = "4242424242424242";
pub const DECLINED: &str = "4000000000000002";
/// Can be saved; the first payment with it is declined.
pub const EMPTY: &str = "4000000000000341";
pub const EXPIRED: &str = "4000000000000069";
pub const ASKS_HOLDER: &str = "4000002760003184";
pub const BANK_ACCOUNT: &str = "000123456789";
pub const DEPOSITS: [&str; 2] = ["32", "45"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 500, and nothing was done.
    Broken,
    /// The connection ends before anything was done.
    LostBefore,
    /// It was done, but the answer is lost.
    LostAfter,
}

#[derive(Default)]
pub struct Books {
    next: u64,
    pub objects: BTreeMap<String, Value>,
    /// Method, path and idempotency key of every call.
    pub calls: Vec<(String, String, String)>,
    by_key: BTreeMap<String, (StatusCode, Value)>,
    faults: VecDeque<Fault>,
    pub events: Vec<Value>,
}

pub struct FakeProvider {
    books: Arc<Mutex<Books>>,
    pub url: String,
    stop: actix_web::dev::ServerHandle,
}

impl FakeProvider {
    pub fn start() -> FakeProvider {
        let books = Arc::new(Mutex::new(Books::default()));
        let (tell, told) = mpsc::channel();
        let shared = Data::new(books.clone());
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || App::new().app_data(shared.clone()).default_service(web::to(answer));
                let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").expect("a port");
                let port = server.addrs()[0].port();
                let running = server.run();
                tell.send((port, running.handle())).expect("the test waits");
                running.await
            })
        });
        let (port, stop) = told.recv().expect("the provider starts");
        FakeProvider { books, url: format!("http://127.0.0.1:{port}"), stop }
    }

    /// Connects a console with it.
    pub fn connect(&self, settings: &mut Settings) {
        settings.payments = connected(&self.url);
    }

    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("the books")
    }

    pub fn fail(&self, faults: &[Fault]) {
        self.books().faults.extend(faults);
    }

    /// How many objects of a kind there are, as `customer`.
    pub fn count(&self, kind: &str) -> usize {
        self.books().objects.values().filter(|object| object["object"] == kind).count()
    }

    /// What typing this number into the provider's fields does.
    pub fn enter(&self, intent: &str, number: &str) {
        let mut books = self.books();
        let card = number.len() == 16;
        let id = books.id("pm");
        let last4 = &number[number.len() - 4..];
        let details = if card {
            json!({"brand": "visa", "last4": last4, "exp_month": 12, "exp_year": 2034})
        } else {
            json!({"bank_name": "STRIPE TEST BANK", "last4": last4, "account_holder_type": "company"})
        };
        let kind = if card { "card" } else { "us_bank_account" };
        let customer = books.objects[intent]["customer"].clone();
        let method = json!({"id": id, "object": "payment_method", "type": kind, kind: details, "customer": customer});
        books.objects.insert(id.clone(), method);
        let setup = books.objects.get_mut(intent).expect("an intent");
        match number {
            DECLINED => {
                setup["status"] = json!("requires_payment_method");
                setup["last_setup_error"] = json!({"code": "card_declined", "message": "Your card was declined."});
                return;
            }
            ASKS_HOLDER => {
                setup["status"] = json!("requires_action");
                setup["next_action"] = json!({"type": "use_stripe_sdk"});
            }
            _ if card => setup["status"] = json!("succeeded"),
            _ => {
                setup["status"] = json!("requires_action");
                setup["next_action"] = json!({"type": "verify_with_microdeposits"});
            }
        }
        setup["payment_method"] = json!(id);
    }

    /// The bank asked the card's holder, who answered.
    pub fn approve(&self, intent: &str) {
        self.books().objects.get_mut(intent).expect("an intent")["status"] = json!("succeeded");
    }

    /// A charge as a later month would make it; answers its id.
    pub fn charge(&self, means: &str, paid: bool, created: i64) -> String {
        let mut books = self.books();
        let id = books.id("ch");
        let status = if paid { "succeeded" } else { "failed" };
        let charge =
            json!({"id": id, "object": "charge", "payment_method": means, "status": status, "created": created});
        books.objects.insert(id.clone(), charge);
        id
    }

    /// Invoice and amount of everything that was charged, or is about to be.
    pub fn charged(&self) -> Vec<(String, i64)> {
        let books = self.books();
        let charges = books.objects.values().filter(|one| one["object"] == "charge" && one["status"] != "failed");
        let charges = charges.filter_map(|charge| {
            let payment = books.objects.get(charge["payment_intent"].as_str()?)?;
            Some((payment["metadata"]["invoice"].as_str()?.to_owned(), charge["amount"].as_i64()?))
        });
        charges.collect()
    }

    /// The bank has decided, some days later.
    pub fn bank_decides(&self, payment: &str, paid: bool) {
        let mut books = self.books();
        let means = books.objects[payment]["payment_method"].clone();
        let stored = books.objects.get_mut(payment).expect("a payment");
        assert_eq!(stored["status"], "processing");
        stored["status"] = json!(if paid { "succeeded" } else { "requires_payment_method" });
        if !paid {
            let means = json!({"id": means});
            stored["last_payment_error"] = json!({"code": "insufficient_funds", "message": "The account has too little.", "payment_method": means});
            stored["payment_method"] = Value::Null;
        }
        let charge = books.objects.values_mut().find(|one| one["payment_intent"] == payment).expect("its charge");
        charge["status"] = json!(if paid { "succeeded" } else { "failed" });
    }

    /// Says that something happened to this object; answers the notice's body.
    pub fn event(&self, kind: &str, object: &str) -> Vec<u8> {
        let mut books = self.books();
        let id = books.id("evt");
        let object = books.objects.get(object).cloned().unwrap_or_else(|| json!({"id": object}));
        let event = json!({"id": id, "object": "event", "type": kind, "created": 1, "data": {"object": object}});
        books.events.push(event.clone());
        serde_json::to_vec(&event).expect("JSON")
    }

    /// The only object of this kind that was made last.
    pub fn last(&self, kind: &str) -> String {
        let books = self.books();
        let found = books.objects.iter().rev().find(|(_, object)| object["object"] == kind);
        found.expect("such an object").0.clone()
    }
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        drop(self.stop.stop(false));
    }
}

/// The settings of a console that asks this address.
pub fn connected(url: &str) -> PaymentSettings {
    PaymentSettings {
        stripe_secret_key: Some("sk_test_12345".to_owned()),
        stripe_publishable_key: Some("pk_test_12345".to_owned()),
        stripe_webhook_secret: Some(WEBHOOK_SECRET.to_owned()),
        stripe_api_url: Some(url.to_owned()),
        stripe_js_url: Some(format!("{url}/js.stripe.com/v3/")),
        ..PaymentSettings::default()
    }
}

impl Books {
    /// Ids that sort in the order in which they were made.
    fn id(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}_{:06}", self.next)
    }

    fn act(&mut self, method: &Method, path: &str, form: &BTreeMap<String, Vec<String>>) -> (StatusCode, Value) {
        let value = |name: &str| form.get(name).and_then(|all| all.first()).cloned().unwrap_or_default();
        let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        let missing =
            || (StatusCode::NOT_FOUND, json!({"error": {"code": "resource_missing", "message": "No such object"}}));
        match (method.as_str(), parts.as_slice()) {
            ("POST", ["customers"]) => {
                let id = self.id("cus");
                let made = json!({"id": id, "object": "customer", "email": value("email"),
                    "metadata": {"account": value("metadata[account]")}});
                (StatusCode::OK, self.keep(&id, made))
            }
            ("POST", ["setup_intents"]) => {
                let id = self.id("seti");
                let made = json!({"id": id, "object": "setup_intent", "customer": value("customer"),
                    "client_secret": format!("{id}_secret_x"), "status": "requires_payment_method",
                    "usage": value("usage"), "payment_method": null, "next_action": null,
                    "payment_method_types": form.get("payment_method_types[]")});
                (StatusCode::OK, self.keep(&id, made))
            }
            ("POST", ["setup_intents", id, "verify_microdeposits"]) => {
                let right = form.get("amounts[]").is_some_and(|amounts| *amounts == DEPOSITS);
                let Some(setup) = self.objects.get_mut(*id) else { return missing() };
                if setup["status"] != "requires_action" {
                    let why = json!({"error": {"code": "setup_intent_unexpected_state", "message": "Verified before"}});
                    return (StatusCode::BAD_REQUEST, why);
                }
                if !right {
                    let code = "payment_method_microdeposit_verification_amounts_mismatch";
                    let why = json!({"error": {"code": code, "message": "The amounts provided do not match"}});
                    return (StatusCode::BAD_REQUEST, why);
                }
                setup["status"] = json!("succeeded");
                (StatusCode::OK, setup.clone())
            }
            ("POST", ["payment_methods", id, "attach"]) => {
                let Some(means) = self.objects.get_mut(*id) else { return missing() };
                means["customer"] = json!(value("customer"));
                (StatusCode::OK, means.clone())
            }
            ("POST", ["payment_methods", id, "detach"]) => {
                let Some(means) = self.objects.get_mut(*id) else { return missing() };
                means["customer"] = Value::Null;
                (StatusCode::OK, means.clone())
            }
            ("POST", ["payment_intents"]) => self.open_payment(form),
            ("POST", ["payment_intents", id, "confirm"]) => {
                assert_eq!(value("off_session"), "true", "nobody is there");
                self.confirm(id)
            }
            ("POST", ["payment_intents", id, "cancel"]) => {
                let Some(payment) = self.objects.get_mut(*id) else { return missing() };
                if !payment["status"].as_str().is_some_and(|status| status.starts_with("requires_")) {
                    return unexpected_state(payment);
                }
                payment["status"] = json!("canceled");
                (StatusCode::OK, payment.clone())
            }
            ("GET", ["events"]) => {
                let before = value("starting_after");
                let newest: Vec<Value> = self.events.iter().rev().cloned().collect();
                let from = newest.iter().position(|event| event["id"] == before.as_str()).map_or(0, |at| at + 1);
                (StatusCode::OK, json!({"object": "list", "data": newest[from..].iter().take(2).collect::<Vec<_>>()}))
            }
            ("GET", [_, id]) => self.objects.get(*id).map_or_else(missing, |found| (StatusCode::OK, found.clone())),
            _ => (StatusCode::NOT_FOUND, json!({"error": {"message": "Unrecognized request URL"}})),
        }
    }

    fn open_payment(&mut self, form: &BTreeMap<String, Vec<String>>) -> (StatusCode, Value) {
        let value = |name: &str| form.get(name).and_then(|all| all.first()).cloned().unwrap_or_default();
        let means = value("payment_method");
        let known = self.objects.get(&means).is_some_and(|found| found["customer"] == value("customer").as_str());
        if !known {
            let words = "The provided PaymentMethod cannot be used: it is detached or belongs to another customer.";
            return (StatusCode::BAD_REQUEST, json!({"error": {"code": "resource_missing", "message": words}}));
        }
        let id = self.id("pi");
        let made = json!({"id": id, "object": "payment_intent", "amount": value("amount").parse::<i64>().expect("cents"),
            "currency": value("currency"), "customer": value("customer"), "payment_method": means,
            "payment_method_types": form.get("payment_method_types[]"), "created": self.next + 1_000_000,
            "metadata": {"invoice": value("metadata[invoice]")}, "status": "requires_confirmation"});
        (StatusCode::OK, self.keep(&id, made))
    }

    /// A payment is charged once, however often it is confirmed.
    fn confirm(&mut self, id: &str) -> (StatusCode, Value) {
        let payment = self.objects[id].clone();
        if payment["status"] != "requires_confirmation" {
            return unexpected_state(&payment);
        }
        let means = self.objects[payment["payment_method"].as_str().expect("a method")].clone();
        if means["customer"] != payment["customer"] {
            // The payment stays as it is.
            let words = "The PaymentMethod was detached from its customer and cannot be used again.";
            return (StatusCode::BAD_REQUEST, json!({"error": {"message": words}}));
        }
        let bank = means["type"] == "us_bank_account";
        let last4 = means[means["type"].as_str().expect("a kind")]["last4"].clone();
        let why = match last4.as_str().expect("four digits") {
            "0341" => Some(("card_declined", "Your card was declined.")),
            "0069" => Some(("expired_card", "Your card has expired.")),
            "3184" => Some(("authentication_required", "Your card was declined. It requires authentication.")),
            _ => None,
        };
        let stored = self.objects.get_mut(id).expect("the payment");
        if let Some((code, words)) = why {
            let error = json!({"code": code, "message": words, "payment_method": means});
            stored["status"] = json!("requires_payment_method");
            stored["payment_method"] = Value::Null;
            stored["last_payment_error"] = error.clone();
            return (StatusCode::PAYMENT_REQUIRED, json!({"error": error}));
        }
        stored["status"] = json!(if bank { "processing" } else { "succeeded" });
        let reply = stored.clone();
        let charge = self.id("ch");
        let status = if bank { "pending" } else { "succeeded" };
        let made = json!({"id": charge, "object": "charge", "status": status, "payment_intent": id,
            "amount": payment["amount"], "payment_method": payment["payment_method"], "created": payment["created"]});
        self.keep(&charge, made);
        (StatusCode::OK, reply)
    }

    fn keep(&mut self, id: &str, object: Value) -> Value {
        self.objects.insert(id.to_owned(), object.clone());
        object
    }
}

fn unexpected_state(payment: &Value) -> (StatusCode, Value) {
    let words = format!("You cannot do this, because the PaymentIntent has a status of {}.", payment["status"]);
    (StatusCode::BAD_REQUEST, json!({"error": {"code": "payment_intent_unexpected_state", "message": words}}))
}

async fn answer(req: HttpRequest, body: Bytes, books: Data<Arc<Mutex<Books>>>) -> HttpResponse {
    let mut books = books.lock().expect("the books");
    let header = |name: &str| req.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
    let key = header("idempotency-key");
    assert!(header("authorization") == "Bearer sk_test_12345" && !header("stripe-version").is_empty());
    books.calls.push((req.method().to_string(), req.path().to_owned(), key.clone()));
    let fault = books.faults.pop_front();
    let lost = || {
        let broken = std::io::Error::other("the line is cut");
        HttpResponse::Ok().streaming(stream::iter([Err::<Bytes, std::io::Error>(broken)]))
    };
    match fault {
        Some(Fault::Broken) => return HttpResponse::InternalServerError().json(json!({"error": {}})),
        Some(Fault::LostBefore) => return lost(),
        _ => {}
    }
    let values = if *req.method() == Method::GET { req.query_string().as_bytes().to_vec() } else { body.to_vec() };
    let mut form: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(&values).into_owned() {
        form.entry(name).or_default().push(value);
    }
    let known = books.by_key.get(&key).filter(|_| !key.is_empty()).cloned();
    let (status, reply) = known.unwrap_or_else(|| books.act(req.method(), req.path(), &form));
    if !key.is_empty() {
        books.by_key.insert(key, (status, reply.clone()));
    }
    if fault == Some(Fault::LostAfter) { lost() } else { HttpResponse::build(status).json(reply) }
}
