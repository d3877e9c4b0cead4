//! Rows of the Members section as people read them, and the same as cells of a file.

use std::collections::HashMap;

use chrono::Duration;

use super::cursor;
use crate::access::policy::{DeleteMembers, ReadMembers, UpdateMembers};
use crate::access::{Frame, Grant};
use crate::factor;
use crate::ids::{self, Key};
use crate::members::store::invitations::{self, Invitation};
use crate::members::store::list::{self, Listed, Reaching};
use crate::members::words;
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::Cursor;
use crate::web::when::{self, When};

/// A role with how far and how long it reaches, or where it comes from.
pub struct RoleLine {
    pub name: String,
    pub more: String,
}

/// One member.
pub struct Row {
    pub cursor: Cursor,
    pub id: String,
    pub name: String,
    pub email: String,
    pub own: Vec<RoleLine>,
    pub inherited: Vec<RoleLine>,
    pub state: String,
    /// The day with which the state goes on: "Ends", "Ended" or "Active until".
    pub until: String,
    pub tone: &'static str,
    pub second_factor: bool,
    pub last_seen: Option<When>,
    pub is_me: bool,
    pub may_change: bool,
    pub may_remove: bool,
}

pub const HEAD: [&str; 8] = ["id", "name", "email", "rolesHere", "inherited", "state", "secondFactor", "lastSeen"];

impl Row {
    pub fn cells(self) -> Vec<String> {
        let lines = |lines: Vec<RoleLine>| {
            lines.into_iter().map(|one| format!("{} ({})", one.name, one.more)).collect::<Vec<_>>().join("; ")
        };
        let seen = self.last_seen.map(|at| at.iso).unwrap_or_default();
        let factor = if self.second_factor { "on" } else { "off" }.to_owned();
        let state = [self.state, self.until].join(" ").trim_end().to_owned();
        vec![self.id, self.name, self.email, lines(self.own), lines(self.inherited), state, factor, seen]
    }
}

/// The account of an inherited role, as far as this person may know it.
pub fn origin(frame: &Frame, at: Key, name: &str) -> String {
    match frame.step(at) {
        Some(step) if !step.held.is_empty() => format!("from {name}"),
        _ => "from an account above".to_owned(),
    }
}

/// The roles given at the account itself, and those that come from above.
pub fn split(frame: &Frame, reaching: &[Reaching]) -> (Vec<RoleLine>, Vec<RoleLine>) {
    let here = frame.account().key;
    let (own, above): (Vec<&Reaching>, Vec<&Reaching>) = reaching.iter().partition(|one| one.at == here);
    let own =
        own.into_iter().map(|one| RoleLine { name: one.role_name.clone(), more: words::reach(one.scope, one.ends_at) });
    let above = above.into_iter().map(|one| {
        let until = when::last_day(one.ends_at).map(|day| format!(", until {}", day.words)).unwrap_or_default();
        RoleLine { name: one.role_name.clone(), more: format!("{}{until}", origin(frame, one.at, &one.at_name)) }
    });
    (own.collect(), above.collect())
}

/// What "ends soon" means: the first reminder is sent then, too.
const SOON: Duration = Duration::days(30);

/// Whether somebody is a member, in a word or two, and until when; with a tone.
fn state(reaching: &[Reaching]) -> (String, String, &'static str) {
    let (last, now) = (reaching.iter().map(|one| one.ends_at).max(), ids::now());
    let day = last.and_then(when::last_day).map(|day| day.words).unwrap_or_default();
    match last {
        None => (String::new(), String::new(), ""),
        Some(end) if end == ids::never() => ("Active".to_owned(), String::new(), "good"),
        Some(end) if end <= now => ("Ended".to_owned(), day, ""),
        Some(end) if end <= now + SOON => ("Ends".to_owned(), day, "warn"),
        Some(_) => ("Active".to_owned(), format!("until {day}"), "good"),
    }
}

/// The listed people with everything that reaches the account: two more statements for all of them.
pub fn rows(db: &mut Db, by: &Grant<ReadMembers>, listed: Vec<Listed>) -> Result<Vec<Row>, Problem> {
    let keys: Vec<Key> = listed.iter().map(|one| one.key).collect();
    let protected = factor::enabled_for(db, &keys)?;
    let mut reaching: HashMap<Key, Vec<Reaching>> = HashMap::new();
    for one in list::reaching(db, by.account().key, &keys)? {
        reaching.entry(one.user).or_default().push(one);
    }
    let row = |one: Listed| {
        let given = reaching.remove(&one.key).unwrap_or_default();
        let (own, inherited) = split(by.frame(), &given);
        let (state, until, tone) = state(&given);
        Row {
            cursor: cursor(&one),
            name: format!("{} {}", one.first_name, one.last_name),
            may_change: by.frame().may::<UpdateMembers>(),
            may_remove: by.frame().may::<DeleteMembers>() && !own.is_empty(),
            is_me: one.key == by.actor().key,
            second_factor: protected.contains(&one.key),
            last_seen: one.last_seen_at.map(When::day),
            id: one.id,
            email: one.email,
            own,
            inherited,
            state,
            until,
            tone,
        }
    };
    Ok(listed.into_iter().map(row).collect())
}

/// One invitation that is out.
pub struct Invited {
    pub key: Key,
    pub id: String,
    pub email: String,
    pub roles: String,
    pub reach: String,
    pub by: String,
    pub sent: When,
    pub expires: When,
    pub expired: bool,
}

pub const INVITED_HEAD: [&str; 7] = ["id", "email", "roles", "scope", "invitedBy", "sentAt", "expiresAt"];

impl Invited {
    pub fn cells(self) -> Vec<String> {
        vec![self.id, self.email, self.roles, self.reach, self.by, self.sent.iso, self.expires.iso]
    }
}

/// Invitations with the names of their roles: one more statement for all of them.
pub fn invited(db: &mut Db, found: Vec<(Invitation, String)>) -> Result<Vec<Invited>, Problem> {
    let keys: Vec<Key> = found.iter().map(|(one, _)| one.key).collect();
    let mut names: HashMap<Key, Vec<String>> = HashMap::new();
    for (of, name) in invitations::role_names(db, &keys)? {
        names.entry(of).or_default().push(name);
    }
    let one = |(one, by): (Invitation, String)| Invited {
        key: one.key,
        roles: names.remove(&one.key).unwrap_or_default().join(", "),
        reach: words::reach(one.scope, one.ends_at),
        by,
        expired: !one.is_open(),
        sent: one.sent_at.into(),
        expires: one.expires_at.into(),
        id: one.id,
        email: one.email,
    };
    Ok(found.into_iter().map(one).collect())
}

/// The last day of something that ends, as a date field takes it.
pub fn date(ends_at: chrono::NaiveDateTime) -> String {
    when::last_day(ends_at).map(|day| day.iso).unwrap_or_default()
}
