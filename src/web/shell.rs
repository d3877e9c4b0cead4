//! What every page needs around its own content: title, place, rail, user, banner.

use actix_web::HttpRequest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::assets;
use super::token::masked_token;
use super::when::When;
use crate::access::policy::{
    Action, Needs, ReadAccounts, ReadAudit, ReadBilling, ReadMembers, ReadNetworks, ReadPorts, ReadRoles,
};
use crate::access::{Actor, Frame, SessionHandle, session};
use crate::config::Config;
use crate::ids;

pub const PRODUCT: &str = "Subtenant";
/// The cookie that carries the sentence shown after a redirect.
pub fn flash_cookie(https: bool) -> &'static str {
    if https { "__Host-flash" } else { "flash" }
}

/// The sections of an account, as they stand in addresses and in the rail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Dashboard,
    Networks,
    Connections,
    Ports,
    Readiness,
    Settings,
    Members,
    Roles,
    Agreements,
    Billing,
    Invoices,
    AuditLog,
    Chain,
    ChildAccounts,
    Switch,
}

impl Section {
    pub const EVERY: [Section; 15] = [
        Section::Dashboard,
        Section::Networks,
        Section::Connections,
        Section::Ports,
        Section::Readiness,
        Section::Settings,
        Section::Members,
        Section::Roles,
        Section::Agreements,
        Section::Billing,
        Section::Invoices,
        Section::AuditLog,
        Section::Chain,
        Section::ChildAccounts,
        Section::Switch,
    ];

    pub fn slug(self) -> &'static str {
        match self {
            Section::Dashboard => "dashboard",
            Section::Networks => "networks",
            Section::Connections => "connections",
            Section::Ports => "ports",
            Section::Readiness => "readiness",
            Section::Settings => "settings",
            Section::Members => "members",
            Section::Roles => "roles",
            Section::Agreements => "consent",
            Section::Billing => "billing",
            Section::Invoices => "invoices",
            Section::AuditLog => "audit-log",
            Section::Chain => "chain",
            Section::ChildAccounts => "child-accounts",
            Section::Switch => "switch",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Section::Dashboard => "Dashboard",
            Section::Networks => "Networks",
            Section::Connections => "Connections",
            Section::Ports => "Ports",
            Section::Readiness => "Readiness",
            Section::Settings => "Account Settings",
            Section::Members => "Members",
            Section::Roles => "Roles",
            Section::Agreements => "Agreements",
            Section::Billing => "Billing",
            Section::Invoices => "Invoices",
            Section::AuditLog => "Audit Log",
            Section::Chain => "Chain of command",
            Section::ChildAccounts => "Child Accounts",
            Section::Switch => "Switch account",
        }
    }

    fn icon(self) -> &'static str {
        match self {
            Section::Dashboard => "dashboard",
            Section::Networks => "networks",
            Section::Connections => "connections",
            Section::Ports => "port",
            Section::Readiness => "readiness",
            Section::Settings => "settings",
            Section::Members => "user",
            Section::Roles => "roles",
            Section::Agreements => "agreements",
            Section::Billing => "billing",
            Section::Invoices => "file",
            Section::AuditLog => "audit",
            Section::Chain => "chain",
            Section::ChildAccounts => "children",
            Section::Switch => "folder",
        }
    }

    pub fn of_slug(slug: &str) -> Option<Section> {
        Section::EVERY.into_iter().find(|section| section.slug() == slug)
    }

    /// What somebody must hold to open the section.
    pub fn needs(self) -> Needs {
        match self {
            Section::Settings | Section::ChildAccounts => ReadAccounts::NEEDS,
            Section::Ports => ReadPorts::NEEDS,
            Section::Members => ReadMembers::NEEDS,
            Section::Roles => ReadRoles::NEEDS,
            Section::Networks | Section::Connections => ReadNetworks::NEEDS,
            Section::Billing | Section::Invoices => ReadBilling::NEEDS,
            Section::AuditLog => ReadAudit::NEEDS,
            Section::Dashboard | Section::Readiness | Section::Agreements | Section::Chain | Section::Switch => {
                Needs::Sight
            }
        }
    }

    /// Whether somebody with these rights finds the section in the rail.
    pub fn open_to(self, frame: &Frame) -> bool {
        self.needs().met_by(frame.held())
    }
}

