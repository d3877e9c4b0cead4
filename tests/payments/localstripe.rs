//! localstripe (PyPI), a stateful server that others wrote, as a second opinion: the same calls to it and to the fake
//! one are understood alike. `./test` installs it into `target/localstripe`; a machine without it fails.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use subtenant::payments::{Collected, Demand, Kind, Progress, Provider, Stripe, Trouble};

use crate::fake_provider::{ASKS_HOLDER, DECLINED, EMPTY, FakeProvider, VISA, connected};
use crate::world::settings;

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/localstripe/bin/python");

struct Local {
    process: Child,
    url: String,
}

impl Local {
    fn start() -> Local {
        // Taken and given back: localstripe wants to be told its port.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        let process = Command::new(PYTHON)
            .args(["-m", "localstripe", "--port", &port.to_string(), "--from-scratch"])
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("localstripe is installed: ./test does it");
        let local = Local { process, url: format!("http://127.0.0.1:{port}") };
        let until = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "localstripe does not start");
            std::thread::yield_now();
        }
        local
    }

    /// What the provider's script sends when this number was typed; its answer may be a refusal.
    fn enter(&self, intent: &str, secret: &str, number: &str) {
        let card = json!({"number": number, "exp_month": "12", "exp_year": "2034", "cvc": "123"});
        let body = json!({"key": "pk_test_12345", "use_stripe_sdk": true, "client_secret": secret,
            "payment_method_data": {"type": "card", "card": card}});
        self.confirm(intent, &body);
    }

    fn approve(&self, intent: &str, secret: &str) {
        self.confirm(intent, &json!({"key": "pk_test_12345", "use_stripe_sdk": true, "client_secret": secret}));
    }

    /// Charges a payment as somebody who is there would: localstripe takes no `off_session` at this call.
    fn charge(&self, payment: &str) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let url = format!("{}/v1/payment_intents/{payment}/confirm", self.url);
        let request = agent.post(&url).header("Authorization", "Bearer sk_test_12345");
        request.send_empty().expect("localstripe answers");
    }

    fn confirm(&self, intent: &str, body: &serde_json::Value) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let url = format!("{}/v1/setup_intents/{intent}/confirm", self.url);
        agent.post(&url).send(body.to_string()).expect("localstripe answers");
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn client(url: &str) -> Stripe {
    let mut settings = settings("unused.db");
    settings.payments = connected(url);
    let config = settings.check("unused.db").expect("right settings");
    Stripe::new(&config.payments.provider.expect("a provider")).expect("a client")
}

/// What a set-up looks like from here, without the ids.
async fn story(stripe: &Stripe, type_in: impl Fn(&str, &str, &str), approve: impl Fn(&str, &str)) -> Vec<String> {
    let mut told = Vec::new();
    let customer = stripe.open_customer("customer-1", "ac-1", "pay@acme.example").await.expect("a customer");
    told.push(customer[..4].to_owned());
    for number in [VISA, ASKS_HOLDER, DECLINED] {
        let key = format!("setup-{number}");
        let opened = stripe.open_intent(&key, &customer, Kind::Card).await.expect("an intent");
        told.push(format!(
            "{} {:?} {:?} {}",
            &opened.id[..5],
            opened.progress,
            opened.means,
            opened.customer == customer
        ));
        type_in(&opened.id, &opened.client_secret.0, number);
        let mut after = stripe.intent(&opened.id).await.expect("the intent");
        if after.progress == Progress::Holder {
            told.push("asks the holder".to_owned());
            approve(&opened.id, &opened.client_secret.0);
            after = stripe.intent(&opened.id).await.expect("the intent");
        }
        // Declined: localstripe gives the intent up, the reference lets it be tried again; neither has a card then.
        let done = after.progress == Progress::Done;
        told.push(format!("{done}"));
        let Some(means) = after.means.filter(|_| done) else { continue };
        told.push(format!("{} {:?} {} {:?}", &means.id[..3], means.kind, means.last_four, means.expiry));
        // The reference attaches it with the set-up, localstripe does not; attaching once more is no mistake.
        stripe.attach(&means.id, &customer).await.expect("attached");
        let alone = stripe.means(&means.id).await.expect("the card");
        assert_eq!((alone.customer.as_ref(), &alone.id), (Some(&customer), &means.id));
        stripe.detach(&means.id).await.expect("detached");
        let gone = stripe.means(&means.id).await;
        told.push(format!("{:?}", gone.map(|means| means.customer)));
        stripe.detach(&means.id).await.expect("detached before");
    }
    told.push(format!("{}", matches!(stripe.intent("seti_unknown").await, Err(Trouble::Unknown))));
    told.push(format!("{}", matches!(stripe.means("pm_unknown").await, Err(Trouble::Unknown))));
    told
}

