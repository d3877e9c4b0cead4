-- What things cost, from a day on. A row is never changed: a new price is a new row with a later day. Money is in the
-- currency's minor unit everywhere.
CREATE TABLE price_plans (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    description TEXT NOT NULL CHECK (length(description) BETWEEN 1 AND 256),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    charged_every TEXT NOT NULL CHECK (charged_every IN ('MONTH')),
    amount BIGINT NOT NULL CHECK (amount >= 0),
    setup_amount BIGINT NOT NULL CHECK (setup_amount >= 0),
    term_months BIGINT NOT NULL CHECK (term_months >= 0),
    effective_at TIMESTAMP NOT NULL,
    loaded_at TIMESTAMP NOT NULL,
    UNIQUE (code, effective_at)
);

-- What an account uses: a port or a connection, from a day to before a day (both at midnight UTC). `next_month` is the
-- first month not charged yet, as 2026-10; 9999-12 when nothing is left to charge.
CREATE TABLE ledger_items (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    kind TEXT NOT NULL CHECK (kind IN ('PORT', 'CONNECTION')),
    subject_id TEXT NOT NULL,
    name TEXT NOT NULL,
    price_code TEXT NOT NULL,
    starts_at TIMESTAMP NOT NULL,
    ends_at TIMESTAMP NOT NULL,
    next_month TEXT NOT NULL CHECK (length(next_month) = 7),
    created_at TIMESTAMP NOT NULL,
    CHECK (ends_at > starts_at),
    UNIQUE (key, account_key)
);
CREATE INDEX ledger_items_account ON ledger_items (account_key, key);
CREATE INDEX ledger_items_subject ON ledger_items (account_key, subject_id);
CREATE INDEX ledger_items_due ON ledger_items (next_month, key);

-- One invoice per payer, month and currency. A draft is being made and is nobody's to see; it gets its number, its
-- address and its day when it is complete. From `provider_id` on it says how it is collected: the payment at the
-- provider that is in hand and how many were given up before; what is known of it; the method and the last refusal;
-- when it is looked at next. `overdue_at`: since when its accounts start nothing new.
CREATE TABLE invoices (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    payer_key BIGINT NOT NULL REFERENCES accounts (key),
    month TEXT NOT NULL CHECK (length(month) = 7),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    state TEXT NOT NULL CHECK (state IN ('DRAFT', 'OPEN', 'PAID', 'FAILED', 'VOID')),
    number BIGINT UNIQUE,
    total BIGINT NOT NULL DEFAULT 0,
    lines BIGINT NOT NULL DEFAULT 0,
    collection_method TEXT NOT NULL DEFAULT '',
    bill_to TEXT NOT NULL DEFAULT '',
    email TEXT NOT NULL DEFAULT '',
    issued_at TIMESTAMP,
    due_at TIMESTAMP,
    settled_at TIMESTAMP,
    provider_id TEXT NOT NULL DEFAULT '',
    provider_state TEXT NOT NULL DEFAULT '' CHECK (provider_state IN ('', 'UNDERWAY', 'PAID', 'FAILED')),
    round BIGINT NOT NULL DEFAULT 0,
    means TEXT NOT NULL DEFAULT '',
    trouble TEXT NOT NULL DEFAULT '',
    tries BIGINT NOT NULL DEFAULT 0,
    next_try_at TIMESTAMP NOT NULL DEFAULT '9999-12-31 00:00:00',
    overdue_at TIMESTAMP,
    version BIGINT NOT NULL DEFAULT 1,
    UNIQUE (payer_key, month, currency),
    UNIQUE (key, currency),
    CHECK ((state = 'DRAFT') = (number IS NULL)),
    CHECK ((state = 'DRAFT') = (issued_at IS NULL)),
    CHECK ((state = 'DRAFT') = (due_at IS NULL))
);
CREATE INDEX invoices_payer ON invoices (payer_key, number);
CREATE INDEX invoices_month ON invoices (month, state, key);
CREATE UNIQUE INDEX invoices_provider ON invoices (provider_id) WHERE provider_id <> '';
CREATE INDEX invoices_troubled ON invoices (key) WHERE trouble <> '';
CREATE INDEX invoices_overdue ON invoices (key) WHERE overdue_at IS NOT NULL AND state IN ('OPEN', 'FAILED');
CREATE INDEX invoices_unsettled ON invoices (next_try_at, key) WHERE state IN ('OPEN', 'FAILED');

-- One line: what one item costs for one month, or its setup, with everything that it says copied from the item and the
-- price. Without an invoice it waits for a payer. The two unique rules are what keeps a second run from charging twice.
CREATE TABLE charges (
    key BIGINT NOT NULL PRIMARY KEY,
    item_key BIGINT NOT NULL,
    account_key BIGINT NOT NULL,
    month TEXT NOT NULL CHECK (length(month) = 7),
    kind TEXT NOT NULL CHECK (kind IN ('RECURRING', 'SETUP')),
    name TEXT NOT NULL,
    price_code TEXT NOT NULL,
    description TEXT NOT NULL,
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    unit_amount BIGINT NOT NULL CHECK (unit_amount >= 0),
    from_at TIMESTAMP NOT NULL,
    days BIGINT NOT NULL CHECK (days >= 0),
    days_in_month BIGINT NOT NULL CHECK (days_in_month BETWEEN 28 AND 31),
    amount BIGINT NOT NULL CHECK (amount BETWEEN 0 AND unit_amount),
    invoice_key BIGINT,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (item_key, month, kind),
    CHECK (days <= days_in_month),
    FOREIGN KEY (item_key, account_key) REFERENCES ledger_items (key, account_key),
    FOREIGN KEY (invoice_key, currency) REFERENCES invoices (key, currency)
);
CREATE UNIQUE INDEX charges_setup ON charges (item_key) WHERE kind = 'SETUP';
CREATE INDEX charges_waiting ON charges (key) WHERE invoice_key IS NULL;
CREATE INDEX charges_invoice ON charges (invoice_key, account_key, key);
CREATE INDEX charges_account ON charges (account_key, month, key);

-- The accounts on an invoice as the tree was when it was issued: what each costs by itself and with everything below
-- it. `parent_key` is the account above on this invoice; none for the payer.
CREATE TABLE invoice_sections (
    invoice_key BIGINT NOT NULL REFERENCES invoices (key),
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    parent_key BIGINT REFERENCES accounts (key),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    own_amount BIGINT NOT NULL,
    own_lines BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    accounts_count BIGINT NOT NULL,
    PRIMARY KEY (invoice_key, account_key)
);
CREATE INDEX invoice_sections_account ON invoice_sections (account_key, invoice_key);
CREATE INDEX invoice_sections_below ON invoice_sections (invoice_key, parent_key, name_key, account_key);

-- How far the making of a month has come, so that a run that was killed goes on where it stopped.
CREATE TABLE billing_months (
    month TEXT NOT NULL PRIMARY KEY CHECK (length(month) = 7),
    stage TEXT NOT NULL CHECK (stage IN ('CHARGING', 'SORTING', 'ISSUING', 'DONE')),
    after_key BIGINT NOT NULL DEFAULT 0,
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP
);

-- Whether an account shows prices to the accounts below it. No row: it does not.
CREATE TABLE price_visibility (
    account_key BIGINT NOT NULL PRIMARY KEY REFERENCES accounts (key),
    show_child_prices BOOLEAN NOT NULL,
    version BIGINT NOT NULL
);
