-- A letter waits in its own words and becomes text and HTML when it is sent, with the address that people type today.
ALTER TABLE mails DROP COLUMN body_text;
ALTER TABLE mails DROP COLUMN body_html;
ALTER TABLE mails ADD COLUMN letter TEXT NOT NULL DEFAULT '';

-- Null until somebody showed that mail to the address reaches them.
ALTER TABLE users ADD COLUMN email_verified_at TIMESTAMP;

-- Links that are mailed: what each is good for, until when, and where it was asked for. Only the hash of its token is
-- kept. ASKED: somebody asked for a new password; whether anybody has the address is looked up afterwards.
CREATE TABLE mailed_links (
    key BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('PASSWORD_RESET', 'EMAIL_VERIFICATION', 'EMAIL_CHANGE')),
    state TEXT NOT NULL CHECK (state IN ('ASKED', 'OPEN', 'SPENT')),
    user_key BIGINT REFERENCES users (key) ON DELETE CASCADE,
    email TEXT NOT NULL,
    token_hash TEXT UNIQUE,
    browser_hash TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    user_agent TEXT NOT NULL DEFAULT '',
    request_id TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX mailed_links_user ON mailed_links (user_key, state);
CREATE INDEX mailed_links_state ON mailed_links (state, key);
CREATE INDEX mailed_links_end ON mailed_links (expires_at);

-- Which reminders of an ending assignment went out: each once for each end, however often the assignment is written
-- anew. No reference to the assignment, which may go before its end; rows go when the end has passed.
CREATE TABLE sent_reminders (
    account_key BIGINT NOT NULL REFERENCES accounts (key),
    user_key BIGINT NOT NULL REFERENCES users (key) ON DELETE CASCADE,
    role_key BIGINT NOT NULL,
    ends_at TIMESTAMP NOT NULL,
    days BIGINT NOT NULL,
    PRIMARY KEY (account_key, user_key, role_key, ends_at, days)
);
CREATE INDEX sent_reminders_end ON sent_reminders (ends_at);
