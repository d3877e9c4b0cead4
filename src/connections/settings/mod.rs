//! What the kinds of connections ask for, typed, with the names of the published interface. It is stored as JSON with
//! the connection and given to the fabric; no secret is ever part of it.

pub mod checks;
mod cloud;
mod facts;
pub mod ike;
mod port;
pub mod vpn;

use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::web::form::Check;
pub use cloud::{AwsSettings, AzureSettings, GoogleSettings, OracleSettings, Peering};
pub use facts::Fact;
pub use ike::{Esp, Ike, IkeConfig};
pub use port::{PortSettings, StaticRoute};
pub use vpn::{TrafficSelector, VpnSettings};

/// The kinds of connections that can be ordered here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Port,
    SiteIpsecVpn,
    Aws,
    Azure,
    Google,
    Oracle,
}

impl Kind {
    pub const EVERY: [Kind; 6] = [Kind::Port, Kind::SiteIpsecVpn, Kind::Aws, Kind::Azure, Kind::Google, Kind::Oracle];

    /// As it is stored.
    pub fn code(self) -> &'static str {
        match self {
            Kind::Port => "PORT",
            Kind::SiteIpsecVpn => "SITE_IPSEC_VPN",
            Kind::Aws => "AWS_DIRECT_CONNECT",
            Kind::Azure => "AZURE_EXPRESS_ROUTE",
            Kind::Google => "GOOGLE_CLOUD_INTERCONNECT",
            Kind::Oracle => "ORACLE_FAST_CONNECT",
        }
    }

    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Port => "Port",
            Kind::SiteIpsecVpn => "Site IPsec VPN",
            Kind::Aws => "AWS Direct Connect",
            Kind::Azure => "Azure ExpressRoute",
            Kind::Google => "Google Cloud Interconnect",
            Kind::Oracle => "Oracle FastConnect",
        }
    }

    /// What it is for.
    pub fn hint(self) -> &'static str {
        match self {
            Kind::Port => {
                "A VLAN of a physical port in a facility: one of your own, or one that an account above shares"
            }
            Kind::SiteIpsecVpn => "An encrypted tunnel over the internet to a router of yours",
            Kind::Aws => "To virtual private clouds or public services of Amazon Web Services",
            Kind::Azure => "To an ExpressRoute circuit of Microsoft Azure",
            Kind::Google => "To a VLAN attachment of Google Cloud",
            Kind::Oracle => "To a virtual circuit of Oracle Cloud",
        }
    }

    pub fn of_code(code: &str) -> Option<Kind> {
        Kind::EVERY.into_iter().find(|kind| kind.code() == code)
    }

    /// The word of a stored kind, known here or not.
    pub fn label(code: &str) -> String {
        Kind::of_code(code).map_or_else(|| code.to_owned(), |kind| kind.words().to_owned())
    }
}

/// A network behind the customer's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerNetwork {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// A CIDR block.
    pub address: String,
}

/// What a kind asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Settings {
    #[serde(rename = "PORT")]
    Port(PortSettings),
    #[serde(rename = "SITE_IPSEC_VPN")]
    Vpn(Box<VpnSettings>),
    #[serde(rename = "AWS_DIRECT_CONNECT")]
    Aws(AwsSettings),
    #[serde(rename = "AZURE_EXPRESS_ROUTE")]
    Azure(AzureSettings),
    #[serde(rename = "GOOGLE_CLOUD_INTERCONNECT")]
    Google(GoogleSettings),
    #[serde(rename = "ORACLE_FAST_CONNECT")]
    Oracle(OracleSettings),
}

impl Settings {
    /// What is stored of a connection; None for what was stored before there were kinds.
    pub fn of_stored(json: &str) -> Option<Settings> {
        serde_json::from_str(json).ok()
    }

    pub fn stored(&self) -> Result<String, Problem> {
        Ok(serde_json::to_string(self)?)
    }

