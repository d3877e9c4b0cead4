//! What people do, start to end, through HTTP: signing up, making child accounts, going into them, editing, closing,
//! restoring. Each test reads the pages as the person would and looks into the database only to be sure that nothing
//! else happened. What one person changes about themselves is in `profile`, two tabs at once in `tabs`.

use subtenant::access::policy::CreateAccounts;
use subtenant::store::schema::accounts;

use diesel::prelude::*;

use crate::browser::Browser;
use crate::dump::{assert_unchanged, dump};
use crate::page::without_random;
use crate::world::{PASSWORD, World, email};

pub const ACCEPT: &str = "Accept now on behalf of the child account";

pub const LEAVE: &str = "Leave for the child account's administrator to review and accept";
const ADD: &str = "Add a new child account…";

#[actix_web::test]
async fn a_newcomer_signs_up_makes_a_child_account_and_goes_into_it() {
    let world = World::new();
    let mut ann = Browser::new(&world.console().await);
    ann.get("/sign-up").await;
    assert_eq!(ann.page.heading(), "Sign up");
    let entries = [
        ("First name", "Ann"),
        ("Last name", "Hudson"),
        ("Company", "Acme"),
        ("Email", "ann@acme.example"),
        ("Password", PASSWORD),
        ("Account name", "Acme"),
    ];
    ann.submit("Sign up", &entries).await;
    assert!(ann.page.flash().starts_with("Welcome."), "{}", ann.page);
    assert!(ann.page.path().ends_with("/consent"), "{}", ann.page);
    world.know("acme", ann.page.path().split('/').nth(2).expect("an account in the address"), "acme");

    ann.get(&world.path("acme", "child-accounts")).await;
    assert_eq!(ann.page.heading(), "Child Accounts");
    assert!(ann.page.text().contains("Create the first child account"));
    ann.click(ADD).await;
    assert_eq!(ann.page.heading(), "New child account");
    let child = [
        ("Name", "Lab"),
        ("Description", "Where things are tried"),
        ("Technical contact email", "a@lab.example, b@lab.example"),
    ];
    ann.submit("Save", &[&child[..], &[(LEAVE, "yes")]].concat()).await;
    assert_eq!(ann.page.heading(), "Lab");
    assert_eq!(ann.page.flash(), "Child account created.");
    assert!(ann.page.text().contains("a@lab.example, b@lab.example"), "{}", ann.page);
    ann.click("back to the list").await;
    assert!(ann.page.row("Lab").len() >= 6, "{}", ann.page);
    world.assert_sound();
}

#[actix_web::test]
async fn children_nest_to_any_depth_by_doing_the_same_inside() {
    let world = World::new();
    world.account("acme");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "child-accounts")).await;
    for name in ["North", "Oslo", "Harbour", "Pier 4"] {
        admin.click(ADD).await;
        admin.submit("Save", &[("Name", name), (LEAVE, "yes")]).await;
        admin.click("back to the list").await;
        admin.click(&format!("Go to {name}")).await;
        assert_eq!(admin.page.title(), format!("Child Accounts - {name} - Subtenant"));
    }
    assert_eq!(admin.page.breadcrumb(), ["acme", "North", "Oslo", "Harbour", "Pier 4"]);
    admin.get(&format!("{}?scope=below", world.path("acme", "child-accounts"))).await;
    assert_eq!(admin.page.rows().len(), 4);
    assert!(admin.page.row("Pier 4")[0].contains("North / Oslo / Harbour"), "{}", admin.page);
    admin.get(&format!("{}?view=tree", world.path("acme", "child-accounts"))).await;
    admin.click("Go to Harbour").await;
    assert_eq!(admin.page.row("Pier 4")[1], "0");
    world.assert_sound();
}

