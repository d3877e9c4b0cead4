-- What can be ordered where. Loaded by the operator from files; a row that a later load lacks stays for what uses it and
-- is not offered any more. Coordinates are millionths of a degree; speeds are Mbit/s everywhere.
CREATE TABLE locations (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    latitude_e6 BIGINT NOT NULL CHECK (latitude_e6 BETWEEN -90000000 AND 90000000),
    longitude_e6 BIGINT NOT NULL CHECK (longitude_e6 BETWEEN -180000000 AND 180000000),
    offered BOOLEAN NOT NULL
);

CREATE TABLE facilities (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
    location_key BIGINT NOT NULL REFERENCES locations (key),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    vendor TEXT NOT NULL,
    street TEXT NOT NULL,
    city TEXT NOT NULL,
    region TEXT NOT NULL,
    postal_code TEXT NOT NULL,
    country TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ACTIVE', 'UNAVAILABLE', 'DELETED'))
);
CREATE INDEX facilities_location ON facilities (location_key, key);

CREATE TABLE cloud_regions (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
    provider TEXT NOT NULL CHECK (provider IN ('AWS', 'AZURE', 'GOOGLE_CLOUD', 'ORACLE', 'PACKET_FABRIC')),
    name TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    offered BOOLEAN NOT NULL
);

-- Lists are words with blanks between them. A term without a price code is not offered.
CREATE TABLE supported_ports (
    key BIGINT NOT NULL PRIMARY KEY,
    facility_key BIGINT NOT NULL REFERENCES facilities (key),
    provider TEXT NOT NULL CHECK (provider IN ('PUREPORT', 'PACKET_FABRIC')),
    speed BIGINT NOT NULL CHECK (speed IN (1000, 10000, 40000)),
    domains TEXT NOT NULL,
    media_types TEXT NOT NULL,
    price_monthly TEXT NOT NULL,
    price_one_year TEXT NOT NULL,
    price_two_year TEXT NOT NULL,
    offered BOOLEAN NOT NULL,
    UNIQUE (facility_key, provider, speed)
);

CREATE TABLE supported_connections (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
    kind TEXT NOT NULL,
    location_key BIGINT NOT NULL REFERENCES locations (key),
    speed BIGINT NOT NULL CHECK (speed > 0),
    high_availability BOOLEAN NOT NULL,
    peering TEXT NOT NULL CHECK (peering IN ('PUBLIC', 'PRIVATE', 'TRANSIT')),
    cloud_regions TEXT NOT NULL,
    requires_approval BOOLEAN NOT NULL,
    pending BOOLEAN NOT NULL,
    price_monthly TEXT NOT NULL,
    price_one_year TEXT NOT NULL,
    price_two_year TEXT NOT NULL,
    offered BOOLEAN NOT NULL
);
CREATE INDEX supported_connections_place ON supported_connections (location_key, kind, speed);

-- Networks: names are unique in their account among those that are not deleted.
CREATE TABLE networks (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    name_key TEXT NOT NULL,
    description TEXT NOT NULL CHECK (length(description) <= 1024),
    state TEXT NOT NULL CHECK (state IN ('PENDING', 'PROVISIONING', 'PENDING_CONTROLLERS', 'DELETING_CONTROLLERS',
        'PROVISIONING_CONTROLLERS', 'ACTIVE', 'DELETING', 'DELETED', 'ERROR')),
    created_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    version BIGINT NOT NULL DEFAULT 1,
    UNIQUE (key, account_key),
    CHECK ((state = 'DELETED') = (deleted_at IS NOT NULL))
);
CREATE UNIQUE INDEX networks_name ON networks (account_key, name_key) WHERE state <> 'DELETED';
CREATE INDEX networks_account ON networks (account_key, state, name_key, key);

