DROP INDEX sent_payment_warnings_below;
ALTER TABLE sent_payment_warnings DROP COLUMN told_below;
