DROP TABLE suspensions;
DROP TABLE resource_limits;
DROP TABLE intents;
DROP TABLE resource_tags;
DROP TABLE port_uses;
DROP TABLE connection_history;
DROP TABLE connection_keys;
DROP TABLE connections;
DROP TABLE port_caps;
DROP TABLE ports;
DROP TABLE networks;
DROP TABLE supported_connections;
DROP TABLE supported_ports;
DROP TABLE cloud_regions;
DROP TABLE facilities;
DROP TABLE locations;
CREATE TABLE connections (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX connections_account ON connections (account_key, state);