const RAIL: [(Option<&str>, &[Section]); 2] = [
    (None, &[Section::Dashboard, Section::Networks, Section::Connections, Section::Ports, Section::Readiness]),
    (
        Some("Account Administration"),
        &[
            Section::Settings,
            Section::Members,
            Section::Roles,
            Section::Agreements,
            Section::Billing,
            Section::Invoices,
            Section::AuditLog,
            Section::ChildAccounts,
            Section::Chain,
        ],
    ),
];

#[derive(Debug, Clone)]
pub struct Shell {
    pub title: String,
    pub heading: String,
    /// A form came back with errors.
    pub failed: bool,
    pub theme: String,
    pub css: &'static str,
    pub js: &'static str,
    pub csrf: String,
    pub flash: Option<Flash>,
    pub user: Option<UserView>,
    pub account: Option<AccountView>,
    pub rail: Vec<RailGroup>,
    pub address: String,
    pub printed_at: String,
    pub idle_minutes: i64,
    /// There is a mail server to send through.
    pub sends_mail: bool,
    pub demo: bool,
    /// What pays for the account ends soon, or does not pay any more.
    pub payment: Option<PaymentNote>,
    /// The account, or one above it, is suspended.
    pub suspended: Option<SuspensionNote>,
}

#[derive(Debug, Clone)]
pub struct SuspensionNote {
    pub words: String,
    pub reason: String,
    /// Where this person can end it.
    pub resume: Option<String>,
}

#[derive(Debug, Clone)]
pub struct PaymentNote {
    pub tone: &'static str,
    pub words: String,
    /// What this person can do about it here: words, and the page of the account below `/a/{account}/`.
    pub action: Option<(&'static str, &'static str)>,
}

#[derive(Debug, Clone)]
pub struct Flash {
    pub kind: &'static str,
    pub text: String,
}

#[derive(Debug, Clone)]
pub struct UserView {
    pub name: String,
    pub email: String,
    pub initials: String,
}

#[derive(Debug, Clone)]
pub struct AccountView {
    pub id: String,
    pub name: String,
    pub section: &'static str,
    pub path: Vec<Crumb>,
    pub switchable: bool,
}

/// One account of the path; without an id it may not be seen.
#[derive(Debug, Clone)]
pub struct Crumb {
    pub id: Option<String>,
    pub name: String,
    pub current: bool,
}

#[derive(Debug, Clone)]
pub struct RailGroup {
    pub label: Option<&'static str>,
    pub links: Vec<RailLink>,
}

#[derive(Debug, Clone)]
pub struct RailLink {
    pub label: &'static str,
    pub href: String,
    pub icon: &'static str,
    pub current: bool,
}

impl Shell {
    /// A page for somebody who is not signed in, or outside any account.
    pub fn bare(req: &HttpRequest, config: &Config, heading: &str, secret: &str) -> Shell {
        Shell {
            title: format!("{heading} - {PRODUCT}"),
            heading: heading.to_owned(),
            failed: false,
            theme: "auto".to_owned(),
            css: assets::css_url(),
            js: assets::js_url(),
            csrf: masked_token(secret),
            flash: flash(req, config),
            user: None,
            account: None,
            rail: Vec::new(),
            address: format!("{}{}", config.origin(), req.uri()),
            printed_at: When::from(ids::now()).words,
            idle_minutes: session::IDLE_MINUTES,
            sends_mail: config.mail.smtp_url.is_some(),
            demo: config.demo,
            payment: None,
            suspended: None,
        }
    }

    /// A page of a signed-in person outside any account.
    pub fn personal(
        req: &HttpRequest,
        config: &Config,
        heading: &str,
        actor: &Actor,
        session: &SessionHandle,
    ) -> Shell {
        Shell {
            user: Some(user_view(actor)),
            theme: actor.theme.clone(),
            ..Shell::bare(req, config, heading, &session.csrf)
        }
    }

