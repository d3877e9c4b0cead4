//! Whether a VLAN, an ASN, a block of addresses, an address or a key is one, each with a sentence that says why not.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// VLANs that a customer may have.
pub const VLANS: std::ops::RangeInclusive<i64> = 1..=4094;
/// The platform's own AS.
const OWN_ASN: i64 = 394_351;

/// INVALID_VLAN otherwise.
pub fn vlan(text: &str) -> Result<i64, String> {
    match number(text) {
        _ if text.is_empty() => Err("Enter a VLAN".to_owned()),
        Some(vlan) if VLANS.contains(&vlan) => Ok(vlan),
        _ => Err("A VLAN is a whole number from 1 to 4094".to_owned()),
    }
}

/// INVALID_CUSTOMER_ASN otherwise: public and private numbers of 16 and 32 bits are taken, reserved ones are not.
pub fn asn(text: &str) -> Result<i64, String> {
    if text.is_empty() {
        return Err("Enter the ASN of your side".to_owned());
    }
    let Some(asn) = number(text).filter(|asn| (0..=i64::from(u32::MAX)).contains(asn)) else {
        return Err("An ASN is a whole number from 1 to 4294967294".to_owned());
    };
    match asn {
        0 | 23456 | 65535 | 4_294_967_295 => Err(format!("The ASN {asn} is reserved and cannot be used")),
        64496..=64511 | 65536..=65551 => Err(format!("The ASN {asn} is kept for documentation and cannot be used")),
        65552..=131_071 => Err(format!("The ASN {asn} is reserved and cannot be used")),
        OWN_ASN => Err(format!("The ASN {asn} is the platform's own; enter the one of your side")),
        _ => Ok(asn),
    }
}

/// Digits only: no sign, no blanks.
pub fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// A block of IPv4 addresses, as 10.1.0.0/16.
pub fn cidr(text: &str) -> Result<String, String> {
    let block: Ipv4Net = text.parse().map_err(|_| "Write a block of IPv4 addresses as 10.1.0.0/16".to_owned())?;
    let trunc = block.trunc();
    if trunc != block {
        return Err(format!("{block} is an address in a block; the block itself is {trunc}"));
    }
    Ok(block.to_string())
}

/// Any one IPv4 address that something can have.
pub fn address(text: &str) -> Result<String, String> {
    let address: Ipv4Addr = text.parse().map_err(|_| "Write an IPv4 address as 10.0.0.4".to_owned())?;
    if address.is_unspecified() || address.is_multicast() || address.is_broadcast() || address.is_loopback() {
        return Err(format!("{address} is no address that a router can have"));
    }
    Ok(address.to_string())
}

/// An address that is reached over the internet.
pub fn public_address(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("Enter the public address of your router".to_owned());
    }
    let address: Ipv4Addr = text.parse().map_err(|_| "Write the public IPv4 address as 203.0.113.10".to_owned())?;
    let [a, b, ..] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    if a == 0 || a >= 224 || shared || address.is_private() || address.is_loopback() || address.is_link_local() {
        return Err(format!("{address} is not reached over the internet; enter the router's public address"));
    }
    Ok(address.to_string())
}

/// A pre-shared key: 8 to 64 printable characters without blanks.
pub fn pre_shared_key(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("Enter a pre-shared key".to_owned());
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("A pre-shared key has letters, digits and signs of ASCII only, and no blanks".to_owned());
    }
    if !(8..=64).contains(&text.len()) {
        return Err(format!("A pre-shared key has 8 to 64 characters; this has {}", text.len()));
    }
    Ok(())
}

/// 8-4-4-4-12 hexadecimal digits.
pub fn guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `^.+/.+/\d+$`
pub fn pairing_key(text: &str) -> bool {
    let mut parts = text.rsplitn(2, '/');
    let (domain, rest) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    !domain.is_empty()
        && domain.bytes().all(|b| b.is_ascii_digit())
        && rest.split_once('/').is_some_and(|(key, region)| !key.is_empty() && !region.is_empty())
}
