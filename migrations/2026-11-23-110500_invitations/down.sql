ALTER TABLE users DROP COLUMN last_seen_at;
ALTER TABLE users DROP COLUMN name_key;
DROP TABLE invitation_roles;
DROP TABLE invitations;