    /// A page of an account. The title runs from the part that changes to the part that stays.
    pub fn of_account(
        req: &HttpRequest,
        config: &Config,
        heading: &str,
        section: Section,
        frame: &Frame,
        session: &SessionHandle,
    ) -> Shell {
        let name = &frame.account().name;
        let title = if heading == section.label() {
            format!("{heading} - {name} - {PRODUCT}")
        } else {
            format!("{heading} - {} - {name} - {PRODUCT}", section.label())
        };
        Shell {
            title,
            account: Some(account_view(frame, section)),
            rail: rail(frame, section),
            payment: super::payment::note(frame),
            suspended: super::suspended::note(frame),
            flash: flash(req, config).or_else(|| denied(req, name)),
            ..Shell::personal(req, config, heading, &frame.actor, session)
        }
    }

    /// The same page, showing that a form of it was not accepted.
    #[must_use]
    pub fn failing(mut self, failed: bool) -> Shell {
        self.failed = failed;
        if failed {
            self.flash = None;
        }
        self
    }

    /// The page with something more at the front of its title, as "Page 2 of 7".
    #[must_use]
    pub fn noting(mut self, words: &str) -> Shell {
        if !words.is_empty() {
            self.title = format!("{words} - {}", self.title);
        }
        self
    }

    pub fn account_id(&self) -> &str {
        self.account.as_ref().map_or("", |account| &account.id)
    }
}

fn user_view(actor: &Actor) -> UserView {
    let initials = [&actor.first_name, &actor.last_name].iter().filter_map(|n| n.chars().next()).collect();
    UserView { name: actor.name(), email: actor.email.clone(), initials }
}

fn account_view(frame: &Frame, section: Section) -> AccountView {
    AccountView {
        id: frame.account().id.clone(),
        name: frame.account().name.clone(),
        section: section.slug(),
        path: path_of(frame),
        switchable: frame.switchable,
    }
}

/// The accounts from the root down, as this person may see them.
pub fn path_of(frame: &Frame) -> Vec<Crumb> {
    let last = frame.chain.len() - 1;
    let crumb = |(level, step): (usize, &crate::access::Step)| {
        let seen = !step.held.is_empty();
        Crumb {
            id: seen.then(|| step.place.id.clone()),
            name: if seen { step.place.name.clone() } else { String::new() },
            current: level == last,
        }
    };
    frame.chain.iter().enumerate().map(crumb).collect()
}

/// The same in one line, as "Acme / restricted / Lab".
pub fn path_words(frame: &Frame) -> String {
    let name =
        |step: &crate::access::Step| if step.held.is_empty() { "restricted" } else { &step.place.name }.to_owned();
    let above = frame.chain.iter().take(frame.chain.len() - 1).map(name);
    above.chain([frame.account().name.clone()]).collect::<Vec<_>>().join(" / ")
}

fn rail(frame: &Frame, current: Section) -> Vec<RailGroup> {
    let link = |section: Section| RailLink {
        label: section.label(),
        href: format!("/a/{}/{}", frame.account().id, section.slug()),
        icon: section.icon(),
        current: section == current,
    };
    RAIL.iter()
        .map(|(label, sections)| RailGroup {
            label: *label,
            links: sections.iter().filter(|s| s.open_to(frame)).map(|s| link(*s)).collect(),
        })
        .filter(|group| !group.links.is_empty())
        .collect()
}

/// The sentence that the last form left behind.
fn flash(req: &HttpRequest, config: &Config) -> Option<Flash> {
    let cookie = req.cookie(flash_cookie(config.https))?;
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cookie.value()).ok()?).ok()?;
    let (kind, text) = match text.strip_prefix('!') {
        Some(notice) => ("notice", notice.to_owned()),
        None => ("success", text),
    };
    (!text.is_empty()).then_some(Flash { kind, text })
}

/// Said on the dashboard to somebody who switched accounts from a section that is closed to them there.
fn denied(req: &HttpRequest, name: &str) -> Option<Flash> {
    let slug = req.query_string().strip_prefix("denied=")?;
    let section = Section::of_slug(slug)?;
    Some(Flash { kind: "notice", text: format!("You do not have access to {} in {name}.", section.label()) })
}
