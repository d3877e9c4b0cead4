//! What was settled about a connection, as a list that people read.

use super::{CustomerNetwork, IkeConfig, Peering, Settings, ike, vpn};

/// A label and its value, with the field of the form that it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub label: &'static str,
    pub value: String,
    pub field: &'static str,
}

fn fact(label: &'static str, value: impl Into<String>, field: &'static str) -> Fact {
    Fact { label, value: value.into(), field }
}

impl Settings {
    /// `name` puts a name to the id of a port or of a cloud region.
    pub fn facts(&self, name: impl Fn(&str) -> String) -> Vec<Fact> {
        let mut facts = Vec::new();
        match self {
            Settings::Port(port) => {
                facts.push(fact("Port", name(&port.primary_port), "port"));
                facts.push(fact("VLAN", port.primary_customer_vlan.to_string(), "vlan"));
                if let (Some(second), Some(vlan)) = (&port.secondary_port, port.secondary_customer_vlan) {
                    facts.push(fact("Second port", name(second), "second_port"));
                    facts.push(fact("Second VLAN", vlan.to_string(), "second_vlan"));
                }
                let routing = if port.routing_type == "STATIC" { "Static routes" } else { "BGP" };
                facts.push(fact("Routing", routing, "routing"));
                facts.extend(port.customer_asn.map(|asn| fact("ASN of your side", asn.to_string(), "asn")));
                if !port.static_routes.is_empty() {
                    facts.push(fact("Static routes", port.routes_text(), "routes"));
                }
            }
            Settings::Vpn(vpn) => {
                facts.push(fact("Your router", vpn.primary_customer_router_ip.clone(), "router"));
                let second = vpn.secondary_customer_router_ip.clone();
                facts.extend(second.map(|address| fact("Your second router", address, "second_router")));
                let routing = vpn::ROUTINGS.iter().find(|(code, _, _)| *code == vpn.routing_type);
                facts.push(fact("Routing", routing.map_or("", |(_, words, _)| words), "routing"));
                facts.extend(vpn.customer_asn.map(|asn| fact("ASN of your side", asn.to_string(), "asn")));
                if !vpn.traffic_selectors.is_empty() {
                    facts.push(fact("Traffic selectors", vpn.selectors_text(), "selectors"));
                }
                facts.push(fact("IKE version", vpn.ike_version.clone(), "ike"));
                facts.extend(vpn.config().map(of_ike).unwrap_or_default());
            }
            Settings::Aws(aws) => {
                facts.push(fact("AWS account", aws.aws_account_id.clone(), "aws_account"));
                facts.push(fact("Cloud region", name(&aws.cloud_region), "region"));
                facts.push(fact("Peering", Peering::words(&aws.peering.kind), "peering"));
            }
            Settings::Azure(azure) => {
                facts.push(fact("Service key", azure.service_key.clone(), "service_key"));
                facts.push(fact("Peering", Peering::words(&azure.peering.kind), "peering"));
            }
            Settings::Google(google) => {
                facts.push(fact("Pairing key", google.primary_pairing_key.clone(), "pairing_key"));
                let second = google.secondary_pairing_key.clone();
                facts.extend(second.map(|key| fact("Second pairing key", key, "second_pairing_key")));
            }
            Settings::Oracle(oracle) => {
                facts.push(fact("OCID", oracle.primary_ocid.clone(), "ocid"));
                facts.extend(oracle.secondary_ocid.clone().map(|id| fact("Second OCID", id, "second_ocid")));
                facts.push(fact("Cloud region", name(&oracle.cloud_region), "region"));
                facts.push(fact("Peering", Peering::words(&oracle.peering.kind), "peering"));
            }
        }
        let networks = self.customer_networks();
        if !networks.is_empty() {
            facts.push(fact("Customer networks", networks_words(networks), "customer_networks"));
        }
        facts
    }
}

fn networks_words(networks: &[CustomerNetwork]) -> String {
    let words = |one: &CustomerNetwork| {
        if one.name.is_empty() { one.address.clone() } else { format!("{} ({})", one.address, one.name) }
    };
    networks.iter().map(words).collect::<Vec<_>>().join("\n")
}

fn of_ike(config: &IkeConfig) -> Vec<Fact> {
    let or_none = |value: &Option<String>| ike::words(value.as_deref().unwrap_or(""));
    // As it is entered in a device.
    let seconds = |n: i64| format!("{n} {}", if n == 1 { "second" } else { "seconds" });
    let mut facts = vec![
        fact("IKE encryption", ike::words(&config.ike.encryption), "ike_encryption"),
        fact("IKE integrity", or_none(&config.ike.integrity), "ike_integrity"),
    ];
    facts.extend(config.ike.prf.as_ref().map(|prf| fact("IKE pseudo-random function", ike::words(prf), "ike_prf")));
    facts.extend([
        fact("IKE Diffie-Hellman group", ike::words(&config.ike.dh_group), "ike_group"),
        fact("IKE lifetime", seconds(config.ike.lifetime), "ike_lifetime"),
        fact("Dead peer detection, delay", seconds(config.ike.dpd_delay), "dpd_delay"),
        fact("Dead peer detection, timeout", seconds(config.ike.dpd_timeout), "dpd_timeout"),
        fact("ESP encryption", ike::words(&config.esp.encryption), "esp_encryption"),
        fact("ESP integrity", or_none(&config.esp.integrity), "esp_integrity"),
        fact("ESP Diffie-Hellman group", ike::words(&config.esp.dh_group), "esp_group"),
        fact("ESP lifetime", seconds(config.esp.lifetime), "esp_lifetime"),
    ]);
    facts
}
