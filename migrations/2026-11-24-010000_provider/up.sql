-- What the payment provider knows of the method in force: its id there, and what may be shown of it. Empty for
-- invoices. It pays until the grace period after its expiry or its first failure has passed.
ALTER TABLE payment_methods ADD COLUMN provider_id TEXT NOT NULL DEFAULT '';
ALTER TABLE payment_methods ADD COLUMN brand TEXT NOT NULL DEFAULT '';
ALTER TABLE payment_methods ADD COLUMN last_four TEXT NOT NULL DEFAULT '' CHECK (length(last_four) <= 4);
ALTER TABLE payment_methods ADD COLUMN holder_type TEXT NOT NULL DEFAULT '';
ALTER TABLE payment_methods ADD COLUMN expires_at TIMESTAMP NOT NULL DEFAULT '9999-12-31 00:00:00';
ALTER TABLE payment_methods ADD COLUMN failed_at TIMESTAMP;
-- When the newest charge that was heard of was made: what is told of older ones comes too late.
ALTER TABLE payment_methods ADD COLUMN charged_at TIMESTAMP;
ALTER TABLE payment_methods ADD COLUMN pays_until TIMESTAMP NOT NULL DEFAULT '9999-12-31 00:00:00';
CREATE INDEX payment_methods_provider ON payment_methods (provider_id);
CREATE INDEX payment_methods_expiry ON payment_methods (expires_at);

-- Who an account is to the provider.
CREATE TABLE provider_customers (
    account_key BIGINT NOT NULL PRIMARY KEY REFERENCES accounts (key),
    id TEXT NOT NULL UNIQUE
);

-- A method that is being set up, beside the one in force. OPEN: the provider has not seen it yet; VERIFYING: a bank
-- account awaits the amounts of its two deposits; SPENT: wrong amounts were entered too often.
CREATE TABLE payment_setups (
    account_key BIGINT NOT NULL PRIMARY KEY REFERENCES accounts (key),
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('OPEN', 'VERIFYING', 'SPENT')),
    collection_method TEXT NOT NULL CHECK (collection_method IN ('CREDIT_CARD', 'PULL_ACH')),
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    street TEXT NOT NULL,
    city TEXT NOT NULL,
    state_name TEXT NOT NULL,
    postal_code TEXT NOT NULL,
    country TEXT NOT NULL,
    allow_child_accounts BOOLEAN NOT NULL,
    confirmed TEXT NOT NULL,
    intent TEXT NOT NULL DEFAULT '',
    round BIGINT NOT NULL DEFAULT 0,
    last_four TEXT NOT NULL DEFAULT '' CHECK (length(last_four) <= 4),
    brand TEXT NOT NULL DEFAULT '',
    tries BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX payment_setups_intent ON payment_setups (intent);

-- Events of the provider that were applied: each once, however often it is delivered.
CREATE TABLE provider_events (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    received_at TIMESTAMP NOT NULL
);
CREATE INDEX provider_events_age ON provider_events (received_at);

-- Which warnings of a method's end went out: each stage once for each end.
CREATE TABLE sent_payment_warnings (
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    provider_id TEXT NOT NULL,
    ends_at TIMESTAMP NOT NULL,
    days BIGINT NOT NULL,
    PRIMARY KEY (account_key, provider_id, ends_at, days)
);
CREATE INDEX sent_payment_warnings_end ON sent_payment_warnings (ends_at);
