-- An invitation is an open offer to one address. Of its link only the hash is kept; sending it again makes a new one.
-- `sent_at` is when the link that works was made.
CREATE TABLE invitations (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('here_and_below', 'here', 'below')),
    ends_at TIMESTAMP NOT NULL,
    message TEXT NOT NULL CHECK (length(message) <= 1000),
    token_hash TEXT NOT NULL UNIQUE,
    invited_by BIGINT NOT NULL REFERENCES users (key),
    state TEXT NOT NULL CHECK (state IN ('OPEN', 'ACCEPTED', 'WITHDRAWN')),
    accepted_by BIGINT REFERENCES users (key),
    created_at TIMESTAMP NOT NULL,
    sent_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    CHECK ((state = 'ACCEPTED') = (accepted_by IS NOT NULL))
);
CREATE INDEX invitations_account ON invitations (account_key, state, key);
CREATE INDEX invitations_email ON invitations (email_key, account_key);

-- What the invitation would give. No foreign key to roles: an invitation that is over must not keep a role from being
-- deleted, and one that is open does not work any more when a role of it is gone.
CREATE TABLE invitation_roles (
    invitation_key BIGINT NOT NULL REFERENCES invitations (key) ON DELETE CASCADE,
    role_key BIGINT NOT NULL,
    PRIMARY KEY (invitation_key, role_key)
);
CREATE INDEX invitation_roles_role ON invitation_roles (role_key);

-- Members are listed by name and found by parts of it; the folding in src/text.rs is finer than what SQL can do here,
-- and takes its place when somebody changes their name.
ALTER TABLE users ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
UPDATE users SET name_key = lower(first_name || ' ' || last_name);
-- When somebody last used the console, to the minute.
ALTER TABLE users ADD COLUMN last_seen_at TIMESTAMP;
