DROP INDEX consents_states;
