//! Cards and bank accounts through a payment provider: a fake one written from the published reference
//! (`fake_provider`), and localstripe, which others wrote. A program of its own, so that it is soon built.

// The helpers are the large suite's own; not every test needs each of them.
#[allow(dead_code)]
#[path = "../it/browser.rs"]
mod browser;
#[allow(dead_code)]
#[path = "../it/dump.rs"]
mod dump;
#[allow(dead_code)]
#[path = "../it/mailbox.rs"]
mod mailbox;
#[allow(dead_code)]
#[path = "../it/page.rs"]
mod page;
#[allow(dead_code)]
#[path = "../it/place.rs"]
mod place;
#[allow(dead_code)]
#[path = "../it/usage.rs"]
mod usage;
#[allow(dead_code)]
#[path = "../it/world.rs"]
mod world;

mod banks;
mod cards;
mod collecting;
mod demo;
mod ending;
#[allow(dead_code)]
mod fake_provider;
mod guards;
mod localstripe;
mod notices;
mod paying;
mod proxy;
mod telling;
