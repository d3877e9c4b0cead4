//! Imports and their lines as pages show them.

use crate::importing::rows::Shown;
use crate::importing::{CREATED, Import, LEFT, NEW, REFUSED, THERE, WRONG};
use crate::text;
use crate::web::when::When;

/// An import in the list of those before.
pub struct Listed {
    pub id: String,
    pub file: String,
    pub lines: i64,
    pub state: &'static str,
    pub tone: &'static str,
    pub sent: When,
    pub by: String,
}

pub fn listed(import: &Import) -> Listed {
    Listed {
        id: import.id.clone(),
        file: import.file_name.clone(),
        lines: import.lines,
        state: import.state.words(),
        tone: import.state.tone(),
        sent: import.created_at.into(),
        by: import.user_name.clone(),
    }
}

/// One line of the file, with what is to be said of it.
pub struct LineView {
    pub line: i64,
    pub name: String,
    pub path: String,
    pub state: &'static str,
    pub tone: &'static str,
    /// Each with its column; empty for the line as a whole.
    pub says: Vec<(String, String)>,
    pub warning: String,
    /// Where the account is; empty where there is none.
    pub href: String,
}

/// What a line's state is called on pages and in files.
pub fn state_words(state: &str) -> (&'static str, &'static str) {
    match state {
        NEW => ("To create", "info"),
        THERE => ("Already there", ""),
        WRONG => ("Error", "bad"),
        CREATED => ("Created", "good"),
        REFUSED => ("Refused", "bad"),
        LEFT => ("Left out", "warn"),
        _ => ("", ""),
    }
}

pub fn line(shown: &Shown) -> LineView {
    let (state, tone) = state_words(&shown.state);
    let complaints = shown.line.complaints.iter().map(|c| (c.column.clone(), c.words.clone()));
    let says = match shown.state.as_str() {
        // Those of the check, each at its column.
        WRONG | LEFT if shown.line.is_wrong() => complaints.collect(),
        _ if shown.reason.is_empty() => Vec::new(),
        _ => vec![(String::new(), shown.reason.clone())],
    };
    let name: String = if shown.line.name.is_empty() { "(no name)".to_owned() } else { cut(&shown.line.name, 80) };
    // The path ends with the name.
    let above = shown.line.path.strip_suffix(&shown.line.name).and_then(|path| path.strip_suffix(" / "));
    LineView {
        line: shown.line.line,
        path: above.map_or_else(|| cut(&shown.line.parent, 200), str::to_owned),
        name,
        state,
        tone,
        says,
        warning: if [NEW, WRONG].contains(&shown.state.as_str()) { shown.line.warning.clone() } else { String::new() },
        href: shown.account_id.as_ref().map(|id| format!("/a/{id}/dashboard")).unwrap_or_default(),
    }
}

/// Something of unknown length, shortened for a page.
fn cut(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

pub fn accounts(n: &i64) -> String {
    text::count(*n, "child account", "child accounts")
}

pub fn lines(n: &i64) -> String {
    text::count(*n, "line", "lines")
}
