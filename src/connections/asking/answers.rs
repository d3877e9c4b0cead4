//! What was answered so far, what follows from it, and the order that it makes when nothing is missing.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{KEYS, Question, path};
use crate::catalogue::{SupportedConnection, Term};
use crate::connections::keys::PreSharedKey;
use crate::connections::lines::{Narrowed, Narrowing, Offer};
use crate::connections::order::NewOrder;
use crate::connections::settings::{Kind, Settings, checks};
use crate::factor::vault::Vault;
use crate::networks::pages::entry;
use crate::ports::Side;
use crate::problem::{Errors, Problem};
use crate::web::Form;

/// Answers by field. Pre-shared keys are not among them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Answers(BTreeMap<String, String>);

/// Minutes for which a ticket is good.
const TICKET_MINUTES: i64 = 24 * 60;

impl Answers {
    pub fn get(&self, field: &str) -> &str {
        self.0.get(field).map_or("", String::as_str)
    }

    pub fn set(&mut self, field: &str, value: &str) {
        self.0.insert(field.to_owned(), value.to_owned());
    }

    pub fn has(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    pub fn kind(&self) -> Option<Kind> {
        Kind::of_code(self.get("kind"))
    }

    /// Puts what was sent for the question among the answers.
    pub fn take(&mut self, question: Question, sent: &dyn Fn(&str) -> String) {
        let kind = self.kind().unwrap_or(Kind::Port);
        for field in question.fields(kind, true) {
            self.set(field, sent(field).trim());
        }
    }

    /// Sealed for the person, the account and the network.
    pub fn seal(&self, vault: &Vault, purpose: &str) -> Result<String, Problem> {
        vault.ticket(purpose, self)
    }

    pub fn open(vault: &Vault, purpose: &str, ticket: &str) -> Option<Answers> {
        vault.redeem(purpose, ticket, TICKET_MINUTES)
    }

    /// As a form would hold them, for the checks of forms.
    pub fn form(&self) -> Form {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        Form::restored(&body.extend_pairs(&self.0).finish())
    }
}

/// What follows from the answers.
pub struct Progress {
    pub kind: Kind,
    pub narrowed: Narrowed,
    pub path: Vec<Question>,
    /// All that is wrong or missing, by field.
    pub errors: Errors,
    /// Settings as far as they could be read.
    pub settings: Settings,
    answers: Answers,
}

impl Progress {
    /// None before the kind is chosen.
    pub fn of(answers: &Answers, offer: &Offer) -> Option<Progress> {
        let kind = answers.kind().filter(|kind| offer.kinds.contains(kind))?;
        let port = offer.port(answers.get("port"));
        let second = offer.port(answers.get("second_port"));
        let mut answers = answers.clone();
        // A port is where it is.
        answers.set("location", &port.map_or(answers.get("location").to_owned(), |port| port.location.to_string()));
        let given = answers.clone();
        let allows = |step: Narrowing, value: &str| match (step, port) {
            (Narrowing::Location, Some(port)) if kind == Kind::Port => value == port.location.to_string(),
            (Narrowing::Availability, Some(port)) if kind == Kind::Port && value == "double" => {
                offer.ports.iter().any(|other| other.facility == port.facility && other.key != port.key)
            }
            (Narrowing::Speed, Some(port)) if kind == Kind::Port => {
                let speed: i64 = value.parse().unwrap_or(i64::MAX);
                let double = given.get("availability") == "double";
                let fits = |port: &crate::connections::reach::Usable| speed <= port.speed && speed <= port.free;
                fits(port) && (!double || second.is_none_or(fits))
            }
            _ => true,
        };
        let narrowed = Narrowed::by(kind, &offer.lines, |field| given.get(field).to_owned(), allows);
        for (field, value) in &narrowed.settled {
            answers.set(field, value);
        }
        let double = narrowed.is_double();
        let asks = |question: Question| {
            let step = Narrowing::EVERY.into_iter().find(|step| step.field() == question.slug());
            step.is_some_and(|step| narrowed.options(step).len() != 1 || !narrowed.settled.contains_key(step.field()))
        };
        let path = path(kind, answers.get("routing"), double, asks);
        let (settings, errors) = check(kind, &answers, &narrowed, offer, double);
        Some(Progress { kind, narrowed, path, errors, settings, answers })
    }

    /// The first question that is not answered, or not rightly; None when all are.
    pub fn next(&self) -> Option<Question> {
        self.path.iter().copied().find(|question| {
            let fields = question.fields(self.kind, self.narrowed.is_double());
            let missing = |field: &&str| !self.answers.has(field);
            fields.iter().any(|field| missing(field) || self.errors.get(field).is_some())
        })
    }

