//! A connection through an IPsec tunnel to a router of the customer's, or two. The pre-shared keys are kept elsewhere.

use serde::{Deserialize, Serialize};

use super::{CustomerNetwork, IkeConfig, MOST_LINES, checks, customer_networks, lines, networks_text, port, shown};
use crate::web::form::Check;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VpnSettings {
    /// `PSK`, the only one there is.
    pub auth_type: String,
    /// `POLICY_BASED`, `ROUTE_BASED_STATIC` or `ROUTE_BASED_BGP`.
    pub routing_type: String,
    #[serde(rename = "customerASN", default, skip_serializing_if = "Option::is_none")]
    pub customer_asn: Option<i64>,
    #[serde(rename = "primaryCustomerRouterIP")]
    pub primary_customer_router_ip: String,
    #[serde(rename = "secondaryCustomerRouterIP", default, skip_serializing_if = "Option::is_none")]
    pub secondary_customer_router_ip: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traffic_selectors: Vec<TrafficSelector>,
    /// `V1` or `V2`.
    pub ike_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ike_v1: Option<IkeConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ike_v2: Option<IkeConfig>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub customer_networks: Vec<CustomerNetwork>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrafficSelector {
    pub customer_side: String,
    pub pureport_side: String,
}

/// Each way of routing with its words and what they mean.
pub const ROUTINGS: [(&str, &str, &str); 3] = [
    ("ROUTE_BASED_BGP", "Route-based with BGP", "Both sides tell each other their networks"),
    ("ROUTE_BASED_STATIC", "Route-based with static routes", "You list the networks of your side"),
    ("POLICY_BASED", "Policy-based", "You list pairs of networks that may talk to each other"),
];

impl VpnSettings {
    pub fn read(check: &mut Check<'_>, double: bool) -> VpnSettings {
        let primary = router(check, "router");
        let secondary = double.then(|| router(check, "second_router"));
        let same = secondary.as_ref().is_some_and(|second| !second.is_empty() && *second == primary);
        check.note("second_router", same.then(|| "The second router has an address of its own".to_owned()));
        let offered = ROUTINGS.map(|(code, _, _)| (code, code));
        let routing = check.one_of("routing", "Choose how traffic finds its way", &offered).unwrap_or("");
        let customer_asn = (routing == "ROUTE_BASED_BGP").then(|| port::asn(check));
        let traffic_selectors = if routing == "POLICY_BASED" { selectors(check) } else { Vec::new() };
        let version = check.one_of("ike", "Choose an IKE version", &[("V1", "V1"), ("V2", "V2")]);
        let config = version.map(|version| IkeConfig::read(check, version == "V2"));
        let (ike_v1, ike_v2) = if version == Some("V1") { (config, None) } else { (None, config) };
        VpnSettings {
            auth_type: "PSK".to_owned(),
            routing_type: routing.to_owned(),
            customer_asn,
            primary_customer_router_ip: primary,
            secondary_customer_router_ip: secondary,
            traffic_selectors,
            ike_version: version.unwrap_or("").to_owned(),
            ike_v1,
            ike_v2,
            customer_networks: customer_networks(check, routing == "ROUTE_BASED_STATIC"),
        }
    }

    pub fn config(&self) -> Option<&IkeConfig> {
        self.ike_v2.as_ref().or(self.ike_v1.as_ref())
    }

    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("router", self.primary_customer_router_ip.clone()),
            ("second_router", self.secondary_customer_router_ip.clone().unwrap_or_default()),
            ("routing", self.routing_type.clone()),
            ("asn", self.customer_asn.map_or_else(String::new, |asn| asn.to_string())),
            ("selectors", self.selectors_text()),
            ("ike", self.ike_version.clone()),
            ("customer_networks", networks_text(&self.customer_networks)),
        ];
        fields.extend(self.config().map(IkeConfig::fields).unwrap_or_default());
        fields
    }

    pub fn selectors_text(&self) -> String {
        let line = |one: &TrafficSelector| format!("{} = {}", one.customer_side, one.pureport_side);
        self.traffic_selectors.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

fn router(check: &mut Check<'_>, field: &str) -> String {
    let checked = checks::public_address(check.raw(field).trim());
    check.note(field, checked.as_ref().err().cloned());
    checked.unwrap_or_default()
}

/// `20.2.1.0/24 = 52.92.32.0/22`, one to a line: the customer's side first.
fn selectors(check: &mut Check<'_>) -> Vec<TrafficSelector> {
    let mut found: Vec<TrafficSelector> = Vec::new();
    let text = check.block("selectors", "Traffic selectors", 0, 8_000);
    for line in lines(&text) {
        let parts: Vec<&str> = line.split([' ', '\t', ',', '=', '>', '-']).filter(|part| !part.is_empty()).collect();
        let selector = match parts.as_slice() {
            [ours, theirs] => checks::cidr(ours)
                .and_then(|customer_side| Ok(TrafficSelector { customer_side, pureport_side: checks::cidr(theirs)? })),
            _ => Err("Write each pair as “20.2.1.0/24 = 52.92.32.0/22”".to_owned()),
        };
        match selector {
            Ok(one) if found.contains(&one) => {
                check.note("selectors", Some(format!("The pair “{}” is there twice", shown(line))));
                return found;
            }
            Ok(one) => found.push(one),
            Err(why) => {
                check.note("selectors", Some(format!("{why}; see “{}”", shown(line))));
                return found;
            }
        }
    }
    let n = found.len();
    check.note("selectors", (n == 0).then(|| "Enter at least one pair of networks".to_owned()));
    check.note("selectors", (n > MOST_LINES).then(|| format!("Enter at most {MOST_LINES} pairs; there are {n}")));
    found
}
