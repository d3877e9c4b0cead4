//! The provider of a demonstration: nothing in it is real. Instead of card fields people choose among named test
//! methods, which behave as the provider's own test cards do. Kept in the process, as a demonstration starts anew.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::Datelike;
use futures_util::FutureExt;
use futures_util::future::ready;

use super::{
    Answer, Charge, Collected, Demand, Intent, Kind, Means, Notice, Payment, Progress, Provider, Trouble, at_provider,
};
use crate::config::Hidden;
use crate::ids;

/// One of the test methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    pub code: &'static str,
    pub words: &'static str,
    pub hint: &'static str,
}

const fn choice(code: &'static str, words: &'static str, hint: &'static str) -> Choice {
    Choice { code, words, hint }
}

const CARDS: [Choice; 5] = [
    choice("visa", "Visa ending 4242", "Works at once."),
    choice("soon", "Mastercard ending 4444", "Works, and expires at the end of this month."),
    choice("holder", "Visa ending 3220, needs 3-D Secure", "The bank asks whether it is you."),
    choice("empty", "Visa ending 0341", "Can be saved, and every payment with it is declined."),
    choice("declined", "Declined card", "The bank says no."),
];
const BANKS: [Choice; 1] = [choice("bank", "Test bank ending 6789", "The two deposits are 32 and 45 cents.")];
const DEPOSITS: [i64; 2] = [32, 45];

#[derive(Default)]
pub struct Demo {
    intents: Mutex<HashMap<String, Entry>>,
    payments: Mutex<HashMap<String, (Demand, Collected)>>,
}

#[derive(Clone)]
struct Entry {
    customer: String,
    kind: Kind,
    progress: Progress,
    choice: &'static str,
}

fn means(intent: &str, entry: &Entry) -> Option<Means> {
    let now = ids::now();
    let (brand, last_four, expiry) = match entry.choice {
        "visa" => ("Visa", "4242", Some((now.year() + 3, 12))),
        "soon" => ("Mastercard", "4444", Some((now.year(), now.month()))),
        "holder" => ("Visa", "3220", Some((now.year() + 3, 12))),
        "empty" => ("Visa", "0341", Some((now.year() + 3, 12))),
        "bank" => ("Test bank", "6789", None),
        _ => return None,
    };
    Some(Means {
        id: intent.replace("seti_", "pm_"),
        customer: Some(entry.customer.clone()),
        kind: entry.kind,
        brand: brand.to_owned(),
        last_four: last_four.to_owned(),
        expiry,
        holder_type: if entry.kind == Kind::BankAccount { "company".to_owned() } else { String::new() },
    })
}

fn intent(id: &str, entry: &Entry) -> Intent {
    Intent {
        id: id.to_owned(),
        customer: entry.customer.clone(),
        client_secret: Hidden(String::new()),
        progress: entry.progress.clone(),
        means: means(id, entry),
    }
}

fn asked(demand: &Demand) -> Option<(i64, String)> {
    at_provider(demand.amount, &demand.currency).map(|amount| (amount, demand.currency.clone()))
}

impl Demo {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.intents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn payments(&self) -> MutexGuard<'_, HashMap<String, (Demand, Collected)>> {
        self.payments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn choices(kind: Kind) -> &'static [Choice] {
        if kind == Kind::Card { &CARDS } else { &BANKS }
    }

    /// Does with the set-up what entering this test method would; false when there is no such choice. A card that
    /// waits for its holder takes `approve` and `refuse`.
    pub fn choose(&self, id: &str, code: &str) -> bool {
        let mut intents = self.lock();
        let Some(entry) = intents.get_mut(id) else { return false };
        if entry.progress == Progress::Holder {
            match code {
                "approve" => entry.progress = Progress::Done,
                "refuse" => entry.progress = Progress::Waiting(Some("The bank could not tell that it is you.".into())),
                _ => return false,
            }
            return true;
        }
        let Some(choice) = Demo::choices(entry.kind).iter().find(|choice| choice.code == code) else { return false };
        entry.choice = choice.code;
        entry.progress = match choice.code {
            "declined" => Progress::Waiting(Some("Your card was declined.".to_owned())),
            "holder" => Progress::Holder,
            "bank" => Progress::Deposits,
            _ => Progress::Done,
        };
        true
    }
}

impl Provider for Demo {
    fn open_customer<'a>(&'a self, _: &'a str, account: &'a str, _: &'a str) -> Answer<'a, String> {
        ready(Ok(format!("cus_demo_{account}"))).boxed()
    }

