//! Importing child accounts: what a file may look like, what is said of each line before anything is created, and what
//! there is afterwards. Who may look at it. (How it is carried out: `importing_runs`.)

use actix_web::http::Method;
use subtenant::worker;

use crate::browser::Browser;
use crate::dump::{assert_unchanged, dump};
use crate::imported::{import, import_of, send_file, upload};
use crate::page::Page;
use crate::world::{World, admin_of};

const TREE: &str = "parent;Name;external reference;contacts;tags;agreements\r\n\
    N-1;Harbour;N-1-H;;;\r\n\
    North / Harbour;Crane 7;;crane@example.com ops@example.com;kind=crane;accept\r\n\
    {lab};Bench;;;;\r\n\
    ;North;N-1;north@example.com;\"region=north; cost=4\";leave\r\n";

fn world() -> World {
    let world = World::new();
    world.account("acme").child("lab");
    world
}

pub async fn run(world: &World) {
    worker::round(&world.tools()).await.expect("the background work is done");
}

/// What the table says of each line: number, name and path, state, why.
fn said(page: &Page) -> Vec<String> {
    page.rows().iter().map(|row| row.join(" | ")).collect()
}

#[actix_web::test]
async fn a_tree_of_three_levels_comes_in_one_file() {
    let world = world();
    let mut admin = world.browser(&admin_of("acme")).await;
    let before = dump(&world);
    let file = format!("\u{FEFF}{}", TREE.replace("{lab}", &world.id("lab")));
    let page = upload(&mut admin, &world, "acme", "customers 2026.csv", &file).await;
    assert_eq!(page.heading(), "Check the import");
    assert!(page.text().contains("customers 2026.csv, 4 lines. Nothing is created yet."), "{page}");
    assert_eq!(
        said(&page),
        [
            "2 | HarbourNorth | To create | ",
            "3 | Crane 7North / Harbour | To create | ",
            "4 | Benchlab | To create | ",
            "5 | North | To create | ",
        ]
    );
    let drafts = |line: &&String| line.starts_with("account_import") || line.starts_with("submissions");
    assert!(dump(&world).difference(&before).all(|line| drafts(&line)), "only the draft is saved");
    admin.submit("Create 4 child accounts", &[]).await;
    assert_eq!(admin.page.heading(), "Importing child accounts");
    assert!(admin.page.text().contains("0 of 4 lines are done"), "{}", admin.page);
    run(&world).await;
    let page = admin.click("Refresh").await.clone();
    assert_eq!(page.heading(), "Import done");
    assert_eq!(said(&page)[1], "3 | Crane 7North / Harbour | Created | ");
    let log = admin.click("What it did, in the audit log").await.clone();
    let created = |name: &str| format!("Account created{name}");
    let whats: Vec<String> = log.all("td[data-label=What]");
    assert_eq!(whats.iter().filter(|what| what.starts_with("Account created")).count(), 4, "{whats:?}");
    assert!(whats.contains(&created("Crane 7")) && !whats.contains(&created("lab")), "{whats:?}");
    admin.get(&world.path("acme", "child-accounts.csv?scope=below")).await;
    let rows = admin.page.body.clone();
    assert!(rows.contains(",Crane 7,North / Harbour,,\"crane@example.com, ops@example.com\",0,0,Accepted"), "{rows}");
    let harbour = rows.lines().find(|line| line.contains(",Harbour,North,")).expect("a row");
    assert!(harbour.ends_with(",N-1-H"), "{harbour}");
    admin.get(&format!("/a/{}/settings", harbour.split(',').next().unwrap_or_default())).await;
    assert!(admin.page.text().contains("External referenceN-1-H"), "{}", admin.page);
    world.assert_sound();
}

#[actix_web::test]
async fn columns_that_are_not_read_are_named_before_anything_is_created() {
    let world = world();
    let mut admin = world.browser(&admin_of("acme")).await;
    let all = admin.get(&world.path("acme", "child-accounts.csv")).await.body.clone();
    let page = upload(&mut admin, &world, "acme", "all.csv", &all).await;
    let columns = "no use for them: id, children, accountsBelow, agreements, payment, state, createdAt. A line becomes";
    assert!(page.text().contains(columns), "{page}");
    assert!(!upload(&mut admin, &world, "acme", "x.csv", "name\nNorth\n").await.text().contains("Not read"));
}

