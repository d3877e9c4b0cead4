//! One invoice as a PDF: the head, and every line under its account. Where there are too many lines for paper, the
//! accounts directly below the payer with their sums, and where to find the lines.

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::view::{LineView, Row};
use crate::access::In;
use crate::access::policy::ReadBilling;
use crate::ids;
use crate::ledger::money;
use crate::ledger::sheet::{Cell, Sheet};
use crate::ledger::store::invoices::{self, Invoice, Section};
use crate::ledger::store::lines::{self, Line};
use crate::problem::Problem;
use crate::store::Db;
use crate::web::csv;
use crate::web::paging::Want;
use crate::web::{Site, shell};

/// Lines on paper: some fifty pages.
const MOST_LINES: i64 = 2_000;
/// Accounts on paper where the lines are too many.
const MOST_PARTS: usize = 1_000;

/// What the file says, read at one moment.
struct Read {
    invoice: Invoice,
    top: Section,
    /// Each with the id and the name of its account; empty where they are too many.
    lines: Vec<(Line, String, String)>,
    parts: Vec<Section>,
    /// Lines of accounts below are left out, as they may not be seen.
    only_own: bool,
}

/// GET /a/{account}/invoices/{invoice}.pdf
pub async fn file(by: In<ReadBilling>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (grant, id) = (by.clone(), path.1.clone());
    let only_own = !by.frame().may_below::<ReadBilling>();
    let read = move |db: &mut Db| {
        let account = grant.account().key;
        let invoice = invoices::one(db, account, &id)?;
        let top = invoices::section(db, invoice.key, "")?;
        let only = only_own.then_some(account);
        let mut lines = lines::every_line(db, invoice.key, only, (0, 0), MOST_LINES + 1)?;
        let mut parts = Vec::new();
        if lines.len() as i64 > MOST_LINES {
            lines.clear();
            if !only_own {
                parts = invoices::below(db, invoice.key, account, &Want::First, MOST_PARTS)?;
            }
        }
        Ok(Read { invoice, top, lines, parts, only_own })
    };
    let read = site.pool.read_long(read).await?;
    let name = by.account().name.clone();
    let row = Row::of(&read.invoice, ids::now());
    let file_name = format!("Invoice {}.pdf", row.number);
    let bytes = actix_web::web::block(move || draw(&read, &row, &name)).await.map_err(|e| Problem::Bug(e.into()))??;
    Ok(csv::download(&file_name, "application/pdf", bytes))
}

fn draw(read: &Read, row: &Row, account: &str) -> Result<Vec<u8>, Problem> {
    let invoice = &read.invoice;
    let money = |amount| money::words(amount, &invoice.currency);
    let mut sheet = Sheet::new(&format!("Invoice {}", row.number), shell::PRODUCT)?;
    sheet.heading(&format!("Invoice {}", row.number));
    let mut facts = vec![
        ("Account", account.to_owned()),
        ("Month", row.month.clone()),
        ("Issued", row.issued.words.clone()),
        ("Due", row.due.words.clone()),
        ("State", row.state.to_owned()),
        ("Payment", row.how.to_owned()),
    ];
    facts.extend(row.bill_to.iter().enumerate().map(|(n, line)| (if n == 0 { "Bill to" } else { "" }, line.clone())));
    for (label, value) in facts {
        sheet.fact(label, &value);
    }
    sheet.gap(10.0);
    sheet.row(true, &[Cell::left(0.0, 0.6, "Total"), Cell::right(0.6, 1.0, &row.total)]);
    sheet.rule();
    if read.only_own && read.top.lines > read.top.own_lines {
        let below = money(read.top.amount - read.top.own_amount);
        sheet.row(false, &[Cell::left(0.0, 0.6, "Of which accounts below"), Cell::right(0.6, 1.0, &below)]);
    }
    if read.lines.is_empty() && invoice.lines > 0 {
        parts(&mut sheet, read, &money);
    } else {
        lines(&mut sheet, read, &money);
    }
    sheet.finish()
}

fn parts(sheet: &mut Sheet, read: &Read, money: &dyn Fn(i64) -> String) {
    sheet.gap(10.0);
    let sentence =
        format!("The {} lines of this invoice are too many for paper: see its page, or its CSV.", read.invoice.lines);
    sheet.row(false, &[Cell::left(0.0, 1.0, &sentence)]);
    sheet.gap(10.0);
    let own = (read.top.own_lines > 0).then(|| (read.top.name.clone(), read.top.own_lines, read.top.own_amount));
    let below = read.parts.iter().take(MOST_PARTS).map(|part| (part.name.clone(), part.lines, part.amount));
    for (name, lines, amount) in own.into_iter().chain(below) {
        let count = crate::text::count(lines, "line", "lines");
        sheet.row(
            false,
            &[Cell::left(0.0, 0.55, &name), Cell::right(0.55, 0.75, &count), Cell::right(0.75, 1.0, &money(amount))],
        );
    }
    if read.parts.len() > MOST_PARTS {
        sheet.row(false, &[Cell::left(0.0, 1.0, "and more accounts")]);
    }
}

fn lines(sheet: &mut Sheet, read: &Read, money: &dyn Fn(i64) -> String) {
    for group in read.lines.chunk_by(|one, other| one.0.account == other.0.account) {
        let Some((_, id, name)) = group.first() else { continue };
        let sum: i64 = group.iter().map(|(line, ..)| line.amount).sum();
        sheet.gap(14.0);
        sheet.keep(3);
        sheet.row(true, &[Cell::left(0.0, 0.7, name), Cell::right(0.7, 1.0, &money(sum))]);
        sheet.small(id);
        sheet.rule();
        for (line, ..) in group {
            let view = LineView::of(line, &read.invoice.month, true);
            let period = if view.late.is_empty() { view.period } else { format!("{} ({})", view.period, view.late) };
            sheet.keep(2);
            let cells = [
                Cell::left(0.0, 0.34, &view.name),
                Cell::left(0.35, 0.58, &period),
                Cell::right(0.58, 0.8, &view.unit),
                Cell::right(0.8, 1.0, &view.amount),
            ];
            sheet.row(false, &cells);
            sheet.small(&format!("{}, {}", view.what, view.subject_id));
        }
    }
}
