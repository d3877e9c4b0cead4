//! Guessing at sign-in (T39): where it ends, for whom, and for how long. The victim always gets in from an address that
//! is known, and from a new one as long as nobody guesses there; addresses that somebody merely claims count for
//! nothing. Windows are aged by SQL.

use crate::browser::Browser;
use crate::world::{PASSWORD, World, email};

fn world() -> World {
    let world = World::new();
    world.account("acme");
    world
}

/// Somebody at this address tries once; the status of the answer.
async fn tries(world: &World, address: &str, email: &str, password: &str) -> u16 {
    let mut browser = Browser::new(&world.console().await);
    browser.peer = format!("{address}:40000").parse().expect("an address");
    browser.sign_in(email, password).await;
    browser.page.status.as_u16()
}

const VICTIM: &str = "admin-of-acme@example.com";
const IN: u16 = 200;
const WRONG: u16 = 422;
const TOO_MANY: u16 = 429;

#[actix_web::test]
async fn ten_wrong_passwords_from_one_address_are_enough_and_elsewhere_the_victim_gets_in() {
    let world = world();
    for _ in 0..10 {
        assert_eq!(tries(&world, "198.51.100.1", VICTIM, "wrong").await, WRONG);
    }
    assert_eq!(tries(&world, "198.51.100.1", VICTIM, "wrong").await, TOO_MANY);
    assert_eq!(tries(&world, "198.51.100.1", VICTIM, PASSWORD).await, TOO_MANY, "the eleventh guess may be right");
    assert_eq!(tries(&world, "198.51.100.1", "ADMIN-of-acme@example.com ", PASSWORD).await, TOO_MANY);
    assert_eq!(tries(&world, "203.0.113.5", VICTIM, PASSWORD).await, IN);
}

#[actix_web::test]
async fn the_refusal_says_when_to_come_back_and_then_it_works() {
    let world = world();
    for _ in 0..11 {
        tries(&world, "198.51.100.1", VICTIM, "wrong").await;
    }
    let mut browser = Browser::new(&world.console().await);
    browser.peer = "198.51.100.1:5".parse().expect("an address");
    browser.get("/sign-in").await;
    let mut form = browser.page.form("Sign in");
    form.fill("Email", VICTIM);
    form.fill("Password", PASSWORD);
    let answer = browser.post("/sign-in", &form.pairs()).await;
    assert_eq!(answer.status, 429);
    let seconds: i64 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=900).contains(&seconds), "{seconds}");
    assert!(answer.text().contains("Too many attempts"));
    let past = (subtenant::ids::now() - chrono::Duration::minutes(16)).format("%Y-%m-%d %H:%M:%S%.6f");
    world.sql(&format!("UPDATE throttles SET window_started_at = '{past}'"));
    assert_eq!(tries(&world, "198.51.100.1", VICTIM, PASSWORD).await, IN);
}

#[actix_web::test]
async fn a_thousand_addresses_do_not_lock_the_victim_out_of_a_known_one() {
    let world = world();
    assert_eq!(tries(&world, "203.0.113.5", VICTIM, PASSWORD).await, IN);
    // As if a hundred others had tried before; the rows are as the console counts them.
    for n in 0..101 {
        let status = tries(&world, &format!("198.51.100.{n}"), VICTIM, "wrong").await;
        assert_eq!(status, if n < 100 { WRONG } else { TOO_MANY }, "{n}");
    }
    assert_eq!(tries(&world, "198.51.100.200", VICTIM, PASSWORD).await, TOO_MANY, "guessing goes on from everywhere");
    assert_eq!(tries(&world, "203.0.113.5", VICTIM, PASSWORD).await, IN, "the victim is locked out");
    assert_eq!(tries(&world, "203.0.113.5", VICTIM, "wrong").await, WRONG);
    assert_eq!(tries(&world, "203.0.113.5", VICTIM, PASSWORD).await, IN);
}

#[actix_web::test]
async fn signing_in_from_a_known_address_makes_no_room_for_guesses_from_elsewhere() {
    let world = world();
    assert_eq!(tries(&world, "203.0.113.5", VICTIM, PASSWORD).await, IN);
    for n in 0..3 {
        assert_eq!(tries(&world, &format!("198.51.100.{n}"), VICTIM, "wrong").await, WRONG);
    }
    for _ in 0..3 {
        assert_eq!(tries(&world, "203.0.113.5", VICTIM, PASSWORD).await, IN);
    }
    let three = "UPDATE throttles SET failures = failures WHERE bucket LIKE 'email:%' AND failures = 3";
    assert_eq!(world.sql(three), 1, "the guesses were forgiven");
}

#[actix_web::test]
async fn one_address_does_not_try_everybody() {
    let world = world();
    for n in 0..50 {
        assert_eq!(tries(&world, "198.51.100.1", &email(&format!("nobody-{n}")), "wrong").await, WRONG, "{n}");
    }
    assert_eq!(tries(&world, "198.51.100.1", &email("nobody-50"), "wrong").await, TOO_MANY);
    assert_eq!(tries(&world, "198.51.100.1", VICTIM, PASSWORD).await, TOO_MANY);
    assert_eq!(tries(&world, "198.51.100.2", VICTIM, PASSWORD).await, IN);
}

#[actix_web::test]
async fn one_line_of_ipv6_is_one_address_and_a_claimed_address_is_none() {
    let world = world();
    for n in 0..10 {
        assert_eq!(tries(&world, &format!("[2001:db8:1:2::{n:x}]"), VICTIM, "wrong").await, WRONG);
    }
    assert_eq!(tries(&world, "[2001:db8:1:2:ffff::1]", VICTIM, PASSWORD).await, TOO_MANY);
    assert_eq!(tries(&world, "[2001:db8:1:3::1]", VICTIM, PASSWORD).await, IN);
}

#[actix_web::test]
async fn signing_up_is_counted_too() {
    let world = world();
    for (n, status) in [(0, IN), (1, IN), (2, TOO_MANY)] {
        let mut browser = Browser::new(&world.console().await);
        browser.get("/sign-up").await;
        let email = format!("new-{n}@example.com");
        let entries = [
            ("First name", "New"),
            ("Last name", "Comer"),
            ("Company", "Acme"),
            ("Email", email.as_str()),
            ("Password", PASSWORD),
            ("Account name", "Mine"),
        ];
        let answered = browser.submit("Sign up", &entries).await.status.as_u16();
        assert_eq!(answered, status, "{n}: {}", browser.page);
        // As if ninety-eight more had signed up there.
        world.sql("UPDATE throttles SET failures = failures + 98 WHERE bucket LIKE 'sign-up:%' AND failures = 1");
    }
}
