//! The outbox and what becomes of it: written with the change or not at all, sent once by however many processes, tried
//! again where that can help, kept as files where there is no server, emptied when done. Against a real mail server.

use std::os::unix::fs::PermissionsExt;

use diesel::prelude::*;
use futures_util::future::join;
use subtenant::ids;
use subtenant::mail::{self, Carrier, Kind, Letter};
use subtenant::problem::Problem;
use subtenant::store::schema::mails;
use subtenant::{store, worker};
use tempfile::TempDir;

use crate::mailbox::empty;
use crate::post_office::{Arrived, PostOffice};
use crate::world::World;

fn letter(to: &str) -> Letter {
    Letter {
        kind: Kind::SecurityNotice,
        to: to.to_owned(),
        account: None,
        subject: "Zażółć gęślą jaźń".to_owned(),
        opening: vec!["Something about <b>Müller & Söhne</b> happened.".to_owned()],
        facts: vec![("Account".to_owned(), "Acme / EU".to_owned())],
        action: Some(("Open it".to_owned(), "/a/ac-x/dashboard".to_owned())),
        closing: vec!["Nothing to do.".to_owned()],
    }
}

fn post(world: &World, letter: &Letter) {
    world.write(|db| store::write(db, |db| mail::post(db, letter))).expect("the letter is posted");
}

/// A world whose mail goes through this office.
fn world_with(office: &PostOffice) -> World {
    World::with(|settings| settings.mail.smtp_url = Some(office.url()))
}

/// One round of the background work.
async fn round(world: &World) {
    worker::round(&world.tools()).await.expect("a round");
}

/// State, attempts, last error and what is left of the letter, the oldest first.
fn rows(world: &World) -> Vec<(String, i64, String, String)> {
    let columns = (mails::state, mails::attempts, mails::last_error, mails::letter);
    world.read(|db| Ok(mails::table.order(mails::key).select(columns).load(db)?)).expect("the outbox is read")
}

/// As if everything that waits had waited long enough.
fn pass_time(world: &World) {
    let past = (ids::now() - chrono::Duration::seconds(1)).format("%Y-%m-%d %H:%M:%S%.6f");
    world.sql(&format!("UPDATE mails SET due_at = '{past}' WHERE state = 'QUEUED'"));
}

/// The lines of the headers, folded ones put together.
fn headers(mail: &Arrived) -> Vec<String> {
    mail.head.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect()
}

fn header(mail: &Arrived, name: &str) -> String {
    let found: Vec<String> =
        headers(mail).iter().filter_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned)).collect();
    assert_eq!(found.len(), 1, "{name} in {:#?}", headers(mail));
    found[0].clone()
}

#[actix_web::test]
async fn a_letter_is_sent_in_text_and_html_and_leaves_nothing_behind() {
    let office = PostOffice::open();
    let world = world_with(&office);
    post(&world, &letter("ann@example.com"));
    round(&world).await;
    assert_eq!(rows(&world), [("SENT".to_owned(), 1, String::new(), String::new())]);
    round(&world).await;
    let arrived = office.close();
    assert_eq!(arrived.len(), 1);
    let mail = &arrived[0];
    assert_eq!((mail.from.as_str(), mail.to.as_str()), ("noreply@localhost", "ann@example.com"));
    assert_eq!(header(mail, "From"), "Subtenant <noreply@localhost>");
    assert_eq!(header(mail, "To"), "ann@example.com");
    assert_eq!(header(mail, "Auto-Submitted"), "auto-generated");
    assert!(header(mail, "Message-ID").starts_with("<mail-") && header(mail, "Date").ends_with("+0000"));
    assert!(header(mail, "Subject").starts_with("=?utf-8?"), "{}", header(mail, "Subject"));
    assert!(header(mail, "Content-Type").starts_with("multipart/alternative"));
    for part in [&mail.text, &mail.html] {
        assert!(part.contains("http://127.0.0.1:8080/a/ac-x/dashboard") && part.contains("Acme / EU"), "{part}");
    }
    assert!(mail.text.contains("<b>Müller & Söhne</b> happened"), "{}", mail.text);
    assert!(mail.html.contains("&#60;b&#62;Müller &#38; Söhne"), "what was typed is markup in {}", mail.html);
    assert!(mail.html.contains("prefers-color-scheme: dark") && !mail.html.contains("src="), "{}", mail.html);
}

