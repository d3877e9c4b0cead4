//! What the provider answers, read leniently: only what is used, and nothing that is missing or new is an error.

use serde::Deserialize;
use serde_json::Value;

use super::{Charge, Collected, Intent, Kind, Means, Notice, Payment, Progress};
use crate::config::Hidden;

#[derive(Deserialize)]
pub struct Named {
    pub id: String,
}

#[derive(Deserialize)]
pub struct Refusal {
    #[serde(default)]
    pub error: Why,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Why {
    pub code: Option<String>,
    pub decline_code: Option<String>,
    pub message: Option<String>,
}

impl Why {
    /// The provider's words, cut to what fits a page.
    pub fn words(&self) -> String {
        let words = self.message.as_deref().unwrap_or("The payment provider refused it.");
        words.chars().filter(|c| !c.is_control()).take(300).collect()
    }
}

#[derive(Deserialize)]
pub struct PaymentMethod {
    id: String,
    /// Its id, or all of it.
    #[serde(default)]
    customer: Value,
    #[serde(default)]
    card: Option<Card>,
    #[serde(default)]
    us_bank_account: Option<BankAccount>,
}

#[derive(Deserialize)]
struct Card {
    #[serde(default)]
    brand: String,
    #[serde(default)]
    last4: String,
    #[serde(default)]
    exp_month: Option<u32>,
    #[serde(default)]
    exp_year: Option<i32>,
}

#[derive(Deserialize)]
struct BankAccount {
    #[serde(default)]
    bank_name: Option<String>,
    #[serde(default)]
    last4: Option<String>,
    #[serde(default)]
    account_holder_type: Option<String>,
}

/// The id of what is given as an id or as an object.
fn id_of(value: &Value) -> Option<String> {
    let id = value.as_str().or_else(|| value.get("id")?.as_str());
    id.filter(|id| !id.is_empty()).map(str::to_owned)
}

fn short(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

/// Never more than the last four digits, whatever comes.
fn last_four(text: &str) -> String {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    digits[digits.len().saturating_sub(4)..].iter().collect()
}

/// "visa" as people read it.
fn brand(code: &str) -> String {
    match code {
        "amex" => "American Express".to_owned(),
        "diners" => "Diners Club".to_owned(),
        "jcb" => "JCB".to_owned(),
        "unionpay" => "UnionPay".to_owned(),
        "" | "unknown" => "Card".to_owned(),
        other => {
            let mut letters = other.chars();
            short(&letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect()), 32)
        }
    }
}

impl PaymentMethod {
    /// None for kinds that this console never sets up.
    pub fn means(self) -> Option<Means> {
        let customer = id_of(&self.customer);
        match (self.card, self.us_bank_account) {
            (Some(card), _) => Some(Means {
                id: self.id,
                customer,
                kind: Kind::Card,
                brand: brand(&card.brand),
                last_four: last_four(&card.last4),
                expiry: card.exp_year.zip(card.exp_month),
                holder_type: String::new(),
            }),
            (None, Some(bank)) => Some(Means {
                id: self.id,
                customer,
                kind: Kind::BankAccount,
                brand: short(bank.bank_name.as_deref().unwrap_or("Bank account"), 64),
                last_four: last_four(bank.last4.as_deref().unwrap_or_default()),
                expiry: None,
                holder_type: short(bank.account_holder_type.as_deref().unwrap_or_default(), 16),
            }),
            (None, None) => None,
        }
    }
}

#[derive(Deserialize)]
pub struct SetupIntent {
    id: String,
    #[serde(default)]
    customer: Value,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    status: String,
    #[serde(default)]
    next_action: Option<NextAction>,
    #[serde(default)]
    last_setup_error: Option<Why>,
    #[serde(default)]
    payment_method: Value,
}

#[derive(Deserialize)]
struct NextAction {
    #[serde(default, rename = "type")]
    kind: String,
}

impl SetupIntent {
    /// The id of its payment method where that did not come along.
    pub fn method_to_fetch(&self) -> Option<String> {
        self.payment_method.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
    }

