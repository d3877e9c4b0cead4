//! The states of a port. The words are the published interface's.

use crate::problem::Problem;

/// Where a port stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Ordered; the fabric has not made it yet.
    Requested,
    Active,
    Deleted,
}

impl State {
    pub const EVERY: [State; 3] = [State::Requested, State::Active, State::Deleted];

    /// As it is stored and exported.
    pub fn code(self) -> &'static str {
        match self {
            State::Requested => "REQUESTED",
            State::Active => "ACTIVE",
            State::Deleted => "DELETED",
        }
    }

    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            State::Requested => "Requested",
            State::Active => "Active",
            State::Deleted => "Deleted",
        }
    }

    /// The tone of its badge.
    pub fn tone(self) -> &'static str {
        match self {
            State::Requested => "info",
            State::Active => "good",
            State::Deleted => "",
        }
    }

    pub fn of_code(code: &str) -> Option<State> {
        State::EVERY.into_iter().find(|state| state.code() == code)
    }
}

impl TryFrom<String> for State {
    type Error = Problem;

    fn try_from(code: String) -> Result<State, Problem> {
        State::of_code(&code).ok_or_else(|| Problem::bug("a port in no known state"))
    }
}
