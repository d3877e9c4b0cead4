//! Who sees prices. Whoever pays, or paid, for themselves does. An account that somebody above pays for does where every account
//! above it, up to the one that pays, shows prices to its child accounts; where nobody pays, up to the root. An account
//! that hides them hides them from everything below it, except from people who may read its own billing.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use crate::access::policy::{Action, ReadBilling, UpdateBilling};
use crate::access::{Frame, Grant};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::Key;
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::store::schema::price_visibility;

/// What an account chose, with the row's version; 0 where it never chose and prices are hidden.
pub fn chosen(db: &mut Db, account: Key) -> Result<(bool, i64), Problem> {
    let row = price_visibility::table
        .find(account)
        .select((price_visibility::show_child_prices, price_visibility::version))
        .first(db)
        .optional()?;
    Ok(row.unwrap_or((false, 0)))
}

/// Chooses, if the choice still is the version that was seen.
pub fn choose(db: &mut Db, by: &Grant<UpdateBilling>, show: bool, version: i64) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        let account = by.account();
        let (before, now) = chosen(db, account.key)?;
        if now != version {
            return Err(Problem::Conflict(Reason::Stale));
        }
        let (shows, next) = (price_visibility::show_child_prices, price_visibility::version);
        if now == 0 {
            diesel::insert_into(price_visibility::table)
                .values((price_visibility::account_key.eq(account.key), shows.eq(show), next.eq(1)))
                .execute(db)?;
        } else {
            let row = price_visibility::table.find(account.key);
            diesel::update(row).set((shows.eq(show), next.eq(now + 1))).execute(db)?;
        }
        let word = |on: bool| if on { "true" } else { "false" };
        let subject = Subject::new("ACCOUNT", &account.id, &account.name);
        let event = Event::new(EventType::AccountUpdate, subject);
        Ok(((), event.changed("showChildAccountPricing", word(before), word(show))))
    })
}

#[derive(QueryableByName)]
struct Above {
    #[diesel(sql_type = BigInt)]
    account: Key,
    #[diesel(sql_type = Bool)]
    pays: bool,
    #[diesel(sql_type = Bool)]
    shows: bool,
}

/// What the person of the frame sees in its account: the prices of what somebody was charged depend on who was.
#[derive(Debug, Clone)]
pub struct Sight {
    /// From the account itself upwards: key, whether it has a payment method, whether prices of what it is charged for
    /// the account are seen.
    steps: Vec<(Key, bool, bool)>,
}

impl Sight {
    pub fn of(db: &mut Db, frame: &Frame) -> Result<Sight, Problem> {
        let rows: Vec<Above> = diesel::sql_query(
            "SELECT up.ancestor_key AS account,
                    CASE WHEN m.account_key IS NULL THEN FALSE ELSE TRUE END AS pays,
                    COALESCE(v.show_child_prices, FALSE) AS shows
             FROM account_ancestry up
             LEFT JOIN payment_methods m ON m.account_key = up.ancestor_key
             LEFT JOIN price_visibility v ON v.account_key = up.ancestor_key
             WHERE up.descendant_key = $1 ORDER BY up.distance",
        )
        .bind::<BigInt, _>(frame.account().key)
        .load(db)?;
        Ok(Sight::new(&rows, |key| frame.step(key).is_some_and(|step| ReadBilling::NEEDS.met_by(step.held))))
    }

    fn new(rows: &[Above], may_read: impl Fn(Key) -> bool) -> Sight {
        let mut seen = true;
        let step = |(distance, one): (usize, &Above)| {
            seen = seen && (distance == 0 || one.shows || may_read(one.account));
            (one.account, one.pays, seen)
        };
        Sight { steps: rows.iter().enumerate().map(step).collect() }
    }

    /// What things cost from now on: whoever pays now would be charged.
    pub fn now(&self) -> bool {
        let payer = self.steps.iter().find(|(_, pays, _)| *pays).or(self.steps.last());
        payer.is_none_or(|(_, _, seen)| *seen)
    }

    /// What this account was charged; without one nobody was yet. One that is not above any more is farther than all
    /// that are.
    pub fn charged_to(&self, payer: Option<Key>) -> bool {
        let Some(payer) = payer else { return self.now() };
        let step = self.steps.iter().find(|(account, ..)| *account == payer).or(self.steps.last());
        step.is_none_or(|(_, _, seen)| *seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(rows: &[Above], may_read: impl Fn(Key) -> bool) -> bool {
        Sight::new(rows, may_read).now()
    }

    #[test]
    fn what_was_charged_is_shown_by_who_was_charged() {
        // It pays for itself now; what its parent was charged before stays the parent's to show.
        let hidden = Sight::new(&rows(&[(true, false), (true, false), (false, true)]), |_| false);
        assert!(hidden.now() && hidden.charged_to(Some(0)) && hidden.charged_to(None));
        assert!(!hidden.charged_to(Some(1)) && !hidden.charged_to(Some(2)));
        let shown = Sight::new(&rows(&[(true, false), (true, true), (false, false)]), |_| false);
        assert!(shown.charged_to(Some(1)) && !shown.charged_to(Some(2)));
        // Whoever was charged is not above any more.
        assert!(!shown.charged_to(Some(99)));
    }

    fn rows(marks: &[(bool, bool)]) -> Vec<Above> {
        marks
            .iter()
            .enumerate()
            .map(|(n, (pays, shows))| Above { account: n as Key, pays: *pays, shows: *shows })
            .collect()
    }

    #[test]
    fn hidden_at_one_account_is_hidden_for_everything_below_it_that_it_pays_for() {
        let (no, payer) = (false, true);
        // Parent pays: shown, hidden.
        assert!(decide(&rows(&[(no, false), (payer, true)]), |_| false));
        assert!(!decide(&rows(&[(no, false), (payer, false)]), |_| false));
        // Shown by the payer and hidden between.
        assert!(!decide(&rows(&[(no, false), (no, false), (payer, true)]), |_| false));
        // Who pays sees what it pays, whatever is above.
        assert!(decide(&rows(&[(payer, false), (no, false)]), |_| false));
        // The reseller's own people.
        assert!(decide(&rows(&[(no, false), (payer, false)]), |key| key == 1));
        assert!(!decide(&rows(&[(no, false), (no, false), (payer, false)]), |key| key == 1));
        // Nobody pays.
        assert!(decide(&rows(&[(no, false)]), |_| false));
        assert!(!decide(&rows(&[(no, false), (no, false)]), |_| false));
    }
}
