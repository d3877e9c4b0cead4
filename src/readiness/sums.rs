//! Readiness summed up over everything below an account, and as of when.

use chrono::NaiveDateTime;

use super::State;

/// The same over all open accounts below. One that awaits both counts in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Below {
    pub accounts: i64,
    pub ready: i64,
    pub awaiting_agreements: i64,
    pub awaiting_payment: i64,
    pub suspended: i64,
    /// With more connections than a limit allows that holds for them.
    pub over_limit: i64,
    pub counted: Counted,
}

/// As of when sums are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counted {
    #[default]
    Now,
    At(NaiveDateTime),
    /// Nobody counted yet.
    NotYet,
}

impl Below {
    pub fn of(states: &[State]) -> Below {
        let mut sums = Below::default();
        states.iter().for_each(|state| sums.add(state));
        sums
    }

    pub fn add(&mut self, state: &State) {
        self.accounts += 1;
        self.ready += i64::from(state.is_ready());
        self.awaiting_agreements += i64::from(!state.agreed);
        self.awaiting_payment += i64::from(!state.paid);
        self.suspended += i64::from(state.stopped.suspended);
        self.over_limit += i64::from(state.stopped.over);
    }

    /// Whether anybody counted: else only `accounts` says something.
    pub fn is_counted(&self) -> bool {
        self.counted != Counted::NotYet
    }

    /// What a page says about when this was counted; empty where it is as of now.
    pub fn note(&self) -> String {
        match self.counted {
            Counted::Now => String::new(),
            Counted::At(at) => {
                let at = at.format("%H:%M");
                format!("So many accounts are counted every ten minutes, last at {at} UTC.")
            }
            Counted::NotYet => "So many accounts are counted in the background. Look again in a minute.".to_owned(),
        }
    }

    pub fn not_ready(&self) -> i64 {
        self.accounts - self.ready
    }
}