#[actix_web::test]
async fn a_letter_goes_with_its_change_or_not_at_all() {
    let world = World::new();
    let undone = world.write(|db| {
        store::write(db, |db| {
            mail::post(db, &letter("ann@example.com"))?;
            Err::<(), Problem>(Problem::NotFound)
        })
    });
    assert!(undone.is_err());
    assert_eq!(rows(&world), []);
}

#[actix_web::test]
async fn two_workers_at_once_send_each_mail_once() {
    let office = PostOffice::open();
    let world = world_with(&office);
    for n in 0..40 {
        post(&world, &letter(&format!("n{n}@example.com")));
    }
    join(round(&world), round(&world)).await;
    assert!(rows(&world).iter().all(|(state, attempts, ..)| state == "SENT" && *attempts == 1), "{:?}", rows(&world));
    let mut to: Vec<String> = office.close().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to.len(), 40);
    to.sort();
    to.dedup();
    assert_eq!(to.len(), 40);
}

#[actix_web::test]
async fn what_is_refused_for_now_is_tried_again_and_what_is_refused_for_good_is_not() {
    let office = PostOffice::open();
    let world = world_with(&office);
    for to in ["later-ann@example.com", "never-bob@example.com", "eve@example.com"] {
        post(&world, &letter(to));
    }
    round(&world).await;
    let [later, never, eve] = &rows(&world)[..] else { panic!("three mails") };
    assert_eq!((later.0.as_str(), later.1, later.3.is_empty()), ("QUEUED", 1, false));
    assert!(later.2.contains("451") && later.2.contains("Try again later"), "{}", later.2);
    assert_eq!((never.0.as_str(), never.1, never.3.as_str()), ("FAILED", 1, ""));
    assert!(never.2.contains("550"), "{}", never.2);
    assert_eq!(eve.0, "SENT");
    round(&world).await;
    assert_eq!(rows(&world)[0].1, 1, "it waits its minute");
    pass_time(&world);
    round(&world).await;
    assert_eq!((rows(&world)[0].0.as_str(), rows(&world)[0].1), ("SENT", 2));
    assert_eq!(office.close().len(), 2);
}

#[actix_web::test]
async fn a_server_that_is_away_is_waited_for_and_given_up_after_three_days() {
    let url = PostOffice::open().url();
    let world = World::with(|settings| settings.mail.smtp_url = Some(url));
    post(&world, &letter("ann@example.com"));
    post(&world, &letter("bob@example.com"));
    round(&world).await;
    // Where nobody answers, the other mails are not tried in vain.
    let tried = rows(&world);
    assert_eq!((tried[0].1, tried[1].1), (1, 0), "{tried:?}");
    let old = (ids::now() - chrono::Duration::days(3)).format("%Y-%m-%d %H:%M:%S%.6f");
    world.sql(&format!("UPDATE mails SET created_at = '{old}'"));
    pass_time(&world);
    round(&world).await;
    let (state, _, error, left) = rows(&world)[0].clone();
    assert_eq!((state.as_str(), left.as_str()), ("FAILED", ""));
    assert!(!error.is_empty());
}

#[actix_web::test]
async fn a_mail_whose_sender_died_is_taken_up_by_another() {
    let office = PostOffice::open();
    let world = world_with(&office);
    post(&world, &letter("ann@example.com"));
    let claimed = (ids::now() + chrono::Duration::minutes(5)).format("%Y-%m-%d %H:%M:%S%.6f");
    world.sql(&format!("UPDATE mails SET due_at = '{claimed}', attempts = 1"));
    round(&world).await;
    assert_eq!(rows(&world)[0].0, "QUEUED", "somebody else has it");
    pass_time(&world);
    round(&world).await;
    assert_eq!(rows(&world)[0].0, "SENT");
    assert_eq!(office.close().len(), 1);
}

#[actix_web::test]
async fn a_server_may_want_a_password_and_a_wrong_one_loses_no_mail() {
    let office = PostOffice::with_login("console", "seven velvet anchors");
    let world = world_with(&office);
    post(&world, &letter("ann@example.com"));
    let wrong = office.url().replace("anchors", "anchor").replace(' ', "%20");
    let stranger = World::with(|settings| settings.mail.smtp_url = Some(wrong));
    let carrier = Carrier::new(&stranger.config).expect("the settings are right");
    mail::deliver_due(&world.pool, &carrier).await.expect("a round");
    let (state, _, error, left) = rows(&world)[0].clone();
    assert_eq!((state.as_str(), left.is_empty()), ("QUEUED", false), "{error}");
    assert!(error.contains("535") && !error.contains("velvet"), "{error}");
    pass_time(&world);
    round(&world).await;
    assert_eq!(rows(&world)[0].0, "SENT");
    assert_eq!(office.close().len(), 1);
}

