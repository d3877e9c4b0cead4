-- What somebody has besides the password. `sealed` and `credential` are what src/factor makes of them; of recovery
-- codes only the hash is kept, and a code that was used is deleted.
CREATE TABLE authenticator_apps (
    user_key BIGINT NOT NULL PRIMARY KEY REFERENCES users (key) ON DELETE CASCADE,
    sealed TEXT NOT NULL,
    last_step BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP
);

CREATE TABLE passkeys (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user_key BIGINT NOT NULL REFERENCES users (key) ON DELETE CASCADE,
    name TEXT NOT NULL,
    credential_id TEXT NOT NULL UNIQUE,
    credential TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP
);
CREATE INDEX passkeys_user ON passkeys (user_key, key);

CREATE TABLE recovery_codes (
    user_key BIGINT NOT NULL REFERENCES users (key) ON DELETE CASCADE,
    code_hash TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_key, code_hash)
);

-- Questions that a passkey answered: none is answered twice.
CREATE TABLE spent_challenges (
    digest TEXT NOT NULL PRIMARY KEY,
    spent_at TIMESTAMP NOT NULL
);
CREATE INDEX spent_challenges_age ON spent_challenges (spent_at);

-- Whether this session was opened with a second factor.
ALTER TABLE sessions ADD COLUMN second_factor BOOLEAN NOT NULL DEFAULT FALSE;

-- Whether everybody who enters this account or anything below must have used one.
ALTER TABLE accounts ADD COLUMN requires_second_factor BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX accounts_second_factor ON accounts (requires_second_factor, key);

-- What secrets are sealed with where SECRET_KEY is not set.
ALTER TABLE installation ADD COLUMN secret_key TEXT NOT NULL DEFAULT '';
