//! What every page of a suspended account, and of those below it, says: that nothing new begins, and who is to be asked.
//! The reason is for those who may see the suspended account; the others are not told its name either.

use super::shell::SuspensionNote;
use crate::access::{Frame, Suspended};

pub fn note(frame: &Frame) -> Option<SuspensionNote> {
    let suspended = frame.suspended.as_ref()?;
    let seen = frame.step(suspended.at).filter(|step| !step.held.is_empty());
    let name = seen.map(|step| step.place.name.as_str());
    let resume = frame.may_resume().map(|(from, child)| format!("/a/{from}/child-accounts/{child}/resume"));
    let asks = if resume.is_some() { "" } else { " Only somebody above can end it." };
    let words = format!(
        "{} No port and no connection can be ordered or started here{}. What runs keeps running.{asks}",
        which(suspended, name),
        if frame.account().children_count > 0 { " or below" } else { "" },
    );
    let reason = if seen.is_some() { suspended.reason.clone() } else { String::new() };
    Some(SuspensionNote { words, reason, resume })
}

fn which(suspended: &Suspended, name: Option<&str>) -> String {
    match name {
        _ if suspended.own => "This account is suspended.".to_owned(),
        Some(name) => format!("{name}, above this account, is suspended."),
        None => "An account above is suspended.".to_owned(),
    }
}
