//! What a stranger can do to the process with a socket (T40): five hundred that send a letter now and then, bodies of a
//! hundred megabytes, ten thousand headers. Each is refused or waited for at little cost; whoever is signed in gets
//! their pages meanwhile, and the process stays small. HOSTILE_ROUNDS: how often, once unless told.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::crash::{Server, page, sign_in};
use crate::world::World;

const SLOW: usize = 500;
/// Bytes of the body that is too large, sent in pieces as long as somebody takes them.
const BODY: usize = 100 << 20;
const HEADERS: usize = 10_000;
/// Kilobytes.
const MOST_MEMORY: u64 = 512 << 10;

#[test]
fn slow_senders_large_bodies_and_many_headers_hold_nobody_up() {
    let world = World::new();
    world.account("acme");
    let id = world.id("acme");
    let place = world.into_place();
    let server = Server::start(place.url());
    let address = server.origin.trim_start_matches("http://").to_owned();
    let agent = sign_in(&server.origin);
    let own = format!("{}/a/{id}/child-accounts", server.origin);
    let rounds = std::env::var("HOSTILE_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    for _ in 0..rounds {
        let mut slow: Vec<TcpStream> = (0..SLOW).map(|_| connect(&address)).collect();
        for letter in b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nemail=" {
            // Whoever is hung up on is out of the race.
            slow.retain_mut(|stream| stream.write_all(&[*letter]).is_ok());
        }
        let refused = large_body(&address);
        assert!(refused.starts_with("HTTP/1.1 4"), "a body of a hundred megabytes: {refused}");
        let refused = many_headers(&address);
        assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 4"), "ten thousand headers: {refused}");
        let shown = page(&agent, &own).expect("pages are answered meanwhile");
        assert_eq!(shown.status, 200);
        drop(slow);
    }
    assert!(server.memory() < MOST_MEMORY, "{} kB of memory", server.memory());
    server.kill();
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_write_timeout(Some(Duration::from_secs(10))).expect("a time limit");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time limit");
    stream
}

/// The first line of the answer.
fn large_body(address: &str) -> String {
    let mut stream = connect(address);
    let head = format!("POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY}\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("the head is sent");
    let piece = vec![b'a'; 1 << 20];
    for _ in 0..BODY / piece.len() {
        if stream.write_all(&piece).is_err() {
            break;
        }
    }
    first_line(&mut stream)
}

fn many_headers(address: &str) -> String {
    let mut stream = connect(address);
    let mut request = "GET /sign-in HTTP/1.1\r\nHost: x\r\n".to_owned();
    (0..HEADERS).for_each(|n| request.push_str(&format!("X-Header-{n}: {n}\r\n")));
    request.push_str("\r\n");
    let _ = stream.write_all(request.as_bytes());
    first_line(&mut stream)
}

/// Empty where the other side hung up.
fn first_line(stream: &mut TcpStream) -> String {
    let mut answer = [0; 256];
    let read = stream.read(&mut answer).unwrap_or(0);
    String::from_utf8_lossy(&answer[..read]).lines().next().unwrap_or_default().to_owned()
}
