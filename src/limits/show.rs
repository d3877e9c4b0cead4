//! What may be made in an account: its own limits, and those of the branches that it is in. How much the others in such
//! a branch have is told only to those who see the account that the limit is set at.

use actix_web::HttpResponse;
use askama::Template;

use super::counting::{self, Limit};
use super::setting::Limits;
use super::{Resource, edit, store};
use crate::access::policy::{LimitAccounts, ReadAccounts};
use crate::access::{Frame, In};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::text;
use crate::web::site::Keep;
use crate::web::{Section, Shell, Site};

/// Counted no further where there is no limit.
const COUNTED: i64 = 9_999;

/// How many there are, in words.
pub(super) fn number(has: i64) -> String {
    if has > COUNTED { "10,000 or more".to_owned() } else { text::grouped(has) }
}

/// How many of each resource the account has and how many its branch, in that order.
pub(super) fn counts(db: &mut Db, account: Key) -> Result<Vec<i64>, Problem> {
    let none = Limits::default();
    let all: Vec<(Resource, Limit)> =
        none.every().map(|(resource, branch, _)| (resource, Limit { at: account, branch, most: COUNTED })).collect();
    counting::measure_all(db, &all)
}

#[derive(Template)]
#[template(path = "limits/show.html")]
struct ShowPage {
    shell: Shell,
    rows: Vec<Row>,
    /// Where this person can change them; empty for nowhere.
    change: String,
    is_root: bool,
}

struct Row {
    title: String,
    /// In the account itself, and with everything below.
    sides: [Side; 2],
    above: Vec<Above>,
}

/// What is used of one limit.
struct Side {
    label: &'static str,
    used: String,
    most: String,
    full: bool,
}

/// A limit of a branch from above.
struct Above {
    name: String,
    href: String,
    words: String,
    full: bool,
}

fn side(label: &'static str, has: i64, most: Option<i64>) -> Side {
    let full = most.is_some_and(|most| has >= most);
    Side { label, used: number(has), most: most.map(text::grouped).unwrap_or_default(), full }
}

/// GET /a/{account}/limits
pub async fn show(by: In<ReadAccounts>, site: Site) -> Result<HttpResponse, Problem> {
    let grant = by.clone();
    let read = move |db: &mut Db| {
        let account = grant.account().key;
        let above = store::above(db, account)?;
        let limits: Vec<(Resource, Limit)> = above
            .iter()
            .map(|(at, resource, most)| (*resource, Limit { at: *at, branch: true, most: *most }))
            .collect();
        let used = counting::measure_all(db, &limits)?;
        Ok((store::of(db, account)?, counts(db, account)?, limits.into_iter().zip(used).collect::<Vec<_>>()))
    };
    let (own, has, above) = site.pool.read_long(read).await?;
    let frame = by.frame();
    let rows = Resource::EVERY.into_iter().zip(has.chunks(2)).map(|(resource, has)| Row {
        title: edit::title(resource),
        sides: [
            side("This account", has[0], own.get(resource, false)),
            side("It and everything below", has[1], own.get(resource, true)),
        ],
        above: above
            .iter()
            .filter(|((of, _), _)| *of == resource)
            .map(|((_, limit), used)| told(frame, limit, *used))
            .collect(),
    });
    let page = ShowPage {
        shell: site.shell(&by, Section::Settings, "Limits"),
        rows: rows.collect(),
        change: changed_at(frame).unwrap_or_default(),
        is_root: frame.chain.len() == 1,
    };
    site.page(&page, Keep::Private)
}

/// A limit from above as this person may know it.
fn told(frame: &Frame, limit: &Limit, used: i64) -> Above {
    let full = used >= limit.most;
    match frame.step(limit.at).filter(|step| !step.held.is_empty()) {
        Some(step) => Above {
            name: step.place.name.clone(),
            href: if step.may::<ReadAccounts>() { format!("/a/{}/limits", step.place.id) } else { String::new() },
            words: format!("{} of {} used in its branch", text::grouped(used), text::grouped(limit.most)),
            full,
        },
        None => Above {
            name: "An account above".to_owned(),
            href: String::new(),
            words: format!("{} for its branch{}", text::grouped(limit.most), if full { ", all used" } else { "" }),
            full,
        },
    }
}

/// Where this person can set the limits of the account: at the nearest account above from which they may.
pub fn changed_at(frame: &Frame) -> Option<String> {
    let reaches = |level: usize| frame.chain[level].may::<LimitAccounts>();
    let from = (0..frame.chain.len() - 1).rev().find(|level| reaches(*level) && reaches(level + 1))?;
    Some(format!("/a/{}/child-accounts/{}/limits", frame.chain[from].place.id, frame.account().id))
}
