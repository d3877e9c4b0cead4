//! The one error. Operations return reasons, the pages write the sentences (src/web/errors.rs); the inner cause of a
//! [`Problem::Bug`] goes to the log and cannot be displayed.

use std::fmt;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Why a request cannot be answered as asked.
#[derive(Debug)]
pub enum Problem {
    /// It does not exist, or this person may not know that it does.
    NotFound,
    /// The account may be seen, but this permission is missing; `helpers` are people who can grant it.
    Forbidden { permission: String, helpers: Vec<String> },
    /// Nobody is signed in, or the session ended.
    SignIn,
    /// Signed in, but who it is was proven too long ago for this act.
    Unproven,
    /// The account, or one above it, asks for a second factor, and this session was opened without.
    SecondFactor,
    /// Fields of a form, each with what to do about it. The room shows its form again with what was typed.
    Invalid(Errors),
    /// The state of things does not allow it.
    Conflict(Reason),
    /// Too many attempts; try again after this many seconds.
    TooMany { seconds: i64 },
    /// The body is larger than [`crate::web::form::LARGEST_BODY`].
    TooLarge,
    /// The request is not what a page of ours would send.
    Malformed(&'static str),
    /// The form came from another site or carries no valid token.
    CrossSite,
    /// The database is busy, full or away; nothing was changed.
    Unavailable(anyhow::Error),
    /// We are wrong. The cause is for the log only.
    Bug(anyhow::Error),
}

/// Why the state of things forbids an act. The codes are the published interface's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The row was changed since the form was opened; the room shows both versions.
    Stale,
    /// A form that was already carried out came again with other contents.
    FormReused,
    HasChildAccounts(i64),
    HasLiveConnections(i64),
    RootCannotBeClosed,
    /// Restorable for 30 days only, and only under an open parent.
    CannotBeRestored,
    /// The tree may not become deeper than this.
    TooDeep(i64),
    /// An account cannot become its own descendant.
    Cycle,
    BillingCannotBeRemoved {
        accounts: i64,
        connections: i64,
    },
    BillingExists,
    /// What it would do was not confirmed, or is not any more what was; the room shows the effects.
    Unconfirmed,
    AdminAccessMustExist,
    AlreadyConsented,
    /// A role that the actor does not hold in full, where it would reach.
    MoreThanHeld,
    /// Built-in roles can be copied, not changed.
    RoleIsBuiltIn,
    /// A role of an account above is changed there.
    RoleIsInherited,
    /// A role that is given, or offered by open invitations, cannot be deleted: how often each.
    RoleInUse {
        given: i64,
        invited: i64,
    },
    /// Assignments in a branch that moves, of roles that belong to an account which would not be above it any more.
    RolesStayBehind(i64),
    /// The invitation, or the link, was used, withdrawn or ran out.
    LinkIsSpent,
    /// Ports that are not deleted keep an account open.
    HasLivePorts(i64),
    /// VLANs in a branch that moves, of ports that belong to an account which would not be above it any more; caps
    /// on such ports count as well.
    PortsStayBehind(i64),
    /// Connections that are not deleted keep a network.
    NetworkHasConnections(i64),
    /// Connections of accounts below use the port: it stays offered to them.
    PortUsedBelow(i64),
    /// Connections use the port: it cannot be deleted.
    PortHasConnections(i64),
    /// The port's state does not allow it: the state as stored.
    PortState(&'static str),
    /// The port is not the account's own, nor offered to it (any more).
    PortNotAvailable,
    VlanInUse(i64),
    /// Mbit/s that are left on the port.
    PortIsFull(i64),
    /// What a cap on the port allows the account or one above it, as a sentence.
    PortCap(String),
    /// What blocks provisioning, as exported codes.
    NotReady(Vec<&'static str>),
    /// A limit of this account or of one above it: what of, and how many it allows.
    LimitReached {
        resource: &'static str,
        most: i64,
    },
    /// An account that would leave a branch which is suspended.
    SuspendedAbove,
    /// The connection's state does not allow it: the state as stored.
    ConnectionState(&'static str),
    /// A connection in this state, in words, cannot be changed.
    ConnectionUpdate(&'static str),
    /// A connection in this state, in words, cannot be deleted.
    ConnectionDelete(&'static str),
    /// The terms of the order do not allow it.
    NotSupported(&'static str),
}

impl Reason {
    pub fn code(&self) -> &'static str {
        match self {
            Reason::Stale | Reason::FormReused | Reason::Unconfirmed => "CONFLICT",
            Reason::HasChildAccounts(_) => "ACCOUNT_HAS_CHILD_ACCOUNTS",
            Reason::HasLiveConnections(_) => "ACCOUNT_DELETE_NON_DELETED_CONNECTION_STATE_CONFLICT",
            Reason::RootCannotBeClosed | Reason::CannotBeRestored | Reason::Cycle => "MODIFICATION_NOT_ALLOWED",
            Reason::TooDeep(_) => "RESOURCE_LIMITATION_EXCEEDED",
            Reason::BillingCannotBeRemoved { .. } => "BILLING_CANNOT_BE_REMOVED",
            Reason::BillingExists => "CONFLICT",
            Reason::AdminAccessMustExist => "ADMIN_ACCESS_MUST_EXIST",
            Reason::AlreadyConsented => "ACCOUNT_ALREADY_CONSENTED",
            Reason::MoreThanHeld | Reason::RoleIsBuiltIn | Reason::RoleIsInherited => "MODIFICATION_NOT_ALLOWED",
            Reason::RoleInUse { .. } | Reason::RolesStayBehind(_) => "CONFLICT",
            Reason::LinkIsSpent => "INVALID_LINK",
            Reason::HasLivePorts(_) => "ACCOUNT_DELETE_NON_DELETED_PORT_STATE_CONFLICT",
            Reason::PortsStayBehind(_) | Reason::PortUsedBelow(_) => "PORT_CHILD_ACCOUNT_FLAG_IN_USE",
            Reason::NetworkHasConnections(_) => "NETWORK_DELETE_NON_DELETED_CONNECTION_STATE_CONFLICT",
            Reason::PortHasConnections(_) => "PORT_DELETE_NON_DELETED_CONNECTION_STATE_CONFLICT",
            Reason::PortState(_) => "CONFLICT",
            Reason::PortNotAvailable => "NO_PORT_FOUND_FOR_CONNECTION",
            Reason::VlanInUse(_) => "VLAN_IN_USE",
            Reason::PortIsFull(_) => "INSUFFICIENT_CAPACITY",
            Reason::PortCap(_) | Reason::LimitReached { .. } => "RESOURCE_LIMITATION_EXCEEDED",
            Reason::SuspendedAbove => "ACCOUNT_SUSPENDED",
            Reason::NotReady(_) => "PAYMENT_REQUIRED",
            Reason::ConnectionState(_) => "INVALID_CONNECTION_STATE_CHANGE",
            Reason::ConnectionUpdate(_) => "CONNECTION_UPDATE_STATE_CONFLICT",
            Reason::ConnectionDelete(_) => "CONNECTION_DELETE_STATE_CONFLICT",
            Reason::NotSupported(_) => "CONNECTION_CONFIGURATION_NOT_SUPPORTED",
        }
    }
}

/// What is wrong with a form: messages by field; an empty field name stands for the form as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors(pub Vec<(String, String)>);

impl Errors {
    pub fn one(field: &str, message: impl Into<String>) -> Errors {
        Errors(vec![(field.to_owned(), message.into())])
    }

    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push((field.to_owned(), message.into()));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, message)| message.as_str())
    }
}

impl Problem {
    pub fn invalid(field: &str, message: impl Into<String>) -> Problem {
        Problem::Invalid(Errors::one(field, message))
    }

    pub fn bug(message: &'static str) -> Problem {
        Problem::Bug(anyhow::anyhow!(message))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Bug(cause) => write!(f, "bug: {cause:#}"),
            Problem::Unavailable(cause) => write!(f, "unavailable: {cause:#}"),
            other => write!(f, "{other:?}"),
        }
    }
}

impl std::error::Error for Problem {}

/// Parts of the messages with which SQLite and PostgreSQL say that they cannot serve now, though nothing is wrong
/// with the statement. (Neither code reaches us through diesel.)
const AWAY: [&str; 17] = [
    "deadlock detected",
    "database is locked",
    "database table is locked",
    "database or disk is full",
    "disk I/O error",
    "readonly database",
    "unable to open database",
    "No space left on device",
    "could not connect",
    "Connection refused",
    "connection to server",
    "server closed the connection",
    "terminating connection",
    "the database system is",
    "too many clients",
    "due to lock timeout",
    "due to statement timeout",
];

impl From<DieselError> for Problem {
    fn from(error: DieselError) -> Problem {
        let away = match &error {
            DieselError::NotFound => return Problem::NotFound,
            DieselError::DatabaseError(kind, info) => {
                matches!(
                    kind,
                    DatabaseErrorKind::ClosedConnection
                        | DatabaseErrorKind::UnableToSendCommand
                        | DatabaseErrorKind::SerializationFailure
                        | DatabaseErrorKind::ReadOnlyTransaction
                ) || AWAY.iter().any(|part| info.message().contains(part))
            }
            DieselError::BrokenTransactionManager => true,
            // A failed commit is rolled back by diesel; what counts is why the commit failed.
            DieselError::RollbackErrorOnCommit { commit_error, .. } => {
                AWAY.iter().any(|part| commit_error.to_string().contains(part))
            }
            _ => false,
        };
        // Two processes drew one key in the same microsecond: nothing is wrong with the request, which may come again.
        if let DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) = &error
            && (info.constraint_name().is_some_and(|name| name.ends_with("_pkey")) || is_about_a_key(info.message()))
        {
            return Problem::Unavailable(error.into());
        }
        // PostgreSQL takes no NUL in a text and no moment outside its calendar, whatever a request brings along.
        if let DieselError::DatabaseError(_, info) = &error
            && ["invalid byte sequence", "out of range"].iter().any(|part| info.message().contains(part))
        {
            return Problem::Malformed("It holds characters or numbers that cannot be stored.");
        }
        if away { Problem::Unavailable(error.into()) } else { Problem::Bug(error.into()) }
    }
}

/// As SQLite says that a primary key is taken.
fn is_about_a_key(message: &str) -> bool {
    message
        .strip_prefix("UNIQUE constraint failed: ")
        .is_some_and(|columns| columns.split_once('.').is_some_and(|(_, column)| column == "key"))
}

impl From<r2d2::Error> for Problem {
    fn from(error: r2d2::Error) -> Problem {
        Problem::Unavailable(error.into())
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Problem {
        Problem::Bug(error)
    }
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Problem {
        Problem::Bug(error.into())
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Problem {
        Problem::Bug(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(message: &str) -> Problem {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, Box::new(message.to_owned())).into()
    }

    #[test]
    fn a_key_that_two_processes_drew_is_no_bug_and_a_name_that_is_taken_is_not_a_key() {
        assert!(matches!(violation("UNIQUE constraint failed: accounts.key"), Problem::Unavailable(_)));
        for other in ["UNIQUE constraint failed: users.email_key", "UNIQUE constraint failed: a.x, a.key", "else"] {
            assert!(matches!(violation(other), Problem::Bug(_)), "{other}");
        }
    }
}
