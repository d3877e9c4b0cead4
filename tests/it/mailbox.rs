//! What is in the outbox, read as the people to whom it goes, and links as if they had been mailed. Leaves out sending:
//! that is `mail`.

use diesel::prelude::*;
use subtenant::ids;
use subtenant::mail::Letter;
use subtenant::sign_in;
use subtenant::store::schema::{mailed_links, mails, users};

use crate::world::{World, email};

/// The letters that wait to be sent, the oldest first.
pub fn letters(world: &World) -> Vec<Letter> {
    let rows = mails::table.filter(mails::state.eq("QUEUED")).order(mails::key).select(mails::letter);
    let rows: Vec<String> = world.read(|db| Ok(rows.load(db)?)).expect("the outbox is read");
    rows.iter().map(|row| serde_json::from_str(row).expect("a letter")).collect()
}

/// Those to one person.
pub fn letters_to(world: &World, person: &str) -> Vec<Letter> {
    letters(world).into_iter().filter(|letter| letter.to == email(person)).collect()
}

/// The letters that were posted while something was done.
pub fn empty(world: &World) {
    world.sql("DELETE FROM mails");
}

/// The path that a letter asks to open.
pub fn path(letter: &Letter) -> String {
    letter.action.as_ref().map(|(_, path)| path.clone()).expect("a letter with a link")
}

/// Requests for new passwords are answered, as the worker does.
pub async fn answer_requests(world: &World) {
    sign_in::answer_asked(&world.pool).await.expect("the requests are answered");
}

/// A link of this kind that was mailed to somebody: its token.
pub fn link(world: &World, kind: &str, person: &str) -> String {
    let (user, token, now) = (world.person(person), ids::token(), ids::now());
    let address = users::table.find(user).select(users::email);
    let address: String = world.read(|db| Ok(address.first(db)?)).expect("the user exists");
    let to = if kind == "EMAIL_CHANGE" { email("changed") } else { address };
    let row = (
        mailed_links::key.eq(ids::next_key()),
        mailed_links::kind.eq(kind),
        mailed_links::state.eq("OPEN"),
        mailed_links::user_key.eq(user),
        mailed_links::email.eq(to),
        mailed_links::token_hash.eq(ids::sha256_hex(token.as_bytes())),
        mailed_links::created_at.eq(now),
        mailed_links::expires_at.eq(now + chrono::Duration::hours(1)),
    );
    world.write(|db| Ok(diesel::insert_into(mailed_links::table).values(row).execute(db)?)).expect("a link");
    token
}

/// What stands for `{token}` in the address of a route, for somebody who may use it.
pub fn token_for(world: &World, path: &str, person: &str) -> String {
    let kinds = [
        ("/password/reset/", "PASSWORD_RESET"),
        ("/email/verify/", "EMAIL_VERIFICATION"),
        ("/profile/email/", "EMAIL_CHANGE"),
    ];
    let kind = kinds.into_iter().find(|(start, _)| path.starts_with(start)).map(|(_, kind)| kind);
    kind.map_or_else(ids::token, |kind| link(world, kind, person))
}
