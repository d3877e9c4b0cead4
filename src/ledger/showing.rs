//! Who sees prices. Whoever pays for themselves does. An account that somebody above pays for does where every account
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

/// Whether the person of the frame sees prices in its account.
pub fn sees_prices(db: &mut Db, frame: &Frame) -> Result<bool, Problem> {
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
    let reads_billing_of = |key| frame.step(key).is_some_and(|step| ReadBilling::NEEDS.met_by(step.held));
    Ok(decide(&rows, reads_billing_of))
}

/// From the account itself upwards.
fn decide(rows: &[Above], may_read: impl Fn(Key) -> bool) -> bool {
    for (distance, one) in rows.iter().enumerate() {
        if distance > 0 && !one.shows && !may_read(one.account) {
            return false;
        }
        if one.pays {
            return true;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

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
