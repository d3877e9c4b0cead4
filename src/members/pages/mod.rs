//! The Members section: own and inherited members in one list by name, the invitations that are out, and the file.

mod change;
mod choice;
mod invitation;
mod invite;
mod remove;
mod view;

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use super::store::invitations as invited;
use super::store::list::{self, Listed, Show};
use crate::access::policy::{CreateMembers, ReadMembers};
use crate::access::{Grant, In};
use crate::mail;
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::{Cursor, PAGE, PageQuery, Paged, Want};
use crate::web::route::{Route, get, post};
use crate::web::site::Keep;
use crate::web::{Section, Shell, Site, csv};
use view::{Invited, Row};

pub fn routes() -> Vec<Route> {
    vec![
        get("/a/{account}/members", index),
        get("/a/{account}/members.csv", export),
        get("/a/{account}/members/new", invite::new),
        post("/a/{account}/members/new", invite::create),
        get("/a/{account}/members/leave", remove::confirm_leave),
        post("/a/{account}/members/leave", remove::leave),
        get("/a/{account}/members/invitations/{invitation}", invitation::show),
        post("/a/{account}/members/invitations/{invitation}", invitation::renew),
        get("/a/{account}/members/invitations/{invitation}/withdraw", invitation::confirm_withdraw),
        post("/a/{account}/members/invitations/{invitation}/withdraw", invitation::withdraw),
        get("/a/{account}/members/{member}/change", change::edit),
        post("/a/{account}/members/{member}/change", change::update),
        get("/a/{account}/members/{member}/remove", remove::confirm),
        post("/a/{account}/members/{member}/remove", remove::remove),
    ]
}

/// What the address says about the list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    show: String,
    q: String,
    #[serde(flatten)]
    page: PageQuery,
}

impl ListQuery {
    fn show(&self) -> Show {
        match self.show.as_str() {
            "own" => Show::Own,
            "inherited" => Show::Inherited,
            _ => Show::All,
        }
    }

    fn text(&self) -> String {
        self.q.trim().chars().filter(|c| !c.is_control()).take(100).collect()
    }

    fn is_invited(&self) -> bool {
        self.show == "invited"
    }

    /// This list without its page.
    fn rest(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if ["own", "inherited", "invited"].contains(&self.show.as_str()) {
            query.append_pair("show", &self.show);
        }
        let text = self.text();
        if !text.is_empty() {
            query.append_pair("q", &text);
        }
        query.finish()
    }
}

#[derive(Template)]
#[template(path = "members/index.html")]
struct IndexPage {
    shell: Shell,
    account: String,
    name: String,
    /// `all`, `own`, `inherited`, `invited`.
    show: &'static str,
    text: String,
    rows: Vec<Row>,
    invitations: Vec<Invited>,
    pending: i64,
    pager: Pager,
    may_invite: bool,
    mail_notice: Option<String>,
    is_direct: bool,
    csv: String,
}

/// The line below the list.
struct Pager {
    words: String,
    previous: String,
    next: String,
    /// Keyset pages have no numbers to go to.
    links: Vec<(String, String, bool)>,
}

impl Pager {
    fn of<T>(paged: &Paged<T>) -> Pager {
        let href = |query: &str| if query.is_empty() { String::new() } else { format!("?{query}") };
        Pager { words: paged.words(), previous: href(&paged.previous), next: href(&paged.next), links: Vec::new() }
    }
}

/// GET /a/{account}/members
pub async fn index(by: In<ReadMembers>, site: Site, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let (grant, asked, config) = (by.clone(), query.clone(), site.config.clone());
    let read = move |db: &mut Db| {
        let account = grant.account().key;
        let (show, text, want) = (asked.show(), asked.text(), asked.page.want());
        let found = if asked.is_invited() {
            let found = invited::page(db, account, &text, &want, PAGE)?;
            (Vec::new(), view::invited(db, found)?)
        } else {
            let listed = list::page(db, account, show, &text, &want, PAGE)?;
            (view::rows(db, &grant, listed)?, Vec::new())
        };
        let is_direct = !super::held_at(db, account, grant.actor().key)?.is_empty();
        let mail_notice = mail::notice(db, &config, grant.frame())?;
        Ok((found, invited::count(db, account)?, is_direct, mail_notice))
    };
    let ((rows, invitations), pending, is_direct, mail_notice) = site.pool.read_long(read).await?;
    let rest = query.rest();
    let rows = Paged::new(rows, &query.page, &rest, None, |row| row.cursor.clone());
    let invitations = Paged::new(invitations, &query.page, &rest, None, |one| Cursor(String::new(), one.key));
    let pager = if query.is_invited() { Pager::of(&invitations) } else { Pager::of(&rows) };
    let page = IndexPage {
        shell: site.shell(&by, Section::Members, Section::Members.label()).noting(&pager.words),
        account: by.account().id.clone(),
        name: by.account().name.clone(),
        show: match query.show() {
            _ if query.is_invited() => "invited",
            Show::All => "all",
            Show::Own => "own",
            Show::Inherited => "inherited",
        },
        text: query.text(),
        rows: rows.rows,
        invitations: invitations.rows,
        pending,
        pager,
        may_invite: by.frame().may::<CreateMembers>(),
        mail_notice,
        is_direct,
        csv: format!("/a/{}/members.csv?{rest}", by.account().id),
    };
    site.page(&page, Keep::Nothing)
}

const EXPORT_BATCH: usize = 500;

/// GET /a/{account}/members.csv: every member of this view.
pub async fn export(by: In<ReadMembers>, site: Site, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let name = format!("Members of {}.csv", by.account().name);
    let bytes = site
        .pool
        .read_long(move |db| if query.is_invited() { invited_file(db, &by, &query) } else { file(db, &by, &query) })
        .await?;
    Ok(csv::answer(&name, bytes))
}

fn file(db: &mut Db, by: &Grant<ReadMembers>, query: &ListQuery) -> Result<Vec<u8>, Problem> {
    let mut table = csv::Table::new(&view::HEAD)?;
    let mut want = Want::First;
    loop {
        let mut listed = list::page(db, by.account().key, query.show(), &query.text(), &want, EXPORT_BATCH)?;
        let more = listed.len() > EXPORT_BATCH;
        listed.truncate(EXPORT_BATCH);
        let last = listed.last().map(cursor);
        for row in view::rows(db, by, listed)? {
            table.row(&row.cells())?;
        }
        match last {
            Some(last) if more => want = Want::After(last),
            _ => return table.finish(),
        }
    }
}

fn invited_file(db: &mut Db, by: &Grant<ReadMembers>, query: &ListQuery) -> Result<Vec<u8>, Problem> {
    let mut table = csv::Table::new(&view::INVITED_HEAD)?;
    let mut want = Want::First;
    loop {
        let mut found = invited::page(db, by.account().key, &query.text(), &want, EXPORT_BATCH)?;
        let more = found.len() > EXPORT_BATCH;
        found.truncate(EXPORT_BATCH);
        let last = found.last().map(|(one, _)| Cursor(String::new(), one.key));
        for one in view::invited(db, found)? {
            table.row(&one.cells())?;
        }
        match last {
            Some(last) if more => want = Want::After(last),
            _ => return table.finish(),
        }
    }
}

fn cursor(row: &Listed) -> Cursor {
    Cursor(row.name_key.clone(), row.key)
}
