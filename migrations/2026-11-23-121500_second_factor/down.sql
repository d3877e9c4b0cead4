ALTER TABLE installation DROP COLUMN secret_key;
DROP INDEX accounts_second_factor;
ALTER TABLE accounts DROP COLUMN requires_second_factor;
ALTER TABLE sessions DROP COLUMN second_factor;
DROP TABLE spent_challenges;
DROP TABLE recovery_codes;
DROP TABLE passkeys;
DROP TABLE authenticator_apps;
