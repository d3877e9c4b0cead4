//! Why somebody can or cannot do something in an account, worked out from everything they were given along the chain.
//! The access check adds up the same rows; this says which of them count, and what is missing where none does.

use super::store::{self, Removal};
use super::{Way, power};
use crate::access::policy::{Permission, Permissions, ReadMembers};
use crate::access::{Frame, lookup};
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::roles;
use crate::store::Db;

/// Somebody who is asked about.
#[derive(Debug, Clone)]
pub struct Subject {
    pub key: Key,
    pub name: String,
    pub email: String,
}

/// Everything there is to say about one person in one account.
#[derive(Debug)]
pub struct Answer {
    pub subject: Subject,
    /// What holds here, the strongest first.
    pub reaching: Vec<Way>,
    /// What held here and ended, the latest first.
    pub ended: Vec<Way>,
    /// What holds, but by its scope not here.
    pub elsewhere: Vec<Way>,
    /// The last time they were removed from here or an account above.
    pub removal: Option<Removal>,
    /// Roles that would give the power asked for, and who could give one.
    pub needed: Vec<String>,
    pub givers: Vec<String>,
}

/// What the answer comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Yes,
    NotAnyMore,
    No,
}

impl Answer {
    /// What all that holds here adds up to.
    pub fn powers(&self) -> Permissions {
        self.reaching.iter().fold(Permissions::NONE, |sum, way| sum.and(way.permissions))
    }

    /// What holds here and gives the power.
    pub fn giving(&self, power: Permission) -> impl Iterator<Item = &Way> {
        self.reaching.iter().filter(move |way| way.permissions.allow(power))
    }

    pub fn verdict(&self, power: Permission) -> Verdict {
        if self.giving(power).next().is_some() {
            Verdict::Yes
        } else if self.last_ended(power).is_some() || self.removal.as_ref().is_some_and(|it| it.took(&self.needed)) {
            Verdict::NotAnyMore
        } else {
            Verdict::No
        }
    }

    /// The role that ended last of those that gave the power.
    pub fn last_ended(&self, power: Permission) -> Option<&Way> {
        self.ended.iter().find(|way| way.permissions.allow(power))
    }

    /// The removal, where it came after everything that ended, or nothing did.
    pub fn last_removal(&self, power: Permission) -> Option<&Removal> {
        let ended = self.last_ended(power).map(|way| way.until);
        let took = self.removal.as_ref().filter(|removal| removal.took(&self.needed));
        took.filter(|removal| ended.is_none_or(|ended| removal.at > ended))
    }
}

/// Looks at one person by public id; NotFound when nobody of that id has or had anything to do with the account.
pub fn about(db: &mut Db, frame: &Frame, user_id: &str, power: Option<Permission>) -> Result<Answer, Problem> {
    if !ids::looks_like_id("user", user_id) {
        return Err(Problem::NotFound);
    }
    let (key, name, email) = store::person(db, user_id)?;
    let is_me = key == frame.actor.key;
    let subject = Subject { key, name, email };
    let now = ids::now();
    let (mut reaching, mut ended, mut elsewhere) = (Vec::new(), Vec::new(), Vec::new());
    for way in store::ways(db, frame.account().key, &[key])? {
        match (way.reaches(), way.is_live(now)) {
            (true, true) => reaching.push(way),
            (true, false) => ended.push(way),
            // What holds in another account only is for those who may read that account's members.
            (false, true) if is_me || reads_members(frame, way.at) => elsewhere.push(way),
            (false, _) => {}
        }
    }
    reaching.sort_by_key(|way| -power::strength(way.permissions));
    ended.sort_by_key(|way| std::cmp::Reverse(way.until));
    let readable: Vec<Key> =
        frame.chain.iter().map(|step| step.place.key).filter(|key| reads_members(frame, *key)).collect();
    let removal = store::removal(db, user_id, &readable)?;
    if !is_me && reaching.is_empty() && ended.is_empty() && elsewhere.is_empty() && removal.is_none() {
        return Err(Problem::NotFound);
    }
    let held = power.is_some_and(|power| reaching.iter().any(|way| way.permissions.allow(power)));
    let (needed, givers) = match power.filter(|_| !held) {
        Some(power) => (needed(db, frame, power)?, lookup::givers(db, frame, power)?),
        None => (Vec::new(), Vec::new()),
    };
    Ok(Answer { subject, reaching, ended, elsewhere, removal, needed, givers })
}

fn reads_members(frame: &Frame, at: Key) -> bool {
    use crate::access::policy::Action;
    frame.step(at).is_some_and(|step| ReadMembers::NEEDS.met_by(step.held))
}

/// Names of the roles that give the power, the weakest first: nobody should be given more than they need.
fn needed(db: &mut Db, frame: &Frame, power: Permission) -> Result<Vec<String>, Problem> {
    let mut fitting: Vec<_> =
        roles::available(db, frame)?.into_iter().filter(|role| role.permissions.allow(power)).collect();
    fitting.sort_by_key(|role| power::strength(role.permissions));
    let mut names: Vec<String> = fitting.into_iter().map(|role| role.name).collect();
    names.dedup();
    Ok(names)
}