#[actix_web::test]
async fn what_people_typed_makes_no_headers() {
    let office = PostOffice::open();
    let world = world_with(&office);
    let nasty = "Acme\r\nBcc: eve@example.com\r\n\r\nHello";
    let mut one = letter("ann@example.com");
    (one.subject, one.opening, one.facts) = (nasty.into(), vec![nasty.into()], vec![(nasty.into(), nasty.into())]);
    post(&world, &one);
    post(&world, &letter("ann@example.com\r\nBcc: eve@example.com"));
    post(&world, &letter("ann@example.com>, <eve@example.com"));
    round(&world).await;
    let states: Vec<String> = rows(&world).into_iter().map(|row| row.0).collect();
    assert_eq!(states, ["SENT", "FAILED", "FAILED"]);
    let arrived = office.close();
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].to, "ann@example.com");
    assert!(headers(&arrived[0]).iter().all(|line| !line.starts_with("Bcc")), "{:#?}", headers(&arrived[0]));
    assert_eq!(header(&arrived[0], "Subject"), "Acme Bcc: eve@example.com Hello");
}

#[actix_web::test]
async fn without_a_server_mails_are_files_for_their_owner_alone() {
    let folder = TempDir::new().expect("a folder");
    let mails = folder.path().join("deep/mails");
    let world = World::with(|settings| settings.mail.mail_dir = Some(mails.display().to_string()));
    post(&world, &letter("ann@example.com"));
    round(&world).await;
    assert_eq!(rows(&world), [("KEPT".to_owned(), 1, String::new(), String::new())]);
    let files: Vec<_> =
        std::fs::read_dir(&mails).expect("the folder").map(|file| file.expect("a file").path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(files[0].display().to_string().ends_with(".eml"));
    assert_eq!(std::fs::metadata(&files[0]).expect("the file").permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&files[0]).expect("the mail");
    assert!(text.contains("To: ann@example.com") && text.contains("/a/ac-x/dashboard"), "{text}");
}

#[actix_web::test]
async fn a_step_that_fails_stops_no_other() {
    let office = PostOffice::open();
    let world = world_with(&office);
    post(&world, &letter("ann@example.com"));
    let tools = world.tools();
    for table in ["mailed_links", "assignments"] {
        world.sql(&format!("ALTER TABLE {table} RENAME TO away"));
        pass_time(&world);
        assert!(worker::round(&tools).await.is_err(), "{table} is away");
        world.sql(&format!("ALTER TABLE away RENAME TO {table}"));
        assert_eq!(rows(&world)[0].0, "SENT", "without {table}");
        empty(&world);
        post(&world, &letter("ann@example.com"));
    }
}

#[actix_web::test]
async fn those_who_invite_people_are_told_where_mail_does_not_arrive() {
    let office = PostOffice::open();
    let world = world_with(&office);
    world.account("acme").viewer("vera");
    let (mut admin, mut vera) = (world.browser("admin-of-acme").await, world.browser("vera").await);
    empty(&world);
    for (to, failed) in [("never-bob@example.com", true), ("later-bob@example.com", true), ("bob@example.com", false)] {
        let mut one = letter(to);
        one.account = Some(world.key("acme"));
        post(&world, &one);
        round(&world).await;
        let text = admin.get(&world.path("acme", "dashboard")).await.text();
        assert_eq!(text.contains("1 mail of this account was refused"), failed || to == "bob@example.com", "{text}");
        assert!(!vera.get(&world.path("acme", "dashboard")).await.text().contains("mail of this account"));
    }
    let text = admin.page.text();
    assert!(text.contains("1 mail is waiting because the mail server did not take them"), "{text}");
    let unset = World::new();
    unset.account("acme");
    let mut admin = unset.browser("admin-of-acme").await;
    for page in ["dashboard", "members"] {
        let text = admin.get(&unset.path("acme", page)).await.text();
        assert!(text.contains("Mails are not sent: no mail server is set"), "{text}");
    }
}