#[actix_web::test]
async fn every_line_with_an_error_says_what_to_do() {
    let world = world();
    world.account("acme").at("lab").children(&["twin a", "twin b"]);
    world.sql("UPDATE accounts SET name = 'twin', name_key = 'twin' WHERE name LIKE 'twin%'");
    let mut admin = world.browser(&admin_of("acme")).await;
    let long = "x".repeat(65);
    let file = format!(
        "name,parent,external_reference,contacts,tags,agreements\n,,,,,\n{long},,,nobody,a,perhaps\nA,lab / twin,,,,\n\
         B,circle,circle,,,\nC,,same,,,\nD,,same,,,\nE,nowhere,,,,\nF,C,,,,\nG,,,,,,,more\nlab,,,,,\nfine,,,,,\n"
    );
    let page = upload(&mut admin, &world, "acme", "x.csv", &file).await;
    let lines = said(&page);
    for (n, words) in [
        (0, "it has 65"),
        (0, "contacts: Technical contact email must look like name@example.com"),
        (0, "tags: Write each tag as"),
        (0, "agreements: Write accept or leave"),
        (1, "parent: More than one is meant by this: ac-"),
        (2, "parent: It would be below itself"),
        (3, "external_reference: Lines 6 and 7 have the same external reference"),
        (5, "parent: No account and no line is called so"),
        (6, "parent: The line of its parent, 6, cannot be imported"),
        (7, "The line has more cells than there are columns"),
        (8, "There is already an account of this name under the same parent."),
    ] {
        assert!(lines[n].contains(words), "“{words}” is not in {}", lines[n]);
    }
    assert!(lines[8].contains("To create") && lines[9].contains("To create"), "{lines:?}");
    let page = admin.click("Only lines with errors 8").await.clone();
    assert_eq!(page.rows().len(), 8);
    // They are left out only where somebody says so.
    admin.submit("Create 2 child accounts", &[]).await;
    assert_eq!(admin.page.status, 422);
    assert_eq!(admin.page.error("Leave out the 8 lines with errors"), "Tick this, or send a corrected file");
    admin.submit("Create 2 child accounts", &[("Leave out the 8 lines with errors", "yes")]).await;
    run(&world).await;
    let page = admin.click("Refresh").await;
    assert!(page.text().contains("Created2") && page.text().contains("Left out8"), "{page}");
}

#[actix_web::test]
async fn what_hangs_on_a_wrong_line_is_left_out_also_where_that_line_is_an_account_already() {
    let world = world();
    let mut admin = world.browser(&admin_of("acme")).await;
    let there = "name,parent,external_reference\nNorth,,\nSouth,,\nE,North,E-1\n";
    upload(&mut admin, &world, "acme", "x.csv", there).await;
    admin.submit("Create 3 child accounts", &[]).await;
    run(&world).await;
    // Deeper stands before what it hangs on.
    let file = "name,parent,external_reference\nDeeper,C-1,\nE,South,E-1\nChild,E-1,C-1\nBy path,South / E,\n\
                Fine,North / E,\n";
    let page = upload(&mut admin, &world, "acme", "x.csv", file).await;
    let lines = said(&page);
    for (n, words) in [
        (0, "parent: The line of its parent, 4, cannot be imported"),
        (1, "is below another one"),
        (2, "parent: The line of its parent, 3, cannot be imported"),
        (3, "parent: The line of its parent, 3, cannot be imported"),
        (4, "To create"),
    ] {
        assert!(lines[n].contains(words), "“{words}” is not in {}", lines[n]);
    }
    admin.submit("Create 1 child account", &[("Leave out the 4 lines with errors", "yes")]).await;
    run(&world).await;
    let page = admin.click("Refresh").await;
    assert!(page.text().contains("Created1") && page.text().contains("Left out4"), "{page}");
}

