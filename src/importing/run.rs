//! Carrying out an import, some lines at a time. A step is one transaction under the tree's lock: what becomes of a line
//! is written with the account that it made, so that a process that dies leaves no line half done and none is done twice.
//! Each account is made by the operation that the form uses, with the rights that the person has at that moment.

use std::collections::HashMap;

use diesel::dsl::exists;
use diesel::prelude::*;

use super::claims::{self, Hand};
use super::rows::{self, Shown};
use super::store;
use super::{CREATED, Import, REFUSED, State, THERE};
use crate::access::policy::CreateAccounts;
use crate::access::{self, Grant, Origin, lookup};
use crate::accounts::{self, NewChild};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::schema::{account_ancestry, accounts as account_rows};
use crate::store::{self as database, Db, Pool, dialect};

/// Lines of one step.
pub const AT_ONCE: i64 = 50;
/// Accounts of one reference that are looked at together.
const CALLED_SO: usize = 300;

/// Carries on with everything that nobody has in hand; answers how many steps were taken.
pub async fn carry_on(pool: &Pool, max_depth: i64) -> Result<usize, Problem> {
    let mut steps = 0;
    for import in pool.read_long(claims::due).await? {
        let mut hand = pool.write(move |db| claims::take(db, import)).await?;
        while let Some(mine) = hand {
            hand = pool.write(move |db| step(db, mine, max_depth, AT_ONCE)).await?;
            steps += 1;
        }
    }
    Ok(steps)
}

/// The next lines of an import; none when there are no more, or it is not in this hand any more.
pub fn step(db: &mut Db, hand: Hand, max_depth: i64, most: i64) -> Result<Option<Hand>, Problem> {
    database::write(db, |db| {
        let import = store::by_key(db, hand.import)?;
        let root: Key = account_rows::table.find(import.account).select(account_rows::root_key).first(db)?;
        dialect::lock_tree(db, root)?;
        let Some(hand) = claims::hold(db, hand)? else { return Ok(None) };
        let rows = rows::next(db, import.key, most)?;
        if rows.is_empty() {
            claims::end(db, import.key, State::Done)?;
            return Ok(None);
        }
        let above: Vec<i64> = rows.iter().filter_map(|row| row.parent_line).collect();
        let became = rows::became(db, import.key, &above)?;
        let mut work = Work { import: &import, root, max_depth, became, grants: HashMap::new() };
        for row in rows {
            work.carry_out(db, &row)?;
        }
        Ok(Some(hand))
    })
}

/// One step's lines.
struct Work<'a> {
    import: &'a Import,
    root: Key,
    max_depth: i64,
    /// Lines that are parents, and the accounts that they became.
    became: HashMap<i64, Option<String>>,
    grants: HashMap<String, Grant<CreateAccounts>>,
}

/// What becomes of a line.
enum Outcome {
    Created(String),
    There(String),
    Refused(String),
}

impl Work<'_> {
    fn carry_out(&mut self, db: &mut Db, row: &Shown) -> Result<(), Problem> {
        let outcome = match self.try_one(db, row) {
            Err(Problem::Unavailable(cause)) => return Err(Problem::Unavailable(cause)),
            Err(problem) => Outcome::Refused(words(&problem)),
            Ok(outcome) => outcome,
        };
        let line = row.line.line;
        let (state, account, reason) = match &outcome {
            Outcome::Created(id) => (CREATED, Some(id.as_str()), ""),
            Outcome::There(id) => (THERE, Some(id.as_str()), ""),
            Outcome::Refused(why) => (REFUSED, None, why.as_str()),
        };
        rows::settle(db, self.import.key, line, state, account, reason)?;
        self.became.insert(line, account.map(str::to_owned));
        Ok(())
    }

    fn try_one(&mut self, db: &mut Db, row: &Shown) -> Result<Outcome, Problem> {
        let parent = match row.parent_line {
            Some(above) => match self.became.get(&above) {
                Some(Some(id)) => id.clone(),
                _ => return Ok(Outcome::Refused(format!("Its parent, line {above}, was not created."))),
            },
            None => row.parent_id.clone().unwrap_or_default(),
        };
        let line = &row.line;
        if !line.reference.is_empty()
            && let Some((id, above)) = self.called(db, &line.reference)?
        {
            let elsewhere = format!("The account with this external reference ({id}) is below another one.");
            return Ok(if above == parent { Outcome::There(id) } else { Outcome::Refused(elsewhere) });
        }
        let by = self.grant(db, &parent)?;
        let new = NewChild { details: line.details(), accept_agreements: line.accept, max_depth: self.max_depth };
        Ok(Outcome::Created(accounts::open_child_called(db, &by, new, &line.reference)?.id))
    }

    /// What the person may do at this account now; asked again under the lock by whatever they do.
    fn grant(&mut self, db: &mut Db, account: &str) -> Result<Grant<CreateAccounts>, Problem> {
        if let Some(known) = self.grants.get(account) {
            return Ok(known.clone());
        }
        let origin = Origin {
            address: self.import.address.clone(),
            user_agent: self.import.user_agent.clone(),
            // One group in the log.
            request_id: self.import.id.clone(),
        };
        let grant = access::grant::<CreateAccounts>(db, self.import.user, account, origin)?;
        // One that was moved away is none of this import any more.
        if grant.frame().step(self.import.account).is_none() {
            return Err(Problem::NotFound);
        }
        if !self.import.second_factor && grant.frame().asks_second_factor().is_some() {
            return Err(Problem::SecondFactor);
        }
        self.grants.insert(account.to_owned(), grant.clone());
        Ok(grant)
    }

    /// The open account below that of the import with this reference, and its parent: their ids. As in the check,
    /// one that the person may not see is not there.
    fn called(&self, db: &mut Db, reference: &str) -> Result<Option<(String, String)>, Problem> {
        let below = account_ancestry::table
            .filter(account_ancestry::descendant_key.eq(account_rows::key))
            .filter(account_ancestry::ancestor_key.eq(self.import.account))
            .filter(account_ancestry::distance.gt(0));
        let found = account_rows::table
            .filter(account_rows::root_key.eq(self.root))
            .filter(account_rows::external_reference.assume_not_null().eq(reference))
            .filter(exists(below))
            .filter(account_rows::closed_at.is_null())
            .order(account_rows::key)
            .select((account_rows::key, account_rows::id, account_rows::parent_key.assume_not_null()))
            .load::<(Key, String, Key)>(db)?;
        for some in found.chunks(CALLED_SO) {
            let keys: Vec<Key> = some.iter().map(|(key, ..)| *key).collect();
            let seen = lookup::reached(db, self.import.user, &keys)?;
            if let Some((_, id, parent)) = some.iter().find(|(key, ..)| seen.contains_key(key)) {
                let above = account_rows::table.find(*parent).select(account_rows::id).first(db)?;
                return Ok(Some((id.clone(), above)));
            }
        }
        Ok(None)
    }
}

/// Why a line was refused.
fn words(problem: &Problem) -> String {
    match problem {
        Problem::Forbidden { permission, .. } => {
            format!("It needs the permission “{permission}” there, which you do not have any more.")
        }
        Problem::NotFound => "The parent account is closed, or you do not see it any more.".to_owned(),
        Problem::Conflict(reason) => reason.in_form(),
        Problem::SecondFactor => "An account there asks for a second factor, and you signed in without one.".to_owned(),
        other => {
            tracing::error!(problem = %other, "a line of an import could not be carried out");
            "Something went wrong on our side; try this line again.".to_owned()
        }
    }
}