    fn open_intent<'a>(&'a self, _: &'a str, customer: &'a str, kind: Kind) -> Answer<'a, Intent> {
        let id = format!("seti_demo_{}", ids::token().replace('-', "_"));
        let entry = Entry { customer: customer.to_owned(), kind, progress: Progress::Waiting(None), choice: "" };
        let made = intent(&id, &entry);
        self.lock().insert(id, entry);
        ready(Ok(made)).boxed()
    }

    fn intent<'a>(&'a self, id: &'a str) -> Answer<'a, Intent> {
        let found = self.lock().get(id).map(|entry| intent(id, entry));
        ready(found.ok_or(Trouble::Unknown)).boxed()
    }

    fn means<'a>(&'a self, id: &'a str) -> Answer<'a, Means> {
        let key = id.replace("pm_", "seti_");
        let found = self.lock().get(&key).and_then(|entry| means(&key, entry));
        ready(found.ok_or(Trouble::Unknown)).boxed()
    }

    fn attach<'a>(&'a self, _: &'a str, _: &'a str) -> Answer<'a, ()> {
        ready(Ok(())).boxed()
    }

    fn detach<'a>(&'a self, _: &'a str) -> Answer<'a, ()> {
        ready(Ok(())).boxed()
    }

    fn verify<'a>(&'a self, id: &'a str, amounts: [i64; 2]) -> Answer<'a, Intent> {
        let mut intents = self.lock();
        let verified = match intents.get_mut(id) {
            None => Err(Trouble::Unknown),
            Some(entry) if amounts == DEPOSITS || amounts == [DEPOSITS[1], DEPOSITS[0]] => {
                entry.progress = Progress::Done;
                Ok(intent(id, entry))
            }
            Some(_) => Err(Trouble::Refused {
                code: "payment_method_microdeposit_verification_amounts_mismatch".to_owned(),
                words: "The amounts are others.".to_owned(),
            }),
        };
        ready(verified).boxed()
    }

    fn charge<'a>(&'a self, id: &'a str) -> Answer<'a, Charge> {
        let found = self.payments().get(id).cloned();
        let charge = found.and_then(|(demand, collected)| {
            let paid = match collected {
                Collected::Paid => true,
                Collected::Failed(_) => false,
                _ => return None,
            };
            Some(Charge { means: demand.means, paid, created: ids::now().and_utc().timestamp() })
        });
        ready(charge.ok_or(Trouble::Unknown)).boxed()
    }

    fn open_payment<'a>(&'a self, key: &'a str, demand: &'a Demand) -> Answer<'a, Payment> {
        let id = format!("pi_{key}");
        let mut payments = self.payments();
        let made = payments.entry(id.clone()).or_insert_with(|| (demand.clone(), Collected::Fresh));
        let collected = made.1.clone();
        let (means, invoice) = (demand.means.clone(), demand.invoice.clone());
        ready(Ok(Payment { id, means, invoice, asked: asked(demand), collected })).boxed()
    }

    fn payment<'a>(&'a self, id: &'a str) -> Answer<'a, Payment> {
        let payment = |(demand, collected): (Demand, Collected)| {
            let asked = asked(&demand);
            let Demand { means, invoice, .. } = demand;
            Payment { id: id.to_owned(), means, invoice, asked, collected }
        };
        ready(self.payments().get(id).cloned().map(payment).ok_or(Trouble::Unknown)).boxed()
    }

    fn confirm<'a>(&'a self, id: &'a str) -> Answer<'a, Payment> {
        let setup = |means: &str| self.lock().get(&means.replace("pm_", "seti_")).map(|entry| entry.choice);
        if let Some((demand, collected)) = self.payments().get_mut(id).filter(|(_, at)| *at == Collected::Fresh) {
            *collected = match setup(&demand.means) {
                Some("empty") => Collected::Failed("Your card has insufficient funds.".to_owned()),
                _ => Collected::Paid,
            };
        }
        self.payment(id)
    }

    fn cancel<'a>(&'a self, id: &'a str) -> Answer<'a, Payment> {
        if let Some((_, collected)) = self.payments().get_mut(id).filter(|(_, at)| *at != Collected::Paid) {
            *collected = Collected::Cancelled;
        }
        self.payment(id)
    }

    fn notices<'a>(&'a self, _: Option<&'a str>) -> Answer<'a, Vec<Notice>> {
        ready(Ok(Vec::new())).boxed()
    }
}
