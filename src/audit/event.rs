//! What can happen, as a closed list, and what an entry says about it. The words are the published interface's where
//! it has one.

use crate::ids::Key;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    UserCreate,
    UserUpdate,
    UserLogin,
    UserLogout,
    SessionEnd,
    AccountCreate,
    AccountUpdate,
    AccountMove,
    AccountClose,
    AccountRestore,
    AccountMemberCreate,
    AccountMemberDelete,
    AccountConsentCreate,
    AccountBillingCreate,
    AccountBillingUpdate,
    AccountBillingDelete,
    BillingSetupCreate,
    BillingSetupDelete,
    BillingVerify,
    UserPasswordForgotten,
    AccessRefused,
    MemberInviteCreate,
    MemberInviteAccept,
    MemberInviteUpdate,
    MemberInviteDelete,
    AccountMemberUpdate,
    RoleCreate,
    RoleUpdate,
    RoleDelete,
    LegalDocumentCreate,
    PriceListCreate,
    InvoiceCreate,
    InvoiceUpdate,
    AccountSuspend,
    AccountResume,
    ResourceLimitUpdate,
    NetworkCreate,
    NetworkUpdate,
    NetworkDelete,
    ConnectionCreate,
    ConnectionUpdate,
    ConnectionDelete,
    ConnectionStateChange,
    PortCreate,
    PortUpdate,
    PortDelete,
    PortStateChange,
    CatalogueUpdate,
    AccountImportCreate,
    AccountImportUpdate,
}

impl EventType {
    pub const EVERY: [EventType; 50] = [
        EventType::UserCreate,
        EventType::UserUpdate,
        EventType::UserLogin,
        EventType::UserLogout,
        EventType::SessionEnd,
        EventType::AccountCreate,
        EventType::AccountUpdate,
        EventType::AccountMove,
        EventType::AccountClose,
        EventType::AccountRestore,
        EventType::AccountMemberCreate,
        EventType::AccountMemberDelete,
        EventType::AccountConsentCreate,
        EventType::AccountBillingCreate,
        EventType::AccountBillingUpdate,
        EventType::AccountBillingDelete,
        EventType::BillingSetupCreate,
        EventType::BillingSetupDelete,
        EventType::BillingVerify,
        EventType::UserPasswordForgotten,
        EventType::AccessRefused,
        EventType::MemberInviteCreate,
        EventType::MemberInviteAccept,
        EventType::MemberInviteUpdate,
        EventType::MemberInviteDelete,
        EventType::AccountMemberUpdate,
        EventType::RoleCreate,
        EventType::RoleUpdate,
        EventType::RoleDelete,
        EventType::LegalDocumentCreate,
        EventType::PriceListCreate,
        EventType::InvoiceCreate,
        EventType::InvoiceUpdate,
        EventType::AccountSuspend,
        EventType::AccountResume,
        EventType::ResourceLimitUpdate,
        EventType::NetworkCreate,
        EventType::NetworkUpdate,
        EventType::NetworkDelete,
        EventType::ConnectionCreate,
        EventType::ConnectionUpdate,
        EventType::ConnectionDelete,
        EventType::ConnectionStateChange,
        EventType::PortCreate,
        EventType::PortUpdate,
        EventType::PortDelete,
        EventType::PortStateChange,
        EventType::CatalogueUpdate,
        EventType::AccountImportCreate,
        EventType::AccountImportUpdate,
    ];

