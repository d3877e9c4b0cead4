//! Suspending and resuming in the naive `model`: one mark at one account, looked for on the way up.

use crate::model::Model;
use crate::model::Outcome::{self, Conflict, Done, NotFound};

impl Model {
    /// From an account above, which is where the right must hold, and reach below.
    pub fn suspend(&mut self, person: usize, from: usize, account: usize, suspended: bool) -> Outcome {
        let right = ("accounts", "update");
        match self.may(person, from, right) {
            Done if !self.below(from).contains(&account) || !self.held_below(person, from).contains(&right) => NotFound,
            Done if self.accounts[account].suspended == suspended => Conflict("Unconfirmed"),
            Done => {
                self.accounts[account].suspended = suspended;
                self.log(account)
            }
            refused => refused,
        }
    }
}
