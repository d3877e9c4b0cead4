-- When the person of a session last proved who they are. Sessions from before count as proven long ago.
ALTER TABLE sessions ADD COLUMN fresh_at TIMESTAMP NOT NULL DEFAULT '1970-01-01 00:00:00';
