-- One tongue for SQLite and PostgreSQL: bigint keys made by the application, text ids at the edges,
-- timestamps in UTC cut to microseconds, booleans. What one dialect alone can say (collation, triggers)
-- is added by src/store/dialect.rs.

CREATE TABLE users (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    company TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    theme TEXT NOT NULL DEFAULT 'auto' CHECK (theme IN ('auto', 'light', 'dark')),
    last_account_key BIGINT,
    created_at TIMESTAMP NOT NULL,
    version BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE sessions (
    token_hash TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user_key BIGINT REFERENCES users (key) ON DELETE CASCADE,
    state TEXT NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_key, last_used_at);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Failed attempts in a window of time, by what is being guessed at (an address, an e-mail).
CREATE TABLE throttles (
    bucket TEXT NOT NULL PRIMARY KEY,
    window_started_at TIMESTAMP NOT NULL,
    failures BIGINT NOT NULL
);

-- depth is the truth that makes a cycle unrepresentable: a parent is always exactly one level higher, and that
-- cannot hold all the way round a circle. The reference is checked at commit, so that a branch can move as one.
CREATE TABLE accounts (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    parent_key BIGINT,
    parent_depth BIGINT,
    root_key BIGINT NOT NULL,
    depth BIGINT NOT NULL CHECK (depth >= 0),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    name_key TEXT NOT NULL,
    description TEXT NOT NULL CHECK (length(description) <= 256),
    contacts TEXT NOT NULL,
    children_count BIGINT NOT NULL DEFAULT 0 CHECK (children_count >= 0),
    closed_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    UNIQUE (key, depth),
    CHECK ((parent_key IS NULL) = (parent_depth IS NULL)),
    CHECK ((parent_key IS NULL) = (depth = 0)),
    CHECK (parent_depth IS NULL OR parent_depth = depth - 1),
    FOREIGN KEY (parent_key, parent_depth) REFERENCES accounts (key, depth) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX accounts_siblings ON accounts (parent_key, name_key, key);
CREATE INDEX accounts_siblings_created ON accounts (parent_key, created_at, key);
CREATE INDEX accounts_closed ON accounts (parent_key, closed_at);
CREATE INDEX accounts_names ON accounts (name_key, key);

-- Every account with each of its ancestors, itself at distance 0; kept in the transaction that changes parent_key.
CREATE TABLE account_ancestry (
    descendant_key BIGINT NOT NULL REFERENCES accounts (key),
    ancestor_key BIGINT NOT NULL REFERENCES accounts (key),
    distance BIGINT NOT NULL CHECK (distance >= 0),
    PRIMARY KEY (descendant_key, ancestor_key),
    CHECK ((distance = 0) = (descendant_key = ancestor_key))
);
CREATE UNIQUE INDEX account_ancestry_up ON account_ancestry (descendant_key, distance);
CREATE INDEX account_ancestry_down ON account_ancestry (ancestor_key, distance, descendant_key);

CREATE TABLE account_tags (
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    value_key TEXT NOT NULL,
    PRIMARY KEY (account_key, name)
);

-- permissions is a set of resource x verb bits: src/access/policy.rs.
CREATE TABLE roles (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    name_key TEXT NOT NULL,
    description TEXT NOT NULL CHECK (length(description) <= 256),
    permissions BIGINT NOT NULL,
    built_in BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    UNIQUE (key, account_key),
    UNIQUE (account_key, name_key)
);

-- A role given to a user at an account. The last foreign key says in SQL that a role can be assigned
-- only at the account that owns it or below.
CREATE TABLE assignments (
    key BIGINT NOT NULL PRIMARY KEY,
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    user_key BIGINT NOT NULL REFERENCES users (key),
    role_key BIGINT NOT NULL,
    role_account_key BIGINT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('here_and_below', 'here', 'below')),
    granted_by BIGINT REFERENCES users (key),
    created_at TIMESTAMP NOT NULL,
    UNIQUE (account_key, user_key, role_key),
    FOREIGN KEY (role_key, role_account_key) REFERENCES roles (key, account_key),
    FOREIGN KEY (account_key, role_account_key) REFERENCES account_ancestry (descendant_key, ancestor_key)
        DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX assignments_user ON assignments (user_key, account_key);
CREATE INDEX assignments_role ON assignments (role_key);

CREATE TABLE legal_documents (
    key BIGINT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL CHECK (document IN ('MSA', 'AUP')),
    version BIGINT NOT NULL CHECK (version >= 1),
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    effective_at TIMESTAMP NOT NULL,
    published_at TIMESTAMP NOT NULL,
    UNIQUE (document, version)
);

-- The proof that an account is bound. Rows are only ever added (dialect.rs refuses the rest).
CREATE TABLE consents (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    document_key BIGINT NOT NULL REFERENCES legal_documents (key),
    user_key BIGINT NOT NULL REFERENCES users (key),
    from_account_key BIGINT NOT NULL REFERENCES accounts (key),
    address TEXT NOT NULL,
    accepted_at TIMESTAMP NOT NULL,
    UNIQUE (account_key, document_key)
);

-- An account's own payment method: at most one.
CREATE TABLE payment_methods (
    account_key BIGINT NOT NULL PRIMARY KEY REFERENCES accounts (key),
    id TEXT NOT NULL UNIQUE,
    collection_method TEXT NOT NULL CHECK (collection_method IN ('CREDIT_CARD', 'NET_30', 'PULL_ACH')),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    email TEXT NOT NULL,
    street TEXT NOT NULL,
    city TEXT NOT NULL,
    state TEXT NOT NULL,
    postal_code TEXT NOT NULL,
    country TEXT NOT NULL,
    allow_child_accounts BOOLEAN NOT NULL,
    verified BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    version BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE favourites (
    user_key BIGINT NOT NULL REFERENCES users (key) ON DELETE CASCADE,
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_key, account_key)
);
CREATE TABLE recents (
    user_key BIGINT NOT NULL REFERENCES users (key) ON DELETE CASCADE,
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    visited_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_key, account_key)
);

-- Forms already carried out: the same form sent twice has one effect and gets the same answer.
CREATE TABLE submissions (
    user_key BIGINT NOT NULL REFERENCES users (key) ON DELETE CASCADE,
    form_key TEXT NOT NULL,
    digest TEXT NOT NULL,
    location TEXT NOT NULL,
    flash TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_key, form_key)
);
CREATE INDEX submissions_age ON submissions (created_at);