#[actix_web::test]
async fn a_file_that_is_none_comes_back_with_the_reason() {
    let world = world();
    let mut admin = world.browser(&admin_of("acme")).await;
    let before = dump(&world);
    for (name, content, why) in [
        ("x.csv", &b"name,colour\nA,red\n"[..], "There is no column called “colour”. Known are: name, parent"),
        ("x.xlsx", b"name\nA\n", "The file must be a CSV file"),
        ("x.csv", b"PK\x03\x04\x14\x00", "That is no CSV file"),
        ("x.csv", b"name\nK\xF6ln\n", "save it as “CSV UTF-8”"),
        ("x.csv", b"", "Choose a file, or write the lines below"),
        ("x.csv", b"name\n", "There is no line below"),
    ] {
        admin.get(&world.path("acme", "child-accounts/import")).await;
        let answer = send_file(&mut admin, name, content).await;
        let page = Page::read("/x", &answer);
        assert_eq!(page.status, 422, "{page}");
        assert!(page.error("File").contains(why), "{page}");
    }
    let lines = "name,colour\n<b>A</b>,red";
    admin.get(&world.path("acme", "child-accounts/import")).await;
    admin.submit("Check the lines", &[("Or write the lines here", lines)]).await;
    assert!(admin.page.error("Or write the lines here").contains("colour"), "{}", admin.page);
    assert_eq!(admin.page.field("Or write the lines here"), lines, "what was typed is there");
    let answer = send_file(&mut admin, "x.csv", b"name\nA").await;
    assert!(Page::read("/x", &answer).error("File").contains("not both"));
    assert_unchanged(&before, &world, "files that are none");
    // Not from another site, and not without the token.
    let request = admin.request(Method::POST, &world.path("acme", "child-accounts/import"));
    let part = "--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nname\r\nA\r\n--b--\r\n";
    let request = request.insert_header(("content-type", "multipart/form-data; boundary=b")).set_payload(part);
    assert_eq!(admin.send(request).await.status, 403);
}

#[actix_web::test]
async fn a_file_that_was_imported_is_known_by_its_references_or_as_a_whole() {
    let world = world();
    let mut admin = world.browser(&admin_of("acme")).await;
    let known = "name,external_reference,parent\nNorth,n,\nHarbour,h,n\n";
    let bare = "name\nEast\n";
    for file in [known, bare] {
        upload(&mut admin, &world, "acme", "x.csv", file).await;
        let button = admin.page.all("form button").into_iter().find(|b| b.starts_with("Create")).expect("a button");
        admin.submit(&button, &[]).await;
        run(&world).await;
    }
    let page = upload(&mut admin, &world, "acme", "again.csv", known).await;
    assert!(page.text().contains("Nothing is left to create"), "{page}");
    assert!(said(&page).iter().all(|line| line.contains("Already there")), "{page}");
    assert!(!page.has_button("Create 2 child accounts"));
    let moved = upload(&mut admin, &world, "acme", "x.csv", "name,external_reference\nHarbour,h\n").await;
    assert!(said(&moved)[0].contains("is below another one"), "{moved}");
    // The same lines with something else between the cells.
    let page = upload(&mut admin, &world, "acme", "again.csv", "name;\r\nEast;\r\n").await;
    assert!(page.text().contains("already an account of this name"), "{page}");
    let page = upload(&mut admin, &world, "acme", "again.csv", "name\r\nEast\r\n").await;
    assert!(page.text().contains("This file was imported before"), "{page}");
    admin.submit("Create 1 child account", &[]).await;
    assert!(admin.page.error("Import it again").contains("second time"), "{}", admin.page);
    admin.submit("Create 1 child account", &[("Import it again", "yes")]).await;
    run(&world).await;
    let file = admin.get(&world.path("acme", "child-accounts.csv")).await.body.clone();
    assert_eq!(file.matches(",East,").count(), 2, "{file}");
    // Two branches may use the same reference: neither learns of the other's.
    let page = upload(&mut admin, &world, "lab", "x.csv", known).await;
    assert!(said(&page).iter().all(|line| line.contains("To create")), "{page}");
}

