//! The checks of every kind of connection, and that what is stored is read back.

use proptest::prelude::*;

use super::checks::{address, asn, cidr, guid, pairing_key, pre_shared_key, public_address, vlan};
use super::{Kind, Settings};
use crate::web::Form;

fn form(pairs: &[(&str, &str)]) -> Form {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    Form::restored(&body.extend_pairs(pairs).finish())
}

/// What is wrong, by field.
fn wrong(kind: Kind, double: bool, pairs: &[(&str, &str)]) -> Vec<String> {
    let form = form(pairs);
    let mut check = form.check();
    Settings::read(kind, &mut check, double);
    check.errors.0.into_iter().map(|(field, _)| field).collect()
}

fn read(kind: Kind, double: bool, pairs: &[(&str, &str)]) -> Settings {
    let form = form(pairs);
    let mut check = form.check();
    let settings = Settings::read(kind, &mut check, double);
    assert_eq!(check.errors.0, [], "{pairs:?}");
    settings
}

const PORT: [(&str, &str); 4] = [("port", "port-x"), ("vlan", "100"), ("routing", "BGP"), ("asn", "65000")];
const VPN: [(&str, &str); 15] = [
    ("router", "203.0.113.10"),
    ("routing", "POLICY_BASED"),
    ("selectors", "20.2.1.0/24 = 52.92.32.0/22"),
    ("ike", "V2"),
    ("ike_encryption", "AES_256"),
    ("ike_integrity", "SHA256_HMAC"),
    ("ike_prf", "SHA_256"),
    ("ike_group", "ECP_256"),
    ("ike_lifetime", "10800"),
    ("dpd_delay", "30"),
    ("dpd_timeout", "150"),
    ("esp_encryption", "AES_256_GCM_128"),
    ("esp_integrity", ""),
    ("esp_group", "ECP_256"),
    ("esp_lifetime", "3600"),
];

/// The answers with one in place of another.
fn but<'a>(pairs: &[(&'a str, &'a str)], field: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let others = pairs.iter().copied().filter(|(name, _)| *name != field);
    others.chain([(field, value)]).collect()
}

#[test]
fn settings_are_stored_with_the_names_of_the_published_interface() {
    let port = read(Kind::Port, false, &PORT).stored().unwrap();
    let expected =
        r#"{"type":"PORT","primaryPort":"port-x","primaryCustomerVlan":100,"routingType":"BGP","customerASN":65000}"#;
    assert_eq!(port, expected);
    let vpn = read(Kind::SiteIpsecVpn, false, &VPN);
    let stored = vpn.stored().unwrap();
    for name in
        ["\"authType\":\"PSK\"", "primaryCustomerRouterIP", "trafficSelectors", "pureportSide", "ikeV2", "dhGroup"]
    {
        assert!(stored.contains(name), "{name} is not in {stored}");
    }
    assert_eq!(Settings::of_stored(&stored), Some(vpn.clone()));
    // What is stored fills the form that it came from.
    let fields = vpn.fields();
    let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(read(Kind::SiteIpsecVpn, false, &pairs), vpn);
}

#[test]
fn each_field_of_a_port_says_what_is_wrong_with_it() {
    for (field, value) in [
        ("port", ""),
        ("vlan", "0"),
        ("vlan", "4095"),
        ("vlan", "1.5"),
        ("routing", "OSPF"),
        ("asn", "0"),
        ("asn", "23456"),
        ("asn", "64500"),
        ("customer_networks", "10.0.0.1/8"),
    ] {
        assert_eq!(wrong(Kind::Port, false, &but(&PORT, field, value)), [field], "{field} {value}");
    }
    let still = but(&PORT, "routing", "STATIC");
    for (routes, fine) in [
        ("", false),
        ("10.1.0.0/16", false),
        ("10.1.0.0/16 via 10.0.0.4\n10.1.0.0/16 via 10.0.0.4", false),
        ("10.1.0.0/16 via 0.0.0.0", false),
        ("10.1.0.0/16 via 10.0.0.4", true),
        ("0.0.0.0/0 -> 10.0.0.4\n10.2.0.0/16, 10.0.0.5", true),
    ] {
        assert_eq!(wrong(Kind::Port, false, &but(&still, "routes", routes)).is_empty(), fine, "{routes}");
    }
    let double = [&PORT[..], &[("second_port", "port-x"), ("second_vlan", "100")]].concat();
    assert_eq!(wrong(Kind::Port, true, &double), ["second_port"], "another port");
}

