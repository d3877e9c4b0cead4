ALTER TABLE invoices DROP COLUMN set_aside_at;
ALTER TABLE invoices DROP COLUMN late_lines;
DROP TABLE provider_tries;
ALTER TABLE payment_methods DROP COLUMN permitted_by;
ALTER TABLE payment_methods DROP COLUMN permitted_at;
ALTER TABLE payment_setups DROP COLUMN permitted_by;
ALTER TABLE payment_setups DROP COLUMN permitted_at;
ALTER TABLE payment_setups DROP COLUMN begun_over;