/// What a payment looks like from here, without the ids: charged, declined, given up before and after.
async fn money(stripe: &Stripe, type_in: impl Fn(&str, &str, &str), charge: impl AsyncFn(&str)) -> Vec<String> {
    let mut told = Vec::new();
    let customer = stripe.open_customer("customer-2", "ac-2", "pay@acme.example").await.expect("a customer");
    for number in [VISA, EMPTY] {
        let opened = stripe.open_intent(&format!("setup-{number}"), &customer, Kind::Card).await.expect("an intent");
        type_in(&opened.id, &opened.client_secret.0, number);
        let means = stripe.intent(&opened.id).await.expect("the intent").means.expect("a card").id;
        stripe.attach(&means, &customer).await.expect("attached");
        for (n, gives_up) in [(1, false), (2, true)] {
            let (currency, invoice) = ("EUR".to_owned(), format!("inv-{n}"));
            let demand = Demand {
                customer: customer.clone(),
                means: means.clone(),
                kind: Kind::Card,
                amount: 7900,
                currency,
                invoice,
            };
            let made = stripe.open_payment(&format!("{number}-{n}"), &demand).await.expect("a payment");
            told.push(format!("{} {:?} {}", &made.id[..3], made.collected, made.means == means));
            if gives_up {
                told.push(format!("{:?}", stripe.cancel(&made.id).await.expect("given up").collected));
            }
            charge(&made.id).await;
            // Why a charge was declined is said in other words.
            let after = stripe.payment(&made.id).await.expect("the payment").collected;
            told.push(if matches!(after, Collected::Failed(_)) { "failed".to_owned() } else { format!("{after:?}") });
            let late = stripe.cancel(&made.id).await.map(|payment| payment.collected);
            told.push(format!("{}", matches!(late, Ok(Collected::Cancelled))));
        }
    }
    told.push(format!("{}", matches!(stripe.payment("pi_unknown").await, Err(Trouble::Unknown))));
    told
}

#[actix_web::test]
async fn the_fake_provider_charges_as_localstripe_does() {
    let (local, fake) = (Local::start(), FakeProvider::start());
    let (theirs, ours) = (client(&local.url), client(&fake.url));
    let by_them =
        money(&theirs, |id, secret, number| local.enter(id, secret, number), async |id: &str| local.charge(id));
    let by_us = money(
        &ours,
        |id, _, number| fake.enter(id, number),
        async |id: &str| {
            let _ = ours.confirm(id).await;
        },
    );
    let (theirs, ours) = (by_them.await, by_us.await);
    assert_eq!(theirs, ours);
    assert!(ours.iter().any(|one| one == "Paid") && ours.iter().any(|one| one == "failed"), "{ours:?}");
}

#[actix_web::test]
async fn the_fake_provider_answers_as_localstripe_does() {
    let (local, fake) = (Local::start(), FakeProvider::start());
    let (theirs, ours) = (client(&local.url), client(&fake.url));
    let theirs =
        story(&theirs, |id, secret, number| local.enter(id, secret, number), |id, secret| local.approve(id, secret));
    let ours = story(&ours, |id, _, number| fake.enter(id, number), |id, _| fake.approve(id));
    assert_eq!(theirs.await, ours.await);
}
