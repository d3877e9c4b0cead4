//! The database is busy, full, read-only or away. Who writes gets a page in the usual layout that says so and when to
//! come back, nothing is stored by half, reading goes on where it can, and the same form sent again afterwards is
//! carried out once. Nothing has to be started anew.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use subtenant::store::Db;

use crate::browser::{Answer, Browser};
use crate::crawl::world;
use crate::dump::{assert_unchanged, dump};
use crate::forms::right_form;
use crate::headers;
use crate::page::{Form, Page};
use crate::place::{on_server, postgres};
use crate::world::World;

#[track_caller]
fn assert_unavailable(answer: &Answer, what: &str) {
    let page = Page::read(what, answer);
    assert_eq!(answer.status, 503, "{page}");
    assert_eq!(page.heading(), "Not available right now", "{page}");
    assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|s| s > 0), "{what}");
    headers::check(what, answer);
}

async fn with_form() -> (World, Browser, Form) {
    let world = world();
    let mut browser = world.browser("admin-of-acme").await;
    browser.get(&world.path("lab", "child-accounts")).await;
    let form = right_form(&mut browser, &world.path("lab", "child-accounts/new")).await;
    (world, browser, form)
}

/// Writing is refused, reading goes on, and afterwards the same form makes one account.
async fn refused_then_taken(world: &World, browser: &mut Browser, form: &Form, what: &str, heal: impl FnOnce()) {
    let before = dump(world);
    let answer = browser.post(&form.action, &form.pairs()).await;
    assert_unavailable(&answer, what);
    assert_unchanged(&before, world, what);
    for section in ["child-accounts", "settings", "dashboard", "billing", "switch"] {
        assert_eq!(browser.get(&world.path("lab", section)).await.status, 200, "{what}: {section}");
    }
    heal();
    for _ in 0..2 {
        let answer = browser.post(&form.action, &form.pairs()).await;
        assert_eq!(answer.status, 303, "after {what}: {}", Page::read("", &answer));
    }
    browser.get(&world.path("lab", "child-accounts")).await;
    let link = format!("Go to {}", form.value("name"));
    assert!(browser.page.link(&link).is_some(), "{}", browser.page);
    world.assert_sound();
}

#[actix_web::test]
async fn while_somebody_else_holds_the_write_lock_pages_are_read_and_writing_is_told_to_wait() {
    let (world, mut browser, form) = with_form().await;
    if world.place().is_postgres() {
        let mut other = PgConnection::establish(world.place().url()).expect("another connection");
        other.batch_execute("BEGIN; LOCK TABLE accounts IN EXCLUSIVE MODE").expect("the lock is taken");
        let release = || other.batch_execute("ROLLBACK").expect("the lock is given back");
        refused_then_taken(&world, &mut browser, &form, "a locked table", release).await;
    } else {
        let mut other = SqliteConnection::establish(world.place().url()).expect("another connection");
        other.batch_execute("BEGIN IMMEDIATE").expect("the lock is taken");
        let release = || other.batch_execute("ROLLBACK").expect("the lock is given back");
        refused_then_taken(&world, &mut browser, &form, "a locked file", release).await;
    }
}

#[actix_web::test]
async fn a_database_that_takes_no_writes_is_read_on() {
    let (world, mut browser, form) = with_form().await;
    let (close, open) = match world.place().is_postgres() {
        true => ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off"),
        false => ("PRAGMA query_only = on", "PRAGMA query_only = off"),
    };
    if !world.place().is_postgres() {
        world.sql(close);
        refused_then_taken(&world, &mut browser, &form, "a read-only file", || {
            world.sql(open);
        })
        .await;
        return;
    }
    let name = world.place().url().rsplit('/').next().unwrap_or_default().to_owned();
    let all = |statement: &str| {
        on_server(&format!("ALTER DATABASE {name} {statement}"));
        disconnect(&world);
    };
    all(close);
    refused_then_taken(&world, &mut browser, &form, "a read-only database", || all(open)).await;
}

#[actix_web::test]
async fn a_full_disk_is_said_to_be_so_and_stores_nothing_by_half() {
    let (world, mut browser, form) = with_form().await;
    if world.place().is_postgres() {
        return;
    }
    // The page limit is the connection's, and there is one that writes.
    world.sql("PRAGMA max_page_count = 1");
    let long = "x".repeat(200);
    let mut big = form.clone();
    big.set("description", &long);
    // Fill what room is left in the last pages.
    let mut answers = Vec::new();
    for n in 0..200 {
        big.set("_key", &subtenant::ids::token());
        big.set("name", &format!("filler {n}"));
        let before = dump(&world);
        let answer = browser.post(&big.action, &big.pairs()).await;
        if answer.status != 303 {
            assert_unavailable(&answer, "a full disk");
            assert_unchanged(&before, &world, "a full disk");
            answers.push(answer);
            break;
        }
    }
    assert_eq!(answers.len(), 1, "the disk never got full");
    refused_then_taken(&world, &mut browser, &big, "a full disk", || {
        world.sql("PRAGMA max_page_count = 1000000");
    })
    .await;
}

fn disconnect(world: &World) {
    let name = world.place().url().rsplit('/').next().unwrap_or_default().to_owned();
    on_server(&format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"));
}

#[actix_web::test]
async fn a_database_that_goes_away_and_comes_back_needs_no_restart() {
    if postgres().is_none() {
        return;
    }
    let (world, mut browser, form) = with_form().await;
    let name = world.place().url().rsplit('/').next().unwrap_or_default().to_owned();
    let page = world.path("lab", "settings");
    for _ in 0..3 {
        disconnect(&world);
        let status = browser.get(&page).await.status;
        assert!(status == 200 || status == 503, "{}", browser.page);
        assert_eq!(browser.get(&page).await.status, 200);
    }
    on_server(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    disconnect(&world);
    for request in
        [browser.request(actix_web::http::Method::GET, &page), browser.request(actix_web::http::Method::GET, "/readyz")]
    {
        assert_unavailable(&browser.console.send(request).await, "a database that is away");
    }
    assert_unavailable(&browser.post(&form.action, &form.pairs()).await, "a form while the database is away");
    assert_eq!(browser.get("/healthz").await.body, "ok\n");
    on_server(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    assert_eq!(browser.get(&page).await.status, 200);
    assert_eq!(browser.post(&form.action, &form.pairs()).await.status, 303);
}

#[actix_web::test]
async fn long_reads_leave_connections_for_pages() {
    let world = world();
    let mut browser = world.browser("admin-of-acme").await;
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Arc::new(std::sync::Mutex::new(held));
    let long: Vec<_> = (0..100)
        .map(|_| {
            let (pool, held) = (world.pool.clone(), held.clone());
            actix_web::rt::spawn(async move {
                // Ends when nothing can be sent any more.
                let read = move |_: &mut Db| Ok(held.lock().map(|held| held.recv().is_ok()).is_ok());
                pool.read_long(read).await
            })
        })
        .collect();
    // As many as may are under way when one has to wait.
    while world.pool.connections().2 == 0 {
        actix_web::rt::task::yield_now().await;
    }
    browser.get(&world.path("lab", "settings")).await;
    assert_eq!(browser.page.status, 200, "{}", browser.page);
    drop(release);
    for read in long {
        assert!(read.await.expect("it ends").expect("every long read has its turn"));
    }
}
