-- What a set-up was begun over: the entries of the account's own method then, as a fingerprint; empty without one. Where
-- they are others when it works, they stay. And the permission to draft a bank account: when and by whom.
ALTER TABLE payment_setups ADD COLUMN begun_over TEXT NOT NULL DEFAULT '';
ALTER TABLE payment_setups ADD COLUMN permitted_at TIMESTAMP;
ALTER TABLE payment_setups ADD COLUMN permitted_by BIGINT REFERENCES users (key);
ALTER TABLE payment_methods ADD COLUMN permitted_at TIMESTAMP;
ALTER TABLE payment_methods ADD COLUMN permitted_by BIGINT REFERENCES users (key);

-- How often something at the payment provider was asked for, by whom or for which account, within a day.
CREATE TABLE provider_tries (
    bucket TEXT NOT NULL PRIMARY KEY,
    started_at TIMESTAMP NOT NULL,
    tried BIGINT NOT NULL
);
CREATE INDEX provider_tries_age ON provider_tries (started_at);

-- Lines of months before the invoice's own, counted when it is issued. `set_aside_at`: since when a draft that does not
-- add up waits for somebody to look, so that it is in nobody's way.
ALTER TABLE invoices ADD COLUMN late_lines BIGINT NOT NULL DEFAULT 0;
ALTER TABLE invoices ADD COLUMN set_aside_at TIMESTAMP;
UPDATE invoices SET late_lines = (
    SELECT COUNT(*) FROM charges c WHERE c.invoice_key = invoices.key AND c.month < invoices.month);