#[actix_web::test]
async fn the_result_is_the_file_with_what_became_of_each_line_and_can_be_sent_again() {
    let world = world();
    let mut admin = world.browser(&admin_of("acme")).await;
    let file = "name,description,reason\n=1+1,<script>alert(1)</script>,\n''=2,'@x,\n\"+a,\"\"b\",\"-x\",\n";
    // As browsers write a name with quotes.
    upload(&mut admin, &world, "acme", "Ä %22quoted%22.csv", file).await;
    assert!(!admin.page.body.contains("<script>alert"), "markup stays text");
    admin.submit("Create 3 child accounts", &[]).await;
    run(&world).await;
    admin.click("Refresh").await;
    let uri = admin.page.link("Result file").expect("a link");
    let answer = admin.send(admin.request(Method::GET, &uri)).await;
    assert!(answer.header("content-disposition").contains("filename*=UTF-8''%C3%84%20%22quoted%22%20result.csv"));
    let result = answer.text();
    let rows: Vec<&str> = result.lines().collect();
    assert_eq!(rows[0], "name,description,line,result,id,path,reason");
    assert!(rows[1].starts_with("'=1+1,<script>alert(1)</script>,2,created,ac-"), "{result}");
    assert!(rows[2].starts_with("''=2,'@x,3,created,ac-"), "{result}");
    let page = upload(&mut admin, &world, "lab", "result.csv", &result).await;
    let names: Vec<String> = page.rows().iter().map(|row| row[1].clone()).collect();
    assert_eq!(names, ["=1+1", "'=2", "+a,\"b"], "as they were before they were made harmless");
    // An export of the list is read as well: a branch is copied with its tree.
    let export = admin.get(&world.path("acme", "child-accounts.csv?scope=below")).await.body.clone();
    let page = upload(&mut admin, &world, "lab", "child-accounts.csv", &export).await;
    assert!(said(&page).iter().all(|line| line.contains("To create")), "{page}");
}

#[actix_web::test]
async fn who_may_create_accounts_sees_what_was_started_and_drafts_are_ones_own() {
    let world = world();
    world.account("acme").account_manager("mia").viewer("vera");
    world.account("acme").at("lab").account_manager("luc");
    let draft = import(&world, &admin_of("acme"), "acme", "DRAFT", 1);
    let done = import(&world, &admin_of("acme"), "acme", "DONE", 60);
    let page = |id: &str| world.path("acme", &format!("child-accounts/imports/{id}"));
    for (who, of_draft, of_done) in
        [("admin-of-acme", 200, 200), ("mia", 404, 200), ("vera", 403, 403), ("luc", 404, 404)]
    {
        let mut browser: Browser = world.browser(who).await;
        assert_eq!(browser.get(&page(&draft)).await.status.as_u16(), of_draft, "{who}");
        assert_eq!(browser.get(&page(&done)).await.status.as_u16(), of_done, "{who}");
    }
    let mut mia = world.browser("mia").await;
    assert_eq!(mia.get(&page(&done).replace(&world.id("acme"), &world.id("lab"))).await.status, 404);
    assert_eq!(mia.get(&page("import-AAAAAAAAAAAAAAAAAAAAAA")).await.status, 404);
    let list = mia.get(&world.path("acme", "child-accounts/import")).await;
    assert_eq!(list.rows().len(), 1, "{list}");
    mia.get(&page(&done)).await;
    assert_eq!(mia.page.rows().len(), 50);
    mia.click("Next").await;
    assert_eq!((mia.page.rows().len(), mia.page.rows()[0][0].as_str()), (10, "52"));
    // Nobody without the right is offered it.
    let mut vera = world.browser("vera").await;
    assert_eq!(vera.get(&world.path("acme", "child-accounts")).await.link("Import child accounts…"), None);
    assert!(mia.get(&world.path("acme", "child-accounts")).await.link("Import child accounts…").is_some());
    assert_eq!(import_of(&world, "acme"), done);
}

#[actix_web::test]
async fn the_pattern_is_a_file_that_can_be_imported() {
    let world = world();
    let mut admin = world.browser(&admin_of("acme")).await;
    let pattern = admin.get(&world.path("acme", "child-accounts/import/pattern.csv")).await.body.clone();
    let page = upload(&mut admin, &world, "acme", "pattern.csv", &pattern).await;
    assert!(page.has_button("Create 4 child accounts"), "{page}");
    // Typed instead of sent, and kept while somebody signs in again.
    admin.get(&world.path("acme", "child-accounts/import")).await;
    admin.submit("Check the lines", &[("Or write the lines here", &pattern)]).await;
    assert!(admin.page.has_button("Create 4 child accounts"), "{}", admin.page);
    admin.get(&world.path("acme", "child-accounts/import")).await;
    world.sql("UPDATE sessions SET expires_at = '2026-01-01 00:00:00'");
    let answer = send_file(&mut admin, "x.csv", b"name\nTyped before").await;
    admin.get(answer.header("location")).await;
    admin.sign_in(&crate::world::email(&admin_of("acme")), crate::world::PASSWORD).await;
    assert_eq!(admin.page.field("Or write the lines here").trim(), "name\nTyped before");
}
