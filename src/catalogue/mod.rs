//! The catalogue: where there are ports and connections, at what speeds, for which terms and prices. The operator loads
//! it from a folder of files, all or nothing ([`load`]); what a later load lacks stays for what uses it and is not
//! offered any more. Nothing here belongs to an account.

mod cells;
mod files;
mod load;
mod store;

pub use load::{load, load_folder, load_shipped};
pub use store::{
    cloud_regions, facilities, locations, supported_connection, supported_connections, supported_port, supported_ports,
};

use crate::ids::Key;

/// A place with facilities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub key: Key,
    pub id: String,
    pub name: String,
    /// Millionths of a degree, north and east positive.
    pub latitude_e6: i64,
    pub longitude_e6: i64,
}

/// A data centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facility {
    pub key: Key,
    pub id: String,
    pub name: String,
    pub vendor: String,
    pub street: String,
    pub city: String,
    pub region: String,
    pub postal_code: String,
    pub country: String,
    pub location: Key,
    pub location_name: String,
}

impl Facility {
    /// Its address in one line.
    pub fn address(&self) -> String {
        let town = format!("{} {}", self.postal_code, self.city);
        let parts = [self.street.as_str(), town.trim(), &self.region, &self.country];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

/// A region of a cloud provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudRegion {
    pub key: Key,
    pub id: String,
    /// `AWS`, `AZURE` …
    pub provider: String,
    pub name: String,
    /// As the provider calls it.
    pub provider_id: String,
}

/// For how long something is ordered. The words are the published interface's; it has HOURLY besides, for which there
/// is no price list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Term {
    Monthly,
    OneYear,
    TwoYear,
}

impl Term {
    pub const EVERY: [Term; 3] = [Term::Monthly, Term::OneYear, Term::TwoYear];

    /// As it is stored.
    pub fn code(self) -> &'static str {
        match self {
            Term::Monthly => "MONTHLY",
            Term::OneYear => "ONE_YEAR",
            Term::TwoYear => "TWO_YEAR",
        }
    }

    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Term::Monthly => "Monthly",
            Term::OneYear => "One year",
            Term::TwoYear => "Two years",
        }
    }

    pub fn of_code(code: &str) -> Option<Term> {
        Term::EVERY.into_iter().find(|term| term.code() == code)
    }
}

/// The price codes by term; a term without one is not offered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    monthly: String,
    one_year: String,
    two_year: String,
}

impl Terms {
    pub fn code(&self, term: Term) -> Option<&str> {
        let code = match term {
            Term::Monthly => &self.monthly,
            Term::OneYear => &self.one_year,
            Term::TwoYear => &self.two_year,
        };
        (!code.is_empty()).then_some(code.as_str())
    }

    /// The terms that are offered, with their price codes.
    pub fn offered(&self) -> impl Iterator<Item = (Term, &str)> {
        Term::EVERY.into_iter().filter_map(|term| Some((term, self.code(term)?)))
    }
}

/// A kind of port that can be ordered in a facility.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportedPort {
    pub key: Key,
    pub facility: Facility,
    /// `PUREPORT` or `PACKET_FABRIC`, as the published interface says.
    pub provider: String,
    /// Mbit/s.
    pub speed: i64,
    /// `PRIMARY`, `SECONDARY` or both.
    pub domains: Vec<String>,
    /// `LX`, `SMF` …
    pub media_types: Vec<String>,
    pub prices: Terms,
}

/// A kind of connection that can be ordered at a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportedConnection {
    pub key: Key,
    pub id: String,
    /// One of [`KINDS`].
    pub kind: String,
    pub location: Key,
    pub location_name: String,
    /// Mbit/s.
    pub speed: i64,
    pub high_availability: bool,
    /// `PUBLIC`, `PRIVATE` or `TRANSIT`.
    pub peering: String,
    /// Ids of the cloud regions it reaches; none where its kind has none.
    pub cloud_regions: Vec<String>,
    /// The operator looks at each order.
    pub requires_approval: bool,
    /// Announced, and not to be ordered yet.
    pub pending: bool,
    pub prices: Terms,
}

/// The kinds of connection that can be ordered. The published interface names more, as resold offers of single vendors.
pub const KINDS: [&str; 6] = [
    "PORT",
    "SITE_IPSEC_VPN",
    "AWS_DIRECT_CONNECT",
    "AZURE_EXPRESS_ROUTE",
    "GOOGLE_CLOUD_INTERCONNECT",
    "ORACLE_FAST_CONNECT",
];

/// Speeds of connections, in Mbit/s (ConnectionSpeed of the published interface).
pub const CONNECTION_SPEEDS: [i64; 12] = [50, 100, 200, 300, 400, 500, 1000, 2000, 3000, 4000, 5000, 10000];

/// Speeds of ports, in Mbit/s (PortSpeed of the published interface).
pub const PORT_SPEEDS: [i64; 3] = [1000, 10000, 40000];
