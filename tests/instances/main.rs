//! Several real processes of the console on one PostgreSQL, behind a load balancer that others wrote (haproxy): what one
//! of them did holds for all, and one that is killed under load takes nothing with it. A program of its own, so that it
//! is soon built. Without TEST_DATABASE_URL there is nothing to test here, and it says so; LONG=1 takes large counts.

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
#[path = "../it/post_office.rs"]
mod post_office;
#[allow(dead_code)]
#[path = "../it/world.rs"]
mod world;

#[allow(dead_code)]
#[path = "../provisioning/orders.rs"]
mod orders;
#[allow(dead_code)]
#[path = "../provisioning/receiver.rs"]
mod receiver;

mod backup;
mod balancer;
mod client;
mod cluster;
mod killing;
mod replica;
mod servers;
mod sharing;
mod starting;
mod stopping;
mod watching;
mod working;

/// How much of it: few for every day, many before a release.
pub fn count(few: usize, many: usize) -> usize {
    if std::env::var("LONG").is_ok_and(|long| long == "1") { many } else { few }
}

/// Whether there is a PostgreSQL to share; says so where there is none.
pub fn is_possible() -> bool {
    let possible = place::postgres().is_some();
    if !possible {
        println!("left out: several instances share a PostgreSQL, and TEST_DATABASE_URL names none");
    }
    possible
}