#[actix_web::test]
async fn a_form_with_mistakes_comes_back_with_what_was_typed() {
    let world = World::new();
    world.account("acme");
    let mut admin = world.browser("admin-of-acme").await;
    let before = dump(&world);
    admin.get(&world.path("acme", "child-accounts/new")).await;
    let typed = [("Description", "kept\nas typed"), ("Technical contact email", "nobody")];
    admin.submit("Save", &typed).await;
    assert_eq!(admin.page.status, 422);
    assert!(admin.page.title().starts_with("Error: New child account"), "{}", admin.page.title());
    assert_eq!(admin.page.error("Name"), "Enter a name");
    assert!(admin.page.error("Technical contact email").contains("must look like name@example.com"));
    let legend = "Master Service Agreement and Acceptable Use Policy";
    assert_eq!(admin.page.error(legend), "Choose who accepts the agreements");
    assert_eq!(admin.page.problems().len(), 3);
    assert_eq!(admin.page.field("Description").replace("\r\n", "\n"), "kept\nas typed");
    assert_eq!(admin.page.field("Technical contact email"), "nobody");
    assert_unchanged(&before, &world, "a refused form");
}

#[actix_web::test]
async fn a_namesake_is_warned_about_and_not_refused() {
    let world = World::new();
    world.account("acme").child("Lab");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "child-accounts/new")).await;
    admin.submit("Save", &[("Name", "LAB"), (LEAVE, "yes")]).await;
    assert!(admin.page.text().contains("There is already a child account called Lab"), "{}", admin.page);
    assert_eq!(admin.page.field("Name"), "LAB");
    admin.submit("Save", &[]).await;
    assert_eq!(admin.page.flash(), "Child account created.");

    // Another name that exists as well is asked about again.
    admin.get(&world.path("acme", "child-accounts/new")).await;
    admin.submit("Save", &[("Name", "New"), (LEAVE, "yes")]).await;
    admin.get(&world.path("acme", "child-accounts/new")).await;
    admin.submit("Save", &[("Name", "lab"), (LEAVE, "yes")]).await;
    admin.submit("Save", &[("Name", "NEW")]).await;
    assert!(admin.page.text().contains("There is already a child account called New"), "{}", admin.page);
}

#[actix_web::test]
async fn settings_are_edited_and_shown_again() {
    let world = World::new();
    world.account("acme").child("Lab");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("Lab", "settings")).await;
    assert_eq!(admin.page.heading(), "Account Settings");
    let entries = [
        ("Name", "Laboratory <1>"),
        ("Description", "Two\nlines"),
        ("Technical contact email", "x@lab.example\ny@lab.example"),
        ("Tags", "region: eu\ncost centre = 42"),
    ];
    admin.submit("Save", &entries).await;
    assert_eq!(admin.page.flash(), "Settings saved.");
    assert_eq!(admin.page.field("Name"), "Laboratory <1>");
    assert_eq!(admin.page.field("Technical contact email"), "x@lab.example\ny@lab.example");
    assert_eq!(admin.page.field("Tags"), "cost centre: 42\nregion: eu");
    assert_eq!(admin.page.breadcrumb().last().map(String::as_str), Some("Laboratory <1>"));
    admin.get(&world.path("acme", "child-accounts")).await;
    admin.click("Go to Laboratory <1>").await;
    assert_eq!(admin.page.status, 200);
}

#[actix_web::test]
async fn a_closed_account_is_gone_from_lists_and_comes_back_by_restoring() {
    let world = World::new();
    world.account("acme").child("Lab").viewer("vera");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("Lab", "settings")).await;
    admin.click("Close this account…").await;
    assert_eq!(admin.page.heading(), "Close Lab?");
    admin.submit("Close Lab", &[]).await;
    assert_eq!(admin.page.flash(), "Lab is closed. It can be restored for 30 days.");
    assert_eq!(admin.page.link("Go to Lab"), None);
    let mut vera = world.browser("vera").await;
    assert_eq!(vera.get(&world.path("Lab", "settings")).await.status, 404);
    assert_eq!(admin.get(&world.path("Lab", "settings")).await.status, 404);

    admin.get(&world.path("acme", "child-accounts")).await;
    admin.click("Closed child accounts").await;
    admin.click("Restore Lab").await;
    admin.submit("Restore Lab", &[]).await;
    assert_eq!(admin.page.flash(), "The account is open again.");
    assert!(admin.page.link("Go to Lab").is_some(), "{}", admin.page);
    assert_eq!(vera.get(&world.path("Lab", "settings")).await.status, 200);
    world.assert_sound();
}

