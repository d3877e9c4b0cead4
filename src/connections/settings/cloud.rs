//! Connections to the clouds: what each provider asks for before it lets a circuit in.

use serde::{Deserialize, Serialize};

use super::{CustomerNetwork, checks, customer_networks, networks_text};
use crate::web::form::Check;

/// How the other side is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peering {
    /// `PUBLIC`, `PRIVATE` or `TRANSIT`.
    #[serde(rename = "type")]
    pub kind: String,
}

impl Peering {
    /// The word for it.
    pub fn words(code: &str) -> &str {
        match code {
            "PUBLIC" => "Public",
            "TRANSIT" => "Transit",
            _ => "Private",
        }
    }

    /// Which one is decided by the line of the catalogue.
    fn read(check: &Check<'_>) -> Peering {
        let sent = check.raw("peering");
        Peering { kind: if sent.is_empty() { "PRIVATE" } else { sent }.to_owned() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AwsSettings {
    pub aws_account_id: String,
    /// The id of the region in the catalogue.
    pub cloud_region: String,
    pub peering: Peering,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub customer_networks: Vec<CustomerNetwork>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AzureSettings {
    pub service_key: String,
    pub peering: Peering,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub customer_networks: Vec<CustomerNetwork>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GoogleSettings {
    pub primary_pairing_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secondary_pairing_key: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub customer_networks: Vec<CustomerNetwork>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OracleSettings {
    pub primary_ocid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secondary_ocid: Option<String>,
    /// The id of the region in the catalogue.
    pub cloud_region: String,
    pub peering: Peering,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub customer_networks: Vec<CustomerNetwork>,
}

impl AwsSettings {
    pub fn read(check: &mut Check<'_>) -> AwsSettings {
        let aws_account_id = check.raw("aws_account").replace([' ', '-'], "");
        let fine = aws_account_id.len() == 12 && aws_account_id.bytes().all(|b| b.is_ascii_digit());
        check.note("aws_account", (!fine).then(|| "An AWS account id has 12 digits".to_owned()));
        AwsSettings {
            aws_account_id,
            cloud_region: region(check),
            peering: Peering::read(check),
            customer_networks: customer_networks(check, false),
        }
    }

    pub fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("aws_account", self.aws_account_id.clone()),
            ("region", self.cloud_region.clone()),
            ("peering", self.peering.kind.clone()),
            ("customer_networks", networks_text(&self.customer_networks)),
        ]
    }
}

impl AzureSettings {
    pub fn read(check: &mut Check<'_>) -> AzureSettings {
        let service_key = check.raw("service_key").trim().to_ascii_lowercase();
        let why = "A service key looks like e28cea0c-de25-4dce-b7d7-d4776d523d4b";
        check.note("service_key", (!checks::guid(&service_key)).then(|| why.to_owned()));
        AzureSettings { service_key, peering: Peering::read(check), customer_networks: customer_networks(check, false) }
    }

    pub fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("service_key", self.service_key.clone()),
            ("peering", self.peering.kind.clone()),
            ("customer_networks", networks_text(&self.customer_networks)),
        ]
    }
}

impl GoogleSettings {
    pub fn read(check: &mut Check<'_>, double: bool) -> GoogleSettings {
        let primary_pairing_key = pairing_key(check, "pairing_key");
        let secondary_pairing_key = double.then(|| pairing_key(check, "second_pairing_key"));
        let same = secondary_pairing_key.as_ref().is_some_and(|key| !key.is_empty() && *key == primary_pairing_key);
        check.note("second_pairing_key", same.then(|| "Each attachment has a pairing key of its own".to_owned()));
        GoogleSettings {
            primary_pairing_key,
            secondary_pairing_key,
            customer_networks: customer_networks(check, false),
        }
    }

    pub fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("pairing_key", self.primary_pairing_key.clone()),
            ("second_pairing_key", self.secondary_pairing_key.clone().unwrap_or_default()),
            ("customer_networks", networks_text(&self.customer_networks)),
        ]
    }
}

impl OracleSettings {
    pub fn read(check: &mut Check<'_>, double: bool) -> OracleSettings {
        let primary_ocid = ocid(check, "ocid");
        let secondary_ocid = double.then(|| ocid(check, "second_ocid"));
        let same = secondary_ocid.as_ref().is_some_and(|id| !id.is_empty() && *id == primary_ocid);
        check.note("second_ocid", same.then(|| "Each virtual circuit has an OCID of its own".to_owned()));
        OracleSettings {
            primary_ocid,
            secondary_ocid,
            cloud_region: region(check),
            peering: Peering::read(check),
            customer_networks: customer_networks(check, false),
        }
    }

    pub fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("ocid", self.primary_ocid.clone()),
            ("second_ocid", self.secondary_ocid.clone().unwrap_or_default()),
            ("region", self.cloud_region.clone()),
            ("peering", self.peering.kind.clone()),
            ("customer_networks", networks_text(&self.customer_networks)),
        ]
    }
}

fn region(check: &mut Check<'_>) -> String {
    let region = check.raw("region").to_owned();
    check.note("region", region.is_empty().then(|| "Choose a cloud region".to_owned()));
    region
}

fn pairing_key(check: &mut Check<'_>, field: &str) -> String {
    let key = check.line(field, "Pairing key", 1, 64);
    let wrong = !key.is_empty() && !checks::pairing_key(&key);
    let why = "A pairing key looks like 7e51371e-72a3-40b5-b844-2e3efefaee59/us-east4/2";
    check.note(field, wrong.then(|| why.to_owned()));
    key
}

fn ocid(check: &mut Check<'_>, field: &str) -> String {
    let id = check.line(field, "OCID", 1, 256);
    let right = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let fine = id.starts_with("ocid1.") && id.len() > 10 && id.chars().all(right);
    check.note(
        field,
        (!id.is_empty() && !fine).then(|| "An OCID begins with “ocid1.”, as Oracle Cloud shows it".to_owned()),
    );
    id
}