    /// `fetched`: the method, where it did not come along.
    pub fn intent(self, fetched: Option<Means>) -> Intent {
        let deposits = self.next_action.is_some_and(|action| action.kind == "verify_with_microdeposits");
        let progress = match self.status.as_str() {
            "succeeded" => Progress::Done,
            "canceled" => Progress::Cancelled,
            "processing" => Progress::Undecided,
            "requires_action" if deposits => Progress::Deposits,
            "requires_action" => Progress::Holder,
            _ => Progress::Waiting(self.last_setup_error.map(|why| why.words())),
        };
        let expanded = || serde_json::from_value::<PaymentMethod>(self.payment_method).ok()?.means();
        Intent {
            id: self.id,
            customer: id_of(&self.customer).unwrap_or_default(),
            client_secret: Hidden(self.client_secret.unwrap_or_default()),
            progress,
            means: fetched.or_else(expanded),
        }
    }
}

/// A charge, or a payment intent: both say what was charged and how it ended.
#[derive(Deserialize)]
pub struct ChargeReply {
    #[serde(default)]
    payment_method: Value,
    #[serde(default)]
    last_payment_error: Option<FailedPayment>,
    #[serde(default)]
    status: String,
    #[serde(default)]
    created: i64,
}

#[derive(Deserialize)]
struct FailedPayment {
    #[serde(default)]
    payment_method: Value,
}

impl ChargeReply {
    /// None while it is undecided, or when it names no method.
    pub fn charge(self) -> Option<Charge> {
        // One that was given up says nothing of the method, unless it was tried before.
        let given_up = self.status == "canceled" && self.last_payment_error.is_some();
        let failed = given_up || matches!(self.status.as_str(), "failed" | "requires_payment_method");
        let paid = self.status == "succeeded";
        let tried = self.last_payment_error.as_ref().and_then(|error| id_of(&error.payment_method));
        let means = id_of(&self.payment_method).or(tried)?;
        (paid || failed).then_some(Charge { means, paid, created: self.created })
    }
}

#[derive(Deserialize)]
pub struct PaymentIntent {
    id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    payment_method: Value,
    #[serde(default)]
    amount: Option<i64>,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    last_payment_error: Option<Why>,
}

impl PaymentIntent {
    pub fn payment(self) -> Payment {
        let words = self.last_payment_error.map(|why| why.words());
        let collected = match self.status.as_str() {
            "succeeded" => Collected::Paid,
            "processing" => Collected::Underway,
            "canceled" => Collected::Cancelled,
            "requires_confirmation" => Collected::Fresh,
            "requires_action" => Collected::Failed(HOLDER.to_owned()),
            _ => Collected::Failed(words.unwrap_or_else(|| Why::default().words())),
        };
        let invoice = self.metadata["invoice"].as_str().unwrap_or_default().to_owned();
        let asked = self.amount.zip(self.currency.map(|code| code.to_ascii_uppercase()));
        Payment { id: self.id, means: id_of(&self.payment_method).unwrap_or_default(), invoice, asked, collected }
    }
}

const HOLDER: &str = "The bank wants the card’s holder to approve it, which an automatic payment cannot ask for.";

#[derive(Deserialize)]
pub struct Event {
    id: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    created: i64,
    #[serde(default)]
    data: Value,
}

impl Event {
    pub fn notice(self) -> Notice {
        let object = id_of(&self.data["object"]).unwrap_or_default();
        Notice { id: self.id, kind: self.kind, object, created: self.created }
    }
}

#[derive(Deserialize)]
pub struct List<T> {
    #[serde(default = "Vec::new")]
    pub data: Vec<T>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_four_digits_are_kept_whatever_comes() {
        let text = r#"{"id":"pm_1","card":{"brand":"visa","last4":"4242424242424242","exp_month":1,"exp_year":2030}}"#;
        let means = serde_json::from_str::<PaymentMethod>(text).unwrap().means().unwrap();
        assert_eq!((means.last_four.as_str(), means.brand.as_str()), ("4242", "Visa"));
        let endless: PaymentMethod = serde_json::from_str(r#"{"id":"","card":{}}"#).unwrap();
        assert!(means.customer.is_none() && endless.means().unwrap().expiry.is_none());
    }

    #[test]
    fn a_set_up_is_read_with_what_is_missing_and_what_is_new() {
        let read = |text: &str| serde_json::from_str::<SetupIntent>(text).unwrap().intent(None);
        assert_eq!(read(r#"{"id":"seti_1","new":{"a":1}}"#).progress, Progress::Waiting(None));
        let declined =
            r#"{"id":"seti_1","status":"requires_payment_method","last_setup_error":{"message":"Declined."}}"#;
        assert_eq!(read(declined).progress, Progress::Waiting(Some("Declined.".to_owned())));
        let deposits = r#"{"id":"s","status":"requires_action","next_action":{"type":"verify_with_microdeposits"}}"#;
        assert_eq!(read(deposits).progress, Progress::Deposits);
        let done = r#"{"id":"s","status":"succeeded","customer":{"id":"cus_1"},
            "payment_method":{"id":"pm_1","us_bank_account":{"last4":"6789","bank_name":null}}}"#;
        let done = read(done);
        assert_eq!((done.progress, done.customer.as_str()), (Progress::Done, "cus_1"));
        assert_eq!(done.means.unwrap().brand, "Bank account");
    }
}
