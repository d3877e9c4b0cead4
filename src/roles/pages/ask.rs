//! The page between an edit and its doing: how many members in how many accounts gain or lose which permission,
//! counted now. The form carries what was typed and the stamp of what is shown; when the effects are others by then,
//! this page comes again.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::entry::{self, Act, EFFECTS};
use super::matrix;
use crate::access::policy::{Permissions, UpdateRoles};
use crate::access::{In, words};
use crate::problem::{Errors, Problem};
use crate::roles::effects::{self, Effects, Reach};
use crate::roles::{self, Role};
use crate::store::Db;
use crate::text;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Section, Shell, Site};

#[derive(Template)]
#[template(path = "roles/ask.html")]
struct AskPage {
    shell: Shell,
    form: Filled,
    carried: Vec<(String, String)>,
    stamp: String,
    /// The effects changed since they were shown.
    again: bool,
    gain: String,
    lose: String,
    gained: Vec<String>,
    lost: Vec<String>,
    /// Added because it goes along with what was ticked.
    along: String,
}

/// Shows the question: 200 when it is asked, 409 when an answer to it was not accepted.
pub async fn page(by: &In<UpdateRoles>, site: &Site, role_id: String, form: Form) -> Result<HttpResponse, Problem> {
    let new = entry::entered(&form)?;
    let ticked = new.permissions;
    let grant = by.clone();
    let read = move |db: &mut Db| {
        let role = roles::editable(db, grant.frame(), &role_id)?;
        let outcome = roles::allowed(db, grant.frame(), new, Some(&role));
        let effects = outcome.and_then(|new| {
            Ok(((effects::of_change(db, &role, new.permissions)?, effects::reach(db, role.key)?), new.permissions))
        });
        Ok((role, effects))
    };
    let (role, outcome) = site.pool.read_long(read).await?;
    let (effects, saved) = match outcome {
        Err(Problem::Invalid(errors)) => {
            return entry::show(by, site, &Act::Edit(role), form.filled(errors), StatusCode::UNPROCESSABLE_ENTITY);
        }
        outcome => outcome?,
    };
    let again = !form.value(EFFECTS).is_empty();
    let page = ask(by, site, &role, &form, effects, Permissions(saved.0 & !ticked.0), again);
    site.page_with(if again { StatusCode::CONFLICT } else { StatusCode::OK }, &page, Keep::Nothing)
}

fn ask(
    by: &In<UpdateRoles>,
    site: &Site,
    role: &Role,
    form: &Form,
    (effects, reach): (Effects, Reach),
    along: Permissions,
    again: bool,
) -> AskPage {
    let said = |set: Permissions| set.list().map(|permission| permission.title()).collect::<Vec<_>>();
    let carry = |name: &str| (name.to_owned(), form.value(name).to_owned());
    let names = ["name", "description"].into_iter().chain(matrix::FIELDS.iter().map(String::as_str));
    AskPage {
        shell: site.shell(by, Section::Roles, &format!("Save the role “{}”?", role.name)).failing(again),
        form: form.filled(Errors::default()),
        carried: names.map(carry).filter(|(_, value)| !value.is_empty()).collect(),
        stamp: effects.stamp(),
        again,
        gain: sentence(reach, "gains", "gain", effects.gained),
        lose: sentence(reach, "loses", "lose", effects.lost),
        gained: said(effects.gained),
        lost: said(effects.lost),
        along: words::titles(along),
    }
}

/// "3 members in 41 accounts gain Ports: delete".
fn sentence(reach: Reach, one: &str, many: &str, set: Permissions) -> String {
    if set.is_empty() {
        return String::new();
    }
    let members = text::count(reach.members, "member", "members");
    let accounts = text::count(reach.accounts, "account", "accounts");
    let verb = if reach.members == 1 { one } else { many };
    format!("{members} in {accounts} {verb} {}", words::titles(set))
}