    pub fn kind(&self) -> Kind {
        match self {
            Settings::Port(_) => Kind::Port,
            Settings::Vpn(_) => Kind::SiteIpsecVpn,
            Settings::Aws(_) => Kind::Aws,
            Settings::Azure(_) => Kind::Azure,
            Settings::Google(_) => Kind::Google,
            Settings::Oracle(_) => Kind::Oracle,
        }
    }

    /// Reads what was answered; what is wrong is noted at its field. `double`: with a second gateway.
    pub fn read(kind: Kind, check: &mut Check<'_>, double: bool) -> Settings {
        match kind {
            Kind::Port => Settings::Port(PortSettings::read(check, double)),
            Kind::SiteIpsecVpn => Settings::Vpn(Box::new(VpnSettings::read(check, double))),
            Kind::Aws => Settings::Aws(AwsSettings::read(check)),
            Kind::Azure => Settings::Azure(AzureSettings::read(check)),
            Kind::Google => Settings::Google(GoogleSettings::read(check, double)),
            Kind::Oracle => Settings::Oracle(OracleSettings::read(check, double)),
        }
    }

    /// The same as the fields of a form hold it.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        match self {
            Settings::Port(port) => port.fields(),
            Settings::Vpn(vpn) => vpn.fields(),
            Settings::Aws(aws) => aws.fields(),
            Settings::Azure(azure) => azure.fields(),
            Settings::Google(google) => google.fields(),
            Settings::Oracle(oracle) => oracle.fields(),
        }
    }

    pub fn customer_networks(&self) -> &[CustomerNetwork] {
        match self {
            Settings::Port(port) => &port.customer_networks,
            Settings::Vpn(vpn) => &vpn.customer_networks,
            Settings::Aws(aws) => &aws.customer_networks,
            Settings::Azure(azure) => &azure.customer_networks,
            Settings::Google(google) => &google.customer_networks,
            Settings::Oracle(oracle) => &oracle.customer_networks,
        }
    }
}

/// The lines of a field that are not empty.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// What a line of a field begins with, for a message about it.
fn shown(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).take(60).collect()
}

/// At most this many routes, selectors or networks.
const MOST_LINES: usize = 100;

/// Customer networks, one to a line: a CIDR block, with or without a name before it.
fn customer_networks(check: &mut Check<'_>, needed: bool) -> Vec<CustomerNetwork> {
    let mut found: Vec<CustomerNetwork> = Vec::new();
    let text = check.block("customer_networks", "Customer networks", 0, 8_000);
    for line in lines(&text) {
        let (name, address) = line.rsplit_once(['=', ' ', '\t']).unwrap_or(("", line));
        let name = name.trim().trim_end_matches(['=', ':']).trim();
        match checks::cidr(address) {
            Ok(_) if name.chars().count() > 64 => {
                check.note(
                    "customer_networks",
                    Some(format!("A network's name has up to 64 characters; see “{}”", shown(line))),
                );
                return found;
            }
            Ok(address) if found.iter().any(|one| one.address == address) => {
                check.note("customer_networks", Some(format!("The network {address} is there twice")));
                return found;
            }
            Ok(address) => found.push(CustomerNetwork { name: name.to_owned(), address }),
            Err(why) => {
                check.note("customer_networks", Some(format!("{why}; see “{}”", shown(line))));
                return found;
            }
        }
    }
    let n = found.len();
    check.note(
        "customer_networks",
        (n > MOST_LINES).then(|| format!("Enter at most {MOST_LINES} networks; there are {n}")),
    );
    check.note(
        "customer_networks",
        (needed && n == 0).then(|| "Enter the networks that are reached through the tunnel".to_owned()),
    );
    found
}

fn networks_text(networks: &[CustomerNetwork]) -> String {
    let line = |one: &CustomerNetwork| {
        if one.name.is_empty() { one.address.clone() } else { format!("{} = {}", one.name, one.address) }
    };
    networks.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
