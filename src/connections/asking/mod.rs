//! The questions of an order, one to a page. Which are asked follows from the answers so far; answers are carried from
//! page to page in a sealed ticket, and nothing is stored before the order is placed.

pub mod answers;
pub mod fields;
mod view;

pub use answers::{Answers, Progress};
pub use view::{Choice, FieldView, Look};

use super::settings::Kind;

/// One page of the way to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    Kind,
    Port,
    Location,
    Region,
    Peering,
    Availability,
    SecondPort,
    Vlan,
    Speed,
    Router,
    Routing,
    Asn,
    Routes,
    Selectors,
    Networks,
    Ike,
    Parameters,
    Circuit,
    Term,
    Details,
}

impl Question {
    pub const EVERY: [Question; 20] = [
        Question::Kind,
        Question::Port,
        Question::Location,
        Question::Region,
        Question::Peering,
        Question::Availability,
        Question::SecondPort,
        Question::Vlan,
        Question::Speed,
        Question::Router,
        Question::Routing,
        Question::Asn,
        Question::Routes,
        Question::Selectors,
        Question::Networks,
        Question::Ike,
        Question::Parameters,
        Question::Circuit,
        Question::Term,
        Question::Details,
    ];

    /// As it stands in the address.
    pub fn slug(self) -> &'static str {
        match self {
            Question::Kind => "kind",
            Question::Port => "port",
            Question::Location => "location",
            Question::Region => "region",
            Question::Peering => "peering",
            Question::Availability => "availability",
            Question::SecondPort => "second-port",
            Question::Vlan => "vlan",
            Question::Speed => "speed",
            Question::Router => "router",
            Question::Routing => "routing",
            Question::Asn => "asn",
            Question::Routes => "routes",
            Question::Selectors => "selectors",
            Question::Networks => "networks",
            Question::Ike => "ike",
            Question::Parameters => "parameters",
            Question::Circuit => "circuit",
            Question::Term => "term",
            Question::Details => "details",
        }
    }

    pub fn of_slug(slug: &str) -> Option<Question> {
        Question::EVERY.into_iter().find(|question| question.slug() == slug)
    }

    pub fn heading(self, kind: Kind) -> &'static str {
        match self {
            Question::Kind => "What do you want to connect?",
            Question::Port => "Over which port?",
            Question::Location => "At which location?",
            Question::Region => "Which cloud region?",
            Question::Peering => "Which kind of peering?",
            Question::Availability => "One gateway or two?",
            Question::SecondPort => "Over which second port?",
            Question::Vlan => "Which VLAN?",
            Question::Speed => "How fast?",
            Question::Router => "Where is your router?",
            Question::Routing if kind == Kind::SiteIpsecVpn => "How does traffic find its way?",
            Question::Routing => "How are routes exchanged?",
            Question::Asn => "What is the ASN of your side?",
            Question::Routes => "Which static routes?",
            Question::Selectors => "Which networks may talk to each other?",
            Question::Networks => "Which networks are on your side?",
            Question::Ike => "Which version of IKE?",
            Question::Parameters => "Which parameters for IKE and ESP?",
            Question::Circuit => match kind {
                Kind::Aws => "Which AWS account?",
                Kind::Azure => "Which ExpressRoute circuit?",
                Kind::Google => "Which VLAN attachment?",
                _ => "Which virtual circuit?",
            },
            Question::Term => "For how long?",
            Question::Details => "What shall it be called?",
        }
    }

    /// The fields of the form that its page has.
    pub fn fields(self, kind: Kind, double: bool) -> Vec<&'static str> {
        let second = |first: &'static str, second: &'static str| if double { vec![first, second] } else { vec![first] };
        match self {
            Question::Kind => vec!["kind"],
            Question::Port => vec!["port"],
            Question::Location => vec!["location"],
            Question::Region => vec!["region"],
            Question::Peering => vec!["peering"],
            Question::Availability => vec!["availability"],
            Question::SecondPort => vec!["second_port"],
            Question::Vlan => second("vlan", "second_vlan"),
            Question::Speed => vec!["speed"],
            Question::Router => second("router", "second_router"),
            Question::Routing => vec!["routing"],
            Question::Asn => vec!["asn"],
            Question::Routes => vec!["routes"],
            Question::Selectors => vec!["selectors"],
            Question::Networks => vec!["customer_networks"],
            Question::Ike => vec!["ike"],
            Question::Parameters => PARAMETERS.to_vec(),
            Question::Circuit => match kind {
                Kind::Aws => vec!["aws_account"],
                Kind::Azure => vec!["service_key"],
                Kind::Google => second("pairing_key", "second_pairing_key"),
                _ => second("ocid", "second_ocid"),
            },
            Question::Term => vec!["term"],
            Question::Details => vec!["name", "description", "tags", "customer_networks"],
        }
    }
}

pub const PARAMETERS: [&str; 11] = [
    "ike_encryption",
    "ike_integrity",
    "ike_prf",
    "ike_group",
    "ike_lifetime",
    "dpd_delay",
    "dpd_timeout",
    "esp_encryption",
    "esp_integrity",
    "esp_group",
    "esp_lifetime",
];

/// The fields of the last page of a tunnel. Named so that nothing that keeps forms keeps their values; no answers, as
/// answers travel in the address.
pub const KEYS: [&str; 2] = ["pre_shared_key", "second_pre_shared_key"];

/// Every field that a page of an order may send.
pub fn every_field() -> Vec<&'static str> {
    let mut all: Vec<&'static str> = Vec::new();
    let kinds = [Kind::Port, Kind::Aws, Kind::Azure, Kind::Google, Kind::Oracle];
    for (question, kind) in Question::EVERY.into_iter().flat_map(|question| kinds.map(|kind| (question, kind))) {
        all.extend(question.fields(kind, true));
    }
    all.extend(KEYS);
    all.sort_unstable();
    all.dedup();
    all
}

/// The questions of an order with these answers, in their order. `asks` says of each narrowing question whether there
/// is more than one way.
pub fn path(kind: Kind, routing: &str, double: bool, asks: impl Fn(Question) -> bool) -> Vec<Question> {
    use Question::*;
    let mut all = vec![Kind];
    match kind {
        super::settings::Kind::Port => {
            all.extend([Port, Availability]);
            all.extend(double.then_some(SecondPort));
            all.extend([Speed, Vlan, Routing]);
            all.push(if routing == "STATIC" { Routes } else { Asn });
        }
        super::settings::Kind::SiteIpsecVpn => {
            all.extend([Location, Availability, Speed, Router, Routing]);
            all.push(match routing {
                "POLICY_BASED" => Selectors,
                "ROUTE_BASED_STATIC" => Networks,
                _ => Asn,
            });
            all.extend([Ike, Parameters]);
        }
        _ => all.extend([Location, Region, Peering, Availability, Speed, Circuit]),
    }
    all.extend([Term, Details]);
    all.retain(|question| !matches!(question, Location | Region | Peering | Availability | Speed) || asks(*question));
    all
}
