-- What was accepted, for a page of accounts, from the index alone.
CREATE INDEX consents_states ON consents (account_key, document_key, accepted_at);
