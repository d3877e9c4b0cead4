//! What an invoice's page says about its payment: what is being done, whether anything was charged, what to do.

use crate::billing::CollectionMethod;
use crate::ids;
use crate::ledger::store::invoices::Invoice;
use crate::web::when::When;

pub struct Payment {
    pub tone: &'static str,
    pub heading: &'static str,
    pub words: String,
    /// Another try can be asked for.
    pub failed: bool,
}

impl Payment {
    /// None once it is settled. `collects`: there is a payment provider.
    pub fn of(invoice: &Invoice, collects: bool) -> Option<Payment> {
        if !matches!(invoice.state.as_str(), "OPEN" | "FAILED") {
            return None;
        }
        let (failed, overdue) = (invoice.provider_state == "FAILED", invoice.overdue_at.is_some());
        let debt = "Until it is paid, the accounts with items on it start nothing new. What they have goes on, and no \
                    other account is touched.";
        let words = words(invoice, failed, collects);
        Some(Payment {
            tone: if failed || overdue { "bad" } else { "info" },
            heading: match (failed, overdue) {
                (true, _) => "This invoice was not paid",
                (false, true) => "This invoice is overdue",
                (false, false) => "How it is paid",
            },
            words: if overdue { format!("{words} {debt}") } else { words },
            failed,
        })
    }
}

fn words(invoice: &Invoice, failed: bool, collects: bool) -> String {
    let by_mail = CollectionMethod::of_code(&invoice.collection_method) == Some(CollectionMethod::Net30);
    let trouble = &invoice.trouble;
    if failed {
        return format!("Nothing was charged. {trouble} {}", next(invoice));
    }
    if by_mail || !collects {
        let due = When::day(invoice.due_at.unwrap_or_else(ids::now)).words;
        return format!("To be paid by {due}, naming the invoice’s number.");
    }
    if invoice.provider_state == "UNDERWAY" {
        return "The bank is asked for it. That can take some working days.".to_owned();
    }
    match (trouble.is_empty(), invoice.provider_id.is_empty()) {
        (false, true) => format!("{trouble} Enter one, and it is charged at once."),
        (false, false) => trouble.clone(),
        (true, true) if invoice.next_try_at <= ids::now() => "It is charged in a moment.".to_owned(),
        (true, _) => "The payment provider was asked and has not answered yet. It is asked again how it stands in \
                          some minutes; nothing is charged twice."
            .to_owned(),
    }
}

fn next(invoice: &Invoice) -> String {
    if invoice.next_try_at < ids::never() {
        let day = When::day(invoice.next_try_at).words;
        return format!("It is tried again on {day}, and at once when another payment method is entered.");
    }
    "It is not tried again by itself: enter another payment method, or try again here.".to_owned()
}
