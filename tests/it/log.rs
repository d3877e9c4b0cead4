//! The audit log as people read it: what was refused, who signed in, who acted from above and as what, in whose logs
//! an entry stands, and the same view as a file, however long.

use actix_web::http::Method;
use chrono::DateTime;
use diesel::prelude::*;
use subtenant::access::Scope;
use subtenant::access::policy::{CreateAccounts, UpdateAccounts};
use subtenant::ids;
use subtenant::store::schema::{audit_entries, audit_scope};
use subtenant::{accounts, store};

use crate::browser::Browser;
use crate::page::without_random;
use crate::world::{PASSWORD, World, admin_of, email};

/// acme, with Lab below; Lab has an administrator and a viewer of its own.
fn world() -> World {
    let world = World::new();
    world.account("acme").children(&["other"]).child("Lab").administrator("lena").viewer("vera");
    world.account("elsewhere");
    world
}

/// The entries of a log, newest first, each as one line.
async fn log(browser: &mut Browser, world: &World, account: &str, query: &str) -> Vec<String> {
    browser.get(&format!("{}{query}", world.path(account, "audit-log"))).await;
    assert_eq!(browser.page.status, 200, "{}", browser.page);
    let rows = browser.page.rows().into_iter().map(|row| row.join(" "));
    rows.filter(|row| row.contains(" UTC ")).collect()
}

fn about<'a>(rows: &'a [String], what: &str) -> Vec<&'a String> {
    rows.iter().filter(|row| row.contains(what)).collect()
}

#[actix_web::test]
async fn what_was_refused_is_in_the_log_once_a_minute_for_each_permission() {
    let world = world();
    let mut vera = world.browser("vera").await;
    for _ in 0..5 {
        assert_eq!(vera.get(&world.path("Lab", "settings/close")).await.status, 403);
        assert_eq!(vera.get(&world.path("Lab", "child-accounts/new?x=secret")).await.status, 403);
        world.pool.settled().await;
    }
    let mut lena = world.browser("lena").await;
    let rows = log(&mut lena, &world, "Lab", "?event=ACCESS_REFUSED&result=FAILURE").await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    for (row, permission, url) in [
        (&rows[1], "accounts: delete", "/a/{account}/settings/close"),
        (&rows[0], "accounts: create", "/a/{account}/child-accounts/new"),
    ] {
        for words in ["Access refused", "Failed", "vera Example", permission, "GET", url, "192.0.2.10"] {
            assert!(row.contains(words), "{words} is not in {row}");
        }
        assert!(!row.contains("x=secret"), "{row}");
    }
    let mut admin = world.browser(&admin_of("acme")).await;
    assert_eq!(log(&mut admin, &world, "acme", "?event=ACCESS_REFUSED").await.len(), 0);
    assert_eq!(log(&mut admin, &world, "acme", "?event=ACCESS_REFUSED&below=yes").await.len(), 2);
}

#[actix_web::test]
async fn one_person_cannot_fill_a_log_with_refusals() {
    let world = World::new();
    let root = world.account("acme");
    root.viewer("vera");
    let mut vera = world.browser("vera").await;
    for n in 0..35 {
        let name = format!("child {n}");
        root.child(&name);
        for page in ["settings/close", "child-accounts/new"] {
            assert_eq!(vera.get(&world.path(&name, page)).await.status, 403);
        }
    }
    world.pool.settled().await;
    let refused = audit_entries::table.filter(audit_entries::event_type.eq("ACCESS_REFUSED")).count();
    assert_eq!(world.read(|db| Ok(refused.get_result::<i64>(db)?)).expect("entries are counted"), 60);
}

#[actix_web::test]
async fn a_stranger_leaves_nothing_in_the_log() {
    let world = world();
    let mut stranger = world.browser(&admin_of("elsewhere")).await;
    for page in ["dashboard", "settings/close", "audit-log", "audit-log.jsonl"] {
        assert_eq!(stranger.get(&world.path("Lab", page)).await.status, 404);
    }
    world.pool.settled().await;
    let mut admin = world.browser(&admin_of("acme")).await;
    let rows = log(&mut admin, &world, "acme", "?below=yes").await;
    assert!(about(&rows, "elsewhere").is_empty(), "{rows:#?}");
}

#[actix_web::test]
async fn a_refusal_that_cannot_be_noted_stays_a_refusal() {
    let world = world();
    let mut vera = world.browser("vera").await;
    world.sql("ALTER TABLE audit_scope RENAME TO away");
    assert_eq!(vera.get(&world.path("Lab", "settings/close")).await.status, 403);
    world.pool.settled().await;
    assert!(vera.page.text().contains("accounts: delete"), "{}", vera.page);
}

