-- How far the people of the accounts that the method pays for were told of the same stage: the last one's key. None
-- when all of them were, or nobody had to be.
ALTER TABLE sent_payment_warnings ADD COLUMN told_below BIGINT;
CREATE INDEX sent_payment_warnings_below ON sent_payment_warnings (told_below) WHERE told_below IS NOT NULL;
