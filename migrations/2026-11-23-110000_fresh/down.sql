ALTER TABLE sessions DROP COLUMN fresh_at;