#[actix_web::test]
async fn signing_in_and_out_is_in_the_logs_of_ones_accounts_and_of_those_above() {
    let world = world();
    let mut lena = world.browser("lena").await;
    let mut vera = Browser::new(&world.console().await);
    assert_eq!(vera.sign_in(&email("vera"), "a wrong password").await.status, 422);
    world.pool.settled().await;
    vera.sign_in(&email("vera"), PASSWORD).await;
    vera.get("/profile").await;
    vera.submit("Sign out", &[]).await;
    let rows = log(&mut lena, &world, "Lab", "?actor=vera").await;
    let words: Vec<_> = rows.iter().filter_map(|row| row.split(" UTC ").nth(1)).collect();
    assert_eq!(rows.len(), 3, "{rows:#?}");
    assert!(words[0].starts_with("User signed out") && words[1].starts_with("User signed in"), "{rows:#?}");
    assert!(words[2].starts_with("User signed in Failed") && !words[1].contains("Failed"), "{rows:#?}");
    let mut admin = world.browser(&admin_of("acme")).await;
    assert_eq!(log(&mut admin, &world, "acme", "?actor=vera").await.len(), 0);
    assert_eq!(log(&mut admin, &world, "acme", "?actor=vera&below=yes").await.len(), 3);
    assert_eq!(log(&mut admin, &world, "acme", "?actor=vera&below=yes&event=USER_LOGIN").await.len(), 2);
    assert_eq!(log(&mut admin, &world, "other", "?actor=vera&below=yes").await.len(), 0);
    let mut stranger = world.browser(&admin_of("elsewhere")).await;
    assert_eq!(log(&mut stranger, &world, "elsewhere", "?actor=vera&below=yes").await.len(), 0);
}

#[actix_web::test]
async fn who_was_a_member_and_is_not_any_more_signs_in_unseen() {
    let world = world();
    let branch = world.account("acme");
    branch.member_until("ed", "Read only", Scope::HereAndBelow, ids::now() - chrono::Duration::seconds(1));
    world.browser("ed").await;
    let mut admin = world.browser(&admin_of("acme")).await;
    assert_eq!(log(&mut admin, &world, "acme", "?actor=ed&below=yes").await.len(), 0);
}

#[actix_web::test]
async fn who_acts_from_above_is_in_both_logs_with_the_account_and_the_role() {
    let world = world();
    world.account("acme").member_until("hans", "Read only", Scope::Here, ids::never());
    let mut admin = world.browser(&admin_of("acme")).await;
    admin.get(&world.path("Lab", "settings")).await;
    admin.submit("Save", &[("Description", "new words")]).await;
    for account in ["Lab", "acme"] {
        let rows = log(&mut admin, &world, account, "?event=ACCOUNT_UPDATE").await;
        assert!(rows[0].contains("from acme as Administrator") && rows[0].contains("new words"), "{rows:#?}");
    }
    assert!(admin.page.rows()[0].contains(&"Lab".to_owned()), "the account is named: {}", admin.page);
    let mut lena = world.browser("lena").await;
    let rows = log(&mut lena, &world, "Lab", "?event=ACCOUNT_UPDATE").await;
    assert!(rows[0].contains("from an account above") && !rows[0].contains(" as Admin"), "{rows:#?}");
    // A role that holds at acme only does not see what happened below, whoever did it.
    let mut hans = world.browser("hans").await;
    assert!(about(&log(&mut hans, &world, "acme", "").await, "Account changed").is_empty(), "{}", hans.page);
    assert!(!about(&log(&mut hans, &world, "acme", "").await, "signed in").is_empty(), "{}", hans.page);
    let exported = hans.get(&world.path("acme", "audit-log.jsonl")).await.body.clone();
    assert!(!exported.contains("new words"), "{exported}");
    hans.get(&world.path("acme", "dashboard")).await;
    assert!(!without_random(&hans.page.body).contains("Lab"), "{}", hans.page);
}

#[actix_web::test]
async fn a_move_is_in_the_logs_it_left_and_in_those_it_came_under() {
    let world = World::new();
    let root = world.account("acme");
    root.child("old").administrator("otto").child("branch");
    root.child("new").administrator("nina");
    let by = world.grant::<UpdateAccounts>(&admin_of("acme"), "branch").expect("the administrator may");
    let to = world.grant::<CreateAccounts>(&admin_of("acme"), "new").expect("the administrator may");
    world.write(|db| accounts::move_under(db, &by, &to, 1000)).expect("the branch is moved");
    for (person, account, where_) in [("otto", "old", "no longer below"), ("nina", "new", "branch")] {
        let mut browser = world.browser(person).await;
        let rows = log(&mut browser, &world, account, "?event=ACCOUNT_MOVE&below=yes").await;
        assert!(rows.len() == 1 && rows[0].contains(where_), "{account}: {rows:#?}");
        assert!(log(&mut browser, &world, account, "?event=ACCOUNT_MOVE").await.is_empty());
    }
}

