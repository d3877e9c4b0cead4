-- As what somebody acted: the name that the role had at that moment. Empty where nobody's role gave the right.
ALTER TABLE audit_entries ADD COLUMN acting_role TEXT NOT NULL DEFAULT '';
