-- How many open accounts are below, at any level: kept with children_count, under the tree's lock. Counting 500,000 rows
-- takes half a second, reading a column none.
ALTER TABLE accounts ADD COLUMN below_count BIGINT NOT NULL DEFAULT 0 CHECK (below_count >= 0);
UPDATE accounts SET below_count = (
    SELECT COUNT(*) FROM account_ancestry y JOIN accounts d ON d.key = y.descendant_key
    WHERE y.ancestor_key = accounts.key AND y.distance > 0 AND d.closed_at IS NULL);

-- The name of the descendant again, so that everything below an account is one index range in the order of names.
ALTER TABLE account_ancestry ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
UPDATE account_ancestry SET name_key = (SELECT a.name_key FROM accounts a WHERE a.key = account_ancestry.descendant_key);
CREATE INDEX account_ancestry_names ON account_ancestry (ancestor_key, name_key, descendant_key);
DROP INDEX account_ancestry_down;
CREATE INDEX account_ancestry_down ON account_ancestry (ancestor_key, distance, name_key, descendant_key);

-- Lists of everything below a large account walk along the names and ask of each whether it is below.
CREATE INDEX networks_names ON networks (name_key, key);
CREATE INDEX connections_names ON connections (name_key, key);
CREATE INDEX ports_names ON ports (name_key, key);

-- What stands in the way below a large account, counted in the background: `counted_at` says when.
CREATE TABLE readiness_counts (
    account_key BIGINT NOT NULL PRIMARY KEY REFERENCES accounts (key),
    counted_at TIMESTAMP NOT NULL,
    accounts BIGINT NOT NULL,
    ready BIGINT NOT NULL,
    awaiting_agreements BIGINT NOT NULL,
    awaiting_payment BIGINT NOT NULL,
    suspended BIGINT NOT NULL,
    over_limit BIGINT NOT NULL
);
-- The large accounts, for that.
CREATE INDEX accounts_large ON accounts (below_count, key) WHERE below_count > 10000;
