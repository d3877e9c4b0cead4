DROP TABLE mails;
DROP INDEX assignments_end;
ALTER TABLE assignments DROP COLUMN ends_at;