#[test]
fn each_field_of_a_tunnel_says_what_is_wrong_with_it() {
    for (field, value) in [
        ("router", "10.0.0.1"),
        ("router", "localhost"),
        ("routing", "MAGIC"),
        ("selectors", ""),
        ("selectors", "20.2.1.0/24"),
        ("ike", "V3"),
        ("ike_encryption", "DES"),
        ("ike_integrity", ""),
        ("ike_prf", "SHA_3"),
        ("ike_group", "MODP_768"),
        ("ike_lifetime", "3599"),
        ("dpd_delay", "901"),
        ("dpd_timeout", "29"),
        ("esp_encryption", ""),
        ("esp_lifetime", "28801"),
    ] {
        let found = wrong(Kind::SiteIpsecVpn, false, &but(&VPN, field, value));
        assert!(found.contains(&field.to_owned()), "{field} {value}: {found:?}");
    }
    assert_eq!(wrong(Kind::SiteIpsecVpn, false, &but(&VPN, "esp_encryption", "AES_256")), ["esp_integrity"]);
    assert_eq!(wrong(Kind::SiteIpsecVpn, false, &but(&VPN, "routing", "ROUTE_BASED_BGP")), ["asn"]);
    assert_eq!(wrong(Kind::SiteIpsecVpn, false, &but(&VPN, "routing", "ROUTE_BASED_STATIC")), ["customer_networks"]);
    assert_eq!(wrong(Kind::SiteIpsecVpn, false, &but(&VPN, "ike", "V1")), Vec::<String>::new());
    let many: String = (0..101).map(|n| format!("10.0.{n}.0/24 = 10.1.{n}.0/24\n")).collect();
    assert_eq!(wrong(Kind::SiteIpsecVpn, false, &but(&VPN, "selectors", &many)), ["selectors"]);
}

#[test]
fn each_cloud_asks_for_what_lets_a_circuit_in() {
    let key = "7e51371e-72a3-40b5-b844-2e3efefaee59/us-east4/2";
    let of = |kind, pairs: &[(&str, &str)]| wrong(kind, false, pairs).is_empty();
    assert!(of(Kind::Aws, &[("aws_account", "2484-2223-4000"), ("region", "aws-us-east-1")]));
    assert!(!of(Kind::Aws, &[("aws_account", "24842223400"), ("region", "aws-us-east-1")]));
    assert!(of(Kind::Azure, &[("service_key", "E28CEA0C-de25-4dce-b7d7-d4776d523d4b")]));
    assert!(!of(Kind::Azure, &[("service_key", "e28cea0c-de25-4dce-b7d7")]));
    assert!(of(Kind::Google, &[("pairing_key", key)]));
    assert!(!of(Kind::Google, &[("pairing_key", "us-east4/2")]));
    assert!(of(Kind::Oracle, &[("ocid", "ocid1.virtualcircuit.oc1.iad.aaaa"), ("region", "oracle-us-ashburn-1")]));
    assert!(!of(Kind::Oracle, &[("ocid", "ocid2.virtualcircuit"), ("region", "oracle-us-ashburn-1")]));
    assert_eq!(wrong(Kind::Google, true, &[("pairing_key", key), ("second_pairing_key", key)]), ["second_pairing_key"]);
}

proptest! {
    #[test]
    fn a_vlan_is_a_number_from_1_to_4094(n in -10_i64..5_000) {
        prop_assert_eq!(vlan(&n.to_string()).is_ok(), (1..=4094).contains(&n));
    }

    #[test]
    fn an_asn_is_one_that_can_be_used(n in any::<u32>()) {
        let reserved = matches!(n, 0 | 23456 | 64496..=64511 | 65535..=131_071 | 394_351 | u32::MAX);
        prop_assert_eq!(asn(&n.to_string()).is_ok(), !reserved);
    }

    #[test]
    fn low_asns_too(n in 0_u32..140_000) {
        let reserved = matches!(n, 0 | 23456 | 64496..=64511 | 65535..=131_071);
        prop_assert_eq!(asn(&n.to_string()).is_ok(), !reserved);
    }

    #[test]
    fn a_block_begins_where_its_length_says(bits in any::<u32>(), length in 0_u8..=32) {
        let mask = if length == 0 { 0 } else { u32::MAX << (32 - length) };
        let text = |bits: u32| format!("{}/{length}", std::net::Ipv4Addr::from(bits));
        prop_assert_eq!(cidr(&text(bits & mask)), Ok(text(bits & mask)));
        prop_assert_eq!(cidr(&text(bits)).is_ok(), bits & mask == bits);
    }

    #[test]
    fn a_key_has_8_to_64_printable_characters(key in "[ -~]{0,70}") {
        let fine = (8..=64).contains(&key.len()) && !key.contains(' ');
        prop_assert_eq!(pre_shared_key(&key).is_ok(), fine);
    }

    #[test]
    fn nothing_typed_makes_a_check_fall_over(text in "\\PC{0,40}") {
        let _ = (vlan(&text), asn(&text), cidr(&text), address(&text), public_address(&text), pre_shared_key(&text));
        let _ = (guid(&text), pairing_key(&text));
    }
}
