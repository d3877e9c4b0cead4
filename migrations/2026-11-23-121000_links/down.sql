DROP TABLE sent_reminders;
DROP TABLE mailed_links;
ALTER TABLE users DROP COLUMN email_verified_at;
ALTER TABLE mails DROP COLUMN letter;
ALTER TABLE mails ADD COLUMN body_text TEXT NOT NULL DEFAULT '';
ALTER TABLE mails ADD COLUMN body_html TEXT NOT NULL DEFAULT '';