-- What somebody had typed when the session ended; shown again to the same user after signing in.
CREATE TABLE kept_forms (
    id TEXT NOT NULL PRIMARY KEY,
    user_key BIGINT NOT NULL REFERENCES users (key) ON DELETE CASCADE,
    path TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX kept_forms_age ON kept_forms (created_at);

-- What is provisioned. Rows come with the rooms for networks and ports; billing and closing already ask for them.
CREATE TABLE connections (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX connections_account ON connections (account_key, state);

-- The key that signs session cookies, the same for every instance on this database. The signature guards nothing
-- by itself (the cookie holds a random token of which only the hash is kept).
CREATE TABLE installation (
    only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    cookie_key TEXT NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('live', 'demo')),
    created_at TIMESTAMP NOT NULL
);

-- Key order is time order. Rows are only ever added (dialect.rs refuses the rest).
CREATE TABLE audit_entries (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    at TIMESTAMP NOT NULL,
    actor_key BIGINT REFERENCES users (key),
    acting_from_key BIGINT REFERENCES accounts (key),
    account_key BIGINT REFERENCES accounts (key),
    event_type TEXT NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('SUCCESS', 'FAILURE')),
    source TEXT NOT NULL CHECK (source IN ('API', 'CONSOLE', 'SYSTEM')),
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    request_id TEXT NOT NULL
);
-- What a filter of the log walks along where the log is long.
CREATE INDEX audit_entries_subject ON audit_entries (subject_id, key);
CREATE INDEX audit_entries_actor ON audit_entries (actor_key, key);
CREATE INDEX audit_entries_event ON audit_entries (event_type, key);

-- One row for each account that was the entry's account (own) or its ancestor when it happened.
CREATE TABLE audit_scope (
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    entry_key BIGINT NOT NULL REFERENCES audit_entries (key),
    own BOOLEAN NOT NULL,
    PRIMARY KEY (account_key, entry_key)
);
CREATE INDEX audit_scope_own ON audit_scope (account_key, own, entry_key);