    /// As it is stored and exported.
    pub fn code(self) -> &'static str {
        match self {
            EventType::UserCreate => "USER_CREATE",
            EventType::UserUpdate => "USER_UPDATE",
            EventType::UserLogin => "USER_LOGIN",
            EventType::UserLogout => "USER_LOGOUT",
            EventType::SessionEnd => "SESSION_END",
            EventType::AccountCreate => "ACCOUNT_CREATE",
            EventType::AccountUpdate => "ACCOUNT_UPDATE",
            EventType::AccountMove => "ACCOUNT_MOVE",
            EventType::AccountClose => "ACCOUNT_DELETE",
            EventType::AccountRestore => "ACCOUNT_RESTORE",
            EventType::AccountMemberCreate => "ACCOUNT_MEMBER_CREATE",
            EventType::AccountMemberDelete => "ACCOUNT_MEMBER_DELETE",
            EventType::AccountConsentCreate => "ACCOUNT_CONSENT_CREATE",
            EventType::AccountBillingCreate => "ACCOUNT_BILLING_CREATE",
            EventType::AccountBillingUpdate => "ACCOUNT_BILLING_UPDATE",
            EventType::AccountBillingDelete => "ACCOUNT_BILLING_DELETE",
            EventType::BillingSetupCreate => "ACCOUNT_BILLING_SETUP_CREATE",
            EventType::BillingSetupDelete => "ACCOUNT_BILLING_SETUP_DELETE",
            EventType::BillingVerify => "ACCOUNT_BILLING_VERIFY",
            EventType::UserPasswordForgotten => "USER_FORGOT_PASSWORD",
            EventType::AccessRefused => "ACCESS_REFUSED",
            EventType::MemberInviteCreate => "MEMBER_INVITE_CREATE",
            EventType::MemberInviteAccept => "MEMBER_INVITE_ACCEPT",
            EventType::MemberInviteUpdate => "MEMBER_INVITE_UPDATE",
            EventType::MemberInviteDelete => "MEMBER_INVITE_DELETE",
            EventType::AccountMemberUpdate => "ACCOUNT_MEMBER_UPDATE",
            EventType::RoleCreate => "ROLE_CREATE",
            EventType::RoleUpdate => "ROLE_UPDATE",
            EventType::RoleDelete => "ROLE_DELETE",
            EventType::LegalDocumentCreate => "LEGAL_DOCUMENT_CREATE",
            EventType::PriceListCreate => "PRICE_LIST_CREATE",
            EventType::InvoiceCreate => "INVOICE_CREATE",
            EventType::InvoiceUpdate => "INVOICE_UPDATE",
            EventType::AccountSuspend => "ACCOUNT_SUSPEND",
            EventType::AccountResume => "ACCOUNT_RESUME",
            EventType::ResourceLimitUpdate => "RESOURCE_LIMIT_UPDATE",
            EventType::NetworkCreate => "NETWORK_CREATE",
            EventType::NetworkUpdate => "NETWORK_UPDATE",
            EventType::NetworkDelete => "NETWORK_DELETE",
            EventType::ConnectionCreate => "CONNECTION_CREATE",
            EventType::ConnectionUpdate => "CONNECTION_UPDATE",
            EventType::ConnectionDelete => "CONNECTION_DELETE",
            EventType::ConnectionStateChange => "CONNECTION_STATE_CHANGE",
            EventType::PortCreate => "PORT_CREATE",
            EventType::PortUpdate => "PORT_UPDATE",
            EventType::PortDelete => "PORT_DELETE",
            EventType::PortStateChange => "PORT_STATE_CHANGE",
            EventType::CatalogueUpdate => "CATALOGUE_UPDATE",
            EventType::AccountImportCreate => "ACCOUNT_IMPORT_CREATE",
            EventType::AccountImportUpdate => "ACCOUNT_IMPORT_UPDATE",
        }
    }

    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            EventType::UserCreate => "User signed up",
            EventType::UserUpdate => "User changed",
            EventType::UserLogin => "User signed in",
            EventType::UserLogout => "User signed out",
            EventType::SessionEnd => "Session ended",
            EventType::AccountCreate => "Account created",
            EventType::AccountUpdate => "Account changed",
            EventType::AccountMove => "Account moved",
            EventType::AccountClose => "Account closed",
            EventType::AccountRestore => "Account restored",
            EventType::AccountMemberCreate => "Member added",
            EventType::AccountMemberDelete => "Member removed",
            EventType::AccountConsentCreate => "Agreements accepted",
            EventType::AccountBillingCreate => "Payment method added",
            EventType::AccountBillingUpdate => "Payment method changed",
            EventType::AccountBillingDelete => "Payment method removed",
            EventType::BillingSetupCreate => "Payment method set-up begun",
            EventType::BillingSetupDelete => "Payment method set-up discarded",
            EventType::BillingVerify => "Bank account verification",
            EventType::UserPasswordForgotten => "Password reset asked for",
            EventType::AccessRefused => "Access refused",
            EventType::MemberInviteCreate => "Member invited",
            EventType::MemberInviteAccept => "Invitation accepted",
            EventType::MemberInviteUpdate => "Invitation renewed",
            EventType::MemberInviteDelete => "Invitation withdrawn",
            EventType::AccountMemberUpdate => "Member changed",
            EventType::RoleCreate => "Role created",
            EventType::RoleUpdate => "Role changed",
            EventType::RoleDelete => "Role deleted",
            EventType::LegalDocumentCreate => "Document published",
            EventType::PriceListCreate => "Prices loaded",
            EventType::InvoiceCreate => "Invoice issued",
            EventType::InvoiceUpdate => "Invoice changed",
            EventType::AccountSuspend => "Account suspended",
            EventType::AccountResume => "Account resumed",
            EventType::ResourceLimitUpdate => "Limit changed",
            EventType::NetworkCreate => "Network created",
            EventType::NetworkUpdate => "Network changed",
            EventType::NetworkDelete => "Network deleted",
            EventType::ConnectionCreate => "Connection ordered",
            EventType::ConnectionUpdate => "Connection changed",
            EventType::ConnectionDelete => "Connection deletion asked for",
            EventType::ConnectionStateChange => "Connection state changed",
            EventType::PortCreate => "Port ordered",
            EventType::PortUpdate => "Port changed",
            EventType::PortDelete => "Port deleted",
            EventType::PortStateChange => "Port state changed",
            EventType::CatalogueUpdate => "Catalogue loaded",
            EventType::AccountImportCreate => "Import of accounts started",
            EventType::AccountImportUpdate => "Import of accounts stopped",
        }
    }

    /// Whether it is about how somebody comes in: the accounts of which they are a member see it.
    pub fn is_sign_in(self) -> bool {
        matches!(self, EventType::UserLogin | EventType::UserLogout)
    }

    pub fn of_code(code: &str) -> Option<EventType> {
        EventType::EVERY.into_iter().find(|e| e.code() == code)
    }
}

