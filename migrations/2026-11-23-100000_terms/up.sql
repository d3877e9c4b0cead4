-- An assignment holds until `ends_at`; the far end of the calendar stands for "no end", so that every query asks the
-- same question.
ALTER TABLE assignments ADD COLUMN ends_at TIMESTAMP NOT NULL DEFAULT '9999-12-31 00:00:00';
CREATE INDEX assignments_end ON assignments (ends_at);

-- The outbox: a mail is written in the transaction of the change it speaks of, and sent by a worker afterwards. What
-- it says is taken out once it is gone, because links in it are secrets.
CREATE TABLE mails (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    account_key BIGINT REFERENCES accounts (key),
    to_address TEXT NOT NULL,
    subject TEXT NOT NULL,
    body_text TEXT NOT NULL,
    body_html TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('QUEUED', 'SENT', 'KEPT', 'FAILED')),
    attempts BIGINT NOT NULL DEFAULT 0,
    due_at TIMESTAMP NOT NULL,
    last_error TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMP NOT NULL,
    done_at TIMESTAMP
);
CREATE INDEX mails_due ON mails (state, due_at);
CREATE INDEX mails_account ON mails (account_key, key);
