//! One role: what it allows, where it comes from, and who has it in this account and below.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;

use super::matrix::{self, Row};
use super::{Origin, counted, is_own, may_edit};
use crate::access::policy::{CreateRoles, DeleteRoles, ReadRoles, UpdateRoles};
use crate::access::{Frame, In, Scope, lookup, words};
use crate::ids::Key;
use crate::problem::Problem;
use crate::roles::people::{self, Holder, Invited, Seen};
use crate::roles::{self, Role};
use crate::store::Db;
use crate::web::paging::{Cursor, PageQuery, Paged};
use crate::web::site::Keep;
use crate::web::when::{self, When};
use crate::web::{Section, Shell, Site};

#[derive(Template)]
#[template(path = "roles/show.html")]
struct ShowPage {
    shell: Shell,
    role: Role,
    powers: String,
    rows: Vec<Row>,
    origin: Origin,
    own: bool,
    may_copy: bool,
    may_edit: bool,
    may_delete: bool,
    /// Why somebody who may edit roles may not edit this one.
    why_not: &'static str,
    created: When,
    holders: Vec<Line>,
    /// Open invitations that offer it, some of them.
    invited: Vec<Invited>,
    nobody: &'static str,
    counted: &'static str,
    pager: Pager,
}

/// One person who has the role, at one account.
struct Line {
    name: String,
    email: String,
    account: String,
    href: String,
    path: String,
    scope: &'static str,
    since: When,
    until: Option<When>,
}

struct Pager {
    words: String,
    previous: String,
    next: String,
    /// Pages that start after a row have no numbers to jump to.
    numbers: Vec<(String, String, bool)>,
}

impl Pager {
    fn of<T>(paged: &Paged<T>) -> Pager {
        let href = |query: &str| if query.is_empty() { String::new() } else { format!("?{query}#people") };
        Pager { words: paged.words(), previous: href(&paged.previous), next: href(&paged.next), numbers: Vec::new() }
    }
}

/// Open invitations that are shown.
const MOST_INVITED: i64 = 50;

/// GET /a/{account}/roles/{role}
pub async fn show(
    by: In<ReadRoles>,
    site: Site,
    path: Path<(String, String)>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (grant, role_id, want) = (by.clone(), path.into_inner().1, page.want());
    let seen = Seen::by(by.frame());
    let read = move |db: &mut Db| {
        let account = grant.account();
        let role = roles::find(db, account.key, &role_id)?;
        let holders = people::page(db, account.key, role.key, seen, &want)?;
        let keys: Vec<Key> = holders.iter().map(|one| one.account).collect();
        let paths = lookup::paths(db, &keys, account.depth)?;
        let invited = people::invited(db, account.key, role.key, seen, MOST_INVITED)?;
        Ok((role, holders, paths, invited))
    };
    let (role, holders, paths, invited) = site.pool.read_long(read).await?;
    let paged = Paged::new(holders, &page, "", None, |one: &Holder| Cursor(String::new(), one.key));
    let frame = by.frame();
    let page = ShowPage {
        shell: site.shell(&by, Section::Roles, &role.name).noting(&paged.words()),
        powers: words::powers(role.permissions),
        rows: matrix::of_role(role.permissions),
        origin: Origin::of(&role, frame),
        own: role.account == frame.account().key,
        may_copy: frame.may::<CreateRoles>(),
        may_edit: may_edit(&role, frame),
        may_delete: is_own(&role, frame) && frame.may::<DeleteRoles>(),
        why_not: why_not(&role, frame),
        created: role.created_at.into(),
        pager: Pager::of(&paged),
        holders: paged.rows.into_iter().map(|one| line(one, &paths, frame)).collect(),
        invited,
        nobody: if seen == Seen::Nobody { "You may not see this" } else { "Nobody has it" },
        counted: counted(seen),
        role,
    };
    site.page(&page, Keep::Nothing)
}

fn why_not(role: &Role, frame: &Frame) -> &'static str {
    match () {
        () if !frame.may::<UpdateRoles>() => "",
        () if role.built_in => "A built-in role stays as it is. Copy it and change the copy.",
        () if !is_own(role, frame) => "It is changed in the account it belongs to. Copy it and change the copy.",
        () if !frame.covers(role.permissions, Scope::HereAndBelow) => {
            "It allows more than you may do here and in the accounts below, so you cannot change it."
        }
        () => "",
    }
}

fn line(one: Holder, paths: &std::collections::HashMap<Key, Vec<String>>, frame: &Frame) -> Line {
    Line {
        name: format!("{} {}", one.first_name, one.last_name),
        email: one.email,
        path: match paths.get(&one.account) {
            Some(names) => names.join(" / "),
            None if one.account == frame.account().key => "this account".to_owned(),
            None => String::new(),
        },
        account: one.account_name,
        href: format!("/a/{}/dashboard", one.account_id),
        scope: Scope::of_code(&one.scope).map_or("", Scope::words),
        since: When::day(one.since),
        until: when::last_day(one.ends_at),
    }
}
