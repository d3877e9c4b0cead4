//! Invoices, their parts and their lines as people read them.

use chrono::NaiveDateTime;

use crate::billing::CollectionMethod;
use crate::ledger::issue::number_words;
use crate::ledger::items::Kind;
use crate::ledger::money;
use crate::ledger::month::{day_of, days_words, words_of};
use crate::ledger::store::invoices::{Invoice, Section};
use crate::ledger::store::lines::Line;
use crate::text;
use crate::web::paging::Paged;
use crate::web::when::When;

/// The line below a list.
pub struct Pager {
    pub words: String,
    pub previous: String,
    pub next: String,
    /// Keyset pages have no numbers to go to.
    pub links: Vec<(String, String, bool)>,
}

impl Pager {
    pub fn of<T>(paged: &Paged<T>) -> Pager {
        let href = |query: &str| if query.is_empty() { String::new() } else { format!("?{query}") };
        Pager { words: paged.words(), previous: href(&paged.previous), next: href(&paged.next), links: Vec::new() }
    }

    pub fn is_single(&self) -> bool {
        self.previous.is_empty() && self.next.is_empty()
    }
}

/// One invoice of the list, and the head of its page.
pub struct Row {
    pub id: String,
    pub number: String,
    pub month: String,
    pub tone: &'static str,
    pub state: &'static str,
    pub total: String,
    pub issued: When,
    pub due: When,
    pub settled: Option<When>,
    pub lines: String,
    pub how: &'static str,
    pub bill_to: Vec<String>,
}

impl Row {
    pub fn of(invoice: &Invoice, now: NaiveDateTime) -> Row {
        let method = CollectionMethod::of_code(&invoice.collection_method);
        let late = invoice.due_at.is_some_and(|due| due < day_of(now));
        let late = late && method == Some(CollectionMethod::Net30);
        let overdue = invoice.overdue_at.is_some();
        let (tone, state) = match invoice.state.as_str() {
            "OPEN" if overdue || late => ("bad", "Overdue"),
            "OPEN" if invoice.provider_state == "UNDERWAY" => ("info", "Being paid"),
            "OPEN" => ("info", "Open"),
            "PAID" => ("good", "Paid"),
            "FAILED" => ("bad", "Payment failed"),
            _ => ("", "Void"),
        };
        let day = |at: Option<NaiveDateTime>| When::day(at.unwrap_or(now));
        let due = day(invoice.due_at);
        Row {
            id: invoice.id.clone(),
            number: number_words(invoice.number.unwrap_or(0)),
            month: words_of(&invoice.month),
            tone,
            state,
            total: money::words(invoice.total, &invoice.currency),
            issued: day(invoice.issued_at),
            due,
            settled: invoice.settled_at.map(When::day),
            lines: text::count(invoice.lines, "line", "lines"),
            how: method.map_or("", CollectionMethod::words),
            bill_to: invoice.bill_to.lines().map(str::to_owned).collect(),
        }
    }
}

/// One account on an invoice.
pub struct Part {
    pub id: String,
    pub name: String,
    pub accounts: i64,
    pub lines: i64,
    pub amount: String,
}

impl Part {
    pub fn of(section: &Section, currency: &str) -> Part {
        Part {
            id: section.id.clone(),
            name: section.name.clone(),
            accounts: section.accounts,
            lines: section.lines,
            amount: money::words(section.amount, currency),
        }
    }
}

/// One line.
pub struct LineView {
    pub name: String,
    /// "Port, 10 Gbit/s in Frankfurt"
    pub what: String,
    pub subject_id: String,
    /// "1–31 Oct 2026", "Setup"
    pub period: String,
    /// "Late, from September 2026"; "" where it is of the invoice's own month.
    pub late: String,
    /// "EUR 10.00 a month"; empty where prices are hidden.
    pub unit: String,
    pub amount: String,
}

impl LineView {
    /// `of`: the month of the invoice, or of the page. Without `priced` no amount is in it.
    pub fn of(line: &Line, of: &str, priced: bool) -> LineView {
        let setup = line.kind == "SETUP";
        let unit = money::words(line.unit_amount, &line.currency);
        LineView {
            name: line.name.clone(),
            what: format!("{}, {}", Kind::words_of(&line.item_kind), line.description),
            subject_id: line.subject_id.clone(),
            period: if setup { "Setup".to_owned() } else { days_words(line.from_at, line.days) },
            late: if line.month.as_str() < of {
                format!("Late, from {}", words_of(&line.month))
            } else {
                String::new()
            },
            unit: match (priced, setup) {
                (false, _) => String::new(),
                (true, true) => format!("{unit} once"),
                (true, false) => format!("{unit} a month"),
            },
            amount: if priced { money::words(line.amount, &line.currency) } else { String::new() },
        }
    }
}
