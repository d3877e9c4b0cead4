//! The states of a connection and what leads from one to another: one table, which `state_tests.rs` prints whole. The
//! words are the published interface's.

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Ordered; nobody looked at it yet.
    Initializing,
    WaitingToProvision,
    /// The operator decides over this kind of connection.
    PendingApproval,
    Approved,
    /// The fabric makes it.
    Provisioning,
    FailedToProvision,
    Active,
    /// Made, and carries no traffic now.
    Down,
    Updating,
    FailedToUpdate,
    Deleting,
    FailedToDelete,
    Deleted,
}

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Happening {
    /// The order was looked at: nothing but the gate is before it.
    Checked,
    /// The order was looked at: its kind asks for the operator's approval, which it does not have.
    NeedsApproval,
    Approve,
    /// The operator does not approve, or the order cannot be carried out.
    Refuse,
    /// The gate is open: the fabric gets its intent.
    Start,
    /// The fabric did what it was asked.
    Done,
    /// The fabric could not do what it was asked.
    Fail,
    GoDown,
    ComeUp,
    /// Somebody changed what the fabric has to know.
    Edit,
    /// Somebody wants the failed order tried again.
    Retry,
    Delete,
}

use State::*;

impl State {
    pub const EVERY: [State; 13] = [
        Initializing,
        WaitingToProvision,
        PendingApproval,
        Approved,
        Provisioning,
        FailedToProvision,
        Active,
        Down,
        Updating,
        FailedToUpdate,
        Deleting,
        FailedToDelete,
        Deleted,
    ];

    /// As it is stored and exported.
    pub fn code(self) -> &'static str {
        match self {
            Initializing => "INITIALIZING",
            WaitingToProvision => "WAITING_TO_PROVISION",
            PendingApproval => "PENDING_APPROVAL",
            Approved => "APPROVED",
            Provisioning => "PROVISIONING",
            FailedToProvision => "FAILED_TO_PROVISION",
            Active => "ACTIVE",
            Down => "DOWN",
            Updating => "UPDATING",
            FailedToUpdate => "FAILED_TO_UPDATE",
            Deleting => "DELETING",
            FailedToDelete => "FAILED_TO_DELETE",
            Deleted => "DELETED",
        }
    }

    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Initializing => "Initializing",
            WaitingToProvision => "Waiting to provision",
            PendingApproval => "Pending approval",
            Approved => "Approved",
            Provisioning => "Provisioning",
            FailedToProvision => "Failed to provision",
            Active => "Active",
            Down => "Down",
            Updating => "Updating",
            FailedToUpdate => "Failed to update",
            Deleting => "Deleting",
            FailedToDelete => "Failed to delete",
            Deleted => "Deleted",
        }
    }

    /// The tone of its badge.
    pub fn tone(self) -> &'static str {
        match self {
            Active => "good",
            Down | FailedToProvision | FailedToUpdate | FailedToDelete => "bad",
            PendingApproval | WaitingToProvision => "warn",
            Initializing | Approved | Provisioning | Updating | Deleting => "info",
            Deleted => "",
        }
    }

    pub fn of_code(code: &str) -> Option<State> {
        State::EVERY.into_iter().find(|state| state.code() == code)
    }

    /// Whether the fabric has something to do for it, or the background work before that.
    pub fn is_under_way(self) -> bool {
        matches!(self, Initializing | WaitingToProvision | Approved | Provisioning | Updating | Deleting)
    }
}

impl Happening {
    pub const EVERY: [Happening; 12] = [
        Happening::Checked,
        Happening::NeedsApproval,
        Happening::Approve,
        Happening::Refuse,
        Happening::Start,
        Happening::Done,
        Happening::Fail,
        Happening::GoDown,
        Happening::ComeUp,
        Happening::Edit,
        Happening::Retry,
        Happening::Delete,
    ];
}

/// Where a happening leads; None where it cannot happen.
pub fn next(state: State, happening: Happening) -> Option<State> {
    Some(match (state, happening) {
        (Initializing, Happening::Checked) => WaitingToProvision,
        // Also one that was refused and is tried again.
        (Initializing | WaitingToProvision, Happening::NeedsApproval) => PendingApproval,
        (PendingApproval, Happening::Approve) => Approved,
        (Initializing | PendingApproval, Happening::Refuse) => FailedToProvision,
        (WaitingToProvision | Approved, Happening::Start) => Provisioning,
        (Provisioning | Updating, Happening::Done) => Active,
        (Deleting, Happening::Done) => Deleted,
        (Provisioning, Happening::Fail) => FailedToProvision,
        (Updating, Happening::Fail) => FailedToUpdate,
        (Deleting, Happening::Fail) => FailedToDelete,
        (Active, Happening::GoDown) => Down,
        (Down, Happening::ComeUp) => Active,
        (Active | Down | FailedToUpdate, Happening::Edit) => Updating,
        (FailedToProvision, Happening::Retry) => WaitingToProvision,
        // The fabric knows nothing of it yet.
        (Initializing | WaitingToProvision | PendingApproval | Approved, Happening::Delete) => Deleted,
        (FailedToProvision | Active | Down | FailedToUpdate | FailedToDelete, Happening::Delete) => Deleting,
        _ => return None,
    })
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
