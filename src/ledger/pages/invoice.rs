//! One invoice: its head, and the account it is looked at from, with its own lines and the accounts directly below it,
//! each summed with everything below and each a way further down.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use super::payment::Payment;
use super::view::{LineView, Pager, Part, Row};
use crate::access::policy::{ReadBilling, UpdateBilling};
use crate::access::{Frame, In};
use crate::ids;
use crate::ledger::money;
use crate::ledger::store::invoices::{self, Invoice, Section as Place};
use crate::ledger::store::lines;
use crate::payments::Payments;
use crate::problem::Problem;
use crate::store::Db;
use crate::text;
use crate::web::paging::{Cursor, PAGE, PageQuery, Paged, Want};
use crate::web::site::Keep;
use crate::web::{Filled, Section, Shell, Site};

/// Which account on the invoice, and which page of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PartQuery {
    pub at: String,
    #[serde(flatten)]
    pub page: PageQuery,
}

#[derive(Template)]
#[template(path = "ledger/invoice.html")]
struct InvoicePage {
    shell: Shell,
    account: String,
    row: Row,
    /// How it is paid, until it is.
    payment: Option<Payment>,
    /// For whoever may change how it is paid.
    form: Option<Filled>,
    late: String,
    accounts: String,
    /// The account it is looked at from; None for the payer.
    at: Option<String>,
    name: String,
    above: Vec<(String, String)>,
    amount: String,
    own: String,
    lines: Vec<LineView>,
    priced: bool,
    /// More of them than this page shows.
    more_lines: i64,
    parts: Vec<Part>,
    pager: Pager,
    /// What the accounts below cost together, for those who may not see them.
    below: String,
}

/// The part of the invoice that this person asks for. Of accounts below, only those who may read billing there see
/// more than a sum.
pub fn place(db: &mut Db, frame: &Frame, invoice: &Invoice, at: &str) -> Result<Place, Problem> {
    let is_payer = at.is_empty() || at == frame.account().id;
    if !is_payer && !frame.may_below::<ReadBilling>() {
        return Err(Problem::NotFound);
    }
    invoices::section(db, invoice.key, if is_payer { "" } else { at })
}

/// GET /a/{account}/invoices/{invoice}?at=
pub async fn show(
    by: In<ReadBilling>,
    site: Site,
    payments: Data<Payments>,
    path: Path<(String, String)>,
    query: Query<PartQuery>,
) -> Result<HttpResponse, Problem> {
    let (grant, id, asked) = (by.clone(), path.1.clone(), query.clone());
    let sees_below = by.frame().may_below::<ReadBilling>();
    let read = move |db: &mut Db| {
        let invoice = invoices::one(db, grant.account().key, &id)?;
        let place = place(db, grant.frame(), &invoice, &asked.at)?;
        let above = invoices::above(db, invoice.key, &place)?;
        let lines = lines::lines(db, invoice.key, place.account, &Want::First, PAGE)?;
        let parts = if sees_below {
            invoices::below(db, invoice.key, place.account, &asked.page.want(), PAGE)?
        } else {
            Vec::new()
        };
        Ok((invoice, place, above, lines, parts))
    };
    let (invoice, place, above, lines, parts) = site.pool.read_long(read).await?;
    let row = Row::of(&invoice, ids::now());
    let rest = if query.at.is_empty() { String::new() } else { format!("at={}", place.id) };
    let parts = Paged::new(parts, &query.page, &rest, None, |part| Cursor(part.name_key.clone(), part.account));
    let pager = Pager::of(&parts);
    let money = |amount| money::words(amount, &invoice.currency);
    let (is_payer, others) = (place.parent.is_none(), place.amount - place.own_amount);
    let heading = format!("Invoice {}", row.number);
    let payment = Payment::of(&invoice, payments.is_on()).filter(|_| is_payer);
    let may_pay = by.frame().may::<UpdateBilling>() && payment.as_ref().is_some_and(|payment| payment.failed);
    let page = InvoicePage {
        shell: site.shell(&by, Section::Invoices, &heading).noting(&pager.words),
        account: by.account().id.clone(),
        payment,
        form: may_pay.then(|| Filled::with([])),
        late: if invoice.late_lines > 0 {
            text::count(invoice.late_lines, "line is", "lines are")
        } else {
            String::new()
        },
        accounts: text::count(place.accounts, "account", "accounts"),
        at: (!is_payer).then(|| place.id.clone()),
        above,
        amount: money(place.amount),
        own: money(place.own_amount),
        lines: lines.iter().take(PAGE).map(|line| LineView::of(line, &invoice.month, true)).collect(),
        priced: true,
        more_lines: if lines.len() > PAGE { place.own_lines } else { 0 },
        parts: parts.rows.iter().map(|part| Part::of(part, &invoice.currency)).collect(),
        pager,
        below: if sees_below || place.lines == place.own_lines { String::new() } else { money(others) },
        name: place.name,
        row,
    };
    site.page(&page, Keep::Nothing)
}
