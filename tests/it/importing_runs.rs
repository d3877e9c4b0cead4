//! Carrying an import out: once, whatever is pressed, killed or done at the same time; with the rights and the room that
//! there are at that moment; and what is done about lines that were refused.

use std::collections::BTreeSet;

use actix_web::http::{Method, header};
use chrono::Duration;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use futures_util::future::join;
use subtenant::importing::{self, Hand};
use subtenant::limits::Resource;
use subtenant::store::Pool;
use subtenant::store::schema::{account_imports, accounts as account_rows, audit_entries};

use crate::browser::{Answer, Browser, FORM, encode};
use crate::imported::{import_of, upload};
use crate::importing::run;
use crate::limits::limit;
use crate::page::Form;
use crate::world::World;

const MAX_DEPTH: i64 = 1000;

fn world() -> World {
    let world = World::new();
    world.account("acme").child("lab").account_manager("mia");
    world
}

/// One account with nine below it, the last of them two levels down.
fn file() -> String {
    let below: String = (1..9).map(|n| format!("Unit {n},top,\n")).collect();
    format!("name,parent,external_reference\nTop,,top\n{below}Deep,Top / Unit 8,\n")
}

/// Mia's import into the lab, started.
async fn started(world: &World) -> Browser {
    let mut mia = world.browser("mia").await;
    upload(&mut mia, world, "lab", "x.csv", &file()).await;
    mia.submit("Create 10 child accounts", &[]).await;
    assert_eq!(mia.page.heading(), "Importing child accounts", "{}", mia.page);
    mia
}

fn hand(world: &World) -> Option<Hand> {
    let due = world.read(importing::due).expect("imports are read");
    due.first().and_then(|import| world.write(|db| importing::take(db, *import)).expect("it is taken"))
}

fn step(world: &World, hand: Hand, most: i64) -> Option<Hand> {
    world.write(|db| importing::step(db, hand, MAX_DEPTH, most)).expect("a step")
}

/// As if the process that has it had died some time ago.
fn let_go(world: &World) {
    let past = (subtenant::ids::now() - Duration::seconds(1)).format("%Y-%m-%d %H:%M:%S%.6f");
    world.sql(&format!("UPDATE account_imports SET claimed_until = '{past}'"));
}

/// Names of the accounts below the lab.
fn made(world: &World) -> Vec<String> {
    let names = account_rows::table.filter(account_rows::depth.gt(1)).order(account_rows::key);
    world.read(|db| Ok(names.select(account_rows::name).load(db)?)).expect("accounts are read")
}

fn assert_all_once(world: &World) {
    let names = made(world);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 10, "{names:?}");
    assert_eq!(names.len(), 10, "{names:?}");
    world.assert_sound();
}

async fn send(browser: &Browser, form: &Form) -> Answer {
    let request = browser.request(Method::POST, &form.action).insert_header((header::CONTENT_TYPE, FORM));
    browser.console.send(request.set_payload(encode(&form.pairs()))).await
}

#[actix_web::test]
async fn the_button_pressed_in_two_tabs_at_once_starts_one_run() {
    let world = world();
    let mut one = world.browser("mia").await;
    upload(&mut one, &world, "lab", "x.csv", &file()).await;
    let mut other = one.clone();
    other.get(&one.page.uri.clone()).await;
    let forms = [&one, &other].map(|browser| browser.page.form("Create 10 child accounts"));
    assert_ne!(forms[0].value("_key"), forms[1].value("_key"));
    let (first, second) = join(send(&one, &forms[0]), send(&other, &forms[1])).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (303, 303));
    join(run(&world), run(&world)).await;
    assert_all_once(&world);
    let started = audit_entries::table.filter(audit_entries::event_type.eq("ACCOUNT_IMPORT_CREATE"));
    let id = import_of(&world, "lab");
    let entries = audit_entries::table.filter(audit_entries::request_id.eq(&id));
    let counted = world.read(|db| Ok((started.count().get_result::<i64>(db)?, entries.count().get_result::<i64>(db)?)));
    assert_eq!(counted.expect("entries are counted"), (1, 10), "one for the import, and one group of what it made");
}