#[actix_web::test]
async fn an_account_with_children_is_not_closed_nor_a_root_nor_one_closed_too_long_ago_restored() {
    let world = World::new();
    world.account("acme").child("Lab").child("Bench");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("Lab", "settings/close")).await;
    assert!(admin.page.text().contains("1 account directly below it must be closed first"), "{}", admin.page);
    assert!(!admin.page.has_button("Close Lab"));
    admin.get(&world.path("acme", "settings/close")).await;
    assert!(admin.page.text().contains("A root account cannot be closed here"), "{}", admin.page);

    admin.get(&world.path("Bench", "settings/close")).await;
    admin.submit("Close Bench", &[]).await;
    let long_ago = subtenant::ids::now() - chrono::Duration::days(31);
    let aged = diesel::update(accounts::table.find(world.key("Bench"))).set(accounts::closed_at.eq(long_ago));
    world.write(|db| Ok(aged.execute(db)?)).expect("the row is aged");
    admin.get(&world.path("Lab", &format!("child-accounts/{}/restore", world.id("Bench")))).await;
    if admin.page.has_button("Restore Bench") {
        admin.submit("Restore Bench", &[]).await;
    }
    assert!(admin.page.text().contains("This account cannot be restored"), "{}", admin.page);
}

#[actix_web::test]
async fn an_account_above_that_one_may_not_see_is_restricted_in_the_path_and_nowhere_named() {
    let world = World::new();
    world.account("Secret Holding").child("Lab").child("Bench").viewer("vera");
    let mut vera = world.browser("vera").await;
    for section in ["child-accounts", "settings", "child-accounts?scope=below", "child-accounts?view=tree"] {
        vera.get(&world.path("Bench", section)).await;
        assert_eq!(vera.page.breadcrumb().last().map(String::as_str), Some("Bench"));
        let body = without_random(&vera.page.body);
        assert!(!body.contains("Secret") && !body.contains("Lab"), "{}", vera.page);
        assert!(!vera.page.body.contains(&world.id("Lab")), "{}", vera.page);
    }
}

#[actix_web::test]
async fn the_list_is_filtered_sorted_paged_and_exported() {
    let world = World::new();
    let acme = world.account("acme");
    let names: Vec<String> = (0..120).map(|n| format!("Site {n:03}")).collect();
    acme.children(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut admin = world.browser("admin-of-acme").await;
    let list = world.path("acme", "child-accounts");
    let mut seen = Vec::new();
    admin.get(&list).await;
    assert!(admin.page.title().starts_with("Page 1 of 3 - "), "{}", admin.page.title());
    loop {
        seen.extend(admin.page.rows().into_iter().map(|row| row[0].clone()));
        let Some(_) = admin.page.link("Next") else { break };
        admin.click("Next").await;
    }
    assert_eq!(seen, names);
    admin.click("Previous").await;
    assert_eq!(admin.page.rows()[0][0], "Site 050");
    admin.get(&format!("{list}?sort=-name")).await;
    assert_eq!(admin.page.rows()[0][0], "Site 119");
    admin.get(&list).await;
    let filter = admin.page.link("Export CSV").expect("an export");
    let csv = admin.get(&filter).await.body.clone();
    assert_eq!(csv.lines().count(), 121);
    admin.get(&format!("{list}?q=site+11")).await;
    assert_eq!(admin.page.rows().len(), 10);
    assert!(admin.page.text().contains("10 accounts match"), "{}", admin.page);
}

#[actix_web::test]
async fn somebody_without_the_right_reads_which_permission_is_missing_and_whom_to_ask() {
    let world = World::new();
    world.account("acme").viewer("vera");
    assert!(world.grant::<CreateAccounts>("vera", "acme").is_err());
    let mut vera = world.browser("vera").await;
    vera.get(&world.path("acme", "child-accounts/new")).await;
    assert_eq!(vera.page.status, 403);
    assert!(vera.page.text().contains("accounts: create"), "{}", vera.page);
    assert!(vera.page.text().contains("admin-of-acme Example can give it to you."), "{}", vera.page);
    let mut stranger = Browser::new(&world.console().await);
    world.person("stan");
    stranger.sign_in(&email("stan"), PASSWORD).await;
    assert_eq!(stranger.get(&world.path("acme", "child-accounts/new")).await.status, 404);
}
