//! Importing child accounts: a file of up to 5,000 becomes a draft that says line by line what would happen, and nothing
//! else is saved. Started, it is carried out in the background, account by account, with the rights of whoever started it.
//!
//! A file is read ([`table`]), each line by itself ([`lines`]) and among the others ([`forest`], on the accounts that are
//! there: [`ground`]), and checked ([`check`]); [`run`] makes the accounts, [`claims`] says which process does.

mod check;
mod claims;
mod forest;
#[cfg(test)]
mod forest_tests;
mod ground;
mod lines;
mod pages;
mod rows;
mod run;
mod store;
mod table;

use chrono::NaiveDateTime;
use tokio::sync::Notify;

use crate::access::Grant;
use crate::access::policy::CreateAccounts;
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::{self, Key};
use crate::problem::{Errors, Problem};
use crate::store::{self as database, Db, dialect};
use crate::web::route::{Route, get, post};
use check::{Bounds, Checked};
pub use claims::{Hand, due, take};
use forest::Node;
use rows::Stored;
pub use run::{carry_on, step};
pub use store::forget_old;
use table::{Record, Table};

pub fn routes() -> Vec<Route> {
    vec![
        get("/a/{account}/child-accounts/import", pages::form::new),
        post("/a/{account}/child-accounts/import", pages::form::create),
        get("/a/{account}/child-accounts/import/pattern.csv", pages::files::pattern),
        get("/a/{account}/child-accounts/imports/{import}", pages::show::show),
        post("/a/{account}/child-accounts/imports/{import}", pages::show::update),
        get("/a/{account}/child-accounts/imports/{import}/result.csv", pages::files::result),
    ]
}

/// Days for which the result of an import can be looked at.
pub const KEPT_DAYS: i64 = 90;

static STARTED: Notify = Notify::const_new();

/// Waits until an import is started in this process, or will be when its transaction ends.
pub async fn rung() {
    STARTED.notified().await;
}

/// What can be said of a line, as it is stored: to be made; an account already; with complaints; made; refused; not
/// tried, as it was left out or the import stopped.
const NEW: &str = "NEW";
const THERE: &str = "THERE";
const WRONG: &str = "WRONG";
const CREATED: &str = "CREATED";
const REFUSED: &str = "REFUSED";
const LEFT: &str = "LEFT";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Draft,
    Running,
    Done,
    Stopped,
}

impl State {
    const EVERY: [State; 4] = [State::Draft, State::Running, State::Done, State::Stopped];

    /// As it is stored.
    pub fn code(self) -> &'static str {
        ["DRAFT", "RUNNING", "DONE", "STOPPED"][self as usize]
    }

    /// As people read it.
    fn words(self) -> &'static str {
        ["Not started", "Running", "Done", "Stopped"][self as usize]
    }

    fn tone(self) -> &'static str {
        ["", "info", "good", "warn"][self as usize]
    }

    fn of_code(code: &str) -> Result<State, Problem> {
        let found = State::EVERY.into_iter().find(|state| state.code() == code);
        found.ok_or_else(|| Problem::bug("an import in no known state"))
    }
}

/// A file that was sent.
#[derive(Debug, Clone)]
pub struct Import {
    pub key: Key,
    pub id: String,
    pub account: Key,
    pub user: Key,
    user_name: String,
    pub state: State,
    file_name: String,
    digest: String,
    head: Vec<String>,
    second_factor: bool,
    address: String,
    user_agent: String,
    lines: i64,
    created_at: NaiveDateTime,
    started_at: Option<NaiveDateTime>,
    finished_at: Option<NaiveDateTime>,
}

/// How many lines there are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub fresh: i64,
    pub there: i64,
    pub wrong: i64,
    pub created: i64,
    pub refused: i64,
    pub left: i64,
}

/// A file as it was checked, to be kept as a draft.
struct Sent {
    head: Vec<String>,
    checked: Checked,
    file_name: String,
    digest: String,
    second_factor: bool,
}

/// Looks at a file. Nothing is written.
fn look(db: &mut Db, by: &Grant<CreateAccounts>, table: Table, name: &str, bounds: Bounds) -> Result<Sent, Problem> {
    let head = table.head.clone();
    // The same lines are the same file, whatever stands between the cells.
    let cells: Vec<&Vec<String>> = table.records.iter().map(|record| &record.cells).collect();
    let digest = ids::sha256_hex(&serde_json::to_vec(&(&head, cells))?);
    let checked = check::check(db, by, table, bounds)?;
    Ok(Sent { head, checked, file_name: name.to_owned(), digest, second_factor: bounds.second_factor })
}