    /// The one before.
    pub fn before(&self, question: Question) -> Option<Question> {
        let at = self.path.iter().position(|one| *one == question)?;
        at.checked_sub(1).map(|at| self.path[at])
    }

    pub fn answer(&self, field: &str) -> &str {
        self.answers.get(field)
    }

    pub fn line<'a>(&self, offer: &'a Offer) -> Option<&'a SupportedConnection> {
        let key = self.narrowed.line?;
        offer.lines.iter().find(|line| line.key == key)
    }

    /// The fields of the keys that an order needs, by side. None for what is no tunnel.
    pub fn key_fields(&self) -> Vec<(Side, &'static str)> {
        let sides = [Side::Primary, Side::Secondary].into_iter().zip(KEYS);
        let wanted = match self.kind {
            Kind::SiteIpsecVpn if self.narrowed.is_double() => 2,
            Kind::SiteIpsecVpn => 1,
            _ => 0,
        };
        sides.take(wanted).collect()
    }

    /// The order, when nothing is wrong or missing. `key`: what was sent in a field for a key.
    pub fn order(&self, network: &str, key: &dyn Fn(&str) -> String) -> Result<NewOrder, Problem> {
        let mut errors = self.errors.clone();
        let mut keys = Vec::new();
        for (side, field) in self.key_fields() {
            let key = key(field).trim().to_owned();
            if let Err(wrong) = checks::pre_shared_key(&key) {
                errors.add(field, wrong);
            }
            keys.push((side, PreSharedKey(key)));
        }
        if !errors.is_empty() {
            return Err(Problem::Invalid(errors));
        }
        let form = self.answers.form();
        let mut check = form.check();
        let (name, description, tags) = entry::details(&mut check);
        check.finish()?;
        let line = self.narrowed.line.ok_or_else(|| Problem::bug("an order without a line of the catalogue"))?;
        let term = Term::of_code(self.answers.get("term")).ok_or_else(|| Problem::bug("an order without a term"))?;
        let settings = self.settings.clone();
        Ok(NewOrder { network: network.to_owned(), name, description, tags, line, term, settings, keys })
    }
}

/// Everything at once: what the kind asks for, what narrows the lines, the port, the term, the name, the keys.
fn check(kind: Kind, answers: &Answers, narrowed: &Narrowed, offer: &Offer, double: bool) -> (Settings, Errors) {
    let form = answers.form();
    let mut check = form.check();
    for step in Narrowing::EVERY {
        if !narrowed.settled.contains_key(step.field()) {
            let none = narrowed.options.get(step.field()).is_some_and(Vec::is_empty);
            let why =
                if none { "There is nothing to choose with the answers before" } else { "Choose one of those offered" };
            // A port is asked for, not where it is.
            let field = if kind == Kind::Port && step == Narrowing::Location { "port" } else { step.field() };
            check.note(field, Some(why.to_owned()));
            break;
        }
    }
    let settings = Settings::read(kind, &mut check, double);
    if kind == Kind::Port {
        let known = |id: &str| offer.port(id);
        let first = known(answers.get("port"));
        check.note("port", first.is_none().then(|| "Choose one of the ports that this account may use".to_owned()));
        let second = known(answers.get("second_port"));
        let fits = second.zip(first).is_some_and(|(second, first)| second.facility == first.facility);
        check.note("second_port", (double && !fits).then(|| "Choose a port in the facility of the first".to_owned()));
        for (field, port) in [("vlan", first), ("second_vlan", second.filter(|_| double))] {
            let vlan = checks::vlan(answers.get(field).trim()).ok();
            if let Some((port, vlan)) = port.zip(vlan) {
                let (least, most) = port.vlans;
                let outside = !(least..=most).contains(&vlan);
                check.note(field, outside.then(|| format!("VLANs {least} to {most} of the port may be used here")));
                let taken = port.taken.contains(&vlan);
                check.note(field, taken.then(|| format!("VLAN {vlan} of the port is taken; choose another one")));
            }
        }
    }
    let line = narrowed.line.and_then(|key| offer.lines.iter().find(|line| line.key == key));
    let term = Term::of_code(answers.get("term"));
    let offered = line.zip(term).is_some_and(|(line, term)| line.prices.code(term).is_some());
    check.note("term", (!offered).then(|| "Choose a term".to_owned()));
    entry::details(&mut check);
    (settings, once_each(check.errors))
}

/// The first complaint about each field.
fn once_each(errors: Errors) -> Errors {
    let mut seen: HashSet<String> = HashSet::new();
    Errors(errors.0.into_iter().filter(|(field, _)| seen.insert(field.clone())).collect())
}
