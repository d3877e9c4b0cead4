//! Settings as a whole: the defaults, and every complaint at once.

use super::*;

fn settings() -> Settings {
    Settings {
        bind: "127.0.0.1:8080".into(),
        max_depth: "1000".into(),
        database_connections: "16".into(),
        ..Settings::default()
    }
}

#[test]
fn the_defaults_are_right() {
    let config = settings().check("subtenant.db").unwrap();
    assert_eq!(config.origin(), "http://127.0.0.1:8080");
    assert_eq!(config.database_url, DatabaseUrl::Sqlite("subtenant.db".into()));
    assert!(!config.https);
}

#[test]
fn every_wrong_setting_is_complained_about_at_once_by_name() {
    let wrong = Settings {
        bind: "here".into(),
        database_url: Some("mysql://x/y".into()),
        public_url: Some("ftp://x".into()),
        trusted_proxies: Some("10.0.0.1, nobody".into()),
        secret_key: Some("tooshort".into()),
        max_depth: "0".into(),
        database_connections: "many".into(),
        mail: MailSettings {
            smtp_url: Some("smtp://me:hunter2@mail.example.com".into()),
            mail_from: Some("nobody".into()),
            mail_dir: Some("Cargo.toml".into()),
        },
        payments: PaymentSettings { billing_grace_days: Some("many".into()), ..PaymentSettings::default() },
        provisioning: ProvisioningSettings {
            provisioning_url: Some("nowhere".into()),
            ..ProvisioningSettings::default()
        },
        operation: OperationSettings {
            database_replica_url: Some("postgres://me:hunter2@replica/x".into()),
            log_format: Some("xml".into()),
        },
    };
    let complaints = wrong.check("subtenant.db").unwrap_err().join("\n");
    for name in ["BIND", "DATABASE_URL", "PUBLIC_URL", "TRUSTED_PROXIES", "SECRET_KEY", "MAX_DEPTH"]
        .into_iter()
        .chain(["DATABASE_CONNECTIONS", "SMTP_URL", "MAIL_FROM", "MAIL_DIR", "BILLING_GRACE_DAYS", "PROVISIONING_URL"])
        .chain(["LOG_FORMAT"])
    {
        assert!(complaints.contains(name), "{name} is missing in {complaints}");
    }
    assert!(!complaints.contains("hunter2") && !complaints.contains("tooshort"), "{complaints}");
}

#[test]
fn addresses_and_networks_may_be_trusted() {
    let both = Settings { trusted_proxies: Some("10.0.0.1, 192.168.0.0/16".into()), ..settings() };
    assert_eq!(both.check("x.db").unwrap().trusted_proxies.len(), 2);
}

#[test]
fn only_a_database_server_has_a_replica() {
    let with = |database: &str, replica: &str| {
        let operation = OperationSettings { database_replica_url: Some(replica.into()), ..Default::default() };
        Settings { database_url: Some(database.into()), operation, ..settings() }.check("x.db")
    };
    let server = "postgres://console@db/console";
    assert!(with(server, server).unwrap().operation.replica.is_some());
    assert!(with(server, "").unwrap().operation.replica.is_none());
    for (database, replica) in [("x.db", server), (server, "x.db"), (server, "mysql://x")] {
        let wrong = with(database, replica).unwrap_err().join("\n");
        assert!(wrong.contains("DATABASE_REPLICA_URL"), "{wrong}");
    }
}