/// Keeps what was looked at as this person's draft: its id.
fn keep(db: &mut Db, by: &Grant<CreateAccounts>, sent: &Sent) -> Result<String, Problem> {
    let checked = &sent.checked;
    let import = Import {
        key: ids::next_key(),
        id: ids::new_id("import"),
        account: by.account().key,
        user: by.actor().key,
        user_name: String::new(),
        state: State::Draft,
        file_name: sent.file_name.clone(),
        digest: sent.digest.clone(),
        head: sent.head.clone(),
        second_factor: sent.second_factor,
        address: by.origin().address.clone(),
        user_agent: by.origin().user_agent.clone(),
        lines: checked.lines.len() as i64,
        created_at: ids::now(),
        started_at: None,
        finished_at: None,
    };
    let stored: Vec<Stored> = checked.order.iter().zip(0..).map(|(n, turn)| stored(checked, *n, turn)).collect();
    database::write(db, |db| {
        store::insert(db, &import)?;
        rows::insert(db, import.key, &stored)?;
        Ok(import.id.clone())
    })
}

fn stored(checked: &Checked, n: usize, turn: i64) -> Stored {
    let (line, spot) = (checked.lines[n].clone(), &checked.spots[n]);
    let id = |account: Key| checked.id_of(account).map(str::to_owned);
    let state = match spot.there {
        _ if line.is_wrong() => WRONG,
        Some(_) => THERE,
        None => NEW,
    };
    let (parent_line, parent_id) = match spot.parent {
        Some(Node::Line(above)) => (Some(checked.lines[above].line), None),
        Some(Node::Account(account)) => (None, id(account)),
        None => (None, None),
    };
    let reasons: Vec<String> = line.complaints.iter().map(|complaint| complaint.words.clone()).collect();
    let account_id = spot.there.filter(|_| state == THERE).and_then(id);
    Stored { turn, state, parent_line, parent_id, account_id, reason: reasons.join("; "), line }
}

/// What somebody confirmed who starts an import.
#[derive(Debug, Clone, Copy, Default)]
struct Confirmed {
    /// Lines with errors, and what is below them, are left out.
    leave_wrong: bool,
    /// The same file was imported before.
    again: bool,
    second_factor: bool,
}

fn subject(import: &Import) -> Subject {
    Subject::new("ACCOUNT_IMPORT", &import.id, &import.file_name)
}

/// Starts a draft. One that was started already stays as it is: a second press changes nothing.
fn start(db: &mut Db, by: &Grant<CreateAccounts>, id: &str, confirmed: Confirmed) -> Result<(), Problem> {
    database::write(db, |db| {
        dialect::lock_tree(db, by.account().root_key)?;
        let import = store::one(db, by.account().key, by.actor().key, false, id)?;
        if import.state != State::Draft {
            return Ok(());
        }
        let counts = rows::counts(db, import.key)?;
        let mut errors = Errors::default();
        if counts.fresh == 0 {
            errors.add("", "There is nothing to create");
        }
        if counts.wrong > 0 && !confirmed.leave_wrong {
            errors.add("leave_wrong", "Tick this, or send a corrected file");
        }
        if store::same_file(db, &import)?.is_some() && !confirmed.again {
            errors.add("again", "Tick this if its accounts shall be created a second time");
        }
        if !errors.is_empty() {
            return Err(Problem::Invalid(errors));
        }
        audit::change(db, by, |db, by| {
            rows::leave(db, import.key, WRONG, None)?;
            let origin = by.origin();
            claims::begin(db, import.key, confirmed.second_factor, &origin.address, &origin.user_agent)?;
            let event = Event::new(EventType::AccountImportCreate, subject(&import));
            Ok(((), event.with("accounts", counts.fresh.to_string()).with("sha256", &import.digest)))
        })?;
        STARTED.notify_one();
        Ok(())
    })
}

/// Stops an import after the lines that are under way; what was made stays.
fn stop(db: &mut Db, by: &Grant<CreateAccounts>, id: &str, all: bool) -> Result<(), Problem> {
    database::write(db, |db| {
        dialect::lock_tree(db, by.account().root_key)?;
        let import = store::one(db, by.account().key, by.actor().key, all, id)?;
        if import.state != State::Running {
            return Ok(());
        }
        audit::change(db, by, |db, _| {
            let counts = rows::counts(db, import.key)?;
            rows::leave(db, import.key, NEW, Some("The import was stopped before its turn."))?;
            claims::end(db, import.key, State::Stopped)?;
            let event = Event::new(EventType::AccountImportUpdate, subject(&import));
            Ok(((), event.with("created", counts.created.to_string()).with("left", counts.fresh.to_string())))
        })
    })
}

/// The lines of an import that were not made, as a file of their own.
fn rest(db: &mut Db, import: &Import) -> Result<Table, Problem> {
    let rows = rows::page(db, import.key, &[REFUSED, LEFT], &crate::web::paging::Want::First, table::MOST_LINES)?;
    let records = rows.into_iter().map(|row| Record { line: row.line.line, cells: row.line.cells }).collect();
    let columns = table::columns(&import.head).map_err(|_| Problem::bug("a head that was read before"))?;
    Ok(Table { head: import.head.clone(), columns, records })
}
