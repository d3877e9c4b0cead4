-- What an account is called in a system of those above it. It comes with an import, and a later one knows the account by
-- it. Each import looks at its own account and below, so two branches may use the same one.
ALTER TABLE accounts ADD COLUMN external_reference TEXT CHECK (length(external_reference) BETWEEN 1 AND 64);
CREATE INDEX accounts_reference ON accounts (root_key, external_reference) WHERE external_reference IS NOT NULL;

-- A file of child accounts to be: first a draft of the person who sent it, then carried out by the background work. Its
-- row is the claim: who moves `claimed_until` forward has it until then.
CREATE TABLE account_imports (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    user_key BIGINT NOT NULL REFERENCES users (key),
    state TEXT NOT NULL CHECK (state IN ('DRAFT', 'RUNNING', 'DONE', 'STOPPED')),
    file_name TEXT NOT NULL,
    digest TEXT NOT NULL,
    head TEXT NOT NULL,
    second_factor BOOLEAN NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    lines BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    started_at TIMESTAMP,
    finished_at TIMESTAMP,
    claimed_until TIMESTAMP NOT NULL,
    CHECK ((state = 'DRAFT') = (started_at IS NULL))
);
CREATE INDEX account_imports_account ON account_imports (account_key, key);
CREATE INDEX account_imports_digest ON account_imports (account_key, digest);
CREATE INDEX account_imports_due ON account_imports (state, claimed_until);

-- One line of the file. `turn`: parents before what is below them. `parent_line`: where the parent comes with the same
-- file; else `parent_id` is the account that is there already. `account_id`: what the line became, or was before.
CREATE TABLE account_import_lines (
    import_key BIGINT NOT NULL REFERENCES account_imports (key) ON DELETE CASCADE,
    line BIGINT NOT NULL,
    turn BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('NEW', 'THERE', 'WRONG', 'CREATED', 'REFUSED', 'LEFT')),
    parent_line BIGINT,
    parent_id TEXT,
    account_id TEXT,
    reason TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (import_key, line)
);
CREATE INDEX account_import_lines_turn ON account_import_lines (import_key, state, turn);