-- Ports. `used_speed` is the sum of the speeds of what uses it: the last rule against selling it twice.
-- `no_new_use_from`: still offered to what uses it, to nothing that begins after that.
CREATE TABLE ports (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    name_key TEXT NOT NULL,
    description TEXT NOT NULL CHECK (length(description) <= 1024),
    loa_customer_name TEXT NOT NULL CHECK (length(loa_customer_name) <= 128),
    facility_key BIGINT NOT NULL REFERENCES facilities (key),
    provider TEXT NOT NULL CHECK (provider IN ('PUREPORT', 'PACKET_FABRIC')),
    availability_domain TEXT NOT NULL CHECK (availability_domain IN ('PRIMARY', 'SECONDARY')),
    speed BIGINT NOT NULL CHECK (speed IN (1000, 10000, 40000)),
    used_speed BIGINT NOT NULL DEFAULT 0,
    media_type TEXT NOT NULL,
    term TEXT NOT NULL CHECK (term IN ('HOURLY', 'MONTHLY', 'ONE_YEAR', 'TWO_YEAR')),
    price_code TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('REQUESTED', 'ACTIVE', 'DELETED')),
    available_to_child_accounts BOOLEAN NOT NULL,
    no_new_use_from TIMESTAMP,
    device_id TEXT NOT NULL DEFAULT '',
    interface_id TEXT NOT NULL DEFAULT '',
    patch_panel_id TEXT NOT NULL DEFAULT '',
    waits_for TEXT NOT NULL DEFAULT '',
    look_at TIMESTAMP NOT NULL DEFAULT '9999-12-31 00:00:00',
    error_code TEXT NOT NULL DEFAULT '',
    error_message TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMP NOT NULL,
    active_at TIMESTAMP,
    deleted_at TIMESTAMP,
    version BIGINT NOT NULL DEFAULT 1,
    UNIQUE (key, account_key),
    CHECK (used_speed BETWEEN 0 AND speed),
    CHECK ((state = 'DELETED') = (deleted_at IS NOT NULL))
);
CREATE INDEX ports_account ON ports (account_key, state, name_key, key);
CREATE INDEX ports_due ON ports (look_at, key) WHERE look_at < '9999-01-01';

-- What a branch below may do with an offered port: no row, no limit but the port's own.
CREATE TABLE port_caps (
    port_key BIGINT NOT NULL,
    port_account_key BIGINT NOT NULL,
    account_key BIGINT NOT NULL,
    most_speed BIGINT CHECK (most_speed > 0),
    most_connections BIGINT CHECK (most_connections >= 0),
    first_vlan BIGINT CHECK (first_vlan BETWEEN 1 AND 4094),
    last_vlan BIGINT CHECK (last_vlan BETWEEN 1 AND 4094),
    may_share BOOLEAN NOT NULL,
    PRIMARY KEY (port_key, account_key),
    CHECK (account_key <> port_account_key),
    CHECK ((first_vlan IS NULL) = (last_vlan IS NULL)),
    CHECK (first_vlan <= last_vlan),
    FOREIGN KEY (port_key, port_account_key) REFERENCES ports (key, account_key),
    FOREIGN KEY (account_key, port_account_key) REFERENCES account_ancestry (descendant_key, ancestor_key)
        DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX port_caps_account ON port_caps (account_key);

-- Connections. Only the demonstration could have rows in the table before. `settings` is what its kind asks for, as JSON
-- without any secret. `waits_for`: codes of what holds the order up; `look_at`: when the background work looks next.
-- `attributes`: what the fabric told about it, as JSON; `link_down`, `link_at`: what it said last of the link, and as of when.
DROP TABLE connections;
CREATE TABLE connections (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    network_key BIGINT,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    name_key TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '' CHECK (length(description) <= 1024),
    kind TEXT NOT NULL DEFAULT 'PORT',
    location_key BIGINT REFERENCES locations (key),
    supported_key BIGINT REFERENCES supported_connections (key),
    speed BIGINT NOT NULL DEFAULT 50 CHECK (speed > 0),
    high_availability BOOLEAN NOT NULL DEFAULT FALSE,
    term TEXT NOT NULL DEFAULT 'MONTHLY' CHECK (term IN ('HOURLY', 'MONTHLY', 'ONE_YEAR', 'TWO_YEAR')),
    price_code TEXT NOT NULL DEFAULT '',
    settings TEXT NOT NULL DEFAULT '{}',
    state TEXT NOT NULL CHECK (state IN ('INITIALIZING', 'WAITING_TO_PROVISION', 'PENDING_APPROVAL', 'APPROVED',
        'PROVISIONING', 'FAILED_TO_PROVISION', 'ACTIVE', 'DOWN', 'UPDATING', 'FAILED_TO_UPDATE', 'DELETING',
        'FAILED_TO_DELETE', 'DELETED')),
    state_since TIMESTAMP NOT NULL DEFAULT '2026-01-01 00:00:00',
    error_code TEXT NOT NULL DEFAULT '',
    error_message TEXT NOT NULL DEFAULT '',
    waits_for TEXT NOT NULL DEFAULT '',
    look_at TIMESTAMP NOT NULL DEFAULT '9999-12-31 00:00:00',
    ordered_by BIGINT REFERENCES users (key),
    attributes TEXT NOT NULL DEFAULT '{}',
    link_down BOOLEAN NOT NULL DEFAULT FALSE,
    link_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    active_at TIMESTAMP,
    deleted_at TIMESTAMP,
    version BIGINT NOT NULL DEFAULT 1,
    UNIQUE (key, account_key),
    FOREIGN KEY (network_key, account_key) REFERENCES networks (key, account_key)
);
CREATE INDEX connections_account ON connections (account_key, state, name_key, key);
CREATE INDEX connections_network ON connections (network_key, state, name_key, key);
CREATE INDEX connections_due ON connections (look_at, key) WHERE look_at < '9999-01-01';

-- Pre-shared keys, sealed: given to the fabric, shown to nobody.
CREATE TABLE connection_keys (
    connection_key BIGINT NOT NULL,
    account_key BIGINT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('PRIMARY', 'SECONDARY')),
    sealed TEXT NOT NULL,
    PRIMARY KEY (connection_key, side),
    FOREIGN KEY (connection_key, account_key) REFERENCES connections (key, account_key)
);