#[actix_web::test]
async fn processes_at_once_and_one_that_died_make_each_account_once() {
    let world = world();
    started(&world).await;
    let dead = hand(&world).expect("somebody takes it");
    assert_eq!(hand(&world), None, "nobody else has it");
    let dead = step(&world, dead, 3).expect("there is more");
    let_go(&world);
    let pools: Vec<Pool> = (0..3).map(|_| Pool::open(&world.config.database_url, 1).expect("a pool")).collect();
    std::thread::scope(|scope| {
        for pool in &pools {
            scope.spawn(move || {
                for import in pool.read_here(importing::due).expect("imports are read") {
                    let mut hand = pool.write_here(|db| importing::take(db, import)).expect("it is taken");
                    while let Some(mine) = hand {
                        hand = pool.write_here(|db| importing::step(db, mine, MAX_DEPTH, 2)).expect("a step");
                    }
                }
            });
        }
    });
    assert_eq!(step(&world, dead, 3), None, "what was taken over is not done by the dead one");
    assert_all_once(&world);
}

#[actix_web::test]
async fn a_right_that_is_taken_away_in_the_middle_refuses_the_rest() {
    let world = world();
    let mut mia = started(&world).await;
    world.account("acme").at("lab").account_manager("ned");
    let mine = hand(&world).and_then(|hand| step(&world, hand, 4)).expect("there is more");
    world.sql(&format!("DELETE FROM assignments WHERE user_key = {}", world.person("mia")));
    let mine = step(&world, mine, 4).expect("there is more");
    let mine = step(&world, mine, 4).expect("the last of it");
    assert_eq!(step(&world, mine, 4), None);
    assert_eq!(made(&world).len(), 4);
    let uri = mia.page.uri.clone();
    assert_eq!(mia.get(&uri).await.status, 404);
    let page = world.browser("ned").await.get(&format!("{uri}?show=errors")).await.clone();
    assert_eq!(page.rows().len(), 6, "{page}");
    assert!(page.text().contains("The parent account is closed, or you do not see it any more."), "{page}");
    assert!(page.text().contains("Its parent, line 10, was not created."), "{page}");
}

#[actix_web::test]
async fn a_limit_is_said_before_and_holds_in_the_middle_and_refused_lines_are_tried_again() {
    let world = world();
    limit(&world, "lab", Resource::Account, true, 3);
    let mut mia = world.browser("mia").await;
    let page = upload(&mut mia, &world, "lab", "x.csv", &file()).await;
    assert!(page.has_button("Create 3 child accounts"), "{page}");
    assert!(page.row("5").join(" ").contains("parent: A limit is reached"), "{page}");
    world.sql("DELETE FROM resource_limits");
    let mut mia = started(&world).await;
    limit(&world, "lab", Resource::Account, true, 6);
    run(&world).await;
    mia.click("Refresh").await;
    assert!(mia.page.text().contains("Created6") && mia.page.text().contains("Refused4"), "{}", mia.page);
    world.sql("DELETE FROM resource_limits");
    mia.submit("Try the 4 lines again that were not created", &[]).await;
    assert_eq!(mia.page.heading(), "Check the import", "{}", mia.page);
    let lines: Vec<String> = mia.page.rows().into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(lines, ["8", "9", "10", "11"], "lines keep their numbers");
    mia.submit("Create 4 child accounts", &[]).await;
    run(&world).await;
    assert_all_once(&world);
}

#[actix_web::test]
async fn an_import_that_is_stopped_keeps_what_it_made() {
    let world = world();
    let mut mia = started(&world).await;
    let mine = hand(&world).and_then(|hand| step(&world, hand, 4)).expect("there is more");
    mia.click("Refresh").await;
    assert!(mia.page.text().contains("4 of 10 lines are done"), "{}", mia.page);
    mia.submit("Stop the import", &[]).await;
    assert_eq!(mia.page.heading(), "Import stopped");
    assert_eq!(step(&world, mine, 4), None);
    run(&world).await;
    assert_eq!(made(&world).len(), 4);
    mia.submit("Try the 6 lines again that were not created", &[]).await;
    mia.submit("Create 6 child accounts", &[]).await;
    run(&world).await;
    assert_all_once(&world);
}