/// Entries in the account's log, all at once.
fn fill(world: &World, account: &str, entries: i64) {
    let insert = |db: &mut store::Db| {
        for n in 0..entries {
            let key = ids::next_key();
            let row = (
                (
                    audit_entries::key.eq(key),
                    audit_entries::id.eq(ids::new_id("audit")),
                    audit_entries::at.eq(ids::now()),
                ),
                (audit_entries::account_key.eq(world.key(account)), audit_entries::event_type.eq("ACCOUNT_UPDATE")),
                (audit_entries::subject_type.eq("ACCOUNT"), audit_entries::subject_id.eq(world.id(account))),
                (audit_entries::subject_name.eq(format!("=\"{n}\"")), audit_entries::result.eq("SUCCESS")),
                (audit_entries::before.eq(r#"[["name","a\nb"]]"#), audit_entries::after.eq(r#"[["name","c"]]"#)),
                (audit_entries::source.eq("CONSOLE"), audit_entries::address.eq(""), audit_entries::user_agent.eq("")),
                (audit_entries::request_id.eq(""), audit_entries::actor_key.eq(world.person("lena"))),
            );
            diesel::insert_into(audit_entries::table).values(row).execute(db)?;
            let seen = (
                audit_scope::account_key.eq(world.key(account)),
                audit_scope::entry_key.eq(key),
                audit_scope::own.eq(true),
            );
            diesel::insert_into(audit_scope::table).values(seen).execute(db)?;
        }
        Ok(())
    };
    world.write(|db| store::write(db, insert)).expect("the log is filled");
}

#[actix_web::test]
async fn a_file_holds_the_whole_view_however_long_in_both_forms_alike() {
    let world = world();
    fill(&world, "Lab", 2_345);
    let mut lena = world.browser("lena").await;
    let query = "?event=ACCOUNT_UPDATE&actor=lena";
    let mut files = Vec::new();
    for (ending, mime) in
        [("jsonl", "application/x-ndjson; charset=utf-8"), ("csv", "text/csv; charset=utf-8; header=present")]
    {
        let uri = format!("{}{query}", world.path("Lab", &format!("audit-log.{ending}")));
        let answer = lena.send(lena.request(Method::GET, &uri)).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, mime));
        assert!(answer.header("content-disposition").contains(&format!(".{ending}\"")));
        files.push(answer.text());
    }
    let lines: Vec<serde_json::Value> =
        files[0].lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!(lines.len(), 2_345);
    let times: Vec<&str> = lines.iter().map(|line| line["timestamp"].as_str().expect("a time")).collect();
    assert!(times.is_sorted_by(|a, b| a >= b) && times.iter().all(|t| DateTime::parse_from_rfc3339(t).is_ok()));
    let last = &lines[2_344];
    assert_eq!(last["changes"][0]["previous"], "a\nb");
    assert_eq!((&last["subject"]["title"], &last["eventType"]), (&"=\"0\"".into(), &"ACCOUNT_UPDATE".into()));
    assert_eq!(last["principal"]["title"], "lena Example");
    let mut table = csv::Reader::from_reader(files[1].as_bytes());
    let id = table.headers().expect("a head").iter().position(|head| head == "entry_id").expect("ids");
    let rows: Vec<csv::StringRecord> = table.records().map(|row| row.expect("a row")).collect();
    let ids = |n: usize| lines[n]["id"].as_str().expect("an id");
    assert!(rows.len() == 2_345 && rows.iter().enumerate().all(|(n, row)| &row[id] == ids(n)));
}

#[actix_web::test]
async fn a_page_beyond_the_last_entry_says_so_and_leads_back() {
    let world = world();
    let mut lena = world.browser("lena").await;
    // What a page writes as its end, older than everything: ["",1].
    log(&mut lena, &world, "Lab", "?after=WyIiLDFd&page=2").await;
    assert!(lena.page.text().contains("No more entries"), "{}", lena.page);
    lena.click("Back to the newest").await;
    assert!(lena.page.text().contains("Newest first"), "{}", lena.page);
}

#[actix_web::test]
async fn what_changed_stands_in_two_columns_and_no_secret_in_either() {
    let world = world();
    let mut lena = world.browser("lena").await;
    lena.get(&world.path("Lab", "settings")).await;
    lena.submit("Save", &[("Name", "Laboratory")]).await;
    log(&mut lena, &world, "Lab", "?event=ACCOUNT_UPDATE").await;
    assert_eq!(lena.page.all(".diff th"), ["Field", "Before", "After", "name"]);
    assert_eq!(lena.page.all(".diff td"), ["Lab", "Laboratory"]);
}
