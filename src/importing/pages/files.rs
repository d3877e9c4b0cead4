//! Files to download: the pattern of a file to be, and what became of one that was sent.

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::show::find;
use super::view::state_words;
use crate::access::In;
use crate::access::policy::CreateAccounts;
use crate::importing::rows;
use crate::importing::table::{self, Column, MOST_LINES};
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::Want;
use crate::web::{Site, csv};

/// Three levels, each named in one of the ways there are.
const PATTERN: [[&str; 7]; 4] = [
    ["North", "", "N-1", "Everything in the north", "north@example.com", "region=north", "leave"],
    ["Harbour", "N-1", "N-1-H", "", "", "", "leave"],
    ["Crane 7", "North / Harbour", "", "", "", "kind=crane; number=7", ""],
    ["South", "", "S-1", "", "south@example.com; office@example.com", "", ""],
];

/// GET /a/{account}/child-accounts/import/pattern.csv
pub async fn pattern(_by: In<CreateAccounts>) -> Result<HttpResponse, Problem> {
    let rows = PATTERN.map(|row| row.map(str::to_owned).to_vec());
    csv::file("child-accounts-pattern.csv", &Column::KNOWN.map(Column::word), rows)
}

/// GET /a/{account}/child-accounts/imports/{import}/result.csv: the file as it was sent, with what became of each line.
pub async fn result(by: In<CreateAccounts>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let id = path.into_inner().1;
    let read = move |db: &mut Db| {
        let import = find(db, &by, &id)?;
        let rows = rows::page(db, import.key, &[], &Want::First, MOST_LINES)?;
        Ok((import, rows))
    };
    let (import, rows) = site.pool.read_long(read).await?;
    let columns = table::columns(&import.head).map_err(|_| Problem::bug("a head that was read before"))?;
    let own = ["line", "result", "id", "path", "reason"];
    let is_own = |n: &usize| own.contains(&import.head[*n].to_lowercase().as_str());
    // What a result that was sent had of these is not this one's.
    let kept: Vec<usize> = (0..columns.len()).filter(|n| columns[*n] != Column::PassedOver || !is_own(n)).collect();
    let called = |n: &usize| if is_own(n) { columns[*n].word() } else { import.head[*n].as_str() };
    let head: Vec<&str> = kept.iter().map(called).chain(own).collect();
    let rows = rows.into_iter().map(|row| {
        let cell = |n: &usize| row.line.cells.get(*n).cloned().unwrap_or_default();
        let mut cells: Vec<String> = kept.iter().map(cell).collect();
        cells.extend([
            row.line.line.to_string(),
            state_words(&row.state).0.to_lowercase(),
            row.account_id.unwrap_or_default(),
            row.line.path.clone(),
            row.reason,
        ]);
        cells
    });
    let stem = import.file_name.rsplit_once('.').map_or(import.file_name.as_str(), |(stem, _)| stem);
    csv::file(&format!("{stem} result.csv"), &head, rows)
}
