//! Telling the people of the accounts below for which a payment method pays that it fails or ends: whoever has a role of
//! their own in such an account that may change its billing, one mail each, whatever the number of accounts. It follows
//! the letter to the billing address, in the background, some people at a time; how far it has come stands in the row of
//! that letter, so that any number of processes may go on with it and nobody is told twice.

use std::collections::HashSet;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::letters;
use super::method::Method;
pub use super::store::people::Person;
use super::store::{self, people};
use super::warnings::Stage;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::schema::{accounts, sent_payment_warnings as sent};
use crate::store::{self as database, Db, Pool};

/// People told in one transaction.
const AT_ONCE: i64 = 200;

/// A stage of whose method not everybody below was told.
type Begun = (Key, String, NaiveDateTime, i64, Option<Key>);

/// Some people, and who of them may see the account that pays.
struct Batch {
    own: Method,
    payer: String,
    people: Vec<Person>,
    seeing: HashSet<Key>,
}

/// Posts everything that is left to tell; answers how many mails.
pub async fn tell_below(pool: &Pool) -> Result<usize, Problem> {
    let mut told = 0;
    loop {
        let found = pool.read_long(next).await?;
        let Some((begun, some)) = found else { return Ok(told) };
        told += pool.write(move |db| database::write(db, |db| tell(db, &begun, some.as_ref()))).await?;
    }
}

/// The next people; none of them where the method is another by now, or offered to nobody.
fn next(db: &mut Db) -> Result<Option<(Begun, Option<Batch>)>, Problem> {
    let begun: Option<Begun> = sent::table
        .filter(sent::told_below.is_not_null())
        .order((sent::account_key, sent::ends_at, sent::days))
        .select((sent::account_key, sent::provider_id, sent::ends_at, sent::days, sent::told_below))
        .first(db)
        .optional()?;
    let Some(begun) = begun else { return Ok(None) };
    let (account, provider_id, _, _, after) = &begun;
    let own = store::own(db, *account)?
        .filter(|own| own.stored.provider_id == *provider_id && own.entries.allow_child_accounts);
    let Some(own) = own else { return Ok(Some((begun, None))) };
    let people = people::concerned(db, *account, after.unwrap_or(0), AT_ONCE)?;
    let seeing = people::who_see(db, *account, &people)?;
    let payer = accounts::table.find(*account).select(accounts::name).first(db)?;
    Ok(Some((begun, Some(Batch { own, payer, people, seeing }))))
}

/// Tells them, unless another process did.
fn tell(db: &mut Db, begun: &Begun, some: Option<&Batch>) -> Result<usize, Problem> {
    let (account, provider_id, ends_at, days, after) = begun;
    let people = some.map_or(&[][..], |some| &some.people);
    let reached = people.last().filter(|_| people.len() as i64 == AT_ONCE).map(|last| last.user);
    let row = sent::table.find((account, provider_id, ends_at, days)).filter(sent::told_below.eq(after));
    if diesel::update(row).set(sent::told_below.eq(reached)).execute(db)? == 0 {
        return Ok(0);
    }
    let (Some(some), Some(stage)) = (some, Stage::of_days(*days)) else { return Ok(0) };
    for person in people {
        let payer = some.seeing.contains(&person.user).then_some(some.payer.as_str());
        letters::to_person_below(db, person, stage, payer, some.own.stored.pays_until)?;
    }
    Ok(people.len())
}