#[actix_web::test]
async fn what_changes_after_the_check_is_seen_by_the_run() {
    let world = world();
    let mut mia = started(&world).await;
    // Somebody else makes the account with that reference in the meantime, and another one asks for a second factor.
    let by = world.grant("mia", "lab").expect("she may");
    let new = crate::world::new_child("Top as well");
    world.write(|db| subtenant::accounts::open_child_called(db, &by, new, "top")).expect("a child account");
    world.sql("UPDATE accounts SET requires_second_factor = TRUE WHERE name = 'Top as well'");
    run(&world).await;
    mia.click("Refresh").await;
    let text = mia.page.text();
    assert!(text.contains("Already there1") && text.contains("Refused9"), "{text}");
    assert!(text.contains("asks for a second factor, and you signed in without one"), "{text}");
    assert_eq!(made(&world), ["Top as well"]);
}

#[actix_web::test]
async fn lines_that_are_tried_again_are_looked_at_before_anything_is_locked() {
    let world = world();
    let mut mia = started(&world).await;
    let mut form = mia.page.form("Stop the import");
    form.set("act", "retry");
    run(&world).await;
    // Somebody else writes; that nothing is left is said without waiting for them.
    let answer = if world.place().is_postgres() {
        let mut other = PgConnection::establish(world.place().url()).expect("another connection");
        other.batch_execute("BEGIN; LOCK TABLE submissions IN EXCLUSIVE MODE").expect("the lock is taken");
        mia.post(&form.action, &form.pairs()).await
    } else {
        let mut other = SqliteConnection::establish(world.place().url()).expect("another connection");
        other.batch_execute("BEGIN IMMEDIATE").expect("the lock is taken");
        mia.post(&form.action, &form.pairs()).await
    };
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(answer.text().contains("Every line of this import was carried out"), "{}", answer.text());
}

#[actix_web::test]
async fn lines_of_an_import_that_created_nothing_are_tried_again_without_a_warning() {
    let world = world();
    let mut mia = started(&world).await;
    let uri = mia.page.uri.clone();
    let again = upload(&mut mia, &world, "lab", "x.csv", &file()).await;
    assert!(again.text().contains("This file was imported before"), "one that runs may create them yet: {again}");
    mia.get(&uri).await;
    mia.submit("Stop the import", &[]).await;
    mia.submit("Try the 10 lines again that were not created", &[]).await;
    assert!(!mia.page.text().contains("This file was imported before"), "{}", mia.page);
    mia.submit("Create 10 child accounts", &[]).await;
    assert_eq!(mia.page.heading(), "Importing child accounts", "{}", mia.page);
    run(&world).await;
    assert_all_once(&world);
}

#[actix_web::test]
async fn drafts_are_forgotten_after_a_day_and_results_after_ninety() {
    let world = world();
    let mut mia = started(&world).await;
    run(&world).await;
    let uri = mia.page.uri.clone();
    for n in 0..7 {
        upload(&mut mia, &world, "lab", "x.csv", &format!("name\n{n}\n")).await;
    }
    let count = || world.read(|db| Ok(account_imports::table.count().get_result::<i64>(db)?)).expect("counted");
    assert_eq!(count(), 6, "of one person's drafts five are kept");
    world.sql("UPDATE account_imports SET created_at = '2026-01-01 00:00:00'");
    run(&world).await;
    assert_eq!(count(), 1);
    assert_eq!(mia.get(&uri).await.heading(), "Import done");
    world.sql("UPDATE account_imports SET finished_at = '2026-01-01 00:00:00'");
    run(&world).await;
    assert_eq!(mia.get(&uri).await.status, 404);
}

#[actix_web::test]
async fn many_lines_from_the_bottom_up_are_made_from_the_top_down() {
    let world = world();
    let mut mia = world.browser("mia").await;
    // A chain of branches with leaves, from the bottom up, by reference and by path.
    let mut lines: Vec<String> =
        (0..600).map(|n| format!("leaf {n},{},\n", if n % 2 == 0 { "b/7" } else { "branch 0" })).collect();
    lines.extend((0..20).rev().map(|n| match n {
        0 => "branch 0,,b/0\n".to_owned(),
        n => format!("branch {n},b/{},b/{n}\n", n - 1),
    }));
    let page =
        upload(&mut mia, &world, "lab", "x.csv", &format!("name,parent,external_reference\n{}", lines.concat())).await;
    assert!(page.has_button("Create 620 child accounts"), "{page}");
    mia.submit("Create 620 child accounts", &[]).await;
    run(&world).await;
    mia.click("Refresh").await;
    assert!(mia.page.text().contains("Created620"), "{}", mia.page);
    world.assert_sound();
}
