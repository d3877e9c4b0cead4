DROP INDEX invitations_sender;
ALTER TABLE invitations DROP COLUMN mailed;
