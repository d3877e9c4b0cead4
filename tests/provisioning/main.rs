//! Orders on their way through the fabric: each step and the gate, what is told and how it is signed, races beside the
//! gate (T16, T17), and the real program killed at every moment. A program of its own, so that it is soon built.

// The helpers are the large suite's own; not every test needs each of them.
#[allow(dead_code)]
#[path = "../it/browser.rs"]
mod browser;
#[allow(dead_code)]
#[path = "../it/page.rs"]
mod page;
#[allow(dead_code)]
#[path = "../it/place.rs"]
mod place;
#[allow(dead_code)]
#[path = "../it/world.rs"]
mod world;

mod callbacks;
mod crash;
mod metrics;
mod orders;
mod others;
mod races;
mod receiver;
mod steps;
mod telling;