/// What an event is about.
#[derive(Debug, Clone)]
pub struct Subject {
    /// `ACCOUNT`, `USER`, `ACCOUNT_BILLING` …
    pub kind: &'static str,
    pub id: String,
    pub name: String,
}

impl Subject {
    pub fn new(kind: &'static str, id: &str, name: &str) -> Subject {
        Subject { kind, id: id.to_owned(), name: name.to_owned() }
    }
}

/// One entry to be: what happened to what, and the changed fields before and after. Never a secret.
#[derive(Debug, Clone)]
pub struct Event {
    pub kind: EventType,
    pub subject: Subject,
    /// The account it belongs to, where that is not the grant's own.
    pub account: Option<Key>,
    /// The account above which it moved away: the logs up there get the entry too.
    pub left: Option<Key>,
    pub failed: bool,
    pub before: Vec<(&'static str, String)>,
    pub after: Vec<(&'static str, String)>,
}

impl Event {
    pub fn new(kind: EventType, subject: Subject) -> Event {
        Event { kind, subject, account: None, left: None, failed: false, before: Vec::new(), after: Vec::new() }
    }

    #[must_use]
    pub fn in_account(mut self, account: Key) -> Event {
        self.account = Some(account);
        self
    }

    /// Whatever was below `parent` until now is not any more.
    #[must_use]
    pub fn leaving(mut self, parent: Key) -> Event {
        self.left = Some(parent);
        self
    }

    #[must_use]
    pub fn failing(mut self) -> Event {
        self.failed = true;
        self
    }

    /// A field that came to be.
    #[must_use]
    pub fn with(mut self, field: &'static str, value: impl Into<String>) -> Event {
        self.after.push((field, masked(field, value.into())));
        self
    }

    /// A field that is gone.
    #[must_use]
    pub fn without(mut self, field: &'static str, value: impl Into<String>) -> Event {
        self.before.push((field, masked(field, value.into())));
        self
    }

    /// A field that changed; one that did not leaves no trace.
    #[must_use]
    pub fn changed(self, field: &'static str, before: &str, after: &str) -> Event {
        if before == after {
            return self;
        }
        self.without(field, before).with(field, after)
    }
}

/// Fields whose names speak of these are evidence that something changed, never of what it was.
const SECRETS: [&str; 4] = ["password", "secret", "token", "hash"];

fn masked(field: &str, value: String) -> String {
    let field = field.to_ascii_lowercase();
    if SECRETS.iter().any(|secret| field.contains(secret)) { "••••••".to_owned() } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_before_they_are_stored() {
        let event = Event::new(EventType::UserUpdate, Subject::new("USER", "user-x", "Ann"))
            .changed("password", "old one", "new one")
            .changed("firstName", "Ann", "Anna")
            .changed("company", "Acme", "Acme")
            .with("recoveryToken", "abc");
        assert_eq!(event.before, [("password", "••••••".to_owned()), ("firstName", "Ann".to_owned())]);
        let after: Vec<&str> = event.after.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(after, ["••••••", "Anna", "••••••"]);
    }
}
