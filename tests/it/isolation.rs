//! Nobody ever gets what is somebody else's (T12): 64 people, each with an account of their own whose name is a marked
//! word, ask a real server with four connections to its database at once, from the moment it listens on; every fifth
//! request is given up within 50 ms. No answer has a word or a cookie of another's, and in the end all connections are
//! idle. ISOLATION_REQUESTS: how many; unless told 20,000, and 5,000 on PostgreSQL.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::HttpServer;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use subtenant::app;

use crate::browser::Browser;
use crate::world::{PASSWORD, World, admin_of, email};

const PEOPLE: usize = 64;
const MARK: &str = "canary";

/// Pages of one's own account.
const PAGES: [&str; 6] =
    ["dashboard", "child-accounts", "switch?q=canary&part=hits", "members", "audit-log", "child-accounts?scope=below"];

struct Person {
    number: usize,
    account: String,
    cookie: String,
}

#[test]
fn nobody_gets_what_is_somebody_elses() {
    let world = World::new();
    let people = actix_web::rt::System::new().block_on(sign_in_all(&world));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let usual = if world.place().is_postgres() { 5_000 } else { 20_000 };
    let all: usize = std::env::var("ISOLATION_REQUESTS").ok().and_then(|n| n.parse().ok()).unwrap_or(usual);
    let (asked, start) = (AtomicUsize::new(0), Barrier::new(PEOPLE + 1));
    let (finish, over) = tokio::sync::oneshot::channel::<()>();
    let parts = world.parts.clone();
    std::thread::scope(|scope| {
        let (asked, start) = (&asked, &start);
        let server = scope.spawn(move || {
            start.wait();
            let system = actix_web::rt::System::new();
            let server = HttpServer::new(move || app::build(parts.clone())).workers(2).disable_signals();
            let ran = system.block_on(async move {
                let running = server.listen(listener).expect("listening").run();
                let handle = running.handle();
                let stop = async {
                    let _ = over.await;
                    handle.stop(true).await;
                };
                futures_util::future::join(running, stop).await.0
            });
            ran.expect("the server runs");
        });
        let asking: Vec<_> = people
            .iter()
            .map(|person| {
                scope.spawn(move || {
                    let mut rng = StdRng::seed_from_u64(person.number as u64);
                    start.wait();
                    while asked.fetch_add(1, Ordering::Relaxed) < all {
                        ask(person, address, &mut rng);
                    }
                })
            })
            .collect();
        asking.into_iter().for_each(|one| one.join().expect("nobody saw anything of another's"));
        finish.send(()).expect("the server waits for it");
        server.join().expect("the server stops");
    });
    let (readers, writers, waiting) = world.pool.connections();
    assert_eq!((readers.in_use, writers.in_use, waiting), (0, 0, 0), "connections that never came back");
}

async fn sign_in_all(world: &World) -> Vec<Person> {
    let console = world.console().await;
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let name = format!("{MARK}-{number:02}");
        world.account(&name).child(&format!("{MARK}-{number:02}-below"));
        let mut browser = Browser::new(&console);
        // Each from a place of their own, as so many would be throttled at one.
        browser.peer = SocketAddr::from(([192, 0, 2, number as u8 + 1], 40_000));
        browser.sign_in(&email(&admin_of(&name)), PASSWORD).await;
        let cookies: BTreeMap<String, String> = browser.cookies.clone();
        let cookie = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        people.push(Person { number, account: world.id(&name), cookie });
    }
    people
}

fn ask(person: &Person, address: SocketAddr, rng: &mut StdRng) {
    let page = PAGES[rng.random_range(0..PAGES.len())];
    let mut stream = TcpStream::connect(address).expect("a connection");
    let request = format!(
        "GET /a/{}/{page} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {}\r\nConnection: close\r\n\r\n",
        person.account, person.cookie
    );
    stream.write_all(request.as_bytes()).expect("the request is sent");
    if rng.random_bool(0.2) {
        stream.set_read_timeout(Some(Duration::from_millis(rng.random_range(1..50)))).expect("a time limit");
        let mut some = [0; 512];
        let _ = stream.read(&mut some);
        return;
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{page}: {}", answer.lines().next().unwrap_or_default());
    let own = format!("{:02}", person.number);
    let mut seen = 0;
    for word in answer.split(&format!("{MARK}-")).skip(1) {
        let word: String = word.chars().take(2).collect();
        assert_eq!(word, own, "{page} of {MARK}-{own} says {MARK}-{word}");
        seen += 1;
    }
    assert!(seen > 0, "{page} says nothing of {MARK}-{own}");
    let head = answer.split("\r\n\r\n").next().unwrap_or_default().to_lowercase();
    for cookie in head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
        let given = cookie.split(';').next().unwrap_or_default();
        assert!(person.cookie.to_lowercase().contains(given), "{page} sets a cookie of somebody else's: {given}");
    }
}
