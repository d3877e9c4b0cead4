DROP TABLE price_visibility;
DROP TABLE billing_months;
DROP TABLE invoice_sections;
DROP TABLE charges;
DROP TABLE invoices;
DROP TABLE ledger_items;
DROP TABLE price_plans;
