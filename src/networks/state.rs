//! The states of a network, in the published interface's words. Here a network is active from the start.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Pending,
    Provisioning,
    PendingControllers,
    DeletingControllers,
    ProvisioningControllers,
    Active,
    Deleting,
    Deleted,
    Error,
}

use State::*;

impl State {
    pub const EVERY: [State; 9] = [
        Pending,
        Provisioning,
        PendingControllers,
        DeletingControllers,
        ProvisioningControllers,
        Active,
        Deleting,
        Deleted,
        Error,
    ];

    /// As it is stored and exported.
    pub fn code(self) -> &'static str {
        match self {
            Pending => "PENDING",
            Provisioning => "PROVISIONING",
            PendingControllers => "PENDING_CONTROLLERS",
            DeletingControllers => "DELETING_CONTROLLERS",
            ProvisioningControllers => "PROVISIONING_CONTROLLERS",
            Active => "ACTIVE",
            Deleting => "DELETING",
            Deleted => "DELETED",
            Error => "ERROR",
        }
    }

    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Pending => "Pending",
            Provisioning => "Provisioning",
            PendingControllers => "Pending controllers",
            DeletingControllers => "Deleting controllers",
            ProvisioningControllers => "Provisioning controllers",
            Active => "Active",
            Deleting => "Deleting",
            Deleted => "Deleted",
            Error => "Error",
        }
    }

    /// The tone of its badge.
    pub fn tone(self) -> &'static str {
        match self {
            Active => "good",
            Error => "bad",
            Deleted => "",
            _ => "info",
        }
    }

    pub fn of_code(code: &str) -> Option<State> {
        State::EVERY.into_iter().find(|state| state.code() == code)
    }
}
