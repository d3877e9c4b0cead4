//! The parameters of IKE and ESP, as the published interface enumerates them for each version, with defaults that are
//! fine today and a word beside those that are not.

use serde::{Deserialize, Serialize};

use super::checks;
use crate::web::form::Check;

/// One phase each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IkeConfig {
    pub ike: Ike,
    pub esp: Esp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ike {
    pub encryption: String,
    /// None where the encryption proves what it carries itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
    /// V2 only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prf: Option<String>,
    pub dh_group: String,
    /// Seconds, as all below.
    pub lifetime: i64,
    pub dpd_delay: i64,
    pub dpd_timeout: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Esp {
    pub encryption: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
    pub dh_group: String,
    pub lifetime: i64,
}

const GROUPS: [&str; 12] = [
    "MODP_1024",
    "MODP_1536",
    "MODP_2048",
    "MODP_3072",
    "MODP_4096",
    "MODP_6144",
    "MODP_8192",
    "ECP_192",
    "ECP_224",
    "ECP_256",
    "ECP_384",
    "ECP_521",
];
const IKE_V1: [&str; 3] = ["AES_128", "AES_192", "AES_256"];
/// Every encryption of ESP; IKEv2 has all but the last three.
const ENCRYPTIONS: [&str; 19] = [
    "NULL",
    "AES_128",
    "AES_192",
    "AES_256",
    "AES_128_CTR",
    "AES_192_CTR",
    "AES_256_CTR",
    "AES_128_GCM_64",
    "AES_192_GCM_64",
    "AES_256_GCM_64",
    "AES_128_GCM_96",
    "AES_192_GCM_96",
    "AES_256_GCM_96",
    "AES_128_GCM_128",
    "AES_192_GCM_128",
    "AES_256_GCM_128",
    "AES_128_GMAC",
    "AES_192_GMAC",
    "AES_256_GMAC",
];
/// IKEv1 has all but the last.
const INTEGRITIES: [&str; 6] = ["MD5_HMAC", "SHA1_HMAC", "SHA256_HMAC", "SHA384_HMAC", "SHA512_HMAC", "AES_XCBC"];
const PRFS: [&str; 6] = ["MD5", "SHA_1", "AES_XCBC", "SHA_256", "SHA_384", "SHA_512"];

/// What each menu begins with.
pub const DEFAULTS: [(&str, &str); 12] = [
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
    ("ike", "V2"),
];

/// What the field begins with; empty for none.
pub fn default_of(field: &str) -> &'static str {
    DEFAULTS.iter().find(|(name, _)| *name == field).map_or("", |(_, value)| value)
}

/// The values of a menu for the version.
pub fn offered(field: &str, v2: bool) -> &'static [&'static str] {
    match (field, v2) {
        ("ike_encryption", false) => &IKE_V1,
        ("ike_encryption", true) => &ENCRYPTIONS[..16],
        ("esp_encryption", _) => &ENCRYPTIONS,
        ("ike_integrity", false) => &INTEGRITIES[..5],
        ("ike_integrity" | "esp_integrity", _) => &INTEGRITIES,
        ("ike_prf", true) => &PRFS,
        ("ike_group" | "esp_group", _) => &GROUPS,
        _ => &[],
    }
}

/// Whether it should not be chosen any more.
pub fn is_weak(value: &str) -> bool {
    ["NULL", "MD5_HMAC", "SHA1_HMAC", "MD5", "SHA_1", "MODP_1024", "MODP_1536", "ECP_192", "ECP_224"].contains(&value)
        || value.ends_with("_GMAC")
        || value.ends_with("_GCM_64")
}

