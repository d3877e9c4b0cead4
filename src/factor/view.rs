//! What pages show of somebody's second factor.

use crate::web::when::When;

use super::{Means, Summary};

/// The section of the profile.
#[derive(Debug, Clone)]
pub struct View {
    pub rows: Vec<Row>,
    pub codes_left: i64,
    pub has_app: bool,
    pub passkeys_possible: bool,
}

/// One thing that somebody has.
#[derive(Debug, Clone)]
pub struct Row {
    pub name: String,
    pub kind: &'static str,
    pub added: When,
    pub used: Option<When>,
    pub remove: String,
}

pub fn of(means: &Means, summary: Summary) -> View {
    let base = "/profile/second-factor";
    let app = summary.app.map(|app| Row {
        name: "Authenticator app".to_owned(),
        kind: "App",
        added: app.created_at.into(),
        used: app.last_used_at.map(When::from),
        remove: format!("{base}/app/remove"),
    });
    let has_app = app.is_some();
    let passkeys = summary.passkeys.into_iter().map(|key| Row {
        remove: format!("{base}/passkeys/{}/remove", key.id),
        name: key.name,
        kind: "Passkey",
        added: key.created_at.into(),
        used: key.last_used_at.map(When::from),
    });
    View {
        rows: app.into_iter().chain(passkeys).collect(),
        codes_left: summary.codes_left,
        has_app,
        passkeys_possible: means.passkeys_possible(),
    }
}
