//! What the tests about cards and bank accounts do alike: a console with a provider, and its form filled in.

use std::sync::{Mutex, Once};

use crate::browser::Browser;
use crate::fake_provider::{FakeProvider, VISA};
use crate::world::World;

pub const CARD: &str = "Credit card, monthly autopay";
pub const BANK: &str = "Bank account, monthly autodraft";
pub const INVOICE: &str = "Invoice, 30 days";
pub const SHARE: &str = "Allow child accounts to use this payment method";

pub const ENTRIES: [(&str, &str); 6] = [
    ("Account holder name", "Acme Payments"),
    ("Billing email", "pay@acme.example"),
    ("Street", "Storgata 1"),
    ("City", "Oslo"),
    ("Postal code", "0155"),
    ("Country", "Norway"),
];

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Writes the log of this program where tests can read it.
struct Log;

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Everything that was logged until now, at the most talkative level.
pub fn logged() -> String {
    String::from_utf8_lossy(&LOG.lock().expect("the log")).into_owned()
}

/// `acme` with `Lab` below, and a provider.
pub fn world() -> (FakeProvider, World) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let talkative = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Log);
        tracing::subscriber::set_global_default(talkative.finish()).expect("one log for all");
    });
    let provider = FakeProvider::start();
    let world = World::with(|settings| provider.connect(settings));
    world.account("acme").child("Lab");
    (provider, world)
}

/// Chooses a kind in the form for a new method, offered to the accounts below.
pub async fn choose(browser: &mut Browser, world: &World, account: &str, kind: &str) {
    browser.get(&world.path(account, "billing")).await;
    browser.click("Add a new payment method").await;
    browser.submit("Save", &[&ENTRIES[..], &[(kind, "yes"), (SHARE, "yes")]].concat()).await;
}

/// Sends the form as the provider's script does once it is done.
pub async fn send(browser: &mut Browser, button: &str) {
    browser.submit(button, &[]).await;
}

/// A card that pays for `acme` and everything below.
pub async fn card(provider: &FakeProvider, world: &World, browser: &mut Browser) {
    choose(browser, world, "acme", CARD).await;
    provider.enter(&provider.last("setup_intent"), VISA);
    send(browser, "Use this card").await;
    assert_eq!(browser.page.flash(), "Payment method saved.", "{}", browser.page);
}
