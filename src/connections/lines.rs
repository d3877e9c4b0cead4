//! What can be ordered: the lines of the catalogue, narrowed down answer by answer, with prices where they may be seen.

use std::collections::HashMap;

use diesel::prelude::*;

use super::reach::{self, Usable};
use super::settings::{Kind, Settings};
use crate::access::Frame;
use crate::catalogue::{self, SupportedConnection, Term};
use crate::ids::{self, Key};
use crate::ledger::prices::Prices;
use crate::ledger::showing::Sight;
use crate::money;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::Run;
use crate::store::schema::{cloud_regions, ports, supported_connections};

/// Everything that the pages of one order need.
pub struct Offer {
    /// Kinds of which there is anything to order.
    pub kinds: Vec<Kind>,
    /// Of the chosen kind.
    pub lines: Vec<SupportedConnection>,
    /// Names of cloud regions by id.
    pub regions: HashMap<String, String>,
    pub ports: Vec<Usable>,
    /// None where they may not be seen.
    prices: Option<Prices>,
}

impl Offer {
    pub fn read(db: &mut Db, frame: &Frame, kind: Option<Kind>) -> Result<Offer, Problem> {
        let offered: Vec<String> = supported_connections::table
            .filter(supported_connections::offered.eq(true))
            .filter(supported_connections::pending.eq(false))
            .select(supported_connections::kind)
            .distinct()
            .rows(db)?;
        let mut lines = match kind {
            Some(kind) => catalogue::supported_connections(db, kind.code())?,
            None => Vec::new(),
        };
        lines.retain(|line| !line.pending && line.prices.offered().next().is_some());
        let regions = match kind {
            Some(Kind::Aws | Kind::Oracle) => catalogue::cloud_regions(db)?,
            _ => Vec::new(),
        };
        let ports = if kind == Some(Kind::Port) { reach::usable(db, frame)? } else { Vec::new() };
        let prices = if Sight::of(db, frame)?.now() {
            Some(Prices::of(db, lines.iter().flat_map(|line| line.prices.offered().map(|(_, code)| code)))?)
        } else {
            None
        };
        Ok(Offer {
            kinds: Kind::EVERY.into_iter().filter(|kind| offered.iter().any(|code| code == kind.code())).collect(),
            lines,
            regions: regions.into_iter().map(|region| (region.id, region.name)).collect(),
            ports,
            prices,
        })
    }

    /// What the code costs, in words; empty where it may not be seen.
    pub fn price(&self, code: &str) -> String {
        self.prices.as_ref().map_or_else(String::new, |prices| words(prices, code))
    }

    pub fn port(&self, id: &str) -> Option<&Usable> {
        self.ports.iter().find(|port| port.id == id)
    }
}

fn words(prices: &Prices, code: &str) -> String {
    let Some(plan) = prices.on(code, ids::now()) else { return String::new() };
    let each = format!("{} each month", money::words(plan.amount, &plan.currency));
    if plan.setup_amount == 0 {
        return each;
    }
    format!("{each}, and {} once", money::words(plan.setup_amount, &plan.currency))
}

/// What a connection costs, for those who see prices; empty else.
pub fn price_of(db: &mut Db, frame: &Frame, code: &str) -> Result<String, Problem> {
    if code.is_empty() || !Sight::of(db, frame)?.now() {
        return Ok(String::new());
    }
    Ok(words(&Prices::of(db, [code])?, code))
}

/// The words of a stored term.
pub fn term_words(code: &str) -> &'static str {
    Term::of_code(code).map_or("", Term::words)
}