-- Every state that a connection came into, and why.
CREATE TABLE connection_history (
    key BIGINT NOT NULL PRIMARY KEY,
    connection_key BIGINT NOT NULL,
    account_key BIGINT NOT NULL,
    at TIMESTAMP NOT NULL,
    state TEXT NOT NULL,
    error_code TEXT NOT NULL,
    message TEXT NOT NULL,
    user_key BIGINT REFERENCES users (key),
    FOREIGN KEY (connection_key, account_key) REFERENCES connections (key, account_key)
);
CREATE INDEX connection_history_connection ON connection_history (connection_key, key);

-- A VLAN of a port that a connection has, from its order until it is deleted. The account that uses it is the port's own
-- or below it, whatever the code does.
CREATE TABLE port_uses (
    port_key BIGINT NOT NULL,
    vlan BIGINT NOT NULL CHECK (vlan BETWEEN 1 AND 4094),
    port_account_key BIGINT NOT NULL,
    connection_key BIGINT NOT NULL,
    account_key BIGINT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('PRIMARY', 'SECONDARY')),
    speed BIGINT NOT NULL CHECK (speed > 0),
    PRIMARY KEY (port_key, vlan),
    UNIQUE (connection_key, side),
    FOREIGN KEY (port_key, port_account_key) REFERENCES ports (key, account_key),
    FOREIGN KEY (connection_key, account_key) REFERENCES connections (key, account_key),
    FOREIGN KEY (account_key, port_account_key) REFERENCES account_ancestry (descendant_key, ancestor_key)
        DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX port_uses_account ON port_uses (account_key, port_key);

-- Tags of networks, ports and connections, by their public ids.
CREATE TABLE resource_tags (
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    subject_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (subject_id, name)
);
CREATE INDEX resource_tags_account ON resource_tags (account_key, name, value);

-- What the fabric is to do, one at a time and in order for each port or connection. A row is claimed until a moment, so
-- that what a killed process had in hand is taken over.
CREATE TABLE intents (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('PORT', 'CONNECTION')),
    subject_key BIGINT NOT NULL,
    subject_id TEXT NOT NULL,
    act TEXT NOT NULL CHECK (act IN ('PROVISION', 'UPDATE', 'DELETE')),
    number BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('WAITING', 'ACCEPTED', 'DONE', 'FAILED')),
    attempts BIGINT NOT NULL DEFAULT 0,
    next_try_at TIMESTAMP NOT NULL,
    last_error TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    UNIQUE (subject_id, number),
    CHECK ((state IN ('DONE', 'FAILED')) = (finished_at IS NOT NULL))
);
-- One at a time.
CREATE UNIQUE INDEX intents_open ON intents (subject_id) WHERE finished_at IS NULL;
CREATE INDEX intents_due ON intents (next_try_at, key) WHERE finished_at IS NULL;

-- What limits count, without what is gone.
CREATE INDEX networks_counted ON networks (account_key) WHERE state <> 'DELETED';
CREATE INDEX ports_counted ON ports (account_key) WHERE state <> 'DELETED';
CREATE INDEX connections_counted ON connections (account_key) WHERE state <> 'DELETED';

-- How many of something an account, or it and everything below it, may have.
CREATE TABLE resource_limits (
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    resource TEXT NOT NULL CHECK (resource IN ('MEMBER', 'CONNECTION', 'NETWORK', 'ACCOUNT', 'PORT')),
    reach TEXT NOT NULL CHECK (reach IN ('ACCOUNT', 'BRANCH')),
    most BIGINT NOT NULL CHECK (most >= 0),
    set_at TIMESTAMP NOT NULL,
    PRIMARY KEY (account_key, resource, reach)
);

-- Accounts that start nothing new, and nothing below them does. Each row is one act of its own.
CREATE TABLE suspensions (
    account_key BIGINT NOT NULL PRIMARY KEY REFERENCES accounts (key),
    suspended_at TIMESTAMP NOT NULL,
    reason TEXT NOT NULL CHECK (length(reason) <= 256),
    user_key BIGINT REFERENCES users (key)
);
