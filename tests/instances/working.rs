//! The background work of several instances side by side: no mail goes out twice, no order is told twice, and what one
//! process does not get to another does.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use subtenant::mail::{Kind, Letter};
use subtenant::store::schema::{connections, mailed_links, mails};

use crate::client::Client;
use crate::cluster::Cluster;
use crate::orders::{order, ready};
use crate::post_office::PostOffice;
use crate::receiver::{Receiver, SECRET};
use crate::world::{World, email};
use crate::{count, is_possible};

const LONGEST: Duration = Duration::from_secs(120);

/// Waits until the count is this.
fn wait_for(what: &str, wanted: i64, now: impl Fn() -> i64) {
    let started = Instant::now();
    while now() != wanted {
        assert!(started.elapsed() < LONGEST, "{what}: {} instead of {wanted}", now());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn letter(n: usize) -> Letter {
    Letter {
        kind: Kind::SecurityNotice,
        to: email(&format!("person-{n}")),
        account: None,
        subject: format!("Notice {n}"),
        opening: vec!["Something happened.".to_owned()],
        facts: Vec::new(),
        action: None,
        closing: Vec::new(),
    }
}

#[test]
fn every_mail_goes_out_once_whoever_sends_it() {
    if !is_possible() {
        return;
    }
    let (world, office) = (World::new(), PostOffice::open());
    world.account("acme");
    world.sql("DELETE FROM mails");
    let letters = count(60, 2_000);
    let cluster = Cluster::start(world.place().url(), count(2, 4), &["--smtp-url", &office.url()]);
    world.write(|db| (0..letters).try_for_each(|n| subtenant::mail::post(db, &letter(n)))).expect("letters are posted");
    // Somebody who forgot a password asks at one instance; whichever looks first answers.
    let asking = count(3, 4);
    for n in 0..asking {
        let client = Client::from(&cluster.origin, &format!("198.51.100.{n}"));
        let mut form = client.form("/password/forgot", "Send the link");
        form.fill("Email", &email("admin-of-acme"));
        let reply = client.post("/password/forgot", &form.pairs()).expect("an answer");
        assert!(reply.status < 400, "{}", reply.page());
    }
    let answered = mailed_links::table.filter(mailed_links::kind.eq("PASSWORD_RESET"));
    let answered = answered.filter(mailed_links::user_key.is_not_null()).count();
    wait_for("links", asking as i64, || world.read(|db| Ok(answered.get_result(db)?)).expect("links are counted"));
    let sent = mails::table.filter(mails::state.eq("SENT")).count();
    let all = (letters + asking) as i64;
    wait_for("mails", all, || world.read(|db| Ok(sent.get_result(db)?)).expect("mails are counted"));
    drop(cluster);
    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    office.close().into_iter().for_each(|mail| *arrived.entry(mail.to).or_default() += 1);
    assert_eq!(arrived.remove(&email("admin-of-acme")), Some(asking), "one mail for each request");
    assert_eq!(arrived.len(), letters, "somebody got nothing");
    assert!(arrived.values().all(|times| *times == 1), "{arrived:?}");
}

#[test]
fn every_order_is_told_once_whoever_tells_it() {
    if !is_possible() {
        return;
    }
    let (world, fabric) = (World::new(), Receiver::start());
    ready(&world);
    let orders = count(20, 300);
    let settings = ["--provisioning-url", &fabric.url, "--provisioning-timeout", "15"];
    let secret = vec![("PROVISIONING_SECRET", SECRET.to_owned())];
    let cluster = Cluster::with_secrets(world.place().url(), count(2, 4), &settings, secret);
    let ids: Vec<String> = (0..orders).map(|n| order(&world, "acme", &format!("line {n}")).1).collect();
    let active = connections::table.filter(connections::state.eq("ACTIVE")).count();
    wait_for("connections", orders as i64, || world.read(|db| Ok(active.get_result(db)?)).expect("they are counted"));
    drop(cluster);
    let books = fabric.books();
    assert!(books.received.iter().all(|one| one.signed), "something was not signed");
    for id in &ids {
        let told = books.received.iter().filter(|one| one.subject() == *id).count();
        assert_eq!(told, 1, "{id} was told {told} times");
    }
    assert_eq!(books.received.len(), orders);
}
