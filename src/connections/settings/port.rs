//! A connection over a VLAN of a physical port, or of two in the same facility.

use serde::{Deserialize, Serialize};

use super::{CustomerNetwork, MOST_LINES, checks, customer_networks, lines, networks_text, shown};
use crate::web::form::Check;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortSettings {
    /// The id of the port.
    pub primary_port: String,
    pub primary_customer_vlan: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secondary_port: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secondary_customer_vlan: Option<i64>,
    /// `STATIC` or `BGP`.
    pub routing_type: String,
    #[serde(rename = "customerASN", default, skip_serializing_if = "Option::is_none")]
    pub customer_asn: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub static_routes: Vec<StaticRoute>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub customer_networks: Vec<CustomerNetwork>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StaticRoute {
    pub network: String,
    pub next_hop: String,
}

impl PortSettings {
    pub fn read(check: &mut Check<'_>, double: bool) -> PortSettings {
        let primary_port = check.raw("port").to_owned();
        check.note("port", primary_port.is_empty().then(|| "Choose a port".to_owned()));
        let primary_customer_vlan = vlan(check, "vlan");
        let (mut secondary_port, mut secondary_customer_vlan) = (None, None);
        if double {
            let second = check.raw("second_port").to_owned();
            check.note("second_port", second.is_empty().then(|| "Choose the second port".to_owned()));
            let vlan = vlan(check, "second_vlan");
            let same = !second.is_empty() && second == primary_port;
            check.note("second_port", same.then(|| "Choose another port than the first".to_owned()));
            (secondary_port, secondary_customer_vlan) = (Some(second), Some(vlan));
        }
        let offered = [("BGP", "BGP"), ("STATIC", "STATIC")];
        let routing = check.one_of("routing", "Choose how routes are exchanged", &offered).unwrap_or("BGP");
        let chosen = !check.raw("routing").is_empty();
        let customer_asn = (chosen && routing == "BGP").then(|| asn(check));
        let static_routes = if routing == "STATIC" { routes(check) } else { Vec::new() };
        PortSettings {
            primary_port,
            primary_customer_vlan,
            secondary_port,
            secondary_customer_vlan,
            routing_type: routing.to_owned(),
            customer_asn,
            static_routes,
            customer_networks: customer_networks(check, false),
        }
    }

    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let number = |n: Option<i64>| n.map_or_else(String::new, |n| n.to_string());
        vec![
            ("port", self.primary_port.clone()),
            ("vlan", self.primary_customer_vlan.to_string()),
            ("second_port", self.secondary_port.clone().unwrap_or_default()),
            ("second_vlan", number(self.secondary_customer_vlan)),
            ("routing", self.routing_type.clone()),
            ("asn", number(self.customer_asn)),
            ("routes", self.routes_text()),
            ("customer_networks", networks_text(&self.customer_networks)),
        ]
    }

    pub fn routes_text(&self) -> String {
        let line = |route: &StaticRoute| format!("{} via {}", route.network, route.next_hop);
        self.static_routes.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// 0 for one that is wrong.
fn vlan(check: &mut Check<'_>, field: &str) -> i64 {
    let checked = checks::vlan(check.raw(field).trim());
    check.note(field, checked.as_ref().err().cloned());
    checked.unwrap_or(0)
}

/// 0 for one that is wrong.
pub fn asn(check: &mut Check<'_>) -> i64 {
    let checked = checks::asn(check.raw("asn").trim());
    check.note("asn", checked.as_ref().err().cloned());
    checked.unwrap_or(0)
}

/// `10.1.0.0/16 via 10.0.0.4`, one to a line.
fn routes(check: &mut Check<'_>) -> Vec<StaticRoute> {
    let mut found: Vec<StaticRoute> = Vec::new();
    let text = check.block("routes", "Static routes", 0, 8_000);
    for line in lines(&text) {
        let parts: Vec<&str> =
            line.split([' ', '\t', ',', '>', '-', '=']).filter(|part| !part.is_empty() && *part != "via").collect();
        let route = match parts.as_slice() {
            [network, next_hop] => checks::cidr(network)
                .and_then(|network| Ok(StaticRoute { network, next_hop: checks::address(next_hop)? })),
            _ => Err("Write each route as “10.1.0.0/16 via 10.0.0.4”".to_owned()),
        };
        match route {
            Ok(route) if found.contains(&route) => {
                check.note("routes", Some(format!("The route to {} is there twice", route.network)));
                return found;
            }
            Ok(route) => found.push(route),
            Err(why) => {
                check.note("routes", Some(format!("{why}; see “{}”", shown(line))));
                return found;
            }
        }
    }
    let n = found.len();
    check.note("routes", (n == 0).then(|| "Enter at least one route".to_owned()));
    check.note("routes", (n > MOST_LINES).then(|| format!("Enter at most {MOST_LINES} routes; there are {n}")));
    found
}
