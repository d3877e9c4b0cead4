//! Access that ends is announced 30, 7 and 1 days before, to the member and to whoever gave it. Each stage goes out once
//! for each end: a row says that it did, written in the transaction of its letters, so any number of processes may look
//! at once. An end that is moved is another end. A stage that had begun before the role was given is left out.

use chrono::{Duration, NaiveDateTime};
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamp};

use crate::access::{Frame, Scope, lookup};
use crate::ids::{self, Key};
use crate::mail::{self, Kind, Letter};
use crate::problem::Problem;
use crate::store::schema::{accounts, assignments, roles, sent_reminders, users};
use crate::store::{self as database, Db, Pool};
use crate::text;
use crate::web::shell::path_words;
use crate::web::when::When;

/// The days of each stage, the last first, and the days of the one after it.
const STAGES: [(i64, i64); 3] = [(1, 0), (7, 1), (30, 7)];
const AT_ONCE: i64 = 50;

/// An assignment that ends, as far as a reminder speaks of it.
#[derive(Debug, Clone, Queryable)]
struct Ending {
    account: Key,
    user: Key,
    role: Key,
    scope: String,
    granted_by: Option<Key>,
    created_at: NaiveDateTime,
    ends_at: NaiveDateTime,
    role_name: String,
}

/// Posts every reminder that is due; answers how many stages were dealt with.
pub async fn post_due(pool: &Pool) -> Result<usize, Problem> {
    let mut done = 0;
    for (days, next) in STAGES {
        loop {
            let endings = pool.read_long(move |db| due(db, days, next)).await?;
            if endings.is_empty() {
                break;
            }
            let note = move |db: &mut Db, ending: &Ending| database::write(db, |db| remind(db, ending, days));
            let noted: usize = pool.write(move |db| endings.iter().map(|ending| note(db, ending)).sum()).await?;
            done += noted;
            // Whoever noted all of them meanwhile goes on with the rest.
            if noted == 0 {
                break;
            }
        }
    }
    Ok(done)
}

/// Assignments in this stage that have no row for it.
fn due(db: &mut Db, days: i64, next: i64) -> Result<Vec<Ending>, Problem> {
    let now = ids::now();
    let sent = sent_reminders::table
        .filter(sent_reminders::account_key.eq(assignments::account_key))
        .filter(sent_reminders::user_key.eq(assignments::user_key))
        .filter(sent_reminders::role_key.eq(assignments::role_key))
        .filter(sent_reminders::ends_at.eq(assignments::ends_at))
        .filter(sent_reminders::days.eq(days));
    Ok(assignments::table
        .inner_join(roles::table)
        .filter(assignments::ends_at.gt(now + Duration::days(next)))
        .filter(assignments::ends_at.le(now + Duration::days(days)))
        .filter(not(exists(sent)))
        .order((assignments::ends_at, assignments::key))
        .limit(AT_ONCE)
        .select((
            assignments::account_key,
            assignments::user_key,
            assignments::role_key,
            assignments::scope,
            assignments::granted_by,
            assignments::created_at,
            assignments::ends_at,
            roles::name,
        ))
        .load(db)?)
}

/// Answers 1 where it was for this process to deal with, 0 where another one did.
fn remind(db: &mut Db, ending: &Ending, days: i64) -> Result<usize, Problem> {
    let first = diesel::sql_query(
        "INSERT INTO sent_reminders (account_key, user_key, role_key, ends_at, days) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_key, user_key, role_key, ends_at, days) DO NOTHING",
    )
    .bind::<BigInt, _>(ending.account)
    .bind::<BigInt, _>(ending.user)
    .bind::<BigInt, _>(ending.role)
    .bind::<Timestamp, _>(ending.ends_at)
    .bind::<BigInt, _>(days)
    .execute(db)?;
    if first == 0 || ending.created_at > ending.ends_at - Duration::days(days) {
        return Ok(first);
    }
    let id: String = accounts::table.find(ending.account).select(accounts::id).first(db)?;
    // A closed account is nobody's to reach; its members hear nothing of it.
    let Some(member) = seen_by(db, ending.user, &id)? else { return Ok(first) };
    mail::post(db, &to_member(ending, &member))?;
    if let Some(granter) = ending.granted_by.filter(|granter| *granter != ending.user)
        && let Some(granter) = seen_by(db, granter, &id)?.filter(|frame| !frame.held().is_empty())
    {
        let row = users::table.find(ending.user).select((users::first_name, users::last_name, users::email));
        let (given, last, email) = row.first::<(String, String, String)>(db)?;
        mail::post(db, &to_granter(ending, &granter, &format!("{given} {last}"), &email))?;
    }
    Ok(first)
}

fn seen_by(db: &mut Db, user: Key, account_id: &str) -> Result<Option<Frame>, Problem> {
    match lookup::frame(db, user, account_id) {
        Ok(frame) => Ok(Some(frame)),
        Err(Problem::NotFound) => Ok(None),
        Err(other) => Err(other),
    }
}

/// "in 7 days", "tomorrow" would be wrong across midnight: whole days that are left, at least one.
fn left(ending: &Ending) -> String {
    let hours = (ending.ends_at - ids::now()).num_hours();
    if hours < 24 { "within a day".to_owned() } else { format!("in {}", text::count((hours + 23) / 24, "day", "days")) }
}

fn letter(ending: &Ending, frame: &Frame, subject: String, opening: String) -> Letter {
    let scope = Scope::of_code(&ending.scope).map_or("", Scope::words);
    let facts = [
        ("Account", path_words(frame)),
        ("Role", ending.role_name.clone()),
        ("Reaches", scope.to_owned()),
        ("Ends", When::from(ending.ends_at).words),
    ];
    Letter {
        kind: Kind::ExpiryReminder,
        to: frame.actor.email.clone(),
        account: Some(ending.account),
        subject,
        opening: vec![opening],
        facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        action: None,
        closing: Vec::new(),
    }
}

fn to_member(ending: &Ending, frame: &Frame) -> Letter {
    let name = &frame.account().name;
    let subject = format!("Your access to {name} ends {}", left(ending));
    let opening = "After that moment this role does nothing any more. What you have through other roles stays.";
    Letter {
        closing: vec![
            "If you still need it, ask whoever gave it to you, or an administrator of the account.".to_owned(),
        ],
        ..letter(ending, frame, subject, opening.to_owned())
    }
}

fn to_granter(ending: &Ending, frame: &Frame, member: &str, email: &str) -> Letter {
    let name = &frame.account().name;
    let subject = format!("Access of {member} to {name} ends {}", left(ending));
    let mut letter = letter(ending, frame, subject, "You gave this role with an end.".to_owned());
    letter.facts.insert(0, ("Member".to_owned(), format!("{member} ({email})")));
    letter.action = Some(("Open the members".to_owned(), format!("/a/{}/members", frame.account().id)));
    letter.closing = vec!["If it is to go on, give it a later end. Otherwise there is nothing to do.".to_owned()];
    letter
}

/// Rows about ends that have passed.
pub fn forget_old(db: &mut Db) -> Result<usize, Problem> {
    let passed = sent_reminders::table.filter(sent_reminders::ends_at.lt(ids::now() - Duration::days(1)));
    Ok(diesel::delete(passed).execute(db)?)
}