/// The names of the ports and of the cloud region that the settings name, by id.
pub fn names(db: &mut Db, settings: Option<&Settings>) -> Result<HashMap<String, String>, Problem> {
    let (mut port_ids, mut region_ids) = (Vec::new(), Vec::new());
    match settings {
        Some(Settings::Port(port)) => {
            port_ids.push(port.primary_port.clone());
            port_ids.extend(port.secondary_port.clone());
        }
        Some(Settings::Aws(aws)) => region_ids.push(aws.cloud_region.clone()),
        Some(Settings::Oracle(oracle)) => region_ids.push(oracle.cloud_region.clone()),
        _ => {}
    }
    let found = ports::table.filter(ports::id.eq_any(port_ids)).select((ports::id, ports::name));
    let mut names: HashMap<String, String> = found.rows::<(String, String)>(db)?.into_iter().collect();
    let found = cloud_regions::table
        .filter(cloud_regions::id.eq_any(region_ids))
        .select((cloud_regions::id, cloud_regions::name));
    names.extend(found.rows::<(String, String)>(db)?);
    Ok(names)
}

/// What narrows the lines of a kind down to one, in the order in which it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrowing {
    Location,
    Region,
    Peering,
    Availability,
    Speed,
}

impl Narrowing {
    pub const EVERY: [Narrowing; 5] =
        [Narrowing::Location, Narrowing::Region, Narrowing::Peering, Narrowing::Availability, Narrowing::Speed];

    /// The field of the form.
    pub fn field(self) -> &'static str {
        match self {
            Narrowing::Location => "location",
            Narrowing::Region => "region",
            Narrowing::Peering => "peering",
            Narrowing::Availability => "availability",
            Narrowing::Speed => "speed",
        }
    }

    /// The values of a line, as a form holds them.
    fn values(self, line: &SupportedConnection, kind: Kind) -> Vec<String> {
        match self {
            Narrowing::Location => vec![line.location.to_string()],
            Narrowing::Region if matches!(kind, Kind::Aws | Kind::Oracle) => line.cloud_regions.clone(),
            Narrowing::Region => vec![String::new()],
            Narrowing::Peering => vec![line.peering.clone()],
            Narrowing::Availability => vec![if line.high_availability { "double" } else { "single" }.to_owned()],
            Narrowing::Speed => vec![line.speed.to_string()],
        }
    }
}

/// How far the answers narrow the lines down.
#[derive(Debug, Clone, Default)]
pub struct Narrowed {
    /// What was settled, by answer or because there is one way only.
    pub settled: HashMap<&'static str, String>,
    /// What can be chosen at each.
    pub options: HashMap<&'static str, Vec<String>>,
    /// All is settled: the key of the line.
    pub line: Option<Key>,
}

impl Narrowed {
    /// `allows`: what besides the catalogue decides over a value, as the port.
    pub fn by(
        kind: Kind,
        lines: &[SupportedConnection],
        answer: impl Fn(&str) -> String,
        allows: impl Fn(Narrowing, &str) -> bool,
    ) -> Narrowed {
        let mut narrowed = Narrowed::default();
        let mut left: Vec<&SupportedConnection> = lines.iter().collect();
        for step in Narrowing::EVERY {
            let mut options: Vec<String> = Vec::new();
            for value in left.iter().flat_map(|line| step.values(line, kind)) {
                if !options.contains(&value) && allows(step, &value) {
                    options.push(value);
                }
            }
            if step == Narrowing::Speed {
                options.sort_by_key(|speed| speed.parse::<i64>().unwrap_or(0));
            }
            let answered = answer(step.field());
            let value = match options.as_slice() {
                [only] => Some(only.clone()),
                several => several.iter().find(|value| **value == answered).cloned(),
            };
            narrowed.options.insert(step.field(), options);
            let Some(value) = value else { return narrowed };
            left.retain(|line| step.values(line, kind).contains(&value));
            narrowed.settled.insert(step.field(), value);
        }
        narrowed.line = left.first().map(|line| line.key);
        narrowed
    }

    pub fn value(&self, step: Narrowing) -> &str {
        self.settled.get(step.field()).map_or("", String::as_str)
    }

    pub fn is_double(&self) -> bool {
        self.value(Narrowing::Availability) == "double"
    }

    pub fn options(&self, step: Narrowing) -> &[String] {
        self.options.get(step.field()).map_or(&[], Vec::as_slice)
    }
}
