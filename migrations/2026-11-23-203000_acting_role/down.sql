ALTER TABLE audit_entries DROP COLUMN acting_role;
