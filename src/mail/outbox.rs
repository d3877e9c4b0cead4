//! Rows of the outbox.

use diesel::prelude::*;

use super::Letter;
use crate::ids;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::schema::mails;

pub(super) fn insert(db: &mut Db, letter: &Letter) -> Result<(), Problem> {
    let now = ids::now();
    diesel::insert_into(mails::table)
        .values((
            mails::key.eq(ids::next_key()),
            mails::id.eq(ids::new_id("mail")),
            mails::kind.eq(letter.kind.code()),
            mails::account_key.eq(letter.account),
            mails::to_address.eq(&letter.to),
            mails::subject.eq(&letter.subject),
            mails::letter.eq(serde_json::to_string(letter)?),
            mails::state.eq("QUEUED"),
            mails::due_at.eq(now),
            mails::created_at.eq(now),
        ))
        .execute(db)?;
    Ok(())
}
