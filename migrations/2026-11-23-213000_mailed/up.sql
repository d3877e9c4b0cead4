-- Whether the link that works came by mail: then whoever has it reads that address's mail.
ALTER TABLE invitations ADD COLUMN mailed BOOLEAN NOT NULL DEFAULT TRUE;
-- How many invitations somebody sent in a day.
CREATE INDEX invitations_sender ON invitations (invited_by, sent_at);