/// As people read it, with a mark at the weak ones.
pub fn words(value: &str) -> String {
    let plain = match value {
        "" => return "None: the encryption proves it itself".to_owned(),
        "NULL" => "None".to_owned(),
        _ if value.ends_with("_HMAC") => value.trim_end_matches("_HMAC").replace("SHA", "SHA-"),
        _ if value.starts_with("MODP") => value.replace("MODP_", "MODP "),
        _ if value.starts_with("ECP") => value.replace("ECP_", "ECP "),
        _ => value.replacen("AES_", "AES-", 1).replace("SHA_", "SHA-").replace('_', " "),
    };
    match value {
        _ if !is_weak(value) => plain,
        "NULL" => format!("{plain} (weak: nothing is encrypted)"),
        _ if value.ends_with("_GMAC") => format!("{plain} (weak: nothing is encrypted)"),
        _ => format!("{plain} (weak)"),
    }
}

/// GCM and GMAC prove what they carry themselves.
pub fn proves_itself(encryption: &str) -> bool {
    encryption.contains("_GCM_") || encryption.ends_with("_GMAC")
}

impl IkeConfig {
    pub fn read(check: &mut Check<'_>, v2: bool) -> IkeConfig {
        let ike_encryption = chosen(check, "ike_encryption", v2);
        let ike = Ike {
            integrity: integrity(check, "ike_integrity", &ike_encryption, v2),
            encryption: ike_encryption,
            prf: v2.then(|| chosen(check, "ike_prf", v2)),
            dh_group: chosen(check, "ike_group", v2),
            lifetime: seconds(check, "ike_lifetime", 3_600, 86_400),
            dpd_delay: seconds(check, "dpd_delay", 1, 900),
            dpd_timeout: seconds(check, "dpd_timeout", 1, 1_000),
        };
        let short = ike.dpd_timeout > 0 && ike.dpd_delay > 0 && ike.dpd_timeout < ike.dpd_delay;
        check.note("dpd_timeout", short.then(|| "The timeout must not be shorter than the delay".to_owned()));
        let esp_encryption = chosen(check, "esp_encryption", v2);
        let esp = Esp {
            integrity: integrity(check, "esp_integrity", &esp_encryption, v2),
            encryption: esp_encryption,
            dh_group: chosen(check, "esp_group", v2),
            lifetime: seconds(check, "esp_lifetime", 900, 28_800),
        };
        IkeConfig { ike, esp }
    }

    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let or_empty = |value: &Option<String>| value.clone().unwrap_or_default();
        vec![
            ("ike_encryption", self.ike.encryption.clone()),
            ("ike_integrity", or_empty(&self.ike.integrity)),
            ("ike_prf", or_empty(&self.ike.prf)),
            ("ike_group", self.ike.dh_group.clone()),
            ("ike_lifetime", self.ike.lifetime.to_string()),
            ("dpd_delay", self.ike.dpd_delay.to_string()),
            ("dpd_timeout", self.ike.dpd_timeout.to_string()),
            ("esp_encryption", self.esp.encryption.clone()),
            ("esp_integrity", or_empty(&self.esp.integrity)),
            ("esp_group", self.esp.dh_group.clone()),
            ("esp_lifetime", self.esp.lifetime.to_string()),
        ]
    }
}

fn chosen(check: &mut Check<'_>, field: &str, v2: bool) -> String {
    let value = check.raw(field).to_owned();
    let known = offered(field, v2).contains(&value.as_str());
    check.note(field, (!known).then(|| "Choose one of those offered".to_owned()));
    value
}

/// None with an encryption that needs none; what was chosen there does not count.
fn integrity(check: &mut Check<'_>, field: &str, encryption: &str, v2: bool) -> Option<String> {
    if proves_itself(encryption) {
        return None;
    }
    let value = check.raw(field).to_owned();
    let known = offered(field, v2).contains(&value.as_str());
    check.note(field, (!known).then(|| format!("Choose an integrity algorithm: {} needs one", words(encryption))));
    Some(value)
}

fn seconds(check: &mut Check<'_>, field: &str, least: i64, most: i64) -> i64 {
    let value = checks::number(check.raw(field).trim()).filter(|n| (least..=most).contains(n));
    check.note(field, value.is_none().then(|| format!("Enter seconds, a whole number from {least} to {most}")));
    value.unwrap_or(0)
}
