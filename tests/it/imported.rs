//! Imports as they stand in the database, made without pages; and files sent as browsers send them.

use actix_web::http::{Method, header};
use diesel::prelude::*;
use subtenant::ids;
use subtenant::store::schema::{account_import_lines as lines, account_imports as imports};

use crate::browser::{Answer, Browser};
use crate::page::Page;
use crate::world::World;

/// An import of `n` lines into the account, sent by this person: its id. Done, every other line was refused.
pub fn import(world: &World, person: &str, account: &str, state: &str, n: i64) -> String {
    let (key, id, now) = (ids::next_key(), ids::new_id("import"), ids::now());
    let (user, account_key, parent) = (world.person(person), world.key(account), world.id(account));
    let row = (
        imports::key.eq(key),
        imports::id.eq(&id),
        imports::account_key.eq(account_key),
        imports::user_key.eq(user),
        imports::state.eq(state),
        imports::file_name.eq("customers.csv"),
        imports::digest.eq(&id),
        imports::head.eq(r#"["name"]"#),
        imports::second_factor.eq(false),
        imports::address.eq(""),
        imports::user_agent.eq(""),
        imports::lines.eq(n),
        imports::created_at.eq(now),
        imports::started_at.eq((state != "DRAFT").then_some(now)),
        imports::finished_at.eq((state == "DONE").then_some(now)),
        imports::claimed_until.eq(now),
    );
    let written = world.write(|db| {
        diesel::insert_into(imports::table).values(row).execute(db)?;
        for line in 2..n + 2 {
            let became = if state != "DONE" {
                "NEW"
            } else if line % 2 == 0 {
                "CREATED"
            } else {
                "REFUSED"
            };
            let data = format!(r#"{{"name":"imported {line}","cells":["imported {line}"],"path":"imported {line}"}}"#);
            diesel::insert_into(lines::table)
                .values((
                    lines::import_key.eq(key),
                    lines::line.eq(line),
                    lines::turn.eq(line),
                    lines::state.eq(became),
                    lines::parent_id.eq(Some(&parent)),
                    lines::reason.eq(if became == "REFUSED" { "There was no room." } else { "" }),
                    lines::data.eq(data),
                ))
                .execute(db)?;
        }
        Ok(())
    });
    written.expect("an import");
    id
}

/// The latest import of the account.
pub fn import_of(world: &World, account: &str) -> String {
    let row = imports::table.filter(imports::account_key.eq(world.key(account))).order(imports::key.desc());
    world.read(|db| Ok(row.select(imports::id).first(db)?)).expect("an import")
}

/// Sends the form of the page in front with this file, as browsers send files.
pub async fn send_file(browser: &mut Browser, name: &str, content: &[u8]) -> Answer {
    let form = browser.page.form("Check the lines");
    let mut body = Vec::new();
    for (field, value) in form.pairs().iter().filter(|(field, _)| field != "file") {
        let part = format!("--bound-7\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!("--bound-7\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n");
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(b"Content-Type: text/csv\r\n\r\n");
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--bound-7--\r\n");
    let request = browser.request(Method::POST, &form.action);
    let request = request.insert_header((header::CONTENT_TYPE, "multipart/form-data; boundary=bound-7"));
    browser.send(request.set_payload(body)).await
}

/// Goes to the form of the account and sends a file; the page that follows.
pub async fn upload(browser: &mut Browser, world: &World, account: &str, name: &str, content: &str) -> Page {
    browser.get(&world.path(account, "child-accounts/import")).await;
    let answer = send_file(browser, name, content.as_bytes()).await;
    if answer.status.is_redirection() {
        return browser.get(answer.header("location")).await.clone();
    }
    browser.page = Page::read(&world.path(account, "child-accounts/import"), &answer);
    browser.page.clone()
}
